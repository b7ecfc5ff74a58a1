/*
 * Text to number: durations ("500ms", "5m"), sizes ("64MiB", "4 GiB", "1Gi", "1 gb"), whole
 * decimal integers. Pure functions, any thread; -1 means the text is not one, and *ret is
 * untouched.
 */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <stdint.h>

#include "base/cleanup.h"

/* Decimal digits with one of ms, s, m, h, d; no sign, no space, no fraction. Milliseconds. */
int quantity_parse_duration_ms(const char *s, int64_t *ret_ms) MUST_CHECK;

/*
 * Bytes. Digits with an optional fraction, optional spaces, then nothing, B, or K/M/G/T/P with
 * optional i and B in any case. Units are binary whatever the spelling: the vendor means 2^30 by
 * "1 gb" as by "1Gi" and "4 GiB".
 */
int quantity_parse_bytes(const char *s, int64_t *ret_bytes) MUST_CHECK;

/* Digits only, the whole text, no overflow. */
int quantity_parse_u64(const char *s, uint64_t *ret) MUST_CHECK;

#endif
