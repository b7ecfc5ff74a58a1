#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "api/json.h"

enum { BUDGET = 1 << 20 };

static void test_comes_back_as_it_was(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "true",
        "[false,[],{},[[]],{\"\":null}]",
        "\"\"",
        "[0,1,-1,10,100,1.5,-0.25,0.1,0.30000000000000004,1e300,4.94065645841247e-324]",
        "[1.0,1.50,1E3,1e+3,1e03,100e-2,0.0,0e5,0.00,1.7976931348623157e308]",
        "[9007199254740992,-9007199254740992,9007199254740991,1e22]",
        "{\"cpu\":2.0,\"memory\":\"4 GiB\",\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}",
        "\"\\b\\f\\n\\r\\t\\\"\\\\/ \\u0001\\u001f\\u007f\\u0085\"",
        "\"\xe8\xae\xa2\xe5\x8d\x95 \xf0\x9f\x98\x80\"",
        "{\"sql\":\"SELECT '1e400', -0, \\\"\\\\u0000\\\" -- \\\\ud800\\n\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(json_freep) json_value *root = NULL;
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {0};

        if (json_parse_exact(texts[i], strlen(texts[i]), BUDGET, &root, &err) < 0 ||
            json_print(root, false, &out, &err) < 0)
            fail_msg("%s: %s", texts[i], err.msg);
        assert_string_equal(strbuf_str(&out), texts[i]);
    }
}

/* Other spellings of the same strings, and white space, are not kept. */
static void test_normalised(void **state)
{
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {
        {" { \"a\" : [ 1.0 , 2 ] , \"b\" : \"x\" } \r\n", "{\"a\":[1.0,2],\"b\":\"x\"}"},
        {"\xef\xbb\xbf[1]", "[1]"},
        {"\"\\u8ba2\\/\\ud83d\\ude00\\u0041\"", "\"\xe8\xae\xa2/\xf0\x9f\x98\x80"
                                                "A\""},
        {"[\v1\f,\x01 2]", "[1,2]"}, /* cJSON's idea of white space */
        {"\"a\nb\"", "\"a\\nb\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *root = NULL;
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {0};

        if (json_parse_exact(cases[i].text, strlen(cases[i].text), BUDGET, &root, &err) < 0 ||
            json_print(root, false, &out, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.msg);
        assert_string_equal(strbuf_str(&out), cases[i].printed);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[9007199254740993]", "a number with more digits than can be kept, at byte 1 of 18"},
        {"[9007199254740994]", "a number with more digits"},
        {"[-9007199254740993]", "a number with more digits"},
        {"[12345678901234567890]", "a number with more digits"},
        {"{\"a\":0.1234567890123456789}", "more digits than can be kept, at byte 5 of 27"},
        {"[1.00000000000000000001]", "more digits"},
        {"[0.3000000000000000444]", "more digits"},
        {"[1e400]", "a number too large to be kept, at byte 1 of 7"},
        {"[-1e400]", "too large"},
        {"[1e99999999999999999999999]", "too large"},
        {"[1e-400]", "more digits"},
        {"[4.9e-324]", "more digits"},
        {"[-0]", "a negative zero, at byte 1"},
        {"[1,-0.0e3]", "a negative zero, at byte 3"},
        {"[01]", "not a JSON number, at byte 1"},
        {"[1.]", "not a JSON number"},
        {"[1.e3]", "not a JSON number"},
        {"[-.5]", "not a JSON number"},
        {"{\"x\":\"a\\u0000b\"}", "a NUL in a string, at byte 7"},
        {"{\"a\":1,\"b\":2,\"a\":1}",
         "a key that came before in the same object, at byte 13 of 19"},
        {"[{\"b\":{}},{\"a\":1,\"\\u0061\":1}]", "a key that came before in the same object"},
        {"[\"\\ud800\"]", "half of a surrogate pair, at byte 8"},
        {"[\"\\ud800x\"]", "half of a surrogate pair"},
        {"[\"\\ud800\\n\"]", "half of a surrogate pair"},
        {"[\"\\ud800\\ud800\"]", "half of a surrogate pair"},
        {"[\"\\udc00\"]", "half of a surrogate pair, at byte 2"},
        {"[\"\\u12g4\"]", "a \\u without four hexadecimal digits, at byte 2"},
        {"[\"ok\",\"\xff\"]", "bytes in a string that are no UTF-8, at byte 7 of 10"},
        {"[\"\xed\xa0\x80\"]", "no UTF-8"},
        {"{\"\xc0\xaf\":1}", "no UTF-8"},
        {"[1", "not JSON at byte"},
        {"[1] 2", "text behind the end"},
        {"", "empty"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_value *root = NULL;
        struct err err = {0};

        if (json_parse_exact(cases[i].text, strlen(cases[i].text), BUDGET, &root, &err) == 0)
            fail_msg("%s was taken", cases[i].text);
        assert_null(root);
        assert_int_equal(err.kind, ERR_PARSE);
        if (!strstr(err.msg, cases[i].message))
            fail_msg("%s: %s", cases[i].text, err.msg);
    }
}

static void test_raw_nul_is_refused(void **state)
{
    static const char text[] = "{\"a\":\"x\0y\"}";
    json_value *root = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(json_parse_exact(text, sizeof(text) - 1, BUDGET, &root, &err), -1);
    assert_int_equal(err.kind, ERR_PARSE);
    assert_non_null(strstr(err.msg, "a NUL in a string, at byte 7"));
}

static void test_every_prefix_is_refused(void **state)
{
    static const char text[] = "{\"a\":[1.0,-2e5,\"\\u00e9\\ud83d\\ude00\",null,true],\"b\":{}}";

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        json_value *root = NULL;
        struct err err = {0};
        /* Of exactly this size, so that a byte too far is seen. */
        CLEANUP(freep) char *copy = malloc(len + 1);

        assert_non_null(copy);
        memcpy(copy, text, len);
        copy = realloc(copy, len ? len : 1);
        assert_int_equal(json_parse_exact(copy, len, BUDGET, &root, &err), -1);
        assert_int_equal(err.kind, ERR_PARSE);
    }
}

static void test_depth(void **state)
{
    enum { DEPTH = 1000 };
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    CLEANUP(json_freep) json_value *root = NULL;
    struct err err = {0};

    (void)state;
    for (int i = 0; i < DEPTH; i++)
        strbuf_addc(&text, '[');
    for (int i = 0; i < DEPTH; i++)
        strbuf_addc(&text, ']');
    assert_int_equal(json_parse_exact(text.ptr, text.len, BUDGET, &root, &err), 0);
    assert_int_equal(json_print(root, false, &out, &err), 0);
    assert_string_equal(strbuf_str(&out), strbuf_str(&text));
}

static void test_budget_covers_spellings(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_value *root = NULL;
    struct err err = {0};

    (void)state;
    strbuf_adds(&text, "[1.0");
    for (int i = 0; i < 999; i++)
        strbuf_adds(&text, ",1.0");
    strbuf_addc(&text, ']');
    assert_int_equal(json_parse_exact(text.ptr, text.len, 1000, &root, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void test_no_memory(void **state)
{
    static const char text[] = "{\"a\":[1.0,2],\"b\":\"x\",\"c\":0.333}";

    (void)state;
    json_global_init();
    for (size_t n = 1;; n++) {
        CLEANUP(json_freep) json_value *root = NULL;
        struct err err = {0};

        alloc_fail_at(n);
        int rc = json_parse_exact(text, sizeof(text) - 1, BUDGET, &root, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back_as_it_was),
        cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_raw_nul_is_refused),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_budget_covers_spellings),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
