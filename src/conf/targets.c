/* The list `targets`: each with every default applied, checked alone and against the others. */
#include "build.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "files.h"
#include "origin.h"
#include "schema.h"

enum { DURATION_TEXT_SIZE = 32 };

struct target_reading {
    const struct build *build;
    const struct target_base *base;
    const struct value *group;
    struct target_block block;
    const char *name; /* for messages: "" if there is none */
};

static struct problems *problems_of(const struct target_reading *r)
{
    return r->build->problems;
}

static void report_missing(const struct target_reading *r, const char *what)
{
    problem_add(problems_of(r), r->group->line, "target \"%.*s\" needs %s", PROBLEM_TEXT(r->name),
                what);
}

static void check_required(const struct target_reading *r)
{
    const struct value *namespaces = value_member(r->group, "namespaces");

    if (!value_member(r->group, "name"))
        problem_add(problems_of(r), r->group->line, "a target needs a name");
    if (!value_member(r->group, "workspace"))
        report_missing(r, "a workspace");
    if (!namespaces)
        report_missing(r, "namespaces, such as [ \"default-namespace\" ]");
    else if (!namespaces->reported && namespaces->n_items == 0)
        problem_add(problems_of(r), namespaces->line, "namespaces must not be empty");
}

static int set_origin(struct target_reading *r)
{
    struct target *t = &r->block.target;
    const struct value *endpoint = value_member(r->group, "endpoint");
    const struct value *region = value_member(r->group, "region_id");
    struct origin origin;
    const char *complaint;

    if ((endpoint && endpoint->reported) || (region && region->reported))
        return 0;
    if (endpoint && *t->endpoint) {
        complaint = origin_parse(t->endpoint, &origin);
        if (complaint) {
            problem_add(problems_of(r), endpoint->line, "endpoint %s", complaint);
            return 0;
        }
    } else if (*t->region_id) {
        origin_of_region(t->region_id, r->block.network == NETWORK_VPC, &origin);
    } else {
        report_missing(r, "a region_id, such as \"cn-hangzhou\", or an endpoint");
        return 0;
    }
    t->endpoint = arena_strdup(r->build->arena, origin.url);
    t->host = arena_strdup(r->build->arena, origin.host);
    return t->endpoint && t->host ? 0 : -1;
}

static void report_no_credentials(const struct target_reading *r, unsigned line)
{
    const struct credentials_list *list = r->base->credentials;
    const char *name = r->block.credentials;
    struct nearest nearest = nearest_to(name);

    for (size_t i = 0; i < list->n_specs; i++)
        if (list->specs[i].name)
            nearest_offer(&nearest, list->specs[i].name);
    if (nearest.best)
        problem_add(problems_of(r), line, "there are no credentials \"%.*s\"; did you mean \"%s\"?",
                    PROBLEM_TEXT(name), nearest.best);
    else
        problem_add(problems_of(r), line,
                    "there are no credentials \"%.*s\"; name others, or add { name = \"%.*s\"; "
                    "provider = \"env\"; } to credentials",
                    PROBLEM_TEXT(name), PROBLEM_TEXT(name));
}

static void set_credentials(struct target_reading *r)
{
    const struct credentials_list *list = r->base->credentials;
    const struct value *v = value_member(r->group, "credentials");

    if (v && v->reported)
        return;
    for (size_t i = 0; i < list->n_specs; i++) {
        const struct credentials_spec *spec = &list->specs[i];

        if (spec->name && strcmp(spec->name, r->block.credentials) == 0) {
            r->block.target.credentials = spec;
            return;
        }
    }
    report_no_credentials(r, v ? v->line : r->group->line);
}

static void set_select(struct target_reading *r)
{
    struct target_select *select = &r->block.target.select;
    const struct value *group = schema_good_member(r->group, "select");

    select->label_values = r->block.label_values.items;
    select->n_label_values = r->block.label_values.n_items;
    if (select->n_label_values > 0 && !value_member(group, "label_key"))
        problem_add(problems_of(r), value_member(group, "label_values")->line,
                    "select.label_values needs select.label_key");
}

