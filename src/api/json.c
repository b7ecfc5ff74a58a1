/*
 * cJSON has one set of allocation hooks for the whole process, and no memory limit. The hooks
 * here charge a budget that belongs to the thread and exists while json_parse runs; outside of
 * it, so for trees being freed later, they are plain malloc and free.
 *
 * cJSON keeps the place of the last error in a static variable that it writes without a lock. It
 * is read by cJSON_GetErrorPtr() alone, which must therefore never be called; the place comes
 * from the "parse end" argument.
 */
#include "api/json.h"

#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_string.h"

/* The heap's header in front of each block, which malloc_usable_size does not count. */
enum { HEAP_OVERHEAD = sizeof(size_t) };

/* "\uXXXX": all escapes of this kind have the same length, which repairing relies upon. */
enum { ESCAPE_LEN = 6 };

struct budget {
    bool active;
    size_t left;
    bool exceeded;
    bool out_of_memory;
};

static _Thread_local struct budget budget;
static _Thread_local bool wiping; /* what is freed is overwritten */

static void *hook_malloc(size_t size)
{
    if (budget.active && (size > budget.left || budget.left - size < HEAP_OVERHEAD)) {
        budget.exceeded = true;
        return NULL;
    }
    void *p = malloc(size);
    if (!budget.active)
        return p;
    if (!p) {
        budget.out_of_memory = true;
        return NULL;
    }
    size_t charge = malloc_usable_size(p) + HEAP_OVERHEAD;
    /* Rounding may pass the end by some bytes once: the next allocation finds nothing left. */
    budget.left -= charge < budget.left ? charge : budget.left;
    return p;
}

static void hook_free(void *p)
{
    if (p && budget.active)
        budget.left += malloc_usable_size(p) + HEAP_OVERHEAD;
    if (p && wiping)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

static void install_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = hook_malloc, .free_fn = hook_free};

    cJSON_InitHooks(&hooks);
}

void json_global_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    /* Fails for a bad argument only. */
    (void)pthread_once(&once, install_hooks);
}

/* The code unit of the "\uXXXX" at s, or -1 if there is none in len bytes. */
static int unicode_escape(const char *s, size_t len)
{
    return len < ESCAPE_LEN || s[0] != '\\' || s[1] != 'u' ? -1 : json_hex4(s + 2);
}

/*
 * The escaped surrogates that are no halves of a pair: how many there are. Where copy is not NULL,
 * U+FFFD takes their places there. None in a text with a \u without four hexadecimal digits: cJSON
 * takes them to be 0 and reads on behind them, where its escapes are not those seen here.
 */
static size_t mend_lone_surrogates(const char *text, size_t len, char *copy)
{
    const char *end = text + len;
    size_t n = 0;

    for (const char *p = text; p < end && (p = memchr(p, '\\', (size_t)(end - p)));) {
        int unit = unicode_escape(p, (size_t)(end - p));

        if (unit < 0) {
            if (end - p >= 2 && p[1] == 'u')
                return 0;
            p += end - p >= 2 ? 2 : 1; /* an escape of two characters */
            continue;
        }
        const char *next = p + ESCAPE_LEN;
        bool high = unit >= 0xd800 && unit <= 0xdbff;
        int low = high ? unicode_escape(next, (size_t)(end - next)) : -1;
        if (low >= 0xdc00 && low <= 0xdfff) {
            p = next + ESCAPE_LEN;
            continue;
        }
        if (unit >= 0xd800 && unit <= 0xdfff) {
            n++;
            if (copy)
                memcpy(copy + (p - text), "\\ufffd", ESCAPE_LEN);
        }
        p = next;
    }
    return n;
}

/* What one attempt came to, besides its tree. */
struct attempt {
    size_t end; /* where parsing ended or failed */
    struct budget budget;
};

static json_value *attempt_parse(const char *text, size_t len, size_t budget_bytes,
                                 struct attempt *ret)
{
    const char *end = text;

    budget = (struct budget){.active = true, .left = budget_bytes};
    json_value *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    budget.active = false;
    *ret = (struct attempt){.end = end ? (size_t)(end - text) : 0, .budget = budget};
    return root;
}

/*
 * cJSON refuses the whole text for one escaped half of a surrogate pair, as programs leave it
 * behind that cut strings by UTF-16 units: one such description would hide all deployments. A
 * copy of the text with U+FFFD in its place is parsed then.
 */
