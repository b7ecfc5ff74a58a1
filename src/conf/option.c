/* How the values of schema.c's table are read: types, ranges, choices, unknown keys. */
#include "schema.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/nearest.h"
#include "block.h"

enum { LABEL_SIZE = 128 };

/* One option being read. Its functions return -1 for lack of memory only; problems are reported. */
struct reading {
    const struct option *option;
    struct arena *arena;
    struct problems *problems;
    char label[LABEL_SIZE]; /* how messages call it: "interval", "element 2 of namespaces" */
};

static void report(const struct reading *r, struct value *v, const char *must, const char * not )
{
    problem_add(r->problems, v->line, "%s must be %s, not %.*s", r->label, must,
                PROBLEM_TEXT(not ));
    v->reported = true;
}

static void report_complaint(const struct reading *r, struct value *v, const char *complaint)
{
    problem_add(r->problems, v->line, "%s %s", r->label, complaint);
    v->reported = true;
}

/* A string of the file in quotes. Only for options that are no secrets. */
static void report_text(const struct reading *r, struct value *v, const char *must)
{
    const char *complaint = text_complaint(TEXT_ANY, v->string);

    if (complaint) {
        report_complaint(r, v, complaint);
        return;
    }
    problem_add(r->problems, v->line, "%s must be %s, not \"%.*s\"", r->label, must,
                PROBLEM_TEXT(v->string));
    v->reported = true;
}

static void report_range(const struct reading *r, struct value *v, const char *given)
{
    char must[LABEL_SIZE];

    (void)snprintf(must, sizeof(must), "between %s and %s", r->option->min, r->option->max);
    report(r, v, must, given);
}

static int parse_quantity(const struct option *o, const char *s, int64_t *ret)
{
    return o->type == OPTION_SIZE ? quantity_parse_bytes(s, ret)
                                  : quantity_parse_duration_ms(s, ret);
}

/* min and max of the table, which are of the option's own type. */
static int64_t quantity(const struct option *o, const char *s)
{
    int64_t v = 0;
    int rc = parse_quantity(o, s, &v);

    assert(rc == 0);
    (void)rc;
    return v;
}

static void read_quantity(const struct reading *r, struct value *v, int64_t *ret)
{
    const struct option *o = r->option;
    char must[LABEL_SIZE];
    int64_t n;

    (void)snprintf(must, sizeof(must), "a %s such as \"%s\"",
                   o->type == OPTION_SIZE ? "size" : "duration", o->initial);
    if (v->type != VALUE_STRING)
        report(r, v, must, value_type_name(v->type));
    else if (parse_quantity(o, v->string, &n) < 0)
        report_text(r, v, must);
    else if (n < quantity(o, o->min) || n > quantity(o, o->max))
        report_range(r, v, v->string);
    else
        *ret = n;
}

static void read_integer(const struct reading *r, struct value *v, void *ret)
{
    const struct option *o = r->option;
    char given[LABEL_SIZE];

    if (v->type != VALUE_INTEGER) {
        report(r, v, "an integer", value_type_name(v->type));
        return;
    }
    if (v->integer < strtoll(o->min, NULL, 10) || v->integer > strtoll(o->max, NULL, 10)) {
        (void)snprintf(given, sizeof(given), "%lld", (long long)v->integer);
        report_range(r, v, given);
        return;
    }
    if (o->type == OPTION_INT)
        *(int *)ret = (int)v->integer;
    else
        *(int64_t *)ret = v->integer;
}

static void read_number(const struct reading *r, struct value *v, double *ret)
{
    const struct option *o = r->option;
    CLEANUP(strbuf_release) struct strbuf given = STRBUF_INIT;

    if (v->type != VALUE_INTEGER && v->type != VALUE_FLOAT) {
        report(r, v, "a number", value_type_name(v->type));
        return;
    }
    double n = v->type == VALUE_INTEGER ? (double)v->integer : v->number;
    /* The way round that is false for NaN, too. */
    if (n >= strtod(o->min, NULL) && n <= strtod(o->max, NULL)) {
        *ret = n;
        return;
    }
    strbuf_add_double(&given, n);
    report_range(r, v, strbuf_str(&given));
}

