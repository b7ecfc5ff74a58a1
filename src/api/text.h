/*
 * Text of a reply, made fit for a label: valid UTF-8, cut to size, kept in the arena.
 *
 * The state lives in whoever decodes and belongs to one thread. Fails late: after the first lack
 * of memory every result is "" and nomem says so, to be looked at once per record.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"

struct text_cleaner {
    struct arena *arena;   /* borrowed */
    struct strbuf scratch; /* of text.c alone */
    uint64_t too_long;     /* values cut */
    uint64_t invalid_utf8; /* values repaired */
    bool nomem;
};

void text_cleaner_release(struct text_cleaner *t);

/*
 * The len bytes at s, without NUL among them, with U+FFFD for what is not UTF-8, cut to
 * LABEL_VALUE_MAX bytes at a character boundary. s may be NULL where len is 0. Never NULL. s must
 * not lie in the scratch buffer.
 */
const char *text_clean(struct text_cleaner *t, const char *s, size_t len);

/* The same with ASCII letters in lower case, as all enumerations are shown. */
const char *text_clean_lower(struct text_cleaner *t, const char *s, size_t len);

/* A copy in the arena, "" and nomem when memory is out. */
const char *text_keep(struct text_cleaner *t, const char *s, size_t len);

#endif
