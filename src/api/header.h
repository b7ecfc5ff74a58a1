/* Values of reply headers, as far as they need judging. Pure functions, any thread. */
#ifndef HEADER_H
#define HEADER_H

#include <stddef.h>
#include <stdint.h>

/* Copies what is visible ASCII, cut to size: the text goes to logs. value may be NULL. */
void header_copy(char *to, size_t size, const char *value);

/*
 * Unix seconds that a date header was read as, or -1 for what no clock shows: before 1970 (-1
 * itself among it), behind the year 9999. Within that the arithmetic in milliseconds cannot
 * overflow.
 */
int64_t header_date(int64_t parsed_unix_s);

/*
 * How long to wait, in ms: the vendor's x-acs-retry-after (milliseconds), or else Retry-After
 * (seconds, or a date: standard_unix_s, -1 if it is none). -1 if neither says a time to come. Both
 * may be NULL.
 */
int64_t header_retry_after_ms(const char *vendor, const char *standard, int64_t standard_unix_s,
                              int64_t now_unix_s);

#endif
