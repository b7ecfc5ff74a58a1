#include "json_text.h"

#include <stdlib.h>
#include <string.h>

void json_add_escaped(struct strbuf *out, const char *s, size_t len)
{
    size_t plain = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        strbuf_add(out, s + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') {
            strbuf_addc(out, '\\');
            strbuf_addc(out, (char)c);
        } else if (c == '\n') {
            strbuf_adds(out, "\\n");
        } else {
            strbuf_addf(out, "\\u%04x", c);
        }
    }
    strbuf_add(out, s + plain, len - plain);
}

void json_add_string(struct strbuf *out, const char *s, size_t len)
{
    strbuf_addc(out, '"');
    json_add_escaped(out, s, len);
    strbuf_addc(out, '"');
}

void json_add_cstring(struct strbuf *out, const char *s)
{
    json_add_string(out, s, strlen(s));
}

void cjson_deletep(cJSON **item)
{
    cJSON_Delete(*item);
}

int64_t json_read_time(const cJSON *v)
{
    double seconds = 0;
    if (cJSON_IsNumber(v))
        seconds = v->valuedouble;
    else if (cJSON_IsString(v))
        seconds = strtod(v->valuestring, NULL);
    if (!(seconds > 0 && seconds < 9e15))
        return 0;
    return (int64_t)(seconds >= 1e11 ? seconds / 1000 : seconds);
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

cJSON *json_parse(const char *text, size_t len)
{
    const char *end = NULL;
    cJSON *item = cJSON_ParseWithLengthOpts(text, len, &end, false);
    if (item && skip_space(end, text + len) != text + len) {
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

void json_walk_init(struct json_walk *w, const char *text, size_t len, char open)
{
    *w = (struct json_walk){.end = text + len, .close = open == '{' ? '}' : ']'};
    w->at = skip_space(text, w->end);
    if (w->at == w->end || *w->at != open)
        w->failed = true;
    else
        w->at++;
}

static bool fail(struct json_walk *w)
{
    w->failed = true;
    return false;
}

/* To the start of the next element: false at the closing bracket. */
static bool step(struct json_walk *w)
{
    if (w->failed)
        return false;
    w->at = skip_space(w->at, w->end);
    if (w->at == w->end)
        return fail(w);
    if (*w->at == w->close)
        return false;
    if (w->started) {
        if (*w->at != ',')
            return fail(w);
        w->at = skip_space(w->at + 1, w->end);
        if (w->at == w->end)
            return fail(w);
    }
    w->started = true;
    return true;
}

/* Parses one value at w->at and steps behind it. */
static cJSON *value_at(struct json_walk *w)
{
    const char *end = NULL;
    cJSON *item = cJSON_ParseWithLengthOpts(w->at, (size_t)(w->end - w->at), &end, false);
    if (!item) {
        w->failed = true;
        return NULL;
    }
    w->at = end;
    return item;
}

bool json_walk_item(struct json_walk *w, struct json_span *ret_value)
{
    if (!step(w))
        return false;
    const char *start = w->at;
    cJSON *item = value_at(w);
    if (!item)
        return false;
    cJSON_Delete(item);
    *ret_value = (struct json_span){start, (size_t)(w->at - start)};
    return true;
}

bool json_walk_member(struct json_walk *w, char **ret_key, struct json_span *ret_value)
{
    if (!step(w))
        return false;
    CLEANUP(cjson_deletep) cJSON *key = value_at(w);
    if (!key || !cJSON_IsString(key))
        return fail(w);
    w->at = skip_space(w->at, w->end);
    if (w->at == w->end || *w->at != ':')
        return fail(w);
    w->at = skip_space(w->at + 1, w->end);
    const char *start = w->at;
    CLEANUP(cjson_deletep) cJSON *value = value_at(w);
    if (!value)
        return false;
    char *name = strdup(key->valuestring);
    if (!name)
        return fail(w);
    *ret_key = name;
    *ret_value = (struct json_span){start, (size_t)(w->at - start)};
    return true;
}
