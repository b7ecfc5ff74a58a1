/*
 * The families that come from records of drafts: the table, and who writes a record's samples.
 */
#ifndef DRAFT_FAMILIES_H
#define DRAFT_FAMILIES_H

#include <stdint.h>

#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/draft.h"

/*
 * Writes a draft's samples of the family that e is set to. object has the labels that all its
 * samples have: workspace, flink_namespace, deployment_draft_id, draft_name. drift is as drift.h
 * says.
 */
typedef void draft_emit_fn(struct expo *e, const struct draft *d, int8_t drift,
                           const struct expo_object *object);

struct draft_family {
    struct family family;
    draft_emit_fn *emit; /* writes nothing where the record does not tell */
};

enum {
    DRAFT_INFO,
    DRAFT_CREATED,
    DRAFT_MODIFIED,
    DRAFT_LOCKED,
    DRAFT_DRIFTED,   /* the only one that depends on deployments */
    DRAFT_LOCK_INFO, /* shown only if the configuration says so */
    DRAFT_FAMILIES,
};
extern const struct draft_family draft_families[DRAFT_FAMILIES];

#endif
