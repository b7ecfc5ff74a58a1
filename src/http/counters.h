/*
 * What the HTTP side counts about itself, and how it shows it. Counting is lock-free, from any
 * thread; the set of handlers and codes is closed, so nothing a client sends can make a series.
 */
#ifndef HTTP_COUNTERS_H
#define HTTP_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "metrics/registry.h"

enum http_handler {
    HTTP_METRICS,
    HTTP_STATUS_PAGE,
    HTTP_HEALTHY,
    HTTP_READY,
    HTTP_DEBUG_TARGETS,
    HTTP_OTHER, /* no such page */
    HTTP_HANDLER_END,
};

enum http_rejection {
    HTTP_UNAUTHORIZED,
    HTTP_RATE_LIMITED,
    HTTP_TOO_MANY_IN_FLIGHT,
    HTTP_BAD_REQUEST,
    HTTP_REJECTION_END,
};

enum { HTTP_CODES = 6 };

struct http_counters {
    atomic_uint_fast64_t requests[HTTP_HANDLER_END][HTTP_CODES];
    atomic_uint_fast64_t rejections[HTTP_REJECTION_END];
};

/* Every request that gets an answer of ours, rejected ones too. The code is one that routes.c uses.
 */
void http_counters_request(struct http_counters *counters, enum http_handler handler,
                           unsigned code);
void http_counters_rejected(struct http_counters *counters, enum http_rejection reason);

/* Adds the families. The counters must live as long as anybody writes the registry. */
int http_counters_register(struct http_counters *counters, struct registry *registry,
                           struct err *err) MUST_CHECK;

#endif
