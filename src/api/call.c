/*
 * Token first, credentials second: credentials may be files, and a call that waits for its turn
 * must not read them over and over. What an attempt was signed with is wiped as soon as the
 * transport has its copy.
 */
#include "call.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "request.h"

/* Date headers have whole seconds, cut off: on average the server's clock is half a second on. */
static const int64_t DATE_MIDDLE_MS = 500;

/* How long those wait who were not refused themselves. */
static const int64_t THROTTLED_PAUSE_MIN_MS = 100;
static const int64_t THROTTLED_PAUSE_MAX_MS = 5000;

enum { UNCOUNTED_MAX = 8 }; /* throttled attempts that do not count, see retry.h */

static uint64_t random_bits(void)
{
    uint64_t bits;

    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        bits = (uint64_t)clock_mono_us();
    return bits;
}

void call_begin(struct call *call, const struct call_env *env, uint32_t page)
{
    assert(call->state == CALL_IDLE);
    strbuf_reset(&call->path);
    strbuf_reset(&call->query);
    call->state = CALL_READY;
    call->page = page;
    call->budget = (struct retry_budget){.max_retries = env->target->max_retries};
    call->answers_seen = endpoint_answers(env->endpoint);
    call->not_before_mono_ms = 0;
    call->waits_for_token = false;
}

void call_release(struct call *call)
{
    strbuf_release(&call->path);
    strbuf_release(&call->query);
}

int64_t call_due_mono_ms(const struct call *call, const struct call_env *env)
{
    return call->not_before_mono_ms > env->not_before_mono_ms ? call->not_before_mono_ms
                                                              : env->not_before_mono_ms;
}

/* A request counts as waiting once, however often it asked; its time is what it waited in all. */
static void token_wait_ends(struct call *call, struct call_env *env, int64_t now_mono_ms)
{
    if (call->waits_for_token)
        env->stats->rate_limit_wait_ms += (uint64_t)(now_mono_ms - call->waits_since_mono_ms);
    call->waits_for_token = false;
}

static bool take_token(struct call *call, struct call_env *env, int64_t now_mono_ms)
{
    int64_t wait_ms = endpoint_take_token(env->endpoint, now_mono_ms);

    if (wait_ms <= 0) {
        token_wait_ends(call, env, now_mono_ms);
        return true;
    }
    if (!call->waits_for_token) {
        call->waits_for_token = true;
        call->waits_since_mono_ms = now_mono_ms;
        env->stats->rate_limit_waits++;
    }
    /* The others would get none either. */
    env->not_before_mono_ms = now_mono_ms + wait_ms;
    return false;
}

static int submit(struct call *call, const struct call_env *env, uintptr_t tag, int64_t now_mono_ms,
                  struct err *err)
{
    const struct target *target = env->target;
    CLEANUP(credentials_keys_release) struct credentials_keys keys = {0};
    CLEANUP(request_wire_release) struct request_wire wire = {0};
    char nonce[REQUEST_NONCE_LEN];
    int64_t left_ms = env->deadline_mono_ms - now_mono_ms;

    if (credentials_get(env->credentials, &keys, err) < 0 || request_nonce(nonce, err) < 0)
        return -1;
    const struct request request = {
        .method = call->write ? call->write->method : "GET",
        .origin = target->endpoint,
        .host = target->host,
        .action = operation_name(env->operation),
        .path = call->path.len > 0 ? strbuf_str(&call->path) : env->path,
        .query = strbuf_str(&call->query),
        .workspace = target->workspace,
        .body = call->write ? call->write->body : NULL,
        .body_len = call->write ? call->write->body_len : 0,
    };
    int64_t date_ms = clock_unix_ms() + endpoint_correction_ms(env->endpoint);
    if (request_sign(&request, &keys, date_ms, nonce, &wire, err) < 0)
        return -1;
    call->keys_generation = keys.generation;
    memcpy(call->canonical_hash, wire.canonical_hash, sizeof(call->canonical_hash));
    const struct transport_request message = {
        .method = request.method,
        .url = strbuf_str(&wire.url),
        .headers = wire.headers,
        .n_headers = wire.n_headers,
        .body = request.body,
        .body_len = request.body_len,
        .tls = &target->tls,
        .proxy_url = target->proxy_url,
        .timeout_ms = target->timeout_ms < left_ms ? target->timeout_ms : left_ms,
        .max_body_size = target->max_body_size,
        .sink = call->sink,
        .tag = tag,
    };
    return transport_submit(env->transport, &message, err);
}

