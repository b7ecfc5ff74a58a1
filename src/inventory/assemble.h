/*
 * Putting a generation together: growing lists of piece references, one a format, and what a
 * snapshot is made of. Scheduler thread only.
 */
#ifndef ASSEMBLE_H
#define ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "inventory/snapshot.h"
#include "model/job.h"
#include "model/records.h"
#include "regions.h"

uint64_t piece_series(const struct piece *piece);

/*
 * What e wrote as a piece: old, if the text came out the same after all, else a new one. *ret stays
 * NULL where there is no text. It becomes the piece without being copied, in memory of its exact
 * size: pieces live long. -1 only when memory is out.
 */
int piece_keep_or_make(struct expo *e, struct piece *old, struct piece **ret) MUST_CHECK;

/* References, each counted; piece_list_release drops them. */
struct piece_list {
    struct piece **pieces;
    size_t n;
    size_t cap;
};

/* Appends a new reference of the piece. */
int piece_list_add(struct piece_list *list, struct piece *piece, struct err *err) MUST_CHECK;
void piece_list_release(struct piece_list *list);

/* What is known of the jobs of a target: references. */
struct snapshot_jobs {
    struct job_set *set;     /* NULL = nothing */
    struct records *records; /* the deployments; NULL = not known, or there is no set */
};

struct snapshot_parts {
    struct arena *arena; /* holds statuses, jobs and regions; the snapshot takes it over */
    struct piece_list lists[EXPO_FORMAT_END];
    struct regions regions;        /* of the lists' text */
    struct target_status *targets; /* in the arena, with all their strings */
    struct snapshot_jobs *jobs;    /* by target; the snapshot takes the references over */
    size_t n_targets;
    bool all_tried;
    const struct glob_list *deny; /* copied */
    uint64_t n_series;
    int64_t render_us;
};
void snapshot_parts_release(struct snapshot_parts *parts);

/* One reference in *ret. parts keeps its piece references (release it), loses its arena. */
int snapshot_new(struct snapshot_parts *parts, struct snapshot **ret, struct err *err) MUST_CHECK;

/* Borrowed from the snapshot. */
const struct regions *snapshot_regions(const struct snapshot *s);
const struct snapshot_jobs *snapshot_jobs(const struct snapshot *s, size_t target);

void snapshot_jobs_release(struct snapshot_jobs *jobs, size_t n);

#endif
