/*
 * The order is the gateway's as far as its errors tell it: what is asked for, who asks, may they,
 * how often; only then the product looks at the parameters.
 */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "authenticate.h"
#include "base/clock.h"
#include "base/quantity.h"
#include "operations.h"

#define API_VERSION "2022-07-18"

struct passage {
    struct simulator *s;
    const struct verify_request *request;
    const struct settings *settings;
    struct reply *r;
    const struct operation *operation;
    char *params[OPERATION_MAX_PATH_PARAMS];
    const char *host;
    bool wants_xml;
};

static bool refuse(struct passage *p, int status, const char *code, const char *message)
{
    const struct gateway_error e = {
        .status = status, .code = code, .message = message, .host = p->host, .xml = p->wants_xml};
    reply_gateway_error(p->r, &e);
    return false;
}

static bool route(struct passage *p)
{
    CLEANUP(strbuf_release) struct strbuf allowed = STRBUF_INIT;
    p->operation = operation_find(p->request->method, p->request->raw_path, p->params, &allowed);
    if (p->operation) {
        p->r->operation = p->operation->name;
        return true;
    }
    if (allowed.len) {
        reply_add_header(p->r, "Allow", strbuf_str(&allowed));
        return refuse(p, 405, "UnsupportedHTTPMethod", "This http method is not supported.");
    }
    return refuse(p, 404, "InvalidApi.NotFound",
                  "Specified api is not found, please check your url and method.");
}

static bool check_signature(struct passage *p)
{
    if (!p->settings->verify)
        return true;
    struct verify_verdict v;
    bool accepted = authenticate(p->s, p->request, p->settings, &v);
    if (!accepted)
        refuse(p, v.status, v.code, strbuf_str(&v.message));
    verify_verdict_release(&v);
    return accepted;
}

/* What the action headers say must be what the path means. */
static bool check_action(struct passage *p)
{
    const char *action = verify_header(p->request, "x-acs-action");
    const char *version = verify_header(p->request, "x-acs-version");
    if (version && strcmp(version, API_VERSION) != 0)
        return refuse(p, 404, "InvalidVersion", "Specified parameter Version is not valid.");
    if (action && strcmp(action, p->operation->name) != 0)
        return refuse(p, 404, "InvalidApi.NotFound",
                      "Specified api is not found, please check your url and method.");
    return true;
}

static bool deny(struct passage *p, const char *message)
{
    if (!p->settings->access_denied_as_business)
        return refuse(p, 403, "NoPermission", message);
    reply_business_error(p->r, "990403", message);
    return false;
}

static bool authorize(struct passage *p)
{
    const char *workspace = verify_header(p->request, "workspace");
    if (!workspace || !*workspace)
        return refuse(p, 400, "MissingWorkspace", "workspace is mandatory for this action.");
    struct world *w = p->s->world;
    world_lock_read(w);
    bool known_workspace = strcmp(workspace, w->workspace) == 0;
    bool known_namespace = world_find_namespace(w, p->params[0]);
    world_unlock(w);
    if (!known_workspace)
        return deny(p, "You are not authorized to access this workspace.");
    if (!known_namespace)
        return deny(p, "You are not authorized to access this namespace.");
    return true;
}

static bool within_quota(struct passage *p)
{
    int64_t wait_ms = 0;
    if (throttle_admit(p->s->throttle, p->operation->name, p->settings->key_id,
                       p->settings->rate_limit, clock_mono_us(), &wait_ms))
        return true;
    refuse(p, p->settings->throttle_status, "Throttling.User",
           "Request was denied due to user flow control.");
    char ms[32];
    snprintf(ms, sizeof(ms), "%lld", (long long)wait_ms);
    reply_add_header(p->r, "x-acs-retry-after", ms);
    return false;
}

static bool has_word(const char *list, const char *word)
{
    return list && strstr(list, word);
}

static int64_t page_of(const struct uri_query *query)
{
    const char *text = uri_query_get(query, "pageIndex");
    uint64_t page;
    return text && quantity_parse_u64(text, &page) == 0 && page < INT32_MAX ? (int64_t)page : 1;
}

static void perform(struct passage *p)
{
    struct uri_query query;
    if (uri_query_init(&query, p->request->raw_query) < 0) {
        refuse(p, 400, "InvalidParameter", "The query string is too long.");
        return;
    }
    struct fault_effects effects;
    const struct fault_request request = {
        .operation = p->operation->name,
        .ns = p->params[0],
        .status = uri_query_get(&query, "status"),
        .page = page_of(&query),
    };
    fault_set_match(p->s->faults, &request, &effects);
    struct call call = {
        .sim = p->s,
        .settings = p->settings,
        .query = &query,
        .body = p->request->body,
        .body_len = p->request->body_len,
        .now_s = simulator_unix_ms(p->settings) / 1000,
        .host = p->host,
        .wants_gzip = has_word(verify_header(p->request, "accept-encoding"), "gzip"),
        .wants_xml = p->wants_xml,
        .effects = &effects,
    };
    for (size_t i = 0; i < OPERATION_MAX_PATH_PARAMS; i++)
        call.path_params[i] = p->params[i];
    if (!p->operation->changes || !effects.replaces_reply || fault_needs_reply(effects.reply.kind))
        p->operation->answer(&call, p->r);
    if (effects.replaces_reply)
        apply_fault(&effects.reply, p->host, p->r);
    else if (effects.total_size || effects.endless || effects.shift || effects.invalid_utf8)
        p->r->fault = effects.total_size ? "total-size"
                      : effects.endless  ? "endless"
                      : effects.shift    ? "shift"
                                         : "invalid-utf8";
    uri_query_release(&query);
}

void gateway_answer(struct simulator *s, const struct verify_request *request,
                    const struct settings *settings, struct reply *r)
{
    const char *host = verify_header(request, "host");
    struct passage p = {
        .s = s,
        .request = request,
        .settings = settings,
        .r = r,
        .host = host ? host : "",
        .wants_xml = !has_word(verify_header(request, "accept"), "application/json"),
    };
    if (route(&p) && check_signature(&p) && check_action(&p) && authorize(&p) && within_quota(&p))
        perform(&p);
    for (size_t i = 0; i < OPERATION_MAX_PATH_PARAMS; i++)
        free(p.params[i]);
}
