/*
 * All families of a generation in the order of the exposition, which is the order of their tables.
 * A family is known by its index here: in regions, in what a reply may choose from.
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include <stddef.h>

#include "draft_families.h"
#include "entry.h"
#include "families.h"
#include "job_families.h"

/* Where each table begins. */
enum {
    FAMILY_DEPLOYMENTS,
    FAMILY_SUMS = FAMILY_DEPLOYMENTS + DEPLOYMENT_FAMILIES,
    FAMILY_JOBS = FAMILY_SUMS + SUM_FAMILIES,
    FAMILY_DRAFTS = FAMILY_JOBS + JOB_FAMILIES,
    FAMILY_TICKETS = FAMILY_DRAFTS + DRAFT_FAMILIES,
    FAMILY_HEALTH = FAMILY_TICKETS + TICKET_FAMILIES,
    FAMILIES = FAMILY_HEALTH + HEALTH_FAMILIES,
};

const struct family *catalogue_family(size_t i);
/* One of sums, tickets or health; NULL for the others, whose samples are pieces of slices. */
const struct namespace_family *catalogue_namespace_family(size_t i);

#endif
