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

#include "json_number.h"
#include "json_wanted.h"

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
    wanted_keep_raw(s, p, 1);
    s->state = s->in_object ? KEY : VALUE;
    return p + 1;
}

static const char *end_key(struct json_scan *s, const char *p, const char *end)
{
    s->state = COLON;
    if (p == end || *p != ':')
        return p;
    wanted_keep_raw(s, p, 1);
    s->state = VALUE;
    return p + 1;
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
        wanted_keep_raw_string(s, p, len, closed);
    else if (is_watched_key(s))
        wanted_keep_key(s, p, len);
    else if (s->keeping)
        wanted_keep_value(s, p, len, closed);
    if (!closed)
        return stop;
    if (is_watched_key(s) && !s->key_lost)
        wanted_key(s, s->key, s->key_len);
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
        wanted_begin_scalar(s, JSON_STRING);
    if (!s->raw) {
        stop = json_skip_short(inside, end);
        if (stop < end && *stop != '"')
            stop = s->skip(stop, end);
    }
    if (stop < end && *stop == '"' && !s->raw) {
        size_t len = (size_t)(stop - inside);

        if (is_watched_key(s))
            wanted_key(s, inside, len);
        else if (s->keeping)
            wanted_keep_value(s, inside, len, true);
        return is_key ? end_key(s, stop + 1, end) : end_value(s, stop + 1, end);
    }
    if (s->raw) {
        wanted_keep_raw(s, p, 1);
        s->string_at = wanted_text(s, s->raw)->len;
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
    wanted_keep_raw(s, from, (size_t)(p - from));
    if (s->keeping)
        wanted_keep(s, s->keeping, from, (size_t)(p - from));
    if (p == end)
        return p;
    if (!json_number_is_whole(s->number))
        return broken(s, p);
    return end_value(s, p, end);
}

static const char *begin_number(struct json_scan *s, const char *p, const char *end)
{
    wanted_begin_scalar(s, JSON_NUMBER);
    s->number = *p == '-' ? JSON_NUMBER_MINUS : JSON_NUMBER_DIGITS;
    s->state = IN_NUMBER;
    wanted_keep_raw(s, p, 1);
    if (s->keeping)
        wanted_keep(s, s->keeping, p, 1);
    return in_number(s, p + 1, end);
}

static const char *in_literal(struct json_scan *s, const char *p, const char *end)
{
    const char *from = p;

    for (; p < end && *s->literal; p++, s->literal++)
        if (*p != *s->literal)
            return broken(s, p);
    wanted_keep_raw(s, from, (size_t)(p - from));
    return *s->literal ? p : end_value(s, p, end);
}

static const char *begin_literal(struct json_scan *s, const char *p, const char *end,
                                 const char *word, enum json_type type)
{
    wanted_begin_scalar(s, type);
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
    const struct json_watched *w = wanted_around(s);

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
        wanted_begin(s, object ? JSON_OBJECT : JSON_ARRAY);
    } else if (object && s->depth == 1) {
        s->root_is_object = true;
        wanted_watch(s, &(struct json_watched){.shape = s->options.shape});
    } else if (object && w && !w->shape) {
        wanted_begin_record(s);
        wanted_watch(s, &(struct json_watched){.shape = w->record_shape, .is_record = true});
    }
    wanted_keep_raw(s, p, 1);
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
    wanted_keep_raw(s, p, 1);
    if (s->raw && s->depth == s->raw_depth) {
        s->raw->len = (uint32_t)(wanted_text(s, s->raw)->len - s->raw->at);
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
    const struct json_watched *w = wanted_around(s);

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

/* --- the usual --- */

/* So many bytes can be looked at from any place where run() looks at a token. */
enum { RUN_MARGIN = 32 };

/* Behind a usual string that ends before end; NULL for any other one. */
static inline const char *run_string(const struct json_scan *s, const char *inside, const char *end)
{
    const char *stop = json_skip_short(inside, end);

    if (stop == inside + RUN_MARGIN / 2)
        stop = json_skip_short(stop, end);
    if (stop == end || *stop != '"') {
        stop = s->skip(stop, end);
        if (stop == end || *stop != '"')
            return NULL;
    }
    return stop + 1;
}

static inline const char *run_digits(const char *p, const char *end)
{
    do
        p++;
    while (p < end && json_number_is_digit(*p));
    return p < end && !json_number_has(*p) ? p : NULL;
}

/* Behind a usual scalar of which nothing is wanted; NULL for a container or what is not usual. */
static inline const char *run_scalar(const struct json_scan *s, const char *p, const char *end)
{
    switch (*p) {
    case '"':
        return run_string(s, p + 1, end);
    case 't':
        return memcmp(p, "true", 4) == 0 ? p + 4 : NULL;
    case 'f':
        return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
    case 'n':
        return memcmp(p, "null", 4) == 0 ? p + 4 : NULL;
    default:
        return json_number_is_digit(*p) ? run_digits(p, end) : NULL;
    }
}

/* A usual scalar from p to behind that is wanted. False if it is not to be kept as it is. */
static inline bool run_wanted(struct json_scan *s, const char *p, const char *behind)
{
    static const uint8_t types[256] = {
        ['"'] = JSON_STRING, ['t'] = JSON_TRUE, ['f'] = JSON_FALSE, ['n'] = JSON_NULL};
    struct json_raw *value = &s->values[s->want->value];
    uint8_t type = types[(unsigned char)*p] ? types[(unsigned char)*p] : (uint8_t)JSON_NUMBER;
    size_t len = (size_t)(behind - p);

    if (type == JSON_STRING) {
        p++;
        len -= 2;
    } else if (type != JSON_NUMBER) {
        len = 0;
    }
    if (len > JSON_SCAN_STRING_MAX || s->want->how == JSON_HASHED)
        return false;
    struct strbuf *text = wanted_text(s, value);
    *value = (struct json_raw){.type = type, .at = (uint32_t)text->len, .len = (uint32_t)len};
    strbuf_add(text, p, len);
    s->want = NULL;
    return true;
}

/*
 * The tokens that most of a text consists of, in the fewest steps. Whatever is unusual or wrong,
 * and the last bytes of a piece, are left to next(), with the state that it needs. The cases fall
 * through from a key to the comma behind its value.
 */
static const char *run(struct json_scan *s, const char *p, const char *end)
{
    const char *behind;

    while (end - p > RUN_MARGIN) {
        switch (s->state) {
        case KEY:
        case KEY_OR_END:
            behind = *p == '"' ? run_string(s, p + 1, end) : NULL;
            if (!behind || behind == end || *behind != ':')
                return p;
            if (s->depth == s->watched_depth)
                wanted_key(s, p + 1, (size_t)(behind - p) - 2);
            p = behind + 1;
            s->state = VALUE;
            if (end - p <= RUN_MARGIN)
                return p;
            /* fall through */
        case VALUE:
        case VALUE_OR_END:
            if (!s->in_object && (s->depth == s->watched_depth || s->depth == 0))
                return p; /* an element of an array of records, or the root */
            if (*p == '{' || *p == '[') {
                p = begin_container(s, p);
                if (s->raw)
                    return p;
                break;
            }
            behind = run_scalar(s, p, end);
            if (!behind || (s->want && !run_wanted(s, p, behind)))
                return p;
            p = behind;
            s->state = COMMA_OR_END;
            if (p == end)
                return p;
            /* fall through */
        case COMMA_OR_END:
            if (*p == ',') {
                s->state = s->in_object ? KEY : VALUE;
            } else {
                if (s->depth == s->watched_depth || s->depth == 1 ||
                    *p != (s->in_object ? '}' : ']'))
                    return p;
                s->depth--;
                note_top(s);
            }
            p++;
            break;
        default:
            return p;
        }
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
        if (!s->raw)
            p = run(s, p, end);
        if (p < end && s->state != BROKEN)
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
