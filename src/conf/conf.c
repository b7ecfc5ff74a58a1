#include "conf/conf.h"

#include <stdatomic.h>
#include <string.h>

#include "block.h"
#include "build.h"
#include "parse.h"
#include "problem.h"
#include "schema.h"
#include "source.h"

/* What callers hold is its first member. Lies in the arena it owns. */
struct conf_owner {
    struct conf conf;
    atomic_size_t refs;
    struct arena *arena;
};

/* A conf on the way. On failure nothing of it remains. */
struct loading {
    struct arena *arena;   /* of the conf; TAKEn when it is done */
    struct arena *scratch; /* of the values */
    struct source source;
    struct problems problems;
    struct conf_owner *owner;
};

static void loading_release(struct loading *l)
{
    source_release(&l->source);
    problems_release(&l->problems);
    arena_free(l->scratch);
    arena_free(l->arena);
}

/* A group or list of the top level. */
static struct value *part(const struct value *root, const char *key)
{
    return schema_good_member(root, key);
}

static struct glob_list globs(const struct string_list *list)
{
    return (struct glob_list){.patterns = list->items, .n_patterns = list->n_items};
}

static int build_metrics(struct loading *l, struct value *group, struct target *base)
{
    struct conf *conf = &l->owner->conf;
    struct metrics_block block = {0};

    if (schema_set_initial(SCOPE_METRICS, l->arena, &block) < 0)
        return -1;
    if (group && schema_read(SCOPE_METRICS, group, l->arena, &l->problems, &block) < 0)
        return -1;
    conf->deny = globs(&block.deny);
    conf->aggregation = (enum conf_aggregation)block.aggregation;
    conf->draft_lock_holder = block.draft_lock_holder;
    base->deployment_labels = globs(&block.deployment_labels);
    return 0;
}

static int build_state(struct loading *l, const struct build *build, struct value *group)
{
    struct conf *conf = &l->owner->conf;
    struct state_block block = {0};
    const struct value *file;

    if (schema_set_initial(SCOPE_STATE, l->arena, &block) < 0)
        return -1;
    if (group && schema_read(SCOPE_STATE, group, l->arena, &l->problems, &block) < 0)
        return -1;
    conf->hold_ms = block.hold_ms;
    file = group ? schema_good_member(group, "file") : NULL;
    conf->state_file = file && *file->string ? build_resolve_beside(build, file) : "";
    return conf->state_file ? 0 : -1;
}

static int build_base(struct loading *l, const struct value *root, struct target_base *ret)
{
    struct value *defaults = part(root, "defaults");
    struct value *rate_limit = part(root, "rate_limit");
    struct target_block *block = &ret->block;

    if (schema_set_initial(SCOPE_DEFAULTS, l->arena, block) < 0 ||
        schema_set_initial(SCOPE_RATE_LIMIT, l->arena, block) < 0 ||
        schema_set_initial(SCOPE_TARGETS, l->arena, block) < 0)
        return -1;
    if (defaults && schema_read(SCOPE_DEFAULTS, defaults, l->arena, &l->problems, block) < 0)
        return -1;
    if (rate_limit && schema_read(SCOPE_RATE_LIMIT, rate_limit, l->arena, &l->problems, block) < 0)
        return -1;
    ret->defaults = defaults;
    return build_metrics(l, part(root, "metrics"), &block->target);
}

static int build_conf(struct loading *l, struct value *root)
{
    const struct build build = {l->arena, &l->problems, &l->source};
    struct conf *conf = &l->owner->conf;
    struct credentials_list credentials = {0};
    struct target_base base = {.credentials = &credentials};
    struct target_list targets = {0};

    if (schema_read(SCOPE_ROOT, root, l->arena, &l->problems, NULL) < 0 ||
        build_base(l, root, &base) < 0 || build_state(l, &build, part(root, "state")) < 0 ||
        build_credentials(&build, part(root, "credentials"), &credentials) < 0)
        return -1;
    build_check_defaults(&build, &base);
    if (!value_member(root, "targets"))
        problem_add(&l->problems, 0, "there are no targets");
    else if (part(root, "targets") &&
             build_targets(&build, part(root, "targets"), &base, &targets) < 0)
        return -1;
    conf->credentials = credentials.specs;
    conf->n_credentials = credentials.n_specs;
    conf->targets = targets.targets;
    conf->n_targets = targets.n_targets;
    conf->hash = l->source.hash;
    return 0;
}

static int load(struct loading *l, const char *path)
{
    struct value *root = NULL;

    l->arena = arena_new();
    l->scratch = arena_new();
    if (!l->arena || !l->scratch)
        return -1;
    l->owner = arena_calloc(l->arena, 1, sizeof(*l->owner));
    if (!l->owner || source_load(&l->source, path, l->scratch, &l->problems) < 0)
        return -1;
    l->owner->conf.path = arena_strdup(l->arena, path);
    if (!l->owner->conf.path)
        return -1;
    if (!l->source.complete)
        return 0;
    if (parse_source(&l->source, l->scratch, &l->problems, &root) < 0)
        return -1;
    return root ? build_conf(l, root) : 0;
}

int conf_load(const char *path, struct conf **ret, struct strbuf *problems, struct err *err)
{
    CLEANUP(loading_release) struct loading l = {0};

    if (load(&l, path) < 0)
        return err_nomem(err, "configuration");
    if (problems_report(&l.problems, &l.source, problems, err) < 0)
        return -1;
    struct conf_owner *owner = l.owner;
    atomic_init(&owner->refs, 1);
    owner->arena = TAKE(l.arena);
    *ret = &owner->conf;
    return 0;
}

/* conf is the first member of what owns it. */
static struct conf_owner *owner_of(struct conf *conf)
{
    _Static_assert(offsetof(struct conf_owner, conf) == 0, "conf and its owner share an address");
    return (struct conf_owner *)conf;
}

struct conf *conf_ref(struct conf *conf)
{
    atomic_fetch_add_explicit(&owner_of(conf)->refs, 1, memory_order_relaxed);
    return conf;
}

void conf_unref(struct conf *conf)
{
    if (!conf)
        return;
    struct conf_owner *owner = owner_of(conf);
    /* The last one must see what all others did with it. */
    if (atomic_fetch_sub_explicit(&owner->refs, 1, memory_order_acq_rel) == 1)
        arena_free(owner->arena);
}

void conf_unrefp(struct conf **conf)
{
    conf_unref(*conf);
}
