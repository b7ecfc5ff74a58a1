/* Requests in, replies out: no sockets. */
#include "routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "fake_generation.h"

struct setup {
    struct http_options options;
    struct routes routes;
    bool healthy;
};

static bool is_healthy(void *ctx)
{
    const struct setup *s = ctx;

    return s->healthy;
}

static void set_up(struct setup *s)
{
    struct err err;

    s->healthy = true;
    s->options = (struct http_options){.telemetry_path = "/metrics",
                                       .version = "1.2.3",
                                       .revision = "abc1234",
                                       .slot = snapshot_slot_new(),
                                       .registry = registry_new(),
                                       .max_requests = 2,
                                       .healthy = is_healthy,
                                       .healthy_ctx = s};
    assert_non_null(s->options.slot);
    assert_non_null(s->options.registry);
    routes_init(&s->routes, &s->options);
    assert_int_equal(http_counters_register(&s->routes.counters, s->options.registry, &err), 0);
}

static void tear_down(struct setup *s)
{
    registry_free(s->options.registry);
    snapshot_slot_free(s->options.slot);
}

static void publish(struct setup *s, const struct target_status *targets, size_t n, bool all_tried)
{
    static const char *const denied[] = {"*_rejected_total"};
    const struct fake_generation g = {.number = 1,
                                      .n_pieces = 2,
                                      .piece_bytes = 300,
                                      .targets = targets,
                                      .n_targets = n,
                                      .all_tried = all_tried,
                                      .deny = {denied, 1}};
    struct snapshot *snapshot = fake_generation_new(&g);

    assert_non_null(snapshot);
    snapshot_publish_take(s->options.slot, snapshot);
}

static struct http_request request(struct setup *s, const char *target)
{
    return (struct http_request){.method = "GET", .target = routes_target(&s->routes, target)};
}

static void get(struct setup *s, const char *target, struct http_reply *reply)
{
    struct http_request r = request(s, target);

    routes_answer(&s->routes, &r, reply);
}

static const char *header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->n_headers; i++) {
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    }
    return "";
}

/* Whatever the body is, as a string. */
static void body(const struct http_reply *reply, struct strbuf *out)
{
    char buf[1000];
    int64_t n;

    if (reply->exposition) {
        while ((n = exposition_read(reply->exposition, out->len, buf, sizeof(buf))) > 0)
            strbuf_add(out, buf, (size_t)n);
    } else {
        strbuf_add(out, reply->heap_text ? reply->heap_text : reply->text, reply->text_len);
    }
}

static void has(const struct http_reply *reply, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    body(reply, &out);
    if (!strstr(strbuf_str(&out), text))
        fail_msg("no '%s' in '%s'", text, strbuf_str(&out));
}

static void has_not(const struct http_reply *reply, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    body(reply, &out);
    assert_null(strstr(strbuf_str(&out), text));
}

static void test_targets(void **state)
{
    static const struct {
        const char *raw;
        enum http_handler handler;
        bool filtered;
    } cases[] = {
        {"/", HTTP_STATUS_PAGE, false},
        {"/?", HTTP_STATUS_PAGE, false},
        {"/metrics", HTTP_METRICS, false},
        {"/metrics?", HTTP_METRICS, false},
        {"/metrics?x=1&y", HTTP_METRICS, false},
        {"/metrics?name=1", HTTP_METRICS, false},
        {"/metrics?name[]=a", HTTP_METRICS, true},
        {"/metrics?x=1&collect[]=a", HTTP_METRICS, true},
        {"/metrics?exclude%5B%5d=a", HTTP_METRICS, true},
        {"/metrics?name%5B%5D", HTTP_METRICS, true},
        {"/metrics?n%61me[]=", HTTP_METRICS, true},
        {"/metrics?name[]x=1", HTTP_METRICS, false},
        {"/metrics?x=name[]", HTTP_METRICS, false},
        {"/metrics?name%00[]=1", HTTP_METRICS, false},
        {"/metrics?name%5", HTTP_METRICS, false},
        {"/metrics?&&", HTTP_METRICS, false},
        {"/-/healthy", HTTP_HEALTHY, false},
        {"/-/ready?x", HTTP_READY, false},
        {"/metrics/", HTTP_OTHER, false},
        {"/metrics%00.html", HTTP_OTHER, false},
        {"/metrics%00", HTTP_OTHER, false},
        {"/%6detrics", HTTP_OTHER, false},
        {"/Metrics", HTTP_OTHER, false},
        {"//metrics", HTTP_OTHER, false},
        {"/./metrics", HTTP_OTHER, false},
        {"/x/../metrics", HTTP_OTHER, false},
        {"/metrics;x", HTTP_OTHER, false},
        {"/metrics#x", HTTP_OTHER, false},
        {"http://host/metrics", HTTP_OTHER, false},
        {"*", HTTP_OTHER, false},
        {"", HTTP_OTHER, false},
        {"?", HTTP_OTHER, false},
        {"metrics", HTTP_OTHER, false},
        {NULL, HTTP_OTHER, false},
    };
    struct setup s;

    (void)state;
    set_up(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_target t = routes_target(&s.routes, cases[i].raw);

        if (t.handler != cases[i].handler || t.filtered != cases[i].filtered)
            fail_msg("%s", cases[i].raw);
    }
    tear_down(&s);
}

