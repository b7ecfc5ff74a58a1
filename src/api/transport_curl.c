/*
 * With transfer_explain.c the only user of libcurl (7.85 or newer).
 *
 * One multi handle per transport drives all transfers of its thread. Easy handles are pooled: a
 * finished one is reset and used again, and connections live in the multi handle, so that the next
 * refresh finds them open. A reply is pulled out by transport_wait; libcurl's callbacks only
 * collect bytes, or hand them to the sink of their request.
 *
 * What libcurl does not bound by itself is bounded here: CURLOPT_MAXFILESIZE knows only a declared
 * length, so on_body counts what comes out of decompression; on_header counts all header lines of
 * a transfer, interim replies included.
 */
#include "transfer.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "api/session.h"
#include "base/clock.h"
#include "header.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    LOW_SPEED_S = 20, /* the API may think for seconds before the first byte: not less */
    IDLE_CONNECTION_S = 60,
    DNS_CACHE_S = 60,
    CA_CACHE_S = 600,                 /* a renewed CA file is noticed after that */
    RECEIVE_BUFFER_BYTES = 32 * 1024, /* two records of TLS */
    KEPT_CONNECTIONS_MIN = 4,
    STATUS_OK = 200,
    STATUS_OK_MIN = 200, /* below: interim replies, after which the real one never came */
};

struct transport {
    CURLM *multi;
    struct transfer *in_flight;
    struct transfer *idle;
    size_t n_in_flight;
    size_t kept_connections;
    int64_t timed_out_mono_ms; /* when a request was last given up for lack of an answer */
    bool has_ca_bundle;        /* the file of certificates that libcurl was built for is there */
    atomic_bool stopped;
    char *user_agent;
};

static void push(struct transfer **list, struct transfer *f)
{
    f->next = *list;
    *list = f;
}

/* --- life of a transfer --- */

/* Only a 200 carries what a sink waits for; the body of any other status is an error document. */
static bool takes_body(const struct transfer *f)
{
    return f->sink.write && transfer_info_long(f, CURLINFO_RESPONSE_CODE) == STATUS_OK;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *f = arg;
    size_t len = size * n;

    f->body_bytes += len;
    if (f->body_bytes > f->max_body_size)
        return CURL_WRITEFUNC_ERROR;
    if (takes_body(f))
        return f->sink.write(f->sink.ctx, bytes, len, &f->sink_err) == 0 ? len
                                                                         : CURL_WRITEFUNC_ERROR;
    strbuf_add(&f->body, bytes, len);
    return strbuf_ok(&f->body) ? len : CURL_WRITEFUNC_ERROR;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *f = arg;

    (void)bytes;
    f->header_bytes += size * n;
    return f->header_bytes <= TRANSFER_HEADER_BYTES_MAX ? size * n : CURL_WRITEFUNC_ERROR;
}

/* Forgets the request and its reply; the easy handle, reset, and its memory stay. */
static void transfer_clear(struct transfer *f)
{
    curl_easy_reset(f->easy);
    for (struct curl_slist *h = f->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(f->headers);
    curl_slist_free_all(f->connect_to);
    if (f->request_body)
        explicit_bzero(f->request_body, f->request_body_len);
    free(f->request_body);
    if (f->secret_reply && f->body.ptr)
        explicit_bzero(f->body.ptr, f->body.cap);
    strbuf_release(&f->body);
    *f = (struct transfer){.easy = f->easy};
}

static void transfer_free(struct transfer *f)
{
    transfer_clear(f);
    curl_easy_cleanup(f->easy);
    free(f);
}

static struct transfer *transfer_new(void)
{
    struct transfer *f = calloc(1, sizeof(*f));

    if (f && !(f->easy = curl_easy_init())) {
        free(f);
        return NULL;
    }
    return f;
}

/* --- options of a transfer; each returns false when libcurl has no memory --- */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return false;
    *list = longer;
    return true;
}

