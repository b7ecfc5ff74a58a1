#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"

void object_release(struct object *o)
{
    for (size_t i = 0; i < o->n; i++) {
        free(o->members[i].key);
        free(o->members[i].text);
    }
    free(o->members);
    *o = (struct object){0};
}

static struct object_member *find(const struct object *o, const char *key)
{
    for (size_t i = 0; i < o->n; i++) {
        if (strcmp(o->members[i].key, key) == 0)
            return &o->members[i];
    }
    return NULL;
}

static int set(struct object *o, const char *key, const char *text, size_t len)
{
    struct object_member *m = find(o, key);
    char *value = strndup(text, len);
    if (!value)
        return -1;
    if (m) {
        free(m->text);
        m->text = value;
        return 0;
    }
    char *name = strdup(key);
    struct object_member *grown =
        name ? realloc(o->members, (o->n + 1) * sizeof(o->members[0])) : NULL;
    if (!grown) {
        free(name);
        free(value);
        return -1;
    }
    o->members = grown;
    o->members[o->n++] = (struct object_member){name, value};
    return 0;
}

int object_read(struct object *ret, const char *text, size_t len, struct err *err)
{
    struct json_walk walk;
    char *key = NULL;
    struct json_span value;
    *ret = (struct object){0};
    json_walk_init(&walk, text, len, '{');
    while (json_walk_member(&walk, &key, &value)) {
        CLEANUP(freep) char *owned = key;
        if (set(ret, owned, value.ptr, value.len) < 0) {
            object_release(ret);
            return err_nomem(err, "object");
        }
    }
    /* The walk ends at the brace; nothing may come behind it. */
    size_t rest = (size_t)(walk.end - walk.at);
    bool whole = !walk.failed && rest && strspn(walk.at + 1, " \t\r\n") >= rest - 1;
    if (whole)
        return 0;
    object_release(ret);
    return err_set(err, ERR_PARSE, "not a JSON object");
}

int object_copy(struct object *ret, const struct object *o)
{
    *ret = (struct object){0};
    for (size_t i = 0; i < o->n; i++) {
        if (object_set(ret, o->members[i].key, o->members[i].text) < 0) {
            object_release(ret);
            return -1;
        }
    }
    return 0;
}

const char *object_get(const struct object *o, const char *key)
{
    const struct object_member *m = find(o, key);
    return m ? m->text : NULL;
}

static cJSON *parsed(const struct object *o, const char *key)
{
    const char *text = object_get(o, key);
    return text ? json_parse(text, strlen(text)) : NULL;
}

char *object_string(const struct object *o, const char *key)
{
    CLEANUP(cjson_deletep) cJSON *v = parsed(o, key);
    return cJSON_IsString(v) ? strdup(v->valuestring) : NULL;
}

int64_t object_time(const struct object *o, const char *key)
{
    CLEANUP(cjson_deletep) cJSON *v = parsed(o, key);
    return json_read_time(v);
}

bool object_same(const struct object *a, const struct object *b, const char *key)
{
    CLEANUP(cjson_deletep) cJSON *x = parsed(a, key);
    CLEANUP(cjson_deletep) cJSON *y = parsed(b, key);
    if (!x || !y)
        return !x && !y;
    return cJSON_Compare(x, y, true);
}

int object_set(struct object *o, const char *key, const char *text)
{
    return set(o, key, text, strlen(text));
}

int object_set_string(struct object *o, const char *key, const char *value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_add_cstring(&text, value);
    return strbuf_ok(&text) ? object_set(o, key, strbuf_str(&text)) : -1;
}

int object_set_number(struct object *o, const char *key, int64_t value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_add_i64(&text, value);
    return strbuf_ok(&text) ? object_set(o, key, strbuf_str(&text)) : -1;
}

void object_remove(struct object *o, const char *key)
{
    struct object_member *m = find(o, key);
    if (!m)
        return;
    size_t at = (size_t)(m - o->members);
    free(m->key);
    free(m->text);
    memmove(m, m + 1, (o->n - at - 1) * sizeof(*m));
    o->n--;
}

void object_render(const struct object *o, struct strbuf *out)
{
    strbuf_addc(out, '{');
    for (size_t i = 0; i < o->n; i++) {
        if (i)
            strbuf_addc(out, ',');
        json_add_cstring(out, o->members[i].key);
        strbuf_addc(out, ':');
        strbuf_adds(out, o->members[i].text);
    }
    strbuf_addc(out, '}');
}
