/* What the page says of collectors and failed jobs, and that no text becomes part of its markup. */
#include "debug_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/cleanup.h"
#include "fake_generation.h"
#include "model/job.h"

enum { NOW_S = 1790000000 }; /* 2026-09-21 14:13:20 UTC */
#define NOW_MS ((int64_t)NOW_S * 1000)

static const struct collector_status healthy = {
    .name = "deployments",
    .tried = true,
    .success = true,
    .last_attempt_unix_ms = NOW_MS - 12000,
    .last_success_unix_ms = NOW_MS - 11000,
    .duration_ms = 1234,
    .next_unix_ms = NOW_MS + 48000,
    .pages = 2,
    .objects = 120,
    .expected = 120,
};

static struct collector_status of_jobs(void)
{
    struct collector_status c = healthy;

    c.name = "jobs";
    c.pages = -1;
    c.objects = 10;
    c.expected = 25;
    return c;
}

static struct target_status target(const struct collector_status *collectors, size_t n)
{
    return (struct target_status){
        .target = "prod",
        .workspace = "a14bd5d90a4f4e",
        .namespace_name = "default-namespace",
        .endpoint = "https://ververica.cn-hangzhou.aliyuncs.com",
        .interval_ms = 60000,
        .tried = true,
        .success = true,
        .collectors = collectors,
        .n_collectors = n,
    };
}

static struct deployment_jobs failed(const char *id, const char *text)
{
    struct deployment_jobs jobs = deployment_jobs_none(id);

    jobs.failed_id = "job-1";
    jobs.failed_unix_s = NOW_S - 3700;
    jobs.reason = jobs.message = text;
    return jobs;
}

static struct job_set *set_of(const struct deployment_jobs *items, size_t n)
{
    struct job_set *set = job_set_new();
    struct deployment_jobs *copy;

    assert_non_null(set);
    copy = arena_calloc(set->arena, n, sizeof(*copy));
    assert_non_null(copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = items[i];
        assert_int_equal(deployment_jobs_keep(&copy[i], set->arena), 0);
    }
    set->items = copy;
    set->n_items = n;
    return set;
}

/* Of deployments that tell nothing else. */
static struct records *records_of(const char *const (*names)[2], size_t n)
{
    struct listing *listing = listing_new();
    struct records *records;

    assert_non_null(listing);
    listing->items = arena_calloc(listing->arena, n, sizeof(*listing->items));
    assert_non_null(listing->items);
    listing->n_items = n;
    for (size_t i = 0; i < n; i++) {
        struct deployment *d = &listing->items[i];

        d->id = names[i][0];
        d->name = names[i][1];
        d->execution_mode = d->engine_version = d->artifact_kind = d->target = d->target_mode =
            d->resource_setting_mode = d->draft_id = "";
    }
    assert_int_equal(records_new(listing, NULL, &records, NULL), 0);
    listing_free(listing);
    return records;
}

/* jobs (NULL = none known): one set, which all targets share, consumed. */
static struct snapshot *generation(const struct target_status *targets, size_t n,
                                   struct job_set *set, struct records *records)
{
    CLEANUP(freep) struct snapshot_jobs *jobs = calloc(n + 1, sizeof(*jobs));
    struct fake_generation g = {.number = 1, .targets = targets, .n_targets = n, .jobs = jobs};
    struct snapshot *s;

    assert_non_null(jobs);
    for (size_t i = 0; set && i < n; i++)
        jobs[i] = (struct snapshot_jobs){job_set_ref(set), records ? records_ref(records) : NULL};
    job_set_unref(set);
    records_unref(records);
    s = fake_generation_new(&g);
    assert_non_null(s);
    return s;
}

