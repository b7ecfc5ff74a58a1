/*
 * The live metrics of credentials: one entry per (name, provider), made when it is first needed and
 * kept as long as the session, so that counters go on over reloads. Shown while somebody uses it.
 * All functions are thread-safe; what scrapes read is atomic.
 */
#ifndef CREDENTIALS_COUNTS_H
#define CREDENTIALS_COUNTS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "metrics/registry.h"

struct credentials_counts; /* all entries */
struct credentials_count;  /* one */

/* Adds the families to the registry, which borrows the counts. */
int credentials_counts_new(struct registry *registry, struct credentials_counts **ret,
                           struct err *err) MUST_CHECK;
void credentials_counts_free(struct credentials_counts *counts);

/* The entry; it counts as used until credentials_count_unuse. NULL when memory is out. */
struct credentials_count *credentials_count_use(struct credentials_counts *counts, const char *name,
                                                const char *provider);

/* All of these take NULL for an entry that nobody reads. */
void credentials_count_unuse(struct credentials_count *count, const void *owner);
void credentials_count_begun(struct credentials_count *count);
void credentials_count_failed(struct credentials_count *count);
/* owner tells the keys of one object from those of its successor; -1 = they do not expire. */
void credentials_count_expiry(struct credentials_count *count, const void *owner,
                              int64_t expiration_unix_ms);

#endif
