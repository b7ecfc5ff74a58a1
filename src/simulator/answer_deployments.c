/* ListDeployments, GetDeployment, GetDeploymentsByName. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "generate.h"

/* --- ListDeployments --- */

/* A fault: the list changes between two pages. */
static void shift(struct world *w, struct world_namespace *ns, const struct fault_effects *effects)
{
    const char *mode = effects->shift_mode;
    bool alternate = strcmp(mode, "alternate") == 0;
    bool insert = alternate ? effects->shift_number % 2 : strcmp(mode, "insert") == 0;
    struct err ignored;
    if (insert) {
        if (world_appear(w, ns, 0, &ignored) < 0)
            return;
    } else if (ns->n_deployments && strcmp(mode, "move") == 0) {
        world_move_to_end(ns, 0);
    } else if (ns->n_deployments) {
        world_remove(ns, 0);
    }
}

static void add_items(const struct listing_page *page, const struct fault_effects *effects,
                      struct text_body *out)
{
    for (size_t i = 0; i < page->n_items; i++) {
        if (i)
            text_body_add(out, ",", 1);
        deployment_render(page->items[i], effects->invalid_utf8, out);
    }
}

/* A fault: behind the end there are deployments that do not exist. */
static void add_fresh_items(const struct call *call, const struct world_namespace *ns,
                            const struct listing_query *q, const struct listing_page *page,
                            struct text_body *out)
{
    struct err ignored;
    for (size_t i = page->n_items; i < q->page_size; i++) {
        struct deployment *d;
        uint64_t number = 1000000000 + (q->page_index - 1) * q->page_size + i;
        if (generate_deployment(&call->sim->world->generator, ns->name, number, 0, &d, &ignored) <
            0)
            return;
        if (i)
            text_body_add(out, ",", 1);
        deployment_render(d, false, out);
        deployment_free(d);
    }
}

static int render_page(const struct call *call, struct world_namespace *ns,
                       const struct listing_query *q, struct reply *r)
{
    const struct fault_effects *effects = call->effects;
    struct listing_page page;
    if (listing_select(ns, q, effects->endless && !effects->endless_fresh, &page) < 0)
        return -1;
    struct strbuf head = STRBUF_INIT;
    answer_page_head(call, q, page.total, r, &head);

    struct text_body body;
    text_body_init(&body, call->wants_gzip && !effects->replaces_reply);
    text_body_add(&body, strbuf_str(&head), head.len);
    add_items(&page, effects, &body);
    if (effects->endless_fresh)
        add_fresh_items(call, ns, q, &page, &body);
    text_body_add(&body, "]}", 2);
    text_body_finish(&body);
    bool ok = strbuf_ok(&head) && strbuf_ok(&body.bytes);
    strbuf_release(&head);
    if (!ok) {
        text_body_release(&body);
        return -1;
    }
    r->status = 200;
    r->content_type = "application/json;charset=utf-8";
    r->gzip = body.gzip;
    r->body = body.bytes;
    return 0;
}

void answer_list_deployments(const struct call *call, struct reply *r)
{
    struct listing_query q;
    struct err err = {0};
    if (listing_query_read(&q, call->query, &err) < 0) {
        answer_bad_parameter(call, err.msg, r);
        return;
    }
    struct world *w = call->sim->world;
    struct world_namespace *ns =
        call->effects->shift ? answer_write(call, r) : answer_read(call, r);
    if (!ns)
        return;
    if (call->effects->shift)
        shift(w, ns, call->effects);
    int rc = render_page(call, ns, &q, r);
    world_unlock(w);
    if (rc < 0)
        answer_internal_error(call, r);
}

/* --- one, and those of a name --- */

void answer_get_deployment(const struct call *call, struct reply *r)
{
    struct world_namespace *ns = answer_read(call, r);
    if (!ns)
        return;
    struct deployment *d = world_find_in(ns, call->path_params[1]);
    struct text_body body;
    text_body_init(&body, false);
    if (d)
        deployment_render(d, call->effects->invalid_utf8, &body);
    world_unlock(call->sim->world);
    text_body_finish(&body);
    if (d)
        answer_data(call, &body.bytes, r);
    else
        answer_not_found("deployment", r);
    text_body_release(&body);
}

struct leaving_out {
    bool job_summary;
    bool resource_setting;
};

static bool read_flag(const struct call *call, const char *key, bool *ret, struct reply *r)
{
    const char *text = uri_query_get(call->query, key);
    *ret = text && strcmp(text, "true") == 0;
    if (!text || *ret || strcmp(text, "false") == 0)
        return true;
    char message[96];
    snprintf(message, sizeof(message), "The specified parameter %s is not valid.", key);
    answer_bad_parameter(call, message, r);
    return false;
}

static int add_one(struct deployment *d, const struct leaving_out *out, bool broken_name,
                   struct strbuf *text)
{
    struct object o;
    struct err ignored;
    if (deployment_object(d, broken_name, &o, &ignored) < 0)
        return -1;
    if (out->job_summary)
        object_remove(&o, "jobSummary");
    if (out->resource_setting) {
        object_remove(&o, "streamingResourceSetting");
        object_remove(&o, "batchResourceSetting");
    }
    object_render(&o, text);
    object_release(&o);
    return 0;
}

static void add_named(const struct call *call, struct world_namespace *ns,
                      const struct leaving_out *out, struct strbuf *text)
{
    struct deployment *const *all = world_sorted(ns, WORLD_SORT_CREATED);
    strbuf_addc(text, '[');
    size_t start = text->len;
    if (!all && ns->n_deployments)
        text->bad = true;
    for (size_t i = 0; all && i < ns->n_deployments; i++) {
        if (!all[i]->name || strcmp(all[i]->name, call->path_params[1]) != 0)
            continue;
        strbuf_adds(text, text->len > start ? "," : "");
        if (add_one(all[i], out, call->effects->invalid_utf8, text) < 0)
            text->bad = true;
    }
    strbuf_addc(text, ']');
}

void answer_get_deployments_by_name(const struct call *call, struct reply *r)
{
    struct leaving_out out;
    if (!read_flag(call, "ignoreJobSummary", &out.job_summary, r) ||
        !read_flag(call, "ignoreResourceSetting", &out.resource_setting, r))
        return;
    struct world_namespace *ns = answer_read(call, r);
    if (!ns)
        return;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    add_named(call, ns, &out, &text);
    world_unlock(call->sim->world);
    if (text.len == 2 && call->settings->missing_name_is_error)
        answer_not_found("deployment", r);
    else
        answer_data(call, &text, r);
}
