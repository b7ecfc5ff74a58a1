/*
 * A slice: one whole listing of one namespace, rendered. Frozen once built, apart from its blocks'
 * reference counts. Scheduler thread only.
 *
 * Each family's text is cut into pieces by ranges of deployment ids, and where a range begins is
 * decided by the ids themselves, so that a deployment that comes or goes changes the pieces of its
 * own range only. A new slice is rendered beside the old one and shares every piece whose text
 * came out the same, its compressed form included.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "assemble.h"
#include "base/err.h"
#include "base/glob.h"
#include "families.h"
#include "model/listing.h"

struct slice_block {
    size_t first;                              /* index of its first record */
    struct piece *pieces[DEPLOYMENT_FAMILIES]; /* NULL = no samples */
};

struct slice {
    struct listing *listing;
    struct slice_block *blocks;
    size_t n_blocks;
    int64_t jobs[JOB_STATE_END]; /* sums of what the records tell */
    bool jobs_known;             /* at least one record tells */
};

struct slice_options {
    const char *workspace;
    const char *namespace_name;
    const struct glob_list *deny;
    bool without_deployments; /* aggregation = namespace: sums only */
};

/*
 * Consumes the listing on success; on failure it stays the caller's. previous may be NULL.
 */
int slice_new(struct listing *listing, const struct slice_options *options,
              const struct slice *previous, struct slice **ret, struct err *err) MUST_CHECK;

/* The listing comes back to be rendered again under other options; the slice is gone. */
struct listing *slice_take_listing(struct slice *slice);
void slice_free(struct slice *slice);

#endif
