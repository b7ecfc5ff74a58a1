/* Objects keep what they were given, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "object.h"

static void shows(const struct object *o, const char *want)
{
    struct strbuf b = STRBUF_INIT;
    object_render(o, &b);
    assert_true(strbuf_ok(&b));
    assert_string_equal(strbuf_str(&b), want);
    strbuf_release(&b);
}

static int read_text(struct object *o, const char *text)
{
    struct err err = {0};
    return object_read(o, text, strlen(text), &err);
}

static void test_keeps_the_text(void **state)
{
    (void)state;
    struct object o;
    assert_int_equal(read_text(&o, " {\"a\": 1.0, \"b\":12345678901234567890 ,\"c\":{ \"x\":[]},"
                                   "\"a\":1e2,\"\\u00e9\":\"\\/\"} \n"),
                     0);
    shows(&o, "{\"a\":1e2,\"b\":12345678901234567890,\"c\":{ \"x\":[]},\"\xc3\xa9\":\"\\/\"}");
    object_release(&o);
    assert_int_equal(read_text(&o, "{}"), 0);
    shows(&o, "{}");
    object_release(&o);
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "null", "{", "{\"a\"}", "{\"a\":1,}", "{\"a\":1}}", "{} x", "{\"a\":1 \"b\":2}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct object o;
        if (read_text(&o, bad[i]) == 0)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(o.n, 0);
    }
}

static void test_members(void **state)
{
    (void)state;
    struct object o;
    struct object copy;
    assert_int_equal(read_text(&o, "{\"s\":\"x\\n\",\"n\":5,\"t\":\"1714058507\\n\",\"ms\":"
                                   "1714058507123}"),
                     0);
    char *s = object_string(&o, "s");
    assert_string_equal(s, "x\n");
    free(s);
    assert_null(object_string(&o, "n"));
    assert_null(object_string(&o, "none"));
    assert_null(object_get(&o, "none"));
    assert_int_equal(object_time(&o, "t"), 1714058507);
    assert_int_equal(object_time(&o, "ms"), 1714058507);
    assert_int_equal(object_time(&o, "none"), 0);

    assert_int_equal(object_copy(&copy, &o), 0);
    assert_true(object_same(&copy, &o, "s"));
    assert_true(object_same(&copy, &o, "none"));
    assert_int_equal(object_set_string(&copy, "s", "\"\\"), 0);
    assert_string_equal(object_get(&copy, "s"), "\"\\\"\\\\\"");
    assert_false(object_same(&copy, &o, "s"));
    object_remove(&copy, "n");
    object_remove(&copy, "n");
    assert_false(object_same(&copy, &o, "n"));
    assert_int_equal(object_set_number(&copy, "new", -7), 0);
    object_remove(&copy, "t");
    shows(&copy, "{\"s\":\"\\\"\\\\\",\"ms\":1714058507123,\"new\":-7}");
    assert_string_equal(object_get(&o, "s"), "\"x\\n\"");
    object_release(&copy);
    object_release(&o);
}

static void test_same_in_other_words(void **state)
{
    (void)state;
    struct object a;
    struct object b;
    assert_int_equal(read_text(&a, "{\"v\":{\"x\":1,\"y\":[true,null]}}"), 0);
    assert_int_equal(read_text(&b, "{\"v\":{ \"y\":[true,null],\"x\":1.0 }}"), 0);
    assert_true(object_same(&a, &b, "v"));
    object_release(&b);
    assert_int_equal(read_text(&b, "{\"v\":{\"x\":1,\"y\":[null,true]}}"), 0);
    assert_false(object_same(&a, &b, "v"));
    object_release(&a);
    object_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_the_text),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_same_in_other_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
