#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "schema.h"

static int compare(const void *left, const void *right)
{
    const struct occurrence *a = left;
    const struct occurrence *b = right;
    int order = strcmp(a->name, b->name);

    if (order == 0)
        order = strcmp(a->of, b->of);
    if (order != 0)
        return order;
    if (a->at->line != b->at->line)
        return a->at->line < b->at->line ? -1 : 1;
    /* Of one line: values lie in memory as in the file. */
    return a->at < b->at ? -1 : a->at > b->at;
}

static bool same(const struct occurrence *a, const struct occurrence *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->of, b->of) == 0;
}

void build_find_duplicates(struct occurrence *items, size_t n)
{
    size_t first = 0;

    /* Sorted, for files with thousands of namespaces. */
    if (n > 1)
        qsort(items, n, sizeof(*items), compare);
    for (size_t i = 0; i < n; i++) {
        if (!same(&items[first], &items[i]))
            first = i;
        items[i].first = i == first ? NULL : items[first].at;
    }
}

int build_check_names(const struct build *b, const struct value *list, const char *already)
{
    struct occurrence *names = arena_calloc(b->arena, list->n_items, sizeof(*names));
    size_t n = 0;

    if (!names)
        return -1;
    for (size_t i = 0; i < list->n_items; i++) {
        const struct value *group = &list->items[i];
        struct value *name = group->type == VALUE_GROUP ? schema_good_member(group, "name") : NULL;

        if (name)
            names[n++] = (struct occurrence){.name = name->string, .of = "", .at = name};
    }
    build_find_duplicates(names, n);
    for (size_t i = 0; i < n; i++) {
        if (!names[i].first)
            continue;
        struct source_place place = source_place(b->source, names[i].first->line);
        problem_add(b->problems, names[i].at->line, "%s \"%.*s\" at %s:%u", already,
                    PROBLEM_TEXT(names[i].name), place.path, place.line);
    }
    return 0;
}

const char *build_resolve_beside(const struct build *b, const struct value *v)
{
    return files_join(b->arena, source_file_at(b->source, v->line)->dir, v->string);
}

const char *build_resolve(const struct build *b, const struct value *v)
{
    return files_resolve(b->arena, source_file_at(b->source, v->line)->dir, v->string);
}
