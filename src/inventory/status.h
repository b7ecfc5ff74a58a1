/*
 * A deployment's status, told from its summary, from the lists of a status that had it, and from
 * what was known before. Pure: no memory, no clock.
 *
 * A summary counts history: "failed: 6, cancelled: 1" says that nothing runs, not how the newest
 * job ended. Where it leaves that open the control plane is asked (refresh/statuses.c), and what it
 * answered goes on to hold while the counts tell of nothing that has ended since.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/deployment.h"

/* What is remembered of a deployment from listing to listing. All zero = nothing. */
struct status_memory {
    enum deployment_status
        status;      /* the last one that was told; STATUS_UNKNOWN = none that holds */
    bool not_failed; /* the newest job had not failed, as of the last listing */
    bool missing;    /* a list of those that failed was whole, without it, and not contradicted */
    bool owed; /* since the listing before the last one a job failed that its counts do not have */
};

/* What a whole listing and the lists besides tell of a deployment. */
struct status_sight {
    const int64_t *jobs;             /* of the listing, by enum job_state; -1 = not told */
    const int64_t *before;           /* told last before it, by enum job_event; -1 = never told */
    unsigned asked, in_pages, found; /* as in struct listing, struct deployment */
};

/* What is to be shown. */
enum deployment_status status_tell(const struct status_memory *memory,
                                   const struct status_sight *sight);

/* The same, and the memory becomes what is known after it. */
enum deployment_status status_see(struct status_memory *memory, const struct status_sight *sight);

/* True if a list of those that were cancelled or finished may tell what is not known. */
bool status_is_open(enum deployment_status status, int64_t cancelled, int64_t finished);

#endif