static void write_page(struct snapshot *s, struct strbuf *out)
{
    debug_page_write(s, NOW_MS, out);
    assert_true(strbuf_ok(out));
    snapshot_unref(s);
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

static size_t count(const struct strbuf *page, const char *text)
{
    size_t n = 0;

    for (const char *at = strbuf_str(page); (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void test_without_targets(void **state)
{
    CLEANUP(strbuf_release) struct strbuf none = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf empty = STRBUF_INIT;

    (void)state;
    write_page(NULL, &none);
    write_page(generation(NULL, 0, NULL, NULL), &empty);
    assert_string_equal(strbuf_str(&none), strbuf_str(&empty));
    has(&none, "There is no data yet");
    has(&none, "href=\"../\"");
    has(&none, ">2026-09-21 14:13:20 UTC<");
    has_not(&none, "<table>");
}

static void test_collectors(void **state)
{
    const struct collector_status collectors[] = {healthy, of_jobs()};
    const struct target_status t = target(collectors, 2);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    write_page(generation(&t, 1, NULL, NULL), &out);
    has(&out, "<h2><bdi>prod</bdi> / <bdi>default-namespace</bdi></h2>");
    has(&out, "workspace <bdi>a14bd5d90a4f4e</bdi>, "
              "<bdi>https://ververica.cn-hangzhou.aliyuncs.com</bdi>, every 1 min 0 s");
    has(&out, ">deployments</span>");
    has(&out, ">jobs</span>");
    has(&out, "<span class=\"tag ok\">OK</span>");
    has(&out, ">12 s ago<small>");
    has(&out, ">11 s ago<small>");
    has(&out, ">1.2 s</span>");
    has(&out, ">120<small>2 pages</small></span>");
    has(&out, ">10<small>of 25</small></span>");
    has(&out, ">in 48 s</span>");
    has(&out, "no jobs have been read");
    has_not(&out, "last failure");
    has_not(&out, "backs off");
}

static void test_collector_in_trouble(void **state)
{
    struct collector_status c = healthy;
    const struct target_status t = target(&c, 1);
    CLEANUP(strbuf_release) struct strbuf now = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf over = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT;

    (void)state;
    c.success = false;
    c.withheld = true;
    c.reason = "throttled";
    c.message = "HTTP 429 three times";
    c.failing_since_unix_ms = NOW_MS - 745000;
    c.last_failure_unix_ms = NOW_MS - 125000;
    c.failures = 4;
    c.next_unix_ms = NOW_MS - 1;
    write_page(generation(&t, 1, NULL, NULL), &now);
    has(&now, ">failing for 12 min</span>");
    has(&now, ">data withheld</span><bdi>throttled</bdi><small><bdi>HTTP 429 three times</bdi>");
    has(&now, ">due<small>backs off: 4 failures in a row</small>");

    c.success = true;
    c.withheld = false;
    c.failures = 0;
    c.running = true;
    write_page(generation(&t, 1, NULL, NULL), &over);
    has(&over, ">OK</span><small>last failure 2 min ago: <bdi>throttled</bdi></small>"
               "<small><bdi>HTTP 429 three times</bdi></small>");
    has(&over, ">under way</span>");
    has_not(&over, "failing");

    c = (struct collector_status){
        .name = "deployments", .pages = -1, .objects = -1, .expected = -1};
    write_page(generation(&t, 1, NULL, NULL), &first);
    has(&first, ">waiting</span>");
    assert_int_equal(count(&first, ">never</span>"), 2);
    has(&first, ">not known</span>");
    has(&first, "\xe2\x80\x93"); /* a dash for what nobody counted */
}

static void test_worst_first(void **state)
{
    struct target_status targets[] = {target(NULL, 0), target(NULL, 0), target(NULL, 0),
                                      target(NULL, 0)};
    static const char *const order[] = {"<bdi>fails</bdi>", "<bdi>old</bdi>", "<bdi>new</bdi>",
                                        "<bdi>good</bdi>"};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    const char *at;

    (void)state;
    targets[0].target = "good";
    targets[1].target = "new";
    targets[1].tried = false;
    targets[2].target = "old";
    targets[2].withheld = true;
    targets[3].target = "fails";
    targets[3].success = false;
    write_page(generation(targets, 4, NULL, NULL), &out);
    at = strbuf_str(&out);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
}

/* --- failed jobs --- */

static void test_failures(void **state)
{
    static const char *const names[][2] = {{"a", "name a"}, {"b", "name b"}};
    const struct collector_status collectors[] = {healthy, of_jobs()};
    const struct target_status t = target(collectors, 2);
    struct deployment_jobs jobs[] = {failed("a", "JobFailed"), failed("b", ""),
                                     failed("gone", "x")};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    jobs[0].message = "line 1\nline 2";
    jobs[0].failure_outdated = true;
    jobs[1].failed_unix_s = 0;
    write_page(generation(&t, 1, set_of(jobs, 3), records_of(names, 2)), &out);
    has(&out, ">1 h 1 min ago<small><time datetime=\"2026-09-21T13:11:40Z\">");
    has(&out, "<bdi>name a</bdi><small><bdi>a</bdi></small>");
    has(&out, "<bdi>JobFailed</bdi><small><bdi>line 1<br>line 2</bdi></small>");
    has(&out, "<bdi>job-1</bdi>");
    assert_int_equal(count(&out, "a later failure was counted"), 1);
    has(&out, "not listed any more</span><small><bdi>gone</bdi>");
    has(&out, ">not told</span>");
    has(&out, "no reason told</span></span>"); /* and no message */
    has_not(&out, "more deployments");
    assert_true(strstr(strbuf_str(&out), "name a") < strstr(strbuf_str(&out), "name b"));
}

static void test_no_failures(void **state)
{
    const struct collector_status collectors[] = {of_jobs(), healthy};
    struct target_status t = target(collectors, 2);
    const struct deployment_jobs jobs[] = {deployment_jobs_none("a")};
    CLEANUP(strbuf_release) struct strbuf none = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf without = STRBUF_INIT;

    (void)state;
    write_page(generation(&t, 1, set_of(jobs, 1), NULL), &none);
    has(&none, ">None.<");
    has_not(&none, "<th scope=\"col\" class=\"t\">Failed");
    t.collectors++;
    t.n_collectors = 1;
    write_page(generation(&t, 1, NULL, NULL), &without);
    has(&without, "without the collector");
    has_not(&without, ">None.<");
}

/* n deployments with that text wherever there is one, in so many targets. */
static void write_many(size_t n_targets, size_t n, const char *text, struct strbuf *out)
{
    const struct collector_status c = of_jobs();
    struct target_status *targets = calloc(n_targets, sizeof(*targets));
    struct deployment_jobs *jobs = calloc(n, sizeof(*jobs));
    char(*ids)[32] = calloc(n, sizeof(*ids));

    assert_true(targets && jobs && ids);
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof(ids[i]), "%08zu", i);
        jobs[i] = failed(ids[i], text);
        jobs[i].failed_id = text;
    }
    for (size_t i = 0; i < n_targets; i++)
        targets[i] = target(&c, 1);
    write_page(generation(targets, n_targets, set_of(jobs, n), NULL), out);
    free(ids);
    free(jobs);
    free(targets);
}

static void test_many(void **state)
{
    static const struct {
        size_t n_targets, n, shown;
        const char *more;
    } cases[] = {
        {1, 200, 200, NULL},
        {1, 201, 200, "And 1 more "},
        {1, 5000, 200, "And 4800 more "},
        {10, 250, 2000, "And 50 more "},
        {20, 250, 2000, "And 150 more "},
        {450, 6, 2250, "And 1 more "},
        {600, 5, 2500, "100 more namespaces are not shown"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

        write_many(cases[i].n_targets, cases[i].n, "usual", &out);
        assert_int_equal(count(&out, "<bdi>usual</bdi></span></td></tr>"), cases[i].shown);
        if (cases[i].more)
            has(&out, cases[i].more);
        else
            has_not(&out, " more ");
        assert_true(out.len < 4 * 1024 * 1024);
    }
}

/* Nothing but characters that grow: the page ends soon enough, and says what it leaves out. */
static void test_long(void **state)
{
    char text[JOB_MESSAGE_MAX + 1];
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    memset(text, '"', JOB_MESSAGE_MAX);
    text[JOB_MESSAGE_MAX] = '\0';
    write_many(500, 250, text, &out);
    assert_true(out.len < 5 * 1024 * 1024);
    assert_int_equal(count(&out, "<section>"), 500);
    has(&out, "And 245 more deployments");
    has(&out, "And 250 more deployments");
    has(&out, "&quot;\xe2\x80\xa6</bdi>"); /* a message that was cut says so */
}

/* The same page with hostile texts everywhere has as many tags as with harmless ones. */
static void test_hostile_texts(void **state)
{
    static const char evil[] =
        "</td></table><script>alert(1)</script><img src=x onerror='1'>\"&\x01\x1b[31m\r\xff";
    static const char *const names[][1][2] = {{{"harmless", "harmless"}}, {{evil, evil}}};
    struct strbuf pages[2] = {STRBUF_INIT, STRBUF_INIT};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *text = names[i][0][0];
        struct collector_status c = of_jobs();
        struct target_status t = target(&c, 1);
        struct deployment_jobs jobs = failed(text, text);

        c.success = false;
        c.reason = c.message = text;
        t.target = t.workspace = t.namespace_name = t.endpoint = text;
        jobs.failed_id = text;
        write_page(generation(&t, 1, set_of(&jobs, 1), records_of(names[i], 1)), &pages[i]);
    }
    assert_int_equal(count(&pages[0], "<"), count(&pages[1], "<"));
    assert_int_equal(count(&pages[0], ">"), count(&pages[1], ">"));
    assert_int_equal(count(&pages[0], "\""), count(&pages[1], "\""));
    has_not(&pages[1], "<script");
    has_not(&pages[1], "<img");
    assert_int_equal(count(&pages[1], "&lt;script&gt;"), 11);
    for (const char *at = strbuf_str(&pages[1]); *at; at++)
        assert_true((unsigned char)*at >= 0x20 || *at == '\n');
    assert_null(strchr(strbuf_str(&pages[1]), '\xff'));
    strbuf_release(&pages[0]);
    strbuf_release(&pages[1]);
}

static void test_no_memory(void **state)
{
    static const char *const names[][2] = {{"a", "name a"}};
    const struct collector_status c = of_jobs();
    const struct target_status t = target(&c, 1);
    const struct deployment_jobs jobs = failed("a", "x");
    struct snapshot *s = generation(&t, 1, set_of(&jobs, 1), records_of(names, 1));

    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

        alloc_fail_at(n);
        debug_page_write(s, NOW_MS, &out);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            has(&out, "name a");
            break;
        }
        /* Either the page is bad, or it says what it lacks. */
        if (strbuf_ok(&out))
            has(&out, "not enough memory");
    }
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_targets),
        cmocka_unit_test(test_collectors),
        cmocka_unit_test(test_collector_in_trouble),
        cmocka_unit_test(test_worst_first),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_failures),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
