/*
 * The decorator of all providers that fetch: keeps the keys, fetches others in time, and sees to it
 * that nobody who has good keys waits for them.
 *
 * Fetches run on a thread of their own, one at a time, started when credentials are asked for and
 * it is time. Thread-safe.
 */
#ifndef CREDENTIALS_CACHED_H
#define CREDENTIALS_CACHED_H

#include <stdbool.h>
#include <stdint.h>

#include "api/credentials.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_counts.h"
#include "credentials_source.h"

struct credentials_cache;

struct credentials_cache_options {
    struct credentials_source *source; /* borrowed */
    const char *name;                  /* likewise, for the log */
    const char *provider;              /* likewise */
    struct credentials_count *count;   /* likewise; may be NULL */
    const void *owner;                 /* see credentials_count_expiry */
};

/* NULL when memory is out. */
struct credentials_cache *credentials_cache_new(const struct credentials_cache_options *options);

/* Ends a fetch under way first. NULL is fine. */
void credentials_cache_free(struct credentials_cache *cache);

/*
 * Good keys at once if there are any. Else waits for a fetch, up to half a minute; between two
 * attempts the error of the last. cancelled may be NULL: see credentials_get_unless.
 */
int credentials_cache_get(struct credentials_cache *cache, const _Atomic bool *cancelled,
                          struct credentials_keys *ret, struct err *err) MUST_CHECK;

/* The keys of this generation were refused. Others are not affected. */
void credentials_cache_invalidate(struct credentials_cache *cache, uint64_t generation);

/* A fetch under way, and all who wait for it, end with ERR_STOPPED, now and ever after. */
void credentials_cache_stop(struct credentials_cache *cache);
void credentials_cache_wake(struct credentials_cache *cache);

#endif