static int set_tls_file(const struct target_reading *r, const struct value *tls, const char *key,
                        enum files_kind kind, const char **ret)
{
    CLEANUP(strbuf_release) struct strbuf complaint = STRBUF_INIT;
    struct value *v = schema_good_member(tls, key);

    if (!v || !*v->string)
        return 0;
    *ret = build_resolve(r->build, v);
    if (!*ret)
        return -1;
    if (!files_check(*ret, kind, &complaint))
        problem_add(problems_of(r), v->line, "tls_config.%s \"%s\": %s", key, *ret,
                    strbuf_str(&complaint));
    return 0;
}

static bool is_set(const struct value *group, const char *key)
{
    const struct value *v = value_member(group, key);

    return v && (v->type != VALUE_STRING || *v->string);
}

static int set_tls(struct target_reading *r)
{
    struct target_tls *t = &r->block.target.tls;
    const struct value *tls = schema_good_member(r->group, "tls_config");

    if (!tls)
        return 0;
    if (is_set(tls, "cert_file") && !is_set(tls, "key_file"))
        problem_add(problems_of(r), value_member(tls, "cert_file")->line,
                    "tls_config.cert_file needs tls_config.key_file");
    if (is_set(tls, "key_file") && !is_set(tls, "cert_file"))
        problem_add(problems_of(r), value_member(tls, "key_file")->line,
                    "tls_config.key_file needs tls_config.cert_file");
    if (set_tls_file(r, tls, "ca_file", FILES_PUBLIC, &t->ca_file) < 0 ||
        set_tls_file(r, tls, "cert_file", FILES_PUBLIC, &t->cert_file) < 0)
        return -1;
    return set_tls_file(r, tls, "key_file", FILES_KEY, &t->key_file);
}

static void check_proxy(const struct target_reading *r)
{
    const struct value *v = schema_good_member(r->group, "proxy_url");
    const char *complaint = v ? proxy_complaint(v->string) : NULL;

    if (complaint)
        problem_add(problems_of(r), v->line, "proxy_url %s", complaint);
}

static const char *duration_text(int64_t ms, char buf[DURATION_TEXT_SIZE])
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"d", INT64_C(86400000)}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
    };
    size_t i = 0;

    while (ms % units[i].ms != 0)
        i++;
    (void)snprintf(buf, DURATION_TEXT_SIZE, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
    return buf;
}

/* Two durations of which one bounds the other. */
struct relation {
    const char *key;
    int64_t ms;
    const char *words;
    const char *bound_key;
    int64_t bound_ms;
    bool holds;
};

/* The group's member, or that of defaults; NULL if neither says anything. */
static const struct value *given(const struct value *group, const struct value *defaults,
                                 const char *key)
{
    const struct value *v = group ? value_member(group, key) : NULL;

    return v || !defaults ? v : value_member(defaults, key);
}

/* group is the one whose own options are blamed: defaults, or a target. */
static void check_relation(const struct build *b, const struct value *group,
                           const struct value *defaults, const struct relation *relation)
{
    char ms[DURATION_TEXT_SIZE];
    char bound_ms[DURATION_TEXT_SIZE];
    const struct value *own = value_member(group, relation->key);
    const struct value *v = given(group, defaults, relation->key);
    const struct value *bound = given(group, defaults, relation->bound_key);

    if (!own)
        own = value_member(group, relation->bound_key);
    if (!own || relation->holds || (v && v->reported) || (bound && bound->reported))
        return;
    problem_add(b->problems, own->line, "%s (%s) must %s %s (%s)", relation->key,
                duration_text(relation->ms, ms), relation->words, relation->bound_key,
                duration_text(relation->bound_ms, bound_ms));
}

