/*
 * Messages are formatted aside and then copied, so that arguments may point into the message they
 * replace. The buffer aside is one byte longer than the message: the byte behind the cut tells
 * whether the cut goes through a character.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { MSG_SIZE = sizeof(((struct err *)0)->msg), ASIDE_SIZE = MSG_SIZE + 1 };

static const char *const kind_names[] = {
    [ERR_NONE] = "none",
    [ERR_DNS] = "dns",
    [ERR_CONNECT] = "connect",
    [ERR_TLS] = "tls",
    [ERR_TIMEOUT] = "timeout",
    [ERR_HTTP] = "http",
    [ERR_THROTTLED] = "throttled",
    [ERR_AUTHENTICATION] = "authentication",
    [ERR_PERMISSION] = "permission",
    [ERR_API] = "api",
    [ERR_PARSE] = "parse",
    [ERR_INCOMPLETE] = "incomplete",
    [ERR_LIMIT] = "limit",
    [ERR_INTERNAL] = "internal",
    [ERR_CONF] = "conf",
    [ERR_IO] = "io",
    [ERR_NOMEM] = "nomem",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_STOPPED] = "stopped",
};
_Static_assert(ARRAY_LEN(kind_names) == ERR_STOPPED + 1, "a name for every kind");

PRINTF_LIKE(2, 0)
static size_t format(char aside[ASIDE_SIZE], const char *fmt, va_list ap)
{
    int n = vsnprintf(aside, ASIDE_SIZE, fmt, ap);

    if (n < 0) {
        aside[0] = '\0';
        return 0;
    }
    return (size_t)n < ASIDE_SIZE ? (size_t)n : ASIDE_SIZE - 1;
}

static size_t append(char aside[ASIDE_SIZE], size_t len, const char *s)
{
    size_t n = strnlen(s, ASIDE_SIZE - 1 - len);

    memcpy(aside + len, s, n);
    aside[len + n] = '\0';
    return len + n;
}

/* Takes the text over as the message: whole characters, one line. */
static void set_msg(struct err *err, const char *aside, size_t len)
{
    size_t n = utf8_prefix_len(aside, len, MSG_SIZE - 1);

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)aside[i];

        err->msg[i] = c < 0x20 || c == 0x7f ? ' ' : aside[i];
    }
    err->msg[n] = '\0';
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    char aside[ASIDE_SIZE];
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    size_t len = format(aside, fmt, ap);
    va_end(ap);
    err->kind = kind;
    set_msg(err, aside, len);
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    char aside[ASIDE_SIZE];
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    size_t len = format(aside, fmt, ap);
    va_end(ap);
    len = append(aside, len, ": ");
    len = append(aside, len, err->msg);
    set_msg(err, aside, len);
    return -1;
}

int err_nomem(struct err *err, const char *what)
{
    return err_set(err, ERR_NOMEM, "out of memory: %s", what);
}

enum err_kind err_reason(enum err_kind kind)
{
    if (kind == ERR_NOT_FOUND)
        return ERR_API;
    return kind <= ERR_INTERNAL ? kind : ERR_INTERNAL;
}

const char *err_kind_name(enum err_kind kind)
{
    size_t i = (size_t)kind;

    return i < ARRAY_LEN(kind_names) ? kind_names[i] : kind_names[ERR_INTERNAL];
}
