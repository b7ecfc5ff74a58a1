/* Jobs of deployments in the exposition: what is shown of them, when not any more, exact failures.
 */
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

#define A     "aliyun_flink_"
#define J     A "deployment_job_"
#define JOBS  ",collector=\"jobs\""
#define LAST  A "deployment_last_job_failure_timestamp_seconds"
#define OF(d) ",deployment_id=\"" d "\",deployment_name=\"name " d "\""

static void start(struct bench *b)
{
    bench_start(b, 1);
    b->targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_JOBS;
    bench_configure(b, 1);
}

static struct deployment running(const char *id, const char *name, int64_t failed)
{
    struct deployment d = record_absent(id, name);

    for (int state = 0; state < JOB_STATE_END; state++)
        d.jobs[state] = 0;
    d.jobs[JOB_RUNNING] = 1;
    d.jobs[JOB_FAILED] = failed;
    return d;
}

static void list(struct bench *b, const struct deployment *items, size_t n, int64_t now_ms)
{
    bench_succeed(b, 0, listing_of(items, n), now_ms);
}

static void take(struct bench *b, struct job_set *set, int64_t now_ms)
{
    bench_done(b, 0, COLLECTOR_JOBS, (struct refresh_outcome){.jobs = set}, now_ms);
}

static void expect_at(struct bench *b, int64_t now_ms, const char *name, const char *more,
                      const char *value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *what = series(name, 0, more);

    bench_text(b, now_ms, &text);
    if (strcmp(value_of(&text, what), value) != 0)
        fail_msg("%s is '%s', not '%s'", what, value_of(&text, what), value);
}

static void expect(struct bench *b, const char *name, const char *more, const char *value)
{
    expect_at(b, T0_MS, name, more, value);
}

static void test_values(void **state)
{
    struct deployment ds[] = {running("a", "name a", 0), running("b", "name b", 0),
                              running("c", "name c", 0), record_absent("d", "name d")};
    struct deployment_jobs jobs[] = {jobs_running("a", 7, T0_MS), jobs_running("b", 0, T0_MS),
                                     jobs_running("d", 1, T0_MS), jobs_running("gone", 9, T0_MS)};
    struct job_set *set;
    struct bench b;

    (void)state;
    start(&b);
    expect(&b, J "flink_restarts", OF("a"), "");
    expect(&b, A "refresh_objects", JOBS, "");
    expect(&b, A "api_retries_total", ",operation=\"ListJobs\"", "0");
    ds[1].jobs[JOB_RUNNING] = 0; /* stopped since */
    jobs[2].started_unix_s = 0;
    jobs[2].cpu = -1;
    jobs[2].memory = jobs[2].restarts = -1;
    list(&b, ds, 4, T0_MS);
    set = jobs_of(jobs, 4);
    set->wanted = 9;
    take(&b, set, T0_MS);
    expect(&b, J "flink_restarts", OF("a"), "7");
    expect(&b, J "started_timestamp_seconds", OF("a"), "1790000500");
    expect(&b, J "cpu_cores", OF("a"), "2.5");
    expect(&b, J "memory_bytes", OF("a"), "4096");
    expect(&b, J "flink_restarts", OF("b"), "");
    expect(&b, J "flink_restarts", OF("c"), "");
    expect(&b, J "flink_restarts", OF("d"), "");
    expect(&b, J "cpu_cores", OF("d"), "");
    expect(&b, A "refresh_objects", JOBS, "4");
    expect(&b, A "refresh_objects_expected", JOBS, "9");
    expect(&b, A "refresh_pages", JOBS, "");
    expect(&b, A "refresh_success", JOBS, "1");
    expect(&b, A "data_withheld", JOBS, "0");
    expect(&b, A "up", "", "1");
    /* The listing says that a is called otherwise, and that b runs, and d is untold as ever. */
    ds[0].name = "name z";
    ds[1].jobs[JOB_RUNNING] = 1;
    list(&b, ds, 4, T0_MS);
    expect(&b, J "flink_restarts", ",deployment_id=\"a\",deployment_name=\"name z\"", "7");
    expect(&b, J "flink_restarts", OF("a"), "");
    expect(&b, J "flink_restarts", OF("b"), "0");
    /* And that it is gone. */
    list(&b, &ds[1], 3, T0_MS);
    expect(&b, J "flink_restarts", ",deployment_id=\"a\",deployment_name=\"name z\"", "");
    expect(&b, J "flink_restarts", OF("b"), "0");
    bench_stop(&b);
}

