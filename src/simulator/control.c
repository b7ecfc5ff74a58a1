#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/utf8.h"
#include "change.h"
#include "draft.h"
#include "ticket.h"
#include "uri.h"

#define PREFIX "/_sim"

bool control_is_path(const char *raw_path)
{
    size_t len = strlen(PREFIX);
    return strncmp(raw_path, PREFIX, len) == 0 && (!raw_path[len] || raw_path[len] == '/');
}

static void plain(struct reply *r, int status, const char *text)
{
    reply_reset_body(r);
    r->status = status;
    r->content_type = "text/plain; charset=utf-8";
    strbuf_adds(&r->body, text);
    strbuf_addc(&r->body, '\n');
}

static void begin_json(struct reply *r)
{
    r->status = 200;
    r->content_type = "application/json; charset=utf-8";
}

static void render_settings(const struct settings *set, struct strbuf *out)
{
    strbuf_addf(out, ",\"latency_ms\":%lld,\"rate_limit\":", (long long)set->latency_ms);
    strbuf_add_double(out, set->rate_limit);
    strbuf_adds(out, ",\"churn\":");
    strbuf_add_double(out, set->churn);
    strbuf_addf(out, ",\"clock_offset_ms\":%lld", (long long)set->clock_offset_ms);
    strbuf_addf(out,
                ",\"options\":{\"access_denied_as\":\"%s\",\"bad_page_as\":\"%s\","
                "\"throttle_status\":%d,\"verify\":%s}",
                set->access_denied_as_business ? "business" : "gateway",
                set->bad_page_as_business ? "business" : "gateway", set->throttle_status,
                set->verify ? "true" : "false");
}

static void add_number_or_null(struct strbuf *out, const char *key, int64_t v)
{
    strbuf_addf(out, ",\"%s\":", key);
    if (v < 0)
        strbuf_adds(out, "null");
    else
        strbuf_add_i64(out, v);
}

static void render_draft_settings(const struct settings *set, struct strbuf *out)
{
    strbuf_addf(out, ",\"patch\":\"%s\",\"ignore_locks\":%s,\"missing_name\":\"%s\"",
                set->patch_merges ? "merge" : "replace", set->ignore_locks ? "true" : "false",
                set->missing_name_is_error ? "error" : "empty");
    add_number_or_null(out, "ticket_polls", set->ticket_polls);
    add_number_or_null(out, "ticket_time_ms", set->ticket_time_ms);
}

static void render_sources(struct simulator *s, const struct settings *set, struct strbuf *out)
{
    static const char *const modes[] = {"ok",   "fail",    "deny",   "malformed",
                                        "hang", "v1-only", "no-role"};
    static const char *const names[SOURCE_END] = {
        [SOURCE_STS] = "sts", [SOURCE_METADATA] = "metadata", [SOURCE_URI] = "credentials_uri"};
    for (size_t i = SOURCE_STS; i < SOURCE_END; i++) {
        const struct source_settings *source = &set->sources[i];
        strbuf_addf(out, ",\"%s\":{\"mode\":\"%s\"", names[i], modes[source->mode]);
        add_number_or_null(out, "lifetime_s", source->lifetime_s);
        strbuf_addc(out, '}');
    }
    strbuf_addf(out, ",\"issued\":%llu", (unsigned long long)issuer_count(s->issuer));
}

static void render_state(struct simulator *s, struct reply *r)
{
    struct settings set;
    struct strbuf *out = &r->body;
    simulator_settings(s, &set);
    begin_json(r);
    strbuf_adds(out, "{\"name\":\"aliyun_flink_simulator\",\"version\":");
    json_add_cstring(out, AFE_VERSION);
    world_lock_read(s->world);
    strbuf_adds(out, ",\"workspace\":");
    json_add_cstring(out, s->world->workspace);
    strbuf_adds(out, ",\"namespaces\":[");
    for (size_t i = 0; i < s->world->n_namespaces; i++) {
        strbuf_adds(out, i ? "," : "");
        json_add_cstring(out, s->world->namespaces[i]->name);
    }
    strbuf_adds(out, "],\"deployments\":{");
    for (size_t i = 0; i < s->world->n_namespaces; i++) {
        strbuf_adds(out, i ? "," : "");
        json_add_cstring(out, s->world->namespaces[i]->name);
        strbuf_addf(out, ":%zu", s->world->namespaces[i]->n_deployments);
    }
    strbuf_adds(out, "},\"drafts\":{");
    for (size_t i = 0; i < s->world->n_namespaces; i++) {
        strbuf_adds(out, i ? "," : "");
        json_add_cstring(out, s->world->namespaces[i]->name);
        strbuf_addf(out, ":%zu", s->world->namespaces[i]->n_drafts);
    }
    strbuf_adds(out, "},\"tickets\":{");
    for (size_t i = 0; i < s->world->n_namespaces; i++) {
        strbuf_adds(out, i ? "," : "");
        json_add_cstring(out, s->world->namespaces[i]->name);
        strbuf_addf(out, ":%zu", s->world->namespaces[i]->n_tickets);
    }
    strbuf_adds(out, "},\"ledger\":");
    world_render_ledger(s->world, out);
    world_unlock(s->world);
    strbuf_addc(out, ',');
    stats_render(s->stats, out);
    strbuf_adds(out, ",\"faults\":");
    fault_set_render(s->faults, out);
    render_settings(&set, out);
    render_draft_settings(&set, out);
    render_sources(s, &set, out);
    strbuf_adds(out, "}\n");
}

