/* Drafts in the exposition: what is shown of them, drift, withholding, sharing, settings. */
#include "inventory/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "bench.h"
#include "inventory/select.h"

#define A      "aliyun_flink_"
#define DRAFTS ",collector=\"drafts\""
#define BOTH   (1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_DRAFTS)

static void start(struct bench *b)
{
    bench_start(b, 1);
    b->targets[0].collectors = BOTH;
    bench_configure(b, 1);
}

static void take(struct bench *b, struct listing *drafts, int64_t now_ms)
{
    bench_done(b, 0, COLLECTOR_DRAFTS, (struct refresh_outcome){.listing = drafts}, now_ms);
}

static struct listing *one_and_two(void)
{
    static const uint32_t numbers[] = {1, 2};

    return listing_of_numbers(numbers, 2);
}

static void expect(const struct strbuf *text, const char *name, const char *more, const char *value)
{
    const char *what = series(name, 0, more);

    if (strcmp(value_of(text, what), value) != 0)
        fail_msg("%s is '%s', not '%s'", what, value_of(text, what), value);
}

#define OF_A ",deployment_draft_id=\"a\",draft_name=\"first \\\"one\\\"\""
#define OF_B ",deployment_draft_id=\"b\",draft_name=\"second\""

static void fill(struct draft drafts[2])
{
    drafts[0] = draft_full("a", "first \"one\"", "d-00000001");
    drafts[1] = draft_full("b", "second", "");
    drafts[1].locked = 1;
    drafts[1].lock_holder = "li \"si\"";
    drafts[1].created_unix_s = drafts[1].modified_unix_s = 0;
    drafts[1].engine_version = "";
}

static void test_values(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct listing *listing;
    struct bench b;

    (void)state;
    fill(drafts);
    start(&b);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 0);
    expect(&text, A "namespace_drafts", "", "");
    expect(&text, A "refreshes_total", DRAFTS, "0");
    expect(&text, A "data_withheld", DRAFTS, "0");
    expect(&text, A "refresh_pages", DRAFTS, "");
    expect(&text, A "api_retries_total", ",operation=\"ListDeploymentDrafts\"", "0");

    listing = listing_of_drafts(drafts, 2);
    listing->invalid = 3;
    listing->expected = 5;
    listing->pages = 7;
    take(&b, listing, T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "namespace_drafts", "", "2");
    expect(&text, A "refresh_pages", DRAFTS, "7");
    expect(&text, A "refresh_objects", DRAFTS, "5");
    expect(&text, A "refresh_objects_expected", DRAFTS, "5");
    expect(&text, A "refresh_success", DRAFTS, "1");
    expect(&text, A "refresh_success", ",collector=\"deployments\"", "");
    expect(&text, A "draft_info",
           OF_A
           ",deployment_id=\"d-00000001\",execution_mode=\"streaming\",engine_version=\"vvr-8.0."
           "11-flink-1.17\",artifact_kind=\"sqlscript\"",
           "1");
    expect(&text, A "draft_info",
           OF_B
           ",deployment_id=\"\",execution_mode=\"streaming\",engine_version=\"\",artifact_kind="
           "\"sqlscript\"",
           "1");
    expect(&text, A "draft_created_timestamp_seconds", OF_A, "1765990000");
    expect(&text, A "draft_created_timestamp_seconds", OF_B, "");
    expect(&text, A "draft_modified_timestamp_seconds", OF_A, "1790000000");
    expect(&text, A "draft_modified_timestamp_seconds", OF_B, "");
    expect(&text, A "draft_locked", OF_A, "0");
    expect(&text, A "draft_locked", OF_B, "1");
    assert_int_equal(count_lines(&text, A "draft_lock_info"), 0);
    assert_int_equal(count_lines(&text, A "draft_drifted"), 0); /* of what deployments there are */
    bench_stop(&b);
}

static void test_lock_holder(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    start(&b);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    b.draft_lock_holder = true;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "draft_lock_info", OF_B ",holder=\"li \\\"si\\\"\"", "1");
    assert_int_equal(count_lines(&text, A "draft_lock_info"), 1);
    /* Whoever locked it and is not told has no series; who unlocked it neither. */
    drafts[0].locked = 1;
    drafts[1].locked = 0;
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_lock_info"), 0);
    expect(&text, A "draft_locked", OF_A, "1");
    drafts[0].lock_holder = "x";
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    b.draft_lock_holder = false;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_lock_info"), 0);
    bench_stop(&b);
}

