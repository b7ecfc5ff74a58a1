/* The calendar against a day counter, text forms at the ends of the range, timed waits. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

static void test_format(void **state)
{
    static const struct {
        int64_t unix_ms;
        const char *seconds;
        const char *millis;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"},
        {1767236640123, "2026-01-01T03:04:00Z", "2026-01-01T03:04:00.123Z"},
        {951782399999, "2000-02-28T23:59:59Z", "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z"},
        {253402300800000, "10000-01-01T00:00:00Z", "10000-01-01T00:00:00.000Z"},
        {-62135596800000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
        {INT64_MAX, "292278994-08-17T07:12:55Z", "292278994-08-17T07:12:55.807Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04Z", "-292275055-05-16T16:47:04.192Z"},
    };
    char buf[CLOCK_ISO8601_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(clock_format_iso8601(buf, cases[i].unix_ms, 0), cases[i].seconds);
        assert_string_equal(clock_format_iso8601(buf, cases[i].unix_ms, 1), cases[i].millis);
    }
}

static int month_len(int year, int month)
{
    if (month == 2)
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Every day of the years 1..9999 is one day after the one before. */
static void test_every_day(void **state)
{
    int64_t expected = -62135596800;
    int64_t got;
    bool ok = true;

    (void)state;
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= month_len(year, month); day++) {
                ok = ok && clock_unix_from_utc(year, month, day, 0, 0, 0, &got) == 0 &&
                     got == expected;
                expected += 86400;
            }
            ok = ok &&
                 clock_unix_from_utc(year, month, month_len(year, month) + 1, 0, 0, 0, &got) == -1;
        }
    }
    assert_true(ok);
    assert_int_equal(expected, 253402300800);
}

/* What is formatted reads back, day by day over some centuries and beyond. */
static void test_format_reads_back(void **state)
{
    (void)state;
    for (int64_t s = -62135596800; s < 253402300800; s += 86400 * 97 + 3601) {
        char buf[CLOCK_ISO8601_LEN];
        int f[6];
        int64_t back;

        clock_format_iso8601(buf, s * 1000, 0);
        assert_int_equal(
            sscanf(buf, "%4d-%2d-%2dT%2d:%2d:%2dZ", &f[0], &f[1], &f[2], &f[3], &f[4], &f[5]), 6);
        assert_int_equal(clock_unix_from_utc(f[0], f[1], f[2], f[3], f[4], f[5], &back), 0);
        assert_int_equal(back, s);
    }
}

static void test_dates_that_do_not_exist(void **state)
{
    static const int cases[][6] = {
        {2026, 0, 1, 0, 0, 0},         {2026, 13, 1, 0, 0, 0}, {2026, 1, 0, 0, 0, 0},
        {2026, 1, 32, 0, 0, 0},        {2026, 2, 29, 0, 0, 0}, {1900, 2, 29, 0, 0, 0},
        {2024, 2, 30, 0, 0, 0},        {2026, 4, 31, 0, 0, 0}, {2026, 1, 1, 24, 0, 0},
        {2026, 1, 1, -1, 0, 0},        {2026, 1, 1, 0, 60, 0}, {2026, 1, 1, 0, -1, 0},
        {2026, 1, 1, 0, 0, 61},        {2026, 1, 1, 0, 0, -1}, {0, 1, 1, 0, 0, 0},
        {10000, 1, 1, 0, 0, 0},        {-1, 1, 1, 0, 0, 0},    {INT32_MAX, 1, 1, 0, 0, 0},
        {2026, INT32_MIN, 1, 0, 0, 0},
    };
    int64_t untouched = 42;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int *c = cases[i];

        assert_int_equal(clock_unix_from_utc(c[0], c[1], c[2], c[3], c[4], c[5], &untouched), -1);
        assert_int_equal(untouched, 42);
    }
}

static void test_leap_second(void **state)
{
    int64_t leap;
    int64_t next;

    (void)state;
    assert_int_equal(clock_unix_from_utc(2016, 12, 31, 23, 59, 60, &leap), 0);
    assert_int_equal(clock_unix_from_utc(2017, 1, 1, 0, 0, 0, &next), 0);
    assert_int_equal(leap, next);
}

static void test_clocks_advance(void **state)
{
    int64_t us = clock_mono_us();
    int64_t ms = clock_mono_ms();

    (void)state;
    assert_true(ms >= us / 1000);
    assert_true(clock_mono_us() >= us);
    assert_true(clock_unix_ms() > 1700000000000);
}

static void test_wait_until(void **state)
{
    static const int64_t passed[] = {INT64_MIN, -1, 0, 1};
    pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;

    (void)state;
    assert_int_equal(clock_cond_init(&cond), 0);
    assert_int_equal(pthread_mutex_lock(&mu), 0);
    for (size_t i = 0; i < ARRAY_LEN(passed); i++)
        assert_int_equal(clock_cond_wait_until(&cond, &mu, passed[i]), ETIMEDOUT);

    int64_t until = clock_mono_ms() + 20;
    while (clock_cond_wait_until(&cond, &mu, until) != ETIMEDOUT)
        continue;
    assert_in_range(clock_mono_ms() - until, 0, 1000);
    assert_int_equal(pthread_mutex_unlock(&mu), 0);
    assert_int_equal(pthread_cond_destroy(&cond), 0);
}

struct waiter {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    bool waiting;
    bool woken;
};

static void *wait_for_ever(void *arg)
{
    struct waiter *w = arg;

    pthread_mutex_lock(&w->mu);
    w->waiting = true;
    while (!w->woken)
        clock_cond_wait_until(&w->cond, &w->mu, INT64_MAX);
    pthread_mutex_unlock(&w->mu);
    return NULL;
}

static void test_wait_for_ever_is_woken(void **state)
{
    struct waiter w = {.mu = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;

    (void)state;
    assert_int_equal(clock_cond_init(&w.cond), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &w), 0);
    for (bool waiting = false; !waiting;) {
        pthread_mutex_lock(&w.mu);
        waiting = w.waiting;
        w.woken = waiting;
        pthread_mutex_unlock(&w.mu);
    }
    assert_int_equal(pthread_cond_signal(&w.cond), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_cond_destroy(&w.cond), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_format_reads_back),
        cmocka_unit_test(test_dates_that_do_not_exist),
        cmocka_unit_test(test_leap_second),
        cmocka_unit_test(test_clocks_advance),
        cmocka_unit_test(test_wait_until),
        cmocka_unit_test(test_wait_for_ever_is_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
