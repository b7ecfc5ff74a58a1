/*
 * What every decoder in the comparison takes out of a deployment, and the sum over it that shows
 * that all took the same. C and C++; the strings are the decoder's own.
 */
#ifndef BENCH_FIELDS_H
#define BENCH_FIELDS_H

#include <stddef.h>
#include <stdint.h>

struct field_text {
    const char *ptr;
    size_t len;
};

enum { FIELD_TEXTS = 5, FIELD_NUMBERS = 11 };

struct fields {
    struct field_text texts[FIELD_TEXTS]; /* id, name, engine, target, draft */
    int64_t numbers[FIELD_NUMBERS];       /* six job counts, created, modified, parallelism,
                                             largest number of slots, changed; -1 = absent */
    double cpus[2];                       /* JobManager, TaskManager; -1 = absent */
    struct field_text more[6];            /* read by all, summed by none: kind, modes, memory */
};

static inline uint64_t fields_mix(uint64_t sum, const void *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * UINT64_C(1099511628211);
    return sum;
}

static inline uint64_t fields_sum(uint64_t sum, const struct fields *f)
{
    for (int i = 0; i < FIELD_TEXTS; i++) {
        sum = fields_mix(sum, f->texts[i].ptr, f->texts[i].len);
        sum = fields_mix(sum, "", 1);
    }
    sum = fields_mix(sum, f->numbers, sizeof(f->numbers));
    return fields_mix(sum, f->cpus, sizeof(f->cpus));
}

#define FIELDS_SUM_START UINT64_C(14695981039346656037)

#endif
