/* The list `credentials`. No message repeats what could be a secret. */
#include "build.h"

#include <string.h>

#include "files.h"
#include "base/nearest.h"
#include "origin.h"
#include "schema.h"

struct credentials_reading {
    const struct build *build;
    struct value *group;
    struct credentials_block block;
    const char *name; /* for messages: "" if there is none */
};

static struct problems *problems_of(const struct credentials_reading *r)
{
    return r->build->problems;
}

static void report_missing(const struct credentials_reading *r, const char *what)
{
    problem_add(problems_of(r), r->group->line, "credentials \"%.*s\" need %s",
                PROBLEM_TEXT(r->name), what);
}

/* A secret in the file itself. */
static void check_inline(const struct credentials_reading *r, const char *key)
{
    const struct value *v = schema_good_member(r->group, key);

    if (v && source_file_at(r->build->source, v->line)->exposed)
        problem_add(problems_of(r), v->line,
                    "%s stands in a file that everybody may read; take the right from others, or "
                    "use %s_file",
                    key, key);
}

static int check_file(const struct credentials_reading *r, const char *key, enum files_kind kind,
                      const char **ret)
{
    CLEANUP(strbuf_release) struct strbuf complaint = STRBUF_INIT;
    struct value *v = schema_good_member(r->group, key);

    if (!v || !*v->string)
        return 0;
    const char *path = build_resolve(r->build, v);
    if (!path)
        return -1;
    if (!files_check(path, kind, &complaint)) {
        problem_add(problems_of(r), v->line, "%s \"%s\": %s", key, path, strbuf_str(&complaint));
        v->reported = true;
    }
    *ret = path;
    return 0;
}

/* True if one of the two is given; a problem if both are. */
static bool check_pair(const struct credentials_reading *r, const char *key, const char *file_key)
{
    const struct value *value = value_member(r->group, key);
    const struct value *file = value_member(r->group, file_key);

    if (value && file)
        problem_add(problems_of(r), value->line > file->line ? value->line : file->line,
                    "%s and %s exclude each other", key, file_key);
    return value || file;
}

static void check_static(const struct credentials_reading *r)
{
    if (!value_member(r->group, "access_key_id"))
        report_missing(r, "an access_key_id");
    if (!check_pair(r, "access_key_secret", "access_key_secret_file"))
        report_missing(r, "an access_key_secret_file or an access_key_secret");
    (void)check_pair(r, "security_token", "security_token_file");
}

static void check_role(const struct credentials_reading *r)
{
    if (!value_member(r->group, "source"))
        report_missing(r, "a source: the name of the credentials that take on the role");
    if (!value_member(r->group, "role_arn"))
        report_missing(r, "a role_arn");
}

/* Which providers a key belongs to. What they do without it is the provider's business. */
#define FOR(provider) (1u << CREDENTIALS_##provider)
static const struct {
    const char *key;
    unsigned providers;
} places[] = {
    {"access_key_id", FOR(STATIC)},
    {"access_key_secret", FOR(STATIC)},
    {"access_key_secret_file", FOR(STATIC)},
    {"security_token", FOR(STATIC)},
    {"security_token_file", FOR(STATIC)},
    {"file", FOR(PROFILE)},
    {"profile", FOR(PROFILE)},
    {"role_name", FOR(ECS_RAM_ROLE)},
    {"endpoint", FOR(ECS_RAM_ROLE)},
    {"role_arn", FOR(OIDC_ROLE_ARN) | FOR(RAM_ROLE_ARN)},
    {"role_session_name", FOR(OIDC_ROLE_ARN) | FOR(RAM_ROLE_ARN)},
    {"sts_endpoint", FOR(OIDC_ROLE_ARN) | FOR(RAM_ROLE_ARN)},
    {"oidc_provider_arn", FOR(OIDC_ROLE_ARN)},
    {"oidc_token_file", FOR(OIDC_ROLE_ARN)},
    {"source", FOR(RAM_ROLE_ARN)},
    {"uri", FOR(URI)},
};
#undef FOR

static void check_keys(const struct credentials_reading *r)
{
    const enum credentials_provider provider = (enum credentials_provider)r->block.provider;

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const struct value *v = value_member(r->group, places[i].key);

        if (v && !(places[i].providers & 1u << provider))
            problem_add(problems_of(r), v->line, "%s does not belong to provider \"%s\"",
                        places[i].key, credentials_provider_name(provider));
    }
    if (provider == CREDENTIALS_STATIC)
        check_static(r);
    else if (provider == CREDENTIALS_RAM_ROLE_ARN)
        check_role(r);
}

static int set_origin(const struct credentials_reading *r, const char *key,
                      const char *(*parse)(const char *url, struct origin *ret), const char **ret)
{
    const struct value *v = schema_good_member(r->group, key);
    struct origin origin;

    if (!v || !*v->string)
        return 0;
    const char *complaint = parse(v->string, &origin);
    if (complaint) {
        problem_add(problems_of(r), v->line, "%s %s", key, complaint);
        return 0;
    }
    *ret = arena_strdup(r->build->arena, origin.url);
    return *ret ? 0 : -1;
}

static int check_urls(struct credentials_reading *r)
{
    const struct value *uri = schema_good_member(r->group, "uri");
    const char *complaint = uri && *uri->string ? uri_complaint(uri->string) : NULL;

    if (complaint)
        problem_add(problems_of(r), uri->line, "uri %s", complaint);
    if (set_origin(r, "sts_endpoint", origin_parse, &r->block.spec.sts_endpoint) < 0)
        return -1;
    return set_origin(r, "endpoint", origin_parse_metadata, &r->block.spec.endpoint);
}

