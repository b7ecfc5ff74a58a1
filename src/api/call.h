/*
 * One request to the control plane, from its first attempt to an answer or a final failure.
 *
 * Its owner loops: call_send what is ready, transport_wait, call_received; decodes the reply, then
 * call_done, or call_failed, which says whether there will be another attempt. Every attempt takes
 * a token and is signed anew. One thread.
 */
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "api/credentials.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "endpoint.h"
#include "model/listing.h"
#include "model/target.h"
#include "page.h"
#include "retry.h"
#include "sign.h"
#include "transport.h"

/* What the calls of one refresh share. All pointers are borrowed. */
struct call_env {
    struct api_session *session;
    struct transport *transport;
    struct endpoint *endpoint;
    const struct target *target;
    const char *namespace_name; /* for the log */
    struct credentials *credentials;
    enum operation operation;
    const char *path; /* encoded; of calls that have none of their own */
    bool paged;       /* calls are pages of a list: for messages */
    int64_t deadline_mono_ms;
    int64_t not_before_mono_ms; /* no attempt of any call before: no token, or told to wait */
    struct api_stats *stats;
};

enum call_state {
    CALL_IDLE,
    CALL_READY, /* to be sent, perhaps not before some time */
    CALL_IN_FLIGHT,
    CALL_ABANDONED, /* in flight, but nobody wants the answer any more */
    CALL_RECEIVED,  /* the reply is being decoded */
};

/* What a call sends that changes something. */
struct call_write {
    const char *method;
    const char *body; /* borrowed until the call is done */
    size_t body_len;
};

struct call {
    enum call_state state;
    uint32_t page;                  /* for the owner, the log and messages */
    struct strbuf path;             /* encoded; empty = the env's */
    struct strbuf query;            /* canonical */
    const struct call_write *write; /* the owner's; NULL = a GET */
    struct transport_sink sink;     /* the owner's, for the body of a 200 */
    struct retry_budget budget;
    uint64_t answers_seen; /* of the endpoint, when the call began or was throttled last */
    int64_t sent_mono_ms;  /* the attempt in flight */
    int64_t not_before_mono_ms;
    bool waits_for_token;
    int64_t waits_since_mono_ms;
    char canonical_hash[SIGN_HEX_LEN];
    uint64_t keys_generation; /* of what signed the last attempt */ /* of the last attempt: explains
                                                                       a refused signature */
};

/* Ready for a first attempt. The owner fills path and query, which this empties. */
void call_begin(struct call *call, const struct call_env *env, uint32_t page);
void call_release(struct call *call);

/* The time from which the call may be sent. */
int64_t call_due_mono_ms(const struct call *call, const struct call_env *env);

/*
 * Sends a ready call that is due: 1, or 0 if all calls have to wait, for a token or because the
 * control plane throttles, or -1: no credentials, or a failure on our side.
 */
int call_send(struct call *call, struct call_env *env, uintptr_t tag, int64_t now_mono_ms,
              struct err *err) MUST_CHECK;

/* The reply of a call in flight has come: counts it and looks at its Date. */
void call_received(struct call *call, struct call_env *env, const struct transport_reply *reply);

/* Nobody wants the reply: idle. */
void call_done(struct call *call);

/* The reply was good: idle. */
void call_answered(struct call *call, struct call_env *env);

/* A line for the debug log. kind and refusal are what decoding found. */
void call_log(const struct call *call, const struct call_env *env,
              const struct transport_reply *reply, const struct api_refusal *refusal,
              enum err_kind kind);

/*
 * The attempt failed as err says. 0: ready for another attempt. -1: final, the call is idle, and
 * err now names the page, the number of attempts and the RequestId.
 */
int call_failed(struct call *call, struct call_env *env, const struct transport_reply *reply,
                const struct api_refusal *refusal, struct err *err) MUST_CHECK;

/* Gives the call up in whatever state; the transport has dropped its request. */
void call_drop(struct call *call, struct call_env *env);

#endif