static void test_another_telemetry_path(void **state)
{
    struct setup s;

    (void)state;
    set_up(&s);
    s.options.telemetry_path = "/flink";
    assert_int_equal(routes_target(&s.routes, "/flink").handler, HTTP_METRICS);
    assert_int_equal(routes_target(&s.routes, "/metrics").handler, HTTP_OTHER);
    s.options.telemetry_path = "/"; /* then there is no status page */
    assert_int_equal(routes_target(&s.routes, "/").handler, HTTP_METRICS);
    tear_down(&s);
}

static void test_debug_page_when_enabled(void **state)
{
    static const char *const others[] = {"/debug",          "/debug/",           "/debug/requests",
                                         "/debug/targets/", "/debug/targets%00", "//debug/targets"};
    const struct target_status t = {.target = "a",
                                    .workspace = "w",
                                    .namespace_name = "n",
                                    .endpoint = "e",
                                    .interval_ms = 1000,
                                    .tried = true,
                                    .success = true};
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    publish(&s, &t, 1, true);
    get(&s, "/debug/targets", &reply);
    assert_int_equal(reply.status, 404);
    get(&s, "/", &reply);
    has_not(&reply, "debug");
    http_reply_release(&reply);

    s.options.debug = true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(routes_target(&s.routes, others[i]).handler, HTTP_OTHER);
    assert_int_equal(routes_target(&s.routes, "/debug/targets?x").handler, HTTP_DEBUG_TARGETS);
    get(&s, "/", &reply);
    has(&reply, "<a href=\"./debug/targets\">");
    http_reply_release(&reply);
    get(&s, "/debug/targets", &reply);
    assert_int_equal(reply.status, 200);
    assert_false(reply.scrape_counted);
    assert_string_equal(header(&reply, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(header(&reply, "Cache-Control"), "no-store");
    assert_string_equal(header(&reply, "X-Content-Type-Options"), "nosniff");
    assert_int_equal(strncmp(header(&reply, "Content-Security-Policy"), "default-src 'none';", 19),
                     0);
    has(&reply, "<h2><bdi>a</bdi> / <bdi>n</bdi></h2>");
    http_reply_release(&reply);
    tear_down(&s);
}

static void test_scrape_before_the_first_publication(void **state)
{
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    get(&s, "/metrics", &reply);
    assert_int_equal(reply.status, 200);
    assert_true(reply.scrape_counted);
    assert_string_equal(header(&reply, "Content-Type"), expo_content_type[EXPO_TEXT]);
    assert_string_equal(header(&reply, "Vary"), "Accept, Accept-Encoding");
    assert_string_equal(header(&reply, "Content-Encoding"), "");
    has(&reply, "requests_rejected_total{reason=\"too_many_in_flight\"} 0\n");
    has(&reply, "requests_total{handler=\"/metrics\",code=\"200\"} 0\n");
    has_not(&reply, "fake_events_total");
    http_reply_release(&reply);
    tear_down(&s);
}

static void test_scrape(void **state)
{
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    publish(&s, NULL, 0, true);
    struct http_request r = request(&s, "/metrics");
    r.accept = "application/openmetrics-text;version=1.0.0";
    routes_answer(&s.routes, &r, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(header(&reply, "Content-Type"), expo_content_type[EXPO_OPENMETRICS]);
    has(&reply, "# TYPE fake_events counter\n");
    has(&reply, "# TYPE aliyun_flink_exporter_http_requests counter\n");
    has(&reply, "\n# EOF\n");
    has_not(&reply, "_rejected"); /* denied by the generation's configuration */
    http_reply_release(&reply);
    tear_down(&s);
}

static void test_gzip_is_noted_and_named(void **state)
{
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    publish(&s, NULL, 0, true);
    struct http_request r = request(&s, "/metrics");
    r.accept_encoding = "gzip";
    routes_answer(&s.routes, &r, &reply);
    assert_string_equal(header(&reply, "Content-Encoding"), "gzip");
    http_reply_release(&reply);
    /* The next generation comes compressed. */
    publish(&s, NULL, 0, true);
    CLEANUP(snapshot_unrefp) struct snapshot *snapshot = snapshot_acquire(s.options.slot);
    assert_true(snapshot_deflated_len(snapshot, EXPO_TEXT) > 0);
    assert_true(snapshot_deflated_len(snapshot, EXPO_OPENMETRICS) == 0);
    tear_down(&s);
}

/* What takes long to compress is named, once, and only for those who get gzip. */
static void test_large_text_is_compressed_elsewhere(void **state)
{
    static const char *const others[] = {"/", "/metrics?name[]=up", "/-/healthy"};
    const struct fake_generation g = {.number = 1, .n_pieces = 10, .piece_bytes = 50 * 1000};
    enum expo_format format = EXPO_TEXT;
    struct err err;
    struct setup s;

    (void)state;
    set_up(&s);
    struct http_request r = request(&s, "/metrics");
    r.accept_encoding = "gzip";
    r.accept = "application/openmetrics-text";
    assert_null(routes_to_deflate(&s.routes, &r, &format)); /* no generation */
    publish(&s, NULL, 0, true);
    assert_null(routes_to_deflate(&s.routes, &r, &format)); /* a small one */
    snapshot_publish_take(s.options.slot, fake_generation_new(&g));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        r.target = routes_target(&s.routes, others[i]);
        assert_null(routes_to_deflate(&s.routes, &r, &format));
    }
    r.target = routes_target(&s.routes, "/metrics");
    r.method = "POST";
    assert_null(routes_to_deflate(&s.routes, &r, &format));
    r.method = "GET";
    r.accept_encoding = "gzip;q=0";
    assert_null(routes_to_deflate(&s.routes, &r, &format));
    r.accept_encoding = "gzip";
    CLEANUP(snapshot_unrefp) struct snapshot *large = routes_to_deflate(&s.routes, &r, &format);
    assert_non_null(large);
    assert_int_equal(format, EXPO_OPENMETRICS);
    assert_int_equal(snapshot_deflated_len(large, EXPO_OPENMETRICS), 0);
    assert_int_equal(snapshot_deflate(large, EXPO_OPENMETRICS, &err), 0);
    assert_null(routes_to_deflate(&s.routes, &r, &format));
    /* The other format shares nearly all of it. */
    r.accept = NULL;
    assert_null(routes_to_deflate(&s.routes, &r, &format));
    tear_down(&s);
}

static void test_too_many_scrapes(void **state)
{
    struct http_reply replies[3];
    struct http_reply again;
    struct setup s;

    (void)state;
    set_up(&s);
    for (size_t i = 0; i < 3; i++)
        get(&s, "/metrics", &replies[i]);
    assert_int_equal(replies[1].status, 200);
    assert_int_equal(replies[2].status, 503);
    assert_false(replies[2].scrape_counted);
    assert_string_equal(header(&replies[2], "Retry-After"), "1");
    /* Only scrapes count. */
    get(&s, "/-/healthy", &again);
    assert_int_equal(again.status, 200);
    routes_scrape_ended(&s.routes);
    get(&s, "/metrics", &again);
    assert_int_equal(again.status, 200);
    has(&again, "requests_rejected_total{reason=\"too_many_in_flight\"} 1\n");
    http_reply_release(&again);
    for (size_t i = 0; i < 3; i++)
        http_reply_release(&replies[i]);
    s.options.max_requests = 0; /* no limit */
    get(&s, "/metrics", &again);
    assert_int_equal(again.status, 200);
    http_reply_release(&again);
    tear_down(&s);
}

static void test_filters_are_refused_for_now(void **state)
{
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    get(&s, "/metrics?collect[]=jobs", &reply);
    assert_int_equal(reply.status, 400);
    assert_false(reply.scrape_counted);
    has(&reply, "not supported yet");
    get(&s, "/?collect[]=jobs", &reply);
    assert_int_equal(reply.status, 200);
    http_reply_release(&reply);
    tear_down(&s);
}

static void test_methods_and_bodies(void **state)
{
    static const char *const methods[] = {"POST",    "PUT", "DELETE",   "OPTIONS", "TRACE",
                                          "CONNECT", "get", "PROPFIND", ""};
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    struct http_request r = request(&s, "/metrics");
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        r.method = methods[i];
        assert_true(routes_refuses(&r));
        routes_answer(&s.routes, &r, &reply);
        assert_int_equal(reply.status, 405);
        assert_string_equal(header(&reply, "Allow"), "GET, HEAD");
        assert_true(reply.close);
    }
    r.method = "HEAD";
    assert_false(routes_refuses(&r));
    routes_answer(&s.routes, &r, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_release(&reply);
    r.has_body = true;
    assert_true(routes_refuses(&r));
    routes_answer(&s.routes, &r, &reply);
    assert_int_equal(reply.status, 400);
    assert_true(reply.close);
    tear_down(&s);
}

static void test_health_and_readiness(void **state)
{
    const struct target_status targets[] = {
        {.target = "a", .tried = true}, {.target = "b"}, {.target = "c"}};
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    get(&s, "/-/healthy", &reply);
    assert_int_equal(reply.status, 200);
    has(&reply, "healthy\n");
    s.healthy = false;
    get(&s, "/-/healthy", &reply);
    assert_int_equal(reply.status, 503);
    s.options.healthy = NULL;
    get(&s, "/-/healthy", &reply);
    assert_int_equal(reply.status, 200);

    get(&s, "/-/ready", &reply);
    assert_int_equal(reply.status, 503);
    publish(&s, targets, ARRAY_LEN(targets), false);
    get(&s, "/-/ready", &reply);
    assert_int_equal(reply.status, 503);
    assert_string_equal(header(&reply, "Cache-Control"), "no-store");
    has(&reply, "not ready: waiting for the first refresh of 2 namespaces\n");
    http_reply_release(&reply);
    publish(&s, targets, 1, true);
    get(&s, "/-/ready", &reply);
    assert_int_equal(reply.status, 200);
    has(&reply, "ready\n");
    tear_down(&s);
}

static void test_status_page(void **state)
{
    const struct target_status targets[] = {{.target = "<prod>", .tried = true, .success = true}};
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    get(&s, "/", &reply);
    assert_int_equal(reply.status, 200);
    has(&reply, "no data yet");
    http_reply_release(&reply);
    publish(&s, targets, 1, true);
    get(&s, "/", &reply);
    assert_string_equal(header(&reply, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(header(&reply, "X-Content-Type-Options"), "nosniff");
    assert_int_equal(strncmp(header(&reply, "Content-Security-Policy"), "default-src 'none'", 18),
                     0);
    has(&reply, "&lt;prod&gt;");
    http_reply_release(&reply);
    tear_down(&s);
}

/* Each allocation fails once: a whole 200 or a whole 500, and nothing leaks. */
static void test_out_of_memory(void **state)
{
    static const char *const pages[] = {"/metrics", "/metrics",   "/",
                                        "/-/ready", "/-/healthy", "/x"};
    const struct target_status targets[] = {{.target = "a"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        for (size_t n = 1;; n++) {
            struct http_reply reply;
            struct setup s;

            set_up(&s);
            publish(&s, targets, 1, false);
            struct http_request r = request(&s, pages[i]);
            r.accept_encoding = i == 0 ? "gzip" : NULL;
            alloc_fail_at(n);
            routes_answer(&s.routes, &r, &reply);
            alloc_fail_off();
            bool failed = alloc_fail_count() >= n;
            assert_int_equal(reply.status == 500, failed);
            if (failed) {
                has(&reply, "out of memory\n");
                assert_string_equal(header(&reply, "Content-Encoding"), "");
            }
            http_reply_release(&reply);
            tear_down(&s);
            if (!failed)
                break;
        }
    }
}

static void test_counters(void **state)
{
    struct http_reply reply;
    struct setup s;

    (void)state;
    set_up(&s);
    http_counters_request(&s.routes.counters, HTTP_OTHER, 404);
    http_counters_request(&s.routes.counters, HTTP_OTHER, 404);
    http_counters_request(&s.routes.counters, HTTP_READY, 503);
    http_counters_rejected(&s.routes.counters, HTTP_BAD_REQUEST);
    get(&s, "/metrics", &reply);
    has(&reply, "requests_total{handler=\"other\",code=\"404\"} 2\n");
    has(&reply, "requests_total{handler=\"/-/ready\",code=\"503\"} 1\n");
    has(&reply, "requests_total{handler=\"/metrics\",code=\"500\"} 0\n");
    has(&reply, "rejected_total{reason=\"bad_request\"} 1\n");
    has(&reply, "rejected_total{reason=\"unauthorized\"} 0\n");
    has(&reply, "rejected_total{reason=\"rate_limited\"} 0\n");
    http_reply_release(&reply);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_another_telemetry_path),
        cmocka_unit_test(test_debug_page_when_enabled),
        cmocka_unit_test(test_scrape_before_the_first_publication),
        cmocka_unit_test(test_scrape),
        cmocka_unit_test(test_gzip_is_noted_and_named),
        cmocka_unit_test(test_large_text_is_compressed_elsewhere),
        cmocka_unit_test(test_too_many_scrapes),
        cmocka_unit_test(test_filters_are_refused_for_now),
        cmocka_unit_test(test_methods_and_bodies),
        cmocka_unit_test(test_health_and_readiness),
        cmocka_unit_test(test_status_page),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_counters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
