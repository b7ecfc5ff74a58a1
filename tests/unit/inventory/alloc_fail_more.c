/*
 * alloc_fail.h sees malloc, calloc and realloc only. These two allocate inside libc, so they are
 * led past it: link with -Wl,--wrap=strdup,--wrap=reallocarray.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *__wrap_strdup(const char *s);
void *__wrap_reallocarray(void *p, size_t count, size_t size);

char *__wrap_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = malloc(size);

    return copy ? memcpy(copy, s, size) : NULL;
}

void *__wrap_reallocarray(void *p, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}
