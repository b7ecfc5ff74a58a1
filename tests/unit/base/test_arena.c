/* Alignment, independence of what is handed out, growth, and running out of memory. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

static void test_sizes_and_alignment(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 1000, 1024, 1025, 4095, 4096, 70000};
    CLEANUP(arena_freep) struct arena *a = arena_new();
    unsigned char *kept[ARRAY_LEN(sizes)];

    (void)state;
    assert_non_null(a);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        /* Text between them moves the block's end off every alignment. */
        assert_non_null(arena_strdup(a, "x"));
        kept[i] = arena_alloc(a, sizes[i]);
        assert_non_null(kept[i]);
        assert_int_equal((uintptr_t)kept[i] % alignof(max_align_t), 0);
        memset(kept[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(kept[i][k], i);
    }
}

static void test_text(void **state)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    (void)state;
    assert_string_equal(arena_strdup(a, ""), "");
    assert_string_equal(arena_strdup(a, "deployment"), "deployment");
    assert_string_equal(arena_strndup(a, "deployment", 6), "deploy");
    assert_string_equal(arena_strndup(a, NULL, 0), "");
    assert_memory_equal(arena_strndup(a, "a\0b", 3), "a\0b", 4);
    assert_null(arena_strndup(a, "a", SIZE_MAX));
}

static void test_zeroed(void **state)
{
    static const unsigned char zeros[600];
    CLEANUP(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (int i = 0; i < 50; i++) {
        unsigned char *p = arena_calloc(a, 6, 100);

        assert_memory_equal(p, zeros, sizeof(zeros));
        memset(p, 0xff, sizeof(zeros));
    }
    assert_non_null(arena_calloc(a, 0, 8));
    assert_null(arena_calloc(a, SIZE_MAX / 2, 3));
    assert_null(arena_calloc(a, SIZE_MAX, 1));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, PTRDIFF_MAX));
}

static void test_bytes(void **state)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    size_t empty = arena_bytes(a);

    (void)state;
    assert_true(empty > 0 && empty < 100);
    assert_non_null(arena_alloc(a, 10));
    assert_true(arena_bytes(a) > empty);
    size_t one_block = arena_bytes(a);
    assert_non_null(arena_alloc(a, 10));
    assert_int_equal(arena_bytes(a), one_block);

    /* A large one has a block of its own, and the block before it goes on being filled. */
    assert_non_null(arena_alloc(a, 1000000));
    size_t with_large = arena_bytes(a);
    assert_in_range(with_large, one_block + 1000000, one_block + 1000100);
    assert_non_null(arena_alloc(a, 10));
    assert_int_equal(arena_bytes(a), with_large);

    /* Small ones waste little: a megabyte of text takes not much more. */
    for (int i = 0; i < 100000; i++)
        assert_non_null(arena_strdup(a, "012345678"));
    assert_in_range(arena_bytes(a), with_large + 900000, with_large + 1100000);
}

static int make_all(struct arena **ret)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    if (!a || !arena_alloc(a, 100) || !arena_calloc(a, 10, 1000) || !arena_alloc(a, 100000))
        return -1;
    for (int i = 0; i < 1000; i++) {
        if (!arena_strdup(a, "a name of some length"))
            return -1;
    }
    *ret = TAKE(a);
    return 0;
}

static void test_allocation_sweep(void **state)
{
    CLEANUP(arena_freep) struct arena *a = NULL;
    size_t n = 1;

    (void)state;
    for (;; n++) {
        alloc_fail_at(n);
        int rc = make_all(&a);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_null(a);
    }
    assert_true(n > 4);
}

static void test_usable_after_failure(void **state)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    (void)state;
    const char *kept = arena_strdup(a, "kept");
    alloc_fail_at(1);
    assert_null(arena_alloc(a, 100000));
    alloc_fail_off();
    assert_non_null(arena_alloc(a, 100000));
    assert_string_equal(kept, "kept");
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_and_alignment),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_allocation_sweep),
        cmocka_unit_test(test_usable_after_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
