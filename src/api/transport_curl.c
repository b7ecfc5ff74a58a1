/*
 * The only user of libcurl (7.85 or newer).
 *
 * One multi handle per transport drives all transfers of its thread. Easy handles are pooled: a
 * finished one is reset and used again, and connections live in the multi handle, so that the next
 * refresh finds them open. A reply is pulled out by transport_wait; libcurl's callbacks only
 * collect bytes and never leave this file.
 *
 * What libcurl does not bound by itself is bounded here: CURLOPT_MAXFILESIZE knows only a declared
 * length, so on_body counts what comes out of decompression; on_header counts all header lines of
 * a transfer, interim replies included.
 */
#include "transport.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "base/clock.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    LOW_SPEED_S = 20, /* the API may think for seconds before the first byte: not less */
    IDLE_CONNECTION_S = 60,
    DNS_CACHE_S = 60,
    RECEIVE_BUFFER_BYTES = 128 * 1024,
    HEADER_BYTES_MAX = 64 * 1024,
    KEPT_CONNECTIONS_MIN = 4,
    STATUS_OK_MIN = 200, /* below: interim replies, after which the real one never came */
};

/* No wait that a server may ask for is longer; far above what retry.c obeys. */
static const int64_t RETRY_AFTER_MS_MAX = INT64_C(24) * 3600 * 1000;

/* One request and what has come of its reply. On one of two lists: in flight or idle. */
struct transfer {
    struct transfer *next;
    struct transfer **link; /* what points to this one */
    CURL *easy;
    uintptr_t tag;
    struct curl_slist *headers;    /* holds the signature and perhaps a security token */
    struct curl_slist *connect_to; /* for tls.server_name */
    struct strbuf url;
    char *request_body;
    size_t request_body_len;
    struct strbuf body; /* its limit is max_body_size */
    int64_t timeout_ms;
    size_t header_bytes;
    char detail[CURL_ERROR_SIZE]; /* what libcurl says went wrong */
};

struct transport {
    CURLM *multi;
    struct transfer *in_flight;
    struct transfer *idle;
    size_t n_in_flight;
    size_t kept_connections;
    atomic_bool stopped;
    char *user_agent;
};

/* ---- lists ---- */

static void list_push(struct transfer **list, struct transfer *f)
{
    f->next = *list;
    f->link = list;
    if (f->next)
        f->next->link = &f->next;
    *list = f;
}

static void list_remove(struct transfer *f)
{
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    f->next = NULL;
    f->link = NULL;
}

/* ---- life of a transfer ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *f = arg;

    strbuf_add(&f->body, bytes, size * n);
    return strbuf_ok(&f->body) ? size * n : CURL_WRITEFUNC_ERROR;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *f = arg;

    (void)bytes;
    f->header_bytes += size * n;
    return f->header_bytes <= HEADER_BYTES_MAX ? size * n : CURL_WRITEFUNC_ERROR;
}

/* Forgets the request and its reply; the easy handle, reset, and its memory stay. */
static void transfer_clear(struct transfer *f)
{
    curl_easy_reset(f->easy);
    for (struct curl_slist *h = f->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(f->headers);
    f->headers = NULL;
    curl_slist_free_all(f->connect_to);
    f->connect_to = NULL;
    if (f->request_body)
        explicit_bzero(f->request_body, f->request_body_len);
    free(f->request_body);
    f->request_body = NULL;
    f->request_body_len = 0;
    strbuf_release(&f->url);
    strbuf_release(&f->body);
    f->header_bytes = 0;
    f->detail[0] = '\0';
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

    if (!f)
        return NULL;
    f->easy = curl_easy_init();
    if (!f->easy) {
        free(f);
        return NULL;
    }
    return f;
}

/* ---- options of a transfer; each returns false when libcurl has no memory ---- */

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return false;
    *list = longer;
    return true;
}

