/*
 * The options: what may stand where in a configuration file, and how it is read.
 *
 * One table says all about an option that can be said without looking at others. To add an option,
 * add a line. Every option takes effect on a reload. What an option's value means together with
 * others is checked in targets.c and credentials.c.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "problem.h"
#include "text.h"
#include "value.h"

/* A place for options. Those of DEFAULTS may also stand in a target. */
enum scope {
    SCOPE_ROOT,
    SCOPE_DEFAULTS,
    SCOPE_RATE_LIMIT,
    SCOPE_CREDENTIALS, /* one of the list */
    SCOPE_TARGETS,     /* one of the list */
    SCOPE_SELECT,
    SCOPE_TLS_CONFIG,
    SCOPE_METRICS,
    SCOPE_STATE,
    SCOPE_END,
};

/* With the type of the field it is read into. */
enum option_type {
    OPTION_DURATION, /* int64_t, milliseconds */
    OPTION_SIZE,     /* int64_t, bytes */
    OPTION_COUNT,    /* int64_t */
    OPTION_INT,      /* int */
    OPTION_NUMBER,   /* double; integers are taken, too */
    OPTION_BOOL,     /* bool */
    OPTION_STRING,   /* const char * */
    OPTION_STRINGS,  /* struct string_list */
    OPTION_WORD,     /* const char *: one of the choices */
    OPTION_CHOICE,   /* int: index of the choice */
    OPTION_CHOICES,  /* unsigned: bit set of 1u << index */
    OPTION_GROUP,    /* read on its own, or into the same struct where `into` says so */
    OPTION_LIST,     /* of groups; read on its own */
};

struct choice {
    const char *name; /* NULL ends the list */
};

struct option {
    enum scope scope;
    const char *key;
    enum option_type type;
    bool later;          /* known, but not supported yet */
    const char *initial; /* as in the file, strings without quotes; NULL = none */
    const char *min;     /* as in the file; NULL where the type has no range */
    const char *max;
    enum text_rule rule;          /* of strings */
    const struct choice *choices; /* of choices */
    enum scope into;              /* of a group that belongs to its parent's struct */
    size_t offset;                /* in the struct of its scope, see block.h */
};

/* All options, scope by scope. */
const struct option *schema_options(size_t *ret_n);

/* What stands before an option's key in messages: "select." of select.status; "" for most. */
const char *schema_prefix(enum scope scope);

/* Puts the initial values of a scope into its struct. */
int schema_set_initial(enum scope scope, struct arena *arena, void *ret) MUST_CHECK;

/*
 * Checks a group against its scope's options and puts what is good into ret, the struct of the
 * scope. ret is NULL for the scopes that have none: ROOT and STATE. Options that are not given are
 * left alone. -1: out of memory.
 */
int schema_read(enum scope scope, struct value *group, struct arena *arena,
                struct problems *problems, void *ret) MUST_CHECK;

/* The group's member if it is there and nothing is wrong with it so far. */
struct value *schema_good_member(const struct value *group, const char *key);

#endif
