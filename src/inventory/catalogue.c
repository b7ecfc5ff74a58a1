#include "catalogue.h"

#include <assert.h>

const struct namespace_family *catalogue_namespace_family(size_t i)
{
    assert(i < FAMILIES);
    if (i >= FAMILY_HEALTH)
        return &health_families[i - FAMILY_HEALTH];
    if (i >= FAMILY_TICKETS)
        return &ticket_families[i - FAMILY_TICKETS];
    if (i >= FAMILY_SUMS && i < FAMILY_JOBS)
        return &sum_families[i - FAMILY_SUMS];
    return NULL;
}

const struct family *catalogue_family(size_t i)
{
    const struct namespace_family *family = catalogue_namespace_family(i);

    if (family)
        return &family->family;
    if (i >= FAMILY_DRAFTS)
        return &draft_families[i - FAMILY_DRAFTS].family;
    return i >= FAMILY_JOBS ? &job_families[i - FAMILY_JOBS].family
                            : &deployment_families[i].family;
}
