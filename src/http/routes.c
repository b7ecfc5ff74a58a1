/* The pages, and what each says in which case. */
#include "routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "debug_page.h"
#include "html_page.h"
#include "negotiate.h"
#include "status_page.h"

/* Bounds for what is made per request; the code that writes it stays far below. */
enum { TAIL_BYTES_MAX = 4 * 1024 * 1024, PAGE_BYTES_MAX = 8 * 1024 * 1024 };

/* The live metrics are some ten kilobytes. Grown step by step, they would be copied ten times. */
enum { TAIL_BYTES_USUAL = 16 * 1024 };

/* Text that is compressed on the spot: about 3 ms. */
enum { DEFLATE_AT_ONCE_BYTES = 256 * 1024 };

static const char plain_text[] = "text/plain; charset=utf-8";

/* --- the target --- */

/* True if an argument's percent-encoded name is the given one. */
static bool argument_is(const char *arg, size_t len, const char *name)
{
    const char *end = arg + len;

    while (arg < end && *arg != '=') {
        char c = *arg++;

        if (c == '%' && end - arg >= 2 && hex_value(arg[0]) >= 0 && hex_value(arg[1]) >= 0) {
            c = (char)(hex_value(arg[0]) * 16 + hex_value(arg[1]));
            arg += 2;
        }
        if (c == '\0' || c != *name++)
            return false;
    }
    return *name == '\0';
}

/* The arguments that select metrics. Ignoring one would answer a narrow question with everything.
 */
static bool has_filter(const char *query)
{
    static const char *const names[] = {"name[]", "collect[]", "exclude[]"};

    while (*query) {
        size_t len = strcspn(query, "&");

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            if (argument_is(query, len, names[i]))
                return true;
        }
        query += len + (query[len] == '&');
    }
    return false;
}

static bool path_is(const char *raw, size_t len, const char *path)
{
    return len == strlen(path) && memcmp(raw, path, len) == 0;
}

struct http_target routes_target(const struct routes *routes, const char *raw)
{
    struct http_target target = {.handler = HTTP_OTHER};

    if (!raw)
        return target;
    size_t len = strcspn(raw, "?");
    if (path_is(raw, len, routes->options->telemetry_path))
        target.handler = HTTP_METRICS;
    else if (path_is(raw, len, "/"))
        target.handler = HTTP_STATUS_PAGE;
    else if (path_is(raw, len, "/-/healthy"))
        target.handler = HTTP_HEALTHY;
    else if (path_is(raw, len, "/-/ready"))
        target.handler = HTTP_READY;
    else if (routes->options->debug && path_is(raw, len, "/debug/targets"))
        target.handler = HTTP_DEBUG_TARGETS;
    target.filtered = raw[len] == '?' && has_filter(raw + len + 1);
    return target;
}

/* --- replies --- */

static void add_header(struct http_reply *reply, const char *name, const char *value)
{
    if (reply->n_headers < HTTP_HEADERS_MAX)
        reply->headers[reply->n_headers++] = (struct http_header){name, value};
}

static void set_type(struct http_reply *reply, unsigned status, const char *content_type)
{
    *reply = (struct http_reply){.status = status, .text = ""};
    add_header(reply, "Content-Type", content_type);
    add_header(reply, "X-Content-Type-Options", "nosniff");
}

static void set_text(struct http_reply *reply, unsigned status, const char *text)
{
    set_type(reply, status, plain_text);
    reply->text = text;
    reply->text_len = strlen(text);
}

/* Takes the buffer's text; 500 if it is bad. */
static void set_heap_text(struct http_reply *reply, unsigned status, const char *content_type,
                          struct strbuf *text)
{
    set_type(reply, status, content_type);
    reply->heap_text = strbuf_take(text, &reply->text_len);
    if (!reply->heap_text)
        http_reply_out_of_memory(reply);
}

void http_reply_out_of_memory(struct http_reply *reply)
{
    set_text(reply, 500, "out of memory\n");
}

void http_reply_release(struct http_reply *reply)
{
    free(reply->heap_text);
    reply->heap_text = NULL;
    exposition_free(reply->exposition);
    reply->exposition = NULL;
}

/* --- /metrics --- */

static void add_vary(struct http_reply *reply)
{
    add_header(reply, "Vary", "Accept, Accept-Encoding");
}

static void answer_scrape(struct routes *routes, const struct http_request *request,
                          struct http_reply *reply)
{
    const struct http_options *options = routes->options;
    enum expo_format format = negotiate_format(request->accept);
    bool gzip = negotiate_gzip(request->accept_encoding);
    CLEANUP(strbuf_release) struct strbuf tail = STRBUF_LIMIT(TAIL_BYTES_MAX);
    struct exposition *x;

    if (gzip)
        snapshot_slot_want_gzip(options->slot, format);

    struct snapshot *snapshot = snapshot_acquire(options->slot);
    strbuf_reserve(&tail, TAIL_BYTES_USUAL);
    registry_write(options->registry, 1U << REGISTRY_EXPORTER | 1U << REGISTRY_PROCESS,
                   snapshot ? snapshot_deny(snapshot) : NULL, format, &tail);
    expo_end(&tail, format);
    if (exposition_new_take(snapshot, format, gzip, &tail, &x, NULL) < 0) {
        http_reply_out_of_memory(reply);
        return;
    }
    set_type(reply, 200, expo_content_type[format]);
    add_vary(reply);
    if (gzip)
        add_header(reply, "Content-Encoding", "gzip");
    reply->exposition = x;
}

struct snapshot *routes_to_deflate(struct routes *routes, const struct http_request *request,
                                   enum expo_format *ret_format)
{
    if (request->target.handler != HTTP_METRICS || request->target.filtered ||
        routes_refuses(request) || !negotiate_gzip(request->accept_encoding))
        return NULL;