static void read_bool(const struct reading *r, struct value *v, bool *ret)
{
    if (v->type == VALUE_BOOL)
        *ret = v->boolean;
    else
        report(r, v, "true or false", value_type_name(v->type));
}

static int read_string(const struct reading *r, struct value *v, const char **ret)
{
    if (v->type != VALUE_STRING) {
        report(r, v, "a string", value_type_name(v->type));
        return 0;
    }
    const char *complaint = text_complaint(r->option->rule, v->string);
    if (complaint) {
        report_complaint(r, v, complaint);
        return 0;
    }
    char *copy = arena_strdup(r->arena, v->string);
    if (!copy)
        return -1;
    *ret = copy;
    return 0;
}

static void report_choice(const struct reading *r, struct value *v)
{
    CLEANUP(strbuf_release) struct strbuf must = STRBUF_INIT;
    const struct choice *choices = r->option->choices;
    const char *last = NULL;

    /* "a", "b" or "c" */
    for (const struct choice *c = choices; c->name; c++)
        last = c->name;
    for (const struct choice *c = choices; c->name; c++) {
        if (must.len > 0)
            strbuf_adds(&must, c->name == last ? " or " : ", ");
        strbuf_addf(&must, "\"%s\"", c->name);
    }
    if (v->type == VALUE_STRING)
        report_text(r, v, strbuf_str(&must));
    else
        report(r, v, strbuf_str(&must), value_type_name(v->type));
}

/* The index of the choice, or -1 when there is none. */
static int read_choice(const struct reading *r, struct value *v)
{
    const struct choice *choices = r->option->choices;
    int i = 0;

    while (choices[i].name && (v->type != VALUE_STRING || strcmp(choices[i].name, v->string) != 0))
        i++;
    if (!choices[i].name) {
        report_choice(r, v);
        return -1;
    }
    return i;
}

static void read_word(const struct reading *r, struct value *v, const char **ret)
{
    int choice = read_choice(r, v);

    if (choice >= 0)
        *ret = r->option->choices[choice].name;
}

static bool is_sequence(const struct value *v)
{
    return v->type == VALUE_ARRAY || v->type == VALUE_LIST;
}

static void label_element(struct reading *r, size_t i)
{
    const struct option *o = r->option;

    (void)snprintf(r->label, sizeof(r->label), "element %zu of %s%s", i + 1,
                   schema_prefix(o->scope), o->key);
}

/* What is wrong with an element is known of the whole, too. */
static int read_strings(const struct reading *whole, struct value *v, struct string_list *ret)
{
    struct reading r = *whole;

    if (!is_sequence(v)) {
        report(whole, v, "an array of strings such as [ \"a\", \"b\" ]", value_type_name(v->type));
        return 0;
    }
    const char **items = arena_calloc(r.arena, v->n_items, sizeof(*items));
    if (!items)
        return -1;
    for (size_t i = 0; i < v->n_items; i++) {
        struct value *item = &v->items[i];

        label_element(&r, i);
        if (!item->reported && read_string(&r, item, &items[i]) < 0)
            return -1;
        v->reported |= item->reported;
    }
    if (!v->reported)
        *ret = (struct string_list){.items = items, .n_items = v->n_items};
    return 0;
}

