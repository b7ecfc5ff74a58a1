/*
 * JSON that arrives in pieces: checked byte by byte, and only what is wanted of it kept.
 *
 * A shape says which members of which objects are wanted. Everything else is stepped over, but not
 * unseen: refused is what cJSON 1.7.15 refuses (json_parse of json.h, which mends damaged strings),
 * and text behind the end. Memory is bounded by the shape, whatever the size of the text: one value
 * per member, strings cut at JSON_SCAN_STRING_MAX. One thread.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "json_string.h"

enum {
    JSON_SCAN_STRING_MAX = 4096,     /* bytes kept of a string, as they stand in the text */
    JSON_SCAN_RAW_MAX = 1024 * 1024, /* bytes kept of an object kept whole; a larger one is cut */
    JSON_SCAN_DEPTH_MAX = 1000,      /* as cJSON's CJSON_NESTING_LIMIT */
    JSON_SCAN_KEY_MAX = 256,         /* as they stand in the text; a longer one is not wanted */
    JSON_SCAN_WATCHED_MAX = 8,       /* containers around a wanted value */
};

enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OBJECT,
    JSON_ARRAY,
};

/* A value as it stands in the text: the digits of a number, the inside of a string. */
struct json_raw {
    uint8_t type; /* enum json_type */
    bool cut;     /* longer than what is kept; the text of an object is of no use then */
    bool hashed;  /* the text is the FNV-1a hash of the string's bytes, a uint64_t in memory */
    uint32_t at;  /* in the text of its record, or of the root */
    uint32_t len;
};

struct json_shape;

/* Where a key comes twice in one object the first one counts, as in cJSON. */
struct json_member {
    const char *key;
    uint8_t key_len; /* at least 1 */
    uint8_t value;   /* its number among the values */
    enum {
        JSON_KEEP,    /* a scalar; of an object or array the type alone */
        JSON_HASHED,  /* a string: the hash of its bytes as they stand in the text */
        JSON_RAW,     /* an object: its whole text, without white space */
        JSON_RECORDS, /* an array: each object in it is a record of the shape `inside` */
    } how;
    const struct json_shape *inside; /* JSON_KEEP: if it is an object, what is wanted of it */
};

struct json_shape {
    const struct json_member *members;
    size_t n_members;
};

struct json_scan;

struct json_scan_options {
    const struct json_shape *shape; /* of the root */
    size_t n_values;                /* of the root first, then those of a record */
    size_t n_root_values;
    bool keep_raw; /* else members that are JSON_RAW are stepped over */
    bool strict;   /* damaged strings are errors */
    /* A record is complete: read it with json_scan_value. -1 ends the scan. */
    int (*on_record)(void *ctx, const struct json_scan *scan, struct err *err);
    void *ctx;
};

/* A container something is wanted of. */
struct json_watched {
    const struct json_shape *shape; /* NULL = an array of records */
    const struct json_shape *record_shape;
    uint64_t keys; /* a bit for each wanted one, see key_bit() */
    size_t next;   /* the member that is likely to come next: objects of a kind look alike */
    uint32_t depth;
    bool is_record;
};

/* Private to json_scan.c, here for its size only. */
struct json_scan {
    struct json_scan_options options;
    uint8_t state;
    uint8_t bom_len;
    bool damaged;
    bool lone; /* as in struct json_string, of any string */
    bool odd;
    bool root_is_object;
    uint64_t consumed; /* bytes before the piece being scanned */
    uint64_t n_entries;

    uint32_t depth;
    bool in_object;                                      /* what the innermost container is */
    uint64_t is_object[(JSON_SCAN_DEPTH_MAX + 63) / 64]; /* by depth - 1 */
    struct json_watched watched[JSON_SCAN_WATCHED_MAX];
    size_t n_watched;
    uint32_t watched_depth; /* of the innermost; UINT32_MAX = none */

    const struct json_member *want; /* the value to come; NULL = step over */
    struct json_raw *keeping;       /* the value that is being read */
    uint32_t raw_depth;             /* of the object kept whole; 0 = none */
    struct json_raw *raw;

    json_skip_fn *skip;
    struct json_string string;
    bool string_is_key;
    size_t string_at; /* in the text of the object kept whole */
    uint8_t number;
    const char *literal; /* what is left of null, true, false */
    size_t key_len;
    bool key_lost; /* too long */
    char key[JSON_SCAN_KEY_MAX];

    struct json_raw *values;
    struct strbuf root_text;
    struct strbuf record_text;
};

/* Options are copied, what they point to is borrowed. -1 when memory is out. */
int json_scan_init(struct json_scan *s, const struct json_scan_options *options,
                   struct err *err) MUST_CHECK;
void json_scan_release(struct json_scan *s);

/* The next bytes. ERR_PARSE with the place in the whole text, or what on_record said. */
int json_scan_feed(struct json_scan *s, const char *bytes, size_t len, struct err *err) MUST_CHECK;

/* No more bytes: ERR_PARSE if the text is not complete. */
int json_scan_finish(struct json_scan *s, struct err *err) MUST_CHECK;

/* The values of the root, after json_scan_finish, or of the record, in on_record. */
const struct json_raw *json_scan_value(const struct json_scan *s, size_t value);
/* Where the text of a value begins; no NUL ends it. Valid until the next feed. */
const char *json_scan_text(const struct json_scan *s, size_t value);

/* After json_scan_finish: whether the text was an object. */
bool json_scan_is_object(const struct json_scan *s);

/* Appends the scalars that were kept of the root as a JSON object. After json_scan_finish. */
void json_scan_print(const struct json_scan *s, const struct json_shape *shape, struct strbuf *out);

/* Elements of arrays of records so far, those that are no objects too. */
uint64_t json_scan_entries(const struct json_scan *s);

#endif
