/*
 * Making, changing, comparing and printing JSON. The printer is our own: cJSON's cuts numbers at
 * 15 or 17 digits by taste, knows no limit, and leaves control characters of the upper half and
 * damaged strings as they are.
 */
#include "api/json.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/utf8.h"

json_value *json_new_object(void)
{
    json_global_init();
    return cJSON_CreateObject();
}

json_value *json_copy(const json_value *v)
{
    return cJSON_Duplicate(v, true);
}

/* Unlike json_get, this finds a null, too. */
static json_value *member(const json_value *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

int json_set_take(json_value *object, const char *key, json_value *value, struct err *err)
{
    CLEANUP(json_freep) json_value *owned = value;
    json_value *old = member(object, key);

    if (!owned)
        return err_nomem(err, "JSON value");
    if (!cJSON_IsObject(object))
        return err_set(err, ERR_INTERNAL, "a member cannot be put into what is no JSON object");
    /* Not cJSON's functions for objects: they lose the value or its key when memory is out. */
    char *copy = cJSON_malloc(strlen(key) + 1);
    if (!copy)
        return err_nomem(err, "JSON key");
    memcpy(copy, key, strlen(key) + 1);
    cJSON_free(owned->string);
    owned->string = copy;
    if (old)
        cJSON_ReplaceItemViaPointer(object, old, TAKE(owned));
    else
        cJSON_AddItemToArray(object, TAKE(owned));
    return 0;
}

void json_remove(json_value *object, const char *key)
{
    if (cJSON_IsObject(object))
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

bool json_is_null(const json_value *v)
{
    return cJSON_IsNull(v);
}

/* --- comparing --- */

static size_t count(const json_value *v)
{
    size_t n = 0;

    for (const json_value *child = v->child; child; child = child->next)
        n++;
    return n;
}

static int by_key(const void *a, const void *b)
{
    const json_value *const *left = a, *const *right = b;

    return strcmp((*left)->string, (*right)->string);
}

/* The n members in the order of their keys; NULL when memory is out. */
static const json_value **sorted(const json_value *object, size_t n)
{
    const json_value **members = calloc(n, sizeof(*members));
    size_t i = 0;

    if (!members)
        return NULL;
    for (const json_value *child = object->child; child; child = child->next)
        members[i++] = child;
    qsort(members, n, sizeof(*members), by_key);
    return members;
}

/* Of n members each: searching them one by one takes minutes where there are a hundred thousand. */
static bool members_equal(const json_value *a, const json_value *b, size_t n)
{
    CLEANUP(freep) const json_value **left = sorted(a, n);
    CLEANUP(freep) const json_value **right = sorted(b, n);

    if (left && right) {
        for (size_t i = 0; i < n; i++) {
            if (strcmp(left[i]->string, right[i]->string) != 0 || !json_equal(left[i], right[i]))
                return false;
        }
        return true;
    }
    for (const json_value *child = a->child; child; child = child->next) {
        const json_value *other = member(b, child->string);

        if (!other || !json_equal(child, other))
            return false;
    }
    return true;
}

/* Members mostly come in the same order. */
static bool objects_equal(const json_value *a, const json_value *b)
{
    const json_value *left = a->child, *right = b->child;
    size_t n = count(a);

    if (n != count(b))
        return false;
    for (; left && strcmp(left->string, right->string) == 0; right = right->next) {
        if (!json_equal(left, right))
            return false;
        left = left->next;
    }
    return !left || members_equal(a, b, n);
}

static bool arrays_equal(const json_value *a, const json_value *b)
{
    const json_value *other = b->child;

    for (const json_value *child = a->child; child; child = child->next) {
        if (!other || !json_equal(child, other))
            return false;
        other = other->next;
    }
    return !other;
}

bool json_equal(const json_value *a, const json_value *b)
{
    if (!a || !b)
        return a == b;
    if ((a->type & 0xff) != (b->type & 0xff))
        return false;
    if (cJSON_IsNumber(a))
        return !(a->valuedouble < b->valuedouble) && !(a->valuedouble > b->valuedouble);
    if (cJSON_IsString(a))
        return strcmp(a->valuestring, b->valuestring) == 0;
    if (cJSON_IsObject(a))
        return objects_equal(a, b);
    return !cJSON_IsArray(a) || arrays_equal(a, b);
}

/* --- printing --- */

static void print_ascii(unsigned char c, struct strbuf *out)
{
    static const char escapes[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                   ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

    if (c < sizeof(escapes) && escapes[c]) {
        strbuf_addc(out, '\\');
        strbuf_addc(out, escapes[c]);
    } else if (c < 0x20 || c == 0x7f) {
        strbuf_addf(out, "\\u%04x", c);
    } else {
        strbuf_addc(out, (char)c);
    }
}

void json_print_string(const char *s, struct strbuf *out)
{
    size_t len = strlen(s);

    strbuf_addc(out, '"');
    for (size_t n; len > 0; s += n, len -= n) {
        n = utf8_sequence_len(s, len);
        if (n == 1)
            print_ascii((unsigned char)*s, out);
        else if (n == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0)
            strbuf_addf(out, "\\u%04x", (unsigned)(unsigned char)s[1]);
        else
            (void)utf8_append_repaired(out, s, n ? n : 1);
        n = n ? n : 1;
    }
    strbuf_addc(out, '"');
}

static void print_number(const json_value *v, struct strbuf *out)
{
    if (v->valuestring) /* json_parse_exact: the spelling */
        strbuf_adds(out, v->valuestring);
    else if (v->valuedouble - v->valuedouble != 0) /* an infinity is no JSON */
        strbuf_adds(out, v->valuedouble > 0 ? "1e999" : "-1e999");
    else
        strbuf_add_double(out, v->valuedouble);
}

/* So that a text of many values, deep down, does not grow a thousand times. */
enum { INDENT_MAX = 40 };

static void break_line(bool pretty, size_t depth, struct strbuf *out)
{
    if (!pretty)
        return;
    strbuf_addc(out, '\n');
    for (size_t i = 0; i < depth && i < INDENT_MAX; i++)
        strbuf_adds(out, "  ");
}

static void print(const json_value *v, bool pretty, size_t depth, struct strbuf *out);

static void print_children(const json_value *v, bool pretty, size_t depth, struct strbuf *out)
{
    for (const json_value *child = v->child; child; child = child->next) {
        if (child != v->child)
            strbuf_addc(out, ',');
        break_line(pretty, depth + 1, out);
        if (cJSON_IsObject(v)) {
            json_print_string(child->string, out);
            strbuf_adds(out, pretty ? ": " : ":");
        }
        print(child, pretty, depth + 1, out);
    }
    if (v->child)
        break_line(pretty, depth, out);
}

static void print(const json_value *v, bool pretty, size_t depth, struct strbuf *out)
{
    if (cJSON_IsString(v)) {
        json_print_string(v->valuestring, out);
    } else if (cJSON_IsNumber(v)) {
        print_number(v, out);
    } else if (cJSON_IsObject(v) || cJSON_IsArray(v)) {
        strbuf_addc(out, cJSON_IsObject(v) ? '{' : '[');
        print_children(v, pretty, depth, out);
        strbuf_addc(out, cJSON_IsObject(v) ? '}' : ']');
    } else {
        strbuf_adds(out, cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : "null");
    }
}

int json_print(const json_value *v, bool pretty, struct strbuf *out, struct err *err)
{
    print(v, pretty, 0, out);
    if (out->over_limit)
        return err_set(err, ERR_LIMIT, "JSON text of more than %zu bytes", out->limit);
    return strbuf_ok(out) ? 0 : err_nomem(err, "JSON text");
}