static void read_choices(const struct reading *whole, struct value *v, unsigned *ret)
{
    struct reading r = *whole;
    unsigned bits = 0;

    if (!is_sequence(v)) {
        report(whole, v, "an array of strings such as [ \"deployments\" ]",
               value_type_name(v->type));
        return;
    }
    if (v->n_items == 0)
        report_complaint(whole, v, "must not be empty");
    for (size_t i = 0; i < v->n_items; i++) {
        label_element(&r, i);
        int choice = v->items[i].reported ? -1 : read_choice(&r, &v->items[i]);
        if (choice >= 0)
            bits |= 1u << choice;
        v->reported |= v->items[i].reported;
    }
    if (!v->reported)
        *ret = bits;
}

static int read_group(const struct reading *r, struct value *v, void *block)
{
    if (v->type != VALUE_GROUP) {
        report(r, v, "a group { ... }", value_type_name(v->type));
        return 0;
    }
    if (r->option->into == SCOPE_ROOT)
        return 0;
    return schema_read(r->option->into, v, r->arena, r->problems, block);
}

static void read_list(const struct reading *whole, struct value *v)
{
    struct reading r = *whole;

    if (v->type != VALUE_LIST) {
        report(whole, v, "a list of groups ( { ... }, ... )", value_type_name(v->type));
        return;
    }
    for (size_t i = 0; i < v->n_items; i++) {
        label_element(&r, i);
        if (!v->items[i].reported && v->items[i].type != VALUE_GROUP)
            report(&r, &v->items[i], "a group { ... }", value_type_name(v->items[i].type));
    }
}

static int read_value(const struct reading *r, struct value *v, void *block)
{
    bool on_its_own = r->option->type == OPTION_GROUP || r->option->type == OPTION_LIST;
    void *field = block ? (char *)block + r->option->offset : NULL;
    int choice;

    assert(field || on_its_own);
    (void)on_its_own;

    switch (r->option->type) {
    case OPTION_DURATION:
    case OPTION_SIZE:
        read_quantity(r, v, field);
        return 0;
    case OPTION_COUNT:
    case OPTION_INT:
        read_integer(r, v, field);
        return 0;
    case OPTION_NUMBER:
        read_number(r, v, field);
        return 0;
    case OPTION_BOOL:
        read_bool(r, v, field);
        return 0;
    case OPTION_STRING:
        return read_string(r, v, field);
    case OPTION_STRINGS:
        return read_strings(r, v, field);
    case OPTION_WORD:
        read_word(r, v, field);
        return 0;
    case OPTION_CHOICE:
        choice = read_choice(r, v);
        if (choice >= 0)
            *(int *)field = choice;
        return 0;
    case OPTION_CHOICES:
        read_choices(r, v, field);
        return 0;
    case OPTION_GROUP:
        return read_group(r, v, block);
    case OPTION_LIST:
        read_list(r, v);
        return 0;
    }
    assert(0);
    return 0;
}

static void refuse_later(const struct reading *r, struct value *v)
{
    v->reported = true;
    problem_add(r->problems, v->line, "%s is not supported yet", r->label);
}

static struct reading reading_of(const struct option *o, struct arena *arena,
                                 struct problems *problems)
{
    struct reading r = {.option = o, .arena = arena, .problems = problems};

    (void)snprintf(r.label, sizeof(r.label), "%s%s", schema_prefix(o->scope), o->key);
    return r;
}

static bool may_stand_in(const struct option *o, enum scope scope)
{
    return o->scope == scope || (scope == SCOPE_TARGETS && o->scope == SCOPE_DEFAULTS);
}

static const struct option *find_option(enum scope scope, const char *key)
{
    size_t n;
    const struct option *options = schema_options(&n);

    for (size_t i = 0; i < n; i++)
        if (may_stand_in(&options[i], scope) && strcmp(options[i].key, key) == 0)
            return &options[i];
    return NULL;
}

static const char *place_name(enum scope scope)
{
    static const char *const names[SCOPE_END] = {
        [SCOPE_ROOT] = "the top level",    [SCOPE_DEFAULTS] = "defaults",
        [SCOPE_RATE_LIMIT] = "rate_limit", [SCOPE_CREDENTIALS] = "credentials",
        [SCOPE_TARGETS] = "targets",       [SCOPE_SELECT] = "select",
        [SCOPE_TLS_CONFIG] = "tls_config", [SCOPE_METRICS] = "metrics",
        [SCOPE_STATE] = "state",
    };
    return names[scope];
}

