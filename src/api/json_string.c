/*
 * cJSON reads a string twice. First it looks for the closing quote, taking a backslash and the
 * byte behind it for a pair. Then it decodes, where \u takes four bytes whatever they are. The two
 * disagree if one of the four is a backslash; so both are followed here, as `pair` and `state`.
 *
 * That is the slow way, a byte at a time. What is usual and lies in one piece goes the fast way.
 */
#include "json_string.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "json_skip.h"

enum { UNICODE_ESCAPE_LEN = 6 };

int json_hex4(const char *p)
{
    int unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

void json_string_begin(struct json_string *s, json_skip_fn *skip)
{
    *s = (struct json_string){.state = JSON_STRING_TEXT, .skip = skip};
}

/* --- the fast way --- */

/* Length of a usual escape that lies whole before end, 0 for any other. */
static int whole_escape(const char *p, const char *end)
{
    if (end - p >= 2 && json_is_simple_escape(p[1]))
        return 2;
    if (end - p < UNICODE_ESCAPE_LEN || p[1] != 'u')
        return 0;
    int unit = json_hex4(p + 2);
    if (unit < 0 || is_low(unit))
        return 0;
    if (!is_high(unit))
        return UNICODE_ESCAPE_LEN;
    const char *next = p + UNICODE_ESCAPE_LEN;
    if (end - next < UNICODE_ESCAPE_LEN || next[0] != '\\' || next[1] != 'u' ||
        !is_low(json_hex4(next + 2)))
        return 0;
    return 2 * UNICODE_ESCAPE_LEN;
}

/* Up to the closing quote, end, or what has to go the slow way. */
static const char *feed_fast(json_skip_fn *skip, const char *p, const char *end)
{
    for (;;) {
        p = skip(p, end);
        if (p == end || *p == '"')
            return p;
        if (*p == '\\') {
            int len = whole_escape(p, end);

            if (len == 0)
                return p;
            p += len;
            continue;
        }
        do {
            size_t len = utf8_sequence_len(p, (size_t)(end - p));

            if (len == 0)
                return p;
            p += len;
        } while (p < end && (unsigned char)*p >= 0x80);
    }
}

/* --- the slow way --- */

/* Table 3-7 of the Unicode standard, a byte at a time, over the bytes as they came. */
static void step_utf8(struct json_string *s, unsigned char c)
{
    if (s->utf8_left > 0 && c >= s->utf8_low && c <= s->utf8_high) {
        s->utf8_left--;
        s->utf8_low = 0x80;
        s->utf8_high = 0xbf;
        return;
    }
    if (s->utf8_left > 0)
        s->damaged = true;
    s->utf8_left = 0;
    if (c < 0x80)
        return;
    s->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    s->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (c >= 0xc2 && c <= 0xdf)
        s->utf8_left = 1;
    else if (c >= 0xe0 && c <= 0xef)
        s->utf8_left = 2;
    else if (c >= 0xf0 && c <= 0xf4)
        s->utf8_left = 3;
    else
        s->damaged = true;
}

static void lone_surrogate(struct json_string *s)
{
    s->lone = true;
    s->damaged = true;
}

/* A high half that was not followed by a low one. */
static void end_high(struct json_string *s)
{
    if (s->high)
        lone_surrogate(s);
    s->high = false;
}

static void end_unicode_escape(struct json_string *s)
{
    int unit = s->hex_odd ? 0 : s->unit;

    s->state = JSON_STRING_TEXT;
    s->odd = s->odd || s->hex_odd;
    if (s->high && is_low(unit)) {
        s->high = false;
        return;
    }
    end_high(s);
    s->high = is_high(unit);
    if (is_low(unit))
        lone_surrogate(s);
}

/* One byte that does not close the string. False if the string is broken. */
static bool step_inside(struct json_string *s, char c)
{
    int digit;

    switch (s->state) {
    case JSON_STRING_TEXT:
        if (c == '\\')
            s->state = JSON_STRING_BACKSLASH;
        else
            end_high(s);
        return true;
    case JSON_STRING_BACKSLASH:
        if (c == 'u') {
            s->state = JSON_STRING_HEX;
            s->n_hex = 0;
            s->unit = 0;
            s->hex_odd = false;
            return true;
        }
        s->state = JSON_STRING_TEXT;
        end_high(s);
        return json_is_simple_escape(c);
    case JSON_STRING_HEX:
        digit = hex_value(c);
        s->hex_odd = s->hex_odd || digit < 0;
        s->unit = (uint16_t)(s->unit * 16 + (digit < 0 ? 0 : digit));
        if (++s->n_hex == 4)
            end_unicode_escape(s);
        return true;
    }
    return false;
}

static enum json_string_end step(struct json_string *s, char c)
{
    bool closes = c == '"' && !s->pair;

    s->pair = c == '\\' && !s->pair;
    step_utf8(s, (unsigned char)c);
    if (!closes)
        return step_inside(s, c) ? JSON_STRING_OPEN : JSON_STRING_BROKEN;
    end_high(s);
    /* Behind a backslash, the quote is the letter of an escape as well: cJSON takes it for both. */
    return s->state == JSON_STRING_HEX ? JSON_STRING_BROKEN : JSON_STRING_CLOSED;
}

static bool is_usual(const struct json_string *s)
{
    return s->state == JSON_STRING_TEXT && !s->pair && !s->high && s->utf8_left == 0;
}

const char *json_string_feed(struct json_string *s, const char *p, const char *end,
                             enum json_string_end *ret)
{
    *ret = JSON_STRING_OPEN;
    while (p < end) {
        if (is_usual(s)) {
            p = feed_fast(s->skip, p, end);
            if (p == end)
                break;
            if (*p == '"') {
                *ret = JSON_STRING_CLOSED;
                return p + 1;
            }
        }
        *ret = step(s, *p);
        if (*ret == JSON_STRING_BROKEN)
            return p;
        p++;
        if (*ret == JSON_STRING_CLOSED)
            return p;
    }
    return p;
}

size_t json_string_trim(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len) {
        const char *backslash = memchr(text + i, '\\', len - i);

        if (!backslash)
            return len;
        i = (size_t)(backslash - text);
        size_t escape_len = i + 1 < len && text[i + 1] == 'u' ? UNICODE_ESCAPE_LEN : 2;
        if (escape_len > len - i)
            return i;
        i += escape_len;
    }
    return len;
}
