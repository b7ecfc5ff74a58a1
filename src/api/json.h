/*
 * Typed, bounded access to JSON text: the only user of cJSON.
 *
 * Parsing has a byte budget for its tree (cJSON needs up to 36 bytes a byte of text), counts only
 * as success when nothing but white space follows, and accessors are case-sensitive and never
 * convert. A document belongs to one thread.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct cJSON;
typedef struct cJSON json_value;

/*
 * The largest integer that can be told from its neighbours: numbers are read as doubles, and
 * 2^53 + 1 reads as 2^53, so that a 2^53 read says nothing about what was written.
 */
#define JSON_INTEGER_MAX ((INT64_C(1) << 53) - 1)

/* Installs the allocation hooks, once; json_parse does it too. Any thread. */
void json_global_init(void);

/*
 * Parses len bytes, which need no NUL behind them; ERR_PARSE with the offset, ERR_LIMIT when the
 * tree passes the budget (heap bytes, the heap's own overhead included). A byte order mark in
 * front is skipped. Strings are not checked to be UTF-8, and end at the first NUL they hold.
 */
int json_parse(const char *text, size_t len, size_t budget_bytes, json_value **ret,
               struct err *err) MUST_CHECK;
void json_free(json_value *root);
void json_freep(json_value **root);

/* Member of an object, exact case; NULL if v is no object or has none. JSON null counts as none. */
const json_value *json_get(const json_value *v, const char *key);
/* First child of an array or object and the next; NULL at the end. */
const json_value *json_first(const json_value *v);
const json_value *json_next(const json_value *child);
/* The key of an object's child. */
const char *json_key(const json_value *child);

bool json_is_object(const json_value *v);
bool json_is_array(const json_value *v);

/* All of these take NULL as a value of no type. */

/* The text of a string, or NULL for anything else. */
const char *json_string(const json_value *v);
/* 0 and a finite number, or -1. */
int json_number(const json_value *v, double *ret);
/* 0 and an integer with |v| <= JSON_INTEGER_MAX, or -1: a fraction, out of range, another type. */
int json_integer(const json_value *v, int64_t *ret);
/* 0 and true or false, or -1. */
int json_bool(const json_value *v, bool *ret);

#endif
