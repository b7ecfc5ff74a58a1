/*
 * What goes to stderr, and the answer on stdout.
 *
 * Both may hold text of the API or of files: nothing that a terminal would take for a command gets
 * through, see visible.h.
 */
#ifndef COMPLAIN_H
#define COMPLAIN_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

/* "aliyun_flinkctl: ..." and a newline. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same without the name in front: what goes on, not what is wrong. */
void tell(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * Writes the answer, or the next part of it, to stdout. A reader that has gone away has seen what
 * it wanted: no failure. ERR_IO for anything else, ERR_NOMEM if the text could not be made.
 */
int answer_write(const struct strbuf *text, struct err *err) MUST_CHECK;

#endif