/* libcurl's setopt is variadic and type-checked by a macro, hence a macro around it. */
#define SET(option, value)     (curl_easy_setopt(f->easy, CURLOPT_##option, value) == CURLE_OK)
/* Left at libcurl's default where the text is "" or NULL. */
#define SET_TEXT(option, text) (!(text) || !*(text) || SET(option, text))

/*
 * How long a connection may have been idle and be used again. Those that were while a request went
 * unanswered may be as dead as its own (a NAT gateway that lost its state tells nobody), and a
 * retry is not there to try them one by one. At least 1: no page says what 0 means.
 */
static long idle_allowed_s(const struct transport *t)
{
    return (long)clamp((clock_mono_ms() - t->timed_out_mono_ms) / 1000, 1, IDLE_CONNECTION_S);
}

static bool set_limits(struct transfer *f, const struct transport *t,
                       const struct transport_request *r)
{
    long timeout_ms = (long)clamp(r->timeout_ms, 1, INT_MAX);
    long connect_ms = (long)clamp(
        r->connect_timeout_ms > 0 ? r->connect_timeout_ms : CONNECT_TIMEOUT_MS, 1, timeout_ms);
    /* Who grants a request more than half a minute grants silence more time in proportion. */
    long low_speed_s = (long)clamp(timeout_ms / 1000 * 2 / 3, LOW_SPEED_S, INT_MAX);

    f->timeout_ms = timeout_ms;
    f->connect_ms = connect_ms;
    return SET(TIMEOUT_MS, timeout_ms) && SET(CONNECTTIMEOUT_MS, connect_ms) &&
           SET(LOW_SPEED_LIMIT, 1L) && SET(LOW_SPEED_TIME, low_speed_s) &&
           SET(MAXFILESIZE_LARGE, (curl_off_t)r->max_body_size) &&
           SET(MAXAGE_CONN, idle_allowed_s(t)) && SET(DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S) &&
           SET(BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
}

static bool set_manners(struct transfer *f, const struct transport *t)
{
    /*
     * QUICK_EXIT: a resolver that hangs must hold up neither a timeout nor the end of the program.
     * FOLLOWLOCATION: libcurl would send the x-acs headers, the token among them, to another host.
     * Never VERBOSE: it prints the Authorization header.
     */
    return SET(NOSIGNAL, 1L) && SET(QUICK_EXIT, 1L) && SET(FOLLOWLOCATION, 0L) &&
           SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(PROTOCOLS_STR, "http,https") &&
           SET(PATH_AS_IS, 1L) && SET(ACCEPT_ENCODING, "gzip") && SET(USERAGENT, t->user_agent) &&
           SET(SUPPRESS_CONNECT_HEADERS, 1L) && SET(ERRORBUFFER, f->detail) &&
           SET(WRITEFUNCTION, on_body) && SET(WRITEDATA, f) && SET(HEADERFUNCTION, on_header) &&
           SET(HEADERDATA, f);
}

static bool set_tls(struct transfer *f, const struct transport *t, const struct target_tls *tls)
{
    static const struct target_tls none = {.insecure_skip_verify = false};

    if (!tls)
        tls = &none;
    const long verify = tls->insecure_skip_verify ? 0 : 1;
    /*
     * Debian's libcurl trusts a directory beside the file. Without it a ca_file means that file
     * alone; and only then does libcurl keep the parsed certificates for the next connection
     * instead of parsing the system's hundred and forty again, at 70 ms of CPU.
     */
    const bool file_alone = t->has_ca_bundle || (tls->ca_file && *tls->ca_file);
    return SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET_TEXT(CAINFO, tls->ca_file) &&
           (!file_alone || SET(CAPATH, (char *)NULL)) && SET(CA_CACHE_TIMEOUT, (long)CA_CACHE_S) &&
           SET_TEXT(SSLCERT, tls->cert_file) && SET_TEXT(SSLKEY, tls->key_file) &&
           SET(SSL_VERIFYPEER, verify) && SET(SSL_VERIFYHOST, 2 * verify);
}

static bool set_proxy(struct transfer *f, const char *proxy_url)
{
    if (!proxy_url || !*proxy_url)
        return true;
    if (strcmp(proxy_url, "none") == 0)
        return SET(PROXY, "");
    /* What the configuration says beats no_proxy of the environment. */
    return SET(PROXY, proxy_url) && SET(NOPROXY, "");
}

static bool has_header(const struct transport_request *r, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < r->n_headers; i++)
        if (strncasecmp(strbuf_str(&r->headers[i]), name, len) == 0 &&
            strbuf_str(&r->headers[i])[len] == ':')
            return true;
    return false;
}

