/* Event counters in the exposition, and what becomes of them over restarts and reloads. */
#include "inventory/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "bench.h"

#define A        "aliyun_flink_"
#define MINUTE   60000
#define FAILURES A "namespace_job_failures_total"
#define OF_D     ",deployment_id=\"d\",deployment_name=\"job\""

static char directory[64], path[128];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/test-counters-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/state", directory);
    return 0;
}

static int remove_directory(void **state)
{
    static const char *const suffixes[] = {"", ".bad", ".other", ".tmp"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char name[160];

        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    return rmdir(directory);
}

/* --- a daemon --- */

static int64_t unix_at(int64_t mono_ms)
{
    return U0_MS + (mono_ms - T0_MS);
}

/* As scheduler_start does it. */
static void start(struct bench *b, size_t n, int64_t now_ms)
{
    bench_start(b, 0);
    b->state_file = path;
    bench_configure(b, n);
    inventory_restore(b->inventory, false, unix_at(now_ms), now_ms);
    inventory_published(b->inventory, now_ms);
}

static struct listing *one(int64_t failed)
{
    struct deployment d = record_full("d", "job");

    d.jobs[JOB_FAILED] = failed;
    return listing_of(&d, 1);
}

/* A refresh, and its publication. */
static void see(struct bench *b, size_t entry, struct listing *listing, int64_t now_ms)
{
    bench_succeed(b, entry, listing, now_ms);
    inventory_save_grown(b->inventory, unix_at(now_ms), now_ms);
    inventory_published(b->inventory, now_ms);
}

static void stop(struct bench *b, int64_t now_ms)
{
    inventory_save_rest(b->inventory, unix_at(now_ms), now_ms);
    bench_stop(b);
}

static void expect(struct bench *b, const char *name, size_t entry, const char *more,
                   const char *value, int64_t now_ms)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *what = series(name, entry, more);

    bench_text(b, now_ms, &text);
    if (strcmp(value_of(&text, what), value) != 0)
        fail_msg("%s is '%s', not '%s'", what, value_of(&text, what), value);
}

static void expect_live(struct bench *b, const char *line, bool there)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    registry_text(b->registry, &text);
    if (!strstr(strbuf_str(&text), line) == there)
        fail_msg("%s\nin\n%s", line, strbuf_str(&text));
}

/* Long enough there for the counters to follow at once; the last at T0_MS + 3 minutes. */
static void see_long(struct bench *b, size_t entry, int64_t failed)
{
    for (int i = 0; i < 4; i++)
        see(b, entry, one(failed), T0_MS + i * MINUTE);
}

/* --- the exposition --- */

static void test_counters_are_there_from_the_start(void **state)
{
    struct bench b;

    (void)state;
    bench_start(&b, 1);
    expect(&b, FAILURES, 0, "", "0", T0_MS);
    expect(&b, A "namespace_job_cancellations_total", 0, "", "0", T0_MS);
    expect(&b, A "namespace_job_completions_total", 0, "", "0", T0_MS);
    expect(&b, A "namespace_job_history_reductions_total", 0, ",state=\"failed\"", "0", T0_MS);
    expect(&b, A "namespace_job_history_reductions_total", 0, ",state=\"running\"", "", T0_MS);
    expect(&b, A "namespace_deployments_added_total", 0, "", "0", T0_MS);
    expect(&b, A "namespace_deployments_removed_total", 0, "", "0", T0_MS);
    bench_stop(&b);
}

