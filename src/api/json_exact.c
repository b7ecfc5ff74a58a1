/*
 * JSON that will be sent back as it came.
 *
 * A draft that is read, changed in one place and written again must not change anywhere else, and
 * a tree of cJSON forgets: a number is a double, a string ends at its first NUL, a second member
 * of the same name cannot be reached. So the text is walked once more beside the finished tree,
 * token by token, and what would not survive is refused. A number that is written otherwise than
 * json_print would (1.0, 1E3) keeps its spelling: in the node's valuestring, which cJSON leaves
 * NULL for numbers, copies with the node and frees with it.
 */
#include "api/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/utf8.h"
#include "json_number.h"
#include "json_skip.h"
#include "json_string.h"

/* What the heap takes for a number's spelling at least. */
enum { SPELLING_COST = 32 };

/* 2^53: every integer up to it is a double of its own. */
#define INTEGER_EXACT_MAX ((double)(INT64_C(1) << 53))

struct key_place {
    const char *key;
    size_t at;
};

struct walk {
    const char *text;
    size_t len;
    size_t at;
    size_t budget;          /* for spellings */
    struct key_place *keys; /* of the objects that are open, the innermost last */
    size_t n_keys;
    size_t cap_keys;
};

static int refuse(const struct walk *w, size_t at, const char *what, struct err *err)
{
    return err_set(err, ERR_PARSE, "%s, at byte %zu of %zu", what, at, w->len);
}

/* --- numbers --- */

/* Digits without zeros at either end, a point perhaps among them, and the first one's power of 10.
 */
struct decimal {
    const char *first;
    const char *end;
    int64_t exponent;
};

static int64_t read_exponent(const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    int64_t n = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++) {
        if (n < INT64_MAX / 100)
            n = n * 10 + (*p - '0');
    }
    return negative ? -n : n;
}

static struct decimal decimal_read(const char *s, size_t len)
{
    const char *text_end = s + len;
    const char *end = s;

    while (end < text_end && *end != 'e' && *end != 'E')
        end++;
    int64_t exponent = end < text_end ? read_exponent(end + 1, text_end) : 0;
    const char *point = memchr(s, '.', (size_t)(end - s));
    if (!point)
        point = end;
    while (s < end && (*s == '-' || *s == '0' || *s == '.'))
        s++;
    while (end > s && (end[-1] == '0' || end[-1] == '.'))
        end--;
    return (struct decimal){
        .first = s,
        .end = end,
        .exponent = s == end ? 0 : exponent + (point - s) - (s < point ? 1 : 0),
    };
}

static bool decimal_equal(struct decimal a, struct decimal b)
{
    if (a.exponent != b.exponent)
        return false;
    for (;;) {
        a.first += a.first < a.end && *a.first == '.';
        b.first += b.first < b.end && *b.first == '.';
        if (a.first == a.end || b.first == b.end)
            return a.first == a.end && b.first == b.end;
        if (*a.first++ != *b.first++)
            return false;
    }
}

/* cJSON takes "01", "1." and "-.5", too. */
static bool is_json_number(const char *s, size_t len)
{
    const char *end = s + len;
    enum json_number state = JSON_NUMBER_DIGITS;
    const char *p = s + (*s == '-');

    if (p == end || !json_number_is_digit(*p))
        return false;
    if (*p == '0' && p + 1 < end && json_number_is_digit(p[1]))
        return false;
    for (p++; p < end; p++) {
        if (*p == '.' && (p + 1 == end || !json_number_is_digit(p[1])))
            return false;
        state = json_number_step(state, *p);
    }
    return json_number_is_whole(state);
}

static int keep_spelling(struct walk *w, json_value *v, const char *s, size_t len, struct err *err)
{
    if (w->budget < len + SPELLING_COST)
        return err_set(err, ERR_LIMIT, "the numbers of a JSON text need too much memory");
    w->budget -= len + SPELLING_COST;
    v->valuestring = cJSON_malloc(len + 1);
    if (!v->valuestring)
        return err_nomem(err, "JSON number");
    memcpy(v->valuestring, s, len);
    v->valuestring[len] = '\0';
    return 0;
}

static int walk_number(struct walk *w, json_value *v, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf printed = STRBUF_INIT;
    const char *s = w->text + w->at;
    size_t at = w->at;
    double d = v->valuedouble;

    while (w->at < w->len && json_number_has(w->text[w->at]))
        w->at++;
    size_t len = w->at - at;
    if (!is_json_number(s, len))
        return refuse(w, at, "not a JSON number", err);
    if (!isfinite(d))
        return refuse(w, at, "a number too large to be kept", err);
    if (signbit(d) && d == 0) /* nobody knows what a reader makes of it */
        return refuse(w, at, "a negative zero", err);
    strbuf_add_double(&printed, d);
    if (!strbuf_ok(&printed))
        return err_nomem(err, "JSON number");
    bool is_integer = !memchr(s, '.', len) && !memchr(s, 'e', len) && !memchr(s, 'E', len);
    if ((is_integer && fabs(d) > INTEGER_EXACT_MAX) ||
        !decimal_equal(decimal_read(s, len), decimal_read(printed.ptr, printed.len)))
        return refuse(w, at, "a number with more digits than can be kept", err);
    if (len == printed.len && memcmp(s, printed.ptr, len) == 0)
        return 0;
    return keep_spelling(w, v, s, len, err);
}

