/*
 * HTTP as the providers of credentials need it: one exchange, and wait for its end. Small, so that
 * tests bring their own.
 *
 * One user at a time; only stop may be called from another thread.
 */
#ifndef CREDENTIALS_HTTP_H
#define CREDENTIALS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

/* Answers have about 1 KiB. */
#define CREDENTIALS_HTTP_REPLY_MAX (64 * 1024)

struct credentials_http_request {
    const char *method;
    const char *url;
    const struct strbuf *headers; /* "name: value" each */
    size_t n_headers;
    const char *body; /* NULL = none */
    size_t body_len;
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* of the whole exchange */
    bool direct;        /* never through a proxy; else as the environment says */
};

struct credentials_http_reply {
    int status;
    struct strbuf body;
    char request_id[64];    /* x-acs-request-id, "" = none */
    int64_t server_unix_ms; /* from the Date header, -1 = none */
};
/* Wipes the body. CLEANUP(credentials_http_reply_release). */
void credentials_http_reply_release(struct credentials_http_reply *reply);

struct credentials_http;

struct credentials_http_ops {
    /* 0: a whole reply with any status. ERR_STOPPED after stop. */
    int (*exchange)(struct credentials_http *http, const struct credentials_http_request *request,
                    struct credentials_http_reply *ret, struct err *err);
    void (*stop)(struct credentials_http *http);
    void (*free)(struct credentials_http *http);
};

struct credentials_http {
    const struct credentials_http_ops *ops;
};

/* The real one, on transport.h. user_agent is copied. */
int credentials_http_new(const char *user_agent, struct credentials_http **ret,
                         struct err *err) MUST_CHECK;

/* CLEANUP(credentials_http_freep). */
void credentials_http_freep(struct credentials_http **http);

#endif
