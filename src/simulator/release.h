/*
 * A draft becomes a deployment: a new one, or the one it refers to takes its content. Under the
 * world's write lock.
 */
#ifndef SIMULATOR_RELEASE_H
#define SIMULATOR_RELEASE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "world.h"

struct release {
    const char *draft_id;
    const char *target_mode; /* NULL = as it is, PER_JOB for a new one */
    const char *target_name;
    int64_t now_s;
};

/* *ret_deployment_id is on the heap. -1: nothing was changed, the message is for the ticket. */
int release_draft(struct world *w, struct world_namespace *ns, const struct release *release,
                  char **ret_deployment_id, struct err *err) MUST_CHECK;

#endif
