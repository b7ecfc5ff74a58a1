/*
 * Name patterns of the configuration: "*" is any run of bytes, "?" any one byte, all else itself.
 * Plain memory owned by whoever made the list; immutable, any thread.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"

struct glob_list {
    const char *const *patterns;
    size_t n_patterns;
};

/* Linear time in practice, never exponential, whatever the pattern. */
bool glob_match(const char *pattern, const char *text);

/* True if any pattern of the list matches; false for an empty list. */
bool glob_list_match(const struct glob_list *list, const char *text);

/* The same patterns in the same order. */
bool glob_list_equal(const struct glob_list *a, const struct glob_list *b);

/* A copy with all its strings in the arena; -1 and *ret untouched when memory is out. */
int glob_list_copy(struct arena *arena, const struct glob_list *from,
                   struct glob_list *ret) MUST_CHECK;

#endif
