/* Every flag in both forms, what is refused and how, what help and version say. */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PROGRAM  "aliyun_flink_exporter"

#define ARGS_MAX 10

/* A command line and what came of it. */
static struct {
    char words[ARGS_MAX][128];
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
        assert_in_range(snprintf(run.words[i], sizeof(run.words[i]), "%s", words[i]), 0, 127);
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

#define parse(...)                                           \
    parse_words((const char *const[]){PROGRAM, __VA_ARGS__}, \
                sizeof((const char *const[]){PROGRAM, __VA_ARGS__}) / sizeof(char *))

/* The one line on stderr says this, the hint follows, stdout is empty. */
static void expect_usage(enum options_verdict verdict, const char *message)
{
    char expected[512];

    snprintf(expected, sizeof(expected), PROGRAM ": %s\nTry '" PROGRAM " --help'.\n", message);
    assert_string_equal(run.err, expected);
    assert_string_equal(run.out, "");
    assert_int_equal(verdict, OPTIONS_USAGE);
}

static void expect_silent(enum options_verdict verdict)
{
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "");
    assert_int_equal(verdict, OPTIONS_RUN);
}

/* --- what is taken --- */

static void test_defaults(void **state)
{
    const char *const words[] = {PROGRAM};

    (void)state;
    expect_silent(parse_words(words, 1));
    assert_string_equal(run.options.config_file, "/etc/aliyun_flink_exporter/exporter.cfg");
    assert_string_equal(run.options.listen_address, ":10058");
    assert_string_equal(run.options.telemetry_path, "/metrics");
    assert_int_equal(run.options.max_requests, 40);
    assert_int_equal(run.options.log_level, LOG_INFO);
    assert_int_equal(run.options.log_format, LOG_LOGFMT);
    assert_false(run.options.config_check);
    assert_false(run.options.once);
    assert_null(run.options.persistence_file);
    /* The end of the flags, which is there anyway. */
    expect_silent(parse("--"));
    assert_string_equal(run.options.listen_address, ":10058");
}

/* Both forms of a flag with a value. */
static void take(const char *flag, const char *value)
{
    char joined[128];

    snprintf(joined, sizeof(joined), "%s=%s", flag, value);
    expect_silent(parse(joined));
    struct options first = run.options;
    char config_file[128], listen_address[128], telemetry_path[128];

    snprintf(config_file, sizeof(config_file), "%s", first.config_file);
    snprintf(listen_address, sizeof(listen_address), "%s", first.listen_address);
    snprintf(telemetry_path, sizeof(telemetry_path), "%s", first.telemetry_path);
    expect_silent(parse(flag, value));
    assert_string_equal(run.options.config_file, config_file);
    assert_string_equal(run.options.listen_address, listen_address);
    assert_string_equal(run.options.telemetry_path, telemetry_path);
    assert_int_equal(run.options.max_requests, first.max_requests);
    assert_int_equal(run.options.log_level, first.log_level);
    assert_int_equal(run.options.log_format, first.log_format);
}

static void test_values(void **state)
{
    static const char *const levels[LOG_LEVEL_END] = {"debug", "info", "warn", "error"};

    (void)state;
    take("--config.file", "/tmp/a=b.cfg");
    assert_string_equal(run.options.config_file, "/tmp/a=b.cfg");
    take("--web.listen-address", "[::1]:0");
    assert_string_equal(run.options.listen_address, "[::1]:0");
    take("--web.telemetry-path", "/a/b");
    assert_string_equal(run.options.telemetry_path, "/a/b");
    take("--persistence.file", "/var/lib/x/state");
    assert_string_equal(run.options.persistence_file, "/var/lib/x/state");
    expect_usage(parse("--persistence.file="), "--persistence.file: must not be empty");
    take("--web.max-requests", "1");
    assert_int_equal(run.options.max_requests, 1);
    take("--web.max-requests", "10000");
    assert_int_equal(run.options.max_requests, 10000);
    for (int level = 0; level < LOG_LEVEL_END; level++) {
        take("--log.level", levels[level]);
        assert_int_equal(run.options.log_level, level);
    }
    take("--log.format", "logfmt");
    assert_int_equal(run.options.log_format, LOG_LOGFMT);
    take("--log.format", "json");
    assert_int_equal(run.options.log_format, LOG_JSON);
}

