/*
 * One state per kind of token that may come next; a piece may end anywhere. Two things ride along:
 *
 *   - The watched containers, from the root down to the innermost one something is wanted of. Keys
 *     are looked at in that one alone; whatever lies deeper is stepped over.
 *   - `keeping`, the value whose bytes are being kept.
 *
 * The grammar is cJSON's and not RFC 8259's: any byte up to the blank is white space, numbers are
 * what strtod() takes among the characters of JSON numbers ("01", "1.", "-.5").
 */
#include "json_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_number.h"

enum state {
    BEFORE_ROOT, /* perhaps a byte order mark */
    VALUE,
    VALUE_OR_END, /* behind '[' */
    KEY,
    KEY_OR_END, /* behind '{' */
    COLON,
    COMMA_OR_END,
    IN_STRING,
    IN_NUMBER,
    IN_LITERAL,
    DONE,
    BROKEN,
};

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";
enum { BYTE_ORDER_MARK_LEN = 3, BOM_TEXT_MIN = 5 /* cJSON skips none in shorter texts */ };

/* --- life --- */

int json_scan_init(struct json_scan *s, const struct json_scan_options *options, struct err *err)
{
    *s = (struct json_scan){
        .options = *options,
        .state = BEFORE_ROOT,
        .watched_depth = UINT32_MAX,
        .skip = json_skip_best(),
        .root_text = STRBUF_LIMIT(JSON_SCAN_TEXT_MAX),
        .record_text = STRBUF_LIMIT(JSON_SCAN_TEXT_MAX),
    };
    s->values = calloc(options->n_values, sizeof(*s->values));
    return s->values ? 0 : err_nomem(err, "JSON values");
}

void json_scan_release(struct json_scan *s)
{
    strbuf_release(&s->root_text);
    strbuf_release(&s->record_text);
    free(s->values);
    s->values = NULL;
}

/* --- what is kept --- */

static struct strbuf *text_of(struct json_scan *s, const struct json_raw *value)
{
    return value < s->values + s->options.n_root_values ? &s->root_text : &s->record_text;
}

static void keep(struct json_scan *s, struct json_raw *value, const char *bytes, size_t len)
{
    if (len > JSON_SCAN_STRING_MAX - value->len) {
        len = JSON_SCAN_STRING_MAX - value->len;
        value->cut = true;
    }
    strbuf_add(text_of(s, value), bytes, len);
    value->len += (uint32_t)len;
}

static void keep_raw(struct json_scan *s, const char *bytes, size_t len)
{
    if (s->raw)
        strbuf_add(text_of(s, s->raw), bytes, len);
}

/* A scalar begins: what of it is to be kept, and where. */
static void begin_scalar(struct json_scan *s, enum json_type type)
{
    const struct json_member *m = s->want;

    s->want = NULL;
    s->keeping = NULL;
    if (!m)
        return;
    struct json_raw *value = &s->values[m->value];
    *value = (struct json_raw){.type = (uint8_t)type, .at = (uint32_t)text_of(s, value)->len};
    s->keeping = value;
}

/* Tells most keys that are not wanted from those that are. */
static uint64_t key_bit(const char *key, size_t len)
{
    return UINT64_C(1) << ((len + 5 * (unsigned char)key[0]) % 64);
}

static void watch(struct json_scan *s, const struct json_watched *w)
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

static void begin_record(struct json_scan *s)
{
    size_t n_root = s->options.n_root_values;

    memset(s->values + n_root, 0, (s->options.n_values - n_root) * sizeof(*s->values));
    strbuf_reset(&s->record_text);
}

/* An object or array begins, s->depth counts it already. */
static void begin_wanted(struct json_scan *s, enum json_type type)
{
    const struct json_member *m = s->want;
    struct json_raw *value = &s->values[m->value];

    s->want = NULL;
    *value = (struct json_raw){.type = (uint8_t)type, .at = (uint32_t)text_of(s, value)->len};
    if (m->how == JSON_RAW && type == JSON_OBJECT) {
        s->raw = value;
        s->raw_depth = s->depth;
    } else if (m->how == JSON_RECORDS && type == JSON_ARRAY) {
        watch(s, &(struct json_watched){.record_shape = m->inside});
    } else if (m->how == JSON_KEEP && type == JSON_OBJECT && m->inside) {
        watch(s, &(struct json_watched){.shape = m->inside});
    }
}

