/*
 * A pretended clock and a pretended control plane behind transport.h, for tests of the client.
 *
 * The clock moves only while the client waits, so that hours cost nothing and every wait can be
 * measured exactly. The plane answers lists and single objects after a latency; rules make it
 * answer otherwise. Everything it received is on record.
 *
 * Link with -Wl,--wrap=clock_mono_ms,--wrap=clock_mono_us,--wrap=clock_unix_ms. One client at a
 * time, one thread.
 */
#ifndef FAKE_PLANE_H
#define FAKE_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define REQUESTS_MAX  4096
#define RULES_MAX     8
#define START_MONO_MS 1000000
#define START_UNIX_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

extern int64_t now_ms; /* monotonic */

/* What it received, in order. */
struct received {
    int64_t at_ms;
    char method[8];
    char action[64];
    char content_type[64];
    char workspace[32];
    char body[4096];
    uint32_t page; /* 0 = the request names none */
    uint32_t page_size;
    char url[512];
    char nonce[64];
    char date[40];
    char token[64];
    int64_t timeout_ms;
    size_t in_flight; /* this one among them */
};

/* The first requests (of a page, if one is named) are answered otherwise. */
struct rule {
    uint32_t page; /* 0 = any */
    int times;     /* 0 = for ever */
    int status;    /* 0 = no reply at all: kind says why */
    enum err_kind kind;
    bool body_too_large;
    const char *body;
    const char *url_has; /* NULL = any */
    int64_t retry_after_ms;
    int64_t latency_ms;
    int seen;
};

struct plane {
    size_t n; /* deployments */
    int64_t latency_ms;
    int64_t ahead_ms; /* of our clock */
    bool tells_time;
    bool lies;
    int64_t total;
    size_t largest_page; /* more objects than this are a body too large; 0 = no limit */
    const char *only_token;
    const char *then_token_file; /* gets only_token once another was refused */
    const char *object;          /* answer to requests that name no page */
    const char *id_key;          /* of the objects on pages */
    size_t shrink_after;         /* requests, after which one deployment is gone */
    int64_t stop_at_ms;
    struct rule rules[RULES_MAX];

    struct received received[REQUESTS_MAX];
    size_t n_received;
    size_t most_in_flight;
};

extern struct plane plane;

/* Clock and plane as at the start: no deployments, 20 ms of latency, no faults. */
void plane_reset(void);

#endif
