/*
 * What is wrong with a configuration: every problem once, told in file order.
 *
 * Problems are collected while the file is checked and written when it is done. They carry a line
 * of the expanded text (source.h), which puts the lines of included files where they are included.
 * One owner, one thread.
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

struct source;

struct problem {
    unsigned line; /* 0 = the file as a whole */
    size_t order;  /* as reported, for problems of one line */
    char *text;
};

struct problems {
    struct problem *items;
    size_t n_items;
    size_t cap;
    bool nomem; /* one could not be kept */
};

void problems_release(struct problems *p);

/* fmt must never be given a secret. The text is one line. */
void problem_add(struct problems *p, unsigned line, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * Appends "file:line: message\n" each to out (may be NULL), and the first to err. Returns -1 if
 * there is any problem or memory ran out.
 */
int problems_report(struct problems *p, const struct source *source, struct strbuf *out,
                    struct err *err) MUST_CHECK;

/* How much of a user's text a message repeats: "%.*s" with PROBLEM_TEXT(s). Whole characters. */
#define PROBLEM_TEXT(s) problem_text_len(s), (s)
int problem_text_len(const char *s);

#endif
