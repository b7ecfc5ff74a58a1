/* Escaping, once and for all contexts the page uses. */
#include "html.h"

#include <string.h>

#include "base/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
static const char ellipsis[] = "\xe2\x80\xa6";

/* What stands for an ASCII character; NULL for itself. */
static const char *entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return " ";
    default:
        return c < 0x20 || c == 0x7f ? replacement : NULL;
    }
}

static void add(struct strbuf *out, const char *text, size_t max_bytes, const char *line_break)
{
    size_t len = strnlen(text, max_bytes + 1);
    bool cut = len > max_bytes;

    if (cut)
        len = max_bytes;
    /* Not through a character: back to where the one that does not fit begins. */
    for (int i = 0; cut && i < 3 && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; i++)
        len--;
    for (const char *end = text + len; text < end;) {
        size_t n = utf8_sequence_len(text, (size_t)(end - text));
        const char *other = n == 0 ? replacement : n == 1 ? entity((unsigned char)*text) : NULL;

        if (*text == '\n')
            strbuf_adds(out, line_break);
        else if (other)
            strbuf_adds(out, other);
        else
            strbuf_add(out, text, n);
        text += n ? n : 1;
    }
    if (cut)
        strbuf_adds(out, ellipsis);
}

void html_text(struct strbuf *out, const char *text, size_t max_bytes)
{
    add(out, text, max_bytes, " ");
}

void html_lines(struct strbuf *out, const char *text, size_t max_bytes)
{
    add(out, text, max_bytes, "<br>");
}
