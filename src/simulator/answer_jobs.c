/* ListJobs, GetJob. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "job.h"

/* Newest first, unless asked otherwise. */
static bool read_order(const struct call *call, bool *ret_ascending, struct reply *r)
{
    const char *name = uri_query_get(call->query, "sortName");
    const char *order = uri_query_get(call->query, "sortOrder");
    *ret_ascending = order && strcasecmp(order, "asc") == 0;
    if (name && *name && strcmp(name, "gmt_create") != 0)
        answer_bad_parameter(call, "The specified parameter sortName is not valid.", r);
    else if (order && *order && !*ret_ascending && strcasecmp(order, "desc") != 0)
        answer_bad_parameter(call, "The specified parameter sortOrder is not valid.", r);
    else
        return true;
    return false;
}

static void add_jobs(const struct call *call, struct deployment *d, const struct listing_query *q,
                     bool ascending, struct reply *r, struct strbuf *out)
{
    struct job_list *list = job_list_sync(d, call->now_s);
    struct object shown;
    struct err ignored;
    size_t index;
    if (!list || deployment_object(d, call->effects->invalid_utf8, &shown, &ignored) < 0) {
        out->bad = true;
        return;
    }
    answer_page_head(call, q, list->n, r, out);
    for (size_t n = 0; answer_page_item(call, q, list->n, n, &index); n++) {
        strbuf_adds(out, n ? "," : "");
        job_render(d, &shown, &list->jobs[ascending ? index : list->n - 1 - index], out);
    }
    strbuf_adds(out, "]}");
    object_release(&shown);
}

void answer_list_jobs(const struct call *call, struct reply *r)
{
    struct listing_query q;
    bool ascending;
    struct strbuf text = STRBUF_INIT;
    const char *id = uri_query_get(call->query, "deploymentId");
    if (!answer_read_page(call, &q, r) || !read_order(call, &ascending, r))
        return;
    if (!id || !*id) {
        answer_bad_parameter(call, "The specified parameter deploymentId is not valid.", r);
        return;
    }
    struct world_namespace *ns = answer_write(call, r);
    if (!ns)
        return;
    struct deployment *d = world_find_in(ns, id);
    if (d)
        add_jobs(call, d, &q, ascending, r, &text);
    world_unlock(call->sim->world);
    if (d)
        answer_body(call, &text, r);
    else
        answer_not_found("deployment", r);
}

/* Ids come from listings, so only deployments whose jobs were listed can have it. */
static const struct job *find_job(const struct call *call, const struct world_namespace *ns,
                                  struct deployment **ret)
{
    for (size_t i = 0; i < ns->n_deployments; i++) {
        struct deployment *d = ns->deployments[i];
        struct job_list *list = d->job_list ? job_list_sync(d, call->now_s) : NULL;
        for (size_t k = 0; list && k < list->n; k++) {
            char id[RNG_UUID_LEN];
            job_id(d, &list->jobs[k], id);
            *ret = d;
            if (strcmp(id, call->path_params[1]) == 0)
                return &list->jobs[k];
        }
    }
    return NULL;
}

void answer_get_job(const struct call *call, struct reply *r)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct deployment *d;
    struct object shown;
    struct err ignored;
    struct world_namespace *ns = answer_write(call, r);
    if (!ns)
        return;
    const struct job *j = find_job(call, ns, &d);
    if (j && deployment_object(d, call->effects->invalid_utf8, &shown, &ignored) == 0) {
        job_render(d, &shown, j, &text);
        object_release(&shown);
    } else if (j) {
        text.bad = true;
    }
    world_unlock(call->sim->world);
    if (j)
        answer_data(call, &text, r);
    else
        answer_not_found("job", r);
}
