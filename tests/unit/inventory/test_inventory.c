/* What refreshes do to the exposition: health, kept data, withholding, counters, live counters. */
#include "inventory/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "families.h"

#define A           "aliyun_flink_"
#define DEPLOYMENTS ",collector=\"deployments\""
#define OPERATION   ",operation=\"ListDeployments\""

static const uint32_t one_two_three[] = {1, 2, 3};

static struct listing *three(void)
{
    return listing_of_numbers(one_two_three, 3);
}

static void expect(const struct strbuf *text, const char *name, size_t entry, const char *more,
                   const char *value)
{
    const char *what = series(name, entry, more);

    if (strcmp(value_of(text, what), value) != 0)
        fail_msg("%s is '%s', not '%s'", what, value_of(text, what), value);
}

static size_t samples_of(const struct strbuf *text, const char *name)
{
    char prefix[128];

    snprintf(prefix, sizeof(prefix), "%s{", name);
    return count_lines(text, prefix);
}

static struct target_status status_of(struct bench *b, size_t entry, int64_t now_mono_ms)
{
    struct snapshot *s = bench_snapshot(b, now_mono_ms);
    size_t n;
    const struct target_status *statuses = snapshot_targets(s, &n);
    struct target_status status;

    assert_true(entry < n);
    status = statuses[entry];
    /* The strings go with the snapshot; those that tests look at are compared elsewhere. */
    snapshot_unref(s);
    return status;
}

/* --- before the first refresh --- */

static void test_nothing_is_watched(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 0);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(text.len, 0);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS) == INT64_MAX);
    bench_stop(&b);
}

static void test_before_the_first_refresh(void **state)
{
    static const char *const absent[] = {
        A "up",
        A "namespace_deployments",
        A "namespace_jobs",
        A "refresh_success",
        A "refresh_duration_seconds",
        A "refresh_last_attempt_timestamp_seconds",
        A "refresh_pages",
        A "refresh_objects",
        A "refresh_objects_expected",
        A "api_requests_total",
    };
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    bench_text(&b, T0_MS, &text);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        assert_int_equal(samples_of(&text, absent[i]), 0);
    assert_int_equal(count_lines(&text, A "deployment_"), 0);
    expect(&text, A "target_info", 0,
           ",target=\"prod\",region_id=\"cn-hangzhou\","
           "endpoint=\"ververica.cn-hangzhou.aliyuncs.com\"",
           "1");
    expect(&text, A "refreshes_total", 0, DEPLOYMENTS, "0");
    expect(&text, A "refreshes_missed_total", 0, DEPLOYMENTS, "0");
    expect(&text, A "refresh_interval_seconds", 0, DEPLOYMENTS, "60");
    expect(&text, A "refresh_last_success_timestamp_seconds", 0, DEPLOYMENTS, "0");
    expect(&text, A "data_withheld", 0, DEPLOYMENTS, "0");
    expect(&text, A "api_retries_total", 0, OPERATION, "0");
    expect(&text, A "api_throttled_total", 0, OPERATION, "0");
    expect(&text, A "api_rate_limit_waits_total", 0, "", "0");
    expect(&text, A "api_rate_limit_wait_seconds_total", 0, "", "0");
    /* All reasons are there from the start, so that the first failure is seen as an increase. */
    assert_int_equal(samples_of(&text, A "refresh_failures_total"), 13);
    assert_int_equal(samples_of(&text, A "api_request_failures_total"), 13);
    for (int reason = ERR_DNS; reason < ERR_REASON_END; reason++) {
        char more[96];

        snprintf(more, sizeof(more), DEPLOYMENTS ",reason=\"%s\"",
                 err_kind_name((enum err_kind)reason));
        expect(&text, A "refresh_failures_total", 0, more, "0");
    }
    bench_stop(&b);
}

