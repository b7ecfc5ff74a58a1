/*
 * What a configuration file says, before anybody asks what it means: a tree of values with lines.
 *
 * Lives in the arena it was parsed into, next to its strings. Only `reported` changes later.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
    VALUE_STRING,
    VALUE_INTEGER,
    VALUE_FLOAT,
    VALUE_BOOL,
    VALUE_ARRAY, /* [ ]: scalars of one type */
    VALUE_LIST,  /* ( ): anything */
    VALUE_GROUP, /* { } */
};

struct value {
    const char *key; /* NULL for elements of arrays and lists */
    enum value_type type;
    unsigned line; /* of the expanded text, see source.h */
    bool reported; /* a problem of this value is known; what follows from it is not another */
    union {
        const char *string;
        int64_t integer;
        double number;
        bool boolean;
        struct {
            struct value *items;
            size_t n_items;
        };
    };
};

/* The member of a group, or NULL. */
struct value *value_member(const struct value *group, const char *key);

/* "an integer", "a group", ...; static. */
const char *value_type_name(enum value_type type);

#endif
