/*
 * Time, always with its unit and kind in the name.
 *
 * Schedules and deadlines use the monotonic clock (now_mono_ms); only what leaves the program
 * (metrics, signatures, logs) uses wall time (now_unix_ms). Both may be called from any thread.
 * Code that decides something takes the time as a parameter and is tested without a clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_unix_ms(void);

/* "2026-01-01T03:04:00Z" (seconds) or with milliseconds; returns buf. buf holds CLOCK_ISO8601_LEN.
 */
#define CLOCK_ISO8601_LEN 32
char *clock_format_iso8601(char *buf, int64_t unix_ms, int with_ms);

/*
 * Days of the civil calendar to Unix seconds, UTC; -1 and no value for dates that do not exist.
 * Used for "2026-01-01T06:00:00Z" and HTTP dates, without timegm and its locale.
 */
int clock_unix_from_utc(int year, int month, int day, int hour, int minute, int second,
                        int64_t *ret_unix_s) MUST_CHECK;

/* A condition variable on the monotonic clock: a jump of wall time wakes and delays nobody. */
int clock_cond_init(pthread_cond_t *cond) MUST_CHECK;
/* Waits until signalled or until_mono_ms (INT64_MAX = for ever); returns ETIMEDOUT like pthreads.
 */
int clock_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mu, int64_t until_mono_ms);

#endif
