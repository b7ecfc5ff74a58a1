/* Scope-bound release: what is taken survives, what is not is released. */
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char *make(int keep)
{
    CLEANUP(freep) char *p = malloc(16);

    if (!keep)
        return NULL; /* the leak checker sees if p is not freed */
    return TAKE(p);
}

static void test_freep_and_take(void **state)
{
    CLEANUP(freep) char *kept = make(1);

    (void)state;
    assert_non_null(kept);
    assert_null(make(0));
}

static void test_fdp(void **state)
{
    int copy;

    (void)state;
    {
        CLEANUP(fdp) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        copy = fd;
        errno = ENOENT;
    }
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fcntl(copy, F_GETFD), -1);
    {
        CLEANUP(fdp) int none = -1;

        errno = ENOENT;
        assert_int_equal(none, -1);
    }
    assert_int_equal(errno, ENOENT);
    /* A close that fails does not show in errno either. */
    errno = ENOENT;
    fdp(&copy);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freep_and_take),
        cmocka_unit_test(test_fdp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
