/*
 * The jobs of one namespace's deployments, rendered: of those that have active jobs, both as they
 * said themselves when they were asked and as the last listing says. As with deployments (slice.h),
 * pieces of text by block and family, shared with the slice before where the text came out the
 * same.
 *
 * Scheduler thread only.
 */
#ifndef JOB_SLICE_H
#define JOB_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/snapshot.h"
#include "job_families.h"
#include "model/job.h"
#include "model/records.h"
#include "slice.h"

struct job_block {
    const char *first_id;               /* the set's */
    struct piece *pieces[JOB_FAMILIES]; /* NULL = no samples */
};

struct job_slice {
    struct job_set *set;
    struct records *records; /* NULL = none */
    struct job_block *blocks;
    size_t n_blocks;
    bool shown[JOB_FAMILIES];
};

/*
 * Renders the set beside the deployments (NULL = not known), of both of which it keeps a reference.
 * What was answered before oldest_mono_ms is too old to show: with a budget that does not suffice
 * each deployment has an age of its own. previous (NULL = none) must have been made with the same
 * workspace and namespace. -1 only when memory is out.
 */
int job_slice_new(struct job_set *set, struct records *records, const struct slice_options *options,
                  int64_t oldest_mono_ms, const struct job_slice *previous, struct job_slice **ret,
                  struct err *err) MUST_CHECK;
void job_slice_free(struct job_slice *slice);

#endif
