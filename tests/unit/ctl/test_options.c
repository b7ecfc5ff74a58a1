/* Commands, flags before and behind them, what is refused and in which words. */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/client.h"
#include "base/cleanup.h"
#include "command.h"

enum { ARGS_MAX = 12 };

/* A command line and what came of it. */
static struct {
    char words[ARGS_MAX][700];
    char *argv[ARGS_MAX + 1];
    struct options options;
    char *out; /* what was printed */
    char *err;
} run;

static int clean_up(void **state)
{
    (void)state;
    free(run.out);
    free(run.err);
    run.out = run.err = NULL;
    return 0;
}

static enum options_verdict parse_words(const char *const *words, size_t n)
{
    FILE *out = stdout, *err = stderr;
    enum options_verdict verdict;
    size_t len;

    (void)clean_up(NULL);
    assert_true(n < ARGS_MAX);
    for (size_t i = 0; i < n; i++) {
        assert_in_range(snprintf(run.words[i], sizeof(run.words[i]), "%s", words[i]), 0, 699);
        run.argv[i] = run.words[i];
    }
    run.argv[n] = NULL;
    stdout = open_memstream(&run.out, &len);
    stderr = open_memstream(&run.err, &len);
    verdict = options_parse(&run.options, (int)n, run.argv);
    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;
    return verdict;
}

#define parse(...)                                                \
    parse_words((const char *const[]){PROGRAM_NAME, __VA_ARGS__}, \
                sizeof((const char *const[]){PROGRAM_NAME, __VA_ARGS__}) / sizeof(char *))

static void expect_run(enum options_verdict verdict, const char *command, const char *argument)
{
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "");
    assert_int_equal(verdict, OPTIONS_RUN);
    assert_string_equal(run.options.command->name, command);
    if (argument)
        assert_string_equal(run.options.argument, argument);
    else
        assert_null(run.options.argument);
}

/* The one line on stderr says this, a hint follows, stdout is empty. */
static void expect_usage(enum options_verdict verdict, const char *command, const char *message)
{
    char expected[1024];

    snprintf(expected, sizeof(expected), PROGRAM_NAME ": %s\nTry '" PROGRAM_NAME "%s%s --help'.\n",
             message, *command ? " " : "", command);
    assert_string_equal(run.err, expected);
    assert_string_equal(run.out, "");
    assert_int_equal(verdict, OPTIONS_USAGE);
}

static void test_commands(void **state)
{
    (void)state;
    expect_run(parse("deployments"), "deployments", NULL);
    assert_string_equal(run.options.config_file, "/etc/aliyun_flink_exporter/exporter.cfg");
    assert_null(run.options.target);
    assert_null(run.options.namespace_name);
    assert_false(run.options.json);
    assert_int_equal(run.options.log_level, LOG_WARN);
    assert_int_equal(run.options.timeout_ms, 600000);
    expect_run(parse("deployment", "a b/c"), "deployment", "a b/c");
    expect_run(parse("deployment", "--", "--odd"), "deployment", "--odd");
    expect_run(parse("deployment", "draft"), "deployment", "draft");
    expect_run(parse("drafts"), "drafts", NULL);
    expect_run(parse("draft", "get", "7"), "draft get", "7");
    expect_run(parse("draft", "update", "7", "--file", "-"), "draft update", "7");
    expect_run(parse("ticket", "get", "7"), "ticket get", "7");
    expect_run(parse("ticket", "wait", "7"), "ticket wait", "7");
    expect_run(parse("ticket", "track", "7"), "ticket track", "7");
    expect_run(parse("check"), "check", NULL);
    expect_run(parse("diagnose"), "diagnose", NULL);
}

static void test_global_flags_anywhere(void **state)
{
    (void)state;
    expect_run(parse("--config.file=x", "draft", "--target", "t", "get", "--namespace=n", "7",
                     "--output", "json", "--log.level=debug"),
               "draft get", "7");
    assert_string_equal(run.options.config_file, "x");
    assert_string_equal(run.options.target, "t");
    assert_string_equal(run.options.namespace_name, "n");
    assert_true(run.options.json);
    assert_int_equal(run.options.log_level, LOG_DEBUG);
    expect_run(parse("--output=json", "check", "--output=table"), "check", NULL);
    assert_false(run.options.json);
}