/* libcurl's setopt is variadic and type-checked by a macro, hence a macro around it. */
#define SET(option, value) (curl_easy_setopt(f->easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_limits(struct transfer *f, const struct transport_request *r)
{
    long timeout_ms = r->timeout_ms < 1          ? 1
                      : r->timeout_ms > LONG_MAX ? LONG_MAX
                                                 : (long)r->timeout_ms;
    long connect_ms = timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS;
    /* Who grants a request more than half a minute grants silence more time in proportion. */
    long low_speed_s = timeout_ms / 1000 * 2 / 3;

    if (low_speed_s < LOW_SPEED_S)
        low_speed_s = LOW_SPEED_S;
    f->timeout_ms = timeout_ms;
    return SET(TIMEOUT_MS, timeout_ms) && SET(CONNECTTIMEOUT_MS, connect_ms) &&
           SET(LOW_SPEED_LIMIT, 1L) && SET(LOW_SPEED_TIME, low_speed_s) &&
           SET(MAXFILESIZE_LARGE, (curl_off_t)r->max_body_size) &&
           SET(MAXAGE_CONN, (long)IDLE_CONNECTION_S) && SET(DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S) &&
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
           SET(HEADERDATA, f) && SET(PRIVATE, f);
}

static bool set_tls(struct transfer *f, const struct target_tls *tls)
{
    if (!SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
        return false;
    if (!tls)
        return true;
    /* Debian's libcurl trusts a directory beside the file: a ca_file means that file alone. */
    if (tls->ca_file && *tls->ca_file &&
        !(SET(CAINFO, tls->ca_file) && SET(CAPATH, (char *)NULL)))
        return false;
    if (tls->cert_file && *tls->cert_file && !SET(SSLCERT, tls->cert_file))
        return false;
    if (tls->key_file && *tls->key_file && !SET(SSLKEY, tls->key_file))
        return false;
    return !tls->insecure_skip_verify || (SET(SSL_VERIFYPEER, 0L) && SET(SSL_VERIFYHOST, 0L));
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

static bool set_message(struct transfer *f, const struct transport_request *r)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (!append(&f->headers, strbuf_str(&r->headers[i])))
            return false;
    /* No waiting for "100 Continue". */
    if (!append(&f->headers, "Expect:") || !SET(HTTPHEADER, f->headers))
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

    if (!*name || !authority) {
        strbuf_adds(&f->url, r->url);
        return strbuf_ok(&f->url) && SET(URL, strbuf_str(&f->url));
    }
    authority += strlen("://");
    size_t len = strcspn(authority, "/?#");
    const char *bracket = memchr(authority, ']', len);
    const char *port = bracket ? bracket : authority;
    port = memchr(port, ':', len - (size_t)(port - authority));

    strbuf_add(&f->url, r->url, (size_t)(authority - r->url));
    strbuf_adds(&f->url, name);
    if (port)
        strbuf_add(&f->url, port, len - (size_t)(port - authority));
    strbuf_adds(&f->url, authority + len);

    CLEANUP(strbuf_release) struct strbuf to = STRBUF_INIT;
    strbuf_adds(&to, "::");
    strbuf_add(&to, authority, len);
    return strbuf_ok(&f->url) && strbuf_ok(&to) && append(&f->connect_to, strbuf_str(&to)) &&
           SET(URL, strbuf_str(&f->url)) && SET(CONNECT_TO, f->connect_to);
}

/* ---- the transport ---- */

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

int transport_new(const char *user_agent, struct transport **ret, struct err *err)
{
    if (transport_global_init(err) < 0)
        return -1;
    struct transport *t = calloc(1, sizeof(*t));
    if (!t)
        return err_nomem(err, "transport");
    atomic_init(&t->stopped, false);
    t->user_agent = strdup(user_agent);
    t->multi = curl_multi_init();
    if (!t->user_agent || !t->multi) {
        transport_free(t);
        return err_nomem(err, "transport");
    }
    *ret = t;
    return 0;
}

static void free_list(struct transfer *f)
{
    while (f) {
        struct transfer *next = f->next;
        transfer_free(f);
        f = next;
    }
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    transport_cancel_all(t);
    free_list(t->idle);
    if (t->multi)
        curl_multi_cleanup(t->multi);
    free(t->user_agent);
    free(t);
}

/* Back to the pool; its connection, if the reply came whole, stays open in the multi handle. */
static void retire(struct transport *t, struct transfer *f)
{
    curl_multi_remove_handle(t->multi, f->easy);
    list_remove(f);
    t->n_in_flight--;
    transfer_clear(f);
    list_push(&t->idle, f);
}

void transport_cancel_all(struct transport *t)
{
    while (t->in_flight)
        retire(t, t->in_flight);
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

static int stopped(struct err *err)
{
    return err_set(err, ERR_STOPPED, "stopped");
}

/* As many connections are kept as were ever needed side by side: closing one costs a handshake. */
static void keep_connections(struct transport *t)
{
    size_t n = t->n_in_flight > KEPT_CONNECTIONS_MIN ? t->n_in_flight : KEPT_CONNECTIONS_MIN;

    if (n > t->kept_connections &&
        curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)n) == CURLM_OK)
        t->kept_connections = n;
}

