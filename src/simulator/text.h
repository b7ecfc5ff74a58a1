/*
 * An immutable text that is served often, with its deflated form made once, when somebody first
 * asks for gzip.
 *
 * The bytes belong to whoever made the struct and outlive it. Any thread may ask for the deflated
 * form: two that ask at once both make it and one of them throws its own away.
 */
#ifndef SIMULATOR_TEXT_H
#define SIMULATOR_TEXT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

struct text_segment {
    uint32_t crc;
    size_t len;
    unsigned char bytes[];
};

struct text {
    const char *ptr;
    size_t len;
    _Atomic(struct text_segment *) segment;
};

/* Frees the deflated form; the bytes are not the struct's. */
void text_release(struct text *t);

/*
 * A body that grows by texts and by loose bytes, plain or as one gzip member. Loose bytes are
 * stored without compression: they are small and new each time.
 */
struct text_body {
    struct strbuf bytes;
    bool gzip;
    uint32_t crc;
    uint64_t plain_len;
};

void text_body_init(struct text_body *b, bool gzip);
void text_body_release(struct text_body *b);
void text_body_add_text(struct text_body *b, struct text *t);
void text_body_add(struct text_body *b, const char *bytes, size_t len);
/* The end of the gzip member; nothing for a plain body. */
void text_body_finish(struct text_body *b);

#endif
