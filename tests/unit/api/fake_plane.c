/* Answers are made when a request is submitted and lie in wait until the clock gets there. */
#include "fake_plane.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "transport.h"

/* --- the clock --- */

int64_t now_ms;

int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_us(void);
int64_t __wrap_clock_unix_ms(void);

int64_t __wrap_clock_mono_ms(void)
{
    return now_ms;
}

int64_t __wrap_clock_mono_us(void)
{
    return now_ms * 1000;
}

int64_t __wrap_clock_unix_ms(void)
{
    return now_ms - START_MONO_MS + START_UNIX_MS;
}

/* --- the control plane --- */

enum { IN_FLIGHT_MAX = 64 };

struct plane plane;

void plane_reset(void)
{
    now_ms = START_MONO_MS;
    memset(&plane, 0, sizeof(plane));
    plane.latency_ms = 20;
}

struct answer {
    int64_t due_ms;
    struct transport_sink sink;
    struct transport_reply reply;
};

struct transport {
    struct answer in_flight[IN_FLIGHT_MAX];
    size_t n;
    bool stopped;
};

static uint32_t query_number(const char *url, const char *name)
{
    const char *at = strstr(url, name);

    return at ? (uint32_t)strtoul(at + strlen(name), NULL, 10) : 0;
}

static void header_value(const struct transport_request *request, const char *name, char *to,
                         size_t size)
{
    size_t len = strlen(name);

    to[0] = '\0';
    for (size_t i = 0; i < request->n_headers; i++) {
        const char *line = strbuf_str(&request->headers[i]);
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            snprintf(to, size, "%s", line + len + 2);
    }
}

static void answer_page(const struct received *r, struct transport_reply *reply)
{
    size_t n = plane.n;

    if (r->page == 0) {
        assert_non_null(plane.object);
        strbuf_adds(&reply->body, plane.object);
        return;
    }
    size_t start = (size_t)(r->page - 1) * r->page_size;

    if (plane.shrink_after && plane.n_received > plane.shrink_after)
        n--;
    size_t end = start + r->page_size < n ? start + r->page_size : n;
    if (plane.largest_page && r->page_size > plane.largest_page) {
        reply->body_too_large = true;
        err_set(&reply->err, ERR_LIMIT, "the body of the reply is larger than 1000 bytes");
        return;
    }
    strbuf_addf(&reply->body, "{\"success\":true,\"totalSize\":%lld,\"data\":[",
                (long long)(plane.lies ? plane.total : (int64_t)n));
    for (size_t i = start; i < end; i++)
        strbuf_addf(&reply->body, "%s{\"%s\":\"d-%06zu\",\"name\":\"n%zu\"}", i > start ? "," : "",
                    plane.id_key ? plane.id_key : "deploymentId", i, i);
    strbuf_adds(&reply->body, "]}");
}

static void answer_rule(const struct rule *rule, struct answer *a)
{
    a->reply.status = rule->status;
    a->reply.retry_after_ms = rule->retry_after_ms ? rule->retry_after_ms : -1;
    if (rule->latency_ms)
        a->due_ms = now_ms + rule->latency_ms;
    if (rule->kind != ERR_NONE) {
        a->reply.body_too_large = rule->body_too_large;
        err_set(&a->reply.err, rule->kind, "it broke");
        return;
    }
    strbuf_adds(&a->reply.body, rule->body ? rule->body : "{}");
}

static struct rule *find_rule(const struct received *r)
{
    for (size_t i = 0; i < RULES_MAX; i++) {
        struct rule *rule = &plane.rules[i];
        if ((!rule->status && rule->kind == ERR_NONE) || (rule->page && rule->page != r->page) ||
            (rule->url_has && !strstr(r->url, rule->url_has)))
            continue;
        rule->seen++;
        if (!rule->times || rule->seen <= rule->times)
            return rule;
    }
    return NULL;
}

/* true if the token was refused. */
static bool refuse_token(const struct received *r, struct transport_reply *reply)
{
    if (!plane.only_token || strcmp(r->token, plane.only_token) == 0)
        return false;
    reply->status = 400;
    strbuf_adds(&reply->body, "{\"Code\":\"InvalidSecurityToken.Expired\",\"RequestId\":\"R-9\"}");
    if (plane.then_token_file) {
        FILE *f = fopen(plane.then_token_file, "w");
        assert_non_null(f);
        fputs(plane.only_token, f);
        fclose(f);
    }
    return true;
}

