/* A new configuration over old data: what stays, what goes, what is rendered again; no memory. */
#include "inventory/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "bench.h"

#define A           "aliyun_flink_"
#define DEPLOYMENTS ",collector=\"deployments\""

static struct listing *three(void)
{
    return listing_of_numbers((uint32_t[]){1, 2, 3}, 3);
}

static void expect(const struct strbuf *text, const char *name, size_t entry, const char *more,
                   const char *value)
{
    const char *what = series(name, entry, more);

    if (strcmp(value_of(text, what), value) != 0)
        fail_msg("%s is '%s', not '%s'", what, value_of(text, what), value);
}

static void swap(struct bench *b, size_t i, size_t j)
{
    struct target target = b->targets[i];
    const char *name = b->namespaces[i];

    b->targets[i] = b->targets[j];
    b->namespaces[i] = b->namespaces[j];
    b->targets[j] = target;
    b->namespaces[j] = name;
}

/* --- which namespaces --- */

static void test_the_same_again(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;

    (void)state;
    bench_start(&b, 2);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_fail(&b, 1, ERR_DNS, "no such host", T0_MS);
    inventory_refresh_missed(b.inventory, 1, COLLECTOR_DEPLOYMENTS);
    bench_text(&b, T0_MS, &before);
    bench_configure(&b, 2);
    bench_text(&b, T0_MS, &after);
    assert_string_equal(after.ptr, before.ptr);
    bench_stop(&b);
}

/* Entries are found by workspace and namespace, wherever they stand. */
static void test_other_order(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 3);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_fail(&b, 2, ERR_DNS, "no such host", T0_MS);
    swap(&b, 0, 2);
    bench_configure(&b, 3);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "up", 0, "", "1");
    expect(&text, A "up", 2, "", "0");
    assert_true(inventory_has_data(b.inventory, 2, COLLECTOR_DEPLOYMENTS));
    assert_false(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    /* The exposition follows the configuration. */
    assert_true(strstr(text.ptr, series(A "up", 2, "")) < strstr(text.ptr, series(A "up", 0, "")));
    bench_stop(&b);
}

static void test_one_goes_one_comes(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 2);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_succeed(&b, 1, three(), T0_MS);
    bench_fail(&b, 1, ERR_TLS, "expired", T0_MS);
    b.namespaces[0] = "ns-2";
    bench_configure(&b, 2);
    bench_text(&b, T0_MS, &text);
    assert_null(strstr(text.ptr, "\"ns-0\""));
    expect(&text, A "refreshes_total", 2, DEPLOYMENTS, "0");
    expect(&text, A "refreshes_total", 1, DEPLOYMENTS, "2");
    expect(&text, A "refresh_failures_total", 1, DEPLOYMENTS ",reason=\"tls\"", "1");
    expect(&text, A "namespace_deployments", 1, "", "3");
    /* Back again, it begins anew. */
    b.namespaces[0] = "ns-0";
    bench_configure(&b, 2);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "refreshes_total", 0, DEPLOYMENTS, "0");
    expect(&text, A "namespace_deployments", 0, "", "");
    bench_configure(&b, 0);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(text.len, 0);
    bench_stop(&b);
}

/* Namespaces of one name in two workspaces have nothing in common. */
static void test_two_workspaces(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 0);
    b.targets[1].workspace = "other";
    b.namespaces[1] = b.namespaces[0];
    bench_configure(&b, 2);
    bench_succeed(&b, 1, three(), T0_MS);
    bench_configure(&b, 1);
    bench_configure(&b, 2);
    bench_text(&b, T0_MS, &text);
    assert_false(
        inventory_has_data(b.inventory, 1, COLLECTOR_DEPLOYMENTS)); /* it went in between */
    bench_succeed(&b, 1, three(), T0_MS);
    swap(&b, 0, 1);
    bench_configure(&b, 2);
    bench_text(&b, T0_MS, &text);
    assert_true(inventory_has_data(b.inventory, 0, COLLECTOR_DEPLOYMENTS));
    assert_string_equal(value_of(&text, A "up{workspace=\"other\",flink_namespace=\"ns-0\"}"), "1");
    expect(&text, A "up", 0, "", "");
    bench_stop(&b);
}