/*
 * Somebody was told to wait, perhaps another listing: true if there is a wait. All who wait for the
 * same moment would be one too many again, so each goes on a little later.
 */
static bool is_paused(struct call_env *env, int64_t now_mono_ms)
{
    int64_t until_mono_ms = endpoint_paused_until_mono_ms(env->endpoint);

    if (until_mono_ms <= now_mono_ms)
        return false;
    until_mono_ms += (int64_t)(random_bits() % (uint64_t)THROTTLED_PAUSE_MIN_MS);
    if (until_mono_ms > env->not_before_mono_ms)
        env->not_before_mono_ms = until_mono_ms;
    return true;
}

int call_send(struct call *call, struct call_env *env, uintptr_t tag, int64_t now_mono_ms,
              struct err *err)
{
    assert(call->state == CALL_READY && call_due_mono_ms(call, env) <= now_mono_ms);
    if (!strbuf_ok(&call->path) || !strbuf_ok(&call->query))
        return err_nomem(err, "request");
    if (is_paused(env, now_mono_ms) || !take_token(call, env, now_mono_ms))
        return 0;
    if (submit(call, env, tag, now_mono_ms, err) < 0)
        return -1;
    call->state = CALL_IN_FLIGHT;
    call->sent_mono_ms = now_mono_ms;
    if (call->budget.attempts_made++ > 0)
        env->stats->operations[env->operation].retries++;
    session_request_begun(env->session);
    return 1;
}

/*
 * Server time minus local time. The server wrote its Date about half way between our sending and
 * now. False if it wrote none.
 */
static bool clock_skew_ms(const struct transport_reply *reply, int64_t *ret)
{
    if (reply->date_unix_s < 0)
        return false;
    int64_t sent_half_way_ms = clock_unix_ms() - reply->duration_us / 2000;
    *ret = reply->date_unix_s * 1000 + DATE_MIDDLE_MS - sent_half_way_ms;
    return true;
}

void call_received(struct call *call, struct call_env *env, const struct transport_reply *reply)
{
    int64_t skew_ms;

    assert(call->state == CALL_IN_FLIGHT || call->state == CALL_ABANDONED);
    call->state = CALL_RECEIVED;
    session_request_ended(env->session, env->operation, reply->duration_us, reply->body_bytes);
    endpoint_count_connections(env->endpoint, reply->connections, reply->tls_handshakes);
    api_stats_count(env->stats, env->operation, reply->status);
    if (clock_skew_ms(reply, &skew_ms))
        endpoint_set_skew_ms(env->endpoint, skew_ms);
}

void call_answered(struct call *call, struct call_env *env)
{
    endpoint_answered(env->endpoint, call->sent_mono_ms);
    call_done(call);
}

void call_done(struct call *call)
{
    assert(call->state == CALL_RECEIVED);
    call->state = CALL_IDLE;
}

void call_log(const struct call *call, const struct call_env *env,
              const struct transport_reply *reply, const struct api_refusal *refusal,
              enum err_kind kind)
{
    char page[16] = "", ms[32], status[16], attempt[16];
    const char *request_id = *reply->request_id ? reply->request_id : refusal->request_id;

    if (!log_enabled(LOG_DEBUG))
        return;
    if (env->paged)
        snprintf(page, sizeof(page), "%u", (unsigned)call->page);
    snprintf(attempt, sizeof(attempt), "%d", call->budget.attempts_made);
    snprintf(ms, sizeof(ms), "%lld", (long long)(reply->duration_us / 1000));
    snprintf(status, sizeof(status), "%d", reply->status);
    log_debug(LOG_FIELDS({"target", env->target->name}, {"namespace", env->namespace_name},
                         {"operation", operation_name(env->operation)},
                         {"page", *page ? page : NULL}, {"attempt", attempt}, {"ms", ms},
                         {"status", reply->status ? status : "none"},
                         {"code", *refusal->code ? refusal->code : NULL},
                         {"request_id", *request_id ? request_id : NULL}),
              "%s", kind == ERR_NONE ? "request done" : err_kind_name(kind));
}

/* What a refusal teaches, whether or not there will be another attempt in this refresh. */
static void learn(struct call *call, struct call_env *env, const struct transport_reply *reply,
                  enum retry_hint hint)
{
    int64_t skew_ms;

