/* What a generation tells of collectors and of failed jobs beside its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "bench.h"

enum { MANY = 1000 };

static void start(struct bench *b)
{
    bench_start(b, 2);
    b->targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_JOBS;
    b->targets[1].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    bench_configure(b, 2);
}

static struct deployment_jobs failed(const char *id, int64_t unix_s, const char *reason)
{
    struct deployment_jobs jobs = deployment_jobs_none(id);

    jobs.answered_mono_ms = T0_MS;
    jobs.answered_unix_ms = U0_MS;
    jobs.failed_id = "job";
    jobs.failed_unix_s = unix_s;
    jobs.reason = reason;
    jobs.message = "why";
    return jobs;
}

static void take(struct bench *b, const struct deployment_jobs *jobs, size_t n)
{
    bench_done(b, 0, COLLECTOR_JOBS, (struct refresh_outcome){.jobs = jobs_of(jobs, n)}, T0_MS);
}

static void ask(const struct snapshot *s, size_t target, size_t max, struct job_failures *ret)
{
    struct err err = {0};

    assert_int_equal(snapshot_job_failures(s, target, max, ret, &err), 0);
}

static void test_order_and_names(void **state)
{
    const struct deployment ds[] = {record_absent("a", "name a"), record_absent("b", "name b"),
                                    record_absent("d", "name d"), record_absent("e", "name e")};
    struct deployment_jobs jobs[] = {failed("a", 100, "A"), failed("b", 300, "B"),
                                     failed("c", 200, "C"), deployment_jobs_none("d"),
                                     failed("e", 0, "")};
    CLEANUP(job_failures_release) struct job_failures f = {0};
    struct snapshot *s;
    struct bench b;

    (void)state;
    start(&b);
    bench_succeed(&b, 0, listing_of(ds, 4), T0_MS);
    jobs[0].failure_outdated = true;
    take(&b, jobs, 5);
    s = bench_snapshot(&b, T0_MS);
    bench_stop(&b); /* the generation has what it needs */
    ask(s, 0, 10, &f);
    assert_true(f.known);
    assert_int_equal(f.n_items, 4);
    assert_int_equal(f.n_more, 0);
    assert_string_equal(f.items[0].deployment_id, "b");
    assert_string_equal(f.items[0].deployment_name, "name b");
    assert_string_equal(f.items[0].job_id, "job");
    assert_int_equal(f.items[0].failed_unix_s, 300);
    assert_string_equal(f.items[0].reason, "B");
    assert_string_equal(f.items[0].message, "why");
    assert_false(f.items[0].outdated);
    assert_string_equal(f.items[1].deployment_id, "c");
    assert_null(f.items[1].deployment_name); /* it was not in the listing */
    assert_string_equal(f.items[2].deployment_id, "a");
    assert_true(f.items[2].outdated);
    assert_string_equal(f.items[3].deployment_id, "e"); /* nobody knows when */
    snapshot_unref(s);
}

static void test_none(void **state)
{
    struct deployment_jobs jobs[] = {jobs_running("a", 7, T0_MS)};
    struct job_failures f;
    struct snapshot *s;
    struct bench b;

    (void)state;
    start(&b);
    s = bench_snapshot(&b, T0_MS);
    for (size_t target = 0; target < 2; target++) {
        ask(s, target, 10, &f);
        assert_false(f.known);
        assert_int_equal(f.n_items + f.n_more, 0);
        job_failures_release(&f);
    }
    snapshot_unref(s);
    take(&b, jobs, 1); /* without a listing */
    s = bench_snapshot(&b, T0_MS);
    ask(s, 0, 10, &f);
    assert_true(f.known);
    assert_int_equal(f.n_items + f.n_more, 0);
    job_failures_release(&f);
    snapshot_unref(s);
    bench_stop(&b);
}

