/*
 * What the jobs of an entry's deployments change in it: their own slice, and the exact time of a
 * deployment's last failure. Scheduler thread only.
 */
#ifndef ENTRY_JOBS_H
#define ENTRY_JOBS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "entry.h"
#include "model/listing.h"

/*
 * The listing's deployments, whose last failure is that of the listing that saw it, get the exact
 * time where the set (NULL = none) knows it.
 */
void entry_jobs_refine(const struct job_set *set, struct listing *listing);

/*
 * The slice of the entry's jobs beside new deployments or under other options, of data that is not
 * older than max_staleness; *ret stays NULL where the entry has no jobs. -1 only when memory is
 * out.
 */
int entry_jobs_render(const struct entry *entry, struct records *records,
                      const struct slice_options *options, int64_t now_mono_ms,
                      struct job_slice **ret, struct err *err) MUST_CHECK;

/*
 * Takes the place of the set before. On failure, for lack of memory only, nothing has happened. The
 * caller keeps its reference of the set.
 */
int entry_jobs_take(struct entry *entry, struct job_set *set, const struct slice_options *options,
                    int64_t now_mono_ms, struct err *err) MUST_CHECK;

#endif
