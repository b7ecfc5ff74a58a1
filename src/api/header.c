#include "header.h"

#include <string.h>

/* No wait that a server may ask for is longer; far above what retry.c obeys. */
static const int64_t RETRY_AFTER_MS_MAX = INT64_C(24) * 3600 * 1000;

static const int64_t UNIX_S_MAX = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */

void header_copy(char *to, size_t size, const char *value)
{
    size_t n = 0;

    for (; value && *value && n + 1 < size; value++)
        if (*value >= ' ' && *value <= '~')
            to[n++] = *value;
    to[n] = '\0';
}

int64_t header_date(int64_t parsed_unix_s)
{
    return parsed_unix_s >= 0 && parsed_unix_s <= UNIX_S_MAX ? parsed_unix_s : -1;
}

/* A positive decimal number times factor, capped; -1 for anything else, as the vendor's SDKs do. */
static int64_t positive(const char *text, int64_t factor)
{
    int64_t value = 0;
    size_t digits = text ? strspn(text, "0123456789") : 0;

    if (digits == 0 || text[digits] != '\0')
        return -1;
    for (; *text; text++) {
        value = value * 10 + (*text - '0') * factor;
        if (value > RETRY_AFTER_MS_MAX)
            return RETRY_AFTER_MS_MAX;
    }
    return value > 0 ? value : -1;
}

int64_t header_retry_after_ms(const char *vendor, const char *standard, int64_t standard_unix_s,
                              int64_t now_unix_s)
{
    int64_t ms = positive(vendor, 1);

    if (ms < 0)
        ms = positive(standard, 1000);
    if (ms < 0 && standard_unix_s > now_unix_s) {
        int64_t wait_s = standard_unix_s - now_unix_s;
        ms = wait_s < RETRY_AFTER_MS_MAX / 1000 ? wait_s * 1000 : RETRY_AFTER_MS_MAX;
    }
    return ms;
}
