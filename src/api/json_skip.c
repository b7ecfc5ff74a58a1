/*
 * Most bytes of a listing are SQL and plans inside of strings that nobody reads, with an escaped
 * newline or quote every thirty bytes. Stopping at each of these costs a mispredicted branch, so
 * the vector form looks at 64 bytes at once and works out in bit masks which quotes are escaped
 * and whether the escapes are such as JSON has (after simdjson, Langdale and Lemire 2019, 3.1.1).
 */
#include "json_skip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* High bits for the bytes that are zero; exact up to the lowest of them. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - EVERY_BYTE(1)) & ~word & EVERY_BYTE(0x80);
}

const char *json_skip_portable(const char *p, const char *end)
{
    while (end - p >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, p, sizeof(word));
        uint64_t special = zero_bytes(word ^ EVERY_BYTE('"')) |
                           zero_bytes(word ^ EVERY_BYTE('\\')) | (word & EVERY_BYTE(0x80));
        if (special) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            p += __builtin_ctzll(special) / 8;
#endif
            break;
        }
        p += sizeof(word);
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p < 0x80)
        p++;
    return p;
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { BLOCK = 64 };

#define TARGET __attribute__((target("avx2,bmi")))

struct block {
    __m256i low;
    __m256i high;
};

TARGET static inline uint64_t join(int low, int high)
{
    return (uint64_t)(uint32_t)low | (uint64_t)(uint32_t)high << 32;
}

TARGET static inline uint64_t equal(const struct block *b, char c)
{
    const __m256i all = _mm256_set1_epi8(c);

    return join(_mm256_movemask_epi8(_mm256_cmpeq_epi8(b->low, all)),
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(b->high, all)));
}

/*
 * The bytes that json_is_simple_escape() admits: those whose half bytes share a bit of these two
 * tables. " / have high half 2, \ has 5, b f n have 6, r t have 7.
 */
TARGET static inline int simple_escapes(__m256i bytes)
{
    const __m256i by_low = _mm256_setr_epi8(0, 0, 13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1, 0, 0,
                                            13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1);
    const __m256i by_high = _mm256_setr_epi8(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                             1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i half = _mm256_set1_epi8(0x0f);
    __m256i low = _mm256_shuffle_epi8(by_low, _mm256_and_si256(bytes, half));
    __m256i high =
        _mm256_shuffle_epi8(by_high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));

    return ~_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256()));
}

/* The bytes behind a backslash that is not itself behind one, in a block that begins outside. */
static inline uint64_t escaped_bytes(uint64_t backslashes)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    uint64_t behind = backslashes << 1;
    uint64_t odd_starts = backslashes & ~even & ~behind;
    uint64_t flipped = (odd_starts + backslashes) << 1;

    return (even ^ flipped) & behind;
}

/*
 * How many bytes of a block can be passed over; BLOCK or BLOCK - 1 if nothing in it ends the
 * passing over, the latter when its last byte begins an escape.
 */
TARGET static inline unsigned plain_bytes(const struct block *b, bool *ret_stop)
{
    uint64_t backslashes = equal(b, '\\');
    uint64_t stop = join(_mm256_movemask_epi8(b->low), _mm256_movemask_epi8(b->high));
    uint64_t quotes = equal(b, '"');

    *ret_stop = true;
    if (!backslashes) {
        stop |= quotes;
        if (stop)
            return (unsigned)__builtin_ctzll(stop);
        *ret_stop = false;
        return BLOCK;
    }
    uint64_t escaped = escaped_bytes(backslashes);
    uint64_t simple = join(simple_escapes(b->low), simple_escapes(b->high));
    stop |= (escaped & ~simple) >> 1 | (quotes & ~escaped);
    if (stop)
        return (unsigned)__builtin_ctzll(stop);
    *ret_stop = false;
    return BLOCK - (unsigned)((backslashes & ~escaped) >> (BLOCK - 1));
}

TARGET static const char *skip_avx2(const char *p, const char *end)
{
    while (end - p >= BLOCK) {
        const struct block b = {
            .low = _mm256_loadu_si256((const __m256i *)(const void *)p),
            .high = _mm256_loadu_si256((const __m256i *)(const void *)(p + BLOCK / 2)),
        };
        bool stop;

        p += plain_bytes(&b, &stop);
        if (stop)
            return p;
    }
    return json_skip_portable(p, end);
}

json_skip_fn *json_skip_best(void)
{
    /* A constructor of libgcc has asked the processor before main() runs. */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
        return skip_avx2;
    return json_skip_portable;
}

#else

json_skip_fn *json_skip_best(void)
{
    return json_skip_portable;
}

#endif
