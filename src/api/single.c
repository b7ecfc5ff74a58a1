#include "single.h"

#include "base/clock.h"
#include "refusal.h"

/* The data of a reply of status 200 that says success. */
static int read_data(const struct single *single, const struct strbuf *body, json_value **ret,
                     struct api_refusal *refusal, struct err *err)
{
    CLEANUP(json_freep) json_value *root = NULL;
    const char *text = strbuf_str(body);
    bool success = false;
    int rc = single->exact ? json_parse_exact(text, body->len, single->tree_budget, &root, err)
                           : json_parse(text, body->len, single->tree_budget, &root, err);

    if (rc < 0)
        return -1;
    if (!json_is_object(root))
        return err_set(err, ERR_PARSE, "the reply is no JSON object");
    if (json_bool(json_get(root, "success"), &success) < 0 || !success) {
        (void)refusal_of_reply(text, body->len, refusal, err);
        if (refusal_is_not_found(refusal))
            err->kind = ERR_NOT_FOUND;
        return -1;
    }
    CLEANUP(json_freep) json_value *data = json_take(root, "data");
    if (single->array ? !json_is_array(data) : !json_is_object(data))
        return err_set(err, ERR_PARSE, "the reply has no %s (data)",
                       single->array ? "list" : "object");
    *ret = TAKE(data);
    return 0;
}

static int decode(const struct single *single, const struct transport_reply *reply,
                  json_value **ret, struct api_refusal *refusal, struct err *err)
{
    if (reply->err.kind != ERR_NONE) {
        *err = reply->err;
        return -1;
    }
    if (reply->status != 200)
        return refusal_decode(reply->status, strbuf_str(&reply->body), reply->body.len,
                              reply->request_id, refusal, err);
    return read_data(single, &reply->body, ret, refusal, err);
}

/* It arrived, or may have, and the answer is no refusal. */
static bool may_be_done(enum err_kind kind, const struct api_refusal *refusal)
{
    switch (kind) {
    case ERR_DNS:
    case ERR_CONNECT:
    case ERR_TLS:
    case ERR_THROTTLED:
    case ERR_PERMISSION:
    case ERR_NOT_FOUND:
        return false;
    case ERR_AUTHENTICATION:
        return refusal->hint == RETRY_HINT_NONCE_USED; /* see retry.c */
    case ERR_API:
        return !*refusal->code && !*refusal->message; /* success missing, or of another type */
    default:
        return true;
    }
}

/* The one call and the env it is made in. */
struct run {
    struct api_client *client;
    struct call_env env;
    struct call call;
};

static void run_release(struct run *run)
{
    if (!run->env.transport)
        return;
    transport_cancel_all(run->env.transport);
    call_drop(&run->call, &run->env);
    call_release(&run->call);
}

/* 1 = answered, 0 = there will be another attempt, -1 = failed for good. */
static int receive(struct run *run, const struct single *single,
                   const struct transport_reply *reply, json_value **ret, struct err *err)
{
    struct api_refusal refusal = {.hint = RETRY_HINT_NONE};
    struct err failure = {.kind = ERR_NONE};

    call_received(&run->call, &run->env, reply);
    int rc = decode(single, reply, ret, &refusal, &failure);
    client_note_reply(run->client, reply, &refusal);
    call_log(&run->call, &run->env, reply, &refusal, failure.kind);
    if (rc == 0) {
        call_answered(&run->call, &run->env);
        return 1;
    }
    if (call_failed(&run->call, &run->env, reply, &refusal, &failure) == 0)
        return 0;
    if (single->in_doubt)
        *single->in_doubt = may_be_done(failure.kind, &refusal);
    *err = failure;
    return -1;
}

/* Sends what is due; *ret_wake is when to come here again if no reply comes before. */
static int send_due(struct run *run, int64_t now_mono_ms, int64_t *ret_wake_mono_ms,
                    struct err *err)
{
    *ret_wake_mono_ms = run->env.deadline_mono_ms;
    if (run->call.state != CALL_READY)
        return 0;
    if (call_due_mono_ms(&run->call, &run->env) <= now_mono_ms &&
        call_send(&run->call, &run->env, 0, now_mono_ms, err) < 0)
        return -1;
    if (run->call.state == CALL_READY) {
        int64_t due_mono_ms = call_due_mono_ms(&run->call, &run->env);
        if (due_mono_ms < *ret_wake_mono_ms)
            *ret_wake_mono_ms = due_mono_ms;
    }
    return 0;
}

/* Until it is answered: 1; -1 = failed for good. */
static int run_call(struct run *run, const struct single *single, json_value **ret, struct err *err)
{
    int rc = 0;

    while (rc == 0) {
        CLEANUP(transport_reply_release) struct transport_reply reply = {0};
        int64_t now_mono_ms = clock_mono_ms();
        int64_t wake_mono_ms;

        if (now_mono_ms >= run->env.deadline_mono_ms)
            return err_set(err, ERR_TIMEOUT, "no answer before the deadline");
        if (send_due(run, now_mono_ms, &wake_mono_ms, err) < 0)
            return -1;
        rc = transport_wait(run->env.transport, wake_mono_ms, &reply, err);
        if (rc > 0)
            rc = receive(run, single, &reply, ret, err);
    }
    return rc;
}

int single_call(struct api_client *client, const struct api_request *request,
                const struct single *single, json_value **ret, struct api_stats *stats,
                struct err *err)
{
    CLEANUP(run_release) struct run run = {.client = client};

    if (client_env(client, request, single->operation, stats, &run.env, err) < 0)
        return -1;
    call_begin(&run.call, &run.env, 0);
    run.call.write = single->write;
    strbuf_add(&run.call.path, strbuf_str(single->path), single->path->len);
    if (single->query)
        strbuf_add(&run.call.query, strbuf_str(single->query), single->query->len);
    if (!strbuf_ok(single->path) || (single->query && !strbuf_ok(single->query)))
        return err_nomem(err, "request");
    if (run_call(&run, single, ret, err) > 0)
        return 0;
    /* Stopped or out of time with an attempt under way. */
    if (single->in_doubt && run.call.state == CALL_IN_FLIGHT)
        *single->in_doubt = true;
    return -1;
}
