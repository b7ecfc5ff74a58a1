/*
 * The families that come from deployment records: the table, and who writes a record's samples.
 */
#ifndef FAMILIES_H
#define FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/deployment.h"

/*
 * Writes a deployment's samples of the family that e is set to. object has the labels that all its
 * samples have: workspace, flink_namespace, deployment_id, deployment_name.
 */
typedef void deployment_emit_fn(struct expo *e, const struct deployment *d,
                                const struct expo_object *object);

struct deployment_family {
    struct family family;
    deployment_emit_fn *emit; /* writes nothing where the record does not tell */
    unsigned reads;           /* the parts of a deployment it looks at, besides its identity */
    /*
     * An event: shown while the state is too old to be. A counter that was withheld would come back
     * at its new value, and what happened in the dark would be no increase.
     */
    bool event;
    /* One piece has the samples of so many records of a block: some 30 KB of text, or 60. */
    unsigned records_per_piece;
};

/* one_begin, EXPO_NEXT_LABEL ..., one_end: a sample of value 1 with more labels than the object's.
 */
void one_begin(struct expo *e, const struct expo_object *object);
void one_end(struct expo *e);

#define DEPLOYMENT_FAMILIES 17
extern const struct deployment_family deployment_families[DEPLOYMENT_FAMILIES];

/* 'state="failed"', for the samples by state; shared with the namespace's sums. */
struct expo_labels job_state_label(enum job_state state);

#endif
