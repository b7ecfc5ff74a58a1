/* Text into HTML. Nothing else may put text from outside into a page. */
#ifndef HTTP_HTML_H
#define HTTP_HTML_H

#include <stddef.h>

#include "base/strbuf.h"

/*
 * Appends text for an element's content or a quoted attribute: markup characters escaped, line
 * breaks and tabs as spaces, other control characters and bytes that are no UTF-8 as U+FFFD. Of
 * longer texts the first max_bytes and an ellipsis.
 */
void html_text(struct strbuf *out, const char *text, size_t max_bytes);

/* The same for an element's content, with its line breaks. */
void html_lines(struct strbuf *out, const char *text, size_t max_bytes);

#endif
