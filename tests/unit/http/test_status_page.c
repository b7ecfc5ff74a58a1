/* What the page says, and that nothing from outside becomes part of its markup. */
#include "status_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "html_page.h"

enum { NOW_S = 1790000000 }; /* 2026-09-21 14:13:20 UTC */
#define NOW_MS ((int64_t)NOW_S * 1000)

static const struct target_status healthy = {
    .target = "prod",
    .workspace = "a14bd5d90a4f4e",
    .namespace_name = "default-namespace",
    .endpoint = "https://ververica.cn-hangzhou.aliyuncs.com",
    .last_attempt_unix_ms = NOW_MS - 12000,
    .last_success_unix_ms = NOW_MS - 11000,
    .duration_ms = 1234,
    .interval_ms = 60000,
    .deployments = 120,
    .jobs_running = 100,
    .jobs_failed = 3,
    .tried = true,
    .success = true,
};

static struct target_status failing(void)
{
    struct target_status t = healthy;

    t.target = "staging";
    t.last_success_unix_ms = NOW_MS - 7500000;
    t.failing_since_unix_ms = NOW_MS - 745000;
    t.success = false;
    t.withheld = true;
    t.deployments = t.jobs_running = t.jobs_failed = -1;
    t.reason = "throttled";
    t.message = "HTTP 429 three times";
    return t;
}

static struct target_status waiting(void)
{
    return (struct target_status){.target = "new",
                                  .workspace = "w",
                                  .namespace_name = "n",
                                  .endpoint = "e",
                                  .deployments = -1,
                                  .jobs_running = -1,
                                  .jobs_failed = -1};
}

static void write_page(const struct target_status *targets, size_t n, struct strbuf *out)
{
    struct status_page page = {.version = "1.2.3",
                               .revision = "abc1234",
                               .telemetry_path = "/metrics",
                               .targets = targets,
                               .n_targets = n,
                               .now_unix_ms = NOW_MS};

    status_page_write(&page, out);
    assert_true(strbuf_ok(out));
}

static void has(const struct strbuf *page, const char *text)
{
    if (!strstr(strbuf_str(page), text))
        fail_msg("no '%s' in:\n%s", text, strbuf_str(page));
}

static void has_not(const struct strbuf *page, const char *text)
{
    if (strstr(strbuf_str(page), text))
        fail_msg("'%s' in:\n%s", text, strbuf_str(page));
}

static void test_without_targets(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    write_page(NULL, 0, &out);
    has(&out, "version <bdi>1.2.3</bdi>, revision <bdi>abc1234</bdi>");
    has(&out, "href=\"./metrics\"");
    has(&out, "href=\"./-/healthy\"");
    has(&out, "href=\"./-/ready\"");
    has(&out, "There is no data yet");
    has(&out, "Scrapes never call the Alibaba Cloud API");
    has(&out, ">2026-09-21 14:13:20 UTC<");
    has_not(&out, "<table>");
}

static void test_rows(void **state)
{
    const struct target_status targets[] = {healthy, waiting(), failing()};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    write_page(targets, ARRAY_LEN(targets), &out);
    has(&out, "<b>1 of 3</b>namespaces healthy");
    has(&out, "<b>1</b>failing");
    has(&out, "<b>1</b>waiting");
    has(&out, "<b>120</b>deployments"); /* of the only namespace that has a number */
    has(&out, "<b>100</b>jobs running");
    has(&out, "<b>3</b>failed jobs remembered");
    has(&out, ">failing for 12 min<");
    has(&out, "<bdi>default-namespace</bdi>");
    has(&out, "<bdi>a14bd5d90a4f4e</bdi>");
    has(&out, "<bdi>throttled</bdi><small><bdi>HTTP 429 three times</bdi></small>");
    has(&out, "data withheld");
    has(&out, "11 s<small><time datetime=\"2026-09-21T14:13:09Z\">2026-09-21 14:13:09 UTC<");
    has(&out, "2 h 5 min<small>");
    has(&out, "12 s ago<small>");
    has(&out, "1.2 s");
    has(&out, "no data yet");
    has(&out, "never");
    /* Worst first. */
    const char *first = strstr(strbuf_str(&out), "staging");
    const char *second = strstr(strbuf_str(&out), "<bdi>new</bdi>");
    const char *third = strstr(strbuf_str(&out), "<bdi>prod</bdi>");
    assert_true(first && second && third && first < second && second < third);
}