static struct transfer *take_idle(struct transport *t)
{
    struct transfer *f = t->idle;

    if (!f)
        return transfer_new();
    list_remove(f);
    return f;
}

int transport_submit(struct transport *t, const struct transport_request *request, struct err *err)
{
    assert(request->max_body_size > 0);
    if (atomic_load(&t->stopped))
        return stopped(err);
    struct transfer *f = take_idle(t);
    if (!f)
        return err_nomem(err, "transfer");
    f->tag = request->tag;
    f->body = STRBUF_LIMIT((size_t)request->max_body_size);
    bool ready = set_manners(f, t) && set_limits(f, request) && set_tls(f, request->tls) &&
                 set_proxy(f, request->proxy_url) && set_message(f, request) && set_url(f, request);
    if (!ready || curl_multi_add_handle(t->multi, f->easy) != CURLM_OK) {
        transfer_free(f);
        return err_nomem(err, "transfer");
    }
    list_push(&t->in_flight, f);
    t->n_in_flight++;
    keep_connections(t);
    return 0;
}

/* ---- what went wrong ---- */

static int64_t info_us(const struct transfer *f, CURLINFO what)
{
    curl_off_t value = 0;

    return curl_easy_getinfo(f->easy, what, &value) == CURLE_OK ? (int64_t)value : 0;
}

static long info_long(const struct transfer *f, CURLINFO what)
{
    long value = 0;

    return curl_easy_getinfo(f->easy, what, &value) == CURLE_OK ? value : 0;
}

static bool is_tls(const struct transfer *f)
{
    return strncmp(strbuf_str(&f->url), "https:", strlen("https:")) == 0;
}

/*
 * libcurl's own words, fit for one line of log. It quotes a proxy URL that it cannot parse with
 * the password in it, so nothing with an '@' is passed on.
 */
static const char *detail(struct transfer *f, CURLcode rc)
{
    size_t len = strcspn(f->detail, "\r\n");

    f->detail[len] = '\0';
    if (len == 0 || strchr(f->detail, '@'))
        return curl_easy_strerror(rc);
    for (char *c = f->detail; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return f->detail;
}

/* CURLE_OPERATION_TIMEDOUT has four meanings; the phases that were reached tell them apart. */
static int explain_timeout(struct transfer *f, struct err *err)
{
    long long connect_ms = f->timeout_ms < CONNECT_TIMEOUT_MS ? f->timeout_ms : CONNECT_TIMEOUT_MS;

    if (info_us(f, CURLINFO_PRETRANSFER_TIME_T) == 0) {
        if (info_us(f, CURLINFO_NAMELOOKUP_TIME_T) == 0)
            return err_set(err, ERR_DNS, "DNS did not answer within %lld ms", connect_ms);
        if (info_us(f, CURLINFO_CONNECT_TIME_T) == 0)
            return err_set(err, ERR_CONNECT, "no connection within %lld ms", connect_ms);
        return err_set(err, ERR_TIMEOUT, "connected, but no %s within %lld ms",
                       is_tls(f) ? "TLS handshake" : "answer", connect_ms);
    }
    long long body = (long long)info_us(f, CURLINFO_SIZE_DOWNLOAD_T);
    if (info_us(f, CURLINFO_TOTAL_TIME_T) < f->timeout_ms * 1000)
        return err_set(err, ERR_TIMEOUT,
                       "the reply stalled: less than 1 byte a second after %lld bytes of body", body);
    return err_set(err, ERR_TIMEOUT, "no whole reply within %lld ms, %lld bytes of body came",
                   (long long)f->timeout_ms, body);
}

/* The cause of a refused certificate, each in words of its own; NULL if it is something else. */
static const char *certificate_problem(long verify_result)
{
    switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the server's certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the server's certificate is not yet valid: check the clock of this machine";
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return "the server's certificate is for another host";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "the server's certificate is not signed by a trusted authority";
    default:
        return NULL;
    }
}