/* --- strings --- */

/* The escape at w->at; pair says that the first half of a surrogate pair came before. */
static int walk_escape(struct walk *w, bool *pair, struct err *err)
{
    const char *p = w->text + w->at;
    size_t left = w->len - w->at;

    if (left < 2 || (p[1] != 'u' && !json_is_simple_escape(p[1])))
        return refuse(w, w->at, "an escape JSON does not know", err);
    int unit = p[1] == 'u' ? left < 6 ? -1 : json_hex4(p + 2) : 'x';
    if (unit < 0)
        return refuse(w, w->at, "a \\u without four hexadecimal digits", err);
    if (unit == 0)
        return refuse(w, w->at, "a NUL in a string", err);
    bool low = unit >= 0xdc00 && unit <= 0xdfff;
    if (low != *pair)
        return refuse(w, w->at, "half of a surrogate pair", err);
    *pair = unit >= 0xd800 && unit <= 0xdbff;
    w->at += p[1] == 'u' ? 6 : 2;
    return 0;
}

static int walk_string(struct walk *w, struct err *err)
{
    bool pair = false;

    for (w->at++; w->at < w->len && w->text[w->at] != '"';) {
        size_t n;

        if (w->text[w->at] == '\\') {
            if (walk_escape(w, &pair, err) < 0)
                return -1;
            continue;
        }
        if (pair)
            break;
        n = utf8_sequence_len(w->text + w->at, w->len - w->at);
        if (w->text[w->at] == '\0')
            return refuse(w, w->at, "a NUL in a string", err);
        if (n == 0)
            return refuse(w, w->at, "bytes in a string that are no UTF-8", err);
        w->at += n;
    }
    if (pair)
        return refuse(w, w->at, "half of a surrogate pair", err);
    w->at++;
    return 0;
}

/* --- objects --- */

static int push_key(struct walk *w, const char *key, struct err *err)
{
    if (w->n_keys == w->cap_keys) {
        size_t cap = w->cap_keys ? 2 * w->cap_keys : 64;
        struct key_place *keys = realloc(w->keys, cap * sizeof(*keys));

        if (!keys)
            return err_nomem(err, "keys of a JSON object");
        w->keys = keys;
        w->cap_keys = cap;
    }
    w->keys[w->n_keys++] = (struct key_place){.key = key, .at = w->at};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key_place *ka = a, *kb = b;
    int order = strcmp(ka->key, kb->key);

    return order != 0 ? order : ka->at < kb->at ? -1 : 1;
}

static int check_keys(struct walk *w, size_t first, struct err *err)
{
    size_t n = w->n_keys - first;

    w->n_keys = first;
    if (n < 2)
        return 0;
    qsort(w->keys + first, n, sizeof(*w->keys), compare_keys);
    for (size_t i = first + 1; i < first + n; i++) {
        if (strcmp(w->keys[i - 1].key, w->keys[i].key) == 0)
            return refuse(w, w->keys[i].at, "a key that came before in the same object", err);
    }
    return 0;
}

/* To the next byte that begins a value or a key. The text is known to be JSON. */
static void skip_to_token(struct walk *w)
{
    /* Every control character is white space to cJSON. */
    while (w->at < w->len &&
           ((unsigned char)w->text[w->at] <= ' ' || strchr(",:]}", w->text[w->at])))
        w->at++;
}

/* As deep as cJSON reads, a thousand levels. */
static int walk_value(struct walk *w, json_value *v, struct err *err)
{
    size_t first_key = w->n_keys;

    skip_to_token(w);
    if (cJSON_IsString(v))
        return walk_string(w, err);
    if (cJSON_IsNumber(v))
        return walk_number(w, v, err);
    if (!cJSON_IsObject(v) && !cJSON_IsArray(v)) {
        w->at += cJSON_IsFalse(v) ? strlen("false") : strlen("true"); /* and "null" */
        return 0;
    }
    w->at++;
    for (json_value *child = v->child; child; child = child->next) {
        if (cJSON_IsObject(v)) {
            skip_to_token(w);
            if (push_key(w, child->string, err) < 0 || walk_string(w, err) < 0)
                return -1;
        }
        if (walk_value(w, child, err) < 0)
            return -1;
    }
    return check_keys(w, first_key, err);
}

int json_parse_exact(const char *text, size_t len, size_t budget_bytes, json_value **ret,
                     struct err *err)
{
    static const char bom[] = {'\xef', '\xbb', '\xbf'};
    CLEANUP(json_freep) json_value *root = NULL;
    struct walk w = {.text = text, .len = len, .budget = budget_bytes};

    if (json_parse(text, len, budget_bytes, &root, err) < 0)
        return -1;
    if (len >= sizeof(bom) && memcmp(text, bom, sizeof(bom)) == 0)
        w.at = sizeof(bom);
    int rc = walk_value(&w, root, err);
    free(w.keys);
    if (rc < 0)
        return -1;
    *ret = TAKE(root);
    return 0;
}
