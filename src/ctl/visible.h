/*
 * Text for a terminal: what it shows, and in how many columns.
 *
 * Names and messages come from whoever may create a deployment, and a terminal obeys what it is
 * sent. So control characters, those that change the direction of text, other invisible ones, and
 * bytes that are no UTF-8 are shown by their numbers: \n, \x1b, \u202e. Backslashes are not
 * doubled: this is for eyes; --output=json is exact. Pure functions, any thread.
 */
#ifndef VISIBLE_H
#define VISIBLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

void visible_append(struct strbuf *out, const char *text, size_t len);

/* The same for a line of a script: tabs stay. */
void visible_append_line(struct strbuf *out, const char *text, size_t len);

/* Columns that a character takes: 2 for wide and full-width ones of East Asia, 0 for combining. */
int visible_char_width(uint32_t c);

/* Columns of what visible_append made. */
size_t visible_width(const char *text, size_t len);

#endif
