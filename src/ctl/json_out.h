/*
 * Writes JSON member by member, indented by two blanks a level. Fails late, with the buffer. One
 * thread.
 *
 *     json_out_open(&o, NULL, '{');
 *     json_out_string(&o, "name", d->name);
 *     json_out_close(&o, '}');
 */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "api/json.h"
#include "base/strbuf.h"

struct json_out {
    struct strbuf *out; /* borrowed */
    unsigned depth;
    bool more; /* a comma comes before what is next */
};

/* Key is NULL for the root and in arrays. */
void json_out_open(struct json_out *o, const char *key, char bracket);
/* The root's end is followed by a newline. */
void json_out_close(struct json_out *o, char bracket);

/* NULL and "" are null. */
void json_out_string(struct json_out *o, const char *key, const char *value);
/* "" is "". */
void json_out_text(struct json_out *o, const char *key, const char *value);
void json_out_integer(struct json_out *o, const char *key, int64_t value);
void json_out_bool(struct json_out *o, const char *key, bool value);
void json_out_null(struct json_out *o, const char *key);
/* On one line. NULL is null. */
void json_out_value(struct json_out *o, const char *key, const json_value *value);
/* 2026-01-01T03:04:00Z; 0 is null. */
void json_out_time(struct json_out *o, const char *key, int64_t unix_s);

#endif
