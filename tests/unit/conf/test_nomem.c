/* Every allocation of our own fails once: an error, no leak, and the file loads when memory is
 * back. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "workdir.h"

/* Returns how many allocations there were to fail. */
static size_t sweep(int expected, enum err_kind kind)
{
    for (size_t n = 1;; n++) {
        CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
        CLEANUP(conf_unrefp) struct conf *conf = NULL;
        struct err err = {0};

        alloc_fail_at(n);
        int rc = conf_load("c.cfg", &conf, &problems, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, expected);
            assert_int_equal(err.kind, kind);
            return n - 1;
        }
        /* A lost line in problems is the caller's to see: strbuf_ok() tells. */
        assert_int_equal(rc, -1);
        assert_true(err.kind == ERR_NOMEM || !strbuf_ok(&problems));
        assert_null(conf);
    }
}

static void test_good(void **state)
{
    (void)state;
    workdir_write("x.cfg", CREDENTIALS);
    workdir_write("secret", "x");
    workdir_write(
        "c.cfg",
        "@include \"x.cfg\"\n"
        "targets = ( " TARGET_OF("a", "w", "\"m\", \"n\"") "}, " TARGET_OF(
            "b", "v", "\"n\"") "select = { label_key = \"k\"; label_values = [ \"a\" ]; };\n"
                               "tls_config = { ca_file = \"secret\"; }; } );\n"
                               "metrics = { deny = [ \"a\" ]; };\n");
    assert_true(sweep(0, ERR_NONE) > 5);
}

static void test_bad(void **state)
{
    (void)state;
    workdir_write("c.cfg",
                  "defaults = { interval = 60; page_size = 10000000000; };\n"
                  "credentials = ( { } );\n" TARGET("netwok = 1;") "state = { hold = 1; };\n");
    assert_true(sweep(-1, ERR_CONF) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_bad, workdir_enter, workdir_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
