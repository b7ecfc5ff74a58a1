/* Messages stay one line of whole characters, whatever goes in. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void test_set_and_wrap(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_PARSE, "item %d has no \"%s\"", 3, "id"), -1);
    assert_int_equal(err.kind, ERR_PARSE);
    assert_string_equal(err.msg, "item 3 has no \"id\"");
    assert_int_equal(err_wrap(&err, "page %d", 2), -1);
    assert_int_equal(err.kind, ERR_PARSE);
    assert_string_equal(err.msg, "page 2: item 3 has no \"id\"");
    assert_int_equal(err_nomem(&err, "snapshot"), -1);
    assert_int_equal(err.kind, ERR_NOMEM);
    assert_string_equal(err.msg, "out of memory: snapshot");
}

static void test_null(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
    assert_int_equal(err_nomem(NULL, "x"), -1);
}

/* The message may be an argument of the one that replaces it. */
static void test_own_message_as_argument(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_IO, "no such file");
    err_set(&err, ERR_CONF, "secret: %s", err.msg);
    assert_string_equal(err.msg, "secret: no such file");
    err_wrap(&err, "again %s", err.msg);
    assert_string_equal(err.msg, "again secret: no such file: secret: no such file");
}

static void test_one_line(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_API, "a\nb\r\tc\x01\x1f\x7f.");
    assert_string_equal(err.msg, "a b  c   .");
    err_wrap(&err, "x\ny");
    assert_string_equal(err.msg, "x y: a b  c   .");
}

/* A text of n bytes x, then characters of each length, cut at every place. */
static void test_cut_between_characters(void **state)
{
    static const char *const chars[] = {"y", "\xc3\xa4", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chars); i++) {
        for (size_t lead = 500; lead < 520; lead++) {
            char text[700] = "";
            struct err err;

            memset(text, 'x', lead);
            for (size_t at = lead; at + 4 < sizeof(text); at += strlen(chars[i]))
                memcpy(text + at, chars[i], strlen(chars[i]) + 1);
            err_set(&err, ERR_API, "%s", text);
            size_t len = strlen(err.msg);
            assert_true(utf8_valid(err.msg, len));
            assert_in_range(len, sizeof(err.msg) - 4, sizeof(err.msg) - 1);
            assert_memory_equal(err.msg, text, len);
            err_wrap(&err, "page");
            assert_true(utf8_valid(err.msg, strlen(err.msg)));
            assert_memory_equal(err.msg, "page: ", 6);
            err_wrap(&err, "%s", text);
            assert_true(utf8_valid(err.msg, strlen(err.msg)));
        }
    }
}

static void test_length_boundaries(void **state)
{
    struct err err;
    char text[600];

    (void)state;
    for (size_t len = 505; len < sizeof(text); len++) {
        memset(text, 'x', len);
        text[len] = '\0';
        err_set(&err, ERR_API, "%s", text);
        assert_int_equal(strlen(err.msg), len < sizeof(err.msg) ? len : sizeof(err.msg) - 1);
    }
    /* Nonsense that looks like the middle of one long character is cut too, and not away. */
    memset(text, 0x80, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, ERR_API, "%s", text);
    assert_in_range(strlen(err.msg), 500, sizeof(err.msg) - 1);
}

static void test_kinds(void **state)
{
    static const struct {
        enum err_kind kind;
        enum err_kind reason;
        const char *name;
    } cases[] = {
        {ERR_NONE, ERR_NONE, "none"},
        {ERR_DNS, ERR_DNS, "dns"},
        {ERR_CONNECT, ERR_CONNECT, "connect"},
        {ERR_TLS, ERR_TLS, "tls"},
        {ERR_TIMEOUT, ERR_TIMEOUT, "timeout"},
        {ERR_HTTP, ERR_HTTP, "http"},
        {ERR_THROTTLED, ERR_THROTTLED, "throttled"},
        {ERR_AUTHENTICATION, ERR_AUTHENTICATION, "authentication"},
        {ERR_PERMISSION, ERR_PERMISSION, "permission"},
        {ERR_API, ERR_API, "api"},
        {ERR_PARSE, ERR_PARSE, "parse"},
        {ERR_INCOMPLETE, ERR_INCOMPLETE, "incomplete"},
        {ERR_LIMIT, ERR_LIMIT, "limit"},
        {ERR_INTERNAL, ERR_INTERNAL, "internal"},
        {ERR_CONF, ERR_INTERNAL, "conf"},
        {ERR_IO, ERR_INTERNAL, "io"},
        {ERR_NOMEM, ERR_INTERNAL, "nomem"},
        {ERR_STOPPED, ERR_INTERNAL, "stopped"},
        {(enum err_kind)99, ERR_INTERNAL, "internal"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(err_reason(cases[i].kind), cases[i].reason);
        assert_string_equal(err_kind_name(cases[i].kind), cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_wrap),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_own_message_as_argument),
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_cut_between_characters),
        cmocka_unit_test(test_length_boundaries),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