static void test_a_failure(void **state)
{
    struct bench b;
    struct listing *listing = one(8);
    int64_t then = T0_MS + 4 * MINUTE;
    char seconds[32];

    (void)state;
    bench_start(&b, 1);
    inventory_published(b.inventory, T0_MS);
    see_long(&b, 0, 7);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "0", then);
    expect(&b, A "deployment_last_job_failure_timestamp_seconds", 0, OF_D, "", then);
    listing->items[0].jobs[JOB_CANCELLED] += 2;
    listing->items[0].jobs[JOB_FINISHED] += 3;
    see(&b, 0, listing, then);
    snprintf(seconds, sizeof(seconds), "%lld", (long long)unix_at(then) / 1000);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "1", then);
    expect(&b, A "deployment_job_cancellations_total", 0, OF_D, "2", then);
    expect(&b, A "deployment_job_completions_total", 0, OF_D, "3", then);
    expect(&b, A "deployment_last_job_failure_timestamp_seconds", 0, OF_D, seconds, then);
    expect(&b, FAILURES, 0, "", "1", then);
    /* State is withheld, and what is no state stays; a failure that was not seen changes nothing.
     */
    bench_fail(&b, 0, ERR_TIMEOUT, "late", then + 10 * MINUTE);
    expect(&b, A "deployment_jobs", 0, OF_D ",state=\"failed\"", "", then + 10 * MINUTE);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "1", then + 10 * MINUTE);
    expect(&b, A "deployment_last_job_failure_timestamp_seconds", 0, OF_D, seconds,
           then + 10 * MINUTE);
    /* What happened in the dark is an increase when it is light again. */
    see(&b, 0, one(9), then + 20 * MINUTE);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "2", then + 20 * MINUTE);
    bench_stop(&b);
}

static void test_hold_is_two_intervals_at_least(void **state)
{
    struct bench b;

    (void)state;
    bench_start(&b, 0);
    b.targets[0].interval_ms = 10 * MINUTE;
    bench_configure(&b, 1);
    inventory_published(b.inventory, T0_MS);
    see(&b, 0, one(0), T0_MS);
    see(&b, 0, one(1), T0_MS + 20 * MINUTE - 1);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "0", T0_MS);
    see(&b, 0, one(1), T0_MS + 20 * MINUTE);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "1", T0_MS);
    bench_stop(&b);
}

/* A family that was denied begins with a value that Prometheus has not seen rise. */
static void test_what_was_denied_shows_its_old_value_first(void **state)
{
    static const char *const pattern = A "deployment_job_f*";
    struct bench b;

    (void)state;
    bench_start(&b, 0);
    b.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    bench_configure(&b, 1);
    inventory_published(b.inventory, T0_MS);
    see_long(&b, 0, 0);
    b.deny.n_patterns = 0;
    bench_configure(&b, 1);
    inventory_published(b.inventory, T0_MS + 4 * MINUTE);
    see(&b, 0, one(1), T0_MS + 5 * MINUTE);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "0", T0_MS);
    see(&b, 0, one(1), T0_MS + 6 * MINUTE);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "1", T0_MS);
    /* Denying something, or what is no counter, changes nothing. */
    b.deny.n_patterns = 1;
    bench_configure(&b, 1);
    see(&b, 0, one(2), T0_MS + 7 * MINUTE);
    expect(&b, FAILURES, 0, "", "2", T0_MS);
    bench_stop(&b);
}

/* Whatever allocation fails, a listing counts as a whole or not at all. */
static void test_no_memory(void **state)
{
    bool done = false;
    struct bench b;

    (void)state;
    bench_start(&b, 1);
    inventory_published(b.inventory, T0_MS);
    see_long(&b, 0, 0);
    for (size_t n = 1; !done; n++) {
        struct refresh_outcome outcome = {.listing = one(5),
                                          .began_unix_ms = unix_at(T0_MS + 4 * MINUTE),
                                          .ended_unix_ms = unix_at(T0_MS + 4 * MINUTE),
                                          .ended_mono_ms = T0_MS + 4 * MINUTE};
        struct err err = {0};

        alloc_fail_at(n);
        done = inventory_refresh_done(b.inventory, 0, COLLECTOR_DEPLOYMENTS, &outcome, &err) == 0;
        alloc_fail_off();
        expect(&b, FAILURES, 0, "", done ? "5" : "0", T0_MS + 4 * MINUTE);
        expect(&b, A "deployment_job_failures_total", 0, OF_D, done ? "5" : "0",
               T0_MS + 4 * MINUTE);
        assert_true(done ? n > 10 : err.kind == ERR_NOMEM);
    }
    bench_stop(&b);
}