static size_t count(const struct strbuf *page, const char *text)
{
    size_t n = 0;

    for (const char *at = strbuf_str(page); (at = strstr(at, text)); at++)
        n++;
    return n;
}

#define DASH ">\xe2\x80\x93</span>"

/* What is not known is a dash, in the rows and above; a 0 is one that somebody counted. */
static void test_unknown_counts(void **state)
{
    struct target_status targets[] = {waiting(), failing()};
    CLEANUP(strbuf_release) struct strbuf none = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf zero = STRBUF_INIT;

    (void)state;
    write_page(targets, ARRAY_LEN(targets), &none);
    assert_int_equal(count(&none, DASH), 3 + 3 * ARRAY_LEN(targets));
    assert_int_equal(count(&none, DASH "</b>"), 3);
    has(&none, DASH "</b>deployments</li>");
    has(&none, DASH "</b>failed jobs remembered</li>");

    /* The jobs of an empty namespace were told by no deployment. */
    targets[0] = healthy;
    targets[0].deployments = 0;
    targets[0].jobs_running = targets[0].jobs_failed = -1;
    write_page(targets, ARRAY_LEN(targets), &zero);
    has(&zero, "<b>0</b>deployments</li>");
    has(&zero, DASH "</b>jobs running</li>");
    assert_int_equal(count(&zero, DASH), 2 + 5);
}

static void test_totals(void **state)
{
    struct target_status targets[] = {waiting(), healthy, failing(), healthy};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    targets[1].jobs_failed = -1;
    targets[3].jobs_failed = 0;
    write_page(targets, ARRAY_LEN(targets), &out);
    has(&out, "<b>240</b>deployments");
    has(&out, "<b>200</b>jobs running");
    has(&out, "<b>0</b>failed jobs remembered");
    /* The tile, the column and, for cards, each cell say that this is no alarm. */
    assert_int_equal(count(&out, "history, not what fails now"), 2 + ARRAY_LEN(targets));
}

static void test_over_limit(void **state)
{
    struct target_status t = healthy;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    write_page(&t, 1, &out);
    has_not(&out, "left out");
    t.over_limit = 17;
    write_page(&t, 1, &out);
    has(&out, ">120<small>17 more left out (max_deployments)</small>");
}

