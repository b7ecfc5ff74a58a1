/*
 * The body of one scrape: a generation's pieces, then the live tail; as text, or as one gzip
 * member joined from segments that are compressed already.
 *
 * It references the snapshot and owns nothing of it but one reference, so its size does not depend
 * on that of the text. One connection reads it, on one thread at a time.
 */
#ifndef HTTP_EXPOSITION_H
#define HTTP_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "inventory/snapshot.h"

struct exposition;

/*
 * Takes the reference to the snapshot (NULL: there is none yet) and the text of the tail, on
 * failure too. With gzip everything is compressed when this returns, so that the length is known
 * and sending cannot fail for want of memory.
 */
int exposition_new_take(struct snapshot *snapshot, enum expo_format format, bool gzip,
                        struct strbuf *tail, struct exposition **ret, struct err *err) MUST_CHECK;
void exposition_free(struct exposition *x);

uint64_t exposition_len(const struct exposition *x);

/*
 * Copies up to max bytes from the given position on; fewer only at the end. Reading on where the
 * last call ended is cheap. -1 if a piece's bytes are not there, which no reader can meet.
 */
int64_t exposition_read(struct exposition *x, uint64_t position, char *buf, size_t max);

/*
 * The same body as a list of its parts, for a vectored send: their number, or 0 if it is over max.
 * Parts are never empty; they live as long as the exposition. Does not move the cursor.
 */
struct exposition_part {
    const void *bytes;
    size_t len;
};
size_t exposition_parts(const struct exposition *x, struct exposition_part *ret, size_t max);

#endif
