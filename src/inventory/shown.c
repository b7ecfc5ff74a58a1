#include "shown.h"

#include "entry.h"
#include "families.h"
#include "inventory/inventory.h"

unsigned inventory_parts_shown(const struct inventory_settings *settings)
{
    unsigned parts = 0;

    for (size_t f = SUM_JOBS; f <= SUM_REDUCTIONS; f++)
        if (!glob_list_match(settings->deny, sum_families[f].family.name))
            parts |= f == SUM_JOBS ? DEPLOYMENT_JOBS : DEPLOYMENT_EVENTS;
    for (size_t f = 0; !settings->aggregate_by_namespace && f < DEPLOYMENT_FAMILIES; f++)
        if (!glob_list_match(settings->deny, deployment_families[f].family.name))
            parts |= deployment_families[f].reads;
    if (parts & DEPLOYMENT_EVENTS) /* which are told from these */
        parts |= DEPLOYMENT_JOBS | DEPLOYMENT_TIMES;
    if (parts & DEPLOYMENT_STATUS)
        parts |= DEPLOYMENT_JOBS;
    /* resource_setting_mode is one of the properties, but it comes with the resources. */
    return parts & DEPLOYMENT_PROPERTIES ? parts | DEPLOYMENT_RESOURCES : parts;
}

unsigned shown_events(const struct glob_list *deny, bool aggregate)
{
    unsigned shown = 0, bit = 1;

    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        if (deployment_families[f].event) {
            if (!aggregate && !glob_list_match(deny, deployment_families[f].family.name))
                shown |= bit;
            bit <<= 1;
        }
    for (size_t f = SUM_EVENTS; f < SUM_FAMILIES; f++, bit <<= 1)
        if (!glob_list_match(deny, sum_families[f].family.name))
            shown |= bit;
    return shown;
}
