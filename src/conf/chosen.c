/* What a target follows by name: deployments, deploy tickets, the directory with more of those. */
#include "build.h"

#include <string.h>

#include "schema.h"

/* One problem for each string of the list that another one before it is. */
static int check_twice(const struct build *b, const struct value *list, const char *what)
{
    struct occurrence *seen = arena_calloc(b->arena, list->n_items, sizeof(*seen));

    if (!seen)
        return -1;
    for (size_t i = 0; i < list->n_items; i++)
        seen[i] =
            (struct occurrence){.name = list->items[i].string, .of = "", .at = &list->items[i]};
    build_find_duplicates(seen, list->n_items);
    for (size_t i = 0; i < list->n_items; i++) {
        if (!seen[i].first)
            continue;
        struct source_place place = source_place(b->source, seen[i].first->line);
        problem_add(b->problems, seen[i].at->line, "%s \"%.*s\" is already there at %s:%u", what,
                    PROBLEM_TEXT(seen[i].name), place.path, place.line);
    }
    return 0;
}

/* The first option of select that says anything, or NULL. */
static const struct value *selecting(const struct value *group)
{
    const struct value *select = schema_good_member(group, "select");

    for (size_t i = 0; select && i < select->n_items; i++) {
        const struct value *v = &select->items[i];
        bool is_list = v->type == VALUE_ARRAY || v->type == VALUE_LIST;

        if (is_list ? v->n_items > 0 : v->type == VALUE_STRING && *v->string)
            return v;
    }
    return NULL;
}

static int build_names(const struct build *b, const struct value *group,
                       const struct target_block *block, struct target *t)
{
    const struct value *names = schema_good_member(group, "deployment_names");
    const struct value *select = selecting(group);

    if (!names || names->n_items == 0)
        return 0;
    if (select)
        problem_add(b->problems, names->line,
                    "deployment_names and select.%s do not go together: the control plane selects "
                    "from listings only",
                    select->key);
    t->deployment_names = block->deployment_names.items;
    t->n_deployment_names = block->deployment_names.n_items;
    return check_twice(b, names, "deployment name");
}

static bool watches(const struct value *namespaces, const char *name)
{
    for (size_t i = 0; i < namespaces->n_items; i++)
        if (strcmp(namespaces->items[i].string, name) == 0)
            return true;
    return false;
}

static int build_tickets(const struct build *b, const struct value *group,
                         const struct target_block *block, struct target *t)
{
    const struct value *list = schema_good_member(group, "tickets");
    const struct value *namespaces = schema_good_member(group, "namespaces");
    size_t n = list ? block->tickets.n_items : 0;
    struct target_ticket *tickets = arena_calloc(b->arena, n, sizeof(*tickets));

    if (!tickets)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const char *text = block->tickets.items[i];
        const char *slash = strchr(text, '/');

        tickets[i].namespace_name = arena_strndup(b->arena, text, (size_t)(slash - text));
        tickets[i].id = arena_strdup(b->arena, slash + 1);
        if (!tickets[i].namespace_name || !tickets[i].id)
            return -1;
        if (namespaces && !watches(namespaces, tickets[i].namespace_name))
            problem_add(b->problems, list->items[i].line,
                        "ticket \"%.*s\": \"%.*s\" is not one of the target's namespaces",
                        PROBLEM_TEXT(text), PROBLEM_TEXT(tickets[i].namespace_name));
    }
    t->tickets = tickets;
    t->n_tickets = n;
    return n > 0 ? check_twice(b, list, "ticket") : 0;
}

/* The option says something that only a collector that is not there would hear. */
static void check_collector(const struct build *b, const struct value *group, const char *key,
                            const struct target *t)
{
    const struct value *collectors = value_member(group, "collectors");
    const struct value *v = schema_good_member(group, key);

    if (!v || (collectors && collectors->reported) || t->collectors & (1u << COLLECTOR_TICKETS) ||
        (v->type == VALUE_STRING ? !*v->string : v->n_items == 0))
        return;
    problem_add(b->problems, v->line,
                "%s needs the collector \"tickets\": add it to collectors, such as collectors = [ "
                "\"deployments\", \"tickets\" ]",
                key);
}

/* What jobs to ask for is told by the deployments' summaries. */
static void check_jobs(const struct build *b, const struct value *group, const struct target *t)
{
    const struct value *v = value_member(group, "collectors");

    if (v && !v->reported && t->collectors & (1u << COLLECTOR_JOBS) &&
        !(t->collectors & (1u << COLLECTOR_DEPLOYMENTS)))
        problem_add(b->problems, v->line,
                    "the collector \"jobs\" needs the collector \"deployments\": collectors = [ "
                    "\"deployments\", \"jobs\" ]");
}

int build_chosen(const struct build *b, const struct value *group, const struct target_block *block,
                 struct target *t)
{
    const struct value *dir = schema_good_member(group, "ticket_dir");

    if (build_names(b, group, block, t) < 0 || build_tickets(b, group, block, t) < 0)
        return -1;
    check_collector(b, group, "tickets", t);
    check_collector(b, group, "ticket_dir", t);
    check_jobs(b, group, t);
    if (!dir || !*dir->string)
        return 0;
    t->ticket_dir = build_resolve_beside(b, dir);
    return t->ticket_dir ? 0 : -1;
}

int build_check_ticket_dirs(const struct build *b, const struct value *list)
{
    struct occurrence *dirs = arena_calloc(b->arena, list->n_items, sizeof(*dirs));
    size_t n = 0;

    if (!dirs)
        return -1;
    for (size_t i = 0; i < list->n_items; i++) {
        const struct value *group = &list->items[i];
        struct value *dir =
            group->type == VALUE_GROUP ? schema_good_member(group, "ticket_dir") : NULL;

        if (!dir || !*dir->string)
            continue;
        dirs[n] = (struct occurrence){.name = build_resolve_beside(b, dir), .of = "", .at = dir};
        if (!dirs[n++].name)
            return -1;
    }
    build_find_duplicates(dirs, n);
    for (size_t i = 0; i < n; i++) {
        if (!dirs[i].first)
            continue;
        struct source_place place = source_place(b->source, dirs[i].first->line);
        problem_add(b->problems, dirs[i].at->line,
                    "ticket_dir \"%.*s\" is already another target's at %s:%u",
                    PROBLEM_TEXT(dirs[i].at->string), place.path, place.line);
    }
    return 0;
}
