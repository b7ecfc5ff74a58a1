/*
 * The families that come from deployment records: the table, and who writes a record's samples.
 */
#ifndef FAMILIES_H
#define FAMILIES_H

#include <stddef.h>

#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/deployment.h"

/* labels is the finished prefix of the record: workspace, flink_namespace, deployment_id, _name. */
typedef void deployment_emit_fn(struct expo *e, const char *name, const struct deployment *d,
                                struct expo_labels labels);

struct deployment_family {
    struct family family;
    deployment_emit_fn *emit; /* writes nothing where the record does not tell */
};

#define DEPLOYMENT_FAMILIES 12
extern const struct deployment_family deployment_families[DEPLOYMENT_FAMILIES];

/* 'state="failed"', for the samples by state; shared with the namespace's sums. */
struct expo_labels job_state_label(enum job_state state);

#endif
