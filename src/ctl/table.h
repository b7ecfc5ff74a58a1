/*
 * A table of text for people: columns as wide as their widest cell, two blanks between them.
 *
 * Cells are made visible (visible.h) and copied; they come row by row. Fails late: a table for
 * which memory was out prints as an error. One thread.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

struct table_column {
    const char *title;
    bool right; /* numbers */
};

struct table {
    const struct table_column *columns; /* borrowed */
    size_t n_columns;
    struct strbuf text; /* of all cells, one behind the other */
    size_t *ends;       /* of each cell in it */
    size_t n_cells;
    size_t cap_cells;
    bool bad;
};

/* Columns are borrowed. CLEANUP(table_release). */
struct table table_begin(const struct table_column *columns, size_t n_columns);
void table_release(struct table *t);

/* The next cell; "" and NULL are shown as a dash. */
void table_cell(struct table *t, const char *text);
/* A time in seconds since 1970, as 2026-01-01T03:04:00Z; 0 is a dash. */
void table_cell_time(struct table *t, int64_t unix_s);

/* Appends titles and rows. */
int table_print(const struct table *t, struct strbuf *out, struct err *err) MUST_CHECK;

#endif
