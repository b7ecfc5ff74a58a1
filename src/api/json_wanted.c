/*
 * Which values of a text are wanted, and the memory they are kept in. The grammar of the text is
 * json_scan.c's.
 */
#include "json_wanted.h"

#include <assert.h>
#include <string.h>

#include "api/json.h"
#include "base/hash.h"

/* The hash goes on over some bytes of the string; how they were cut does not matter. */
static void wanted_hash(struct json_scan *s, const struct json_raw *value, const char *bytes,
                        size_t len)
{
    struct strbuf *text = wanted_text(s, value);
    uint64_t hash;

    if (!strbuf_ok(text))
        return;
    memcpy(&hash, text->ptr + value->at, sizeof(hash));
    for (size_t i = 0; i < len; i++)
        hash = hash_fnv1a_byte(hash, (unsigned char)bytes[i]);
    memcpy(text->ptr + value->at, &hash, sizeof(hash));
}

void wanted_keep(struct json_scan *s, struct json_raw *value, const char *bytes, size_t len)
{
    if (len > JSON_SCAN_STRING_MAX - value->len) {
        len = JSON_SCAN_STRING_MAX - value->len;
        value->cut = true;
    }
    strbuf_add(wanted_text(s, value), bytes, len);
    value->len += (uint32_t)len;
}

/* A scalar begins: what of it is to be kept, and where. */
void wanted_begin_scalar(struct json_scan *s, enum json_type type)
{
    const struct json_member *m = s->want;

    s->want = NULL;
    s->keeping = NULL;
    if (!m)
        return;
    struct json_raw *value = &s->values[m->value];
    *value = (struct json_raw){.type = (uint8_t)type, .at = (uint32_t)wanted_text(s, value)->len};
    s->keeping = value;
    if (m->how == JSON_HASHED && type == JSON_STRING) {
        const uint64_t start = HASH_FNV1A_START;
        value->hashed = true;
        value->len = sizeof(start);
        strbuf_add(wanted_text(s, value), &start, sizeof(start));
    }
}

/* Tells most keys that are not wanted from those that are. */
static uint64_t key_bit(const char *key, size_t len)
{
    return UINT64_C(1) << ((len + 5 * (unsigned char)key[0]) % 64);
}

void wanted_watch(struct json_scan *s, const struct json_watched *w)
{
    struct json_watched *added = &s->watched[s->n_watched];

    assert(s->n_watched < JSON_SCAN_WATCHED_MAX);
    *added = *w;
    added->depth = s->depth;
    for (size_t i = 0; w->shape && i < w->shape->n_members; i++)
        added->keys |= key_bit(w->shape->members[i].key, w->shape->members[i].key_len);
    s->n_watched++;
    s->watched_depth = s->depth;
}

void wanted_begin_record(struct json_scan *s)
{
    size_t n_root = s->options.n_root_values;

    memset(s->values + n_root, 0, (s->options.n_values - n_root) * sizeof(*s->values));
    strbuf_reset(&s->record_text);
}

/* An object or array begins, s->depth counts it already. */
void wanted_begin(struct json_scan *s, enum json_type type)
{
    const struct json_member *m = s->want;
    struct json_raw *value = &s->values[m->value];

    s->want = NULL;
    *value = (struct json_raw){.type = (uint8_t)type, .at = (uint32_t)wanted_text(s, value)->len};
    if (m->how == JSON_RAW && type == JSON_OBJECT) {
        s->raw = value;
        s->raw_depth = s->depth;
    } else if (m->how == JSON_RECORDS && type == JSON_ARRAY) {
        wanted_watch(s, &(struct json_watched){.record_shape = m->inside});
    } else if (m->how == JSON_KEEP && type == JSON_OBJECT && m->inside) {
        wanted_watch(s, &(struct json_watched){.shape = m->inside});
    }
}

/* --- keys --- */