static void test_command_flags(void **state)
{
    (void)state;
    expect_run(parse("deployments", "--status=running", "--execution-mode", "Batch",
                     "--label=a=b=c", "--label", "a=d"),
               "deployments", NULL);
    assert_string_equal(run.options.status, "RUNNING");
    assert_string_equal(run.options.execution_mode, "BATCH");
    assert_string_equal(run.options.label_key, "a");
    assert_int_equal(run.options.n_label_values, 2);
    assert_string_equal(run.options.label_values[0], "b=c");
    assert_string_equal(run.options.label_values[1], "d");
    expect_run(parse("deployment", "x", "--ignore-job-summary", "--ignore-resource-setting"),
               "deployment", "x");
    assert_int_equal(run.options.without, API_WITHOUT_JOB_SUMMARY | API_WITHOUT_RESOURCE_SETTING);
    expect_run(parse("deployment", "x", "--ignore-job-summary", "--no-ignore-job-summary"),
               "deployment", "x");
    assert_int_equal(run.options.without, 0);
    expect_run(parse("draft", "update", "7", "--file=f", "--dry-run", "--force", "--yes"),
               "draft update", "7");
    assert_string_equal(run.options.file, "f");
    assert_true(run.options.dry_run && run.options.force && run.options.yes);
    expect_run(parse("draft", "update", "7", "--file=f", "--yes", "--no-yes"), "draft update", "7");
    assert_false(run.options.yes);
    expect_run(parse("ticket", "wait", "7", "--timeout", "90s"), "ticket wait", "7");
    assert_int_equal(run.options.timeout_ms, 90000);
    expect_run(parse("ticket", "track", "7", "--draft=d"), "ticket track", "7");
    assert_string_equal(run.options.draft, "d");
}

static void test_usage(void **state)
{
    (void)state;
    expect_usage(parse("--output=json"), "", "which command?");
    expect_usage(parse("deploymnets"), "",
                 "unknown command 'deploymnets', did you mean 'deployments'?");
    expect_usage(parse("frobnicate"), "", "unknown command 'frobnicate'");
    expect_usage(parse("draft"), "", "which of 'draft get', 'draft update'?");
    expect_usage(parse("draft", "delete"), "", "unknown command 'draft delete'");
    expect_usage(parse("ticket", "wiat"), "",
                 "unknown command 'ticket wiat', did you mean 'ticket wait'?");
    expect_usage(parse("deployment"), "deployment", "'deployment' needs NAME");
    expect_usage(parse("draft", "get"), "draft get", "'draft get' needs ID");
    expect_usage(parse("draft", "get", ""), "draft get", "'draft get' needs ID, which is empty");
    expect_usage(parse("draft", "get", "1", "2"), "draft get", "unexpected argument '2'");
    expect_usage(parse("drafts", "x"), "drafts", "unexpected argument 'x'");
    expect_usage(parse("draft", "update", "7"), "draft update",
                 "'draft update' needs --file=FILE with the changes");
    expect_usage(parse("deployments", "--statsu=x"), "deployments",
                 "unknown flag '--statsu=x', did you mean '--status'?");
    expect_usage(parse("--status=x", "deployments"), "",
                 "--status is a flag of 'deployments' and stands behind it");
    expect_usage(parse("drafts", "--force"), "drafts",
                 "--force is a flag of 'draft update' and stands behind it");
    expect_usage(parse("check", "--nothing"), "check", "unknown flag '--nothing'");
    expect_usage(parse("check", "-x"), "check", "unknown flag '-x'");
    expect_usage(parse("check", "--help=all"), "check", "malformed flag '--help=all'");
    expect_usage(parse("check", "--target"), "check", "--target needs a value");
    /* What is not shown raw: whoever reads it may not have typed it. */
    expect_usage(parse("\x1b[2J"), "", "unknown command '\\x1b[2J'");
}