static void test_switches(void **state)
{
    (void)state;
    expect_silent(parse("--config.check"));
    assert_true(run.options.config_check);
    assert_false(run.options.once);
    expect_silent(parse("--once"));
    assert_true(run.options.once);
    assert_false(run.options.config_check);
    expect_silent(parse("--no-config.check", "--no-once"));
    assert_false(run.options.config_check);
    assert_false(run.options.once);
    /* The last one counts. */
    expect_silent(parse("--once", "--no-once", "--no-config.check", "--config.check"));
    assert_true(run.options.config_check);
    assert_false(run.options.once);
    expect_silent(parse("--no-help", "--no-version", "--once"));
    assert_true(run.options.once);
    assert_false(run.options.debug);
    expect_silent(parse("--web.enable-debug"));
    assert_true(run.options.debug);
    expect_silent(parse("--web.enable-debug", "--no-web.enable-debug"));
    assert_false(run.options.debug);
}

static void test_many_flags(void **state)
{
    (void)state;
    expect_silent(parse("--once", "--config.file", "a", "--log.level=debug", "--log.format", "json",
                        "--config.file=b"));
    assert_true(run.options.once);
    assert_string_equal(run.options.config_file, "b");
    assert_int_equal(run.options.log_level, LOG_DEBUG);
    assert_int_equal(run.options.log_format, LOG_JSON);
}

/* --- what is refused --- */

static void test_unknown(void **state)
{
    static const char *const words[] = {
        "--nothing",
        "--nothing=1",
        "-x",
        "-once",
        "---once",
        "--=x",
        "--no-",
        "--no-nothing",
        "--no-config.file", /* not a switch */
        "--no-no-once",
        "--ONCE",
        "--once=1", /* takes no value */
        "--once=",
        "--no-once=true",
        "--help=all",
        /* Abbreviations, unambiguous ones too: the next version may have a flag that fits. */
        "--on",
        "--o",
        "--hel",
        "--conf",
        "--config.c",
        "--config.fil=x",
        "--log.l=debug",
        "--log.leve=debug",
        "--no-on",
        "--web.telemetry",
        "--web.telemetry-pat=/x",
        "--vers",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char message[128];
        enum options_verdict verdict = parse(words[i], "--once");

        snprintf(message, sizeof(message), "unknown or malformed flag '%s'", words[i]);
        expect_usage(verdict, message);
    }
}

static void test_arguments(void **state)
{
    (void)state;
    expect_usage(parse("exporter.cfg"), "unexpected argument 'exporter.cfg'");
    expect_usage(parse("--once", "x", "--nothing"), "unexpected argument 'x'");
    expect_usage(parse("-"), "unexpected argument '-'");
    expect_usage(parse(""), "unexpected argument ''");
    expect_usage(parse("--", "--once"), "unexpected argument '--once'");
}

static void test_missing_value(void **state)
{
    static const char *const flags[] = {
        "--config.file", "--web.listen-address", "--web.telemetry-path", "--web.max-requests",
        "--log.level",   "--log.format",         "--web.config.file",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        char message[128];

        snprintf(message, sizeof(message), "%s needs a value", flags[i]);
        expect_usage(parse(flags[i]), message);
        expect_usage(parse("--once", flags[i]), message);
    }
}

