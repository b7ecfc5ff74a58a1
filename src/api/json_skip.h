/*
 * The inside of JSON strings, passed over quickly. Pure; any thread.
 */
#ifndef JSON_SKIP_H
#define JSON_SKIP_H

#include <stdbool.h>

/* Part of every x86-64 processor, so that nobody need be asked. */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/*
 * How far the text from p on is plainly the inside of a string: the place of the first byte that
 * wants a closer look, or end. p lies in a string and in no escape; so does the place returned.
 * What was passed over has no quote in it that ends the string, is ASCII, and its escapes, if any,
 * are complete and of the kind with one letter. A closer look may be wanted too early, at any
 * byte; a byte that needs one is never passed over.
 */
typedef const char *json_skip_fn(const char *p, const char *end);

/* Runs everywhere. */
const char *json_skip_portable(const char *p, const char *end);

/* The fastest this processor has. */
json_skip_fn *json_skip_best(void);

/*
 * The same for what is usual, a string of a few bytes: goes no further than 16 of them.
 */
static inline const char *json_skip_short(const char *p, const char *end)
{
#if defined(__SSE2__)
    enum { BLOCK = 16 };

    if (end - p >= BLOCK) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(special, bytes));

        return p + (found ? __builtin_ctz(found) : BLOCK);
    }
#endif
    return json_skip_portable(p, end);
}

/* The letters behind a backslash, 'u' excepted. */
static inline bool json_is_simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}

#endif
