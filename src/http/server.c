/*
 * The only file that knows libmicrohttpd (MHD), written for 0.9.75, whose habits shape it:
 *
 * - Its timeout is an idle timeout, so deadlines are kept by conns.c.
 * - A reply queued at the first call of the handler closes the connection and leaves the request's
 *   body unread: right for what is refused, wrong for the rest, which is answered at the second.
 * - MHD_create_response_from_iovec sends a body without a copy of our own, but takes the list of
 * its parts into the connection's pool, next to what the client sent, and one part too many ends
 * the process ("Failed to destroy mutex"); a list over IOV_MAX would hang. So a list is used where
 * it is sure to fit (parts_fit), and a reader that copies out block by block for the rest.
 * - One send takes all that the kernel accepts, and the other connections of the thread wait. Over
 *   loopback that is megabytes, because what is read meanwhile makes room. A near peer's socket
 *   gets a small send buffer instead (bound_turn), which also keeps the bytes in the CPU's cache
 *   until they are read; connections take turns after each filling.
 * - MHD_quiesce_daemon races with the threads of a pool for the listening socket: under load about
 *   one stop in a thousand ended in its panic function ("Failed to remove listen FD from epoll
 *   set"). stop_listening() does without it.
 */
#include "http/server.h"

#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conns.h"
#include "deflater.h"
#include "listen.h"
#include "routes.h"

enum {
    POLL_THREADS = 2,
    /* Per connection: request headers, reply headers, the list of parts. More is 431 or 414. */
    POOL_BYTES = 32 * 1024,
    BLOCK_BYTES = 64 * 1024,
    SEND_BUFFER_BYTES = 128 * 1024, /* of a near peer; the kernel doubles it, for its own needs */
    NEAR_US = 1000,                 /* round trip: 250 KB each are still 250 MB/s */
    LIMIT_WARNING_EVERY_MS = 10 * 1000,
    /* After the listening socket was shut, for threads that are accepting to come around. */
    LISTEN_SETTLE_MS = 10,
};

enum {
    DEFAULT_MAX_CONNECTIONS = 256,
    DEFAULT_MAX_PER_IP = 64,
    DEFAULT_IDLE_TIMEOUT_S = 10,
    DEFAULT_HEADER_DEADLINE_S = 10,
    DEFAULT_REPLY_DEADLINE_S = 60,
};

/*
 * What a request that may get a list of parts leaves of the pool, whatever the client sends behind
 * it: MHD's read buffer has half of the pool unless the headers are longer than that, a header has
 * a struct of HEADER_BYTES, cookies are copied, and the headers of our reply take some 300 bytes.
 */
enum {
    PARTS_MAX = 760,
    REQUEST_BYTES_MAX = 2048,
    REQUEST_VALUES_MAX = 24,
    HEADER_BYTES = 64,
    REPLY_HEADER_BYTES_MAX = 512,
};
_Static_assert(POOL_BYTES / 2 + REQUEST_BYTES_MAX + REQUEST_VALUES_MAX * HEADER_BYTES +
                       REPLY_HEADER_BYTES_MAX + PARTS_MAX * sizeof(struct MHD_IoVec) <=
                   POOL_BYTES,
               "the list of parts may not fit");

struct http_server {
    struct http_options options; /* defaults filled in */
    struct routes routes;
    struct conns *conns;
    struct deflater *deflater;
    struct MHD_Daemon *daemon;
    int listen_fd; /* MHD's while the daemon runs */
    unsigned port;
    char address[LISTEN_ADDRESS_LEN];
    atomic_bool stopping;
    _Atomic int64_t next_limit_warning_mono_ms;
};

/* MHD's socket context; one request at a time uses it. */
struct connection {
    struct conn conn;
    struct http_target target;
    bool called;         /* the handler was, for this request */
    bool scrape_counted; /* routes_scrape_ended() is due */
    bool waited;         /* for the deflater: not again */
    struct deflater_job job;
    struct MHD_Connection *mhd; /* to be resumed when the job is done */
};

/* --- what MHD says --- */

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* True for messages that an operator must see: something is short, or MHD could not go on. */
static bool is_warning(const char *fmt)
{
    static const char *const beginnings[] = {
        "Hit process or system resource limit",
        "Server reached connection limit",
        "Error allocating memory",
        "Error accepting",
        "Call to epoll",
        "Failed to start",
        "Failed to create",
    };

    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        if (starts_with(fmt, beginnings[i]))
            return true;
    }
    return false;
}

/* Such messages come once per connection: one in ten seconds says it all. */
static bool warn_now(struct http_server *server)
{
    int64_t now_mono_ms = clock_mono_ms();
    int64_t next = atomic_load(&server->next_limit_warning_mono_ms);

    return now_mono_ms >= next &&
           atomic_compare_exchange_strong(&server->next_limit_warning_mono_ms, &next,
                                          now_mono_ms + LIMIT_WARNING_EVERY_MS);
}

