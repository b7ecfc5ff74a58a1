/* The list `credentials`. No message repeats what could be a secret. */
#include "build.h"

#include "files.h"
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

static int check_file(const struct credentials_reading *r, const char *key, const char **ret)
{
    CLEANUP(strbuf_release) struct strbuf complaint = STRBUF_INIT;
    struct value *v = schema_good_member(r->group, key);

    if (!v)
        return 0;
    const char *path = build_resolve(r->build, v);
    if (!path)
        return -1;
    if (!files_check(path, FILES_SECRET, &complaint)) {
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

static void check_env(const struct credentials_reading *r)
{
    static const char *const keys[] = {
        "access_key_id",  "access_key_secret",   "access_key_secret_file",
        "security_token", "security_token_file",
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct value *v = value_member(r->group, keys[i]);

        if (v)
            problem_add(problems_of(r), v->line, "%s does not belong to provider \"env\"", keys[i]);
    }
}

static int check_secrets(struct credentials_reading *r)
{
    struct credentials_spec *spec = &r->block.spec;

    check_inline(r, "access_key_secret");
    check_inline(r, "security_token");
    if (check_file(r, "access_key_secret_file", &spec->access_key_secret_file) < 0)
        return -1;
    return check_file(r, "security_token_file", &spec->security_token_file);
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
        report_missing(&r, "a provider: \"static\" or \"env\"");
    if (r.block.provider == CREDENTIALS_STATIC)
        check_static(&r);
    else if (r.block.provider == CREDENTIALS_ENV)
        check_env(&r);
    if (check_secrets(&r) < 0)
        return -1;
    *ret = r.block.spec;
    ret->provider = r.block.provider == CREDENTIALS_STATIC ? CREDENTIALS_STATIC : CREDENTIALS_ENV;
    return 0;
}

int build_credentials(const struct build *b, struct value *list, struct credentials_list *ret)
{
    if (!list)
        return 0;
    ret->specs = arena_calloc(b->arena, list->n_items, sizeof(*ret->specs));
    if (!ret->specs)
        return -1;
    for (size_t i = 0; i < list->n_items; i++) {
        struct value *group = &list->items[i];

        if (group->type != VALUE_GROUP)
            continue;
        if (read_credentials(b, group, &ret->specs[ret->n_specs]) < 0)
            return -1;
        ret->n_specs++;
    }
    return build_check_names(b, list, "there are already credentials named");
}
