#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "base/quantity.h"
#include "control.h"
#include "endpoints.h"
#include "gateway.h"
#include "wire.h"

#define MAX_CONNECTIONS   1000
#define IDLE_TIMEOUT_S    120
#define MAX_HEADERS       100
#define MAX_BODY_BYTES    ((size_t)8 << 20)
#define MAX_CONTROL_BYTES ((size_t)256 << 20)
#define MEMORY_PER_CONN   ((size_t)64 << 10)
#define THREAD_STACK      ((size_t)1 << 20)

struct server {
    struct MHD_Daemon *daemon;
    struct simulator *s;
    char address[80];
};

/* One request from its first line to the end of its reply. */
struct exchange {
    char *path; /* as received */
    const char *query;
    struct verify_header headers[MAX_HEADERS];
    size_t n_headers;
    struct strbuf body;
    bool begun;
    bool counted; /* it has a number in the log */
    enum stats_kind kind;
    bool in_flight;
    uint64_t seq;
};

static void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    free(x->path);
    strbuf_release(&x->body);
    free(x);
}

/* MHD gives the request target here, before it decodes anything; the result becomes *con_cls. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)cls;
    (void)connection;
    struct exchange *x = calloc(1, sizeof(*x));
    char *path = strdup(uri);
    if (!x || !path) {
        free(path);
        exchange_free(x);
        return NULL;
    }
    x->path = path;
    char *mark = strchr(path, '?');
    if (mark)
        *mark++ = '\0';
    x->query = mark ? mark : "";
    return x;
}

/* Before the client can have the whole reply: so it never sees more in flight than it sent. */
static void landed(struct server *server, struct exchange *x)
{
    if (x->in_flight)
        stats_request_end(server->s->stats, x->kind, x->seq);
    x->in_flight = false;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct server *server = cls;
    struct exchange *x = *con_cls;
    if (x)
        landed(server, x);
    exchange_free(x);
    *con_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)connection;
    (void)socket_context;
    struct server *server = cls;
    stats_connection(server->s->stats, code == MHD_CONNECTION_NOTIFY_STARTED);
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                 const char *value)
{
    (void)kind;
    struct exchange *x = cls;
    if (x->n_headers == MAX_HEADERS)
        return MHD_NO;
    x->headers[x->n_headers++] = (struct verify_header){key, value ? value : ""};
    return MHD_YES;
}

static void http_date(char *out, size_t size, int64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

static int connection_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static enum MHD_Result queue_reply(struct MHD_Connection *connection, struct reply *r,
                                   const char *date)
{
    size_t len = r->body.len;
    char *bytes = strbuf_take(&r->body, NULL);
    struct MHD_Response *response =
        bytes ? MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE)
              : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Date", date);
    MHD_add_response_header(response, "x-acs-request-id", r->request_id);
    if (r->content_type)
        MHD_add_response_header(response, "Content-Type", r->content_type);
    if (r->gzip) {
        MHD_add_response_header(response, "Content-Encoding", "gzip");
        MHD_add_response_header(response, "Vary", "Accept-Encoding");
    }
    for (size_t i = 0; i < r->n_headers; i++)
        MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned int)r->status, response);
    MHD_destroy_response(response);
    return rc;
}

/* MHD counts idle time from the last byte; what we wait on purpose is not idleness. */
static enum MHD_Result wait_before_reply(struct server *server, struct MHD_Connection *connection,
                                         int64_t ms)
{
    if (ms <= 0)
        return MHD_YES;
    if (!wire_wait(connection_fd(connection), &server->s->halt, ms))
        return MHD_NO;
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned int)IDLE_TIMEOUT_S);
    return MHD_YES;
}

static void count_reply(struct server *server, struct exchange *x, const char *method,
                        const struct reply *r)
{
    bool silent = r->wire.kind == WIRE_SILENCE;
    const struct stats_end end = {.kind = x->kind,
                                  .operation = r->operation,
                                  .method = method,
                                  .status = silent ? 0 : r->status,
                                  .code = r->code,
                                  .fault = r->fault};
    stats_request_decided(server->s->stats, x->seq, &end);
}

static enum MHD_Result send_reply(struct server *server, struct MHD_Connection *connection,
                                  struct exchange *x, const struct settings *settings,
                                  struct reply *r)
{
    char date[64];
    http_date(date, sizeof(date), simulator_unix_ms(settings));
    if (wait_before_reply(server, connection, r->delay_ms) == MHD_NO)
        return MHD_NO;
    if (r->wire.kind == WIRE_NONE) {
        landed(server, x);
        return queue_reply(connection, r, date);
    }
    wire_send(connection_fd(connection), &server->s->halt, r, date);
    return MHD_NO; /* closes the connection */
}

