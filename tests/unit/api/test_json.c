#include "api/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

enum { BUDGET = 1 << 20, MEBIBYTE = 1 << 20 };

static json_value *parse(const char *text)
{
    json_value *root = NULL;
    struct err err = {0};

    if (json_parse(text, strlen(text), BUDGET, &root, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return root;
}

static enum err_kind parse_kind(const char *text, size_t len, size_t budget, struct err *err)
{
    CLEANUP(json_freep) json_value *root = NULL;

    *err = (struct err){.kind = ERR_NONE};
    int rc = json_parse(text, len, budget, &root, err);
    assert_int_equal(rc, err->kind == ERR_NONE ? 0 : -1);
    assert_int_equal(root != NULL, rc == 0);
    return err->kind;
}

static void test_good_texts(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        " \t\r\n{\"a\":[1,2,{\"b\":null}]}\r\n\t ",
        "\"text\"",
        "-0.5e-3",
        "\xef\xbb\xbf{\"bom\":1}",
        "\"\\ud83d\\ude00\"",
        "[\"\xff\xc0\xaf\"]",
        "{\"a\":1,\"a\":2}",
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (parse_kind(texts[i], strlen(texts[i]), BUDGET, &err) != ERR_NONE)
            fail_msg("%s: %s", texts[i], err.msg);
    }
}

static void test_bad_texts(void **state)
{
    static const struct {
        const char *text;
        const char *msg;
    } cases[] = {
        {"", "not JSON: the text is empty"},
        {" ", NULL},
        {"{", NULL},
        {"[1,2", NULL},
        {"{\"a\":1,}", NULL},
        {"{\"a\" 1}", "not JSON at byte 5 of 7"},
        {"{a:1}", NULL},
        {"'a'", NULL},
        {"NaN", "not JSON at byte 0 of 3"},
        {"[Infinity]", NULL},
        {"[+1]", NULL},
        {"\"open", NULL},
        {"\"\\x\"", NULL},
        {"\"\\ud83d", NULL},
        {"{} x", "not JSON: text behind the end, at byte 3 of 4"},
        {"{}{}", "not JSON: text behind the end, at byte 2 of 4"},
        {"1 2", NULL},
        {"<html>", NULL},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (parse_kind(cases[i].text, strlen(cases[i].text), BUDGET, &err) != ERR_PARSE)
            fail_msg("%s: kind %d", cases[i].text, (int)err.kind);
        if (cases[i].msg)
            assert_string_equal(err.msg, cases[i].msg);
    }
}

/* The text ends where its length says: ASan sees a byte too many, and no NUL is looked for. */
static void test_exact_length(void **state)
{
    static const char text[] = "{\"key\": [\"value \\u00e4\", 12.5, true, null]}";
    size_t len = sizeof(text) - 1;
    struct err err;

    (void)state;
    for (size_t n = 1; n <= len; n++) {
        CLEANUP(freep) char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, text, n);
        assert_int_equal(parse_kind(copy, n, BUDGET, &err), n == len ? ERR_NONE : ERR_PARSE);
    }
    /* NUL bytes behind the text are no white space. */
    assert_int_equal(parse_kind("{}\0", 3, BUDGET, &err), ERR_PARSE);
    assert_int_equal(parse_kind("{}garbage", 2, BUDGET, &err), ERR_NONE);
}

