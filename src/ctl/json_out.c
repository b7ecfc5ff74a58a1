#include "json_out.h"

#include "time_text.h"

static void begin(struct json_out *o, const char *key)
{
    if (o->more)
        strbuf_addc(o->out, ',');
    if (o->depth > 0)
        strbuf_addc(o->out, '\n');
    for (unsigned i = 0; i < o->depth; i++)
        strbuf_adds(o->out, "  ");
    if (key) {
        json_print_string(key, o->out);
        strbuf_adds(o->out, ": ");
    }
    o->more = true;
}

void json_out_open(struct json_out *o, const char *key, char bracket)
{
    begin(o, key);
    strbuf_addc(o->out, bracket);
    o->depth++;
    o->more = false;
}

void json_out_close(struct json_out *o, char bracket)
{
    bool empty = !o->more;

    o->depth--;
    if (!empty) {
        strbuf_addc(o->out, '\n');
        for (unsigned i = 0; i < o->depth; i++)
            strbuf_adds(o->out, "  ");
    }
    strbuf_addc(o->out, bracket);
    if (o->depth == 0)
        strbuf_addc(o->out, '\n');
    o->more = true;
}

void json_out_text(struct json_out *o, const char *key, const char *value)
{
    begin(o, key);
    json_print_string(value, o->out);
}

void json_out_string(struct json_out *o, const char *key, const char *value)
{
    if (value && *value)
        json_out_text(o, key, value);
    else
        json_out_null(o, key);
}

void json_out_integer(struct json_out *o, const char *key, int64_t value)
{
    begin(o, key);
    strbuf_add_i64(o->out, value);
}

void json_out_bool(struct json_out *o, const char *key, bool value)
{
    begin(o, key);
    strbuf_adds(o->out, value ? "true" : "false");
}

void json_out_null(struct json_out *o, const char *key)
{
    begin(o, key);
    strbuf_adds(o->out, "null");
}

void json_out_value(struct json_out *o, const char *key, const json_value *value)
{
    begin(o, key);
    /* Fails only as the buffer does. */
    if (!value)
        strbuf_adds(o->out, "null");
    else if (json_print(value, false, o->out, NULL) < 0)
        o->out->bad = true;
}

void json_out_time(struct json_out *o, const char *key, int64_t unix_s)
{
    char text[CLOCK_ISO8601_LEN];

    json_out_string(o, key, time_text(text, unix_s));
}
