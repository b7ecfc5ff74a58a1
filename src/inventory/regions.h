/*
 * Whose each byte of a generation's text is: the regions of both formats, noted while the
 * generation is put together. Frozen with the snapshot, in whose arena they live.
 */
#ifndef REGIONS_H
#define REGIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "metrics/expo.h"

#define REGION_HEADER UINT32_MAX

/* It begins where the one before it ends, the first one at 0. A family's header comes first. */
struct region {
    size_t end;      /* in the whole text of the format */
    uint32_t entry;  /* the watched namespace, by its index, or REGION_HEADER */
    uint32_t family; /* as snapshot_family counts them */
};

struct regions {
    struct region *list[EXPO_FORMAT_END];
    size_t n[EXPO_FORMAT_END];
};

/* Room for every family's header and all its entries. */
int regions_init(struct regions *regions, struct arena *arena, size_t n_entries,
                 struct err *err) MUST_CHECK;

/* The next len bytes of the format are this one's; they join the last region if it is the same. */
void regions_add(struct regions *regions, enum expo_format format, size_t family, uint32_t entry,
                 size_t len);

#endif
