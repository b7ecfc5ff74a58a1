/* The calls for single objects: what they ask for, and how a ticket's answer is read. */
#include <string.h>

#include "base/strbuf.h"
#include "request.h"
#include "single.h"
#include "ticket_reader.h"

enum {
    TICKET_BUDGET = 4 * 1024 * 1024,
    /* A whole object, text and plans included. cJSON takes up to some dozen bytes a byte of text.
     */
    OBJECT_BUDGET = 512 * 1024 * 1024,
};

int api_client_get_ticket(struct api_client *client, const struct api_request *request,
                          const char *ticket_id, struct arena *arena, struct ticket_answer *ret,
                          json_value **data, struct api_stats *stats, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(json_freep) json_value *answer = NULL;
    const struct single single = {
        .operation = OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT,
        .path = &path,
        .tree_budget = TICKET_BUDGET,
    };

    request_path(&path, request->namespace_name, "/deployment-drafts/tickets", ticket_id);
    strbuf_adds(&path, "/async-deploy");
    if (single_call(client, request, &single, &answer, stats, err) < 0 ||
        ticket_read(answer, arena, ret, err) < 0)
        return -1;
    if (data)
        *data = TAKE(answer);
    return 0;
}

int api_client_get_deployments(struct api_client *client, const struct api_request *request,
                               const char *name, unsigned without, json_value **ret,
                               struct api_stats *stats, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf query = STRBUF_INIT;
    const struct single single = {
        .operation = OPERATION_GET_DEPLOYMENTS_BY_NAME,
        .path = &path,
        .query = &query,
        .exact = true,
        .array = true,
        .tree_budget = OBJECT_BUDGET,
    };

    *stats = (struct api_stats){0};
    request_by_name(&path, request->namespace_name, name);
    if (request_without_query(&query, without, err) < 0)
        return -1;
    if (single_call(client, request, &single, ret, stats, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    *ret = json_new_array();
    return *ret ? 0 : err_nomem(err, "the answer");
}

int api_client_get_draft(struct api_client *client, const struct api_request *request,
                         const char *draft_id, json_value **ret, struct api_stats *stats,
                         struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    const struct single single = {
        .operation = OPERATION_GET_DEPLOYMENT_DRAFT,
        .path = &path,
        .exact = true,
        .tree_budget = OBJECT_BUDGET,
    };

    request_path(&path, request->namespace_name, "/deployment-drafts", draft_id);
    return single_call(client, request, &single, ret, stats, err);
}
