/* Jobs are done once each, away from the caller, and stopping leaves none behind. */
#include "deflater.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "fake_generation.h"

enum { JOBS = 20 };

struct waiter {
    struct deflater_job job; /* first */
    atomic_uint done;
    bool compressed; /* when done was called */
    pthread_t thread;
    struct snapshot *snapshot;
};

static void on_done(struct deflater_job *job)
{
    struct waiter *w = (struct waiter *)job;

    w->compressed = snapshot_deflated_len(w->snapshot, job->format) > 0;
    w->thread = pthread_self();
    atomic_fetch_add(&w->done, 1);
}

static struct snapshot *make_snapshot(size_t n_pieces)
{
    const struct fake_generation g = {.number = 1, .n_pieces = n_pieces, .piece_bytes = 30000};
    struct snapshot *s = fake_generation_new(&g);

    assert_non_null(s);
    return s;
}

static int start(struct deflater *d, struct waiter *w, struct snapshot *s)
{
    *w = (struct waiter){.snapshot = s, .job = {.format = EXPO_TEXT, .done = on_done}};
    return deflater_start(d, &w->job, snapshot_ref(s));
}

static void wait_for(struct waiter *w)
{
    while (atomic_load(&w->done) == 0)
        sched_yield();
}

static struct deflater *make(void)
{
    struct deflater *d;
    struct err err;

    assert_int_equal(deflater_new(&d, &err), 0);
    return d;
}

/* A second job later finds the thread gone, or not: it gets one anyhow. */
static void test_one_after_the_other(void **state)
{
    struct deflater *d = make();

    (void)state;
    for (int i = 0; i < JOBS; i++) {
        CLEANUP(snapshot_unrefp) struct snapshot *s = make_snapshot(2);
        struct waiter w;

        assert_int_equal(start(d, &w, s), 0);
        wait_for(&w);
        assert_true(w.compressed);
        assert_false(pthread_equal(w.thread, pthread_self()));
    }
    deflater_stop(d);
    deflater_free(d);
    deflater_free(NULL);
}

static void test_many_for_one_generation(void **state)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = make_snapshot(30);
    struct deflater *d = make();
    struct waiter waiters[JOBS];

    (void)state;
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(start(d, &waiters[i], s), 0);
    for (int i = 0; i < JOBS; i++) {
        wait_for(&waiters[i]);
        assert_true(waiters[i].compressed);
    }
    deflater_stop(d);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(atomic_load(&waiters[i].done), 1);
    deflater_free(d);
}

/* Everybody is told, the work is broken off, and nothing begins any more. */
static void test_stop(void **state)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = make_snapshot(2000);
    struct deflater *d = make();
    struct waiter waiters[JOBS];
    struct waiter late;

    (void)state;
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(start(d, &waiters[i], s), 0);
    deflater_stop(d);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(atomic_load(&waiters[i].done), 1);
    assert_false(waiters[JOBS - 1].compressed); /* 60 MB take most of a second */
    assert_int_equal(start(d, &late, s), -1);
    assert_int_equal(atomic_load(&late.done), 0);
    deflater_free(d);
}

static void test_out_of_memory(void **state)
{
    struct err err;
    struct deflater *d;

    (void)state;
    alloc_fail_at(1);
    assert_int_equal(deflater_new(&d, &err), -1);
    alloc_fail_off();
    assert_int_equal(err.kind, ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_many_for_one_generation),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