/* The innermost watched container, if the value to come lies in it directly; else NULL. */
static const struct json_watched *around(const struct json_scan *s)
{
    return s->depth == s->watched_depth ? &s->watched[s->n_watched - 1] : NULL;
}

/* --- keys --- */

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
        if (m->key_len != len || memcmp(m->key, key, len) != 0)
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
static void find_member(struct json_scan *s, const char *key, size_t len)
{
    if (match_key(s, key, len) || len > JSON_SCAN_KEY_MAX)
        return;
    if (memchr(key, '\\', len) || memchr(key, '\0', len))
        match_unusual_key(s, key, len);
}

static void keep_key(struct json_scan *s, const char *bytes, size_t len)
{
    if (len > sizeof(s->key) - s->key_len) {
        s->key_lost = true;
        return;
    }
    memcpy(s->key + s->key_len, bytes, len);
    s->key_len += len;
}

/* --- tokens --- */

static const char *broken(struct json_scan *s, const char *p)
{
    s->state = BROKEN;
    return p;
}

/* A value ended before p. What nearly always comes next is taken at once. */
static const char *end_value(struct json_scan *s, const char *p, const char *end)
{
    s->keeping = NULL;
    if (s->depth == 0) {
        s->state = DONE;
        return p;
    }
    s->state = COMMA_OR_END;
    if (p == end || *p != ',')
        return p;
    keep_raw(s, p, 1);
    s->state = s->in_object ? KEY : VALUE;
    return p + 1;
}

static const char *end_key(struct json_scan *s, const char *p, const char *end)
{
    s->state = COLON;
    if (p == end || *p != ':')
        return p;
    keep_raw(s, p, 1);
    s->state = VALUE;
    return p + 1;
}

/* The inside of a string of the object kept whole; the end of a long one is left out. */
static void keep_raw_string(struct json_scan *s, const char *bytes, size_t len, bool closed)
{
    struct strbuf *text = text_of(s, s->raw);
    size_t have = text->len - s->string_at;
    size_t room = have < JSON_SCAN_STRING_MAX ? JSON_SCAN_STRING_MAX - have : 0;

    if (!strbuf_ok(text))
        return;
    strbuf_add(text, bytes, len < room ? len : room);
    if (!closed || !strbuf_ok(text))
        return;
    if (text->len - s->string_at == JSON_SCAN_STRING_MAX)
        text->len = s->string_at + json_string_trim(text->ptr + s->string_at, JSON_SCAN_STRING_MAX);
    strbuf_addc(text, '"');
}

/* Some of the inside of a string that is wanted as a value. */
static void keep_value(struct json_scan *s, const char *bytes, size_t len, bool closed)
{
    const struct strbuf *text = text_of(s, s->keeping);

    keep(s, s->keeping, bytes, len);
    if (closed && s->keeping->cut && strbuf_ok(text))
        s->keeping->len = (uint32_t)json_string_trim(text->ptr + s->keeping->at, s->keeping->len);
}

static bool is_watched_key(const struct json_scan *s)
{
    return s->string_is_key && s->depth == s->watched_depth;
}

/* json_parse() mends no half surrogates in a text with odd escapes: it cannot tell them apart. */
static bool is_bearable(struct json_scan *s)
{
    s->damaged = s->damaged || s->string.damaged;
    s->lone = s->lone || s->string.lone;
    s->odd = s->odd || s->string.odd;
    return !(s->lone && s->odd) && !(s->damaged && s->options.strict);
}

