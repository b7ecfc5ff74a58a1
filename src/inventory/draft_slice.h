/*
 * The drafts of one namespace, rendered: as with deployments (slice.h), pieces of text by block and
 * family, shared with the slice before where the text came out the same. Drafts have few lines
 * each, so that their listing is kept as it came and its text is written again to be compared,
 * unless only their deployments changed: then only what depends on those is.
 *
 * Scheduler thread only.
 */
#ifndef DRAFT_SLICE_H
#define DRAFT_SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "draft_families.h"
#include "inventory/snapshot.h"
#include "model/listing.h"
#include "model/records.h"
#include "slice.h"

/* A listing of drafts and the order of the deployments they refer to. Counted, frozen. */
struct drafts {
    unsigned refs;
    struct listing *listing;
    uint32_t *order; /* see drift.h */
    size_t n_order;
};

/* Consumes the listing in any case. -1 only when memory is out. */
int drafts_new(struct listing *listing, struct drafts **ret, struct err *err) MUST_CHECK;
void drafts_unref(struct drafts *drafts);
void drafts_unrefp(struct drafts **drafts);

struct draft_block {
    size_t first; /* index of its first draft */
    size_t n_items;
    struct piece *pieces[DRAFT_FAMILIES]; /* NULL = no samples */
};

struct draft_slice {
    struct drafts *drafts;
    int8_t *drift; /* by draft */
    struct draft_block *blocks;
    size_t n_blocks;
    bool shown[DRAFT_FAMILIES];
};

/*
 * Renders the drafts, of which it keeps a reference, beside the deployments of the same namespace
 * (NULL = not known), to which it does not refer later. previous (NULL = none) must have been made
 * with the same workspace and namespace. -1 only when memory is out.
 */
int draft_slice_new(struct drafts *drafts, const struct records *deployments,
                    const struct slice_options *options, const struct draft_slice *previous,
                    struct draft_slice **ret, struct err *err) MUST_CHECK;
void draft_slice_free(struct draft_slice *slice);

#endif
