/*
 * Scope-bound release and the compiler attributes the tree uses.
 *
 * A local with one owner is declared CLEANUP(fn): fn runs with the variable's address when the
 * scope ends. TAKE() moves the value out and leaves NULL behind, so that the scope's end releases
 * nothing. A function uses CLEANUP or goto, never both.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stddef.h>

#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

/* The one statement expression in the tree: read, set to NULL, hand over. */
#define TAKE(var)                            \
    __extension__({                          \
        __typeof__(var) take_value_ = (var); \
        (var) = NULL;                        \
        take_value_;                         \
    })

/* CLEANUP(freep) for plain heap memory: the argument is a pointer to the pointer. */
void freep(void *pointer_to_pointer);

/* CLEANUP(fdp): closes *fd unless it is negative; errno survives. */
void fdp(int *fd);

#endif