static const char *in_string(struct json_scan *s, const char *p, const char *end)
{
    enum json_string_end how;
    const char *stop = json_string_feed(&s->string, p, end, &how);
    bool closed = how == JSON_STRING_CLOSED;
    size_t len = (size_t)(stop - p) - closed;

    if (how == JSON_STRING_BROKEN || !is_bearable(s))
        return broken(s, stop);
    if (s->raw)
        keep_raw_string(s, p, len, closed);
    else if (is_watched_key(s))
        keep_key(s, p, len);
    else if (s->keeping)
        keep_value(s, p, len, closed);
    if (!closed)
        return stop;
    if (is_watched_key(s) && !s->key_lost)
        find_member(s, s->key, s->key_len);
    return s->string_is_key ? end_key(s, stop, end) : end_value(s, stop, end);
}

/*
 * A string that lies whole in this piece, and of which nothing is unusual, is done with here; of
 * any other one as much is passed over as need not be kept.
 */
static const char *begin_string(struct json_scan *s, const char *p, const char *end, bool is_key)
{
    const char *inside = p + 1;
    const char *stop = inside;

    s->string_is_key = is_key;
    if (!is_key)
        begin_scalar(s, JSON_STRING);
    if (!s->raw) {
        stop = json_skip_short(inside, end);
        if (stop < end && *stop != '"')
            stop = s->skip(stop, end);
    }
    if (stop < end && *stop == '"' && !s->raw) {
        size_t len = (size_t)(stop - inside);

        if (is_watched_key(s))
            find_member(s, inside, len);
        else if (s->keeping)
            keep_value(s, inside, len, true);
        return is_key ? end_key(s, stop + 1, end) : end_value(s, stop + 1, end);
    }
    if (s->raw) {
        keep_raw(s, p, 1);
        s->string_at = text_of(s, s->raw)->len;
    }
    s->key_len = 0;
    s->key_lost = false;
    json_string_begin(&s->string, s->skip);
    s->state = IN_STRING;
    return is_watched_key(s) || s->keeping ? inside : stop;
}

static const char *in_number(struct json_scan *s, const char *p, const char *end)
{
    const char *from = p;

    for (; p < end && json_number_has(*p); p++) {
        s->number = (uint8_t)json_number_step(s->number, *p);
        if (s->number == JSON_NUMBER_BROKEN)
            return broken(s, p);
        /* In these states digits change nothing. */
        while (json_number_is_whole(s->number) && end - p >= 2 && json_number_is_digit(p[1]))
            p++;
    }
    keep_raw(s, from, (size_t)(p - from));
    if (s->keeping)
        keep(s, s->keeping, from, (size_t)(p - from));
    if (p == end)
        return p;
    if (!json_number_is_whole(s->number))
        return broken(s, p);
    return end_value(s, p, end);
}

static const char *begin_number(struct json_scan *s, const char *p, const char *end)
{
    begin_scalar(s, JSON_NUMBER);
    s->number = *p == '-' ? JSON_NUMBER_MINUS : JSON_NUMBER_DIGITS;
    s->state = IN_NUMBER;
    keep_raw(s, p, 1);
    if (s->keeping)
        keep(s, s->keeping, p, 1);
    return in_number(s, p + 1, end);
}

static const char *in_literal(struct json_scan *s, const char *p, const char *end)
{
    const char *from = p;

    for (; p < end && *s->literal; p++, s->literal++)
        if (*p != *s->literal)
            return broken(s, p);
    keep_raw(s, from, (size_t)(p - from));
    return *s->literal ? p : end_value(s, p, end);
}

static const char *begin_literal(struct json_scan *s, const char *p, const char *end,
                                 const char *word, enum json_type type)
{
    begin_scalar(s, type);
    s->literal = word;
    s->state = IN_LITERAL;
    return in_literal(s, p, end);
}

/* --- objects and arrays --- */

static void note_top(struct json_scan *s)
{
    uint32_t at = s->depth - 1;

    s->in_object = s->depth > 0 && (s->is_object[at / 64] >> (at % 64) & 1);
}