/* --- drift --- */

static void expect_drift(struct bench *b, int64_t now_ms, const char *value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    bench_text(b, now_ms, &text);
    expect(&text, A "draft_drifted", OF_A, value);
    expect(&text, A "draft_drifted", OF_B, "");
}

static struct listing *with_content(uint64_t content)
{
    struct listing *listing = one_and_two();

    listing->items[0].content_hash = content;
    return listing;
}

/* Whichever side changes, it is decided anew. */
static void test_drift(void **state)
{
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    drafts[0].content_hash = 5;
    start(&b);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    expect_drift(&b, T0_MS, "");
    bench_succeed(&b, 0, with_content(5), T0_MS);
    expect_drift(&b, T0_MS, "0");
    drafts[0].content_hash = 6;
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    expect_drift(&b, T0_MS, "1");
    bench_succeed(&b, 0, with_content(6), T0_MS);
    expect_drift(&b, T0_MS, "0");
    drafts[0].deployment_id = "d-00000003"; /* one that is not there */
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    expect_drift(&b, T0_MS, "");
    bench_stop(&b);
}

/* Deployments that are withheld, or not collected any more, tell nothing. */
static void test_drift_without_deployments(void **state)
{
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    start(&b);
    bench_succeed(&b, 0, with_content(0), T0_MS);
    take(&b, listing_of_drafts(drafts, 2), T0_MS + 10000);
    expect_drift(&b, T0_MS + 299999, "0");
    expect_drift(&b, T0_MS + 300000, "");
    bench_succeed(&b, 0, with_content(0), T0_MS + 300000);
    expect_drift(&b, T0_MS + 300001, "0");
    b.targets[0].collectors = 1u << COLLECTOR_DRAFTS;
    bench_configure(&b, 1);
    expect_drift(&b, T0_MS + 300001, "");
    assert_false(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    assert_true(inventory_has_data(b.inventory, 0, COLLECTOR_DRAFTS));
    assert_true(inventory_succeeded(b.inventory, 0));
    b.targets[0].collectors = BOTH;
    bench_configure(&b, 1);
    assert_false(inventory_succeeded(b.inventory, 0)); /* it has to be tried again */
    bench_succeed(&b, 0, with_content(0), T0_MS + 300001);
    expect_drift(&b, T0_MS + 300001, "0");
    bench_stop(&b);
}

/* --- health --- */

static void test_two_collectors(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;
    const struct target_status *status;
    struct draft drafts[2];
    struct bench b;
    size_t n;

    (void)state;
    fill(drafts);
    start(&b);
    bench_succeed(&b, 0, one_and_two(), T0_MS);
    s = bench_snapshot(&b, T0_MS);
    assert_false(snapshot_all_tried(s)); /* drafts were not */
    snapshot_unref(TAKE(s));
    bench_done(&b, 0, COLLECTOR_DRAFTS,
               (struct refresh_outcome){.kind = ERR_PERMISSION, .message = "no right"}, T0_MS + 5);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "up", "", "0");
    expect(&text, A "refresh_success", ",collector=\"deployments\"", "1");
    expect(&text, A "refresh_success", DRAFTS, "0");
    expect(&text, A "refresh_failures_total", DRAFTS ",reason=\"permission\"", "1");
    assert_false(inventory_succeeded(b.inventory, 0));
    s = bench_snapshot(&b, T0_MS);
    assert_true(snapshot_all_tried(s));
    status = snapshot_targets(s, &n);
    assert_false(status[0].success);
    assert_string_equal(status[0].reason, "permission");
    assert_string_equal(status[0].message, "drafts: no right");
    assert_true(status[0].failing_since_unix_ms == U0_MS + 5);
    assert_int_equal(status[0].deployments, 2);
    assert_true(status[0].last_success_unix_ms == 0);
    take(&b, listing_of_drafts(drafts, 2), T0_MS + 60000);
    bench_text(&b, T0_MS + 60000, &text);
    expect(&text, A "up", "", "1");
    assert_true(inventory_succeeded(b.inventory, 0));
    bench_stop(&b);
}

