/*
 * Percent-encoding and the query string, as the signature rules and the routes need them.
 * Pure functions over caller memory.
 */
#ifndef SIMULATOR_URI_H
#define SIMULATOR_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* Decodes %XX; with plus_is_space also '+'. A '%' without two hex digits stands for itself. */
void uri_decode(struct strbuf *out, const char *s, size_t len, bool plus_is_space);

/* RFC 3986: all but A-Z a-z 0-9 - _ . ~ and the bytes of `also_raw` becomes %XX. */
void uri_encode(struct strbuf *out, const char *s, size_t len, const char *also_raw);

struct uri_param {
    char *key;
    char *value;
};

/* The decoded pairs of a query string, in their order. */
struct uri_query {
    struct uri_param *params;
    size_t n_params;
};

#define URI_QUERY_MAX_PARAMS 256

/* -1 when memory is out or there are more than URI_QUERY_MAX_PARAMS pairs. */
int uri_query_init(struct uri_query *q, const char *raw) MUST_CHECK;
void uri_query_release(struct uri_query *q);

/* The first value of a key, or NULL. */
const char *uri_query_get(const struct uri_query *q, const char *key);

/* Sorted by key (then value), encoded, joined: the CanonicalQuery of a signature. */
void uri_query_canonical(const struct uri_query *q, struct strbuf *out);

#endif