static void test_lone_surrogates(void **state)
{
    static const struct {
        const char *text;
        const char *value;
    } cases[] = {
        {"[\"a\\ud83d\"]", "a\xef\xbf\xbd"},
        {"[\"\\ude00b\"]", "\xef\xbf\xbd"
                           "b"},
        {"[\"\\uD83D\\uD83D\\uDE00\"]", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {"[\"\\ud83dx\\ud83d\\u0041\"]", "\xef\xbf\xbdx\xef\xbf\xbd"
                                         "A"},
        {"[\"\\\\ud83d\\ud83d\"]", "\\ud83d\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *root = parse(cases[i].text);
        assert_string_equal(json_string(json_first(root)), cases[i].value);
    }
    /* The copy that is repaired counts, too. */
    struct err err;
    assert_int_equal(parse_kind("[\"\\ud83d\"]", 10, 300, &err), ERR_NONE);
    assert_int_equal(parse_kind("[\"\\ud83d\"]", 10, 9, &err), ERR_LIMIT);
}

static void test_access(void **state)
{
    CLEANUP(json_freep)
    json_value *root = parse("{\"Key\":1,\"key\":2,\"none\":null,\"list\":[3,4],\"text\":\"t\"}");
    int64_t n = 0;

    (void)state;
    assert_int_equal(json_integer(json_get(root, "key"), &n), 0);
    assert_int_equal(n, 2);
    assert_null(json_get(root, "KEY"));
    assert_null(json_get(root, "none"));
    assert_null(json_get(root, "missing"));
    assert_null(json_get(NULL, "key"));
    assert_null(json_get(json_get(root, "list"), "key"));
    assert_null(json_get(json_get(root, "text"), "key"));

    assert_true(json_is_object(root));
    assert_false(json_is_array(root));
    assert_true(json_is_array(json_get(root, "list")));
    assert_false(json_is_object(NULL));

    const json_value *child = json_first(root);
    assert_string_equal(json_key(child), "Key");
    size_t n_children = 0;
    for (; child; child = json_next(child))
        n_children++;
    assert_int_equal(n_children, 5);
    assert_null(json_first(json_get(root, "text")));
    assert_null(json_first(NULL));
    assert_null(json_string(json_get(root, "list")));
    assert_null(json_string(NULL));
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_number;
        bool is_integer;
        int64_t integer;
    } cases[] = {
        {"0", true, true, 0},
        {"-0", true, true, 0},
        {"-1", true, true, -1},
        {"2.0", true, true, 2},
        {"1e3", true, true, 1000},
        {"1.5", true, false, 0},
        {"4294967296", true, true, 4294967296},
        {"9007199254740991", true, true, 9007199254740991},
        {"-9007199254740991", true, true, -9007199254740991},
        {"9007199254740992", true, false, 0},
        {"9007199254740993", true, false, 0},
        {"9223372036854775807", true, false, 0},
        {"1e308", true, false, 0},
        {"1e309", false, false, 0},
        {"-1e309", false, false, 0},
        {"\"1\"", false, false, 0},
        {"true", false, false, 0},
        {"null", false, false, 0},
        {"[]", false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *root = parse(cases[i].text);
        double d = 42;
        int64_t n = 42;

        assert_int_equal(json_number(root, &d), cases[i].is_number ? 0 : -1);
        assert_int_equal(json_integer(root, &n), cases[i].is_integer ? 0 : -1);
        assert_int_equal(n, cases[i].is_integer ? cases[i].integer : 42);
        if (!cases[i].is_number)
            assert_true(d == 42);
    }
    double d;
    assert_int_equal(json_number(NULL, &d), -1);
}

static void test_booleans(void **state)
{
    CLEANUP(json_freep) json_value *root = parse("[true, false, 1, \"true\", null]");
    const json_value *v = json_first(root);
    bool truth = false;

    (void)state;
    assert_int_equal(json_bool(v, &truth), 0);
    assert_true(truth);
    v = json_next(v);
    assert_int_equal(json_bool(v, &truth), 0);
    assert_false(truth);
    for (v = json_next(v); v; v = json_next(v))
        assert_int_equal(json_bool(v, &truth), -1);
    assert_int_equal(json_bool(NULL, &truth), -1);
}

/* RELIABILITY A18: refused by depth, long before the stack ends. */
static void test_nesting(void **state)
{
    static const char *const openings[] = {"[", "{\"a\":"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        size_t unit = strlen(openings[i]);
        size_t len = 100000 * unit;
        CLEANUP(freep) char *text = malloc(len);

        assert_non_null(text);
        for (size_t n = 0; n < 100000; n++)
            memcpy(text + n * unit, openings[i], unit);
        assert_int_equal(parse_kind(text, len, 64 * MEBIBYTE, &err), ERR_PARSE);
    }
}

/* RELIABILITY A19: 16 MiB of "1," would need half a gigabyte. */
static void test_amplification(void **state)
{
    size_t len = 16 * MEBIBYTE;
    CLEANUP(freep) char *text = malloc(len);
    struct err err;

    (void)state;
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 1; i < len; i++)
        text[i] = i % 2 ? '1' : ',';
    text[len - 1] = ']';
    assert_int_equal(parse_kind(text, len, 4 * MEBIBYTE, &err), ERR_LIMIT);
    assert_string_equal(err.msg, "JSON of 16777216 bytes needs more than 4194304 bytes of memory");
    /* The budget is a thread's only while it parses. */
    assert_int_equal(parse_kind("[1]", 3, BUDGET, &err), ERR_NONE);
}

static void test_budget_is_exact(void **state)
{
    static const char text[] = "[1,2,3,{\"key\":\"value\"}]";
    size_t least = 0;
    struct err err;

    (void)state;
    while (parse_kind(text, sizeof(text) - 1, least, &err) == ERR_LIMIT)
        least++;
    assert_int_equal(err.kind, ERR_NONE);
    /* Six values, a key and a text: the size of a node is 64 bytes, plus the heap's own. */
    assert_in_range(least, 6 * 64, 6 * 96 + 2 * 64);
    for (size_t budget = least; budget < least + 100; budget++)
        assert_int_equal(parse_kind(text, sizeof(text) - 1, budget, &err), ERR_NONE);
}

static void test_two_documents(void **state)
{
    CLEANUP(json_freep) json_value *first = parse("{\"a\":1}");
    json_value *second = parse("{\"b\":\"text\"}");

    (void)state;
    json_free(second);
    assert_non_null(json_get(first, "a"));
    json_free(NULL);
}

static void sweep(const char *text)
{
    for (size_t n = 1;; n++) {
        struct err err = {0};
        json_value *root = NULL;

        alloc_fail_at(n);
        int rc = json_parse(text, strlen(text), BUDGET, &root, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            json_free(root);
            break;
        }
        assert_int_equal(rc, -1);
        assert_null(root);
        assert_int_equal(err.kind, ERR_NOMEM);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    sweep("{\"a\":[1,2,{\"b\":\"text\"}],\"c\":null}");
    sweep("{\"a\":[1,2,{\"b\":\"\\ud83d\"}],\"c\":null}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),    cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_exact_length),  cmocka_unit_test(test_lone_surrogates),
        cmocka_unit_test(test_access),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_booleans),      cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_amplification), cmocka_unit_test(test_budget_is_exact),
        cmocka_unit_test(test_two_documents), cmocka_unit_test(test_no_memory),
    };

    json_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
