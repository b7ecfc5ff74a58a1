#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "text.h"

/* --- ListDeployments --- */

static void refuse_parameter(const struct call *call, const char *message, struct reply *r)
{
    if (call->settings->bad_page_as_business) {
        reply_business_error(r, "990400", message);
        return;
    }
    const struct gateway_error e = {.status = 400,
                                    .code = "InvalidParameter",
                                    .message = message,
                                    .host = call->host,
                                    .xml = call->wants_xml};
    reply_gateway_error(r, &e);
}

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

static void add_total(struct strbuf *out, const struct listing_query *q, size_t total,
                      const struct fault_effects *effects)
{
    long long shown = (long long)total;
    const struct fault *f = &effects->total;
    if (effects->endless)
        shown = (long long)((q->page_index + 10) * q->page_size);
    if (!effects->total_size) {
        strbuf_addf(out, ",\"totalSize\":%lld", shown);
    } else if (f->value != FAULT_UNSET || f->delta != FAULT_UNSET) {
        shown = f->value != FAULT_UNSET ? f->value : shown + f->delta;
        strbuf_addf(out, ",\"totalSize\":%lld", shown);
    } else if (strcmp(f->mode, "negative") == 0) {
        strbuf_adds(out, ",\"totalSize\":-1");
    } else if (strcmp(f->mode, "string") == 0) {
        strbuf_addf(out, ",\"totalSize\":\"%lld\"", shown);
    } else if (strcmp(f->mode, "null") == 0) {
        strbuf_adds(out, ",\"totalSize\":null");
    } else if (strcmp(f->mode, "varying") == 0) {
        strbuf_addf(out, ",\"totalSize\":%lld", shown + (long long)(f->n_applied % 3));
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
    reply_envelope(&head, r, true, "", "");
    strbuf_addf(&head, ",\"pageIndex\":%zu,\"pageSize\":%zu", q->page_index, q->page_size);
    add_total(&head, q, page.total, effects);
    strbuf_adds(&head, ",\"data\":[");

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

static void list_deployments(const struct call *call, struct reply *r)
{
    struct listing_query q;
    struct err err = {0};
    if (listing_query_read(&q, call->query, &err) < 0) {
        refuse_parameter(call, err.msg, r);
        return;
    }
    struct world *w = call->sim->world;
    if (call->effects->shift)
        world_lock_write(w);
    else
        world_lock_read(w);
    struct world_namespace *ns = world_find_namespace(w, call->path_params[0]);
    if (ns && call->effects->shift)
        shift(w, ns, call->effects);
    int rc = ns ? render_page(call, ns, &q, r) : -1;
    world_unlock(w);
    if (rc < 0) {
        const struct gateway_error e = {.status = 500,
                                        .code = "InternalError",
                                        .message = "The request processing has failed.",
                                        .host = call->host,
                                        .xml = call->wants_xml};
        reply_gateway_error(r, &e);
    }
}

/* --- the table --- */

static const struct operation operations[] = {
    {"ListDeployments", "GET", "/api/v2/namespaces/{}/deployments", list_deployments},
};

static char *decode_segment(const char *s, size_t len)
{
    struct strbuf b = STRBUF_INIT;
    uri_decode(&b, s, len, false);
    char *text = b.ptr ? strbuf_take(&b, NULL) : strdup("");
    strbuf_release(&b);
    return text;
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
                                       bool *ret_other_method)
{
    *ret_other_method = false;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        free_params(ret_params);
        if (!path_matches(operations[i].path, raw_path, ret_params))
            continue;
        if (strcmp(method, operations[i].method) == 0)
            return &operations[i];
        *ret_other_method = true;
    }
    free_params(ret_params);
    return NULL;
}