static void test_a_refresh_under_way(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    inventory_refresh_begun(b.inventory, 0, COLLECTOR_DEPLOYMENTS, U0_MS + 70);
    inventory_refresh_missed(b.inventory, 0, COLLECTOR_DEPLOYMENTS);
    inventory_refresh_missed(b.inventory, 0, COLLECTOR_DEPLOYMENTS);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "refreshes_total", 0, DEPLOYMENTS, "1");
    expect(&text, A "refreshes_missed_total", 0, DEPLOYMENTS, "2");
    expect(&text, A "refresh_last_attempt_timestamp_seconds", 0, DEPLOYMENTS, "1790001200.07");
    assert_int_equal(samples_of(&text, A "up"), 0);
    assert_int_equal(samples_of(&text, A "refresh_success"), 0);
    assert_false(status_of(&b, 0, T0_MS).tried);
    bench_stop(&b);
}

/* --- success and failure --- */

static void test_success(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct target_status status;

    (void)state;
    bench_start(&b, 1);
    assert_false(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    assert_false(inventory_withheld(b.inventory, 0, COLLECTOR_DEPLOYMENTS, INT64_MAX));
    assert_false(inventory_succeeded(b.inventory, 0));
    bench_succeed(&b, 0, three(), T0_MS);
    assert_true(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    assert_true(inventory_succeeded(b.inventory, 0));
    bench_text(&b, T0_MS, &text);
    expect(&text, A "up", 0, "", "1");
    expect(&text, A "refresh_success", 0, DEPLOYMENTS, "1");
    expect(&text, A "refresh_duration_seconds", 0, DEPLOYMENTS, "2.41");
    expect(&text, A "refresh_last_attempt_timestamp_seconds", 0, DEPLOYMENTS, "1790001197.59");
    expect(&text, A "refresh_last_success_timestamp_seconds", 0, DEPLOYMENTS, "1790001200");
    expect(&text, A "refresh_pages", 0, DEPLOYMENTS, "1");
    expect(&text, A "refresh_objects", 0, DEPLOYMENTS, "3");
    expect(&text, A "refresh_objects_expected", 0, DEPLOYMENTS, "3");
    expect(&text, A "namespace_deployments", 0, "", "3");
    expect(&text, A "namespace_jobs", 0, ",state=\"running\"", "3");
    expect(&text, A "namespace_jobs", 0, ",state=\"failed\"", "6");
    expect(&text, A "namespace_jobs", 0, ",state=\"starting\"", "0");
    assert_int_equal(samples_of(&text, A "deployment_jobs"), 18);
    assert_int_equal(samples_of(&text, A "deployment_info"), 3);
    status = status_of(&b, 0, T0_MS);
    assert_true(status.tried && status.success && !status.withheld);
    assert_null(status.reason);
    assert_null(status.message);
    assert_int_equal(status.deployments, 3);
    assert_int_equal(status.jobs_running, 3);
    assert_int_equal(status.jobs_failed, 6);
    assert_int_equal(status.duration_ms, 2410);
    assert_int_equal(status.interval_ms, 60000);
    assert_true(status.last_success_unix_ms == U0_MS);
    assert_true(status.last_attempt_unix_ms == U0_MS - 2410);
    bench_stop(&b);
}

/* What is deleted is gone with the next whole listing; what is new is there. */
static void test_listing_replaces_listing(void **state)
{
    static const uint32_t later[] = {2, 3, 9};
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_succeed(&b, 0, listing_of_numbers(later, 3), T0_MS + 60000);
    bench_text(&b, T0_MS + 60000, &text);
    assert_null(strstr(text.ptr, "d-00000001"));
    assert_non_null(strstr(text.ptr, "d-00000002"));
    assert_non_null(strstr(text.ptr, "d-00000009"));
    bench_succeed(&b, 0, listing_of(NULL, 0), T0_MS + 120000);
    bench_text(&b, T0_MS + 120000, &text);
    assert_int_equal(count_lines(&text, A "deployment_"), 0);
    expect(&text, A "namespace_deployments", 0, "", "0");
    expect(&text, A "namespace_jobs", 0, ",state=\"failed\"", "0");
    expect(&text, A "up", 0, "", "1");
    expect(&text, A "refreshes_total", 0, DEPLOYMENTS, "3");
    bench_stop(&b);
}

static void test_failure_keeps_the_data(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct snapshot *s;
    const struct target_status *status;
    size_t n;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_fail(&b, 0, ERR_TIMEOUT, "page 2: no answer", T0_MS + 60000);
    bench_fail(&b, 0, ERR_TIMEOUT, "page 1: no answer", T0_MS + 120000);
    bench_fail(&b, 0, ERR_NOMEM, NULL, T0_MS + 180000); /* counted as internal */
    bench_text(&b, T0_MS + 180000, &text);
    expect(&text, A "up", 0, "", "0");
    expect(&text, A "refresh_success", 0, DEPLOYMENTS, "0");
    expect(&text, A "refresh_last_success_timestamp_seconds", 0, DEPLOYMENTS, "1790001200");
    expect(&text, A "refresh_last_attempt_timestamp_seconds", 0, DEPLOYMENTS, "1790001377.59");
    expect(&text, A "refresh_failures_total", 0, DEPLOYMENTS ",reason=\"timeout\"", "2");
    expect(&text, A "refresh_failures_total", 0, DEPLOYMENTS ",reason=\"internal\"", "1");
    expect(&text, A "refresh_failures_total", 0, DEPLOYMENTS ",reason=\"dns\"", "0");
    expect(&text, A "namespace_deployments", 0, "", "3");
    assert_int_equal(samples_of(&text, A "deployment_info"), 3);
    assert_true(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    assert_false(inventory_succeeded(b.inventory, 0));
    bench_fail(&b, 0, ERR_TLS, "certificate expired", T0_MS + 190000);
    s = bench_snapshot(&b, T0_MS + 190000);
    status = snapshot_targets(s, &n);
    assert_string_equal(status->reason, "tls");
    assert_string_equal(status->message, "certificate expired");
    assert_true(status->tried && !status->success && !status->withheld);
    /* The snapshot's strings are its own. */
    bench_succeed(&b, 0, three(), T0_MS + 200000);
    bench_configure(&b, 0);
    assert_string_equal(status->message, "certificate expired");
    assert_string_equal(status->namespace_name, "ns-0");
    assert_string_equal(status->endpoint, "https://ververica.cn-hangzhou.aliyuncs.com");
    snapshot_unref(s);
    bench_stop(&b);
}

static void test_success_after_failure(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    bench_fail(&b, 0, ERR_DNS, "no such host", T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "up", 0, "", "0");
    assert_int_equal(samples_of(&text, A "namespace_deployments"), 0);
    assert_int_equal(samples_of(&text, A "refresh_pages"), 0);
    expect(&text, A "data_withheld", 0, DEPLOYMENTS, "0"); /* there is none */
    assert_int_equal(status_of(&b, 0, T0_MS).jobs_failed, -1);
    bench_succeed(&b, 0, three(), T0_MS + 60000);
    bench_text(&b, T0_MS + 60000, &text);
    expect(&text, A "up", 0, "", "1");
    expect(&text, A "refresh_failures_total", 0, DEPLOYMENTS ",reason=\"dns\"", "1");
    assert_null(status_of(&b, 0, T0_MS + 60000).reason);
    bench_stop(&b);
}

/* Zero jobs of no deployments is a fact; zero jobs of deployments that tell nothing is made up. */
static void test_jobs_nobody_tells_of(void **state)
{
    struct deployment d[2] = {record_absent("a", ""), record_absent("b", "")};
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, listing_of(d, 2), T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "namespace_deployments", 0, "", "2");
    assert_int_equal(samples_of(&text, A "namespace_jobs"), 0);
    assert_int_equal(status_of(&b, 0, T0_MS).jobs_running, -1);
    memset(d[1].jobs, 0, sizeof(d[1].jobs));
    bench_succeed(&b, 0, listing_of(d, 2), T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "namespace_jobs", 0, ",state=\"failed\"", "0");
    assert_int_equal(status_of(&b, 0, T0_MS).jobs_running, 0);
    bench_stop(&b);
}

static void test_a_listing_that_was_not_announced(void **state)
{
    struct listing *listing = three();
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    listing->expected = -1;
    listing->invalid = 2;
    listing->over_limit = 5;
    listing->duplicates = 7; /* read, but not one more object */
    bench_start(&b, 1);
    bench_succeed(&b, 0, listing, T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "refresh_objects", 0, DEPLOYMENTS, "10");
    assert_int_equal(samples_of(&text, A "refresh_objects_expected"), 0);
    bench_stop(&b);
}

static void test_all_tried(void **state)
{
    struct bench b;

    (void)state;
    bench_start(&b, 3);
    for (size_t i = 0; i < 3; i++) {
        CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);

        assert_false(snapshot_all_tried(s));
        if (i == 1)
            bench_fail(&b, i, ERR_CONNECT, "refused", T0_MS); /* failing is trying */
        else
            bench_succeed(&b, i, three(), T0_MS);
    }
    CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);
    assert_true(snapshot_all_tried(s));
    bench_stop(&b);
}

