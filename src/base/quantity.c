/* Everything is checked before it is multiplied: no value wraps, whatever the text. */
#include "base/quantity.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const uint64_t DURATION_MAX_MS = UINT64_C(3650) * 24 * 3600 * 1000;
static const uint64_t BYTES_MAX = UINT64_C(1) << 53; /* what a double, so a metric, holds exactly */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads a value up to max; returns what follows, NULL if there is no digit or it is larger. */
static const char *read_digits(const char *s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (!is_digit(*s))
        return NULL;
    for (; is_digit(*s); s++) {
        uint64_t digit = (uint64_t)(*s - '0');

        if (v > (max - digit) / 10)
            return NULL;
        v = v * 10 + digit;
    }
    *ret = v;
    return s;
}

int quantity_parse_duration_ms(const char *s, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t v;

    const char *unit = read_digits(s, DURATION_MAX_MS, &v);
    if (!unit)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        if (v > DURATION_MAX_MS / units[i].ms)
            return -1;
        *ret_ms = (int64_t)(v * units[i].ms);
        return 0;
    }
    return -1;
}

/* The binary multiple that a unit stands for, 0 if the text is no unit. */
static uint64_t unit_bytes(const char *unit)
{
    static const char prefixes[] = "kKmMgGtTpP"; /* each pair is 2^10 more than the one before */
    uint64_t multiple = 1;

    const char *prefix = *unit ? strchr(prefixes, *unit) : NULL;
    if (prefix) {
        multiple <<= 10 * ((prefix - prefixes) / 2 + 1);
        unit++;
        if (*unit == 'i' || *unit == 'I')
            unit++;
    }
    if (*unit == 'b' || *unit == 'B')
        unit++;
    return *unit ? 0 : multiple;
}

/*
 * The fraction of a unit, rounded down. From the last digit to the first, each step divides by
 * ten and rounds down; that rounds the whole down once, because floor((a + floor(x)) / 10) is
 * floor((a + x) / 10) for every integer a. Exact for any number of digits.
 */
static uint64_t fraction_bytes(const char *digits, const char *end, uint64_t multiple)
{
    uint64_t bytes = 0;

    while (end > digits)
        bytes = ((uint64_t)(*--end - '0') * multiple + bytes) / 10;
    return bytes;
}

int quantity_parse_bytes(const char *s, int64_t *ret_bytes)
{
    uint64_t whole;

    const char *p = read_digits(s, BYTES_MAX, &whole);
    if (!p)
        return -1;
    const char *fraction = p;
    const char *fraction_end = p;
    if (*p == '.') {
        fraction = ++p;
        while (is_digit(*p))
            p++;
        fraction_end = p;
        if (fraction_end == fraction)
            return -1;
    }
    while (*p == ' ')
        p++;
    uint64_t multiple = unit_bytes(p);
    if (multiple == 0 || whole > BYTES_MAX / multiple)
        return -1;
    /* The sum cannot wrap: both are at most 2^53. */
    uint64_t bytes = whole * multiple + fraction_bytes(fraction, fraction_end, multiple);
    if (bytes > BYTES_MAX)
        return -1;
    *ret_bytes = (int64_t)bytes;
    return 0;
}

int quantity_parse_u64(const char *s, uint64_t *ret)
{
    uint64_t v;
    const char *end = read_digits(s, UINT64_MAX, &v);

    if (!end || *end)
        return -1;
    *ret = v;
    return 0;
}