/* Each collector by its own last success. */
static void test_withholding(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    start(&b);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    bench_succeed(&b, 0, one_and_two(), T0_MS + 100);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS) == T0_MS + 300000);
    bench_text(&b, T0_MS + 300000, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 0);
    expect(&text, A "namespace_drafts", "", "");
    expect(&text, A "namespace_deployments", "", "2");
    expect(&text, A "data_withheld", DRAFTS, "1");
    expect(&text, A "data_withheld", ",collector=\"deployments\"", "0");
    expect(&text, A "refresh_objects", DRAFTS, "2");
    assert_true(inventory_withheld(b.inventory, 0, COLLECTOR_DRAFTS, T0_MS + 300000));
    assert_false(inventory_withheld(b.inventory, 0, COLLECTOR_DEPLOYMENTS, T0_MS + 300000));
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS + 300000) == T0_MS + 300100);
    bench_stop(&b);
}

static void test_live_counters(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct listing *listing;
    struct bench b;

    (void)state;
    fill(drafts);
    listing = listing_of_drafts(drafts, 2);
    listing->over_limit = 1;
    listing->duplicates = 2;
    listing->invalid = 3;
    listing->too_long = 4;
    start(&b);
    take(&b, listing, T0_MS);
    registry_text(b.registry, &text);
    assert_string_equal(
        value_of(&text, A "exporter_objects_dropped_total{reason=\"object_limit\"}"), "1");
    assert_string_equal(value_of(&text, A "exporter_objects_dropped_total{reason=\"duplicate\"}"),
                        "2");
    assert_string_equal(value_of(&text, A "exporter_objects_dropped_total{reason=\"invalid\"}"),
                        "3");
    assert_string_equal(
        value_of(&text, A "exporter_label_values_sanitized_total{reason=\"too_long\"}"), "4");
    bench_stop(&b);
}

/* --- settings --- */

static void test_deny_and_aggregation(void **state)
{
    static const char *const patterns[] = {A "draft_*_timestamp_seconds", A "namespace_drafts"};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    start(&b);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    bench_succeed(&b, 0, one_and_two(), T0_MS);
    b.deny = (struct glob_list){.patterns = patterns, .n_patterns = 2};
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 2 + 2 + 1); /* info, locked, drifted */
    expect(&text, A "namespace_drafts", "", "");
    b.deny = (struct glob_list){0};
    b.aggregate = true;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 0);
    expect(&text, A "namespace_drafts", "", "2");
    take(&b, listing_of_drafts(drafts, 1), T0_MS); /* rendered under it, too */
    b.aggregate = false;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 1 + 1 + 1 + 1 + 1);
    bench_stop(&b);
}

static void test_collector_goes(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    start(&b);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    bench_succeed(&b, 0, one_and_two(), T0_MS);
    b.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 0);
    expect(&text, A "namespace_drafts", "", "");
    expect(&text, A "refreshes_total", DRAFTS, "");
    expect(&text, A "up", "", "1");
    b.targets[0].collectors = BOTH;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, A "draft_"), 0);
    expect(&text, A "refreshes_total", DRAFTS, "1"); /* counters go on */
    expect(&text, A "refresh_last_success_timestamp_seconds", DRAFTS, "0");
    expect(&text, A "data_withheld", DRAFTS, "0");
    bench_stop(&b);
}

static void test_parts_shown(void **state)
{
    static const struct {
        const char *deny[8];
        bool aggregate;
        unsigned jobs, resources;
    } cases[] = {
        {{NULL}, false, 1, 1},
        {{A "deployment_jobs"}, false, 1, 1},
        {{A "deployment_jobs", A "namespace_jobs"}, false, 1, 1}, /* events are told from them */
        {{A "*_job*", A "deployment_jobs", A "*_status"}, false, 0, 1},
        {{A "*_job*", A "deployment_jobs"}, false, 1, 1},            /* the status is, too */
        {{A "*jobs", A "*_job_*_total", A "*_status"}, false, 1, 1}, /* the last failure is */
        {{A "*jobs", A "*_job_*_total", A "*_last_job_failure_*", A "*_status"}, false, 0, 1},
        {{NULL}, true, 1, 0},
        {{A "namespace_jobs"}, true, 1, 0},
        {{A "namespace_job*"}, true, 0, 0},
        {{A "deployment_info"}, false, 1, 1},
        {{A "deployment_info", A "deployment_*manager_*", A "deployment_parallelism"}, false, 1, 1},
        {{A "deployment_info", A "deployment_*manager_*", A "deployment_parallelism",
          A "deployment_max_slots"},
         false,
         1,
         0},
        {{A "deployment_*manager_*", A "deployment_parallelism", A "deployment_max_slots"},
         false,
         1,
         1}, /* info shows the mode */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct glob_list deny = {.patterns = cases[i].deny};
        struct inventory_settings settings = {.deny = &deny,
                                              .aggregate_by_namespace = cases[i].aggregate};
        unsigned parts;

        while (cases[i].deny[deny.n_patterns])
            deny.n_patterns++;
        parts = inventory_parts_shown(&settings);
        if (!(parts & DEPLOYMENT_JOBS) == !!cases[i].jobs ||
            !(parts & DEPLOYMENT_RESOURCES) == !!cases[i].resources)
            fail_msg("case %zu", i);
    }
}

