/*
 * What is kept of a whole listing once its refresh is over: the deployments, packed, and the
 * listing's totals.
 *
 * Deployments lie in blocks, in the order of their ids. Where a block begins is decided by the ids
 * themselves, so that a deployment that comes or goes changes its own block only, and a block in
 * which nothing changed is not made anew: both generations hold the same pointer. So two
 * generations are compared in one pass over two sorted lists that skips what is the same pointer.
 *
 * Frozen once built and counted; any thread may read. A view gives the deployments back.
 */
#ifndef MODEL_RECORDS_H
#define MODEL_RECORDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "model/deployment.h"
#include "model/listing.h"

struct record_block;

struct records {
    atomic_uint refs;
    struct record_block **blocks; /* by id; each holds at least one deployment */
    size_t n_blocks;
    size_t n_items; /* deployments in all blocks */

    /* What the listing said of itself. */
    uint32_t pages;
    int64_t expected; /* -1 = never announced */
    uint64_t invalid;
    uint64_t over_limit;

    int64_t jobs[JOB_STATE_END]; /* sums of what the deployments tell, INT64_MAX at most */
    bool jobs_known;             /* at least one of them tells */
};

/* A block has 128 deployments on average, and no more than these. */
#define RECORD_BLOCK_MAX 512

/*
 * Packs the listing, which stays the caller's and is not referred to. Blocks that say the same as
 * in previous (NULL = none) are shared with it. -1 only when memory is out.
 */
int records_new(const struct listing *listing, const struct records *previous, struct records **ret,
                struct err *err) MUST_CHECK;

/*
 * The same listing after change has seen its deployments, one by one in the order of ids: it may
 * change numbers of a deployment, and returns true if it did. Blocks without such a one are shared;
 * where there is none at all, *ret is a reference of records. Strings stay as they are. -1 only
 * when memory is out.
 */
typedef bool record_change_fn(void *ctx, struct deployment *d);
int records_revise(struct records *records, record_change_fn *change, void *ctx,
                   struct records **ret, struct err *err) MUST_CHECK;

/* True if both hold the very same blocks: then all deployments say the same. */
bool records_same(const struct records *a, const struct records *b);

struct records *records_ref(struct records *records);
void records_unref(struct records *records);
void records_unrefp(struct records **records);

/* Bytes on the heap, shared blocks included. */
size_t records_bytes(const struct records *records);

/* --- reading --- */

/*
 * The block that begins with this id, or NULL. For one pass in the order of ids: the cursor, 0 at
 * first, only moves forward, and is the block's index when there is one.
 */
struct record_block *records_block_at(const struct records *records, const char *first_id,
                                      size_t *cursor);

size_t record_block_items(const struct record_block *block);
const char *record_block_first_id(const struct record_block *block);

/*
 * One block's deployments as plain structs, in memory that is used again for the next block. All
 * is as the listing had it. Strings live in the block.
 */
struct records_view {
    struct deployment *items;
    size_t n_items;
    struct deployment_label *labels;
    size_t cap_items, cap_labels;
};

#define RECORDS_VIEW_INIT ((struct records_view){0})

/* -1 when memory is out; the view is empty then. */
int records_view_load(struct records_view *view, const struct record_block *block,
                      struct err *err) MUST_CHECK;
void records_view_release(struct records_view *view);

#endif
