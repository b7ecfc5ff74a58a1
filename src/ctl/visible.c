/* The tables are made by width_table.py. */
#include "visible.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "width_table.h"

/* The character of a valid sequence of n bytes. */
static uint32_t decode(const char *s, size_t n)
{
    static const unsigned char first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)s[0] & first_mask[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    return c;
}

static bool in_ranges(const struct width_range *ranges, size_t n, uint32_t c)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && c >= ranges[low].first;
}

int visible_char_width(uint32_t c)
{
    if (c < 0x300) /* nearly all text */
        return 1;
    if (in_ranges(width_zero, ARRAY_LEN(width_zero), c))
        return 0;
    return in_ranges(width_wide, ARRAY_LEN(width_wide), c) ? 2 : 1;
}

static void append_control(struct strbuf *out, uint32_t c)
{
    static const char names[] = {['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};

    if (c < sizeof(names) && names[c])
        strbuf_addf(out, "\\%c", names[c]);
    else if (c < 0x80)
        strbuf_addf(out, "\\x%02x", (unsigned)c);
    else
        strbuf_addf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
}

static void append(struct strbuf *out, const char *text, size_t len, bool keep_tabs)
{
    size_t n;

    for (; len > 0; text += n, len -= n) {
        uint32_t c;

        n = utf8_sequence_len(text, len);
        if (n == 0) {
            strbuf_addf(out, "\\x%02x", (unsigned)(unsigned char)*text);
            n = 1;
            continue;
        }
        c = decode(text, n);
        if ((c >= 0x20 && c < 0x7f) || (c == '\t' && keep_tabs) ||
            (c >= 0xa0 && !in_ranges(width_invisible, ARRAY_LEN(width_invisible), c)))
            strbuf_add(out, text, n);
        else
            append_control(out, c);
    }
}

void visible_append(struct strbuf *out, const char *text, size_t len)
{
    append(out, text, len, false);
}

void visible_append_line(struct strbuf *out, const char *text, size_t len)
{
    append(out, text, len, true);
}

size_t visible_width(const char *text, size_t len)
{
    size_t width = 0;
    size_t n;

    for (; len > 0; text += n, len -= n) {
        n = utf8_sequence_len(text, len);
        width += n ? (size_t)visible_char_width(decode(text, n)) : 1;
        n = n ? n : 1;
    }
    return width;
}