    if (hint == RETRY_HINT_TOKEN_REFUSED)
        credentials_invalidate(env->credentials, call->keys_generation);
    if (hint == RETRY_HINT_DATE_REFUSED) {
        if (clock_skew_ms(reply, &skew_ms))
            endpoint_set_correction_ms(env->endpoint, skew_ms);
        else
            call->budget.used_hint[hint] = true; /* the same date again is of no use */
    }
}

/* Context for whoever reads the log. A RequestId is what the vendor's support asks for. */
static int explain(const struct call *call, const struct call_env *env,
                   const struct transport_reply *reply, const struct api_refusal *refusal,
                   struct err *err)
{
    const struct err cause = *err;

    if (strcmp(refusal->code, "SignatureDoesNotMatch") == 0)
        err_set(err, cause.kind, "%s (hash of our canonical request: %s)", cause.msg,
                call->canonical_hash);
    else if (*reply->request_id && !strstr(cause.msg, "RequestId"))
        err_set(err, cause.kind, "%s (RequestId %s)", cause.msg, reply->request_id);
    if (call->budget.attempts_made > 1 && env->paged)
        return err_wrap(err, "page %u, attempt %d", (unsigned)call->page,
                        call->budget.attempts_made);
    if (call->budget.attempts_made > 1)
        return err_wrap(err, "attempt %d", call->budget.attempts_made);
    return env->paged ? err_wrap(err, "page %u", (unsigned)call->page) : -1;
}

/*
 * This listing obeys what it was told, the others with the same credentials for a few seconds: what
 * one resource is told need not be meant for all of them, and their own answers will say. A wish
 * for a few milliseconds means that tokens come one by one: a few are left to gather, for to be
 * refused once per token costs both sides more than it brings.
 */
static void spread_throttling(const struct call *call, struct call_env *env, int64_t now_mono_ms)
{
    int64_t until_mono_ms = call->not_before_mono_ms;

    if (until_mono_ms > env->not_before_mono_ms)
        env->not_before_mono_ms = until_mono_ms;
    if (until_mono_ms < now_mono_ms + THROTTLED_PAUSE_MIN_MS)
        until_mono_ms = now_mono_ms + THROTTLED_PAUSE_MIN_MS;
    if (until_mono_ms > now_mono_ms + THROTTLED_PAUSE_MAX_MS)
        until_mono_ms = now_mono_ms + THROTTLED_PAUSE_MAX_MS;
    endpoint_throttled(env->endpoint, (size_t)env->target->concurrency, call->sent_mono_ms,
                       now_mono_ms, until_mono_ms);
}

/* Refused while requests with the same credentials got through: the quota is in use, not shut. */
static void note_progress(struct call *call, const struct call_env *env)
{
    uint64_t answers = endpoint_answers(env->endpoint);

    if (answers != call->answers_seen && call->budget.max_retries > 0 &&
        call->budget.uncounted < UNCOUNTED_MAX)
        call->budget.uncounted++;
    call->answers_seen = answers;
}

int call_failed(struct call *call, struct call_env *env, const struct transport_reply *reply,
                const struct api_refusal *refusal, struct err *err)
{
    int64_t now_mono_ms = clock_mono_ms();

    call_done(call);
    env->stats->operations[env->operation].failures[err_reason(err->kind)]++;
    if (err->kind == ERR_THROTTLED)
        env->stats->operations[env->operation].throttled++;
    learn(call, env, reply, refusal->hint);

    const struct retry_outcome outcome = {
        .kind = err->kind,
        .changes_something = call->write != NULL,
        .hint = refusal->hint,
        .status = reply->status,
        .retry_after_ms = reply->retry_after_ms,
    };
    if (err->kind == ERR_THROTTLED)
        note_progress(call, env);
    call->budget.remaining_ms = env->deadline_mono_ms - now_mono_ms;
    int64_t wait_ms = retry_wait_ms(&outcome, &call->budget, random_bits());
    if (wait_ms < 0)
        return explain(call, env, reply, refusal, err);
    call->budget.used_hint[outcome.hint] = true;
    call->state = CALL_READY;
    call->not_before_mono_ms = now_mono_ms + wait_ms;
    if (err->kind == ERR_THROTTLED)
        spread_throttling(call, env, now_mono_ms);
    return 0;
}

void call_drop(struct call *call, struct call_env *env)
{
    if (call->state == CALL_IN_FLIGHT || call->state == CALL_ABANDONED) {
        session_request_dropped(env->session);
        api_stats_count(env->stats, env->operation, 0); /* it was sent, all the same */
    }
    token_wait_ends(call, env, clock_mono_ms());
    call->state = CALL_IDLE;
}