static const char *begin_container(struct json_scan *s, const char *p)
{
    const bool object = *p == '{';
    const uint64_t bit = UINT64_C(1) << (s->depth % 64);
    const struct json_watched *w = around(s);

    if (s->depth == JSON_SCAN_DEPTH_MAX)
        return broken(s, p);
    if (object)
        s->is_object[s->depth / 64] |= bit;
    else
        s->is_object[s->depth / 64] &= ~bit;
    s->depth++;
    s->in_object = object;
    s->state = object ? KEY_OR_END : VALUE_OR_END;
    if (s->want) {
        begin_wanted(s, object ? JSON_OBJECT : JSON_ARRAY);
    } else if (object && s->depth == 1) {
        s->root_is_object = true;
        watch(s, &(struct json_watched){.shape = s->options.shape});
    } else if (object && w && !w->shape) {
        begin_record(s);
        watch(s, &(struct json_watched){.shape = w->record_shape, .is_record = true});
    }
    keep_raw(s, p, 1);
    return p + 1;
}

/* The container that ends was a watched one. False if the record was not wanted after all. */
static bool end_watched(struct json_scan *s, struct err *err)
{
    bool is_record = s->watched[--s->n_watched].is_record;

    s->watched_depth = s->n_watched > 0 ? s->watched[s->n_watched - 1].depth : UINT32_MAX;
    if (!is_record)
        return true;
    if (!strbuf_ok(&s->record_text)) {
        if (s->record_text.over_limit)
            err_set(err, ERR_LIMIT, "the labels of one object are larger than %d bytes",
                    (int)JSON_SCAN_TEXT_MAX);
        else
            err_nomem(err, "JSON values");
        return false;
    }
    return s->options.on_record(s->options.ctx, s, err) == 0;
}

static const char *end_container(struct json_scan *s, const char *p, const char *end,
                                 struct err *err)
{
    if (*p != (s->in_object ? '}' : ']'))
        return broken(s, p);
    keep_raw(s, p, 1);
    if (s->raw && s->depth == s->raw_depth) {
        s->raw->len = (uint32_t)(text_of(s, s->raw)->len - s->raw->at);
        s->raw = NULL;
    }
    if (s->depth == s->watched_depth && !end_watched(s, err))
        return broken(s, p);
    s->depth--;
    note_top(s);
    return end_value(s, p + 1, end);
}

static const char *begin_value(struct json_scan *s, const char *p, const char *end)
{
    const struct json_watched *w = around(s);

    if (w && !w->shape)
        s->n_entries++;
    switch (*p) {
    case '"':
        return begin_string(s, p, end, false);
    case '{':
    case '[':
        return begin_container(s, p);
    case 'n':
        return begin_literal(s, p, end, "null", JSON_NULL);
    case 't':
        return begin_literal(s, p, end, "true", JSON_TRUE);
    case 'f':
        return begin_literal(s, p, end, "false", JSON_FALSE);
    default:
        return *p == '-' || json_number_is_digit(*p) ? begin_number(s, p, end) : broken(s, p);
    }
}

/* --- any token --- */

/* Takes a byte of a byte order mark, or none: then the root begins there. */
static const char *before_root(struct json_scan *s, const char *p)
{
    if (*p == BYTE_ORDER_MARK[s->bom_len]) {
        if (++s->bom_len == BYTE_ORDER_MARK_LEN)
            s->state = VALUE;
        return p + 1;
    }
    if (s->bom_len > 0)
        return broken(s, p);
    s->state = VALUE;
    return p;
}

/* One byte between tokens, no white space. */
static const char *between(struct json_scan *s, const char *p, const char *end, struct err *err)
{
    switch (s->state) {
    case VALUE_OR_END:
        if (*p == ']')
            return end_container(s, p, end, err);
        return begin_value(s, p, end);
    case VALUE:
        return begin_value(s, p, end);
    case KEY_OR_END:
        if (*p == '}')
            return end_container(s, p, end, err);
        return *p == '"' ? begin_string(s, p, end, true) : broken(s, p);
    case KEY:
        return *p == '"' ? begin_string(s, p, end, true) : broken(s, p);
    case COLON:
        return *p == ':' ? end_key(s, p, end) : broken(s, p);
    case COMMA_OR_END:
        return *p == ',' ? end_value(s, p, end) : end_container(s, p, end, err);
    default:
        return broken(s, p);
    }
}

/* --- what nobody wants --- */