/* --- withholding --- */

static void expect_shown(struct bench *b, int64_t now_mono_ms, bool shown)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    bench_text(b, now_mono_ms, &text);
    expect(&text, A "data_withheld", 0, DEPLOYMENTS, shown ? "0" : "1");
    expect(&text, A "namespace_deployments", 0, "", shown ? "3" : "");
    expect(&text, A "namespace_jobs", 0, ",state=\"failed\"", shown ? "6" : "");
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        const struct deployment_family *family = &deployment_families[f];
        bool counter = family->family.type == METRIC_COUNTER;
        char header[128];

        snprintf(header, sizeof(header), "# HELP %s ", family->family.name);
        if (counter || !shown)
            assert_int_equal(count_lines(&text, header), counter);
        assert_int_equal(samples_of(&text, family->family.name) > 0,
                         count_lines(&text, header) > 0);
    }
    /* Health and counters are never withheld. */
    expect(&text, A "namespace_job_failures_total", 0, "", "0");
    expect(&text, A "refresh_objects", 0, DEPLOYMENTS, "3");
    expect(&text, A "refreshes_total", 0, DEPLOYMENTS, "2");
    expect(&text, A "refresh_failures_total", 0, DEPLOYMENTS ",reason=\"timeout\"", "1");
    expect(&text, A "up", 0, "", "0");
    assert_int_equal(status_of(b, 0, now_mono_ms).withheld, !shown);
    assert_int_equal(inventory_withheld(b->inventory, 0, COLLECTOR_DEPLOYMENTS, now_mono_ms),
                     !shown);
}