static void test_a_kept_entry_has_the_new_target(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;
    size_t n;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, three(), T0_MS);
    b.targets[0].name = "renamed \"x\"";
    b.targets[0].region_id = "";
    b.targets[0].host = "vpc\\host";
    b.targets[0].interval_ms = 1500;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    expect(&text, A "target_info", 0,
           ",target=\"renamed \\\"x\\\"\",region_id=\"\",endpoint=\"vpc\\\\host\"", "1");
    expect(&text, A "refresh_interval_seconds", 0, DEPLOYMENTS, "1.5");
    expect(&text, A "refreshes_total", 0, DEPLOYMENTS, "1");
    s = bench_snapshot(&b, T0_MS);
    assert_string_equal(snapshot_targets(s, &n)->target, "renamed \"x\"");
    bench_stop(&b);
}

/* --- what is left out --- */

static void test_deny(void **state)
{
    const char *patterns[] = {A "deployment_i*", A "deployment_max_slots", A "up",
                              A "refresh_failures_*"};
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;

    (void)state;
    bench_start(&b, 2);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_text(&b, T0_MS, &before);
    b.deny = (struct glob_list){.patterns = patterns, .n_patterns = ARRAY_LEN(patterns)};
    bench_configure(&b, 2);
    patterns[0] = patterns[1] = patterns[2] = patterns[3] = "?"; /* it was copied */
    bench_text(&b, T0_MS, &text);
    assert_null(strstr(text.ptr, A "deployment_info"));
    assert_null(strstr(text.ptr, "# HELP " A "up "));
    assert_null(strstr(text.ptr, A "refresh_failures_total"));
    assert_non_null(strstr(text.ptr, A "deployment_jobs"));
    assert_non_null(strstr(text.ptr, A "refreshes_total"));
    s = bench_snapshot(&b, T0_MS);
    assert_true(glob_list_match(snapshot_deny(s), A "up"));
    assert_false(glob_list_match(snapshot_deny(s), A "target_info"));
    /* New data keeps to it. */
    bench_succeed(&b, 1, three(), T0_MS);
    bench_text(&b, T0_MS, &text);
    assert_null(strstr(text.ptr, A "deployment_info"));
    /* Without it, all is back without waiting for a refresh. */
    b.deny = (struct glob_list){0};
    bench_configure(&b, 1);
    bench_configure(&b, 2);
    bench_text(&b, T0_MS, &text);
    assert_string_equal(text.ptr, before.ptr);
    bench_stop(&b);
}

static void test_deny_everything(void **state)
{
    const char *pattern = "*";
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, three(), T0_MS);
    b.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(text.len, 0);
    bench_stop(&b);
}

/* What the new settings do not touch is neither rendered nor compressed again. */
static void test_deny_shares_the_rest(void **state)
{
    const char *pattern = A "deployment_info";
    struct bench b;
    struct snapshot *before, *after;
    struct piece *const *of_before, *const *of_after;
    size_t n_before, n_after;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, three(), T0_MS);
    before = bench_snapshot(&b, T0_MS);
    b.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    bench_configure(&b, 1);
    after = bench_snapshot(&b, T0_MS);
    of_before = snapshot_pieces(before, EXPO_TEXT, &n_before);
    of_after = snapshot_pieces(after, EXPO_TEXT, &n_after);
    assert_int_equal(n_after, n_before - 2);
    for (size_t i = 0; i < 4; i++) /* jobs and status, in front of info */
        assert_ptr_equal(of_after[i], of_before[i]);
    for (size_t i = 4; i < n_after - 2; i++) /* behind them, the two of the namespaces */
        assert_ptr_equal(of_after[i], of_before[i + 2]);
    snapshot_unref(before);
    snapshot_unref(after);
    bench_stop(&b);
}

static void test_aggregation(void **state)
{
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    bench_start(&b, 1);
    bench_succeed(&b, 0, three(), T0_MS);
    bench_text(&b, T0_MS, &before);
    b.aggregate = true;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_null(strstr(text.ptr, A "deployment_"));
    expect(&text, A "namespace_deployments", 0, "", "3");
    expect(&text, A "namespace_jobs", 0, ",state=\"failed\"", "6");
    expect(&text, A "up", 0, "", "1");
    /* And back, without waiting for a refresh. */
    b.aggregate = false;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_string_equal(text.ptr, before.ptr);
    bench_stop(&b);
}

/* --- no memory --- */

static void test_new_without_memory(void **state)
{
    size_t n = 1;

    (void)state;
    for (;; n++) {
        struct registry *registry = registry_new();
        struct inventory *inventory = NULL;
        struct err err = {0};
        int rc;

        assert_non_null(registry);
        alloc_fail_at(n);
        rc = inventory_new(registry, &inventory, &err);
        alloc_fail_off();
        if (alloc_fail_count() >= n) {
            assert_int_equal(rc, -1);
            assert_int_equal(err.kind, ERR_NOMEM);
            assert_null(inventory);
        }
        inventory_free(inventory);
        registry_free(registry);
        if (alloc_fail_count() < n)
            break;
    }
    assert_true(n > 24);
}

