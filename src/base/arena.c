/*
 * Blocks in a list, the one being filled at its head. Block sizes double, so that a small result
 * costs one page and a large one few calls of malloc. What is large against the block size gets a
 * block of its own behind the head, and the head goes on being filled. Text needs no alignment
 * and is packed byte by byte: most of what a refresh keeps is text.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_FIRST = 4 * 1024, BLOCK_BYTES_MAX = 64 * 1024 };

struct block {
    struct block *next;
    size_t size; /* of bytes[] */
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *head;
    size_t next_bytes; /* size of the next block, its header included */
    size_t heap_bytes;
};

struct arena *arena_new(void)
{
    struct arena *a = malloc(sizeof(*a));

    if (!a)
        return NULL;
    *a = (struct arena){.next_bytes = BLOCK_BYTES_FIRST, .heap_bytes = sizeof(*a)};
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct block *b = a->head; b;) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
}

static void *alloc_in_new_block(struct arena *a, size_t n)
{
    if (n > (size_t)PTRDIFF_MAX - sizeof(struct block))
        return NULL;

    bool own = n > a->next_bytes / 4;
    size_t total = own ? sizeof(struct block) + n : a->next_bytes;
    struct block *b = malloc(total);
    if (!b)
        return NULL;
    b->size = total - sizeof(*b);
    b->used = n;
    struct block **link = own && a->head ? &a->head->next : &a->head;
    b->next = *link;
    *link = b;
    a->heap_bytes += total;
    if (a->next_bytes < BLOCK_BYTES_MAX)
        a->next_bytes *= 2;
    return b->bytes;
}

static void *alloc_aligned(struct arena *a, size_t n, size_t align)
{
    struct block *b = a->head;

    if (n == 0)
        n = 1;
    if (b) {
        size_t at = (b->used + align - 1) & ~(align - 1);

        if (at <= b->size && n <= b->size - at) {
            b->used = at + n;
            return b->bytes + at;
        }
    }
    return alloc_in_new_block(a, n);
}

void *arena_alloc(struct arena *a, size_t n)
{
    return alloc_aligned(a, n, alignof(max_align_t));
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    void *p = arena_alloc(a, n);
    if (p)
        memset(p, 0, n);
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;

    char *copy = alloc_aligned(a, len + 1, 1);
    if (!copy)
        return NULL;
    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

size_t arena_bytes(const struct arena *a)
{
    return a->heap_bytes;
}