static json_value *parse_repaired(const char *text, size_t len, size_t budget_bytes,
                                  struct attempt *ret)
{
    if (mend_lone_surrogates(text, len, NULL) == 0)
        return NULL;
    if (len > budget_bytes) {
        ret->budget.exceeded = true;
        return NULL;
    }
    CLEANUP(freep) char *copy = malloc(len);
    if (!copy) {
        ret->budget.out_of_memory = true;
        return NULL;
    }
    memcpy(copy, text, len);
    (void)mend_lone_surrogates(text, len, copy);
    json_value *root = attempt_parse(copy, len, budget_bytes - len, ret);
    if (wiping)
        explicit_bzero(copy, len);
    return root;
}

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int json_parse(const char *text, size_t len, size_t budget_bytes, json_value **ret, struct err *err)
{
    struct attempt attempt;

    json_global_init();
    if (len == 0)
        return err_set(err, ERR_PARSE, "not JSON: the text is empty");

    CLEANUP(json_freep) json_value *root = attempt_parse(text, len, budget_bytes, &attempt);
    if (!root && !attempt.budget.exceeded && !attempt.budget.out_of_memory)
        root = parse_repaired(text, len, budget_bytes, &attempt);
    if (attempt.budget.exceeded)
        return err_set(err, ERR_LIMIT, "JSON of %zu bytes needs more than %zu bytes of memory", len,
                       budget_bytes);
    if (attempt.budget.out_of_memory)
        return err_nomem(err, "JSON tree");
    if (!root)
        return err_set(err, ERR_PARSE, "not JSON at byte %zu of %zu", attempt.end, len);

    for (size_t i = attempt.end; i < len; i++) {
        if (!is_json_space(text[i]))
            return err_set(err, ERR_PARSE, "not JSON: text behind the end, at byte %zu of %zu", i,
                           len);
    }
    *ret = TAKE(root);
    return 0;
}

void json_free(json_value *root)
{
    cJSON_Delete(root);
}

void json_freep(json_value **root)
{
    json_free(*root);
}

int json_parse_secret(const char *text, size_t len, size_t budget_bytes, json_value **ret,
                      struct err *err)
{
    wiping = true;
    int r = json_parse(text, len, budget_bytes, ret, err);
    wiping = false;
    return r;
}

void json_free_secret(json_value *root)
{
    wiping = true;
    json_free(root);
    wiping = false;
}

void json_free_secretp(json_value **root)
{
    json_free_secret(*root);
}

const json_value *json_get(const json_value *v, const char *key)
{
    if (!cJSON_IsObject(v))
        return NULL;

    const json_value *member = cJSON_GetObjectItemCaseSensitive(v, key);
    return cJSON_IsNull(member) ? NULL : member;
}

const json_value *json_first(const json_value *v)
{
    return cJSON_IsObject(v) || cJSON_IsArray(v) ? v->child : NULL;
}

const json_value *json_next(const json_value *child)
{
    return child->next;
}

const char *json_key(const json_value *child)
{
    return child->string;
}

bool json_is_object(const json_value *v)
{
    return cJSON_IsObject(v);
}

bool json_is_array(const json_value *v)
{
    return cJSON_IsArray(v);
}

const char *json_string(const json_value *v)
{
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

int json_number(const json_value *v, double *ret)
{
    /* 1e309 is a number to cJSON, and infinite. */
    if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble))
        return -1;
    *ret = v->valuedouble;
    return 0;
}

int json_integer(const json_value *v, int64_t *ret)
{
    double d;

    /* Not valueint, which is an int and saturates. */
    if (json_number(v, &d) < 0 || fabs(d) > (double)JSON_INTEGER_MAX || d != (double)(int64_t)d)
        return -1;
    *ret = (int64_t)d;
    return 0;
}

int json_bool(const json_value *v, bool *ret)
{
    if (!cJSON_IsBool(v))
        return -1;
    *ret = cJSON_IsTrue(v);
    return 0;
}

json_value *json_take(json_value *object, const char *key)
{
    const json_value *member = json_get(object, key);

    /* json_get finds the first of several; so does this. */
    return member ? cJSON_DetachItemFromObjectCaseSensitive(object, key) : NULL;
}

json_value *json_new_array(void)
{
    json_global_init();
    return cJSON_CreateArray();
}
