/*
 * FNV-1a, 64 bits: for spreading and cutting, where any hash would do and nobody chooses the text
 * to hurt. Not for tables that a peer fills.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#define HASH_FNV1A_START UINT64_C(14695981039346656037)

/* Goes on from h over the text, without its NUL. */
static inline uint64_t hash_fnv1a(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h;
}

#endif
