/*
 * A reply as data: what the program decided to send, before anything is on the wire.
 *
 * The faults that break HTTP itself are part of it, as a plan for wire.h; everything else goes
 * through the HTTP library.
 */
#ifndef SIMULATOR_REPLY_H
#define SIMULATOR_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "rng.h"

enum wire_kind {
    WIRE_NONE,
    WIRE_CUT_LENGTH,  /* Content-Length says more than `bytes` */
    WIRE_CUT_CHUNKED, /* `bytes` in chunks without an end */
    WIRE_CUT_EOF,     /* `bytes`, and the connection's end as the body's */
    WIRE_RESET,       /* `bytes`, then a reset */
    WIRE_SILENCE,     /* nothing at all for `wait_ms` */
    WIRE_STALL,       /* `bytes`, then nothing for `wait_ms` */
    WIRE_DRIP,        /* `bytes` every `wait_ms` */
    WIRE_HUGE,        /* `bytes` made up on the way */
};

struct wire_plan {
    enum wire_kind kind;
    int64_t bytes;
    int64_t wait_ms;
};

#define REPLY_MAX_HEADERS 8

struct reply {
    int status;
    const char *content_type; /* static; NULL = none */
    struct strbuf body;
    bool gzip;        /* the body is */
    int64_t delay_ms; /* before the first byte */
    struct {
        const char *name;
        char value[512];
    } headers[REPLY_MAX_HEADERS];
    size_t n_headers;
    struct wire_plan wire;

    /* For the counters and the log. */
    char request_id[RNG_UUID_LEN];
    char code[128];        /* error code of a refusal, "" otherwise */
    const char *fault;     /* kind of the fault that struck, static, or NULL */
    const char *operation; /* static, or NULL */
    bool sts;              /* STS speaks, not the product */
};

void reply_release(struct reply *r);
void reply_reset_body(struct reply *r);

void reply_add_header(struct reply *r, const char *name, const char *value);

/* A gateway's refusal: JSON, or XML for a client that did not ask for JSON. */
struct gateway_error {
    int status;
    const char *code;
    const char *message;
    const char *host;
    bool xml;
};
void reply_gateway_error(struct reply *r, const struct gateway_error *e);

/* HTTP 200 with success false. */
void reply_business_error(struct reply *r, const char *code, const char *message);

/* The start of every body of the API: {"requestId":...,"success":...,... without the brace's end.
 */
void reply_envelope(struct strbuf *out, const struct reply *r, bool success, const char *code,
                    const char *message);

#endif