/* A growing body would leave its secrets behind at every step: all of its room is taken at once. */
static bool set_secrecy(struct transfer *f, const struct transport_request *r)
{
    f->secret_reply = r->secret_reply;
    if (r->secret_reply)
        strbuf_reserve(&f->body, f->max_body_size);
    return strbuf_ok(&f->body);
}

static bool set_message(struct transfer *f, const struct transport_request *r)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (!append(&f->headers, strbuf_str(&r->headers[i])))
            return false;
    /* libcurl takes every body for a form. */
    if (r->body && !has_header(r, "content-type") && !append(&f->headers, "Content-Type:"))
        return false;
    /* No waiting for "100 Continue". */
    if (!append(&f->headers, "Expect:") || !SET(HTTPHEADER, f->headers))
        return false;
    /*
     * A request that an open connection ends on without a byte of reply is sent again by libcurl
     * itself, whatever its method. What changes something may have been done by then.
     */
    if (strcmp(r->method, "GET") != 0 && !SET(FRESH_CONNECT, 1L))
        return false;
    if (r->body) {
        f->request_body = malloc(r->body_len + 1);
        if (!f->request_body)
            return false;
        memcpy(f->request_body, r->body, r->body_len);
        f->request_body_len = r->body_len;
        return SET(POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len) &&
               SET(POSTFIELDS, f->request_body) && SET(CUSTOMREQUEST, r->method);
    }
    return SET(HTTPGET, 1L) && (strcmp(r->method, "GET") == 0 || SET(CUSTOMREQUEST, r->method));
}

/*
 * tls.server_name replaces the host of the URL, from which libcurl takes SNI and the name to
 * verify; CONNECT_TO leads the connection to the real host. The Host header is among the signed
 * ones and stays what it was.
 */
static bool set_url(struct transfer *f, const struct transport_request *r)
{
    const char *name = r->tls && r->tls->server_name ? r->tls->server_name : "";
    const char *authority = strstr(r->url, "://");

    if (!*name || !authority)
        return SET(URL, r->url);
    authority += strlen("://");
    size_t len = strcspn(authority, "/?#");
    const char *bracket = memchr(authority, ']', len);
    const char *port = bracket ? bracket : authority;
    port = memchr(port, ':', len - (size_t)(port - authority));

    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf to = STRBUF_INIT;
    strbuf_add(&url, r->url, (size_t)(authority - r->url));
    strbuf_adds(&url, name);
    strbuf_adds(&url, port ? port : authority + len);
    strbuf_adds(&to, "::");
    strbuf_add(&to, authority, len);
    return strbuf_ok(&url) && strbuf_ok(&to) && append(&f->connect_to, strbuf_str(&to)) &&
           SET(URL, strbuf_str(&url)) && SET(CONNECT_TO, f->connect_to);
}