static void test_withholding(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS) == INT64_MAX);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_fail(&b, 0, ERR_TIMEOUT, "no answer", T0_MS + 60000);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS) == T0_MS + 300000);
    expect_shown(&b, T0_MS + 299999, true);
    expect_shown(&b, T0_MS + 300000, false);
    expect_shown(&b, T0_MS + 99999999, false);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS + 299999) == T0_MS + 300000);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS + 300000) == INT64_MAX);
    assert_true(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    /* A longer limit shows it again, at once; a success, too. */
    b.targets[0].max_staleness_ms = 400000;
    bench_configure(&b, 1);
    expect_shown(&b, T0_MS + 399999, true);
    expect_shown(&b, T0_MS + 400000, false);
    bench_succeed(&b, 0, three(), T0_MS + 500000);
    bench_text(&b, T0_MS + 500000, &text);
    expect(&text, A "data_withheld", 0, DEPLOYMENTS, "0");
    assert_int_equal(samples_of(&text, A "deployment_info"), 3);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS + 500000) == T0_MS + 900000);
    bench_stop(&b);
}

static void test_withholding_one_of_two(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 2);
    b.targets[1].max_staleness_ms = 100000;
    bench_configure(&b, 2);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_succeed(&b, 1, three(), T0_MS + 10);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS) == T0_MS + 100010);
    bench_text(&b, T0_MS + 100010, &text);
    assert_int_equal(samples_of(&text, A "deployment_info"), 3);
    expect(&text, A "namespace_deployments", 0, "", "3");
    expect(&text, A "namespace_deployments", 1, "", "");
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS + 100010) == T0_MS + 300000);
    bench_stop(&b);
}

/* --- requests --- */