/* Against sorting them all. */
static void test_many(void **state)
{
    static char ids[MANY][32], names[MANY][32];
    static struct deployment ds[MANY];
    static struct deployment_jobs jobs[MANY];
    static const size_t maxima[] = {0, 1, 7, 200, MANY - 1, MANY, MANY + 5};
    struct snapshot *s;
    struct bench b;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof(ids[i]), "d-%08d", i);
        snprintf(names[i], sizeof(names[i]), "name %d", i);
        ds[i] = record_absent(ids[i], names[i]);
        jobs[i] = failed(ids[i], 1 + i * 389 % MANY, "R"); /* 389 is prime to 1000: each once */
    }
    start(&b);
    bench_succeed(&b, 0, listing_of(ds, MANY), T0_MS);
    take(&b, jobs, MANY);
    s = bench_snapshot(&b, T0_MS);
    for (size_t m = 0; m < ARRAY_LEN(maxima); m++) {
        size_t max = maxima[m], n = max < MANY ? max : MANY;
        struct job_failures f;

        ask(s, 0, max, &f);
        assert_int_equal(f.n_items, n);
        assert_int_equal(f.n_more, MANY - n);
        for (size_t i = 0; i < n; i++) {
            size_t number = (size_t)atoi(f.items[i].deployment_id + 2);

            assert_int_equal(f.items[i].failed_unix_s, MANY - i);
            assert_int_equal(jobs[number].failed_unix_s, MANY - i);
            assert_string_equal(f.items[i].deployment_name, names[number]);
        }
        job_failures_release(&f);
    }
    snapshot_unref(s);
    bench_stop(&b);
}

/* Of the same second, those with the smaller ids, in their order. */
static void test_same_second(void **state)
{
    const struct deployment_jobs jobs[] = {failed("a", 5, ""), failed("b", 5, ""),
                                           failed("c", 5, "")};
    CLEANUP(job_failures_release) struct job_failures f = {0};
    struct snapshot *s;
    struct bench b;

    (void)state;
    start(&b);
    take(&b, jobs, 3);
    s = bench_snapshot(&b, T0_MS);
    ask(s, 0, 2, &f);
    assert_string_equal(f.items[0].deployment_id, "a");
    assert_string_equal(f.items[1].deployment_id, "b");
    assert_int_equal(f.n_more, 1);
    snapshot_unref(s);
    bench_stop(&b);
}

/* Too old to be in the metrics: the page that says why has it all the same. */
static void test_withheld(void **state)
{
    const struct deployment ds[] = {record_absent("a", "name a")};
    const struct deployment_jobs jobs[] = {failed("a", 5, "")};
    CLEANUP(job_failures_release) struct job_failures f = {0};
    const struct target_status *targets;
    struct snapshot *s;
    struct bench b;
    size_t n;

    (void)state;
    start(&b);
    bench_succeed(&b, 0, listing_of(ds, 1), T0_MS);
    take(&b, jobs, 1);
    s = bench_snapshot(&b, T0_MS + b.targets[0].max_staleness_ms + 1);
    targets = snapshot_targets(s, &n);
    assert_true(targets[0].collectors[0].withheld);
    assert_true(targets[0].collectors[1].withheld);
    assert_false(targets[1].collectors[0].withheld); /* it has nothing */
    ask(s, 0, 2, &f);
    assert_int_equal(f.n_items, 1);
    assert_string_equal(f.items[0].deployment_name, "name a");
    snapshot_unref(s);
    bench_stop(&b);
}

/* A collector that goes takes with it what it told. */
static void test_collector_goes(void **state)
{
    const struct deployment_jobs jobs[] = {failed("a", 5, "")};
    const struct target_status *targets;
    struct job_failures f;
    struct snapshot *s;
    struct bench b;
    size_t n;

    (void)state;
    start(&b);
    take(&b, jobs, 1);
    bench_done(&b, 0, COLLECTOR_JOBS, (struct refresh_outcome){.kind = ERR_DNS, .message = "x"},
               T0_MS);
    b.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    bench_configure(&b, 2);
    s = bench_snapshot(&b, T0_MS);
    assert_int_equal(snapshot_targets(s, &n)[0].n_collectors, 1);
    ask(s, 0, 10, &f);
    assert_false(f.known);
    snapshot_unref(s);
    b.targets[0].collectors |= 1u << COLLECTOR_JOBS;
    bench_configure(&b, 2);
    s = bench_snapshot(&b, T0_MS);
    targets = snapshot_targets(s, &n);
    assert_int_equal(targets[0].n_collectors, 2);
    assert_int_equal(targets[0].collectors[1].last_failure_unix_ms, 0);
    assert_null(targets[0].collectors[1].reason);
    snapshot_unref(s);
    bench_stop(&b);
}

