#include "operations.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"

#define PREFIX "/api/v2/namespaces/{}"

static const struct operation operations[] = {
    {"ListDeployments", "GET", PREFIX "/deployments", answer_list_deployments, false},
    {"GetDeploymentsByName", "GET", PREFIX "/deployments/name/{}", answer_get_deployments_by_name,
     false},
    {"GetDeployment", "GET", PREFIX "/deployments/{}", answer_get_deployment, false},
    {"ListJobs", "GET", PREFIX "/jobs", answer_list_jobs, false},
    {"GetJob", "GET", PREFIX "/jobs/{}", answer_get_job, false},
    {"ListDeploymentDrafts", "GET", PREFIX "/deployment-drafts", answer_list_drafts, false},
    {"GetDeploymentDraft", "GET", PREFIX "/deployment-drafts/{}", answer_get_draft, false},
    {"UpdateDeploymentDraft", "PATCH", PREFIX "/deployment-drafts/{}", answer_update_draft, true},
    {"DeployDeploymentDraftAsync", "POST", PREFIX "/deployment-drafts/async-deploy",
     answer_deploy_draft, true},
    {"GetDeployDeploymentDraftResult", "GET", PREFIX "/deployment-drafts/tickets/{}/async-deploy",
     answer_deploy_result, true},
};

static char *decode_segment(const char *s, size_t len)
{
    struct strbuf b = STRBUF_INIT;
    uri_decode(&b, s, len, false);
    size_t decoded_len = b.len;
    char *text = b.ptr ? strbuf_take(&b, NULL) : strdup("");
    strbuf_release(&b);
    if (!text || strlen(text) == decoded_len)
        return text;
    free(text); /* %00: no name holds it, and the rest of the text must not pass for one */
    return NULL;
}

static void free_params(char *params[OPERATION_MAX_PATH_PARAMS])
{
    for (size_t i = 0; i < OPERATION_MAX_PATH_PARAMS; i++) {
        free(params[i]);
        params[i] = NULL;
    }
}

/* Segment by segment; a parameter must not be empty. */
static bool path_matches(const char *pattern, const char *path,
                         char *params[OPERATION_MAX_PATH_PARAMS])
{
    size_t n = 0;
    while (*pattern && *path) {
        if (pattern[0] == '{') {
            size_t len = strcspn(path, "/");
            if (!len || n == OPERATION_MAX_PATH_PARAMS)
                return false;
            params[n] = decode_segment(path, len);
            if (!params[n++])
                return false;
            path += len;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*pattern && !*path;
}

const struct operation *operation_find(const char *method, const char *raw_path,
                                       char *ret_params[OPERATION_MAX_PATH_PARAMS],
                                       struct strbuf *ret_allowed)
{
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        free_params(ret_params);
        if (!path_matches(operations[i].path, raw_path, ret_params))
            continue;
        if (strcmp(method, operations[i].method) == 0)
            return &operations[i];
        strbuf_addf(ret_allowed, "%s%s", ret_allowed->len ? ", " : "", operations[i].method);
    }
    free_params(ret_params);
    return NULL;
}
