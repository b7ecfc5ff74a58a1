/* The linker turns malloc into __wrap_malloc, and __real_malloc into malloc, for each of the three.
 */
#include "alloc_fail.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static atomic_bool counting;
static atomic_size_t n_allocations;
static atomic_size_t fail_at;

void alloc_fail_at(size_t n)
{
    atomic_store(&n_allocations, 0);
    atomic_store(&fail_at, n);
    atomic_store(&counting, true);
}

void alloc_fail_off(void)
{
    atomic_store(&counting, false);
}

size_t alloc_fail_count(void)
{
    return atomic_load(&n_allocations);
}

static bool fails_now(void)
{
    if (!atomic_load(&counting) || atomic_fetch_add(&n_allocations, 1) + 1 != atomic_load(&fail_at))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}