/* --- sharing --- */

#define MANY 1000

static char ids[MANY][16], refs[MANY][16];

static struct listing *many(size_t without, size_t changed)
{
    static struct draft drafts[MANY];
    size_t n = 0;

    for (size_t i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof(ids[i]), "draft-%04zu", i);
        snprintf(refs[i], sizeof(refs[i]), "d-%08zu", i);
        if (i == without)
            continue;
        drafts[n] = draft_full(ids[i], "x", refs[i]);
        drafts[n].modified_unix_s += i == changed;
        n++;
    }
    return listing_of_drafts(drafts, n);
}

static struct listing *many_deployments(size_t changed)
{
    static uint32_t numbers[MANY];
    struct listing *listing;

    for (uint32_t i = 0; i < MANY; i++)
        numbers[i] = i;
    listing = listing_of_numbers(numbers, MANY);
    for (size_t i = 0; i < MANY; i++)
        listing->items[i].modified_unix_s = INT64_C(1790000000) - (i == changed);
    return listing;
}

/* Pieces of draft families in b that a does not have; *ret_all counts all of them. */
static size_t count_new(const struct snapshot *a, const struct snapshot *b, size_t *ret_all)
{
    size_t n_a, n_b, n_new = 0;
    struct piece *const *of_a = snapshot_pieces(a, EXPO_TEXT, &n_a);
    struct piece *const *of_b = snapshot_pieces(b, EXPO_TEXT, &n_b);

    *ret_all = 0;
    for (size_t i = 0; i < n_b; i++) {
        bool found = false;
        size_t len;

        if (strncmp(piece_text(of_b[i], &len), A "draft_", strlen(A "draft_")) != 0)
            continue;
        ++*ret_all;
        for (size_t j = 0; j < n_a && !found; j++)
            found = of_a[j] == of_b[i];
        n_new += !found;
    }
    return n_new;
}

/* What a step changed: pieces of draft families that are new. */
static size_t step(struct bench *b, struct snapshot **before)
{
    struct snapshot *after = bench_snapshot(b, T0_MS);
    size_t all, n = count_new(*before, after, &all);

    assert_in_range(all, 5 * 4, 5 * 20); /* pieces of about 128 records */
    snapshot_unref(*before);
    *before = after;
    return n;
}

static void test_sharing(void **state)
{
    struct snapshot *s;
    struct bench b;

    (void)state;
    start(&b);
    bench_succeed(&b, 0, many_deployments(SIZE_MAX), T0_MS);
    take(&b, many(SIZE_MAX, SIZE_MAX), T0_MS);
    s = bench_snapshot(&b, T0_MS);
    take(&b, many(SIZE_MAX, SIZE_MAX), T0_MS);
    assert_int_equal(step(&b, &s), 0);
    bench_succeed(&b, 0, many_deployments(SIZE_MAX), T0_MS);
    assert_int_equal(step(&b, &s), 0);
    take(&b, many(SIZE_MAX, 500), T0_MS); /* modified, and with that drifted */
    assert_int_equal(step(&b, &s), 2);
    bench_succeed(&b, 0, many_deployments(7), T0_MS); /* one more drifts */
    assert_int_equal(step(&b, &s), 1);
    take(&b, many(SIZE_MAX, SIZE_MAX), T0_MS);
    assert_int_equal(step(&b, &s), 2);
    take(&b, many(500, SIZE_MAX), T0_MS); /* its block, in all five families, at most */
    assert_in_range(step(&b, &s), 4, 10);
    snapshot_unref(s);
    bench_stop(&b);
}

