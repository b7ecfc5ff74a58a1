/*
 * A time as people read it.
 */
#ifndef TIME_TEXT_H
#define TIME_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * 2026-01-01T03:04:00Z in buf, or NULL: 0 is unknown, and beyond the year 9999 it is no time,
 * whatever the API says.
 */
static inline const char *time_text(char buf[CLOCK_ISO8601_LEN], int64_t unix_s)
{
    if (unix_s <= 0 || unix_s >= INT64_C(253402300800))
        return NULL;
    return clock_format_iso8601(buf, unix_s * 1000, 0);
}

#endif
