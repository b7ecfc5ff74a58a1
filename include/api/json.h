/*
 * Typed, bounded access to JSON text: src/api/json*.c are the only users of cJSON.
 *
 * Parsing has a byte budget for its tree (cJSON needs up to 36 bytes a byte of text), counts only
 * as success when nothing but white space follows, and accessors are case-sensitive and never
 * convert. A document belongs to one thread.
 */
#ifndef API_JSON_H
#define API_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

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

/*
 * The same for a document with secrets: whatever the parser gives back is overwritten first, on
 * failure as well. Free the tree with json_free_secret. CLEANUP(json_free_secretp).
 */
int json_parse_secret(const char *text, size_t len, size_t budget_bytes, json_value **ret,
                      struct err *err) MUST_CHECK;
void json_free_secret(json_value *root);
void json_free_secretp(json_value **root);

/*
 * As json_parse, for text that will be sent back: refused with ERR_PARSE is what would not come
 * back as it was (a number that a double does not hold exactly, a negative zero, a NUL in a string,
 * a damaged string, a key that comes twice), and a number that only cJSON takes for one; the
 * message names the place. How numbers were spelled (1.0) comes back, too.
 */
int json_parse_exact(const char *text, size_t len, size_t budget_bytes, json_value **ret,
                     struct err *err) MUST_CHECK;

/* --- making and changing --- */

/* An empty object; NULL when memory is out. */
json_value *json_new_object(void);
/* A copy of all of it; NULL when memory is out. */
json_value *json_copy(const json_value *v);
/*
 * Puts value (consumed, also on failure) in place of the member, or behind the last one. ERR_NOMEM,
 * also where value is NULL; ERR_INTERNAL where object is none.
 */
int json_set_take(json_value *object, const char *key, json_value *value,
                  struct err *err) MUST_CHECK;
/* Takes the member out, if there is one. */
void json_remove(json_value *object, const char *key);
/* Takes the member out and gives it to the caller; NULL if there is none, or it is null. */
json_value *json_take(json_value *object, const char *key);
/* An empty array; NULL when memory is out. */
json_value *json_new_array(void);

/* Order of members and spelling of numbers do not count, null does. NULL equals NULL only. */
bool json_equal(const json_value *a, const json_value *b);

/*
 * Appends the text: on one line, or indented by two blanks a level (up to forty) for people to
 * read. Numbers are printed so that they read back the same. Control characters are escaped,
 * those of the upper half too, and U+FFFD takes the place of bytes that are no UTF-8. ERR_NOMEM,
 * ERR_LIMIT of the buffer.
 */
int json_print(const json_value *v, bool pretty, struct strbuf *out, struct err *err) MUST_CHECK;
/* Appends a string in the same way, with its quotes. */
void json_print_string(const char *s, struct strbuf *out);

/* --- reading --- */

/* Member of an object, exact case; NULL if v is no object or has none. JSON null counts as none. */
const json_value *json_get(const json_value *v, const char *key);
/* First child of an array or object and the next; NULL at the end. */
const json_value *json_first(const json_value *v);
const json_value *json_next(const json_value *child);
/* The key of an object's child. */
const char *json_key(const json_value *child);

bool json_is_object(const json_value *v);
bool json_is_array(const json_value *v);
bool json_is_null(const json_value *v);

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