/* --- restarts --- */

static void test_failures_while_it_was_down(void **state)
{
    int64_t later = T0_MS + 30 * MINUTE;
    struct bench b;

    (void)state;
    start(&b, 2, T0_MS);
    expect_live(&b, "state_last_save_timestamp_seconds", false);
    see_long(&b, 0, 3);
    see(&b, 0, one(4), T0_MS + 4 * MINUTE);
    stop(&b, T0_MS + 5 * MINUTE);

    start(&b, 2, later);
    expect(&b, FAILURES, 0, "", "1", later);
    expect(&b, FAILURES, 1, "", "0", later);
    see(&b, 0, one(6), later + MINUTE);
    expect(&b, FAILURES, 0, "", "1", later);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "1", later);
    see(&b, 0, one(6), later + 4 * MINUTE);
    expect(&b, FAILURES, 0, "", "3", later);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "3", later);
    stop(&b, later + 5 * MINUTE);
}

/* Killed after a generation was published: what it showed is in the file. */
static void test_what_is_published_is_saved(void **state)
{
    struct bench b;

    (void)state;
    start(&b, 1, T0_MS);
    see_long(&b, 0, 3);
    bench_succeed(&b, 0, one(4), T0_MS + 4 * MINUTE);
    inventory_save_grown(b.inventory, unix_at(T0_MS + 4 * MINUTE), T0_MS + 4 * MINUTE);
    expect_live(&b, A "exporter_state_last_save_timestamp_seconds 1790001440\n", true);
    expect_live(&b, A "exporter_state_save_failures_total 0\n", true);
    bench_stop(&b);
    start(&b, 1, T0_MS + 6 * MINUTE);
    expect(&b, FAILURES, 0, "", "1", T0_MS);
    bench_stop(&b);
}

static void test_when_it_saves(void **state)
{
    int64_t now = T0_MS + 3 * MINUTE, due;
    struct bench b;

    (void)state;
    bench_start(&b, 1);
    assert_true(inventory_save_mono_ms(b.inventory) == INT64_MAX); /* there is no file */
    bench_stop(&b);

    start(&b, 1, T0_MS);
    assert_true(inventory_save_mono_ms(b.inventory) <= T0_MS); /* to know that it can be written */
    see_long(&b, 0, 3);
    inventory_save(b.inventory, unix_at(now), now);
    /* Nothing changed: once in a while. */
    see(&b, 0, one(3), now + MINUTE);
    due = inventory_save_mono_ms(b.inventory) - now;
    assert_in_range(due, 30 * MINUTE, 120 * MINUTE);
    /* A purge is told before it is seen; what is not shown is saved soon. */
    see(&b, 0, one(1), now + 2 * MINUTE);
    assert_true(inventory_save_mono_ms(b.inventory) > now + 30 * MINUTE);
    bench_configure(&b, 1);
    assert_in_range(inventory_save_mono_ms(b.inventory), now, now + 3 * MINUTE);
    stop(&b, now + 3 * MINUTE);
}

static void test_saves_that_fail(void **state)
{
    struct bench b;
    int64_t now = T0_MS + 4 * MINUTE;

    (void)state;
    start(&b, 1, T0_MS);
    see_long(&b, 0, 3);
    (void)unlink(path);
    assert_int_equal(rmdir(directory), 0);
    see(&b, 0, one(4), now);
    expect(&b, FAILURES, 0, "", "1", now); /* served all the same */
    expect_live(&b, A "exporter_state_save_failures_total 1\n", true);
    /* It is tried again, not at once, and not for ever in vain. */
    assert_in_range(inventory_save_mono_ms(b.inventory), now + 1000, now + MINUTE);
    inventory_save(b.inventory, unix_at(now), now + MINUTE);
    expect_live(&b, A "exporter_state_save_failures_total 2\n", true);
    assert_int_equal(mkdir(directory, 0700), 0);
    stop(&b, now + 2 * MINUTE);
    start(&b, 1, now + 3 * MINUTE);
    expect(&b, FAILURES, 0, "", "1", now);
    bench_stop(&b);
}

