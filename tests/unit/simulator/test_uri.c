#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "uri.h"

static void test_encode(void **state)
{
    (void)state;
    const struct {
        const char *plain;
        const char *raw;
        const char *encoded;
    } cases[] = {
        {"AZaz09-_.~", "", "AZaz09-_.~"},
        {" +*/%", "", "%20%2B%2A%2F%25"},
        {"订", "", "%E8%AE%A2"},
        {"(1)!'x'*", "!'()", "(1)!'x'%2A"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf b = STRBUF_INIT;
        uri_encode(&b, cases[i].plain, strlen(cases[i].plain), cases[i].raw);
        assert_string_equal(strbuf_str(&b), cases[i].encoded);
        strbuf_release(&b);
    }
}

static void test_decode(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool plus;
        const char *plain;
    } cases[] = {
        {"a%20b", false, "a b"},    {"a+b", false, "a+b"}, {"a+b", true, "a b"},
        {"%", false, "%"},          {"%4", false, "%4"},   {"%zz%41", false, "%zzA"},
        {"%e8%AE%a2", false, "订"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf b = STRBUF_INIT;
        uri_decode(&b, cases[i].text, strlen(cases[i].text), cases[i].plus);
        assert_string_equal(strbuf_str(&b), cases[i].plain);
        strbuf_release(&b);
    }
}

static void test_query(void **state)
{
    (void)state;
    const struct {
        const char *raw;
        const char *canonical;
    } cases[] = {
        {"", ""},
        {NULL, ""},
        {"b=2&a=1", "a=1&b=2"},
        {"a&b=", "a=&b="},
        {"&&a=1&", "a=1"},
        {"a_b=1&aB=2&ab=3", "aB=2&a_b=1&ab=3"},
        {"x=(1)%27*+y", "x=%281%29%27%2A%20y"},
        {"a=2&a=1", "a=1&a=2"},
        {"=v", "=v"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uri_query q;
        struct strbuf b = STRBUF_INIT;
        assert_int_equal(uri_query_init(&q, cases[i].raw), 0);
        uri_query_canonical(&q, &b);
        assert_string_equal(strbuf_str(&b), cases[i].canonical);
        strbuf_release(&b);
        uri_query_release(&q);
    }
}

static void test_query_is_bounded(void **state)
{
    (void)state;
    char raw[2 * URI_QUERY_MAX_PARAMS + 8];
    for (size_t i = 0; i <= URI_QUERY_MAX_PARAMS; i++)
        memcpy(raw + 2 * i, "a&", 3);
    struct uri_query q;
    assert_int_equal(uri_query_init(&q, raw), -1);
    raw[2 * URI_QUERY_MAX_PARAMS] = '\0';
    assert_int_equal(uri_query_init(&q, raw), 0);
    assert_string_equal(uri_query_get(&q, "a"), "");
    assert_null(uri_query_get(&q, "b"));
    uri_query_release(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
