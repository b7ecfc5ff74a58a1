/*
 * An arena: allocations that are freed together.
 *
 * One owner, one thread while it grows; once nobody allocates from it any more, any thread may
 * read what it holds. Nothing in it is freed on its own.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/cleanup.h"

struct arena;

/* An empty arena, or NULL. It allocates nothing but itself until used. */
struct arena *arena_new(void);
void arena_free(struct arena *a);
void arena_freep(struct arena **a);

/* n bytes, aligned for any type, not zeroed; NULL when memory is out. n = 0 gives a valid pointer.
 */
void *arena_alloc(struct arena *a, size_t n) MUST_CHECK;
/* The same, zeroed; count * size is checked for overflow. */
void *arena_calloc(struct arena *a, size_t count, size_t size) MUST_CHECK;
/* A copy of len bytes with a NUL behind. */
char *arena_strndup(struct arena *a, const char *s, size_t len) MUST_CHECK;
char *arena_strdup(struct arena *a, const char *s) MUST_CHECK;

/* Bytes taken from the heap so far, for limits and metrics. */
size_t arena_bytes(const struct arena *a);

#endif