static void test_request_counters(void **state)
{
    struct api_stats stats = {.rate_limit_waits = 3, .rate_limit_wait_ms = 1250};
    struct refresh_outcome failure = {.kind = ERR_HTTP, .message = "500", .stats = &stats};
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct err err = {0};

    (void)state;
    stats.operations[0].retries = 2;
    stats.operations[0].throttled = 1;
    stats.operations[0].failures[ERR_THROTTLED] = 1;
    api_stats_count(&stats, OPERATION_LIST_DEPLOYMENTS, 200);
    api_stats_count(&stats, OPERATION_LIST_DEPLOYMENTS, 429);
    for (int code = 500; code < 520; code++)
        api_stats_count(&stats, OPERATION_LIST_DEPLOYMENTS, code);
    api_stats_count(&stats, OPERATION_LIST_DEPLOYMENTS, 0);
    bench_start(&b, 1);
    /* Its requests count, too. */
    assert_int_equal(inventory_refresh_done(b.inventory, 0, COLLECTOR_DEPLOYMENTS, &failure, &err),
                     -1);
    inventory_add_stats(b.inventory, 0, &stats);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "api_requests_total", 0, OPERATION ",code=\"200\"", "2");
    expect(&text, A "api_requests_total", 0, OPERATION ",code=\"429\"", "2");
    expect(&text, A "api_requests_total", 0, OPERATION ",code=\"512\"", "2");
    expect(&text, A "api_requests_total", 0, OPERATION ",code=\"other\"", "16");
    assert_int_equal(samples_of(&text, A "api_requests_total"), API_STATS_CODES);
    expect(&text, A "api_request_failures_total", 0, OPERATION ",reason=\"throttled\"", "2");
    expect(&text, A "api_request_failures_total", 0, OPERATION ",reason=\"dns\"", "0");
    expect(&text, A "api_retries_total", 0, OPERATION, "4");
    expect(&text, A "api_throttled_total", 0, OPERATION, "2");
    expect(&text, A "api_rate_limit_waits_total", 0, "", "6");
    expect(&text, A "api_rate_limit_wait_seconds_total", 0, "", "2.5");
    bench_stop(&b);
}

static void test_request_without_response(void **state)
{
    struct api_stats stats = {0};
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    api_stats_count(&stats, OPERATION_LIST_DEPLOYMENTS, 0);
    bench_start(&b, 2);
    inventory_add_stats(b.inventory, 1, &stats);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "api_requests_total", 1, OPERATION ",code=\"none\"", "1");
    assert_int_equal(samples_of(&text, A "api_requests_total"), 1);
    bench_stop(&b);
}

/* --- live counters --- */

static void test_live_counters(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 2);
    registry_text(b.registry, &before);
    assert_int_equal(expect_exposition(&before, EXPO_TEXT), 7); /* all values, zeros too */
    for (size_t i = 0; i < 3; i++) {
        struct listing *listing = three();

        listing->over_limit = 1;
        listing->duplicates = 20;
        listing->invalid = 300;
        listing->too_long = 4000;
        listing->invalid_utf8 = 50000;
        bench_succeed(&b, i % 2, listing, T0_MS);
    }
    bench_fail(&b, 0, ERR_API, "no", T0_MS);
    bench_configure(&b, 0); /* what was counted stays counted */
    registry_text(b.registry, &text);
    assert_string_equal(
        strbuf_str(&text),
        "# HELP aliyun_flink_exporter_objects_dropped_total Objects left out, by reason.\n"
        "# TYPE aliyun_flink_exporter_objects_dropped_total counter\n"
        "aliyun_flink_exporter_objects_dropped_total{reason=\"object_limit\"} 3\n"
        "aliyun_flink_exporter_objects_dropped_total{reason=\"series_limit\"} 0\n"
        "aliyun_flink_exporter_objects_dropped_total{reason=\"duplicate\"} 60\n"
        "aliyun_flink_exporter_objects_dropped_total{reason=\"invalid\"} 900\n"
        "# HELP aliyun_flink_exporter_label_values_sanitized_total Label values changed before "
        "exposition, by reason.\n"
        "# TYPE aliyun_flink_exporter_label_values_sanitized_total counter\n"
        "aliyun_flink_exporter_label_values_sanitized_total{reason=\"too_long\"} 12000\n"
        "aliyun_flink_exporter_label_values_sanitized_total{reason=\"invalid_utf8\"} 150000\n"
        "# HELP aliyun_flink_exporter_state_save_failures_total Writes of the state file that "
        "failed.\n"
        "# TYPE aliyun_flink_exporter_state_save_failures_total counter\n"
        "aliyun_flink_exporter_state_save_failures_total 0\n");
    bench_stop(&b);
}