PRINTF_LIKE(2, 0)
static void on_log(void *cls, const char *fmt, va_list ap)
{
    struct http_server *server = cls;
    char text[256];

    /*
     * The only sign of a request that MHD refuses by itself (400, 413, 414, 431, 505): it answers
     * without calling anything of ours. A test holds the library to these words.
     */
    if (starts_with(fmt, "Error processing request"))
        http_counters_rejected(&server->routes.counters, HTTP_BAD_REQUEST);

    bool warn = is_warning(fmt) && warn_now(server);
    if (!warn && !log_enabled(LOG_DEBUG))
        return;
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    if (warn)
        log_warn(LOG_NONE, "http: %s", text);
    else
        log_debug(LOG_NONE, "http: %s", text);
}

static void on_panic(void *cls, const char *file, unsigned line, const char *reason)
{
    (void)cls;
    log_error(LOG_NONE, "libmicrohttpd cannot go on: %s:%u: %s", file, line, reason);
    log_stop(); /* writes out what is queued */
    abort();
}

/* --- connections --- */

/*
 * A far peer cannot be handed much at once, whatever the buffer, and needs a large one: there the
 * kernel adapts it. Failures do not matter.
 */
static void bound_turn(int fd)
{
    const int bytes = SEND_BUFFER_BYTES;
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_rtt <= NEAR_US)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static void connection_started(struct http_server *server, struct MHD_Connection *mhd,
                               void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = calloc(1, sizeof(*c));

    *context = c;
    bound_turn(info->connect_fd);
    if (c)
        conns_opened(server->conns, &c->conn, info->connect_fd, clock_mono_ms());
    else
        (void)shutdown(info->connect_fd, SHUT_RDWR); /* without a deadline it may not live */
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = cls;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_started(server, mhd, context);
    } else if (*context) {
        struct connection *c = *context;

        /* MHD closes the descriptor after this call, not before. */
        conns_closed(server->conns, &c->conn);
        free(c);
        *context = NULL;
    }
}

/* The request line is read, the headers are not. The result is the handler's request context. */
static void *on_request_line(void *cls, const char *raw, struct MHD_Connection *mhd)
{
    struct http_server *server = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = info->socket_context;

    if (!c)
        return NULL;
    c->target = routes_target(&server->routes, raw);
    c->called = false;
    c->waited = false;
    conns_request(server->conns, &c->conn, clock_mono_ms());
    return c;
}

/* The last byte is sent, or the connection failed; called once for every on_request_line. */
static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct http_server *server = cls;
    struct connection *c = *context;

    (void)mhd;
    (void)how;
    if (!c)
        return;
    *context = NULL;
    if (c->scrape_counted)
        routes_scrape_ended(&server->routes);
    c->scrape_counted = false;
    conns_replied(server->conns, &c->conn, clock_mono_ms());
}

/* --- replies --- */

