#include "parse.h"

#include <string.h>

#include <libconfig.h>

#include "base/strbuf.h"

struct conversion {
    const struct source *source;
    struct arena *arena;
    size_t n_strings; /* converted so far: strings come in the order they stand in the text */
};

static int convert(struct conversion *c, const config_setting_t *setting, struct value *ret);

static int convert_string(struct conversion *c, const config_setting_t *setting, struct value *v)
{
    const char *s = config_setting_get_string(setting);
    size_t i = c->n_strings++;

    v->type = VALUE_STRING;
    v->string = arena_strdup(c->arena, s ? s : "");
    /* For an element, libconfig's line is that of the token behind the string. */
    if (!v->key && i < c->source->n_strings)
        v->line = c->source->string_lines[i];
    v->reported = c->source->integers_refused && s && s[0] == SOURCE_REFUSED;
    return v->string ? 0 : -1;
}

static int convert_items(struct conversion *c, const config_setting_t *setting, struct value *v)
{
    int n = config_setting_length(setting);

    v->n_items = n > 0 ? (size_t)n : 0;
    v->items = arena_calloc(c->arena, v->n_items, sizeof(*v->items));
    if (!v->items)
        return -1;
    for (size_t i = 0; i < v->n_items; i++)
        if (convert(c, config_setting_get_elem(setting, (unsigned)i), &v->items[i]) < 0)
            return -1;
    return 0;
}

static int convert(struct conversion *c, const config_setting_t *setting, struct value *ret)
{
    struct value v = {.line = config_setting_source_line(setting)};

    if (config_setting_name(setting)) {
        v.key = arena_strdup(c->arena, config_setting_name(setting));
        if (!v.key)
            return -1;
    }
    int rc = 0;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        rc = convert_string(c, setting, &v);
        break;
    case CONFIG_TYPE_INT:
        v.type = VALUE_INTEGER;
        v.integer = config_setting_get_int(setting);
        break;
    case CONFIG_TYPE_INT64:
        v.type = VALUE_INTEGER;
        v.integer = config_setting_get_int64(setting);
        break;
    case CONFIG_TYPE_FLOAT:
        v.type = VALUE_FLOAT;
        v.number = config_setting_get_float(setting);
        break;
    case CONFIG_TYPE_BOOL:
        v.type = VALUE_BOOL;
        v.boolean = config_setting_get_bool(setting) != 0;
        break;
    case CONFIG_TYPE_ARRAY:
        v.type = VALUE_ARRAY;
        rc = convert_items(c, setting, &v);
        break;
    case CONFIG_TYPE_LIST:
        v.type = VALUE_LIST;
        rc = convert_items(c, setting, &v);
        break;
    default:
        v.type = VALUE_GROUP;
        rc = convert_items(c, setting, &v);
        break;
    }
    *ret = v;
    return rc;
}

/* What is left to libconfig after lex.h, in words that say what to do. */
static const char *reason_of(const char *error_text)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } reasons[] = {
        {"duplicate setting name", "a key that the same group already has"},
        {"mismatched element type in array", "[ ] holds values of one type only"},
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (error_text && strcmp(error_text, reasons[i].theirs) == 0)
            return reasons[i].ours;
    return error_text ? error_text : "syntax error";
}

int parse_source(const struct source *source, struct arena *arena, struct problems *problems,
                 struct value **ret)
{
    CLEANUP(config_destroy) config_t config;
    struct conversion c = {.source = source, .arena = arena};

    config_init(&config);
    if (config_read_string(&config, strbuf_str(&source->text)) != CONFIG_TRUE) {
        /* With integers replaced, the mistake may be ours. */
        int line = config_error_line(&config);
        if (!source->integers_refused)
            problem_add(problems, line > 0 ? (unsigned)line : 1, "%s",
                        reason_of(config_error_text(&config)));
        *ret = NULL;
        return 0;
    }
    struct value *root = arena_calloc(arena, 1, sizeof(*root));
    if (!root || convert(&c, config_root_setting(&config), root) < 0)
        return -1;
    *ret = root;
    return 0;
}
