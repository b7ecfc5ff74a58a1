/* The examples of RFC 7386, with null in the place of what is removed; and what is beyond them. */
#include "merge_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/strbuf.h"

enum { BUDGET = 1 << 20 };

static json_value *parse(const char *text)
{
    json_value *root = NULL;
    struct err err = {0};

    if (text && json_parse_exact(text, strlen(text), BUDGET, &root, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return root;
}

static void test_cases(void **state)
{
    static const struct {
        const char *target;
        const char *patch;
        const char *merged;
    } cases[] = {
        /* RFC 7386, appendix A. */
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{\"a\":null}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"a\":null,\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        /* Order, spelling, and nulls inside lists stay. */
        {"{\"cpu\":1.0,\"x\":1E3}", "{\"y\":2.50}", "{\"cpu\":1.0,\"x\":1E3,\"y\":2.50}"},
        {"{\"z\":1,\"a\":2}", "{\"z\":3}", "{\"z\":3,\"a\":2}"},
        {"{\"a\":1}", "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}"},
        {"{\"e\":null}", "{\"e\":null}", "{\"e\":null}"},
        {"{\"a\":\"x\"}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {NULL, "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"c\":1}}"},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *target = parse(cases[i].target);
        CLEANUP(json_freep) json_value *patch = parse(cases[i].patch);
        CLEANUP(json_freep) json_value *merged = NULL;
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
        struct err err = {0};

        assert_int_equal(merge_patch(target, patch, &merged, &err), 0);
        assert_int_equal(json_print(merged, false, &text, &err), 0);
        assert_string_equal(strbuf_str(&text), cases[i].merged);
        if (!target)
            continue;
        assert_int_equal(json_print(target, false, &before, &err), 0);
        assert_string_equal(strbuf_str(&before), cases[i].target);
    }
}

static void test_no_memory(void **state)
{
    CLEANUP(json_freep) json_value *target = parse("{\"a\":{\"b\":1.0},\"c\":\"x\"}");
    CLEANUP(json_freep) json_value *patch = parse("{\"a\":{\"b\":null,\"d\":{}},\"e\":[1]}");

    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(json_freep) json_value *merged = NULL;
        struct err err = {0};

        alloc_fail_at(n);
        int rc = merge_patch(target, patch, &merged, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(merged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