static int explain_tls(struct transfer *f, CURLcode rc, struct err *err)
{
    const char *words = detail(f, rc);
    const char *problem = certificate_problem(info_long(f, CURLINFO_SSL_VERIFYRESULT));

    if (problem)
        return err_set(err, ERR_TLS, "%s (%s)", problem, words);
    if (rc == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(err, ERR_TLS, "%s (%s)", certificate_problem(X509_V_ERR_HOSTNAME_MISMATCH),
                       words);
    if (rc == CURLE_SSL_CACERT_BADFILE)
        return err_set(err, ERR_TLS, "the CA certificates cannot be used (%s)", words);
    if (rc == CURLE_SSL_CERTPROBLEM)
        return err_set(err, ERR_TLS, "the client certificate or its key cannot be used (%s)", words);
    /* A connection lost during the handshake is the network's doing and worth another try. */
    if (strstr(words, "SSL_ERROR_SYSCALL") || strstr(words, "onnection reset") ||
        strstr(words, "unexpected eof"))
        return err_set(err, ERR_CONNECT, "connection lost during the TLS handshake (%s)", words);
    /* How OpenSSL says it depends on who refuses whom: ours, the server's alert, or its key. */
    if (strstr(words, "protocol") || strstr(words, "sigalg"))
        return err_set(err, ERR_TLS, "the server does not speak TLS 1.2 or newer (%s)", words);
    return err_set(err, ERR_TLS, "TLS handshake failed (%s)", words);
}

static int explain_connection(struct transfer *f, CURLcode rc, struct err *err)
{
    long proxy_status = info_long(f, CURLINFO_HTTP_CONNECTCODE);

    /* Received when a proxy refuses the tunnel; our request never went out. */
    if (proxy_status != 0 && proxy_status / 100 != 2)
        return err_set(err, ERR_CONNECT, "the proxy refused the connection with status %ld",
                       proxy_status);
    if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_PROXY || rc == CURLE_INTERFACE_FAILED)
        return err_set(err, ERR_CONNECT, "no connection: %s", detail(f, rc));
    if (rc == CURLE_GOT_NOTHING)
        return err_set(err, ERR_HTTP, "the server closed the connection without a reply");
    return err_set(err, ERR_HTTP, "the reply broke off or is not HTTP: %s", detail(f, rc));
}

/* The write callbacks refused, or libcurl itself found something too large. */
static int explain_limit(const struct transfer *f, CURLcode rc, struct err *err)
{
    if (f->header_bytes > HEADER_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the headers of the reply are larger than %d bytes",
                       (int)HEADER_BYTES_MAX);
    if (f->body.over_limit || rc == CURLE_FILESIZE_EXCEEDED)
        return err_set(err, ERR_LIMIT, "the body of the reply is larger than %zu bytes",
                       f->body.limit);
    /* libcurl calls a header line above its own limit "out of memory". */
    if (rc == CURLE_OUT_OF_MEMORY && info_us(f, CURLINFO_STARTTRANSFER_TIME_T) > 0)
        return err_set(err, ERR_LIMIT, "a header of the reply is too large");
    return err_nomem(err, "reply");
}

