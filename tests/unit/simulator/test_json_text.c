#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_text.h"

static void test_strings(void **state)
{
    (void)state;
    struct strbuf b = STRBUF_INIT;
    json_add_cstring(&b, "a\"b\\c\n\x01订");
    assert_string_equal(strbuf_str(&b), "\"a\\\"b\\\\c\\n\\u0001订\"");
    strbuf_release(&b);
}

/* The walk as "key:value|key:value", or NULL if it fails. */
static char *walked(const char *text)
{
    struct strbuf b = STRBUF_INIT;
    struct json_walk w;
    char *key;
    struct json_span v;
    strbuf_adds(&b, "");
    json_walk_init(&w, text, strlen(text), '{');
    while (json_walk_member(&w, &key, &v)) {
        strbuf_addf(&b, "%s%s:%.*s", b.len ? "|" : "", key, (int)v.len, v.ptr);
        free(key);
    }
    if (w.failed) {
        strbuf_release(&b);
        return NULL;
    }
    return b.ptr ? strbuf_take(&b, NULL) : strdup("");
}

static void test_walks(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *walked;
    } cases[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"a\": 12345678901234567890 , \"b\":{\"c\":[1, 2]}}",
         "a:12345678901234567890|b:{\"c\":[1, 2]}"},
        {"{\"\\u0061\":\"x\"}", "a:\"x\""},
        {"{\"a\":1,}", NULL},
        {"{\"a\":1", NULL},
        {"{\"a\" 1}", NULL},
        {"{1:1}", NULL},
        {"{\"a\":1 \"b\":2}", NULL},
        {"[]", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *got = walked(cases[i].text);
        if (cases[i].walked)
            assert_string_equal(got, cases[i].walked);
        else
            assert_null(got);
        free(got);
    }
}

static void test_items(void **state)
{
    (void)state;
    const char *text = "[ {\"a\":1}, 2 ,\"x\"]";
    struct json_walk w;
    struct json_span v;
    size_t n = 0;
    json_walk_init(&w, text, strlen(text), '[');
    while (json_walk_item(&w, &v))
        n += v.len;
    assert_false(w.failed);
    assert_int_equal(n, strlen("{\"a\":1}2\"x\""));
}

static void test_parse_takes_the_whole_text(void **state)
{
    (void)state;
    cJSON *item = json_parse("{} \n", 4);
    assert_non_null(item);
    cJSON_Delete(item);
    assert_null(json_parse("{} x", 4));
    assert_null(json_parse("", 0));
    assert_null(json_parse(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_parse_takes_the_whole_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
