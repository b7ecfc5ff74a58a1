/* The grid of due times, spread, back-off and what counts as missed: times in, times out. */
#include "timetable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

#define I   60000  /* interval */
#define MAX 300000 /* max_backoff */
#define T0  INT64_C(987654321)

static struct timetable started(uint64_t hash)
{
    struct timetable t;

    timetable_start(&t, T0, hash, I, MAX, 0);
    return t;
}

static bool on_grid(const struct timetable *t, int64_t ms)
{
    return (ms - t->phase_ms) % t->interval_ms == 0;
}

/* The first grid time at or after T0. */
static int64_t first_grid_time(const struct timetable *t)
{
    int64_t ms = T0;

    while (!on_grid(t, ms))
        ms++;
    return ms;
}

/* --- start --- */

static void test_start(void **state)
{
    static const uint64_t hashes[] = {0, 1, 4999, 5000, 59999, 60000, 123456789, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        struct timetable t;

        timetable_start(&t, T0, hashes[i], I, MAX, 0);
        assert_true(t.due_mono_ms == T0);
        timetable_start(&t, T0, hashes[i], I, MAX, 5000);
        assert_in_range(t.due_mono_ms, T0, T0 + 4999);
        assert_in_range(t.phase_ms, 0, I - 1);
        assert_int_equal(t.interval_ms, I);
        assert_int_equal(t.failures, 0);
    }
}

static void test_hash(void **state)
{
    uint64_t h = timetable_hash("workspace", "namespace");

    (void)state;
    assert_true(h == timetable_hash("workspace", "namespace"));
    assert_true(h != timetable_hash("workspace", "namespacf"));
    assert_true(h != timetable_hash("workspacf", "namespace"));
    assert_true(h != timetable_hash("namespace", "workspace"));
    assert_true(timetable_hash("", "") != timetable_hash("a", ""));
}

/* A thousand namespaces with one interval: each second of the minute has its share. */
static void test_namespaces_are_spread(void **state)
{
    unsigned first[10] = {0}, grid[10] = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char name[16];
        struct timetable t;

        snprintf(name, sizeof(name), "ns-%d", i);
        timetable_start(&t, T0, timetable_hash("w", name), I, MAX, 10000);
        first[(t.due_mono_ms - T0) / 1000]++;
        grid[t.phase_ms / (I / 10)]++;
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(first[i], 50, 150);
        assert_in_range(grid[i], 50, 150);
    }
}

/* --- the grid --- */

static void test_steady_state(void **state)
{
    struct timetable t = started(12345);
    int64_t due = first_grid_time(&t);

    (void)state;
    for (int i = 0; i < 100; i++) {
        /* The thread wakes a little late, the refresh takes its time: neither adds up. */
        assert_int_equal(timetable_succeeded(&t, due + 3, due + 2500), 0);
        assert_true(t.due_mono_ms == due + I);
        due = t.due_mono_ms;
    }
}

/* Wherever the first refresh begins: on the grid next, not at once, not later than needed. */
static void test_from_anywhere_onto_the_grid(void **state)
{
    (void)state;
    for (int64_t began = T0; began < T0 + I; began += 371) {
        struct timetable t = started(12345);

        assert_int_equal(timetable_succeeded(&t, began, began + 100), 0);
        assert_true(on_grid(&t, t.due_mono_ms));
        assert_in_range(t.due_mono_ms - began, I / 2, I + I / 2);
    }
}

/* Soon after boot the clock is below the phase. */
static void test_clock_near_zero(void **state)
{
    struct timetable t;

    (void)state;
    timetable_start(&t, 5, I - 1, I, MAX, 0);
    assert_int_equal(timetable_succeeded(&t, 5, 10), 0);
    assert_true(on_grid(&t, t.due_mono_ms));
    assert_true(t.due_mono_ms == I - 1);
    timetable_start(&t, 0, 7, I, MAX, 0);
    assert_int_equal(timetable_succeeded(&t, 0, 1), 0);
    assert_true(t.due_mono_ms == I + 7); /* 7 is too soon */
}

static void test_interval_of_one_millisecond(void **state)
{
    struct timetable t;

    (void)state;
    timetable_start(&t, T0, 99, 1, 1, 0);
    assert_int_equal(timetable_succeeded(&t, T0, T0), 0);
    assert_true(t.due_mono_ms == T0 + 1);
    assert_int_equal(timetable_failed(&t, T0, T0, UINT64_MAX), 0);
    assert_true(t.due_mono_ms == T0 + 1);
}

/* --- missed --- */

static void test_missed(void **state)
{
    static const struct {
        int64_t took_ms;
        unsigned missed;
        int64_t next; /* in intervals from the beginning */
    } cases[] = {
        {0, 0, 1},         {I - 1, 0, 1},     {I, 1, 2},        {I + 1, 1, 2},
        {2 * I - 1, 1, 2}, {5 * I / 2, 2, 3}, {60 * I, 60, 61}, /* a hang, or the program stood
                                                                   still */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct timetable t = started(12345), f = t;
        int64_t began = first_grid_time(&t);

        assert_int_equal(timetable_succeeded(&t, began, began + cases[i].took_ms), cases[i].missed);
        assert_true(t.due_mono_ms == began + cases[i].next * I);
        assert_int_equal(timetable_failed(&f, began, began + cases[i].took_ms, 0), cases[i].missed);
    }
}

/*
 * A refresh that began off the grid, the first one or one after a failure, stands for the grid
 * time that comes at once: that one is neither refreshed for again nor missed.
 */