/* --- sharing between generations --- */

/* Pieces of b that a does not have. */
static size_t count_new(const struct snapshot *a, const struct snapshot *b)
{
    size_t n_a, n_b, n_new = 0;
    struct piece *const *of_a = snapshot_pieces(a, EXPO_TEXT, &n_a);
    struct piece *const *of_b = snapshot_pieces(b, EXPO_TEXT, &n_b);

    for (size_t i = 0; i < n_b; i++) {
        bool found = false;

        for (size_t j = 0; j < n_a && !found; j++)
            found = of_a[j] == of_b[i];
        n_new += !found;
    }
    return n_new;
}

static void test_generations_share(void **state)
{
    struct bench b;
    struct snapshot *first, *second, *third;
    struct listing *listing = three();
    size_t n;

    (void)state;
    bench_start(&b, 2);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_succeed(&b, 1, three(), T0_MS);
    first = bench_snapshot(&b, T0_MS);
    /* The same again: only the two pieces of the namespaces' families are new. */
    bench_succeed(&b, 0, three(), T0_MS + 60000);
    second = bench_snapshot(&b, T0_MS + 60000);
    assert_int_equal(count_new(first, second), 2);
    (void)snapshot_pieces(second, EXPO_TEXT, &n);
    assert_int_equal(n, 15 + 2 * 15 + 2); /* max_slots is told by none, and nothing failed */
    /* A value of one deployment: its own piece, too. */
    listing->items[2].jobs[JOB_RUNNING]++;
    bench_succeed(&b, 1, listing, T0_MS + 60000);
    third = bench_snapshot(&b, T0_MS + 60000);
    assert_int_equal(count_new(second, third), 3);
    snapshot_unref(first);
    snapshot_unref(second);
    snapshot_unref(third);
    bench_stop(&b);
}

/* The deployments' families and the namespaces' loop outermost: one block a family. */
static void test_family_order(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *p;

    (void)state;
    bench_start(&b, 3);
    for (size_t i = 0; i < 3; i++)
        bench_succeed(&b, i, three(), T0_MS);
    bench_text(&b, T0_MS, &text);
    p = strbuf_str(&text);
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        char header[128];

        snprintf(header, sizeof(header), "# HELP %s ", deployment_families[f].family.name);
        if (!strstr(header, "max_slots") && !strstr(header, "last_job_failure")) {
            p = strstr(p, header);
            assert_non_null(p);
        }
    }
    /* Namespaces in the order of the configuration. */
    p = strstr(p, "\n" A "namespace_deployments{");
    assert_non_null(p);
    for (size_t i = 0; i < 3; i++) {
        const char *line = series(A "namespace_deployments", i, "");

        assert_memory_equal(p + 1, line, strlen(line));
        p = strchr(p + 1, '\n');
    }
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_watched),
        cmocka_unit_test(test_before_the_first_refresh),
        cmocka_unit_test(test_a_refresh_under_way),
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_listing_replaces_listing),
        cmocka_unit_test(test_failure_keeps_the_data),
        cmocka_unit_test(test_success_after_failure),
        cmocka_unit_test(test_jobs_nobody_tells_of),
        cmocka_unit_test(test_a_listing_that_was_not_announced),
        cmocka_unit_test(test_all_tried),
        cmocka_unit_test(test_withholding),
        cmocka_unit_test(test_withholding_one_of_two),
        cmocka_unit_test(test_request_counters),
        cmocka_unit_test(test_request_without_response),
        cmocka_unit_test(test_live_counters),
        cmocka_unit_test(test_generations_share),
        cmocka_unit_test(test_family_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
