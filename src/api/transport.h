/*
 * HTTP to the control plane: submit requests, wait for whichever ends first.
 *
 * One transport per worker thread, on one curl multi handle: connections are kept alive across
 * refreshes. Only transport_stop may be called from another thread. Redirects are not followed and
 * nothing is sent a second time, but for a kept connection that turns out to be dead.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "model/target.h"

struct transport;

/*
 * Takes the body of a 200 as it arrives, decompressed, instead of the reply's body. Called in
 * transport_submit and transport_wait, on their thread; must call neither. -1 ends the request with
 * the error it sets.
 */
struct transport_sink {
    int (*write)(void *ctx, const char *bytes, size_t len, struct err *err);
    void *ctx;
};

struct transport_request {
    const char *method; /* other than GET: on a connection of its own, and never sent twice */
    const char *url;
    const struct strbuf *headers; /* "name: value" each; copied */
    size_t n_headers;
    const char *body; /* copied; NULL = none */
    size_t body_len;
    const struct target_tls *tls; /* NULL = none of it set */
    const char *proxy_url;        /* "" = the environment's, "none" = no proxy; NULL = "" */
    int64_t timeout_ms;
    int64_t connect_timeout_ms; /* 0 = 5 s; never more than timeout_ms */
    bool secret_reply;          /* its body is not left behind in memory that was given back */
    int64_t max_body_size;      /* after decompression; more is ERR_LIMIT */
    struct transport_sink sink; /* .write NULL = none */
    uintptr_t tag;              /* comes back with the reply */
};

/* The end of one request. body is owned by the reply: release it. */
struct transport_reply {
    uintptr_t tag;
    struct err err; /* ERR_NONE: a whole HTTP reply with any status. Else no byte of body counts. */
    int status;     /* also when err is set, if there was one; 0 = none */
    struct strbuf body;
    char request_id[64];    /* x-acs-request-id, "" = none */
    int64_t retry_after_ms; /* x-acs-retry-after (ms) or else Retry-After (s or date), -1 = none */
    int64_t date_unix_s;    /* Date header, 1970 to 9999; -1 = none */
    int64_t duration_us;
    uint64_t body_bytes;     /* as received on the wire */
    unsigned connections;    /* opened for it; 0 = it found an open one */
    unsigned tls_handshakes; /* among them */
    bool body_too_large; /* err is ERR_LIMIT because of max_body_size: asking for less may help */
};
void transport_reply_release(struct transport_reply *reply);

/*
 * curl_global_init, once; transport_new does it too. The program has to ignore SIGPIPE: libcurl
 * leaves that to it.
 */
int transport_global_init(struct err *err) MUST_CHECK;

int transport_new(const char *user_agent, struct transport **ret, struct err *err) MUST_CHECK;
void transport_free(struct transport *t);

/*
 * Starts a request, at once where a connection is open. What is needed of it is copied; the copy of
 * the headers is wiped when it ends.
 */
int transport_submit(struct transport *t, const struct transport_request *request,
                     struct err *err) MUST_CHECK;
size_t transport_in_flight(const struct transport *t);

/*
 * Waits until a request ends or until_mono_ms: 1 and *ret, or 0 for the time, or -1 with
 * ERR_STOPPED or ERR_INTERNAL. With nothing in flight it is a sleep that transport_stop ends.
 */
int transport_wait(struct transport *t, int64_t until_mono_ms, struct transport_reply *ret,
                   struct err *err) MUST_CHECK;

/* Drops all requests in flight, without replies. */
void transport_cancel_all(struct transport *t);

/* Any thread: transport_wait returns ERR_STOPPED at once, now and ever after. */
void transport_stop(struct transport *t);

/* Undoes transport_stop; only while nothing is in flight. */
void transport_resume(struct transport *t);

#endif
