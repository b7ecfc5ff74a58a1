/*
 * From values to the records of struct conf: what the builders of its parts share.
 */
#ifndef BUILD_H
#define BUILD_H

#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "block.h"
#include "problem.h"
#include "source.h"
#include "value.h"

struct build {
    struct arena *arena; /* of struct conf */
    struct problems *problems;
    const struct source *source;
};

/* A thing that must be there once only, such as a name. */
struct occurrence {
    const char *name;
    const char *of; /* "" where the name alone counts */
    struct value *at;
    const struct value *first; /* the same thing seen before, NULL = none */
};

/* Fills in first. Changes the order. */
void build_find_duplicates(struct occurrence *items, size_t n);

/*
 * One problem for each group of the list whose name another one had before:
 * 'ALREADY "name" at file:line'. -1: out of memory.
 */
int build_check_names(const struct build *b, const struct value *list,
                      const char *already) MUST_CHECK;

/* The path that the value's string stands for, from the directory of the file it stands in. */
const char *build_resolve(const struct build *b, const struct value *v) MUST_CHECK;

/* As above, but next to the file and nowhere else: for what the program writes. */
const char *build_resolve_beside(const struct build *b, const struct value *v) MUST_CHECK;

struct credentials_list {
    struct credentials_spec *specs; /* of those with problems, names only */
    size_t n_specs;
};

/* list may be NULL. -1: out of memory. */
int build_credentials(const struct build *b, struct value *list,
                      struct credentials_list *ret) MUST_CHECK;

struct target_list {
    struct target *targets;
    size_t n_targets;
};

/* What targets have where they say nothing else. */
struct target_base {
    struct target_block block;
    const struct value *defaults; /* the group, NULL = not given */
    const struct credentials_list *credentials;
};

/* What a target reads besides whole listings, put into t: deployment_names, tickets, ticket_dir. */
int build_chosen(const struct build *b, const struct value *group, const struct target_block *block,
                 struct target *t) MUST_CHECK;
/* Two targets with one ticket_dir would take each other's tickets for their own. */
int build_check_ticket_dirs(const struct build *b, const struct value *list) MUST_CHECK;

int build_targets(const struct build *b, const struct value *list, const struct target_base *base,
                  struct target_list *ret) MUST_CHECK;

/* What must hold between options of `defaults`, so that it is said once, not for each target. */
void build_check_defaults(const struct build *b, const struct target_base *base);

#endif