int transport_submit(struct transport *t, const struct transport_request *request, struct err *err)
{
    (void)err;
    assert_true(t->n < IN_FLIGHT_MAX && plane.n_received < REQUESTS_MAX);
    struct received *r = &plane.received[plane.n_received++];
    struct answer *a = &t->in_flight[t->n++];

    *r = (struct received){.at_ms = now_ms,
                           .page = query_number(request->url, "pageIndex="),
                           .page_size = query_number(request->url, "pageSize="),
                           .timeout_ms = request->timeout_ms,
                           .in_flight = t->n};
    snprintf(r->url, sizeof(r->url), "%s", request->url);
    snprintf(r->method, sizeof(r->method), "%s", request->method);
    snprintf(r->body, sizeof(r->body), "%.*s", (int)request->body_len,
             request->body ? request->body : "");
    header_value(request, "x-acs-action", r->action, sizeof(r->action));
    header_value(request, "content-type", r->content_type, sizeof(r->content_type));
    header_value(request, "workspace", r->workspace, sizeof(r->workspace));
    header_value(request, "x-acs-signature-nonce", r->nonce, sizeof(r->nonce));
    header_value(request, "x-acs-date", r->date, sizeof(r->date));
    header_value(request, "x-acs-security-token", r->token, sizeof(r->token));
    if (t->n > plane.most_in_flight)
        plane.most_in_flight = t->n;

    *a = (struct answer){.due_ms = now_ms + plane.latency_ms,
                         .sink = request->sink,
                         .reply = {.tag = request->tag,
                                   .status = 200,
                                   .retry_after_ms = -1,
                                   .date_unix_s = -1,
                                   .duration_us = plane.latency_ms * 1000}};
    snprintf(a->reply.request_id, sizeof(a->reply.request_id), "R-%zu", plane.n_received);
    if (plane.tells_time)
        a->reply.date_unix_s = (clock_unix_ms() + plane.ahead_ms + plane.latency_ms / 2) / 1000;
    const struct rule *rule = find_rule(r);
    if (rule)
        answer_rule(rule, a);
    else if (!refuse_token(r, &a->reply))
        answer_page(r, &a->reply);
    a->reply.body_bytes = a->reply.body.len;
    if (a->due_ms > now_ms + request->timeout_ms) {
        a->due_ms = now_ms + request->timeout_ms;
        strbuf_release(&a->reply.body);
        a->reply.status = 0;
        err_set(&a->reply.err, ERR_TIMEOUT, "no whole reply");
    }
    return 0;
}

/* As the real one: the body of a 200 goes to the sink, in pieces. */
static void deliver(struct answer *a, struct transport_reply *ret)
{
    enum { PIECE = 1000 };

    *ret = a->reply;
    if (!a->sink.write || ret->status != 200 || ret->err.kind != ERR_NONE)
        return;
    for (size_t at = 0; at < ret->body.len && ret->err.kind == ERR_NONE; at += PIECE) {
        size_t n = ret->body.len - at < PIECE ? ret->body.len - at : PIECE;
        (void)a->sink.write(a->sink.ctx, ret->body.ptr + at, n, &ret->err);
    }
    strbuf_release(&ret->body);
}

int transport_wait(struct transport *t, int64_t until_mono_ms, struct transport_reply *ret,
                   struct err *err)
{
    size_t first = 0;

    for (size_t i = 1; i < t->n; i++)
        if (t->in_flight[i].due_ms < t->in_flight[first].due_ms)
            first = i;
    int64_t event_ms = until_mono_ms;
    if (t->n > 0 && t->in_flight[first].due_ms <= event_ms)
        event_ms = t->in_flight[first].due_ms;
    if (plane.stop_at_ms && plane.stop_at_ms <= event_ms)
        t->stopped = true;
    if (t->stopped)
        return err_set(err, ERR_STOPPED, "stopped");
    if (event_ms > now_ms)
        now_ms = event_ms;
    if (t->n == 0 || t->in_flight[first].due_ms > now_ms)
        return 0;
    deliver(&t->in_flight[first], ret);
    t->n--;
    memmove(&t->in_flight[first], &t->in_flight[first + 1],
            (t->n - first) * sizeof(t->in_flight[0]));
    return 1;
}

int transport_global_init(struct err *err)
{
    (void)err;
    return 0;
}

int transport_new(const char *user_agent, struct transport **ret, struct err *err)
{
    (void)err;
    assert_string_equal(user_agent, "test/1");
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : -1;
}

void transport_cancel_all(struct transport *t)
{
    while (t->n > 0)
        transport_reply_release(&t->in_flight[--t->n].reply);
}

void transport_free(struct transport *t)
{
    if (t)
        transport_cancel_all(t);
    free(t);
}

size_t transport_in_flight(const struct transport *t)
{
    return t->n;
}

void transport_stop(struct transport *t)
{
    t->stopped = true;
}

void transport_resume(struct transport *t)
{
    t->stopped = false;
}

void transport_reply_release(struct transport_reply *reply)
{
    strbuf_release(&reply->body);
}
