/*
 * FNV-1a, 64 bits: for spreading and cutting, where any hash would do and nobody chooses the text
 * to hurt. Not for tables that a peer fills.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#define HASH_FNV1A_START UINT64_C(14695981039346656037)

/* Goes on from h over a byte. */
static inline uint64_t hash_fnv1a_byte(uint64_t h, unsigned char byte)
{
    return (h ^ byte) * UINT64_C(1099511628211);
}

/* Goes on from h over the text, without its NUL. */
static inline uint64_t hash_fnv1a(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = hash_fnv1a_byte(h, (unsigned char)*text);
    return h;
}

#endif
