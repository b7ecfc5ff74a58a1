/*
 * A generation out of what the entries hold. Scheduler thread only.
 */
#ifndef GENERATION_H
#define GENERATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/glob.h"
#include "catalogue.h"
#include "entry.h"
#include "inventory/snapshot.h"

/*
 * The header of each family of deployments or drafts, in each format: made once, shared by all
 * generations.
 */
struct headers {
    struct piece *pieces[EXPO_FORMAT_END][FAMILIES]; /* NULL for those of namespaces */
};

/* On failure it is to be released all the same. */
int headers_init(struct headers *headers, struct err *err) MUST_CHECK;
void headers_release(struct headers *headers);

struct generation_source {
    struct entry *const *entries;
    size_t n_entries;
    const struct glob_list *deny;
    const struct headers *headers;
    int64_t render_us; /* spent on rendering already */
};

/* One reference in *ret. -1 only when memory is out. */
int generation_make(const struct generation_source *source, int64_t now_mono_ms,
                    struct snapshot **ret, struct err *err) MUST_CHECK;

#endif