/* Old: ns-0 and ns-1 with data, ns-1 failing. New: ns-1, ns-2, ns-0 under other settings. */
static void prepare(struct bench *b)
{
    static const char *const patterns[] = {A "deployment_info", "x*"};

    bench_start(b, 2);
    bench_succeed(b, 0, three(), T0_MS);
    bench_succeed(b, 1, three(), T0_MS);
    bench_fail(b, 1, ERR_DNS, "no such host", T0_MS);
    swap(b, 0, 1);
    swap(b, 1, 2);
    b->deny = (struct glob_list){.patterns = patterns, .n_patterns = ARRAY_LEN(patterns)};
}

static void test_configure_without_memory(void **state)
{
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    size_t n = 1;

    (void)state;
    for (;; n++) {
        struct bench b;
        struct err err = {0};
        int rc;

        prepare(&b);
        bench_text(&b, T0_MS, &before);
        alloc_fail_at(n);
        rc = bench_try_configure(&b, 3, &err);
        alloc_fail_off();
        bench_text(&b, T0_MS, &after);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            assert_null(strstr(after.ptr, A "deployment_info"));
            expect(&after, A "namespace_deployments", 0, "", "3");
            expect(&after, A "refreshes_total", 2, DEPLOYMENTS, "0");
            bench_stop(&b);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_string_equal(after.ptr, before.ptr); /* nothing has changed */
        bench_stop(&b);
    }
    assert_true(n > 10);
}

static void test_refresh_without_memory(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    size_t n = 1, failures = 0;

    (void)state;
    for (;; n++) {
        struct refresh_outcome outcome = {.ended_mono_ms = T0_MS + 1};
        struct err err = {0};
        struct bench b;
        int rc;

        bench_start(&b, 1);
        bench_succeed(&b, 0, three(), T0_MS);
        outcome.listing = listing_of_numbers((uint32_t[]){2, 3, 4, 5}, 4);
        outcome.listing->duplicates = 1;
        alloc_fail_at(n);
        rc = inventory_refresh_done(b.inventory, 0, COLLECTOR_DEPLOYMENTS, &outcome, &err);
        alloc_fail_off();
        assert_int_equal(err.kind, rc < 0 ? ERR_NOMEM : ERR_NONE);
        assert_null(outcome.listing);
        bench_text(&b, T0_MS, &text);
        if (rc == 0) { /* or what failed was only giving memory back */
            expect(&text, A "namespace_deployments", 0, "", "4");
            bench_stop(&b);
            if (alloc_fail_count() < n)
                break;
            continue;
        }
        failures++;
        expect(&text, A "namespace_deployments", 0, "", "3");
        expect(&text, A "up", 0, "", "0");
        expect(&text, A "refresh_failures_total", 0, DEPLOYMENTS ",reason=\"internal\"", "1");
        assert_non_null(strstr(text.ptr, "d-00000001"));
        assert_null(strstr(text.ptr, "d-00000004"));
        bench_stop(&b);
    }
    assert_true(failures > 10);
}

static void test_snapshot_without_memory(void **state)
{
    const char *pattern = "x*";
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    size_t n = 1;

    (void)state;
    bench_start(&b, 0);
    b.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    bench_configure(&b, 3);
    for (size_t i = 0; i < 3; i++)
        bench_succeed(&b, i, three(), T0_MS);
    bench_fail(&b, 1, ERR_API, "no", T0_MS);
    bench_text(&b, T0_MS, &before);
    for (;; n++) {
        struct snapshot *s = NULL;
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = inventory_snapshot(b.inventory, T0_MS, &s, &err);
        alloc_fail_off();
        snapshot_unref(s);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(s);
    }
    assert_true(n > 20);
    bench_text(&b, T0_MS, &after);
    assert_string_equal(after.ptr, before.ptr);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_again),
        cmocka_unit_test(test_other_order),
        cmocka_unit_test(test_one_goes_one_comes),
        cmocka_unit_test(test_two_workspaces),
        cmocka_unit_test(test_a_kept_entry_has_the_new_target),
        cmocka_unit_test(test_deny),
        cmocka_unit_test(test_deny_everything),
        cmocka_unit_test(test_deny_shares_the_rest),
        cmocka_unit_test(test_aggregation),
        cmocka_unit_test(test_new_without_memory),
        cmocka_unit_test(test_configure_without_memory),
        cmocka_unit_test(test_refresh_without_memory),
        cmocka_unit_test(test_snapshot_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
