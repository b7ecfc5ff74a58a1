/* Growth is by half, from 64 bytes; the limit counts the text, the NUL behind it comes on top. */
#include "base/strbuf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 64, U64_DIGITS_MAX = 20, DOUBLE_TEXT_SIZE = 32 };

static const double INTEGER_MAX = 9007199254740992.0; /* 2^53: up to here doubles have no gaps */
static const double THOUSANDTHS_MAX = 1e12;           /* below, three places are 15 digits */

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

char *strbuf_room_slowly(struct strbuf *b, size_t n)
{
    return make_room(b, n) ? b->ptr + b->len : NULL;
}

void strbuf_shrink(struct strbuf *b)
{
    char *ptr = b->ptr ? realloc(b->ptr, b->len + 1) : NULL;

    if (!ptr)
        return; /* nothing to give back, or no memory to do it: it stays as it is */
    b->ptr = ptr;
    b->cap = b->len + 1;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
    char *p = len > 0 ? strbuf_room(b, len) : NULL;

    if (p) {
        memcpy(p, bytes, len);
        strbuf_wrote(b, p + len);
    }
}

void strbuf_adds(struct strbuf *b, const char *s)
{
    strbuf_add(b, s, strlen(s));
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

    while (v >= 10000) {
        unsigned four = (unsigned)(v % 10000);

        v /= 10000;
        memcpy(end -= 2, pairs + four % 100 * 2, 2);
        memcpy(end -= 2, pairs + four / 100 * 2, 2);
    }
    if (v >= 100) {
        memcpy(end -= 2, pairs + v % 100 * 2, 2);
        v /= 100;
    }
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

/* Decimal digits of v, at least one. */
static unsigned count_digits(uint64_t v)
{
    static const uint64_t powers[U64_DIGITS_MAX] = {
        0, /* 0 has a digit, too */
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    /* A bit is log10(2) digits, about 1233/4096: the number of digits or one less. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1), guess = bits * 1233 >> 12;

    return guess + (v >= powers[guess]);
}

char *strbuf_put_i64(char *out, int64_t v)
{
    uint64_t magnitude = (uint64_t)v;
    char *end;

    if (v < 0) {
        *out++ = '-';
        magnitude = 0 - magnitude;
    }
    if (magnitude < 10) { /* most numbers there are */
        *out = (char)('0' + magnitude);
        return out + 1;
    }
    end = out + count_digits(magnitude);
    (void)put_digits(end, magnitude);
    return end;
}

void strbuf_add_i64(struct strbuf *b, int64_t v)
{
    char text[STRBUF_I64_MAX];

    strbuf_add(b, text, (size_t)(strbuf_put_i64(text, v) - text));
}

void strbuf_add_thousandths(struct strbuf *b, int64_t v)
{
    char text[1 + U64_DIGITS_MAX];
    char *end = text + sizeof(text), *start, *last = end;
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    unsigned fraction = (unsigned)(magnitude % 1000);

    if (v < 0)
        strbuf_addc(b, '-');
    strbuf_add_u64(b, magnitude / 1000);
    if (fraction == 0)
        return;
    start = put_digits(end, 1000 + fraction); /* "1ddd": three digits behind the 1 */
    *start = '.';
    while (last[-1] == '0')
        last--;
    strbuf_add(b, start, (size_t)(last - start));
}

/*
 * Shares of a core and the like: a double that is what reading a decimal of three places gives is
 * that decimal, because no shorter one reads back equal as long as 15 digits are enough.
 */
static bool in_thousandths(double v, int64_t *ret)
{
    if (fabs(v) >= THOUSANDTHS_MAX)
        return false;
    *ret = (int64_t)(v * 1000 + (v < 0 ? -0.5 : 0.5));
    return (double)*ret / 1000 == v;
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

bool strbuf_is_integer(double v)
{
    return fabs(v) <= INTEGER_MAX && v == (double)(int64_t)v;
}

void strbuf_add_double(struct strbuf *b, double v)
{
    int64_t thousandths;

    if (isnan(v))
        strbuf_adds(b, "NaN");
    else if (isinf(v))
        strbuf_adds(b, v > 0 ? "+Inf" : "-Inf");
    else if (strbuf_is_integer(v))
        strbuf_add_i64(b, (int64_t)v);
    else if (in_thousandths(v, &thousandths))
        strbuf_add_thousandths(b, thousandths);
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