static void check_relations(const struct build *b, const struct value *group,
                            const struct value *defaults, const struct target *t)
{
    const struct relation relations[] = {
        {"max_staleness", t->max_staleness_ms, "be more than", "interval", t->interval_ms,
         t->max_staleness_ms > t->interval_ms},
        {"timeout", t->timeout_ms, "not be more than", "deadline", t->deadline_ms,
         t->timeout_ms <= t->deadline_ms},
    };

    for (size_t i = 0; i < ARRAY_LEN(relations); i++)
        check_relation(b, group, defaults, &relations[i]);
}

void build_check_defaults(const struct build *b, const struct target_base *base)
{
    if (base->defaults)
        check_relations(b, base->defaults, NULL, &base->block.target);
}

static int read_target(const struct build *b, struct value *group, const struct target_base *base,
                       struct target *ret)
{
    struct target_reading r = {.build = b, .base = base, .group = group, .block = base->block};
    struct target *t = &r.block.target;

    if (schema_read(SCOPE_TARGETS, group, b->arena, b->problems, &r.block) < 0)
        return -1;
    r.name = t->name ? t->name : "";
    check_required(&r);
    if (set_origin(&r) < 0)
        return -1;
    set_credentials(&r);
    set_select(&r);
    if (set_tls(&r) < 0)
        return -1;
    if (build_chosen(b, group, &r.block, t) < 0)
        return -1;
    check_proxy(&r);
    check_relations(b, group, base->defaults, t);
    t->namespaces = r.block.namespaces.items;
    t->n_namespaces = r.block.namespaces.n_items;
    *ret = *t;
    return 0;
}

static struct value *good_member(const struct value *group, const char *key)
{
    return group->type == VALUE_GROUP ? schema_good_member(group, key) : NULL;
}

static size_t count_namespaces(const struct value *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n_items; i++) {
        const struct value *namespaces = good_member(&list->items[i], "namespaces");

        n += namespaces ? namespaces->n_items : 0;
    }
    return n;
}

static size_t collect_namespaces(const struct value *group, struct occurrence *ret)
{
    const struct value *workspace = good_member(group, "workspace");
    const struct value *namespaces = good_member(group, "namespaces");
    size_t n = workspace && namespaces ? namespaces->n_items : 0;

    for (size_t i = 0; i < n; i++)
        ret[i] = (struct occurrence){
            .name = namespaces->items[i].string,
            .of = workspace->string,
            .at = &namespaces->items[i],
        };
    return n;
}

/* Two that list the same namespace would report every deployment twice, under the same labels. */
static int check_namespaces(const struct build *b, const struct value *list)
{
    struct occurrence *seen = arena_calloc(b->arena, count_namespaces(list), sizeof(*seen));
    size_t n = 0;

    if (!seen)
        return -1;
    for (size_t i = 0; i < list->n_items; i++)
        n += collect_namespaces(&list->items[i], seen + n);
    build_find_duplicates(seen, n);
    for (size_t i = 0; i < n; i++) {
        if (!seen[i].first)
            continue;
        struct source_place place = source_place(b->source, seen[i].first->line);
        problem_add(b->problems, seen[i].at->line,
                    "namespace \"%.*s\" of workspace \"%.*s\" is already watched at %s:%u",
                    PROBLEM_TEXT(seen[i].name), PROBLEM_TEXT(seen[i].of), place.path, place.line);
    }
    return 0;
}

int build_targets(const struct build *b, const struct value *list, const struct target_base *base,
                  struct target_list *ret)
{
    ret->targets = arena_calloc(b->arena, list->n_items, sizeof(*ret->targets));
    if (!ret->targets)
        return -1;
    for (size_t i = 0; i < list->n_items; i++) {
        struct value *group = &list->items[i];

        if (group->type != VALUE_GROUP)
            continue;
        if (read_target(b, group, base, &ret->targets[ret->n_targets]) < 0)
            return -1;
        ret->n_targets++;
    }
    if (ret->n_targets == 0 && list->n_items == 0)
        problem_add(b->problems, list->line, "targets must not be empty");
    if (build_check_names(b, list, "there is already a target") < 0 ||
        check_namespaces(b, list) < 0)
        return -1;
    return build_check_ticket_dirs(b, list);
}