/* As memcmp() == 0, without a call: keys are compared for nearly every member of a text. */
static inline bool equal(const char *a, const char *b, size_t len)
{
    uint64_t x, y;

    if (len < sizeof(x) || len > 2 * sizeof(x))
        return memcmp(a, b, len) == 0;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    if (x != y)
        return false;
    memcpy(&x, a + len - sizeof(x), sizeof(x));
    memcpy(&y, b + len - sizeof(y), sizeof(y));
    return x == y;
}

/* False if the shape has no such key. */
static bool match_key(struct json_scan *s, const char *key, size_t len)
{
    struct json_watched *w = &s->watched[s->n_watched - 1];
    size_t i = w->next;

    if (len == 0 || !(w->keys & key_bit(key, len)))
        return false;
    for (size_t n = w->shape->n_members; n > 0; n--, i++) {
        if (i >= w->shape->n_members)
            i = 0;
        const struct json_member *m = &w->shape->members[i];
        if (m->key_len != len || !equal(m->key, key, len))
            continue;
        w->next = i + 1;
        if (s->values[m->value].type == JSON_ABSENT && (m->how != JSON_RAW || s->options.keep_raw))
            s->want = m;
        return true;
    }
    return false;
}

/*
 * cJSON knows what the escapes in a key mean. A key that needs more memory than there is matches
 * nothing: the value is then missing, as any may be.
 */
static void match_unusual_key(struct json_scan *s, const char *key, size_t len)
{
    char text[JSON_SCAN_KEY_MAX + 2];
    CLEANUP(json_freep) json_value *root = NULL;

    text[0] = '"';
    memcpy(text + 1, key, len);
    text[len + 1] = '"';
    if (json_parse(text, len + 2, 16 * JSON_SCAN_KEY_MAX, &root, NULL) == 0)
        (void)match_key(s, json_string(root), strlen(json_string(root)));
}

/* A key of the innermost watched object, as it stands in the text. */
void wanted_key(struct json_scan *s, const char *key, size_t len)
{
    if (match_key(s, key, len) || len > JSON_SCAN_KEY_MAX)
        return;
    if (memchr(key, '\\', len) || memchr(key, '\0', len))
        match_unusual_key(s, key, len);
}

void wanted_keep_key(struct json_scan *s, const char *bytes, size_t len)
{
    if (len > sizeof(s->key) - s->key_len) {
        s->key_lost = true;
        return;
    }
    memcpy(s->key + s->key_len, bytes, len);
    s->key_len += len;
}

/* How much of a string that was cut can be read. With odd escapes that is anybody's guess. */
static size_t sound_len(const struct json_scan *s, const char *text, size_t len)
{
    return s->string.odd ? 0 : json_string_trim(text, len);
}

/* The inside of a string of the object kept whole; the end of a long one is left out. */
void wanted_keep_raw_string(struct json_scan *s, const char *bytes, size_t len, bool closed)
{
    struct strbuf *text = wanted_text(s, s->raw);
    size_t have = text->len - s->string_at;
    size_t room = have < JSON_SCAN_STRING_MAX ? JSON_SCAN_STRING_MAX - have : 0;

    wanted_keep_raw(s, bytes, len < room ? len : room);
    if (!closed || s->raw->cut || !strbuf_ok(text))
        return;
    have = text->len - s->string_at;
    if (have == JSON_SCAN_STRING_MAX)
        text->len = s->string_at + sound_len(s, text->ptr + s->string_at, have);
    wanted_keep_raw(s, "\"", 1);
}

/* Some of the inside of a string that is wanted as a value. */
void wanted_keep_value(struct json_scan *s, const char *bytes, size_t len, bool closed)
{
    const struct strbuf *text = wanted_text(s, s->keeping);

    if (s->keeping->hashed) {
        wanted_hash(s, s->keeping, bytes, len);
        return;
    }
    wanted_keep(s, s->keeping, bytes, len);
    if (closed && s->keeping->cut && strbuf_ok(text))
        s->keeping->len = (uint32_t)sound_len(s, text->ptr + s->keeping->at, s->keeping->len);
}
