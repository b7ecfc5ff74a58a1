#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "throttle.h"

static void test_a_second_deep(void **state)
{
    (void)state;
    struct throttle *t = throttle_new();
    int64_t wait = 0;
    for (int i = 0; i < 10; i++)
        assert_true(throttle_admit(t, "List", "key", 10, 1000, &wait));
    assert_false(throttle_admit(t, "List", "key", 10, 1000, &wait));
    assert_in_range(wait, 100, 101);
    assert_true(throttle_admit(t, "Get", "key", 10, 1000, &wait));    /* another API */
    assert_true(throttle_admit(t, "List", "other", 10, 1000, &wait)); /* another account */
    assert_true(throttle_admit(t, "List", "key", 10, 102000, &wait));
    assert_false(throttle_admit(t, "List", "key", 10, 102000, &wait));
    throttle_free(t);
}

static void test_limits_change_and_go(void **state)
{
    (void)state;
    struct throttle *t = throttle_new();
    int64_t wait = 0;
    assert_true(throttle_admit(t, "List", "key", 1, 0, &wait));
    assert_false(throttle_admit(t, "List", "key", 1, 0, &wait));
    assert_true(throttle_admit(t, "List", "key", 0, 0, &wait)); /* no limit */
    assert_true(throttle_admit(t, "List", "key", 2, 0, &wait)); /* a new one starts full */
    assert_true(throttle_admit(t, "List", "key", 2, 0, &wait));
    assert_false(throttle_admit(t, "List", "key", 2, 0, &wait));
    throttle_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_second_deep),
        cmocka_unit_test(test_limits_change_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
