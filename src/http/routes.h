/*
 * From a request to a reply, without a word of HTTP plumbing: which page, which format, which
 * status. server.c translates both ways. Called from any HTTP thread; never waits. A generation
 * that nobody asked gzip of before is compressed here if it is small; see routes_to_deflate for
 * others.
 */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "counters.h"
#include "exposition.h"
#include "http/server.h"

struct routes {
    const struct http_options *options;
    struct http_counters counters;
    atomic_uint scrapes_in_flight;
};

/* What the request target asks for: worked out while its raw bytes are at hand. */
struct http_target {
    enum http_handler handler;
    bool filtered; /* has a query argument that selects metrics */
};

struct http_request {
    struct http_target target;
    const char *method;
    const char *accept;          /* NULL = no such header */
    const char *accept_encoding; /* likewise */
    bool has_body;
};

enum { HTTP_HEADERS_MAX = 8 };

struct http_header {
    const char *name;
    const char *value;
};

/* The body is one of: nothing, static text, heap text, an exposition. */
struct http_reply {
    unsigned status;
    bool close;                                   /* say so, and read no body */
    bool scrape_counted;                          /* routes_scrape_ended is due */
    struct http_header headers[HTTP_HEADERS_MAX]; /* static strings */
    size_t n_headers;
    const char *text;
    char *heap_text; /* owned */
    size_t text_len;
    struct exposition *exposition; /* owned */
};

void routes_init(struct routes *routes, const struct http_options *options);

/*
 * raw is the request target as it came, NULL for none. Not the decoded path: "/metrics%00.html"
 * decodes to a C string that equals "/metrics". So a path is known only when it is spelt plainly.
 */
struct http_target routes_target(const struct routes *routes, const char *raw);

/* True if the reply needs no body of the request and must not wait for one: refuse it at once. */
bool routes_refuses(const struct http_request *request);

/*
 * The generation that routes_answer would compress for this request, a reference, if that takes
 * longer than other clients of the thread should wait for: compress it elsewhere first. Else NULL.
 */
struct snapshot *routes_to_deflate(struct routes *routes, const struct http_request *request,
                                   enum expo_format *ret_format);

/* Fills *ret in any case; what it owns must be taken or released. */
void routes_answer(struct routes *routes, const struct http_request *request,
                   struct http_reply *ret);
void http_reply_release(struct http_reply *reply);

/* The reply that stands in when memory for the right one is out: owns nothing. */
void http_reply_out_of_memory(struct http_reply *reply);

/* The last byte was sent, or the connection is gone. */
void routes_scrape_ended(struct routes *routes);

#endif