/* With a budget that does not suffice each has an age of its own. */
static void test_too_old(void **state)
{
    struct deployment ds[] = {running("a", "name a", 0), running("b", "name b", 0)};
    struct deployment_jobs jobs[2];
    int64_t stale_ms, later_ms;
    struct bench b;

    (void)state;
    start(&b);
    stale_ms = b.targets[0].max_staleness_ms;
    jobs[0] = jobs_running("a", 1, T0_MS - stale_ms - 1);
    jobs[1] = jobs_running("b", 2, T0_MS - stale_ms);
    list(&b, ds, 2, T0_MS);
    take(&b, jobs_of(jobs, 2), T0_MS);
    expect(&b, J "flink_restarts", OF("a"), "");
    expect(&b, J "flink_restarts", OF("b"), "2");
    /* The collector as a whole. */
    bench_done(&b, 0, COLLECTOR_JOBS,
               (struct refresh_outcome){.kind = ERR_PERMISSION, .message = "no"}, T0_MS + 1000);
    expect(&b, J "flink_restarts", OF("b"), "2");
    expect(&b, A "up", "", "0");
    expect(&b, A "refresh_success", ",collector=\"deployments\"", "1");
    later_ms = T0_MS + stale_ms;
    expect_at(&b, later_ms, J "flink_restarts", OF("b"), "");
    expect_at(&b, later_ms, A "data_withheld", JOBS, "1");
    assert_true(inventory_withheld(b.inventory, 0, COLLECTOR_JOBS, later_ms));
    bench_stop(&b);
}

/* Nothing to ask for is no failure, and nothing to withhold. */
static void test_without_a_listing(void **state)
{
    struct bench b;

    (void)state;
    start(&b);
    take(&b, NULL, T0_MS);
    expect(&b, A "refresh_success", JOBS, "1");
    expect(&b, A "refresh_objects", JOBS, "0");
    expect(&b, A "up", "", "1");
    assert_false(inventory_has_data(b.inventory, 0, COLLECTOR_JOBS));
    assert_null(inventory_jobs(b.inventory, 0));
    assert_null(inventory_records(b.inventory, 0));
    bench_stop(&b);
}

static void test_last_failure(void **state)
{
    struct deployment d = running("a", "name a", 0);
    struct deployment_jobs jobs = jobs_running("a", 0, T0_MS);
    int64_t now_ms = T0_MS;
    char seen[32];
    struct bench b;

    (void)state;
    start(&b);
    list(&b, &d, 1, now_ms);
    expect(&b, LAST, OF("a"), "");
    /* From before the exporter: shown at once, not with the next listing. */
    jobs.failed_id = "f";
    jobs.failed_unix_s = 1780000000;
    take(&b, jobs_of(&jobs, 1), now_ms);
    expect(&b, LAST, OF("a"), "1780000000");
    list(&b, &d, 1, now_ms);
    expect(&b, LAST, OF("a"), "1780000000");
    /* A listing sees another one, which is not asked for yet. */
    now_ms += 60000;
    d.jobs[JOB_FAILED] = 1;
    list(&b, &d, 1, now_ms);
    snprintf(seen, sizeof(seen), "%lld", (long long)(U0_MS + 60000) / 1000);
    expect_at(&b, now_ms, LAST, OF("a"), seen);
    jobs.failed_unix_s = 1790001230;
    jobs.answered_unix_ms = U0_MS + 61000;
    take(&b, jobs_of(&jobs, 1), now_ms);
    expect_at(&b, now_ms, LAST, OF("a"), "1790001230");
    list(&b, &d, 1, now_ms + 60000);
    expect_at(&b, now_ms + 60000, LAST, OF("a"), "1790001230");
    /* One that is not to be seen. */
    jobs.failure_outdated = true;
    take(&b, jobs_of(&jobs, 1), now_ms + 60000);
    expect_at(&b, now_ms + 60000, LAST, OF("a"), seen);
    bench_stop(&b);
}

static void test_left_out(void **state)
{
    static const char *const deny[] = {J "cpu_cores"};
    struct deployment d = running("a", "name a", 0);
    struct deployment_jobs jobs = jobs_running("a", 3, T0_MS);
    struct bench b;

    (void)state;
    start(&b);
    list(&b, &d, 1, T0_MS);
    jobs.answered_mono_ms = INT64_MAX; /* bench_configure has the machine's clock */
    take(&b, jobs_of(&jobs, 1), T0_MS);
    b.deny = (struct glob_list){deny, 1};
    bench_configure(&b, 1);
    expect(&b, J "cpu_cores", OF("a"), "");
    expect(&b, J "flink_restarts", OF("a"), "3");
    b.aggregate = true;
    bench_configure(&b, 1);
    expect(&b, J "flink_restarts", OF("a"), "");
    b.aggregate = false;
    b.deny = (struct glob_list){0};
    bench_configure(&b, 1);
    expect(&b, J "cpu_cores", OF("a"), "2.5");
    /* The collector goes, and what it knew; it comes back with nothing. */
    b.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    bench_configure(&b, 1);
    expect(&b, J "flink_restarts", OF("a"), "");
    expect(&b, A "refresh_success", JOBS, "");
    b.targets[0].collectors |= 1u << COLLECTOR_JOBS;
    bench_configure(&b, 1);
    expect(&b, J "flink_restarts", OF("a"), "");
    assert_null(inventory_jobs(b.inventory, 0));
    bench_stop(&b);
}