/* The place where the key would be right, if there is just one. */
static const char *right_place(const char *key)
{
    size_t n;
    const struct option *options = schema_options(&n);
    const char *place = NULL;

    for (size_t i = 0; i < n; i++) {
        if (options[i].later || strcmp(options[i].key, key) != 0)
            continue;
        if (place)
            return NULL;
        place = place_name(options[i].scope);
    }
    return place;
}

static void report_unknown(enum scope scope, const struct value *v, struct problems *problems)
{
    size_t n;
    const struct option *options = schema_options(&n);
    struct nearest nearest = nearest_to(v->key);
    const char *place = right_place(v->key);

    for (size_t i = 0; i < n; i++)
        if (may_stand_in(&options[i], scope) && !options[i].later)
            nearest_offer(&nearest, options[i].key);
    if (place)
        problem_add(problems, v->line, "unknown key '%.*s' here; it belongs in %s",
                    PROBLEM_TEXT(v->key), place);
    else if (nearest.best)
        problem_add(problems, v->line, "unknown key '%.*s'; did you mean '%s'?",
                    PROBLEM_TEXT(v->key), nearest.best);
    else
        problem_add(problems, v->line, "unknown key '%.*s'", PROBLEM_TEXT(v->key));
}

/* item is for the caller to keep as long as the result. */
static struct value initial_value(const struct option *o, struct value *item)
{
    switch (o->type) {
    case OPTION_COUNT:
    case OPTION_INT:
        return (struct value){.type = VALUE_INTEGER, .integer = strtoll(o->initial, NULL, 10)};
    case OPTION_NUMBER:
        return (struct value){.type = VALUE_FLOAT, .number = strtod(o->initial, NULL)};
    case OPTION_BOOL:
        return (struct value){.type = VALUE_BOOL, .boolean = strcmp(o->initial, "true") == 0};
    case OPTION_CHOICES:
        *item = (struct value){.type = VALUE_STRING, .string = o->initial};
        return (struct value){.type = VALUE_ARRAY, .items = item, .n_items = 1};
    default:
        return (struct value){.type = VALUE_STRING, .string = o->initial};
    }
}

int schema_set_initial(enum scope scope, struct arena *arena, void *ret)
{
    size_t n;
    const struct option *options = schema_options(&n);

    for (const struct option *o = options; o < options + n; o++) {
        /* Stays empty: the table's own values are good. */
        CLEANUP(problems_release) struct problems none = {0};
        struct reading r = reading_of(o, arena, &none);
        struct value item;

        if (o->scope != scope || o->later)
            continue;
        if (o->into != SCOPE_ROOT && schema_set_initial(o->into, arena, ret) < 0)
            return -1;
        if (!o->initial)
            continue;
        struct value v = initial_value(o, &item);
        if (read_value(&r, &v, ret) < 0)
            return -1;
        assert(!v.reported);
    }
    return 0;
}

int schema_read(enum scope scope, struct value *group, struct arena *arena,
                struct problems *problems, void *ret)
{
    for (size_t i = 0; i < group->n_items; i++) {
        struct value *v = &group->items[i];
        const struct option *o = find_option(scope, v->key);

        if (!o) {
            report_unknown(scope, v, problems);
            continue;
        }
        struct reading r = reading_of(o, arena, problems);
        if (o->later)
            refuse_later(&r, v);
        else if (!v->reported && read_value(&r, v, ret) < 0)
            return -1;
    }
    return 0;
}

struct value *schema_good_member(const struct value *group, const char *key)
{
    struct value *v = value_member(group, key);

    return v && !v->reported ? v : NULL;
}
