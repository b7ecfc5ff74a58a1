#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer_bad_parameter(const struct call *call, const char *message, struct reply *r)
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

void answer_internal_error(const struct call *call, struct reply *r)
{
    const struct gateway_error e = {.status = 500,
                                    .code = "InternalError",
                                    .message = "The request processing has failed.",
                                    .host = call->host,
                                    .xml = call->wants_xml};
    reply_gateway_error(r, &e);
}

void answer_not_found(const char *what, struct reply *r)
{
    char message[64];
    snprintf(message, sizeof(message), "%s not found", what);
    reply_business_error(r, ANSWER_NOT_FOUND, message);
}

/* --- bodies --- */

void answer_body(const struct call *call, struct strbuf *text, struct reply *r)
{
    struct text_body body;
    text_body_init(&body, call->wants_gzip && !call->effects->replaces_reply);
    if (strbuf_ok(text))
        text_body_add(&body, text->ptr, text->len);
    text_body_finish(&body);
    bool good = strbuf_ok(text) && strbuf_ok(&body.bytes);
    strbuf_release(text);
    if (!good) {
        text_body_release(&body);
        answer_internal_error(call, r);
        return;
    }
    r->status = 200;
    r->content_type = "application/json;charset=utf-8";
    r->gzip = body.gzip;
    r->body = body.bytes;
}

void answer_data(const struct call *call, const struct strbuf *data, struct reply *r)
{
    struct strbuf text = STRBUF_INIT;
    reply_envelope(&text, r, true, "", "");
    strbuf_adds(&text, ",\"data\":");
    strbuf_add(&text, strbuf_str(data), data->len);
    strbuf_addc(&text, '}');
    text.bad = text.bad || data->bad;
    answer_body(call, &text, r);
}

bool answer_read_body(const struct call *call, struct object *ret, struct reply *r)
{
    struct err err = {0};
    if (call->body_len && object_read(ret, call->body, call->body_len, &err) == 0)
        return true;
    answer_bad_parameter(call, "The specified parameter body is not a valid JSON object.", r);
    return false;
}

/* --- pages --- */

bool answer_read_page(const struct call *call, struct listing_query *ret, struct reply *r)
{
    struct err err = {0};
    if (listing_query_read_page(ret, call->query, &err) == 0)
        return true;
    answer_bad_parameter(call, err.msg, r);
    return false;
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

void answer_page_head(const struct call *call, const struct listing_query *q, size_t total,
                      const struct reply *r, struct strbuf *out)
{
    reply_envelope(out, r, true, "", "");
    strbuf_addf(out, ",\"pageIndex\":%zu,\"pageSize\":%zu", q->page_index, q->page_size);
    add_total(out, q, total, call->effects);
    strbuf_adds(out, ",\"data\":[");
}

bool answer_page_item(const struct call *call, const struct listing_query *q, size_t total,
                      size_t n, size_t *ret_index)
{
    size_t index = (q->page_index - 1) * q->page_size + n;
    if (n >= q->page_size || !total || (index >= total && !call->effects->endless))
        return false;
    *ret_index = index % total;
    return true;
}

/* --- the namespace --- */

static struct world_namespace *find_namespace(const struct call *call, struct reply *r)
{
    struct world_namespace *ns = world_find_namespace(call->sim->world, call->path_params[0]);
    if (ns)
        return ns;
    world_unlock(call->sim->world);
    answer_internal_error(call, r); /* it was there when the gateway looked */
    return NULL;
}

struct world_namespace *answer_read(const struct call *call, struct reply *r)
{
    world_lock_read(call->sim->world);
    return find_namespace(call, r);
}

struct world_namespace *answer_write(const struct call *call, struct reply *r)
{
    world_lock_write(call->sim->world);
    return find_namespace(call, r);
}