    enum expo_format format = negotiate_format(request->accept);
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(routes->options->slot);
    if (!s || snapshot_deflate_left(s, format) <= DEFLATE_AT_ONCE_BYTES)
        return NULL;
    /* Whoever publishes next compresses what this one has not. */
    snapshot_slot_want_gzip(routes->options->slot, format);
    *ret_format = format;
    return TAKE(s);
}

static void answer_metrics(struct routes *routes, const struct http_request *request,
                           struct http_reply *reply)
{
    unsigned limit = routes->options->max_requests;

    if (request->target.filtered) {
        set_text(reply, 400, "name[], collect[] and exclude[] are not supported yet\n");
        return;
    }
    if (atomic_fetch_add(&routes->scrapes_in_flight, 1) >= limit && limit > 0) {
        routes_scrape_ended(routes);
        http_counters_rejected(&routes->counters, HTTP_TOO_MANY_IN_FLIGHT);
        set_text(reply, 503, "too many scrapes at once\n");
        add_header(reply, "Retry-After", "1");
        return;
    }
    answer_scrape(routes, request, reply);
    reply->scrape_counted = true;
}

void routes_scrape_ended(struct routes *routes)
{
    atomic_fetch_sub(&routes->scrapes_in_flight, 1);
}

/* --- the small pages --- */

static void set_page(struct http_reply *reply, struct strbuf *text)
{
    set_heap_text(reply, 200, "text/html; charset=utf-8", text);
    add_header(reply, "Content-Security-Policy", html_page_csp);
    add_header(reply, "Cache-Control", "no-store");
}

static void answer_status_page(struct routes *routes, struct http_reply *reply)
{
    const struct http_options *options = routes->options;
    CLEANUP(snapshot_unrefp) struct snapshot *snapshot = snapshot_acquire(options->slot);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_LIMIT(PAGE_BYTES_MAX);
    struct status_page page = {.version = options->version,
                               .revision = options->revision,
                               .telemetry_path = options->telemetry_path,
                               .debug = options->debug,
                               .now_unix_ms = clock_unix_ms()};

    if (snapshot)
        page.targets = snapshot_targets(snapshot, &page.n_targets);
    status_page_write(&page, &text);
    set_page(reply, &text);
}

static void answer_debug_targets(struct routes *routes, struct http_reply *reply)
{
    CLEANUP(snapshot_unrefp) struct snapshot *snapshot = snapshot_acquire(routes->options->slot);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_LIMIT(PAGE_BYTES_MAX);

    debug_page_write(snapshot, clock_unix_ms(), &text);
    set_page(reply, &text);
}

static void answer_healthy(struct routes *routes, struct http_reply *reply)
{
    const struct http_options *options = routes->options;

    if (!options->healthy || options->healthy(options->healthy_ctx))
        set_text(reply, 200, "healthy\n");
    else
        set_text(reply, 503, "not healthy: the scheduler does not run\n");
    add_header(reply, "Cache-Control", "no-store");
}

static size_t count_untried(const struct snapshot *snapshot)
{
    size_t n_targets;
    const struct target_status *targets = snapshot_targets(snapshot, &n_targets);
    size_t n = 0;

    for (size_t i = 0; i < n_targets; i++)
        n += !targets[i].tried;
    return n;
}

static void answer_ready(struct routes *routes, struct http_reply *reply)
{
    CLEANUP(snapshot_unrefp)
    struct snapshot *snapshot = snapshot_acquire(routes->options->slot);

    if (snapshot && snapshot_all_tried(snapshot)) {
        set_text(reply, 200, "ready\n");
    } else if (snapshot) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

        strbuf_addf(&text, "not ready: waiting for the first refresh of %zu namespaces\n",
                    count_untried(snapshot));
        set_heap_text(reply, 503, plain_text, &text);
    } else {
        set_text(reply, 503, "not ready: waiting for the first refresh\n");
    }
    add_header(reply, "Cache-Control", "no-store");
}

/* --- the entry --- */

void routes_init(struct routes *routes, const struct http_options *options)
{
    *routes = (struct routes){.options = options};
}

static bool method_is_known(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

bool routes_refuses(const struct http_request *request)
{
    return request->has_body || !method_is_known(request->method);
}

/* Closes the connection: what follows may be a body, or what a proxy does not take for one. */
static void refuse(struct routes *routes, const struct http_request *request,
                   struct http_reply *reply)
{
    if (!method_is_known(request->method)) {
        set_text(reply, 405, "only GET and HEAD are allowed here\n");
        add_header(reply, "Allow", "GET, HEAD");
    } else {
        http_counters_rejected(&routes->counters, HTTP_BAD_REQUEST);
        set_text(reply, 400, "a request with a body is not accepted here\n");
    }
    reply->close = true;
}

void routes_answer(struct routes *routes, const struct http_request *request,
                   struct http_reply *ret)
{
    if (routes_refuses(request)) {
        refuse(routes, request, ret);
        return;
    }
    switch (request->target.handler) {
    case HTTP_METRICS:
        answer_metrics(routes, request, ret);
        break;
    case HTTP_STATUS_PAGE:
        answer_status_page(routes, ret);
        break;
    case HTTP_HEALTHY:
        answer_healthy(routes, ret);
        break;
    case HTTP_READY:
        answer_ready(routes, ret);
        break;
    case HTTP_DEBUG_TARGETS:
        answer_debug_targets(routes, ret);
        break;
    case HTTP_OTHER:
    case HTTP_HANDLER_END:
        set_text(ret, 404, "not found\n");
        break;
    }
}
