#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static struct options options;

static int parse(const char *const words[], struct err *err)
{
    char *argv[16];
    static char copies[16][256];
    int argc = 1;
    argv[0] = copies[0];
    for (; words[argc - 1]; argc++) {
        snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    return options_parse(argc, argv, &options, err);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL}, &err)

static void test_defaults(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(parse((const char *const[]){NULL}, &err), 0);
    assert_string_equal(options.listen, "127.0.0.1:18080");
    assert_string_equal(options.conf.world.workspace, "a14bd5d90a4f4e");
    assert_string_equal(options.conf.namespaces[0], "default-namespace");
    assert_int_equal(options.conf.n_namespaces, 1);
    assert_int_equal(options.conf.n_deployments, 50);
    assert_true(options.conf.settings.rate_limit > 99 && options.conf.settings.rate_limit < 101);
    assert_true(options.conf.settings.verify);
    options_release(&options);
}

static void test_both_spellings(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(PARSE("--deployments=7", "--namespaces", "a,b", "--latency=20ms", "--seed",
                           "9", "--profile=heavy", "--fault", "html", "--fault=status:code=500",
                           "--no-verify"),
                     0);
    assert_int_equal(options.conf.n_deployments, 7);
    assert_int_equal(options.conf.n_namespaces, 2);
    assert_string_equal(options.conf.namespaces[1], "b");
    assert_int_equal(options.conf.settings.latency_ms, 20);
    assert_int_equal(options.conf.world.seed, 9);
    assert_int_equal(options.conf.world.profile, PROFILE_HEAVY);
    assert_int_equal(options.conf.n_faults, 2);
    assert_int_equal(options.conf.faults[1].code, 500);
    assert_false(options.conf.settings.verify);
    options_release(&options);
    assert_int_equal(PARSE("--load", "x.json"), 0);
    assert_int_equal(options.conf.n_deployments, 0);
    assert_int_equal(PARSE("--load", "x.json", "--deployments", "3"), 0);
    assert_int_equal(options.conf.n_deployments, 3);
}

static void test_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "--unknown",
        "--deploy=5",
        "--seed",
        "--seed=x",
        "--help=1",
        "--no-seed",
        "stray",
        "-h",
        "--",
        "--profile=large",
        "--quirks=2",
        "--latency=20",
        "--drafts=1000001",
        "--fault=none",
        "--namespaces=a,,b",
        "--namespaces=",
        "--deployments=-1",
        "--churn=fast",
        "--rate-limit=-1",
        "--no-",
        "--verif",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = {0};
        if (PARSE(bad[i]) == 0)
            fail_msg("%s was accepted", bad[i]);
        assert_true(err.msg[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_both_spellings),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
