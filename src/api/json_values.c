/*
 * What a scan has kept, for reading.
 */
#include "json_scan.h"

#include <assert.h>

const struct json_raw *json_scan_value(const struct json_scan *s, size_t value)
{
    assert(value < s->options.n_values);
    return &s->values[value];
}

const char *json_scan_text(const struct json_scan *s, size_t value)
{
    const struct strbuf *text = value < s->options.n_root_values ? &s->root_text : &s->record_text;

    return strbuf_str(text) + json_scan_value(s, value)->at;
}

bool json_scan_is_object(const struct json_scan *s)
{
    return s->root_is_object;
}

static void print_scalar(const struct json_scan *s, const struct json_member *m, struct strbuf *out)
{
    const struct json_raw *value = &s->values[m->value];
    const char *quote = value->type == JSON_STRING ? "\"" : "";

    if (value->type != JSON_STRING && value->type != JSON_NUMBER)
        return;
    if (value->type == JSON_NUMBER && value->cut)
        return;
    if (out->len > 1)
        strbuf_addc(out, ',');
    strbuf_addf(out, "\"%s\":%s", m->key, quote);
    strbuf_add(out, json_scan_text(s, m->value), value->len);
    strbuf_adds(out, quote);
}

void json_scan_print(const struct json_scan *s, const struct json_shape *shape, struct strbuf *out)
{
    strbuf_addc(out, '{');
    for (size_t i = 0; i < shape->n_members; i++)
        print_scalar(s, &shape->members[i], out);
    strbuf_addc(out, '}');
}

uint64_t json_scan_entries(const struct json_scan *s)
{
    return s->n_entries;
}
