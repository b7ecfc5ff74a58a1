#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "api/json.h"

enum { BUDGET = 64 << 20 };

static json_value *parse(const char *text)
{
    json_value *root = NULL;
    struct err err = {0};

    if (json_parse(text, strlen(text), BUDGET, &root, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return root;
}

static json_value *parse_exact(const char *text)
{
    json_value *root = NULL;
    struct err err = {0};

    if (json_parse_exact(text, strlen(text), BUDGET, &root, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return root;
}

static void assert_prints(const json_value *v, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    assert_int_equal(json_print(v, false, &out, &err), 0);
    assert_string_equal(strbuf_str(&out), expected);
}

static void test_copy_is_whole_and_apart(void **state)
{
    CLEANUP(json_freep) json_value *root = parse_exact("{\"a\":[1.0,{\"b\":null}],\"c\":\"x\"}");
    json_value *copy = json_copy(root);
    struct err err = {0};

    (void)state;
    assert_non_null(copy);
    assert_true(json_equal(root, copy));
    assert_int_equal(json_set_take(copy, "c", parse("2"), &err), 0);
    assert_prints(root, "{\"a\":[1.0,{\"b\":null}],\"c\":\"x\"}");
    assert_prints(copy, "{\"a\":[1.0,{\"b\":null}],\"c\":2}");
    json_free(copy);
}

static void test_set_and_remove(void **state)
{
    CLEANUP(json_freep) json_value *root = json_new_object();
    CLEANUP(json_freep) json_value *array = parse("[]");
    CLEANUP(json_freep) json_value *other = parse("{\"k\":[1]}");
    struct err err = {0};

    (void)state;
    assert_int_equal(json_set_take(root, "a", parse("1"), &err), 0);
    assert_int_equal(json_set_take(root, "b", parse("null"), &err), 0);
    assert_int_equal(json_set_take(root, "A", json_copy(json_get(other, "k")), &err), 0);
    assert_prints(root, "{\"a\":1,\"b\":null,\"A\":[1]}");
    assert_true(json_is_null(json_next(json_first(root))));
    assert_int_equal(json_set_take(root, "a", parse("\"x\""), &err), 0); /* the first */
    assert_int_equal(json_set_take(root, "b", parse("{}"), &err), 0);
    assert_prints(root, "{\"a\":\"x\",\"b\":{},\"A\":[1]}");
    json_remove(root, "b");
    json_remove(root, "b");
    json_remove(root, "nothing");
    assert_prints(root, "{\"a\":\"x\",\"A\":[1]}");
    json_remove(root, "A"); /* the last */
    json_remove(root, "a"); /* the only one */
    json_remove(root, "a");
    json_remove(array, "a");
    assert_prints(root, "{}");
    assert_int_equal(json_set_take(root, "again", parse("0"), &err), 0);
    assert_prints(root, "{\"again\":0}");

    assert_int_equal(json_set_take(array, "a", parse("1"), &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(json_set_take(root, "a", NULL, &err), -1);
    assert_int_equal(err.kind, ERR_NOMEM);
}

static void test_equal(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        {"null", "null", true},
        {"null", "false", false},
        {"true", "true", true},
        {"true", "false", false},
        {"1", "1.0", true},
        {"1e2", "100", true},
        {"1", "\"1\"", false},
        {"0.1", "0.10000000000000001", true},
        {"9007199254740991", "9007199254740990", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"A\"", false},
        {"[]", "{}", false},
        {"[1,2]", "[1,2]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,2]", false},
        {"[1,2]", "[1]", false},
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true},
        {"{\"a\":1}", "{\"A\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
        {"{\"a\":1,\"b\":null}", "{\"a\":1}", false},
        {"{\"a\":1,\"b\":null}", "{\"a\":1,\"c\":null}", false},
        {"{\"a\":{\"b\":[{\"c\":1}]}}", "{\"a\":{\"b\":[{\"c\":2}]}}", false},
    };
    CLEANUP(json_freep) json_value *null = parse("null");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *a = parse(cases[i].a);
        CLEANUP(json_freep) json_value *b = parse(cases[i].b);

        if (json_equal(a, b) != cases[i].equal || json_equal(b, a) != cases[i].equal)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(null, NULL));
    assert_false(json_equal(NULL, null));
}

/* Many thousand members in another order: seconds, not minutes; and without memory, too. */
static void test_equal_in_any_order(void **state)
{
    enum { N = 50000, FEW = 100 };
    struct strbuf ahead = STRBUF_INIT, back = STRBUF_INIT;

    (void)state;
    for (size_t n = FEW; n <= N; n = n == FEW ? N : N + 1) {
        strbuf_reset(&ahead);
        strbuf_reset(&back);
        for (size_t i = 0; i < n; i++) {
            strbuf_addf(&ahead, "%c\"k%zu\":%zu", i ? ',' : '{', i, i);
            strbuf_addf(&back, "%c\"k%zu\":%zu", i ? ',' : '{', n - 1 - i, n - 1 - i);
        }
        strbuf_addc(&ahead, '}');
        strbuf_addc(&back, '}');
        CLEANUP(json_freep) json_value *a = parse(strbuf_str(&ahead));
        CLEANUP(json_freep) json_value *b = parse(strbuf_str(&back));
        CLEANUP(json_freep) json_value *last = parse("-1");
        clock_t begin = clock();

        assert_true(json_equal(a, b));
        for (size_t k = 1; k <= 2 && n == FEW; k++) {
            alloc_fail_at(k);
            assert_true(json_equal(a, b));
            alloc_fail_off();
            assert_int_equal(alloc_fail_count(), 2);
        }
        assert_int_equal(json_set_take(b, "k0", TAKE(last), NULL), 0);
        assert_false(json_equal(a, b));
        assert_true((clock() - begin) / CLOCKS_PER_SEC < 10);
    }
    strbuf_release(&ahead);
    strbuf_release(&back);
}

static void test_indentation_ends(void **state)
{
    enum { DEPTH = 900, N = 1000 };
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;

    (void)state;
    for (size_t i = 0; i < DEPTH; i++)
        strbuf_addc(&text, '[');
    for (size_t i = 0; i < N; i++)
        strbuf_adds(&text, i ? ",1" : "1");
    for (size_t i = 0; i < DEPTH; i++)
        strbuf_addc(&text, ']');
    CLEANUP(json_freep) json_value *root = parse(strbuf_str(&text));
    assert_int_equal(json_print(root, true, &out, NULL), 0);
    assert_true(out.len < (N + 2 * DEPTH) * 83);
    CLEANUP(json_freep) json_value *again = parse(strbuf_str(&out));
    assert_true(json_equal(root, again));
}

static void test_pretty(void **state)
{
    static const char expected[] = "{\n"
                                   "  \"a\": [\n"
                                   "    1,\n"
                                   "    {}\n"
                                   "  ],\n"
                                   "  \"b\": {\n"
                                   "    \"c\": \"x\"\n"
                                   "  },\n"
                                   "  \"d\": []\n"
                                   "}";
    CLEANUP(json_freep) json_value *v = parse("{\"a\":[1,{}],\"b\":{\"c\":\"x\"},\"d\":[]}");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    (void)state;
    assert_int_equal(json_print(v, true, &out, &err), 0);
    assert_string_equal(strbuf_str(&out), expected);
}

static void test_string_is_always_sound(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    json_print_string("a\x1b[31m\x7f\xc2\x9b\xc2\xa0\xff\xe8\xae\"\\\n\xe8\xae\xa2", &out);
    assert_string_equal(strbuf_str(&out),
                        "\"a\\u001b[31m\\u007f\\u009b\xc2\xa0\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                        "\\\"\\\\\\n\xe8\xae\xa2\"");
}

static void test_print_limit(void **state)
{
    CLEANUP(json_freep) json_value *v = parse("[\"0123456789\"]");
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_LIMIT(10);
    struct err err = {0};

    (void)state;
    assert_int_equal(json_print(v, false, &out, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
}

static int change(const json_value *root, struct strbuf *out, struct err *err)
{
    CLEANUP(json_freep) json_value *copy = json_copy(root);

    if (!copy)
        return err_nomem(err, "copy");
    if (json_set_take(copy, "b", json_copy(root), err) < 0 ||
        json_set_take(copy, "a", json_new_object(), err) < 0)
        return -1;
    return json_print(copy, true, out, err);
}

static void test_no_memory(void **state)
{
    CLEANUP(json_freep) json_value *root = parse_exact("{\"a\":[1.0,2],\"c\":\"x\"}");

    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {0};

        alloc_fail_at(n);
        int rc = change(root, &out, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_is_whole_and_apart),
        cmocka_unit_test(test_set_and_remove),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_in_any_order),
        cmocka_unit_test(test_indentation_ends),
        cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_string_is_always_sound),
        cmocka_unit_test(test_print_limit),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
