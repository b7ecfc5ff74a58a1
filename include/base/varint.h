/*
 * Unsigned integers of variable length: seven bits a byte, low bits first, the top bit says that
 * more follows. Small ones take one byte, none more than VARINT_MAX.
 */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#define VARINT_MAX 10

/* Returns the end of what was written. */
static inline unsigned char *varint_put(unsigned char *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *out++ = (unsigned char)(v | 0x80);
    *out++ = (unsigned char)v;
    return out;
}

/*
 * For bytes nobody vouches for: moves *at behind the integer and never past the end. False, and
 * nothing is changed, where there is none, or one that was not written in the fewest bytes.
 */
static inline bool varint_take(const unsigned char **at, const unsigned char *end, uint64_t *ret)
{
    const unsigned char *p = *at;
    uint64_t v = 0;

    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint64_t bits = *p & 0x7f;

        if (bits << shift >> shift != bits)
            return false;
        v |= bits << shift;
        if (*p++ < 0x80) {
            if (bits == 0 && shift > 0)
                return false;
            *at = p;
            *ret = v;
            return true;
        }
    }
    return false;
}

#endif