static void test_bad_values(void **state)
{
    static const struct {
        const char *words[4];
        const char *command;
        const char *message;
    } cases[] = {
        {{"check", "--output=yaml"}, "check", "--output=yaml: must be table or json"},
        {{"check", "--log.level=loud"},
         "check",
         "--log.level=loud: must be debug, info, warn or error"},
        {{"deployments", "--status=up"},
         "deployments",
         "--status=up: must be RUNNING, FAILED, CANCELLED, FINISHED or TRANSITIONING"},
        {{"deployments", "--execution-mode="},
         "deployments",
         "--execution-mode=: must be STREAMING or BATCH"},
        {{"deployments", "--label=a"}, "deployments", "--label=a: must be KEY=VALUE"},
        {{"deployments", "--label==b"}, "deployments", "--label==b: must be KEY=VALUE"},
        {{"deployments", "--label=a="}, "deployments", "--label=a=: must be KEY=VALUE"},
        {{"deployments", "--label=a=1", "--label=b=2"},
         "deployments",
         "--label=b=2: the API filters by one key, and 'a' was given before"},
        {{"ticket", "wait", "--timeout=5"},
         "ticket wait",
         "--timeout=5: must be a duration up to 24h, such as 90s or 10m"},
        {{"ticket", "wait", "--timeout=0s"},
         "ticket wait",
         "--timeout=0s: must be a duration up to 24h, such as 90s or 10m"},
        {{"ticket", "wait", "--timeout=25h"},
         "ticket wait",
         "--timeout=25h: must be a duration up to 24h, such as 90s or 10m"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *words[5] = {PROGRAM_NAME};
        size_t n = 1;

        for (size_t j = 0; j < 4 && cases[i].words[j]; j++)
            words[n++] = cases[i].words[j];
        expect_usage(parse_words(words, n), cases[i].command, cases[i].message);
    }
}

static void test_long_label_key(void **state)
{
    char word[640] = "--label=";

    (void)state;
    memset(word + 8, 'k', 600);
    memcpy(word + 608, "=v", 3);
    assert_int_equal(parse("deployments", word), OPTIONS_USAGE);
    assert_non_null(strstr(run.err, "the key has more than 511 bytes"));
}

static void test_version(void **state)
{
    char version[64] = "", revision[64] = "";

    (void)state;
    assert_int_equal(parse("--version"), OPTIONS_DONE);
    assert_string_equal(run.err, "");
    assert_int_equal(
        sscanf(run.out, PROGRAM_NAME ", version %63s (revision: %63[^)])", version, revision), 2);
    assert_int_equal(parse("drafts", "--version"), OPTIONS_DONE);
}

static void test_help(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), OPTIONS_DONE);
    assert_string_equal(run.err, "");
    for (size_t i = 0; i < n_commands; i++) {
        char line[64];

        snprintf(line, sizeof(line), "\n  %s %s", commands[i].name, commands[i].arguments);
        assert_non_null(strstr(run.out, line));
    }
    assert_int_equal(parse("draft", "update", "--help"), OPTIONS_DONE);
    assert_non_null(strstr(run.out, "usage: aliyun_flinkctl draft update ID [flags]\n"));
    assert_non_null(strstr(run.out, "--dry-run"));
    assert_int_equal(parse("--help", "drafts"), OPTIONS_DONE);
    assert_non_null(strstr(run.out, "usage: aliyun_flinkctl drafts\n"));
    for (size_t i = 0; i < n_commands; i++) {
        char first[32] = "", second[32] = "";

        (void)sscanf(commands[i].name, "%31s %31s", first, second);
        const char *const words[] = {PROGRAM_NAME, "--help", first, second};
        assert_int_equal(parse_words(words, *second ? 4 : 3), OPTIONS_DONE);
        for (const char *p = run.out; *p; p = strchr(p, '\n') + 1)
            assert_in_range(strcspn(p, "\n"), 0, 130);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_commands, clean_up),
        cmocka_unit_test_teardown(test_global_flags_anywhere, clean_up),
        cmocka_unit_test_teardown(test_command_flags, clean_up),
        cmocka_unit_test_teardown(test_usage, clean_up),
        cmocka_unit_test_teardown(test_bad_values, clean_up),
        cmocka_unit_test_teardown(test_long_label_key, clean_up),
        cmocka_unit_test_teardown(test_version, clean_up),
        cmocka_unit_test_teardown(test_help, clean_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