static void test_collectors(void **state)
{
    const struct refresh_plan later = {false, T0_MS + 60000, 3}, now = {true, INT64_MAX, 0};
    const struct deployment ds[] = {record_absent("a", "name a")};
    const struct collector_status *c;
    const struct target_status *targets;
    struct job_set *set;
    struct snapshot *s;
    struct bench b;
    size_t n;

    (void)state;
    start(&b);
    s = bench_snapshot(&b, T0_MS);
    targets = snapshot_targets(s, &n);
    assert_int_equal(n, 2);
    assert_int_equal(targets[0].n_collectors, 2);
    assert_int_equal(targets[1].n_collectors, 1);
    c = &targets[0].collectors[1];
    assert_string_equal(c->name, "jobs");
    assert_false(c->tried || c->running);
    assert_int_equal(c->last_attempt_unix_ms, 0);
    assert_int_equal(c->next_unix_ms, 0);
    assert_int_equal(c->objects, -1);
    assert_null(c->reason);
    snapshot_unref(s);

    bench_succeed(&b, 0, listing_of(ds, 1), T0_MS);
    bench_fail(&b, 1, ERR_THROTTLED, "slow down", T0_MS);
    set = jobs_of(NULL, 0);
    set->answered = 4;
    set->wanted = 9;
    bench_done(&b, 0, COLLECTOR_JOBS, (struct refresh_outcome){.jobs = set}, T0_MS);
    inventory_refresh_planned(b.inventory, 0, COLLECTOR_JOBS, &now);
    inventory_refresh_planned(b.inventory, 1, COLLECTOR_DEPLOYMENTS, &later);
    s = bench_snapshot(&b, T0_MS);
    targets = snapshot_targets(s, &n);
    c = &targets[0].collectors[0];
    assert_true(c->tried && c->success);
    assert_int_equal(c->pages, 1);
    assert_int_equal(c->objects, 1);
    assert_int_equal(c->duration_ms, 2410);
    c = &targets[0].collectors[1];
    assert_true(c->running);
    assert_int_equal(c->next_unix_ms, 0);
    assert_int_equal(c->objects, 4);
    assert_int_equal(c->expected, 9);
    assert_int_equal(c->pages, -1);
    c = &targets[1].collectors[0];
    assert_true(c->tried && !c->success);
    assert_string_equal(c->reason, "throttled");
    assert_string_equal(c->message, "slow down");
    assert_int_equal(c->failures, 3);
    assert_true(c->failing_since_unix_ms > 0);
    assert_int_equal(c->failing_since_unix_ms, c->last_failure_unix_ms);
    assert_in_range(c->next_unix_ms, clock_unix_ms() + 1000, clock_unix_ms() + 60000);
    snapshot_unref(s);

    /* What the last failure was is told when it is over. */
    bench_succeed(&b, 1, listing_of(ds, 1), T0_MS);
    s = bench_snapshot(&b, T0_MS);
    targets = snapshot_targets(s, &n);
    assert_null(targets[1].reason);
    c = &targets[1].collectors[0];
    assert_true(c->success);
    assert_int_equal(c->failing_since_unix_ms, 0);
    assert_string_equal(c->reason, "throttled");
    assert_string_equal(c->message, "slow down");
    snapshot_unref(s);
    bench_stop(&b);
}

static void test_no_memory(void **state)
{
    const struct deployment ds[] = {record_absent("a", "name a")};
    const struct deployment_jobs jobs[] = {failed("a", 5, "")};
    struct err err = {0};
    struct snapshot *s = NULL;
    struct bench b;

    (void)state;
    start(&b);
    bench_succeed(&b, 0, listing_of(ds, 1), T0_MS);
    take(&b, jobs, 1);
    for (size_t n = 1;; n++) {
        int rc;

        alloc_fail_at(n);
        rc = inventory_snapshot(b.inventory, T0_MS, &s, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n)
            break;
        assert_int_equal(rc, -1);
    }
    for (size_t n = 1;; n++) {
        struct job_failures f;
        int rc;

        alloc_fail_at(n);
        rc = snapshot_job_failures(s, 0, 10, &f, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_true(n > 2);
            assert_int_equal(f.n_items, 1);
            job_failures_release(&f);
            break;
        }
        assert_int_equal(rc, -1);
        assert_null(f.items);
    }
    snapshot_unref(s);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_names),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_same_second),
        cmocka_unit_test(test_withheld),
        cmocka_unit_test(test_collector_goes),
        cmocka_unit_test(test_collectors),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