static enum MHD_Result answer(struct server *server, struct MHD_Connection *connection,
                              struct exchange *x, const char *method)
{
    struct settings settings;
    struct reply r = {0};
    simulator_settings(server->s, &settings);
    simulator_request_id(server->s, r.request_id);
    const struct verify_request request = {
        .method = method,
        .raw_path = x->path,
        .raw_query = x->query,
        .headers = x->headers,
        .n_headers = x->n_headers,
        .body = x->body.ptr,
        .body_len = x->body.len,
    };
    if (!strbuf_ok(&x->body)) {
        const struct gateway_error e = {.status = 413,
                                        .code = "RequestEntityTooLarge",
                                        .message = "The request body is too large.",
                                        .host = ""};
        reply_gateway_error(&r, &e);
    } else if (control_is_path(x->path)) {
        control_answer(server->s, &request, &r);
    } else if (x->kind != STATS_API) {
        endpoints_answer(server->s, &request, &settings, &r);
    } else {
        gateway_answer(server->s, &request, &settings, &r);
    }
    if (x->counted)
        count_reply(server, x, method, &r);
    if (x->counted && x->kind == STATS_API)
        r.delay_ms += settings.latency_ms;
    enum MHD_Result rc = send_reply(server, connection, x, &settings, &r);
    reply_release(&r);
    return rc;
}

/*
 * The first call comes with the headers alone: to answer there would cost the connection. Then one
 * for each piece of the body, and the last one to answer.
 */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **con_cls)
{
    static const enum stats_kind kinds[SOURCE_END] = {[SOURCE_NONE] = STATS_API,
                                                      [SOURCE_STS] = STATS_STS,
                                                      [SOURCE_METADATA] = STATS_METADATA,
                                                      [SOURCE_URI] = STATS_URI};
    (void)url;
    (void)version;
    struct server *server = cls;
    struct exchange *x = *con_cls;
    if (!x)
        return MHD_NO; /* there was no memory for it */
    if (!x->begun) {
        x->begun = true;
        bool control = control_is_path(x->path);
        x->body.limit = control ? MAX_CONTROL_BYTES : MAX_BODY_BYTES;
        if (!control) {
            x->kind = kinds[endpoints_kind(method, x->path)];
            x->seq = stats_request_begin(server->s->stats, x->kind, method, x->path, x->query);
            x->counted = x->in_flight = true;
        }
        MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, x);
        return MHD_YES;
    }
    if (*upload_data_size) {
        strbuf_add(&x->body, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    return answer(server, connection, x, method);
}

/* --- the socket --- */

static int parse_listen(const char *listen, struct sockaddr_storage *addr, socklen_t *addr_len,
                        struct err *err)
{
    char host[64];
    const char *colon = strrchr(listen, ':');
    uint64_t port;
    if (!colon || colon == listen || (size_t)(colon - listen) >= sizeof(host) ||
        quantity_parse_u64(colon + 1, &port) < 0 || port > 65535)
        return err_set(err, ERR_CONF, "--listen '%s' is not address:port", listen);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    const char *v4_text = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (inet_pton(AF_INET, v4_text, &v4.sin_addr) == 1 && ntohl(v4.sin_addr.s_addr) >> 24 == 127) {
        memcpy(addr, &v4, sizeof(v4));
        *addr_len = sizeof(v4);
        return 0;
    }
    if (strcmp(host, "[::1]") == 0 && inet_pton(AF_INET6, "::1", &v6.sin6_addr) == 1) {
        memcpy(addr, &v6, sizeof(v6));
        *addr_len = sizeof(v6);
        return 0;
    }
    return err_set(err, ERR_CONF, "--listen '%s': only loopback addresses are allowed", listen);
}

static void write_address(struct server *server, int fd)
{
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return;
    char host[INET6_ADDRSTRLEN] = "";
    if (addr.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &addr, sizeof(v4));
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
        snprintf(server->address, sizeof(server->address), "%s:%u", host, ntohs(v4.sin_port));
    } else {
        struct sockaddr_in6 v6;
        memcpy(&v6, &addr, sizeof(v6));
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
        snprintf(server->address, sizeof(server->address), "[%s]:%u", host, ntohs(v6.sin6_port));
    }
}

static int open_socket(const char *listen_text, struct err *err)
{
    struct sockaddr_storage addr = {0};
    socklen_t addr_len = 0;
    int on = 1;
    if (parse_listen(listen_text, &addr, &addr_len, err) < 0)
        return -1;
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&addr, addr_len) < 0 || listen(fd, 1024) < 0) {
        (void)err_set(err, ERR_IO, "cannot listen on %s: %s", listen_text, strerror(errno));
        fdp(&fd);
        return -1;
    }
    return fd;
}

int server_start(struct simulator *s, const char *listen_text, struct server **ret, struct err *err)
{
    CLEANUP(fdp) int fd = open_socket(listen_text, err);
    if (fd < 0)
        return -1;
    CLEANUP(freep) struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return err_nomem(err, "server");
    server->s = s;
    write_address(server, fd);
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
            MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
        0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_PER_CONN, MHD_OPTION_THREAD_STACK_SIZE,
        THREAD_STACK, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!server->daemon)
        return err_set(err, ERR_INTERNAL, "the HTTP server does not start");
    fd = -1; /* the daemon closes it */
    *ret = TAKE(server);
    return 0;
}

const char *server_address(const struct server *server)
{
    return server->address;
}

void server_stop(struct server *server)
{
    MHD_stop_daemon(server->daemon);
    free(server);
}