/* The closing quote of a usual string that lies whole before end, or NULL. */
static const char *skim_string(const struct json_scan *s, const char *inside, const char *end)
{
    const char *stop = json_skip_short(inside, end);

    if (stop < end && *stop != '"')
        stop = s->skip(stop, end);
    return stop < end && *stop == '"' ? stop : NULL;
}

/* Where digits end before end, or NULL. */
static const char *skim_digits(const char *p, const char *end)
{
    while (p < end && json_number_is_digit(*p))
        p++;
    return p < end && !json_number_has(*p) ? p : NULL;
}

/* Behind a string or a plain integer at p, or NULL: another token, or one cut by end. */
static const char *skim_scalar(const struct json_scan *s, const char *p, const char *end)
{
    if (*p != '"')
        return json_number_is_digit(*p) ? skim_digits(p, end) : NULL;
    const char *quote = skim_string(s, p + 1, end);
    return quote ? quote + 1 : NULL;
}

/*
 * The usual tokens of containers of which nothing is wanted, in the fewest steps. Whatever is not
 * usual, wrong or right, is left to next(), with the state that it needs.
 */
static const char *skim(struct json_scan *s, const char *p, const char *end)
{
    while (p < end && s->depth > s->watched_depth) {
        const char *behind = p + 1;

        if ((unsigned char)*p <= ' ') {
            p = behind;
            continue;
        }
        switch (s->state) {
        case KEY:
        case KEY_OR_END:
            behind = *p == '"' ? skim_scalar(s, p, end) : NULL;
            if (!behind || behind == end || *behind != ':')
                return p;
            behind++;
            s->state = VALUE;
            break;
        case VALUE:
        case VALUE_OR_END:
            behind = skim_scalar(s, p, end);
            if (!behind)
                return p;
            s->state = COMMA_OR_END;
            break;
        case COMMA_OR_END:
            if (*p != ',')
                return p;
            s->state = s->in_object ? KEY : VALUE;
            break;
        default:
            return p;
        }
        p = behind;
    }
    return p;
}

/* --- the whole --- */

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *next(struct json_scan *s, const char *p, const char *end, struct err *err)
{
    switch (s->state) {
    case IN_STRING:
        return in_string(s, p, end);
    case IN_NUMBER:
        return in_number(s, p, end);
    case IN_LITERAL:
        return in_literal(s, p, end);
    case BEFORE_ROOT:
        return before_root(s, p);
    case DONE:
        return is_json_space(*p) ? p + 1 : broken(s, p);
    default:
        return (unsigned char)*p <= ' ' ? p + 1 : between(s, p, end, err);
    }
}

int json_scan_feed(struct json_scan *s, const char *bytes, size_t len, struct err *err)
{
    struct err failure = {.kind = ERR_NONE};
    const char *p = bytes;
    const char *end = bytes + len;
    bool done = false;

    while (p < end && s->state != BROKEN) {
        done = s->state == DONE;
        if (s->depth > s->watched_depth && !s->raw)
            p = skim(s, p, end);
        if (p < end)
            p = next(s, p, end, &failure);
    }
    s->consumed += (uint64_t)(p - bytes);
    if (s->state != BROKEN)
        return 0;
    if (failure.kind == ERR_NONE)
        return err_set(err, ERR_PARSE, "not JSON%s at byte %llu",
                       done ? ": text behind the end," : "", (unsigned long long)s->consumed);
    if (err)
        *err = failure;
    return -1;
}

int json_scan_finish(struct json_scan *s, struct err *err)
{
    if (s->consumed == 0)
        return err_set(err, ERR_PARSE, "not JSON: the text is empty");
    if (s->state == IN_NUMBER && s->depth == 0 && json_number_is_whole(s->number))
        s->state = DONE;
    if (s->state != DONE || (s->bom_len > 0 && s->consumed < BOM_TEXT_MIN))
        return err_set(err, ERR_PARSE, "not JSON: the text breaks off at byte %llu",
                       (unsigned long long)s->consumed);
    return strbuf_ok(&s->root_text) ? 0 : err_nomem(err, "JSON values");
}
