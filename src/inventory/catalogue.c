#include "catalogue.h"

#include <assert.h>

const struct namespace_family *catalogue_namespace_family(size_t i)
{
    assert(i < FAMILIES);
    if (i >= FAMILY_HEALTH)
        return &health_families[i - FAMILY_HEALTH];
    if (i >= FAMILY_TICKETS)
        return &ticket_families[i - FAMILY_TICKETS];
    if (i >= FAMILY_SUMS && i < FAMILY_DRAFTS)
        return &sum_families[i - FAMILY_SUMS];
    return NULL;
}

const struct family *catalogue_family(size_t i)
{
    const struct namespace_family *family = catalogue_namespace_family(i);

    if (family)
        return &family->family;
    return i < FAMILY_SUMS ? &deployment_families[i].family
                           : &draft_families[i - FAMILY_DRAFTS].family;
}
