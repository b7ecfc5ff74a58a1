/*
 * The lines in which two texts differ, with three lines around them, as diff -u shows them.
 */
#ifndef LINE_DIFF_H
#define LINE_DIFF_H

#include "base/strbuf.h"

/*
 * Appends the hunks, each line indented by two blanks and made visible (visible.h). Fails late,
 * with the buffer. Texts that differ in thousands of lines are shown as one replacing the other.
 */
void line_diff(const char *before, const char *after, struct strbuf *out);

#endif