/* One target's drafts only, by selection. */
static void test_select(void **state)
{
    bool families[256] = {false};
    struct draft drafts[2];
    struct selection selection;
    struct snapshot *s;
    struct bench b;
    struct err err;
    size_t len;

    (void)state;
    fill(drafts);
    start(&b);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    s = bench_snapshot(&b, T0_MS);
    for (size_t f = 0; f < snapshot_families(); f++)
        families[f] = strcmp(snapshot_family(f)->name, A "draft_locked") == 0;
    assert_int_equal(snapshot_select(s, EXPO_TEXT, "prod", families, &selection, &err), 0);
    assert_int_equal(selection.n_spans, 2); /* the header and the samples, each a piece */
    assert_memory_equal(piece_text(selection.spans[1].piece, &len), A "draft_locked{",
                        strlen(A "draft_locked{"));
    selection_release(&selection);
    snapshot_unref(s);
    bench_stop(&b);
}

/* --- no memory --- */

/* Without memory at any point the refresh fails as a whole, and both sides stay as they were. */
static void expect_all_or_nothing(struct bench *b, enum collector collector,
                                  struct listing *(*make)(void))
{
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    size_t n = 1;

    for (;; n++) {
        struct refresh_outcome outcome = {.listing = make(), .ended_mono_ms = T0_MS};
        struct err err = {0};
        int rc;

        bench_text(b, T0_MS, &before);
        alloc_fail_at(n);
        rc = inventory_refresh_done(b->inventory, 0, collector, &outcome, &err);
        alloc_fail_off();
        bench_text(b, T0_MS, &after);
        if (rc == 0)
            break;
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_int_equal(count_lines(&after, A "draft_"), count_lines(&before, A "draft_"));
        assert_string_equal(value_of(&after, series(A "draft_drifted", 0, OF_A)), "0");
        assert_true(n < 10000);
    }
    assert_true(n > 5);
    assert_string_equal(value_of(&after, series(A "draft_drifted", 0, OF_A)), "1");
}

static struct listing *drifted_drafts(void)
{
    struct draft drafts[2];

    fill(drafts);
    drafts[0].modified_unix_s++;
    return listing_of_drafts(drafts, 2);
}

static struct listing *older_deployments(void)
{
    struct listing *listing = one_and_two();

    listing->items[0].modified_unix_s--;
    return listing;
}

static void test_no_memory(void **state)
{
    struct draft drafts[2];
    struct bench b;

    (void)state;
    fill(drafts);
    for (int side = 0; side < 2; side++) {
        start(&b);
        bench_succeed(&b, 0, one_and_two(), T0_MS);
        take(&b, listing_of_drafts(drafts, 2), T0_MS);
        if (side == 0)
            expect_all_or_nothing(&b, COLLECTOR_DRAFTS, drifted_drafts);
        else
            expect_all_or_nothing(&b, COLLECTOR_DEPLOYMENTS, older_deployments);
        bench_stop(&b);
    }
}

static void test_configure_without_memory(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct draft drafts[2];
    struct bench b;
    struct err err;
    size_t n = 1;

    (void)state;
    fill(drafts);
    start(&b);
    bench_succeed(&b, 0, one_and_two(), T0_MS);
    take(&b, listing_of_drafts(drafts, 2), T0_MS);
    b.draft_lock_holder = true;
    for (;; n++) {
        int rc;

        alloc_fail_at(n);
        rc = bench_try_configure(&b, 1, &err);
        alloc_fail_off();
        bench_text(&b, T0_MS, &text);
        if (rc == 0)
            break;
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_int_equal(count_lines(&text, A "draft_lock_info"), 0);
    }
    assert_true(n > 8);
    assert_int_equal(count_lines(&text, A "draft_lock_info"), 1);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_lock_holder),
        cmocka_unit_test(test_drift),          cmocka_unit_test(test_drift_without_deployments),
        cmocka_unit_test(test_two_collectors), cmocka_unit_test(test_withholding),
        cmocka_unit_test(test_live_counters),  cmocka_unit_test(test_deny_and_aggregation),
        cmocka_unit_test(test_collector_goes), cmocka_unit_test(test_parts_shown),
        cmocka_unit_test(test_sharing),        cmocka_unit_test(test_select),
        cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_configure_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
