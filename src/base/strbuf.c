/* Growth is by half, from 64 bytes; the limit counts the text, the NUL behind it comes on top. */
#include "base/strbuf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 64, U64_DIGITS_MAX = 20, DOUBLE_TEXT_SIZE = 32 };

static const double INTEGER_MAX = 9007199254740992.0; /* 2^53: up to here doubles have no gaps */

void strbuf_release(struct strbuf *b)
{
    size_t limit = b->limit;

    free(b->ptr);
    *b = (struct strbuf){.limit = limit};
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    b->bad = false;
    b->over_limit = false;
    if (b->ptr)
        b->ptr[0] = '\0';
}

static bool fail(struct strbuf *b, bool over_limit)
{
    b->bad = true;
    b->over_limit = over_limit;
    return false;
}

static bool grow(struct strbuf *b, size_t n)
{
    size_t need;

    if (__builtin_add_overflow(b->len, n, &need) || __builtin_add_overflow(need, 1, &need))
        return fail(b, false);
    /* Cannot wrap: an allocation has at most PTRDIFF_MAX bytes. */
    size_t cap = b->cap + b->cap / 2;
    if (cap < CAP_FIRST)
        cap = CAP_FIRST;
    if (b->limit && cap > b->limit)
        cap = b->limit + 1;
    if (cap < need)
        cap = need;
    char *ptr = realloc(b->ptr, cap);
    if (!ptr)
        return fail(b, false);
    ptr[b->len] = '\0';
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

/* True if n more bytes and a NUL may be written. */
static bool make_room(struct strbuf *b, size_t n)
{
    if (b->bad)
        return false;
    if (b->limit && (b->len > b->limit || n > b->limit - b->len))
        return fail(b, true);
    return n < b->cap - b->len || grow(b, n);
}

void strbuf_reserve(struct strbuf *b, size_t n)
{
    (void)make_room(b, n);
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
    if (len == 0 || !make_room(b, len))
        return;
    memcpy(b->ptr + b->len, bytes, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void strbuf_adds(struct strbuf *b, const char *s)
{
    strbuf_add(b, s, strlen(s));
}

void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
    va_list again;

    if (b->bad)
        return;
    va_copy(again, ap);
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->ptr ? b->ptr + b->len : NULL, room, fmt, ap);
    if (n < 0) {
        (void)fail(b, false);
    } else if (make_room(b, (size_t)n)) {
        if ((size_t)n >= room)
            (void)vsnprintf(b->ptr + b->len, b->cap - b->len, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    /* After a failure the first attempt has left bytes behind the end. */
    if (b->ptr)
        b->ptr[b->len] = '\0';
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    strbuf_vaddf(b, fmt, ap);
    va_end(ap);
}

/* Writes v so that it ends before end; returns where it starts. */
static char *put_digits(char *end, uint64_t v)
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";

    for (; v >= 100; v /= 100)
        memcpy(end -= 2, pairs + v % 100 * 2, 2);
    if (v >= 10)
        memcpy(end -= 2, pairs + v * 2, 2);
    else
        *--end = (char)('0' + v);
    return end;
}

void strbuf_add_u64(struct strbuf *b, uint64_t v)
{
    char text[U64_DIGITS_MAX];
    char *end = text + sizeof(text);
    const char *start = put_digits(end, v);

    strbuf_add(b, start, (size_t)(end - start));
}

void strbuf_add_i64(struct strbuf *b, int64_t v)
{
    char text[1 + U64_DIGITS_MAX];
    char *end = text + sizeof(text);
    char *start = put_digits(end, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

    if (v < 0)
        *--start = '-';
    strbuf_add(b, start, (size_t)(end - start));
}

static void add_shortest(struct strbuf *b, double v)
{
    char text[DOUBLE_TEXT_SIZE];
    int n = 0;

    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    strbuf_add(b, text, (size_t)n);
}

void strbuf_add_double(struct strbuf *b, double v)
{
    if (isnan(v))
        strbuf_adds(b, "NaN");
    else if (isinf(v))
        strbuf_adds(b, v > 0 ? "+Inf" : "-Inf");
    else if (fabs(v) <= INTEGER_MAX && v == (double)(int64_t)v)
        strbuf_add_i64(b, (int64_t)v);
    else
        add_shortest(b, v);
}

bool strbuf_ok(const struct strbuf *b)
{
    return !b->bad;
}

const char *strbuf_str(const struct strbuf *b)
{
    return b->ptr ? b->ptr : "";
}

char *strbuf_take(struct strbuf *b, size_t *ret_len)
{
    char *text = NULL;

    /* An empty buffer may have no memory yet, but the caller gets a string. */
    if (make_room(b, 0)) {
        text = b->ptr;
        if (ret_len)
            *ret_len = b->len;
        b->ptr = NULL;
    }
    strbuf_release(b);
    return text;
}
