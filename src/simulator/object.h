/*
 * A JSON object as a list of members, each value kept as the text it came as, so that what is
 * stored, edited and shown again loses nothing: no digit of a number, no order of keys.
 *
 * The struct lives in its owner; {0} is the empty object. Setting a member of unknown key appends.
 */
#ifndef SIMULATOR_OBJECT_H
#define SIMULATOR_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

struct object_member {
    char *key;
    char *text; /* of the value */
};

struct object {
    struct object_member *members;
    size_t n;
};

void object_release(struct object *o);

/* From the text of one object; of a key that comes twice the last value stays. On -1 *ret is {0}.
 */
int object_read(struct object *ret, const char *text, size_t len, struct err *err) MUST_CHECK;
int object_copy(struct object *ret, const struct object *o) MUST_CHECK;

/* The value's text, or NULL. */
const char *object_get(const struct object *o, const char *key);
/* A string value on the heap; NULL if there is no such member or it is no string. */
char *object_string(const struct object *o, const char *key);
/* Seconds from a number or a string, milliseconds recognised by their size; 0 = unknown. */
int64_t object_time(const struct object *o, const char *key);
/* Both lack the member, or both have an equal value. */
bool object_same(const struct object *a, const struct object *b, const char *key);

/* -1 when memory is out; the object is then as it was. */
int object_set(struct object *o, const char *key, const char *text) MUST_CHECK;
int object_set_string(struct object *o, const char *key, const char *value) MUST_CHECK;
int object_set_number(struct object *o, const char *key, int64_t value) MUST_CHECK;
void object_remove(struct object *o, const char *key);

void object_render(const struct object *o, struct strbuf *out);

#endif
