/* The allocator does as it is told. Sanitizers bring their own, which cannot be told anything. */
#include "base/heap.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { PIECES = 2000, PIECE_BYTES = 16 * 1024 };

static void *allocate(void *arg)
{
    (void)arg;
    return malloc(64 * 1024);
}

/* An arena of a thread's own would lie elsewhere than the heap that brk ends. */
static void test_one_arena(void **state)
{
    pthread_t thread;
    void *block;

    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(pthread_create(&thread, NULL, allocate, NULL), 0);
    assert_int_equal(pthread_join(thread, &block), 0);
    assert_non_null(block);
    assert_true((uintptr_t)block < (uintptr_t)sbrk(0));
    assert_true((uintptr_t)block > (uintptr_t)sbrk(0) - 16 * 1024 * 1024);
    free(block);
}

/* A large block that was freed does not make the next one stay. */
static void test_large_blocks(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    for (int i = 0; i < 3; i++) {
        void *block = malloc(4 * 1024 * 1024);

        assert_non_null(block);
        assert_in_range(mallinfo2().hblkhd, 4 * 1024 * 1024, 5 * 1024 * 1024);
        free(block);
        assert_int_equal(mallinfo2().hblkhd, 0);
    }
}

static void test_give_back(void **state)
{
    static char *pieces[PIECES];

    (void)state;
    if (SANITIZED)
        skip();
    assert_false(heap_give_back()); /* next to nothing is free */
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = malloc(PIECE_BYTES);
        assert_non_null(pieces[i]);
        memset(pieces[i], 1, PIECE_BYTES);
    }
    /* A few holes: the next refresh will want them. */
    for (size_t i = 0; i < PIECES; i += 10)
        free(pieces[i]);
    assert_false(heap_give_back());
    /* Two thirds of it: too much. */
    for (size_t i = 0; i < PIECES; i++)
        if (i % 10 && i % 3)
            free(pieces[i]);
    assert_true(heap_give_back());
    assert_false(heap_give_back()); /* once is enough */
    for (size_t i = 0; i < PIECES; i++)
        if (i % 10 && i % 3 == 0)
            free(pieces[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_arena),
        cmocka_unit_test(test_large_blocks),
        cmocka_unit_test(test_give_back),
    };

    heap_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
