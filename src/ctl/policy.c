#include "policy.h"

#include "base/cleanup.h"

unsigned policy_of_exporter(const struct target *target)
{
    unsigned operations = 0;

    if (target->collectors & 1u << COLLECTOR_DEPLOYMENTS)
        operations |= 1u << (target->n_deployment_names > 0 ? OPERATION_GET_DEPLOYMENTS_BY_NAME
                                                            : OPERATION_LIST_DEPLOYMENTS);
    if (target->collectors & 1u << COLLECTOR_DRAFTS)
        operations |= 1u << OPERATION_LIST_DEPLOYMENT_DRAFTS;
    if (target->collectors & 1u << COLLECTOR_TICKETS)
        operations |= 1u << OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT;
    if (target->collectors & 1u << COLLECTOR_JOBS)
        operations |= 1u << OPERATION_LIST_JOBS;
    return operations;
}

unsigned policy_of_tool(const struct target *target)
{
    unsigned all = (1u << OPERATION_END) - 1;

    return (all & ~(1u << OPERATION_LIST_JOBS)) | policy_of_exporter(target);
}

void policy_put(unsigned operations, const char *key, struct json_out *o)
{
    json_out_open(o, key, '{');
    json_out_text(o, "Version", "1");
    json_out_open(o, "Statement", '[');
    json_out_open(o, NULL, '{');
    json_out_text(o, "Effect", "Allow");
    json_out_open(o, "Action", '[');
    for (int op = 0; op < OPERATION_END; op++) {
        CLEANUP(strbuf_release) struct strbuf action = STRBUF_INIT;

        if (!(operations & 1u << op))
            continue;
        strbuf_addf(&action, "stream:%s", operation_name((enum operation)op));
        o->out->bad = o->out->bad || !strbuf_ok(&action);
        json_out_text(o, NULL, strbuf_str(&action));
    }
    json_out_close(o, ']');
    json_out_text(o, "Resource", "*");
    json_out_close(o, '}');
    json_out_close(o, ']');
    json_out_close(o, '}');
}