static void test_a_file_that_cannot_be_used(void **state)
{
    char bad[160];
    struct bench b;
    FILE *f = fopen(path, "w");

    (void)state;
    assert_non_null(f);
    fputs("aliyun_flink_exporter state 2\nand nothing", f);
    fclose(f);
    snprintf(bad, sizeof(bad), "%s.bad", path);
    start(&b, 1, T0_MS);
    expect(&b, FAILURES, 0, "", "0", T0_MS);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(bad, F_OK), 0);
    see(&b, 0, one(3), T0_MS);
    stop(&b, T0_MS);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_who_is_restored(void **state)
{
    int64_t month = 30 * INT64_C(86400000);
    struct bench b;

    (void)state;
    start(&b, 2, T0_MS);
    see_long(&b, 0, 3);
    see_long(&b, 1, 3);
    see(&b, 0, one(4), T0_MS + 4 * MINUTE);
    see(&b, 1, one(5), T0_MS + 5 * MINUTE);
    stop(&b, T0_MS + 6 * MINUTE);

    /* Those that are watched; the others are gone from the file with the next save. */
    bench_start(&b, 0);
    b.state_file = path;
    b.namespaces[0] = "ns-1";
    bench_configure(&b, 1);
    inventory_restore(b.inventory, false, unix_at(T0_MS + 7 * MINUTE), T0_MS + 7 * MINUTE);
    expect(&b, FAILURES, 1, "", "2", T0_MS);
    stop(&b, T0_MS + 8 * MINUTE);
    start(&b, 2, T0_MS + 9 * MINUTE);
    expect(&b, FAILURES, 0, "", "0", T0_MS);
    expect(&b, FAILURES, 1, "", "2", T0_MS);
    bench_stop(&b);

    /* What is a month old is no news. */
    start(&b, 2, T0_MS + 5 * MINUTE + month - MINUTE);
    expect(&b, FAILURES, 1, "", "2", T0_MS);
    bench_stop(&b);
    start(&b, 2, T0_MS + 5 * MINUTE + month + MINUTE);
    expect(&b, FAILURES, 1, "", "0", T0_MS);
    bench_stop(&b);
}

static void test_reloads(void **state)
{
    char other[160];
    struct bench b;
    int64_t now = T0_MS + 4 * MINUTE;

    (void)state;
    snprintf(other, sizeof(other), "%s.other", path);
    start(&b, 2, T0_MS);
    see_long(&b, 0, 3);
    see(&b, 0, one(4), now);
    b.state_file = other;
    bench_configure(&b, 2);
    expect(&b, FAILURES, 0, "", "1", now);
    expect_live(&b, "state_last_save_timestamp_seconds", false);
    assert_true(inventory_save_mono_ms(b.inventory) <= now); /* at once */
    see(&b, 0, one(5), now + MINUTE);
    expect(&b, A "deployment_job_failures_total", 0, OF_D, "2", now);
    stop(&b, now + MINUTE);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(rename(other, path), 0);
    start(&b, 2, now + 2 * MINUTE);
    expect(&b, FAILURES, 0, "", "2", now);
    bench_stop(&b);
}

int main(void)
{
#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters_are_there_from_the_start),
        cmocka_unit_test(test_a_failure),
        cmocka_unit_test(test_hold_is_two_intervals_at_least),
        cmocka_unit_test(test_what_was_denied_shows_its_old_value_first),
        cmocka_unit_test(test_no_memory),
        WITH_DIRECTORY(test_failures_while_it_was_down),
        WITH_DIRECTORY(test_what_is_published_is_saved),
        WITH_DIRECTORY(test_when_it_saves),
        WITH_DIRECTORY(test_saves_that_fail),
        WITH_DIRECTORY(test_a_file_that_cannot_be_used),
        WITH_DIRECTORY(test_who_is_restored),
        WITH_DIRECTORY(test_reloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
