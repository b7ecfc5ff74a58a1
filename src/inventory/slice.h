/*
 * A slice: the records of one namespace, rendered. Frozen once built, apart from reference counts.
 * Scheduler thread only.
 *
 * It follows the records' blocks: each block has for each family a few pieces, each with the
 * samples of so many of its records as the family's line says. A new slice is built beside the old
 * one. Where the records of a piece say the same as before in what its family reads, nothing is
 * rendered and the old piece is shared, its compressed form included.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "assemble.h"
#include "base/err.h"
#include "base/glob.h"
#include "families.h"
#include "model/records.h"

struct slice_block {
    size_t n_items;
    struct piece *pieces[]; /* family after family; NULL = no samples */
};

struct slice {
    struct records *records;
    struct slice_block **blocks; /* one for each block of the records; none without_deployments */
    size_t n_blocks;
    bool denied[DEPLOYMENT_FAMILIES]; /* families not rendered */
};

struct slice_options {
    const char *workspace;
    const char *namespace_name;
    const struct glob_list *deny;
    bool without_deployments; /* aggregation = namespace: sums only, of drafts, too */
    bool draft_lock_holder;
};

/*
 * Renders the records, of which it keeps a reference. previous (NULL = none) must have been made
 * with the same workspace and namespace. -1 only when memory is out.
 */
int slice_new(struct records *records, const struct slice_options *options,
              const struct slice *previous, struct slice **ret, struct err *err) MUST_CHECK;
void slice_free(struct slice *slice);

/* A family's pieces in a block, some of them NULL. */
struct piece *const *slice_block_pieces(const struct slice_block *block, size_t family,
                                        size_t *ret_n);

#endif
