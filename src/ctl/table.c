#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "time_text.h"
#include "visible.h"

enum { GAP = 2 };

struct table table_begin(const struct table_column *columns, size_t n_columns)
{
    return (struct table){.columns = columns, .n_columns = n_columns};
}

void table_release(struct table *t)
{
    strbuf_release(&t->text);
    free(t->ends);
    *t = (struct table){0};
}

void table_cell(struct table *t, const char *text)
{
    if (t->n_cells == t->cap_cells) {
        size_t cap = t->cap_cells ? 2 * t->cap_cells : 256;
        size_t *ends = realloc(t->ends, cap * sizeof(*ends));

        if (!ends) {
            t->bad = true;
            return;
        }
        t->ends = ends;
        t->cap_cells = cap;
    }
    if (!text || !*text)
        text = "-";
    visible_append(&t->text, text, strlen(text));
    t->ends[t->n_cells++] = t->text.len;
}

void table_cell_time(struct table *t, int64_t unix_s)
{
    char text[CLOCK_ISO8601_LEN];

    table_cell(t, time_text(text, unix_s));
}

static const char *cell(const struct table *t, size_t i, size_t *ret_len)
{
    size_t start = i > 0 ? t->ends[i - 1] : 0;

    *ret_len = t->ends[i] - start;
    return strbuf_str(&t->text) + start;
}

static void pad(struct strbuf *out, size_t n)
{
    while (n-- > 0)
        strbuf_addc(out, ' ');
}

static void print_cell(const struct table *t, const size_t *widths, size_t column, const char *text,
                       size_t len, struct strbuf *out)
{
    size_t fill = widths[column] - visible_width(text, len);
    bool last = column + 1 == t->n_columns;

    if (t->columns[column].right)
        pad(out, fill);
    strbuf_add(out, text, len);
    if (last)
        strbuf_addc(out, '\n');
    else
        pad(out, GAP + (t->columns[column].right ? 0 : fill));
}

int table_print(const struct table *t, struct strbuf *out, struct err *err)
{
    CLEANUP(freep) size_t *widths = calloc(t->n_columns, sizeof(*widths));
    const char *text;
    size_t len;

    if (!widths || t->bad || !strbuf_ok(&t->text))
        return err_nomem(err, "a table");
    for (size_t i = 0; i < t->n_columns; i++)
        widths[i] = strlen(t->columns[i].title);
    for (size_t i = 0; i < t->n_cells; i++) {
        text = cell(t, i, &len);
        size_t width = visible_width(text, len);
        if (width > widths[i % t->n_columns])
            widths[i % t->n_columns] = width;
    }
    for (size_t i = 0; i < t->n_columns; i++)
        print_cell(t, widths, i, t->columns[i].title, strlen(t->columns[i].title), out);
    for (size_t i = 0; i < t->n_cells; i++) {
        text = cell(t, i, &len);
        print_cell(t, widths, i % t->n_columns, text, len, out);
    }
    return strbuf_ok(out) ? 0 : err_nomem(err, "a table");
}
