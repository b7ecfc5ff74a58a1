/*
 * Clocks, and the civil calendar by arithmetic. The calendar counts years from March, so that the
 * leap day is the last of its year, and eras of 400 years, which all have the same number of days.
 */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum {
    DAYS_PER_ERA = 146097,
    DAYS_TO_UNIX_EPOCH = 719468, /* from 0000-03-01 to 1970-01-01 */
    SECONDS_PER_DAY = 86400,
};

static struct timespec read_clock(clockid_t id)
{
    struct timespec ts = {0};

    /* Cannot fail for the two clocks used here: Linux always has both. */
    (void)clock_gettime(id, &ts);
    return ts;
}

int64_t clock_mono_ms(void)
{
    struct timespec ts = read_clock(CLOCK_MONOTONIC);

    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
    struct timespec ts = read_clock(CLOCK_MONOTONIC);

    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_unix_ms(void)
{
    struct timespec ts = read_clock(CLOCK_REALTIME);

    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Division that rounds down, for times before 1970. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_UNIX_EPOCH;
}

static void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t shifted = days + DAYS_TO_UNIX_EPOCH;
    int64_t era = floor_div(shifted, DAYS_PER_ERA);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

char *clock_format_iso8601(char *buf, int64_t unix_ms, int with_ms)
{
    int64_t unix_s = floor_div(unix_ms, 1000);
    int64_t days = floor_div(unix_s, SECONDS_PER_DAY);
    int second_of_day = (int)(unix_s - days * SECONDS_PER_DAY);
    int64_t year;
    int month;
    int day;

    civil_from_days(days, &year, &month, &day);
    int n = snprintf(buf, CLOCK_ISO8601_LEN, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year,
                     month, day, second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    size_t len = (size_t)n;
    if (with_ms)
        (void)snprintf(buf + len, CLOCK_ISO8601_LEN - len, ".%03dZ",
                       (int)((unix_ms % 1000 + 1000) % 1000));
    else
        (void)snprintf(buf + len, CLOCK_ISO8601_LEN - len, "Z");
    return buf;
}

static int days_in_month(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (leap && month == 2);
}

int clock_unix_from_utc(int year, int month, int day, int hour, int minute, int second,
                        int64_t *ret_unix_s)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12)
        return -1;
    if (day < 1 || day > days_in_month(year, month))
        return -1;
    /* A leap second (60) counts as the first second of the next minute, as in POSIX time. */
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    *ret_unix_s = days_from_civil(year, month, day) * SECONDS_PER_DAY +
                  (int64_t)(hour * 3600 + minute * 60 + second);
    return 0;
}

int clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    if (pthread_condattr_init(&attr) != 0)
        return -1;
    int rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (rc == 0)
        rc = pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
    return rc == 0 ? 0 : -1;
}

int clock_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mu, int64_t until_mono_ms)
{
    if (until_mono_ms == INT64_MAX)
        return pthread_cond_wait(cond, mu);
    /* A deadline before the clock's zero has passed; a negative timespec would be EINVAL. */
    if (until_mono_ms < 0)
        until_mono_ms = 0;

    struct timespec until = {.tv_sec = (time_t)(until_mono_ms / 1000),
                             .tv_nsec = (long)(until_mono_ms % 1000) * 1000000};
    return pthread_cond_timedwait(cond, mu, &until);
}
