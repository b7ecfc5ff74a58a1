/*
 * A growing byte string that fails late.
 *
 * Appends return nothing. The first one that would pass the limit, or finds no memory, marks the
 * buffer bad, and every later append is a no-op; the caller checks once, at the end, with
 * strbuf_ok(). The bytes are always NUL-terminated (the NUL is not counted) once anything was
 * appended. The struct lives in its owner and belongs to one thread.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct strbuf {
    char *ptr; /* NULL until the first append; use strbuf_str() where a string is needed */
    size_t len;
    size_t cap;
    size_t limit; /* most bytes it may hold; 0 = no limit */
    bool bad;
    bool over_limit; /* bad because of the limit, not of memory */
};

#define STRBUF_INIT               ((struct strbuf){0})
#define STRBUF_LIMIT(limit_bytes) ((struct strbuf){.limit = (limit_bytes)})

/* Frees the bytes; the struct is empty and usable again, with its limit. CLEANUP(strbuf_release).
 */
void strbuf_release(struct strbuf *b);

/* Length 0 and good again; keeps the memory. */
void strbuf_reset(struct strbuf *b);

/* Room for n more bytes without another allocation; marks the buffer bad if there is none. */
void strbuf_reserve(struct strbuf *b, size_t n);

/* Gives back the memory behind the text: for what is kept long. */
void strbuf_shrink(struct strbuf *b);

/*
 * For a caller that writes the bytes itself: where the next at most n go, or NULL and the buffer is
 * bad. strbuf_wrote ends it: end is behind the last byte written. Inline, because where text is
 * rendered every line begins and ends with them.
 */
char *strbuf_room_slowly(struct strbuf *b, size_t n);

static inline char *strbuf_room(struct strbuf *b, size_t n)
{
    if (!b->bad && b->limit == 0 && n < b->cap - b->len)
        return b->ptr + b->len;
    return strbuf_room_slowly(b, n);
}

static inline void strbuf_wrote(struct strbuf *b, char *end)
{
    *end = '\0';
    b->len = (size_t)(end - b->ptr);
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len);
void strbuf_adds(struct strbuf *b, const char *s);
static inline void strbuf_addc(struct strbuf *b, char c)
{
    char *p = strbuf_room(b, 1);

    if (p) {
        *p = c;
        strbuf_wrote(b, p + 1);
    }
}
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void strbuf_add_u64(struct strbuf *b, uint64_t v);
void strbuf_add_i64(struct strbuf *b, int64_t v);

/*
 * The shortest decimal of 15, 16 or 17 significant digits that reads back equal; integers up to
 * 2^53 without point or exponent; NaN, +Inf, -Inf as Prometheus writes them. Locale-free as long
 * as nobody calls setlocale.
 */
void strbuf_add_double(struct strbuf *b, double v);
/* True if it is one of those integers: strbuf_add_i64 writes the same. */
bool strbuf_is_integer(double v);
/* Thousandths as a decimal, exactly: 1790001202.41 from 1790001202410. */
void strbuf_add_thousandths(struct strbuf *b, int64_t v);

/* The decimal of v at out, which has STRBUF_I64_MAX bytes; returns the end. No NUL. */
#define STRBUF_I64_MAX 20
char *strbuf_put_i64(char *out, int64_t v);

bool strbuf_ok(const struct strbuf *b);

/* The text as a string, "" when empty. Valid until the next append. */
const char *strbuf_str(const struct strbuf *b);

/* Gives the heap string away (free with free()); NULL when the buffer is bad. The buffer is empty
 * after. */
char *strbuf_take(struct strbuf *b, size_t *ret_len);

#endif
