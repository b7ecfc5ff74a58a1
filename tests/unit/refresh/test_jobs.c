/* A refresh of jobs as a worker runs it, against a made-up control plane; what it logs. */
#include "jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "base/log.h"
#include "fake_api.h"

struct watcher {
    struct api_client *client;
    struct target target;
    struct records *records;
    struct job_set *set;
    struct job_result result;
    char log[65536]; /* of the last refresh */
};

/* All run, with so many failed jobs each. */
static struct records *running(size_t n, int64_t failed)
{
    CLEANUP(listing_freep) struct listing *listing = listing_new();
    struct records *records;
    struct err err;

    listing->items = arena_calloc(listing->arena, n + 1, sizeof(*listing->items));
    listing->n_items = n;
    for (size_t i = 0; i < n; i++) {
        struct deployment *d = &listing->items[i];
        char id[24];

        snprintf(id, sizeof(id), "d%03zu", i);
        *d = (struct deployment){.id = arena_strdup(listing->arena, id), .name = "name"};
        d->execution_mode = d->engine_version = d->artifact_kind = d->target = "";
        d->target_mode = d->resource_setting_mode = d->draft_id = "";
        d->jobs[JOB_RUNNING] = 1;
        d->jobs[JOB_FAILED] = failed;
    }
    assert_int_equal(records_new(listing, NULL, &records, &err), 0);
    return records;
}

static void start(struct watcher *w, size_t n)
{
    struct err err;

    fake_reset();
    *w = (struct watcher){
        .target = {.name = "t",
                   .endpoint = "https://one",
                   .page_size = 100,
                   .max_job_requests = 100},
        .records = running(n, 0),
    };
    assert_int_equal(api_client_new(NULL, &w->client, &err), 0);
}

static void stop(struct watcher *w)
{
    records_unref(w->records);
    job_set_unref(w->set);
    api_client_free(w->client);
}

static int refresh(struct watcher *w)
{
    const struct api_request request = {
        .target = &w->target,
        .namespace_name = "n",
        .deadline_mono_ms = clock_mono_ms() + 60000,
    };
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO), rc;

    assert_true(file && saved >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    w->result = (struct job_result){0};
    rc = jobs_refresh(w->client, &request, w->records, w->set, &w->result);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    w->log[fread(w->log, 1, sizeof(w->log) - 1, file)] = '\0';
    fclose(file);
    if (w->result.jobs) {
        job_set_unref(w->set);
        w->set = TAKE(w->result.jobs);
    }
    return rc;
}

static struct deployment_jobs failed(const char *job, int64_t ago_s)
{
    struct deployment_jobs jobs = deployment_jobs_none("");

