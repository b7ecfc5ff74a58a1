/*
 * The half of a scan that knows what is wanted: it is told of containers and keys, sets s->want for
 * the value to come, and keeps bytes of what is being read. Private to json_scan.c, whose thread it
 * runs on. Nothing here fails at once: text that cannot be kept marks its buffer.
 */
#ifndef JSON_WANTED_H
#define JSON_WANTED_H

#include "json_scan.h"

/* The buffer a value is kept in. */
static inline struct strbuf *wanted_text(struct json_scan *s, const struct json_raw *value)
{
    return value < s->values + s->options.n_root_values ? &s->root_text : &s->record_text;
}

/* For the text of the object kept whole, if there is one. */
static inline void wanted_keep_raw(struct json_scan *s, const char *bytes, size_t len)
{
    struct strbuf *text = s->raw ? wanted_text(s, s->raw) : NULL;

    if (!text || s->raw->cut)
        return;
    s->raw->cut = len > JSON_SCAN_RAW_MAX - (text->len - s->raw->at);
    if (!s->raw->cut)
        strbuf_add(text, bytes, len);
}

/* The innermost watched container, if the value to come lies in it directly; else NULL. */
static inline const struct json_watched *wanted_around(const struct json_scan *s)
{
    return s->depth == s->watched_depth ? &s->watched[s->n_watched - 1] : NULL;
}

/* The innermost watched container is the one that has just begun: depth counts it already. */
void wanted_watch(struct json_scan *s, const struct json_watched *w);
void wanted_begin_record(struct json_scan *s);

/* A key of the innermost watched object, as it stands in the text, whole. */
void wanted_key(struct json_scan *s, const char *key, size_t len);
/* Part of a key that does not arrive in one piece. */
void wanted_keep_key(struct json_scan *s, const char *bytes, size_t len);

/* The value to come, wanted or not, is a scalar; s->keeping is where it is kept, NULL if it is not.
 */
void wanted_begin_scalar(struct json_scan *s, enum json_type type);
/* The wanted value to come is a container. */
void wanted_begin(struct json_scan *s, enum json_type type);

/* Some bytes of a number. */
void wanted_keep(struct json_scan *s, struct json_raw *value, const char *bytes, size_t len);
/* Some of the inside of a string that is wanted as a value; closed = its last bytes. */
void wanted_keep_value(struct json_scan *s, const char *bytes, size_t len, bool closed);
/* The same for a string in the object kept whole. */
void wanted_keep_raw_string(struct json_scan *s, const char *bytes, size_t len, bool closed);

#endif
