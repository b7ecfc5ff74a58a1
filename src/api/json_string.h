/*
 * The inside of a JSON string, byte by byte as it arrives: where it ends, and whether it is sound.
 *
 * Refused is what cJSON 1.7.15 refuses, no more and no less: an escape it does not know, a \u with
 * fewer than four bytes before the closing quote. Its oddities are kept on purpose, because it is
 * what decodes the string in the end: control bytes may stand unescaped, and what follows \u need
 * not be hexadecimal. Damage is what this program mends with U+FFFD instead of giving up a page:
 * bytes that are no UTF-8, and an escaped half of a surrogate pair without its other half (which
 * cJSON refuses). Pure state; one thread.
 */
#ifndef JSON_STRING_H
#define JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_skip.h"

enum json_string_end {
    JSON_STRING_OPEN,   /* all bytes are consumed, and the string goes on */
    JSON_STRING_CLOSED, /* the place returned is the one behind the closing quote */
    JSON_STRING_BROKEN, /* the place returned is where it broke */
};

struct json_string {
    json_skip_fn *skip;
    enum { JSON_STRING_TEXT, JSON_STRING_BACKSLASH, JSON_STRING_HEX } state;
    bool damaged; /* `lone`, or bytes that are no UTF-8 */
    bool lone;    /* half of a surrogate pair, escaped */
    bool odd;     /* what follows some \u is no number */

    /* An escape that arrives in parts, or is unusual. */
    bool pair; /* the byte before was a backslash, and no quote behind it ends the string */
    bool high; /* the escape before was the first half of a surrogate pair */
    bool hex_odd;
    uint8_t n_hex;
    uint16_t unit;

    /* A character that arrives in parts: bytes to come, and the range of the next one. */
    uint8_t utf8_left;
    uint8_t utf8_low;
    uint8_t utf8_high;
};

/* For the byte behind the opening quote. skip is json_skip_best(), or another for a test. */
void json_string_begin(struct json_string *s, json_skip_fn *skip);

/* Takes the bytes from p to end, as many as belong to the string; returns where it stopped. */
const char *json_string_feed(struct json_string *s, const char *p, const char *end,
                             enum json_string_end *ret);

/*
 * The inside of a sound string without odd escapes was cut behind len bytes: how much of it is not
 * cut through an escape.
 */
size_t json_string_trim(const char *text, size_t len);

/* The four hexadecimal digits at p as a number, -1 if they are none. */
int json_hex4(const char *p);

#endif
