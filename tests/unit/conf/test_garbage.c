/* Whatever stands in the file: a conf or problems, never a crash. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workdir.h"

static const char good[] =
    "# comment\n"
    "defaults = { interval = \"60s\"; page_size = 100; max_body_size = \"64MiB\"; };\n"
    "rate_limit = { requests_per_second = 20.0; burst = 20; }; /* more */\n"
    "@include \"x.cfg\"\n"
    "targets = ( { name = \"t\"; region_id = \"cn-hangzhou\"; workspace = \"w\";\n"
    "  namespaces = [ \"a\", \"b\" \"c\" ]; endpoint = \"https://[::1]:8443/\";\n"
    "  select = { label_key = \"k\\x41\"; label_values = ( \"v\", \"w\" ); };\n"
    "  tls_config = { insecure_skip_verify = true; }; proxy_url = \"http://u:p@h\"; } );\n"
    "metrics = { deny = [ \"a*\" ]; aggregation = \"deployment\"; };\n";

/* The same numbers on every run. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void load(const char *bytes, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    CLEANUP(conf_unrefp) struct conf *conf = NULL;
    struct err err = {0};

    workdir_write_bytes("c.cfg", bytes, len, 0600);
    int rc = conf_load("c.cfg", &conf, &problems, &err);
    assert_true((rc == 0) == (conf != NULL));
    assert_true((rc == 0) == (problems.len == 0));
    assert_true((rc == 0) == (err.msg[0] == '\0'));
    /* libconfig's words: it is never to see a text that it cannot read, see lex.c. */
    assert_null(strstr(strbuf_str(&problems), ": syntax error\n"));
}

static void test_random_bytes(void **state)
{
    char bytes[300];
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 500; i++) {
        size_t len = next_random(&seed) % sizeof(bytes);

        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)next_random(&seed);
        load(bytes, len);
    }
}

/* Words of the language in any order reach further than bytes. */
static void test_random_words(void **state)
{
    static const char *const words[] = {
        "targets",
        "credentials",
        "defaults",
        "name",
        "=",
        ":",
        ";",
        ",",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"x\"",
        "\"\"",
        "1",
        "9999999999",
        "0x80000000",
        "1.5",
        "-",
        "true",
        "#",
        "/*",
        "*/",
        "\n",
        "\n@include \"x.cfg\"",
        "\n@include \"c.cfg\"",
        "interval",
        "select",
        "state",
        "\"\\x01\"",
    };
    uint32_t seed = 2;

    (void)state;
    workdir_write("x.cfg", CREDENTIALS);
    for (int i = 0; i < 1000; i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        uint32_t n = next_random(&seed) % 40;

        for (uint32_t k = 0; k < n; k++)
            strbuf_addf(&text, "%s ", words[next_random(&seed) % ARRAY_LEN(words)]);
        load(strbuf_str(&text), text.len);
    }
}

static void test_changed_bytes(void **state)
{
    char bytes[sizeof(good)];
    uint32_t seed = 3;

    (void)state;
    workdir_write("x.cfg", CREDENTIALS);
    load(good, strlen(good));
    for (int i = 0; i < 1000; i++) {
        memcpy(bytes, good, sizeof(good));
        for (uint32_t k = next_random(&seed) % 4 + 1; k > 0; k--)
            bytes[next_random(&seed) % strlen(good)] = (char)next_random(&seed);
        load(bytes, strlen(good));
    }
}

static void test_cut_and_doubled(void **state)
{
    (void)state;
    workdir_write("x.cfg", CREDENTIALS);
    for (size_t i = 0; i < strlen(good); i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

        load(good, i);
        strbuf_adds(&text, good + i);
        strbuf_add(&text, good, i);
        load(strbuf_str(&text), text.len);
    }
}

static void test_deep_nesting(void **state)
{
    enum { DEPTH = 100000 };
    CLEANUP(freep) char *text = malloc(DEPTH + 4);

    (void)state;
    assert_non_null(text);
    memcpy(text, "a = ", 4);
    memset(text + 4, '(', DEPTH);
    load(text, DEPTH + 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, workdir_enter, workdir_leave)
    const struct CMUnitTest tests[] = {
        TEST(test_random_bytes),    TEST(test_random_words), TEST(test_changed_bytes),
        TEST(test_cut_and_doubled), TEST(test_deep_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
