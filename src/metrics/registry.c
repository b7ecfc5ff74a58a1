/*
 * A table that grows while the program starts and is only read afterwards. What an entry writes is
 * the business of whoever added it; the registry puts the header in front and takes it back when
 * nothing followed, so that a family that has no value now is absent rather than empty. Headers
 * never change and are a third of the text, so they are rendered once.
 */
#include "metrics/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 32 };

struct entry {
    enum registry_group group;
    const struct family *family;
    registry_collect_fn *collect;
    void *ctx;
    struct strbuf headers[EXPO_FORMAT_END];
};

struct registry {
    struct entry *entries;
    size_t n_entries;
    size_t cap;
};

struct registry *registry_new(void)
{
    return calloc(1, sizeof(struct registry));
}

static void release_headers(struct entry *entry)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        strbuf_release(&entry->headers[format]);
}

static int render_headers(struct entry *entry, struct err *err)
{
    bool ok = true;

    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        expo_header(&entry->headers[format], (enum expo_format)format, entry->family);
        ok = ok && strbuf_ok(&entry->headers[format]);
    }
    if (ok)
        return 0;
    release_headers(entry);
    return err_nomem(err, "the header of a live metric");
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->n_entries; i++)
        release_headers(&registry->entries[i]);
    free(registry->entries);
    free(registry);
}

static int grow(struct registry *registry, struct err *err)
{
    size_t cap = registry->cap ? registry->cap * 2 : CAP_FIRST;
    struct entry *entries = realloc(registry->entries, cap * sizeof(*entries));

    if (!entries)
        return err_nomem(err, "the table of live metrics");
    registry->entries = entries;
    registry->cap = cap;
    return 0;
}

int registry_add(struct registry *registry, enum registry_group group, const struct family *family,
                 registry_collect_fn *collect, void *ctx, struct err *err)
{
    assert(group < REGISTRY_GROUP_END);
    /* The samples of a family must stand together: a second block would make the text invalid. */
    for (size_t i = 0; i < registry->n_entries; i++) {
        if (strcmp(registry->entries[i].family->name, family->name) == 0)
            return err_set(err, ERR_INTERNAL, "metric family %s is registered twice", family->name);
    }
    if (registry->n_entries == registry->cap && grow(registry, err) < 0)
        return -1;

    struct entry entry = {.group = group, .family = family, .collect = collect, .ctx = ctx};
    if (render_headers(&entry, err) < 0)
        return -1;
    registry->entries[registry->n_entries++] = entry;
    return 0;
}

const struct family *registry_family(const struct registry *registry, size_t i)
{
    return i < registry->n_entries ? registry->entries[i].family : NULL;
}

static void write_entry(const struct entry *entry, enum expo_format format, struct strbuf *out)
{
    struct expo e = {.out = out};
    size_t before = out->len;

    strbuf_add(out, entry->headers[format].ptr, entry->headers[format].len);
    entry->collect(entry->ctx, entry->family, &e);
    if (e.n_series > 0 || !strbuf_ok(out))
        return;
    out->len = before;
    out->ptr[before] = '\0';
}

void registry_write(const struct registry *registry, unsigned groups, const struct glob_list *deny,
                    enum expo_format format, struct strbuf *out)
{
    for (size_t i = 0; i < registry->n_entries; i++) {
        const struct entry *entry = &registry->entries[i];

        if (!(groups & (1U << entry->group)))
            continue;
        if (deny && glob_list_match(deny, entry->family->name))
            continue;
        write_entry(entry, format, out);
    }
}
