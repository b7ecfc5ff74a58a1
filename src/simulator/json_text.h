/*
 * JSON as text: what the simulator serves is spliced together from texts, and what it loads is
 * kept byte for byte, so both sides work on spans of text. cJSON finds where a value ends.
 */
#ifndef SIMULATOR_JSON_TEXT_H
#define SIMULATOR_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* Appends s as a JSON string, quotes included. Bytes above 0x7f go through as they are. */
void json_add_string(struct strbuf *out, const char *s, size_t len);
void json_add_cstring(struct strbuf *out, const char *s);
/* Only the inside of the string, escaped. */
void json_add_escaped(struct strbuf *out, const char *s, size_t len);

struct json_span {
    const char *ptr;
    size_t len;
};

/* Walks the top level of one array or object. */
struct json_walk {
    const char *at;
    const char *end;
    char close;
    bool failed; /* the text is not what it should be */
    bool started;
};

/* open is '{' or '['. */
void json_walk_init(struct json_walk *w, const char *text, size_t len, char open);
/* The next member; *ret_key is on the heap and the caller's. False at the end or on failure. */
bool json_walk_member(struct json_walk *w, char **ret_key, struct json_span *ret_value) MUST_CHECK;
/* The next item of an array. */
bool json_walk_item(struct json_walk *w, struct json_span *ret_value) MUST_CHECK;

/* "1714058507\n", 1714058507, milliseconds: what the API is known to send. Seconds; 0 = unknown. */
int64_t json_read_time(const cJSON *v);

void cjson_deletep(cJSON **item);

/* Parses exactly len bytes (white space may follow the value); NULL if they are not JSON. */
cJSON *json_parse(const char *text, size_t len) MUST_CHECK;

#endif