static int explain(struct transfer *f, CURLcode rc, struct err *err)
{
    switch (rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_DNS, "%s", detail(f, rc));
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_set(err, ERR_DNS, "the proxy's name cannot be resolved or its URL not be used");
    case CURLE_OPERATION_TIMEDOUT:
        return explain_timeout(f, err);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
        return explain_tls(f, rc, err);
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return explain_connection(f, rc, err);
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_OUT_OF_MEMORY:
        return explain_limit(f, rc, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* An answer that is not HTTP/1 reads as HTTP/0.9; before it, it is our URL that is bad. */
        if (info_us(f, CURLINFO_PRETRANSFER_TIME_T) > 0)
            return explain_connection(f, rc, err);
        break;
    default:
        break;
    }
    return err_set(err, ERR_INTERNAL, "libcurl: %s", detail(f, rc));
}

/* ---- the reply ---- */

static const char *header(const struct transfer *f, const char *name)
{
    struct curl_header *h;

    return curl_easy_header(f->easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* Visible ASCII only: the text goes to logs. */
static void copy_header(const struct transfer *f, const char *name, char *to, size_t size)
{
    const char *value = header(f, name);
    size_t n = 0;

    for (; value && *value && n + 1 < size; value++)
        if (*value >= ' ' && *value <= '~')
            to[n++] = *value;
    to[n] = '\0';
}

/* A positive decimal number times factor, capped; -1 for anything else. */
static int64_t positive(const char *text, int64_t factor)
{
    int64_t value = 0;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] != '\0')
        return -1;
    for (; *text; text++) {
        value = value * 10 + (*text - '0') * factor;
        if (value > RETRY_AFTER_MS_MAX)
            return RETRY_AFTER_MS_MAX;
    }
    return value > 0 ? value : -1;
}

/* The vendor's hint in milliseconds, or else the standard one in seconds or as a date. */
static int64_t retry_after_ms(const struct transfer *f, int64_t server_unix_s)
{
    const char *value = header(f, "x-acs-retry-after");

    if (value && positive(value, 1) > 0)
        return positive(value, 1);
    value = header(f, "Retry-After");
    if (!value)
        return -1;
    if (positive(value, 1000) > 0)
        return positive(value, 1000);
    time_t when = curl_getdate(value, NULL);
    if (when == -1)
        return -1;
    /* By the server's clock where it tells the time: ours may be wrong. */
    int64_t now_s = server_unix_s >= 0 ? server_unix_s : clock_unix_ms() / 1000;
    int64_t wait_ms = ((int64_t)when - now_s) * 1000;
    if (wait_ms > RETRY_AFTER_MS_MAX)
        return RETRY_AFTER_MS_MAX;
    return wait_ms > 0 ? wait_ms : -1;
}

static void fill_reply(struct transfer *f, CURLcode rc, struct transport_reply *ret)
{
    const char *date = header(f, "Date");
    long status = info_long(f, CURLINFO_RESPONSE_CODE);

    *ret = (struct transport_reply){
        .tag = f->tag,
        .status = status >= STATUS_OK_MIN && status <= INT_MAX ? (int)status : 0,
        .date_unix_s = date ? (int64_t)curl_getdate(date, NULL) : -1,
        .duration_us = info_us(f, CURLINFO_TOTAL_TIME_T),
        .body_bytes = (uint64_t)info_us(f, CURLINFO_SIZE_DOWNLOAD_T),
    };
    ret->retry_after_ms = retry_after_ms(f, ret->date_unix_s);
    copy_header(f, "Content-Type", ret->content_type, sizeof(ret->content_type));
    copy_header(f, "x-acs-request-id", ret->request_id, sizeof(ret->request_id));
    /* The result before the status: a body that was cut comes with status 200. */
    if (rc != CURLE_OK) {
        ret->body_too_large = f->body.over_limit || rc == CURLE_FILESIZE_EXCEEDED;
        (void)explain(f, rc, &ret->err);
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
        char *private = NULL;
        CURLcode rc = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *f = (struct transfer *)(void *)private;
        fill_reply(f, rc, ret);
        retire(t, f);
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
            return stopped(err);
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
