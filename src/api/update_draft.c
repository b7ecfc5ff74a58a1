#include "api/write.h"

#include "base/strbuf.h"
#include "request.h"
#include "single.h"

enum { OBJECT_BUDGET = 512 * 1024 * 1024 };

int api_client_update_draft(struct api_client *client, const struct api_request *request,
                            const char *draft_id, const json_value *draft, json_value **ret,
                            struct api_stats *stats, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    bool in_doubt = false;

    *stats = (struct api_stats){0};
    if (json_print(draft, false, &body, err) < 0)
        return -1;
    request_path(&path, request->namespace_name, "/deployment-drafts", draft_id);
    const struct call_write write = {
        .method = "PATCH",
        .body = strbuf_str(&body),
        .body_len = body.len,
    };
    const struct single single = {
        .operation = OPERATION_UPDATE_DEPLOYMENT_DRAFT,
        .path = &path,
        .write = &write,
        .exact = true,
        .tree_budget = OBJECT_BUDGET,
        .in_doubt = &in_doubt,
    };
    if (single_call(client, request, &single, ret, stats, err) == 0)
        return 0;
    return in_doubt ? err_wrap(err, "the draft may have been changed") : -1;
}
