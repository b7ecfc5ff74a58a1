/*
 * Names follow kube-state-metrics: what a label name cannot hold becomes "_", and where that makes
 * two keys equal, all of them get _conflict1, _conflict2, ... in the order of the keys, so that a
 * name never moves from one key to another because of a third.
 */
#include "labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const char NAME_PREFIX[] = "label_";

/* One admitted label, borrowed from the JSON tree, with the name its key alone would give. */
struct candidate {
    const char *key;
    const json_value *value;
    const char *base;
    unsigned int conflict; /* 0 = no other key has this base */
};

/*
 * A whole number beyond the exact integers, without exponent: the shortest digits that read back
 * equal, then zeros, as JavaScript prints it: 12345678901234567890 is 12345678901234567000.
 */
static void add_large_integer(struct strbuf *out, double v)
{
    char text[32]; /* "-1.2345678901234567e+308" */
    int precision = 14;

    do {
        (void)snprintf(text, sizeof(text), "%.*e", precision, v);
    } while (strtod(text, NULL) != v && ++precision <= 16);

    char *e = strchr(text, 'e');
    long n_digits = strtol(e + 1, NULL, 10) + 1;
    for (const char *p = text; p < e; p++) {
        if (*p == '-')
            strbuf_addc(out, '-');
        else if (*p != '.' && n_digits-- > 0)
            strbuf_addc(out, *p);
    }
    while (n_digits-- > 0)
        strbuf_addc(out, '0');
}

static void add_number(struct strbuf *out, double v)
{
    /* From 2^53 on there are no fractions. */
    if (fabs(v) > (double)JSON_INTEGER_MAX)
        add_large_integer(out, v);
    else
        strbuf_add_double(out, v);
}

static const char *number_value(struct text_cleaner *t, double v)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    add_number(&text, v);
    if (!strbuf_ok(&text)) {
        t->nomem = true;
        return "";
    }
    return text_keep(t, text.ptr, text.len);
}

/* Text, numbers and booleans can be shown; null, objects, arrays and 1e309 cannot. */
static bool is_presentable(const json_value *v)
{
    double number;
    bool truth;

    return json_string(v) || json_number(v, &number) == 0 || json_bool(v, &truth) == 0;
}

static const char *label_value(struct text_cleaner *t, const json_value *v)
{
    double number;
    bool truth;

    if (json_number(v, &number) == 0)
        return number_value(t, number);
    if (json_bool(v, &truth) == 0)
        return truth ? "true" : "false";
    const char *s = json_string(v);
    return text_clean(t, s, strlen(s));
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* One "_" for each character, not for each of its bytes; for each byte of what is not UTF-8. */
static const char *base_name(struct text_cleaner *t, const char *key)
{
    char name[LABEL_NAME_MAX];
    size_t n = sizeof(NAME_PREFIX) - 1;
    size_t left = strlen(key);

    memcpy(name, NAME_PREFIX, n);
    while (left > 0 && n < sizeof(name)) {
        size_t len = utf8_sequence_len(key, left);

        name[n++] = is_name_char(*key) ? *key : '_';
        key += len ? len : 1;
        left -= len ? len : 1;
    }
    return text_keep(t, name, n);
}

/* Keeps kept[] sorted by key and full of the first keys; of equal keys the first one stays. */
static size_t insert(struct candidate *kept, size_t n, const struct candidate *new)
{
    size_t at = n;

    while (at > 0) {
        int order = strcmp(kept[at - 1].key, new->key);
        if (order == 0)
            return n;
        if (order < 0)
            break;
        at--;
    }
    if (at == LABELS_MAX)
        return n;
    if (n == LABELS_MAX)
        n--;
    memmove(kept + at + 1, kept + at, (n - at) * sizeof(*kept));
    kept[at] = *new;
    return n + 1;
}

static size_t select_labels(const json_value *labels, const struct glob_list *allowed,
                            struct candidate kept[LABELS_MAX])
{
    size_t n = 0;

    for (const json_value *v = json_first(labels); v; v = json_next(v)) {
        struct candidate new = {.key = json_key(v), .value = v};

        if (n == LABELS_MAX && strcmp(new.key, kept[n - 1].key) > 0)
            continue;
        if (is_presentable(v) && glob_list_match(allowed, new.key))
            n = insert(kept, n, &new);
    }
    return n;
}

static bool is_conflict_name_of(const char *name, const struct candidate *c)
{
    char suffix[32];
    size_t len = strlen(c->base);

    (void)snprintf(suffix, sizeof(suffix), "_conflict%u", c->conflict);
    return strncmp(name, c->base, len) == 0 && strcmp(name + len, suffix) == 0;
}

static bool is_taken(const struct candidate *kept, size_t n, const struct candidate *c)
{
    for (size_t i = 0; i < n; i++) {
        if (is_conflict_name_of(kept[i].base, c))
            return true;
    }
    return false;
}

/*
 * Numbers the members of each group of equal bases. A number is skipped if some other key is
 * called just like that ("a_conflict1"): a name that comes twice would cost the whole scrape.
 * Names made of different bases differ, so that no other check is needed.
 */
static void number_conflicts(struct candidate *kept, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct candidate *c = &kept[i];
        unsigned int last = 0;
        bool equal = false;

        for (size_t j = 0; j < n; j++) {
            if (j == i || strcmp(kept[j].base, c->base) != 0)
                continue;
            equal = true;
            if (j < i)
                last = kept[j].conflict; /* the nearest before wins: numbers grow */
        }
        if (!equal)
            continue;
        c->conflict = last;
        do {
            c->conflict++;
        } while (is_taken(kept, n, c));
    }
}

static const char *final_name(struct text_cleaner *t, const struct candidate *c)
{
    char name[LABEL_NAME_MAX + 32];

    if (c->conflict == 0)
        return c->base;
    int len = snprintf(name, sizeof(name), "%s_conflict%u", c->base, c->conflict);
    return text_keep(t, name, (size_t)len);
}

static int compare_names(const void *a, const void *b)
{
    const struct deployment_label *left = a;
    const struct deployment_label *right = b;

    return strcmp(left->name, right->name);
}

const struct deployment_label *labels_decode(const json_value *labels,
                                             const struct glob_list *allowed,
                                             struct text_cleaner *t, size_t *ret_n)
{
    struct candidate kept[LABELS_MAX];

    *ret_n = 0;
    if (!json_is_object(labels) || !allowed || allowed->n_patterns == 0)
        return NULL;

    size_t n = select_labels(labels, allowed, kept);
    if (n == 0)
        return NULL;
    for (size_t i = 0; i < n; i++)
        kept[i].base = base_name(t, kept[i].key);
    number_conflicts(kept, n);

    struct deployment_label *shown = arena_calloc(t->arena, n, sizeof(*shown));
    if (!shown)
        t->nomem = true;
    for (size_t i = 0; i < n && !t->nomem; i++) {
        shown[i].name = final_name(t, &kept[i]);
        shown[i].value = label_value(t, kept[i].value);
    }
    if (t->nomem)
        return NULL;
    qsort(shown, n, sizeof(*shown), compare_names);
    *ret_n = n;
    return shown;
}
