#include "names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"

/* So many names a sentence has, each of so many bytes at most; the others are counted. */
#define SAID_NAMES      3
#define SAID_NAME_BYTES 64

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* 'LEN-LIMITED "NAME"' behind what is there. */
static void say(struct missing_names *missing, const char *name)
{
    size_t len = strlen(missing->names), name_len = strlen(name);
    int n = (int)utf8_prefix_len(name, name_len, SAID_NAME_BYTES);

    (void)snprintf(missing->names + len, sizeof(missing->names) - len, "%s\"%.*s%s\"",
                   len > 0 ? ", " : "", n, name, (size_t)n < name_len ? "..." : "");
}

int find_missing_names(const struct target *target, const struct listing *listing,
                       struct missing_names *ret, struct err *err)
{
    CLEANUP(freep) const char **names = calloc(listing->n_items + 1, sizeof(*names));

    *ret = (struct missing_names){0};
    if (!names)
        return err_nomem(err, "the names of a listing");
    for (size_t i = 0; i < listing->n_items; i++)
        names[i] = listing->items[i].name;
    if (listing->n_items > 1)
        qsort(names, listing->n_items, sizeof(*names), by_text);
    for (size_t i = 0; i < target->n_deployment_names; i++) {
        const char *name = target->deployment_names[i];

        if (bsearch(&name, names, listing->n_items, sizeof(*names), by_text))
            continue;
        if (ret->n++ < SAID_NAMES)
            say(ret, name);
        /* The quote keeps "a", "b" apart from "ab"; names may have it, which is no harm here. */
        ret->hash = hash_fnv1a(hash_fnv1a(ret->hash ? ret->hash : HASH_FNV1A_START, name), "\"");
    }
    return 0;
}
