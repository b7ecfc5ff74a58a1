#include "changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

enum { BUDGET = 1 << 20 };

static json_value *parse(const char *text)
{
    json_value *root = NULL;
    struct err err = {0};

    if (text && json_parse(text, strlen(text), BUDGET, &root, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return root;
}

static void test_shown(void **state)
{
    static const struct {
        const char *before;
        const char *after;
        const char *shown;
    } cases[] = {
        {"{\"a\":1}", "{\"a\":1.0}", ""},
        {"{\"a\":1,\"b\":null}", "{\"a\":1}", ""},
        {"{\"a\":null}", "{\"b\":null,\"a\":null}", ""},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", ""},
        {"{\"a\":null}", "{\"a\":1}", "a: (none) -> 1\n"},
        {"{\"a\":null,\"b\":1}", "{\"a\":{\"c\":1},\"b\":1}", "a.c: (none) -> 1\n"},
        {"{\"a\":1}", "{\"a\":2}", "a: 1 -> 2\n"},
        {"{\"a\":1}", "{\"a\":\"1\"}", "a: 1 -> \"1\"\n"},
        {"{\"a\":true}", "{}", "a: true -> (none)\n"},
        {"{\"a\":true}", "{\"a\":null}", "a: true -> (none)\n"},
        {"{}", "{\"a\":\"\"}", "a: (none) -> \"\"\n"},
        {"{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2,\"d\":3}}}",
         "a.b.c: 1 -> 2\na.b.d: (none) -> 3\n"},
        /* What comes or goes as a whole is shown by its parts; what is empty, as it is. */
        {"{}", "{\"a\":{\"b\":1,\"c\":[2]}}", "a.b: (none) -> 1\na.c[0]: (none) -> 2\n"},
        {"{\"a\":{\"b\":1}}", "{}", "a.b: 1 -> (none)\n"},
        {"{}", "{\"a\":{},\"b\":[]}", "a: (none) -> {}\nb: (none) -> []\n"},
        {"{\"a\":{}}", "{\"a\":{}}", ""},
        {"{\"a\":{\"b\":1}}", "{\"a\":[1]}", "a: {\"b\":1} -> [1]\n"},
        {"{\"a\":[1,2,3]}", "{\"a\":[1,4]}", "a[1]: 2 -> 4\na[2]: 3 -> (none)\n"},
        {"{\"a\":[{\"n\":1,\"v\":2}]}", "{\"a\":[{\"n\":1,\"v\":3}]}", "a[0].v: 2 -> 3\n"},
        {"[1]", "[2]", "[0]: 1 -> 2\n"},
        {"1", "2", ": 1 -> 2\n"},
        /* Keys that would be mistaken are quoted; nothing reaches the terminal raw. */
        {"{\"a.b\":{\"\":1}}", "{\"a.b\":{\"\":2}}", "[\"a.b\"][\"\"]: 1 -> 2\n"},
        {"{\"\x1b[2J\":1}", "{\"\x1b[2J\":\"\\u001b\"}", "[\"\\u001b[2J\"]: 1 -> \"\\u001b\"\n"},
        {"{\"a\":\"x\"}", "{\"a\":\"\\u202ey\"}", "a: \"x\" -> \"\\u202ey\"\n"},
        {"{\"s\":\"a\\nb\\n\"}", "{\"s\":\"a\\nc\\n\"}",
         "s:\n  @@ -1,2 +1,2 @@\n   a\n  -b\n  +c\n"},
        {"{}", "{\"s\":\"a\\nb\"}",
         "s: (none) -> text\n  @@ -0,0 +1,2 @@\n  +a\n  +b\n  \\ no newline at the end\n"},
        {"{\"s\":\"a\\nb\\n\"}", "{\"s\":1}", "s: \"a\\nb\\n\" -> 1\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *before = parse(cases[i].before);
        CLEANUP(json_freep) json_value *after = parse(cases[i].after);
        CLEANUP(changes_release) struct changes c = CHANGES_INIT;
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct err err = {0};

        assert_int_equal(changes_find(&c, before, after, &err), 0);
        changes_show(&c, &text);
        assert_true(strbuf_ok(&text));
        assert_string_equal(strbuf_str(&text), cases[i].shown);
    }
}

static void test_paths(void **state)
{
    (void)state;
    assert_true(changes_overlap("a.b", "a.b"));
    assert_true(changes_overlap("a", "a.b"));
    assert_true(changes_overlap("a.b[0]", "a"));
    assert_true(changes_overlap("a[\"x.y\"]", "a"));
    assert_false(changes_overlap("a.bc", "a.b"));
    assert_false(changes_overlap("a.b", "a.c"));
    assert_false(changes_overlap("ab", "a"));
    assert_true(changes_in_field("lock.holderId", "lock"));
    assert_true(changes_in_field("lock", "lock"));
    assert_false(changes_in_field("locks", "lock"));
    assert_false(changes_in_field("a.lock", "lock"));
}

static void test_json(void **state)
{
    CLEANUP(json_freep) json_value *before = parse("{\"a\":1,\"b\":\"x\"}");
    CLEANUP(json_freep) json_value *after = parse("{\"a\":2}");
    CLEANUP(changes_release) struct changes c = CHANGES_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct json_out o = {.out = &text};
    struct err err = {0};

    (void)state;
    assert_int_equal(changes_find(&c, before, after, &err), 0);
    changes_put(&c, NULL, &o);
    assert_string_equal(strbuf_str(&text), "[\n"
                                           "  {\n"
                                           "    \"path\": \"a\",\n"
                                           "    \"before\": 1,\n"
                                           "    \"after\": 2\n"
                                           "  },\n"
                                           "  {\n"
                                           "    \"path\": \"b\",\n"
                                           "    \"before\": \"x\",\n"
                                           "    \"after\": null\n"
                                           "  }\n"
                                           "]\n");
}

static void test_no_memory(void **state)
{
    CLEANUP(json_freep) json_value *before = parse("{\"a\":1,\"s\":\"a\\nb\\n\"}");
    CLEANUP(json_freep) json_value *after = parse("{\"a\":2,\"s\":\"a\\nc\\n\"}");

    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(changes_release) struct changes c = CHANGES_INIT;
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct err err = {0};

        alloc_fail_at(n);
        int rc = changes_find(&c, before, after, &err);
        if (rc == 0)
            changes_show(&c, &text);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            assert_true(strbuf_ok(&text));
            break;
        }
        assert_true(rc < 0 ? err.kind == ERR_NOMEM : !strbuf_ok(&text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