static void test_bad_values(void **state)
{
    static const struct {
        const char *flag;
        const char *values[14];
        const char *must;
    } cases[] = {
        {"--web.max-requests",
         {"0", "10001", "-1", "+1", "1.5", "4x", "x4", "", " 4", "4 ", "1e3", "0x10",
          "99999999999999999999"},
         "must be a number from 1 to 10000"},
        {"--web.telemetry-path",
         {"metrics", "", "/", "/a?b", "/a#b", "/a%20", "/a b", "/\t", "/-/healthy",
          "/debug/targets", "http://x/y"},
         "must be a plain path such as /metrics"},
        {"--log.level",
         {"", "warning", "INFO", "information", "inf", "5"},
         "must be debug, info, warn or error"},
        {"--log.format", {"", "text", "JSON", "json "}, "must be logfmt or json"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t j = 0; j < ARRAY_LEN(cases[i].values) && cases[i].values[j]; j++) {
            char message[256];

            snprintf(message, sizeof(message), "%s=%s: %s", cases[i].flag, cases[i].values[j],
                     cases[i].must);
            expect_usage(parse(cases[i].flag, cases[i].values[j]), message);
        }
}

/* --- what is not built yet --- */

static void test_not_yet(void **state)
{
    static const struct {
        const char *words[2];
        const char *flag;
    } cases[] = {
        {{"--config.enable-auto-reload"}, "--config.enable-auto-reload"},
        {{"--config.auto-reload-interval", "30s"}, "--config.auto-reload-interval"},
        {{"--web.systemd-socket"}, "--web.systemd-socket"},
        {{"--web.config.file=web.yml"}, "--web.config.file"},
        {{"--web.enable-lifecycle"}, "--web.enable-lifecycle"},
        {{"--web.external-url=http://x/"}, "--web.external-url"},
        {{"--web.route-prefix", "/x"}, "--web.route-prefix"},
        {{"--shard=0"}, "--shard"},
        {{"--total-shards=1"}, "--total-shards"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char message[128];

        snprintf(message, sizeof(message), "%s is not supported yet", cases[i].flag);
        if (cases[i].words[1])
            expect_usage(parse(cases[i].words[0], cases[i].words[1]), message);
        else
            expect_usage(parse(cases[i].words[0]), message);
    }
}

static void test_not_yet_values(void **state)
{
    (void)state;
    expect_usage(parse("--web.listen-address=unix:/run/x"),
                 "--web.listen-address=unix:/run/x: UNIX sockets are not supported yet");
    expect_usage(parse("--web.listen-address=:1", "--web.listen-address", ":2"),
                 "--web.listen-address=:2: a second address is not supported yet");
}

/* --- help and version --- */

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(parse("--version"), OPTIONS_DONE);
    assert_string_equal(run.err, "");
    char version[64] = "", revision[64] = "";
    /* The first line is fixed: NAME, version X.Y.Z (revision: abc). */
    assert_int_equal(
        sscanf(run.out, PROGRAM ", version %63s (revision: %63[^)])", version, revision), 2);
    assert_int_equal(strspn(version, "0123456789."), strlen(version));
    assert_true(strncmp(strchr(run.out, '\n') - 1, ")\n", 2) == 0);
    /* It wins over what comes behind it, not over what comes before. */
    assert_int_equal(parse("--version", "--nothing"), OPTIONS_DONE);
    expect_usage(parse("--nothing", "--version"), "unknown or malformed flag '--nothing'");
}

static void test_help(void **state)
{
    static const char *const flags[] = {
        "--help",
        "--version",
        "--config.file=FILE",
        "--config.check",
        "--web.listen-address=HOST:PORT",
        "--web.telemetry-path=PATH",
        "--web.max-requests=N",
        "--once",
        "--log.level=LEVEL",
        "--log.format=FORMAT",
    };

    (void)state;
    assert_int_equal(parse("--once", "--help"), OPTIONS_DONE);
    assert_string_equal(run.err, "");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        char line[64];

        snprintf(line, sizeof(line), "\n  %s ", flags[i]);
        assert_non_null(strstr(run.out, line));
    }
    /* What does not work is not offered. */
    assert_null(strstr(run.out, "--shard"));
    assert_null(strstr(run.out, "--web.config.file"));
    for (const char *p = run.out; *p; p = strchr(p, '\n') + 1)
        assert_in_range(strcspn(p, "\n"), 0, 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_defaults, clean_up),
        cmocka_unit_test_teardown(test_values, clean_up),
        cmocka_unit_test_teardown(test_switches, clean_up),
        cmocka_unit_test_teardown(test_many_flags, clean_up),
        cmocka_unit_test_teardown(test_unknown, clean_up),
        cmocka_unit_test_teardown(test_arguments, clean_up),
        cmocka_unit_test_teardown(test_missing_value, clean_up),
        cmocka_unit_test_teardown(test_bad_values, clean_up),
        cmocka_unit_test_teardown(test_not_yet, clean_up),
        cmocka_unit_test_teardown(test_not_yet_values, clean_up),
        cmocka_unit_test_teardown(test_version, clean_up),
        cmocka_unit_test_teardown(test_help, clean_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