static void test_failing_since(void **state)
{
    static const struct {
        int64_t since_unix_ms;
        const char *text;
    } cases[] = {
        {0, ">failing</span>"},
        {NOW_MS + 5000, ">failing for 0 s</span>"},
        {NOW_MS - 59999, ">failing for 59 s</span>"},
        {NOW_MS - 60000, ">failing for 1 min</span>"},
        {NOW_MS - 3599999, ">failing for 59 min</span>"},
        {NOW_MS - 3600000, ">failing for 1 h 0 min</span>"},
        {NOW_MS - 90061000, ">failing for 1 d 1 h</span>"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct target_status t = failing();

        t.failing_since_unix_ms = cases[i].since_unix_ms;
        write_page(&t, 1, &out);
        has(&out, cases[i].text);
    }
}

static void test_spans(void **state)
{
    static const struct {
        int64_t age_ms;
        const char *text;
    } cases[] = {
        {-5000, ">0 s<"},
        {0, ">0 s<"},
        {59999, ">59 s<"},
        {60000, ">1 min 0 s<"},
        {3599000, ">59 min 59 s<"},
        {3600000, ">1 h 0 min<"},
        {86399000, ">23 h 59 min<"},
        {90061000, ">1 d 1 h<"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct target_status t = healthy;

        t.last_success_unix_ms = NOW_MS - cases[i].age_ms;
        write_page(&t, 1, &out);
        has(&out, cases[i].text);
    }
}

static void test_durations(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, ">0 ms<"},
                 {999, ">999 ms<"},
                 {1000, ">1.0 s<"},
                 {59999, ">59.9 s<"},
                 {60000, ">1 min 0 s<"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct target_status t = healthy;

        t.duration_ms = cases[i].ms;
        write_page(&t, 1, &out);
        has(&out, cases[i].text);
    }
}

/* The same page with hostile texts everywhere has as many tags as with harmless ones. */
static void test_hostile_texts(void **state)
{
    static const char evil[] =
        "</td></table><script>alert(1)</script><img src=x onerror='1'>\"&\x01";
    CLEANUP(strbuf_release) struct strbuf harmless = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf hostile = STRBUF_INIT;
    struct target_status t = failing();
    struct status_page page = {.version = "v",
                               .revision = "r",
                               .telemetry_path = "/m",
                               .targets = &t,
                               .n_targets = 1,
                               .now_unix_ms = NOW_MS};

    (void)state;
    status_page_write(&page, &harmless);
    t.target = t.workspace = t.namespace_name = t.endpoint = t.reason = t.message = evil;
    page.version = page.revision = page.telemetry_path = evil;
    status_page_write(&page, &hostile);
    assert_int_equal(count(&harmless, "<"), count(&hostile, "<"));
    assert_int_equal(count(&harmless, ">"), count(&hostile, ">"));
    assert_int_equal(count(&harmless, "\""), count(&hostile, "\""));
    has_not(&hostile, "<script");
    has_not(&hostile, "<img");
    has(&hostile, "&lt;script&gt;");
}

static void test_missing_texts(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct target_status t = {.tried = true};

    (void)state;
    write_page(&t, 1, &out);
    has(&out, "failing");
}

/* A colon or two slashes in the path make no link to elsewhere. */
static void test_telemetry_path(void **state)
{
    static const struct {
        const char *path;
        const char *link;
    } cases[] = {{"/metrics", "\"./metrics\""},
                 {"/a/b", "\"./a/b\""},
                 {"/javascript:alert(1)", "\"./javascript:alert(1)\""},
                 {"//evil.example/", "\".//evil.example/\""}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct status_page page = {.version = "v",
                                   .revision = "r",
                                   .telemetry_path = cases[i].path,
                                   .now_unix_ms = NOW_MS};

        status_page_write(&page, &out);
        has(&out, cases[i].link);
    }
}

static void test_many_and_long(void **state)
{
    enum { MANY = 5000, LONG = 10000 };
    struct target_status *targets = calloc(MANY, sizeof(*targets));
    char *name = malloc(LONG + 1);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    memset(name, '<', LONG);
    name[LONG] = '\0';
    for (size_t i = 0; i < MANY; i++) {
        targets[i] = i == MANY - 1 ? failing() : healthy;
        targets[i].target = targets[i].workspace = targets[i].namespace_name = targets[i].endpoint =
            targets[i].message = name;
    }
    write_page(targets, MANY, &out);
    assert_true(out.len < 4 * 1024 * 1024);
    has(&out, "<b>4999 of 5000</b>");
    has(&out, "4500 more namespaces are not shown");
    assert_int_equal(count(&out, "<tr><td"), 500);
    /* The one that fails is shown, though it comes last. */
    has(&out, "throttled");
    free(name);
    free(targets);
}

/* No scripts, no handlers, nothing from elsewhere; the policy would block them anyway. */
static void test_plain(void **state)
{
    static const char *const not_there[] = {"<script", " style=",   " src=",       "@import",
                                            "url(",    "onclick",   "javascript:", "<form",
                                            "<iframe", "http-equiv"};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    write_page(&healthy, 1, &out);
    for (size_t i = 0; i < ARRAY_LEN(not_there); i++)
        has_not(&out, not_there[i]);
    assert_int_equal(strncmp(html_page_csp, "default-src 'none'; style-src 'sha256-", 38), 0);
    assert_null(strstr(html_page_csp, "unsafe"));
    has(&out, "prefers-color-scheme:dark");
    has(&out, "name=\"viewport\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_targets), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unknown_counts),  cmocka_unit_test(test_totals),
        cmocka_unit_test(test_over_limit),      cmocka_unit_test(test_failing_since),
        cmocka_unit_test(test_spans),           cmocka_unit_test(test_durations),
        cmocka_unit_test(test_hostile_texts),   cmocka_unit_test(test_missing_texts),
        cmocka_unit_test(test_telemetry_path),  cmocka_unit_test(test_many_and_long),
        cmocka_unit_test(test_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