static void test_off_the_grid_nothing_is_missed(void **state)
{
    (void)state;
    for (int64_t before = 1; before < I; before += 997) {
        struct timetable t = started(12345);
        int64_t grid = first_grid_time(&t) + I, began = grid - before;
        bool near = before < I / 2;

        assert_int_equal(timetable_succeeded(&t, began, grid + 10), !near);
        assert_true(t.due_mono_ms == grid + I);
        t.failures = 1;
        assert_int_equal(timetable_failed(&t, began, grid + 10, 0), !near);
    }
}

/* A pause between refreshes: due long ago, one refresh catches up, then the grid goes on. */
static void test_one_catch_up(void **state)
{
    struct timetable t = started(12345);
    int64_t due = first_grid_time(&t), late;

    (void)state;
    assert_int_equal(timetable_succeeded(&t, due, due + 10), 0);
    late = t.due_mono_ms + 1000 * I + I / 4;
    assert_int_equal(timetable_succeeded(&t, late, late + 10), 0);
    assert_true(on_grid(&t, t.due_mono_ms));
    assert_in_range(t.due_mono_ms - late, I / 2, I);
}

/* --- back-off --- */

static void test_backoff(void **state)
{
    static const int64_t delays[] = {I, 2 * I, 4 * I, MAX, MAX, MAX};
    static const uint64_t randoms[] = {0, 1, 14999, 15000, 15001, 1u << 31, UINT64_MAX};

    (void)state;
    for (size_t r = 0; r < sizeof(randoms) / sizeof(randoms[0]); r++) {
        struct timetable t = started(12345);
        int64_t now = T0;

        for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
            (void)timetable_failed(&t, now, now + 10, randoms[r]);
            assert_in_range(t.due_mono_ms - (now + 10), delays[i] - delays[i] / 4, delays[i]);
            assert_int_equal(t.failures, i + 1);
            now = t.due_mono_ms;
        }
        /* A success ends it. */
        (void)timetable_succeeded(&t, now, now + 10);
        assert_int_equal(t.failures, 0);
        assert_true(on_grid(&t, t.due_mono_ms));
        (void)timetable_failed(&t, now, now, 0);
        assert_true(t.due_mono_ms == now + I);
    }
}

/* The jitter reaches both ends of its range. */
static void test_jitter(void **state)
{
    struct timetable t = started(1);

    (void)state;
    (void)timetable_failed(&t, T0, T0, 0);
    assert_true(t.due_mono_ms == T0 + I);
    t.failures = 0;
    (void)timetable_failed(&t, T0, T0, I / 4);
    assert_true(t.due_mono_ms == T0 + I - I / 4);
}

static void test_backoff_limits(void **state)
{
    struct timetable t;

    (void)state;
    /* Never faster than the interval, whatever max_backoff says. */
    timetable_start(&t, T0, 1, I, 1000, 0);
    for (int i = 0; i < 5; i++) {
        (void)timetable_failed(&t, T0, T0, 0);
        assert_true(t.due_mono_ms == T0 + I);
    }
    /* No overflow, however long it goes on. */
    timetable_start(&t, T0, 1, 86400000, INT64_C(1) << 50, 0);
    for (int i = 0; i < 1000; i++)
        (void)timetable_failed(&t, T0, T0, 0);
    assert_true(t.due_mono_ms == T0 + (INT64_C(1) << 50));
    t.failures = UINT32_MAX;
    (void)timetable_failed(&t, T0, T0, 0);
    (void)timetable_failed(&t, T0, T0, 0);
    assert_true(t.due_mono_ms > T0);
}

/* --- reload --- */

static void test_retime(void **state)
{
    struct timetable t = started(12345);
    int64_t due;

    (void)state;
    (void)timetable_succeeded(&t, T0, T0 + 10);
    due = t.due_mono_ms;
    timetable_retime(&t, T0 + 20, 12345, I, MAX + 1);
    assert_true(t.due_mono_ms == due);
    assert_int_equal(t.max_backoff_ms, MAX + 1);
    /* Shorter: soon. Longer: not before the new grid says. */
    timetable_retime(&t, T0 + 20, 12345, 5000, MAX);
    assert_true(on_grid(&t, t.due_mono_ms));
    assert_in_range(t.due_mono_ms - (T0 + 20), 1, 5000);
    assert_in_range(t.phase_ms, 0, 4999);
    timetable_retime(&t, T0 + 20, 12345, 3600000, MAX);
    assert_true(on_grid(&t, t.due_mono_ms));
    assert_in_range(t.due_mono_ms - (T0 + 20), 1, 3600000);
}

/* Who waits in a long back-off does not have to sit it out when the limit is lowered. */
static void test_retime_during_backoff(void **state)
{
    struct timetable t = started(12345);
    int64_t due;

    (void)state;
    for (int i = 0; i < 10; i++)
        (void)timetable_failed(&t, T0, T0, 0);
    due = t.due_mono_ms;
    assert_true(due == T0 + MAX);
    timetable_retime(&t, T0 + 20, 12345, I, 2 * MAX);
    assert_true(t.due_mono_ms == due);
    assert_int_equal(t.failures, 10);
    timetable_retime(&t, T0 + 20, 12345, I, 2 * I);
    assert_true(t.due_mono_ms == T0 + 20 + 2 * I);
    timetable_retime(&t, T0 + 30, 12345, I, 0);
    assert_true(t.due_mono_ms == T0 + 30 + I);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_namespaces_are_spread),
        cmocka_unit_test(test_steady_state),
        cmocka_unit_test(test_from_anywhere_onto_the_grid),
        cmocka_unit_test(test_clock_near_zero),
        cmocka_unit_test(test_interval_of_one_millisecond),
        cmocka_unit_test(test_missed),
        cmocka_unit_test(test_off_the_grid_nothing_is_missed),
        cmocka_unit_test(test_one_catch_up),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_backoff_limits),
        cmocka_unit_test(test_retime),
        cmocka_unit_test(test_retime_during_backoff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
