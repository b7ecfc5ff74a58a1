/* Well-formed byte sequences, table 3-7 of the Unicode standard. */
#include "base/utf8.h"

#include <string.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool in_range(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

size_t utf8_sequence_len(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char low = 0x80; /* the range of the second byte; the others have 0x80..0xbf */
    unsigned char high = 0xbf;
    size_t n;

    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (in_range(p[0], 0xc2, 0xdf))
        n = 2;
    else if (in_range(p[0], 0xe0, 0xef))
        n = 3;
    else if (in_range(p[0], 0xf0, 0xf4))
        n = 4;
    else
        return 0;

    if (p[0] == 0xe0) /* shorter forms exist below */
        low = 0xa0;
    else if (p[0] == 0xed) /* surrogates above */
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4) /* U+110000 above */
        high = 0x8f;

    if (len < n || !in_range(p[1], low, high))
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (!in_range(p[i], 0x80, 0xbf))
            return 0;
    }
    return n;
}

/* Length of the valid prefix. Nearly all text is ASCII, which goes eight bytes at a time. */
static size_t valid_prefix_len(const char *s, size_t len)
{
    size_t i = 0;

    while (i < len) {
        uint64_t word;

        if (len - i >= sizeof(word)) {
            memcpy(&word, s + i, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t n = utf8_sequence_len(s + i, len - i);
        if (n == 0)
            break;
        i += n;
    }
    return i;
}

bool utf8_valid(const char *s, size_t len)
{
    return valid_prefix_len(s, len) == len;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_prefix_len(const char *s, size_t len, size_t max)
{
    size_t n = max;

    if (len <= max)
        return len;
    while (n > 0 && max - n < 3 && is_continuation(s[n]))
        n--;
    /* No character is that long: the text is not valid, and no place to cut is better. */
    return is_continuation(s[n]) ? max : n;
}

size_t utf8_append_repaired(struct strbuf *out, const char *s, size_t len)
{
    size_t n_replaced = 0;

    while (len > 0) {
        size_t n = valid_prefix_len(s, len);

        strbuf_add(out, s, n);
        s += n;
        len -= n;
        if (len > 0) {
            strbuf_add(out, REPLACEMENT, sizeof(REPLACEMENT) - 1);
            n_replaced++;
            s++;
            len--;
        }
    }
    return n_replaced;
}
