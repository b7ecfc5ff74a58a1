/*
 * What listings held that is not shown, or not as it came: counted by the scheduler thread, read by
 * HTTP threads.
 */
#ifndef LEFT_OUT_H
#define LEFT_OUT_H

#include <stdatomic.h>

#include "base/err.h"
#include "metrics/registry.h"
#include "model/listing.h"

enum dropped {
    DROPPED_OBJECT_LIMIT,
    DROPPED_SERIES_LIMIT,
    DROPPED_DUPLICATE,
    DROPPED_INVALID,
    DROPPED_END
};
enum sanitized { SANITIZED_TOO_LONG, SANITIZED_INVALID_UTF8, SANITIZED_END };

struct left_out {
    atomic_uint_fast64_t dropped[DROPPED_END];     /* objects */
    atomic_uint_fast64_t sanitized[SANITIZED_END]; /* label values */
};

int left_out_register(struct left_out *left_out, struct registry *registry,
                      struct err *err) MUST_CHECK;
void left_out_count(struct left_out *left_out, const struct listing *listing);

#endif