/* --- the transport --- */

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_init(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int transport_global_init(struct err *err)
{
    pthread_once(&global_once, global_init);
    if (global_result != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl: %s", curl_easy_strerror(global_result));
    return 0;
}

/* A handle for the pool tells what libcurl takes for the system's certificates. */
static bool prepare(struct transport *t, const char *user_agent)
{
    char *ca_bundle = NULL;

    t->user_agent = strdup(user_agent);
    t->multi = curl_multi_init();
    t->idle = transfer_new();
    if (!t->user_agent || !t->multi || !t->idle)
        return false;
    curl_easy_getinfo(t->idle->easy, CURLINFO_CAINFO, &ca_bundle);
    t->has_ca_bundle = ca_bundle && access(ca_bundle, R_OK) == 0;
    return true;
}

int transport_new(const char *user_agent, struct transport **ret, struct err *err)
{
    if (transport_global_init(err) < 0)
        return -1;
    struct transport *t = calloc(1, sizeof(*t));
    if (!t)
        return err_nomem(err, "transport");
    atomic_init(&t->stopped, false);
    t->timed_out_mono_ms = -IDLE_CONNECTION_S * INT64_C(1000);
    if (!prepare(t, user_agent)) {
        transport_free(t);
        return err_nomem(err, "transport");
    }
    *ret = t;
    return 0;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    transport_cancel_all(t);
    for (struct transfer *f = t->idle, *next; f; f = next) {
        next = f->next;
        transfer_free(f);
    }
    if (t->multi)
        curl_multi_cleanup(t->multi);
    free(t->user_agent);
    free(t);
}

/*
 * Ends a transfer. After a whole reply it goes back to the pool; its connection stays open in the
 * multi handle. After a failure it is freed: libcurl 7.88 keeps the receive buffer of a handle that
 * never connected and then refuses CURLOPT_BUFFERSIZE.
 */
static void retire(struct transport *t, struct transfer *f, bool reusable)
{
    struct transfer **link = &t->in_flight;

    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    t->n_in_flight--;
    curl_multi_remove_handle(t->multi, f->easy);
    if (!reusable) {
        transfer_free(f);
        return;
    }
    transfer_clear(f);
    push(&t->idle, f);
}

void transport_cancel_all(struct transport *t)
{
    while (t->in_flight)
        retire(t, t->in_flight, false);
}

size_t transport_in_flight(const struct transport *t)
{
    return t->n_in_flight;
}

void transport_stop(struct transport *t)
{
    atomic_store(&t->stopped, true);
    curl_multi_wakeup(t->multi);
}

void transport_resume(struct transport *t)
{
    assert(t->n_in_flight == 0);
    atomic_store(&t->stopped, false);
}

/* As many connections are kept as were ever needed side by side: closing one costs a handshake. */
static void keep_connections(struct transport *t)
{
    size_t n = t->n_in_flight > KEPT_CONNECTIONS_MIN ? t->n_in_flight : KEPT_CONNECTIONS_MIN;

    if (n > t->kept_connections &&
        curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)n) == CURLM_OK)
        t->kept_connections = n;
}

int transport_submit(struct transport *t, const struct transport_request *request, struct err *err)
{
    assert(request->max_body_size > 0);
    if (atomic_load(&t->stopped))
        return err_set(err, ERR_STOPPED, "stopped");
    struct transfer *f = t->idle;
    if (f)
        t->idle = f->next;
    else if (!(f = transfer_new()))
        return err_nomem(err, "transfer");
    f->tag = request->tag;
    f->sink = request->sink;
    f->max_body_size = (size_t)request->max_body_size;
    bool ready = set_manners(f, t) && set_limits(f, t, request) && set_tls(f, t, request->tls) &&
                 set_proxy(f, request->proxy_url) && set_secrecy(f, request) &&
                 set_message(f, request) && set_url(f, request);
    if (!ready || curl_multi_add_handle(t->multi, f->easy) != CURLM_OK) {
        transfer_free(f);
        return err_nomem(err, "transfer");
    }
    push(&t->in_flight, f);
    t->n_in_flight++;
    keep_connections(t);
    /* Sends it off where a connection is open. What goes wrong here, transport_wait finds again. */
    int running;
    (void)curl_multi_perform(t->multi, &running);
    return 0;
}

/* --- the reply --- */

