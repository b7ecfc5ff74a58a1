/*
 * Makes one chosen allocation fail, for allocation sweeps: run the code once for every n and
 * expect an error and no leak each time, until n is more than the code allocates.
 *
 * A test that uses it is registered with
 *
 *     afe_unit_test(base strbuf SOURCES ${ALLOC_FAIL_SOURCES} LINK_OPTIONS ${ALLOC_FAIL_OPTIONS})
 *
 * where the two are ${PROJECT_SOURCE_DIR}/tests/support/alloc_fail.c and
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc. Only calls from what is linked statically are
 * seen, so not those inside libc or another shared library.
 *
 *     for (size_t n = 1;; n++) {
 *         alloc_fail_at(n);
 *         int rc = thing_make(&thing);
 *         alloc_fail_off();
 *         if (alloc_fail_count() < n)
 *             break;                        (fewer than n allocations: rc is 0, all were tried)
 *         assert_int_equal(rc, -1);
 *     }
 */
#ifndef SUPPORT_ALLOC_FAIL_H
#define SUPPORT_ALLOC_FAIL_H

#include <stddef.h>

/* Starts counting; the n-th allocation from here (1 is the next) of any thread fails, no other. */
void alloc_fail_at(size_t n);
/* Stops counting; nothing fails any more. */
void alloc_fail_off(void);
/* Allocations between the last alloc_fail_at() and its alloc_fail_off(), the failed one too. */
size_t alloc_fail_count(void);

#endif