static ssize_t read_exposition(void *cls, uint64_t position, char *buf, size_t max)
{
    int64_t n = exposition_read(cls, position, buf, max);

    /* Zero would mean "ask again", and there is nothing more to come. */
    return n > 0 ? (ssize_t)n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_exposition(void *cls)
{
    exposition_free(cls);
}

/* MHD refuses a block of no bytes, and zeroes the whole block beforehand. */
static size_t block_bytes(uint64_t len)
{
    return len == 0 ? 1 : len < BLOCK_BYTES ? (size_t)len : BLOCK_BYTES;
}

/* True if a list of PARTS_MAX parts is sure to fit into the pool beside this request. */
static bool parts_fit(struct MHD_Connection *mhd)
{
    const enum MHD_ValueKind all = MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info && info->header_size <= REQUEST_BYTES_MAX &&
           MHD_get_connection_values(mhd, all, NULL, NULL) <= REQUEST_VALUES_MAX;
}

/* NULL if they are too many, or memory is out. */
static struct MHD_Response *make_list(struct exposition *x)
{
    struct exposition_part parts[PARTS_MAX];
    struct MHD_IoVec list[PARTS_MAX];
    size_t n = exposition_parts(x, parts, PARTS_MAX);

    for (size_t i = 0; i < n; i++)
        list[i] = (struct MHD_IoVec){.iov_base = parts[i].bytes, .iov_len = parts[i].len};
    return n > 0 ? MHD_create_response_from_iovec(list, (unsigned)n, free_exposition, x) : NULL;
}

static struct MHD_Response *make_exposition(struct exposition *x, bool as_list)
{
    uint64_t len = exposition_len(x);
    struct MHD_Response *response = as_list ? make_list(x) : NULL;

    return response ? response
                    : MHD_create_response_from_callback(len, block_bytes(len), read_exposition, x,
                                                        free_exposition);
}

/* Takes the body out of the reply, if there is memory for a response. */
static struct MHD_Response *make_body(struct http_reply *reply, bool as_list)
{
    struct MHD_Response *response;

    if (reply->exposition) {
        response = make_exposition(reply->exposition, as_list);
        if (response)
            reply->exposition = NULL;
        return response;
    }
    if (reply->heap_text) {
        response = MHD_create_response_from_buffer(reply->text_len, reply->heap_text,
                                                   MHD_RESPMEM_MUST_FREE);
        if (response)
            reply->heap_text = NULL;
        return response;
    }
    /* MHD has no pointer to const here, but only reads. */
    return MHD_create_response_from_buffer(reply->text_len, (void *)(uintptr_t)reply->text,
                                           MHD_RESPMEM_PERSISTENT);
}

/* A reply without one of its headers would be a wrong one: all or nothing. */
static struct MHD_Response *make_response(struct http_reply *reply, bool as_list)
{
    struct MHD_Response *response = make_body(reply, as_list);
    bool complete = response != NULL;

    for (size_t i = 0; complete && i < reply->n_headers; i++)
        complete = MHD_add_response_header(response, reply->headers[i].name,
                                           reply->headers[i].value) == MHD_YES;
    if (complete && reply->close)
        complete = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (response && !complete) {
        MHD_destroy_response(response);
        response = NULL;
    }
    http_reply_release(reply);
    return response;
}

static enum MHD_Result answer(struct http_server *server, struct MHD_Connection *mhd,
                              struct connection *c, const struct http_request *request)
{
    struct http_reply reply;

    routes_answer(&server->routes, request, &reply);
    c->scrape_counted = reply.scrape_counted;
    if (atomic_load_explicit(&server->stopping, memory_order_relaxed))
        reply.close = true;

    struct MHD_Response *response = make_response(&reply, parts_fit(mhd));
    if (!response) {
        http_reply_out_of_memory(&reply);
        response = make_response(&reply, false);
    }
    /* Not even memory for that: the connection is closed without a word. */
    if (!response)
        return MHD_NO;
    http_counters_request(&server->routes.counters, request->target.handler, reply.status);
    enum MHD_Result queued = MHD_queue_response(mhd, reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

/* The last touch: from here on another thread may go on with the connection, and free it. */
static void on_deflated(struct deflater_job *job)
{
    struct connection *c = (struct connection *)((char *)job - offsetof(struct connection, job));

    MHD_resume_connection(c->mhd);
}

/*
 * True if the connection sleeps until its generation is compressed; then the handler is called
 * again. The other connections of the thread go on meanwhile.
 */
static bool wait_for_deflater(struct http_server *server, struct MHD_Connection *mhd,
                              struct connection *c, const struct http_request *request)
{
    struct snapshot *s =
        c->waited ? NULL : routes_to_deflate(&server->routes, request, &c->job.format);

    if (!s)
        return false;
    c->waited = true;
    c->mhd = mhd;
    c->job.done = on_deflated;
    MHD_suspend_connection(mhd); /* before anybody may resume it */
    if (deflater_start(server->deflater, &c->job, s) < 0)
        MHD_resume_connection(mhd);
    return true;
}

static const char *header(struct MHD_Connection *mhd, const char *name)
{
    return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

static bool has_body(struct MHD_Connection *mhd)
{
    const char *length = header(mhd, "Content-Length");

    return (length && strcmp(length, "0") != 0) || header(mhd, "Transfer-Encoding");
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct http_server *server = cls;
    struct connection *c = *context;

    (void)url; /* decoded: see routes_target() */
    (void)version;
    (void)upload;
    (void)upload_size;
    if (!c)
        return MHD_NO;

    struct http_request request = {.target = c->target,
                                   .method = method,
                                   .accept = header(mhd, "Accept"),
                                   .accept_encoding = header(mhd, "Accept-Encoding"),
                                   .has_body = has_body(mhd)};
    bool first = !c->called;
    c->called = true;
    if (first)
        conns_headers(server->conns, &c->conn);
    if (first && !routes_refuses(&request))
        return MHD_YES;
    if (wait_for_deflater(server, mhd, c, &request))
        return MHD_YES;
    return answer(server, mhd, c, &request);
}

/* --- start and stop --- */

static unsigned or_default(unsigned value, unsigned default_value)
{
    return value ? value : default_value;
}

/*
 * MHD stops accepting when descriptors run out, but a poll thread that has no connection then
 * spins; and the refreshes need descriptors too. So connections never take more than a quarter.
 */
static void clamp_connections(struct http_options *o)
{
    struct rlimit files;
    unsigned wanted = o->max_connections;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && o->max_connections > files.rlim_cur / 4) {
        o->max_connections = (unsigned)(files.rlim_cur / 4);
        log_warn(LOG_NONE, "the limit of %llu open files allows for %u connections instead of %u",
                 (unsigned long long)files.rlim_cur, o->max_connections, wanted);
    }
    /* Each thread gets its share, which must not be none. */
    if (o->max_connections < POLL_THREADS)
        o->max_connections = POLL_THREADS;
}

static void fill_options(struct http_server *server, const struct http_options *options)
{
    struct http_options *o = &server->options;

    *o = *options;
    o->max_connections = or_default(o->max_connections, DEFAULT_MAX_CONNECTIONS);
    o->max_per_ip = or_default(o->max_per_ip, DEFAULT_MAX_PER_IP);
    o->idle_timeout_s = or_default(o->idle_timeout_s, DEFAULT_IDLE_TIMEOUT_S);
    o->header_deadline_s = or_default(o->header_deadline_s, DEFAULT_HEADER_DEADLINE_S);
    o->reply_deadline_s = or_default(o->reply_deadline_s, DEFAULT_REPLY_DEADLINE_S);
    clamp_connections(o);
}

static int start_conns(struct http_server *server, struct err *err)
{
    const struct http_options *o = &server->options;
    struct conns_limits limits = {.idle_ms = (int64_t)o->idle_timeout_s * 1000,
                                  .header_ms = (int64_t)o->header_deadline_s * 1000,
                                  .reply_ms = (int64_t)o->reply_deadline_s * 1000};

    return conns_new(&limits, &server->conns, err);
}

static int start_daemon(struct http_server *server, struct err *err)
{
    const struct http_options *o = &server->options;

    MHD_set_panic_func(on_panic, NULL);
    /* The logger comes first, so that the options behind it can complain through it. */
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC | MHD_USE_ERROR_LOG |
            MHD_ALLOW_SUSPEND_RESUME,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server,
        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)POLL_THREADS, MHD_OPTION_CONNECTION_LIMIT, o->max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
        o->idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_END);
    if (server->daemon)
        return 0;
    /* Whether MHD has closed the socket depends on how far it got; better leave it than another. */
    server->listen_fd = -1;
    return err_set(err, ERR_INTERNAL, "cannot serve on %s: no threads or no memory",
                   o->listen_address);
}

static void free_server(struct http_server *server)
{
    conns_free(server->conns);
    deflater_free(server->deflater);
    fdp(&server->listen_fd);
    free(server);
}

int http_server_start(const struct http_options *options, struct http_server **ret, struct err *err)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (!server)
        return err_nomem(err, "the HTTP server");
    server->listen_fd = -1;
    fill_options(server, options);
    routes_init(&server->routes, &server->options);
    if (listen_open(options->listen_address, &server->listen_fd, &server->port, err) < 0)
        goto fail;
    if (listen_describe(server->listen_fd, server->address, sizeof(server->address), err) < 0)
        goto fail;
    if (start_conns(server, err) < 0)
        goto fail;
    if (deflater_new(&server->deflater, err) < 0)
        goto fail;
    /* Before the first scrape may read the table. */
    if (http_counters_register(&server->routes.counters, options->registry, err) < 0)
        goto fail;
    if (start_daemon(server, err) < 0)
        goto fail;
    *ret = server;
    return 0;

fail:
    free_server(server);
    return -1;
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

int http_check_address(const char *listen_address, struct err *err)
{
    return listen_check(listen_address, err);
}

/*
 * Shut, the socket refuses new connections, but the poll threads find it ready again and again.
 * So a descriptor that is never ready takes its place under the same number: the socket is closed
 * with that, and the kernel takes it out of the threads' epoll sets by itself. The pause lets
 * threads that were accepting finish their turn, so that none meets its connection limit, and with
 * it a wish to take the socket out of its set, afterwards.
 */
static void stop_listening(struct http_server *server)
{
    const struct timespec settle = {.tv_nsec = LISTEN_SETTLE_MS * 1000000L};
    CLEANUP(fdp) int quiet = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    (void)shutdown(server->listen_fd, SHUT_RDWR);
    (void)nanosleep(&settle, NULL);
    /* Without a descriptor the threads spin until the drain is over; they still serve. */
    if (quiet >= 0)
        (void)dup3(quiet, server->listen_fd, O_CLOEXEC);
}

void http_server_stop(struct http_server *server, int64_t drain_ms)
{
    if (!server)
        return;
    int64_t until_mono_ms = clock_mono_ms() + drain_ms;

    atomic_store_explicit(&server->stopping, true, memory_order_relaxed);
    stop_listening(server);
    conns_drain(server->conns, until_mono_ms);
    deflater_stop(server->deflater); /* MHD must not find a connection asleep */
    MHD_stop_daemon(server->daemon);
    server->listen_fd = -1; /* MHD has closed it */
    free_server(server);
}

const char *http_library_version(void)
{
    return MHD_get_version();
}
