/* What is made of a deployment's jobs, and sets of that. */
#include "model/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

static struct job_record job(const char *id, const char *status, int64_t created_unix_s)
{
    return (struct job_record){
        .id = id,
        .deployment_id = "d",
        .status = status,
        .active = strcmp(status, "running") == 0 || strcmp(status, "starting") == 0,
        .failed = strcmp(status, "failed") == 0,
        .created_unix_s = created_unix_s,
        .restarts = -1,
        .cpu = -1,
        .memory = -1,
        .reason = "",
        .message = "",
    };
}

static void test_active(void **state)
{
    static const struct {
        int64_t summary[JOB_STATE_END]; /* starting, running, cancelling, then those that ended */
        int64_t active;
    } cases[] = {
        {{0, 0, 0, 9, 9, 9}, 0},    {{1, 2, 3, 9, 9, 9}, 6},   {{-1, -1, -1, -1, -1, -1}, -1},
        {{-1, 1, 0, 0, 0, 0}, 1},   {{0, -1, 0, 0, 0, 0}, -1}, {{-1, 0, 1, 0, 0, 0}, 1},
        {{0, 0, 0, -1, -1, -1}, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(deployment_jobs_active(cases[i].summary), cases[i].active);
}

static void test_no_jobs(void **state)
{
    struct deployment_jobs d = deployment_jobs_none("d");

    (void)state;
    deployment_jobs_read(&d, NULL, 0);
    assert_int_equal(d.n_active, 0);
    assert_string_equal(d.current_id, "");
    assert_string_equal(d.failed_id, "");
    assert_int_equal(d.restarts, -1);
    assert_true(d.cpu < 0);
    assert_int_equal(d.memory, -1);
}

/* Their order says nothing. */
static void test_the_newest(void **state)
{
    struct job_record jobs[] = {
        job("f1", "failed", 100),   job("r1", "running", 300), job("c1", "cancelled", 500),
        job("r2", "starting", 400), job("f2", "failed", 200),  job("u", "not_started", 900),
    };

    (void)state;
    jobs[0].failed_unix_s = 150;
    jobs[0].reason = "Old";
    jobs[1].restarts = 7;
    jobs[1].cpu = 1.5;
    jobs[1].memory = 100;
    jobs[1].started_unix_s = 301;
    jobs[3].restarts = 2;
    jobs[3].cpu = 0;
    jobs[3].started_unix_s = 401;
    jobs[4].failed_unix_s = 250;
    jobs[4].reason = "New";
    jobs[4].message = "why";
    for (size_t turn = 0; turn < ARRAY_LEN(jobs); turn++) {
        struct deployment_jobs d = deployment_jobs_none("d");
        struct job_record first = jobs[0];

        deployment_jobs_read(&d, jobs, ARRAY_LEN(jobs));
        assert_int_equal(d.n_active, 2);
        assert_string_equal(d.current_id, "r2");
        assert_string_equal(d.current_status, "starting");
        assert_int_equal(d.started_unix_s, 401);
        assert_int_equal(d.restarts, 7);
        assert_true(d.cpu == 1.5);
        assert_int_equal(d.memory, 100);
        assert_string_equal(d.failed_id, "f2");
        assert_int_equal(d.failed_unix_s, 250);
        assert_string_equal(d.reason, "New");
        assert_string_equal(d.message, "why");
        memmove(jobs, jobs + 1, sizeof(jobs) - sizeof(first));
        jobs[ARRAY_LEN(jobs) - 1] = first;
    }
    /* Without any time the first one counts: that is how they are listed. */
    struct job_record timeless[] = {job("a", "running", 0), job("b", "running", 0)};
    struct deployment_jobs d = deployment_jobs_none("d");
    deployment_jobs_read(&d, timeless, 2);
    assert_string_equal(d.current_id, "a");
}

static void test_last_failure(void **state)
{
    struct deployment_jobs d = deployment_jobs_none("d");

    (void)state;
    assert_int_equal(deployment_jobs_failure_unix_s(NULL, 0), 0);
    assert_int_equal(deployment_jobs_failure_unix_s(NULL, 500), 500);
    d.answered_unix_ms = 400000;
    assert_int_equal(deployment_jobs_failure_unix_s(&d, 500), 500); /* failedAt is not told */
    d.failed_unix_s = 300;
    assert_int_equal(deployment_jobs_failure_unix_s(&d, 0), 300); /* from before the exporter */
    assert_int_equal(deployment_jobs_failure_unix_s(&d, 350), 300);
    assert_int_equal(deployment_jobs_failure_unix_s(&d, 500), 500); /* another, not asked for yet */
    d.answered_unix_ms = 501000;
    d.failed_unix_s = 490;
    assert_int_equal(deployment_jobs_failure_unix_s(&d, 500), 490);
    d.failure_outdated = true; /* asked for, and not to be seen */
    assert_int_equal(deployment_jobs_failure_unix_s(&d, 500), 500);
}

static void test_sets(void **state)
{
    static const char *const ids[] = {"a", "b", "d"};
    struct deployment_jobs items[3];
    CLEANUP(job_set_unrefp) struct job_set *set = job_set_new();
    struct job_set *other;
    size_t cursor = 0;

    (void)state;
    assert_non_null(set);
    for (size_t i = 0; i < 3; i++)
        items[i] = deployment_jobs_none(ids[i]);
    set->items = items;
    set->n_items = 3;
    assert_ptr_equal(job_set_find(set, "b"), &items[1]);
    assert_null(job_set_find(set, "c"));
    assert_null(job_set_find(NULL, "a"));
    assert_ptr_equal(job_set_next(set, &cursor, "a"), &items[0]);
    assert_null(job_set_next(set, &cursor, "aa"));
    assert_null(job_set_next(set, &cursor, "c"));
    assert_ptr_equal(job_set_next(set, &cursor, "d"), &items[2]);
    assert_null(job_set_next(set, &cursor, "e"));
    other = job_set_ref(set);
    job_set_unref(other);
    job_set_unref(NULL);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct deployment_jobs d = deployment_jobs_none("d");
        struct job_set *set;
        int rc = -1;

        d.reason = "reason";
        d.message = "message";
        alloc_fail_at(n);
        set = job_set_new();
        if (set)
            rc = deployment_jobs_keep(&d, set->arena);
        alloc_fail_off();
        job_set_unref(set);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_active),     cmocka_unit_test(test_no_jobs),
        cmocka_unit_test(test_the_newest), cmocka_unit_test(test_last_failure),
        cmocka_unit_test(test_sets),       cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