/* --- what is shared --- */

static size_t pieces_shared(const struct snapshot *a, const struct snapshot *b, size_t *ret_n)
{
    size_t n_a, n_b, shared = 0;
    struct piece *const *pa = snapshot_pieces(a, EXPO_TEXT, &n_a);
    struct piece *const *pb = snapshot_pieces(b, EXPO_TEXT, &n_b);

    for (size_t i = 0; i < n_a; i++)
        for (size_t k = 0; k < n_b; k++)
            shared += pa[i] == pb[k];
    *ret_n = n_b;
    return shared;
}

enum { MANY = 2000 };

static void test_pieces_are_shared(void **state)
{
    static char ids[MANY][16];
    static struct deployment ds[MANY];
    static struct deployment_jobs jobs[MANY];
    struct snapshot *before, *after;
    size_t shared, n;
    struct bench b;

    (void)state;
    start(&b);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof(ids[i]), "d-%08u", i);
        ds[i] = running(ids[i], "x", 0);
        jobs[i] = jobs_running(ids[i], 0, T0_MS);
    }
    list(&b, ds, MANY, T0_MS);
    take(&b, jobs_of(jobs, MANY), T0_MS);
    before = bench_snapshot(&b, T0_MS);
    jobs[1000].restarts = 1;
    take(&b, jobs_of(jobs, MANY), T0_MS);
    after = bench_snapshot(&b, T0_MS);
    /* One of the pieces differs, and the few that are written anew each time. */
    shared = pieces_shared(before, after, &n);
    assert_in_range(shared, n - 4, n - 1);
    assert_true(n > 40);
    snapshot_unref(before);
    snapshot_unref(after);
    bench_stop(&b);
}

/* --- no memory --- */

static void test_no_memory(void **state)
{
    struct deployment d = running("a", "name a", 1);
    char restarts[24] = "", failure[24] = ""; /* as they were taken last */
    struct bench b;
    size_t n;

    (void)state;
    start(&b);
    list(&b, &d, 1, T0_MS);
    for (n = 1;; n++) {
        struct deployment_jobs jobs = jobs_running("a", (int64_t)n, T0_MS);
        struct job_set *set;
        struct refresh_outcome outcome = {.ended_mono_ms = T0_MS, .ended_unix_ms = U0_MS};
        struct err err = {0};
        int rc;

        jobs.failed_id = "f";
        jobs.failed_unix_s = 1780000000 + (int64_t)n;
        set = jobs_of(&jobs, 1);
        outcome.jobs = set;
        alloc_fail_at(n);
        rc = inventory_refresh_done(b.inventory, 0, COLLECTOR_JOBS, &outcome, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        if (rc < 0) {
            assert_int_equal(err.kind, ERR_NOMEM);
        } else { /* memory that is only given back late */
            snprintf(restarts, sizeof(restarts), "%zu", n);
            snprintf(failure, sizeof(failure), "%lld", (long long)jobs.failed_unix_s);
        }
        /* All of it, or nothing. */
        expect(&b, J "flink_restarts", OF("a"), restarts);
        expect(&b, LAST, OF("a"), failure);
    }
    assert_true(n > 5);
    /* A listing beside jobs. */
    for (n = 1;; n++) {
        struct refresh_outcome outcome = {.ended_mono_ms = T0_MS, .ended_unix_ms = U0_MS};
        struct err err = {0};
        int rc;

        d.name = n % 2 ? "one" : "two";
        outcome.listing = listing_of(&d, 1);
        alloc_fail_at(n);
        rc = inventory_refresh_done(b.inventory, 0, COLLECTOR_DEPLOYMENTS, &outcome, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_true(rc == 0 || err.kind == ERR_NOMEM);
    }
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_too_old),
        cmocka_unit_test(test_without_a_listing),
        cmocka_unit_test(test_last_failure),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_pieces_are_shared),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