static const char *header(const struct transfer *f, const char *name)
{
    struct curl_header *h;

    return curl_easy_header(f->easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* Unix seconds of an HTTP date, -1 = none. libcurl reads years up to 2147483647. */
static int64_t date(const struct transfer *f, const char *name)
{
    const char *value = header(f, name);

    return value ? header_date((int64_t)curl_getdate(value, NULL)) : -1;
}

static void fill_reply(struct transfer *f, CURLcode rc, struct transport_reply *ret)
{
    long status = transfer_info_long(f, CURLINFO_RESPONSE_CODE);
    int64_t date_s = date(f, "Date");
    /* A date to come is told by the server's clock where it shows it: ours may be wrong. */
    int64_t now_s = date_s >= 0 ? date_s : clock_unix_ms() / 1000;

    *ret = (struct transport_reply){
        .tag = f->tag,
        .status = status >= STATUS_OK_MIN && status <= INT_MAX ? (int)status : 0,
        .retry_after_ms =
            header_retry_after_ms(header(f, "x-acs-retry-after"), header(f, "Retry-After"),
                                  date(f, "Retry-After"), now_s),
        .date_unix_s = date_s,
        .duration_us = transfer_info_us(f, CURLINFO_TOTAL_TIME_T),
        .body_bytes = (uint64_t)transfer_info_us(f, CURLINFO_SIZE_DOWNLOAD_T),
        .connections = (unsigned)transfer_info_long(f, CURLINFO_NUM_CONNECTS),
    };
    /* The time of the handshake, which a connection that was open or is not TLS does not have. */
    if (transfer_info_us(f, CURLINFO_APPCONNECT_TIME_T) > 0)
        ret->tls_handshakes = ret->connections;
    header_copy(ret->request_id, sizeof(ret->request_id), header(f, "x-acs-request-id"));
    /* The result before the status: a body that was cut comes with status 200. */
    if (rc != CURLE_OK) {
        ret->body_too_large = transfer_body_too_large(f, rc);
        (void)transfer_explain(f, rc, &ret->err);
        return;
    }
    ret->body = f->body;
    f->body = STRBUF_INIT;
}

void transport_reply_release(struct transport_reply *reply)
{
    strbuf_release(&reply->body);
}

/* Takes one ended transfer, if there is one, off the multi handle. */
static bool take_ended(struct transport *t, struct transport_reply *ret)
{
    int left;

    for (CURLMsg *msg; (msg = curl_multi_info_read(t->multi, &left));) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode rc = msg->data.result;
        struct transfer *f = t->in_flight;
        while (f->easy != msg->easy_handle)
            f = f->next;
        fill_reply(f, rc, ret);
        if (rc == CURLE_OPERATION_TIMEDOUT)
            t->timed_out_mono_ms = clock_mono_ms();
        retire(t, f, rc == CURLE_OK);
        return true;
    }
    return false;
}

int transport_wait(struct transport *t, int64_t until_mono_ms, struct transport_reply *ret,
                   struct err *err)
{
    for (;;) {
        int running;

        if (atomic_load(&t->stopped))
            return err_set(err, ERR_STOPPED, "stopped");
        CURLMcode rc = curl_multi_perform(t->multi, &running);
        if (rc == CURLM_OK && take_ended(t, ret))
            return 1;
        int64_t left_ms = until_mono_ms - clock_mono_ms();
        if (rc == CURLM_OK && left_ms <= 0)
            return 0;
        if (rc == CURLM_OK)
            rc = curl_multi_poll(t->multi, NULL, 0, left_ms < INT_MAX ? (int)left_ms : INT_MAX,
                                 NULL);
        if (rc != CURLM_OK)
            return err_set(err, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(rc));
    }
}

/* --- what is linked --- */

const char *api_curl_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

const char *api_tls_backend(void)
{
    const char *backend = curl_version_info(CURLVERSION_NOW)->ssl_version;

    return backend ? backend : "none";
}
