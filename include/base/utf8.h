/*
 * UTF-8 checks (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 * Pure functions, any thread.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Length of the valid sequence that starts at s (1..4), or 0 if none does. len is what is left. */
size_t utf8_sequence_len(const char *s, size_t len);

bool utf8_valid(const char *s, size_t len);

/* The longest prefix of at most max bytes that does not cut a character. s must be valid UTF-8. */
size_t utf8_prefix_len(const char *s, size_t len, size_t max);

/* Appends s with every byte that belongs to no valid sequence as U+FFFD; returns how many there
 * were. */
size_t utf8_append_repaired(struct strbuf *out, const char *s, size_t len);

#endif
