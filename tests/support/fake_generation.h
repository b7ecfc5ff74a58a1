/*
 * A made-up generation of any size, valid exposition text in both formats, for tests and
 * measurements of whatever serves one. Every sample of a generation carries its number, so a
 * reader can tell whether two were mixed.
 */
#ifndef SUPPORT_FAKE_GENERATION_H
#define SUPPORT_FAKE_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "assemble.h"
#include "inventory/snapshot.h"

struct fake_generation {
    unsigned number;
    size_t n_pieces;
    size_t piece_bytes;                  /* at least; whole lines */
    const struct target_status *targets; /* copied, strings and all */
    size_t n_targets;
    struct snapshot_jobs *jobs; /* by target; the references are given away; NULL = none known */
    bool all_tried;
    struct glob_list deny;
};

/* NULL when memory is out. */
struct snapshot *fake_generation_new(const struct fake_generation *g);

#endif
