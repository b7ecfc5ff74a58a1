#include "problem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "source.h"

enum { ITEMS_FIRST = 16, TEXT_BYTES_MAX = 64 };

void problems_release(struct problems *p)
{
    for (size_t i = 0; i < p->n_items; i++)
        free(p->items[i].text);
    free(p->items);
    *p = (struct problems){0};
}

static bool grow(struct problems *p)
{
    if (p->n_items < p->cap)
        return true;

    size_t cap = p->cap ? p->cap * 2 : ITEMS_FIRST;
    struct problem *items = realloc(p->items, cap * sizeof(*items));
    if (!items)
        return false;
    p->items = items;
    p->cap = cap;
    return true;
}

void problem_add(struct problems *p, unsigned line, const char *fmt, ...)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    char *s = strbuf_take(&text, NULL);
    if (!s || !grow(p)) {
        free(s);
        p->nomem = true;
        return;
    }
    p->items[p->n_items] = (struct problem){.line = line, .order = p->n_items, .text = s};
    p->n_items++;
}

static int compare(const void *left, const void *right)
{
    const struct problem *a = left;
    const struct problem *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* A file that could not be read has no lines. */
static void add_where(struct strbuf *out, const struct source *source, unsigned line)
{
    struct source_place place = source_place(source, line);

    if (place.line)
        strbuf_addf(out, "%s:%u: ", place.path, place.line);
    else
        strbuf_addf(out, "%s: ", place.path);
}

int problems_report(struct problems *p, const struct source *source, struct strbuf *out,
                    struct err *err)
{
    if (p->n_items == 0 && !p->nomem)
        return 0;
    if (p->nomem)
        return err_nomem(err, "configuration");

    qsort(p->items, p->n_items, sizeof(*p->items), compare);
    for (size_t i = 0; i < p->n_items; i++) {
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;

        add_where(&line, source, p->items[i].line);
        strbuf_adds(&line, p->items[i].text);
        if (!strbuf_ok(&line))
            return err_nomem(err, "configuration");
        if (out)
            strbuf_addf(out, "%s\n", strbuf_str(&line));
        if (i == 0)
            (void)err_set(err, ERR_CONF, "%s", strbuf_str(&line));
    }
    return -1;
}

int problem_text_len(const char *s)
{
    return (int)utf8_prefix_len(s, strlen(s), TEXT_BYTES_MAX);
}