typedef void (*view_fn)(const struct world_namespace *ns, struct strbuf *out);

static void render_namespace(struct simulator *s, const char *name, view_fn view, struct reply *r)
{
    world_lock_read(s->world);
    struct world_namespace *ns = world_find_namespace(s->world, name);
    if (!ns) {
        plain(r, 404, "there is no such namespace");
    } else {
        begin_json(r);
        view(ns, &r->body);
        strbuf_addc(&r->body, '\n');
    }
    world_unlock(s->world);
}

/* "/deployments/NAMESPACE" and the like; false for any other path. */
static bool render_view(struct simulator *s, const char *rest, struct reply *r)
{
    static const struct {
        const char *path;
        view_fn view;
    } views[] = {
        {"/deployments/", world_render_truth},
        {"/removed/", world_render_gone},
        {"/drafts/", drafts_render_truth},
        {"/tickets/", tickets_render_truth},
    };
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        size_t len = strlen(views[i].path);
        if (strncmp(rest, views[i].path, len) != 0)
            continue;
        CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
        uri_decode(&name, rest + len, strlen(rest + len), false);
        render_namespace(s, strbuf_str(&name), views[i].view, r);
        return true;
    }
    return false;
}

static void render_log(struct simulator *s, const struct uri_query *query, struct reply *r)
{
    const char *text = uri_query_get(query, "since");
    uint64_t since = 0;
    if (text && quantity_parse_u64(text, &since) < 0) {
        plain(r, 400, "since is no number");
        return;
    }
    begin_json(r);
    stats_render_log(s->stats, since, &r->body);
    strbuf_addc(&r->body, '\n');
}

static void get(struct simulator *s, const char *path, const struct uri_query *query,
                struct reply *r)
{
    const char *rest = path + strlen(PREFIX);
    const char *deployments = uri_query_get(query, "deployments");
    if ((!*rest || strcmp(rest, "/") == 0) && deployments)
        render_namespace(s, deployments, world_render_truth, r);
    else if (!*rest || strcmp(rest, "/") == 0)
        render_state(s, r);
    else if (strcmp(rest, "/log") == 0)
        render_log(s, query, r);
    else if (!render_view(s, rest, r))
        plain(r, 404,
              "try /_sim, /_sim/log, and /_sim/deployments/NAMESPACE, or removed, drafts, tickets "
              "in its place");
}

static void post(struct simulator *s, const struct verify_request *request, struct reply *r)
{
    struct err err = {0};
    if (change_apply(s, request->body, request->body_len, &err) < 0)
        plain(r, 400, err.msg);
    else
        render_state(s, r);
}

/* Names may hold any bytes, if somebody loaded such; what we say about them is JSON all the same.
 */
static void repair(struct reply *r)
{
    if (!r->body.len || utf8_valid(r->body.ptr, r->body.len))
        return;
    struct strbuf good = STRBUF_INIT;
    utf8_append_repaired(&good, r->body.ptr, r->body.len);
    reply_reset_body(r);
    r->body = good;
}

void control_answer(struct simulator *s, const struct verify_request *request, struct reply *r)
{
    struct uri_query query;
    if (uri_query_init(&query, request->raw_query) < 0) {
        plain(r, 400, "the query is too long");
        return;
    }
    bool is_get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    if (is_get)
        get(s, request->raw_path, &query, r);
    else if (is_post && strcmp(request->raw_path, PREFIX) == 0)
        post(s, request, r);
    else
        plain(r, 405, "GET, or POST to /_sim");
    uri_query_release(&query);
    repair(r);
}
