#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nonces.h"

static void test_used_within_the_time(void **state)
{
    (void)state;
    struct nonces *n = nonces_new(8, 1000);
    assert_non_null(n);
    assert_true(nonces_use(n, "a", 0));
    assert_false(nonces_use(n, "a", 999));
    assert_true(nonces_use(n, "b", 999));
    assert_true(nonces_use(n, "a", 1000));
    assert_false(nonces_use(n, "a", 1500));
    nonces_free(n);
}

static void test_forgets_the_oldest(void **state)
{
    (void)state;
    struct nonces *n = nonces_new(4, 1000);
    char text[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "n%d", i);
        assert_true(nonces_use(n, text, 0));
        assert_false(nonces_use(n, text, 0));
    }
    assert_false(nonces_use(n, "n996", 0));
    assert_true(nonces_use(n, "n995", 0)); /* pushed out */
    nonces_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_used_within_the_time),
        cmocka_unit_test(test_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