static int check_files(struct credentials_reading *r)
{
    struct credentials_spec *spec = &r->block.spec;

    check_inline(r, "access_key_secret");
    check_inline(r, "security_token");
    if (check_file(r, "access_key_secret_file", FILES_SECRET, &spec->access_key_secret_file) < 0 ||
        check_file(r, "security_token_file", FILES_SECRET, &spec->security_token_file) < 0 ||
        check_file(r, "file", FILES_KEY, &spec->file) < 0)
        return -1;
    return check_file(r, "oidc_token_file", FILES_PUBLIC, &spec->oidc_token_file);
}

static int read_credentials(const struct build *b, struct value *group,
                            struct credentials_spec *ret)
{
    struct credentials_reading r = {.build = b, .group = group, .block.provider = -1};

    if (schema_read(SCOPE_CREDENTIALS, group, b->arena, b->problems, &r.block) < 0)
        return -1;
    r.name = r.block.spec.name ? r.block.spec.name : "";
    if (!value_member(group, "name"))
        problem_add(b->problems, group->line, "credentials need a name");
    if (!value_member(group, "provider"))
        report_missing(&r, "a provider, such as \"auto\", \"static\" or \"env\"");
    if (r.block.provider >= 0)
        check_keys(&r);
    if (check_files(&r) < 0 || check_urls(&r) < 0)
        return -1;
    *ret = r.block.spec;
    ret->provider =
        r.block.provider >= 0 ? (enum credentials_provider)r.block.provider : CREDENTIALS_STATIC;
    return 0;
}

/* --- what takes its keys from what --- */

static const struct credentials_spec *find(const struct credentials_list *list, const char *name)
{
    for (size_t i = 0; name && i < list->n_specs; i++)
        if (list->specs[i].name && strcmp(list->specs[i].name, name) == 0)
            return &list->specs[i];
    return NULL;
}

static const struct credentials_spec *source_of(const struct credentials_list *list,
                                                const struct credentials_spec *spec)
{
    return spec->provider == CREDENTIALS_RAM_ROLE_ARN ? find(list, spec->source) : NULL;
}

static void report_no_source(const struct build *b, const struct credentials_list *list,
                             const struct value *v)
{
    struct nearest nearest = nearest_to(v->string);

    for (size_t i = 0; i < list->n_specs; i++)
        if (list->specs[i].name)
            nearest_offer(&nearest, list->specs[i].name);
    if (nearest.best)
        problem_add(b->problems, v->line,
                    "source: there are no credentials \"%.*s\"; did you mean \"%s\"?",
                    PROBLEM_TEXT(v->string), nearest.best);
    else
        problem_add(b->problems, v->line, "source: there are no credentials \"%.*s\"",
                    PROBLEM_TEXT(v->string));
}

/* Told once for a loop, at the first of those on it: as many steps as there are specs find it. */
static void check_loop(const struct build *b, const struct credentials_list *list,
                       const struct credentials_spec *spec, const struct value *v)
{
    CLEANUP(strbuf_release) struct strbuf way = STRBUF_INIT;
    const struct credentials_spec *at = spec;

    strbuf_adds(&way, spec->name);
    for (size_t i = 0; i < list->n_specs; i++) {
        at = source_of(list, at);
        if (!at || at < spec)
            return;
        strbuf_addf(&way, " -> %s", at->name);
        if (at == spec) {
            problem_add(b->problems, v->line,
                        "source: credentials \"%.*s\" take their keys from themselves: %.*s",
                        PROBLEM_TEXT(spec->name), PROBLEM_TEXT(strbuf_str(&way)));
            return;
        }
    }
}

static void check_sources(const struct build *b, const struct value *groups,
                          const struct credentials_list *list)
{
    size_t n = 0;

    for (size_t i = 0; i < groups->n_items; i++) {
        const struct value *group = &groups->items[i];

        if (group->type != VALUE_GROUP)
            continue;
        const struct credentials_spec *spec = &list->specs[n++];
        const struct value *v = schema_good_member(group, "source");
        if (!v || spec->provider != CREDENTIALS_RAM_ROLE_ARN)
            continue;
        if (!find(list, spec->source))
            report_no_source(b, list, v);
        else if (spec->name)
            check_loop(b, list, spec, v);
    }
}

/*
 * What targets use that name no credentials: the vendor's chain, if there is no list. Beside others
 * it would hide a misspelled "default".
 */
static void add_default(struct credentials_list *list)
{
    if (list->n_specs == 0)
        list->specs[list->n_specs++] =
            (struct credentials_spec){.name = "default", .provider = CREDENTIALS_AUTO};
}

int build_credentials(const struct build *b, struct value *list, struct credentials_list *ret)
{
    const size_t n = list ? list->n_items : 0;

    ret->specs = arena_calloc(b->arena, n + 1, sizeof(*ret->specs));
    if (!ret->specs)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct value *group = &list->items[i];

        if (group->type != VALUE_GROUP)
            continue;
        if (read_credentials(b, group, &ret->specs[ret->n_specs]) < 0)
            return -1;
        ret->n_specs++;
    }
    add_default(ret);
    if (!list)
        return 0;
    check_sources(b, list, ret);
    return build_check_names(b, list, "there are already credentials named");
}