    jobs.n_active = 1;
    jobs.restarts = 3;
    jobs.failed_id = job;
    jobs.failed_unix_s = clock_unix_ms() / 1000 - ago_s;
    jobs.reason = "Reason";
    jobs.message = "line one\nline two";
    return jobs;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static void new_records(struct watcher *w, size_t n, int64_t n_failed)
{
    records_unref(w->records);
    w->records = running(n, n_failed);
}

static void test_a_failure_is_told_once(void **state)
{
    struct deployment_jobs old = failed("job-1", 100000), young = failed("job-2", 1);
    struct watcher w;

    (void)state;
    start(&w, 2);
    fake_set_jobs("d000", ERR_NONE, &old);
    assert_int_equal(refresh(&w), 0);
    assert_string_equal(w.log, "");
    assert_int_equal(w.set->answered, 2);
    assert_int_equal(job_set_find(w.set, "d000")->restarts, 3);
    new_records(&w, 2, 1);
    fake_set_jobs("d000", ERR_NONE, &young);
    assert_int_equal(refresh(&w), 0);
    assert_int_equal(count(w.log, "\n"), 1);
    assert_non_null(strstr(w.log, "level=warn"));
    assert_non_null(strstr(w.log, "a job of the deployment failed: line one"));
    assert_null(strstr(w.log, "line one\n"));
    assert_non_null(
        strstr(w.log, "target=t namespace=n deployment=d000 name=name job=job-2 failed_at=2"));
    assert_non_null(strstr(w.log, "reason=Reason"));
    assert_int_equal(refresh(&w), 0);
    assert_string_equal(w.log, "");
    assert_int_equal(w.result.stats.operations[OPERATION_LIST_JOBS].codes[0].code, 200);
    stop(&w);
}

static void test_many_failures_are_summed_up(void **state)
{
    struct deployment_jobs young = failed("job", 0);
    struct watcher w;

    (void)state;
    start(&w, 50);
    assert_int_equal(refresh(&w), 0);
    for (int i = 0; i < 50; i++) {
        char id[24];

        snprintf(id, sizeof(id), "d%03d", i);
        fake_set_jobs(id, ERR_NONE, &young);
    }
    assert_int_equal(refresh(&w), 0);
    assert_int_equal(count(w.log, "\n"), 21);
    assert_non_null(strstr(w.log, "jobs of 30 more deployments failed"));
    stop(&w);
}

static void test_some_are_refused(void **state)
{
    struct watcher w;

    (void)state;
    start(&w, 3);
    fake_set_jobs("d000", ERR_PARSE, NULL);
    fake_set_jobs("d001", ERR_NOT_FOUND, NULL);
    assert_int_equal(refresh(&w), 0);
    assert_int_equal(w.result.unread.n, 1);
    assert_int_equal(w.result.unread.err.kind, ERR_PARSE);
    assert_int_equal(w.set->wanted, 3);
    assert_int_equal(w.set->answered, 2);
    assert_int_equal(job_set_find(w.set, "d000")->answered_unix_ms, 0);
    assert_int_equal(job_set_find(w.set, "d001")->n_active, 0);
    /* Nobody is answered. */
    fake_set_jobs("d001", ERR_PARSE, NULL);
    fake_set_jobs("d002", ERR_PARSE, NULL);
    assert_int_equal(refresh(&w), -1);
    assert_int_equal(w.result.err.kind, ERR_PARSE);
    assert_int_equal(job_set_find(w.set, "d002")->n_active, 1); /* known from before */
    stop(&w);
}

/* What concerns all ends it; what was learned stays; who ended it comes last next time. */
static void test_what_concerns_all(void **state)
{
    struct watcher w;

    (void)state;
    start(&w, 3);
    fake_set_jobs("d001", ERR_PERMISSION, NULL);
    assert_int_equal(refresh(&w), -1);
    assert_int_equal(w.result.err.kind, ERR_PERMISSION);
    assert_true(job_set_find(w.set, "d000")->answered_unix_ms > 0);
    assert_int_equal(fake_jobs_asked("d002"), 0);
    assert_int_equal(refresh(&w), -1);
    assert_int_equal(fake_jobs_asked("d002"), 1);
    assert_int_equal(fake_jobs_asked("d000"), 2);
    assert_int_equal(fake_jobs_asked("d001"), 2);
    stop(&w);
}

static void test_nothing_to_ask(void **state)
{
    struct watcher w;

    (void)state;
    start(&w, 0);
    assert_int_equal(refresh(&w), 0);
    assert_int_equal(w.set->wanted, 0);
    assert_int_equal(fake_seen("n:jobs").begun, 0);
    /* And no listing yet, which is no set either: the first listing is to be the first. */
    records_unref(TAKE(w.records));
    job_set_unref(TAKE(w.set));
    assert_int_equal(refresh(&w), 0);
    assert_null(w.set);
    stop(&w);
}

static void test_no_memory(void **state)
{
    struct watcher w;
    size_t n;

    (void)state;
    start(&w, 5);
    for (n = 1;; n++) {
        const struct api_request request = {.target = &w.target,
                                            .namespace_name = "n",
                                            .deadline_mono_ms = clock_mono_ms() + 60000};
        struct job_result result = {0};
        int rc;

        alloc_fail_at(n);
        rc = jobs_refresh(w.client, &request, w.records, NULL, &result);
        alloc_fail_off();
        job_set_unref(result.jobs);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(result.err.kind, ERR_NOMEM);
    }
    assert_true(n > 3);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_is_told_once),
        cmocka_unit_test(test_many_failures_are_summed_up),
        cmocka_unit_test(test_some_are_refused),
        cmocka_unit_test(test_what_concerns_all),
        cmocka_unit_test(test_nothing_to_ask),
        cmocka_unit_test(test_no_memory),
    };

    log_setup(LOG_INFO, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
