#include "labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

static const char *const all[] = {"*"};
static const struct glob_list all_labels = {all, 1};

/* "name=value;" for each label that comes of the JSON text. */
static struct strbuf show(const char *json, const struct glob_list *allowed, struct text_cleaner *t)
{
    CLEANUP(json_freep) json_value *root = NULL;
    struct strbuf shown = STRBUF_INIT;
    struct err err;
    size_t n = 77;

    if (json_parse(json, strlen(json), 1 << 20, &root, &err) < 0)
        fail_msg("%s: %s", json, err.msg);
    const struct deployment_label *labels = labels_decode(root, allowed, t, &n);
    assert_int_equal(labels != NULL, n > 0);
    for (size_t i = 0; i < n; i++)
        strbuf_addf(&shown, "%s=%s;", labels[i].name, labels[i].value);
    return shown;
}

static void check(const char *json, const struct glob_list *allowed, const char *expected)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(text_cleaner_release) struct text_cleaner t = {.arena = arena};

    assert_non_null(arena);
    CLEANUP(strbuf_release) struct strbuf shown = show(json, allowed, &t);
    assert_string_equal(strbuf_str(&shown), expected);
    assert_false(t.nomem);
}

static void test_values(void **state)
{
    static const char *const cases[][2] = {
        {"null", ""},
        {"[]", ""},
        {"[{\"a\":\"b\"}]", ""},
        {"\"a\"", ""},
        {"{}", ""},
        {"{\"team\":\"risk\",\"b\":\"\",\"a\":\"x\"}", "label_a=x;label_b=;label_team=risk;"},
        {"{\"test\":\"test\",\"test2\":1}", "label_test=test;label_test2=1;"},
        {"{\"i\":1,\"j\":2.0,\"k\":-0,\"l\":1.5,\"m\":0.1,\"n\":1e3,\"o\":-7}",
         "label_i=1;label_j=2;label_k=0;label_l=1.5;label_m=0.1;label_n=1000;label_o=-7;"},
        {"{\"a\":9007199254740991,\"b\":9007199254740994,\"c\":1e16,\"d\":-1e17}",
         "label_a=9007199254740991;label_b=9007199254740994;label_c=10000000000000000;"
         "label_d=-100000000000000000;"},
        {"{\"a\":12345678901234567890,\"b\":1e22,\"c\":1.7976931348623158e22}",
         "label_a=12345678901234567000;label_b=10000000000000000000000;"
         "label_c=17976931348623158000000;"},
        {"{\"a\":1e309,\"b\":-1e309}", ""},
        {"{\"t\":true,\"f\":false,\"n\":null,\"o\":{},\"l\":[1]}", "label_f=false;label_t=true;"},
        {"{\"a\":\"before\\u0000after\"}", "label_a=before;"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i][0], &all_labels, cases[i][1]);
}

static void test_names(void **state)
{
    static const char *const cases[][2] = {
        {"{\"11\":\"22\"}", "label_11=22;"},
        {"{\"Team\":1,\"team\":2}", "label_Team=1;label_team=2;"},
        {"{\"\xe6\xa0\x87\xe7\xad\xbe key\":\"v\"}", "label____key=v;"},
        {"{\"\xf0\x9f\x98\x80\xff\xfe\":\"v\"}", "label____=v;"},
        {"{\"\":\"e\"}", "label_=e;"},
        {"{\"a-b\":1,\"a.b\":2}", "label_a_b_conflict1=1;label_a_b_conflict2=2;"},
        {"{\"a_b\":3,\"a.b\":2,\"a-b\":1,\"ab\":4}",
         "label_a_b_conflict1=1;label_a_b_conflict2=2;label_a_b_conflict3=3;label_ab=4;"},
        /* A key that is called like a conflict keeps its name. */
        {"{\"a-b\":1,\"a.b\":2,\"a_b_conflict1\":9}",
         "label_a_b_conflict1=9;label_a_b_conflict2=1;label_a_b_conflict3=2;"},
        {"{\"a-b\":1,\"a.b\":2,\"a_b_conflict1\":8,\"a-b-conflict1\":9}",
         "label_a_b_conflict1_conflict1=9;label_a_b_conflict1_conflict2=8;"
         "label_a_b_conflict2=1;label_a_b_conflict3=2;"},
        {"{\"a\":1,\"a\":2}", "label_a=1;"},
        {"{\"a\":null,\"a\":2}", "label_a=2;"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i][0], &all_labels, cases[i][1]);
}

/* Names are cut; what becomes equal by that is told apart like all conflicts. */
static void test_long_names(void **state)
{
    CLEANUP(strbuf_release) struct strbuf json = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;
    int rest = LABEL_NAME_MAX - (int)strlen("label_");

    (void)state;
    strbuf_addf(&json, "{\"%0*d\":1,\"%0*d\":2,\"%0*d\":3}", 600, 0, 601, 0, rest - 1, 0);
    strbuf_addf(&expected, "label_%0*d=3;label_%0*d_conflict1=1;label_%0*d_conflict2=2;", rest - 1,
                0, rest, 0, rest, 0);
    check(strbuf_str(&json), &all_labels, strbuf_str(&expected));
}

static void test_allowlist(void **state)
{
    static const char *const some[] = {"team", "cost.*"};
    static const struct glob_list lists[] = {{some, 2}, {some, 0}};
    static const char json[] = "{\"team\":1,\"Team\":2,\"cost.center\":3,\"cost_center\":4,"
                               "\"steam\":5}";

    (void)state;
    check(json, &lists[0], "label_cost_center=3;label_team=1;");
    check(json, &lists[1], "");
    check(json, NULL, "");
}

/* Of too many the first keys are shown, in whatever order they come. */
static void test_most_labels(void **state)
{
    (void)state;
    for (int descending = 0; descending <= 1; descending++) {
        CLEANUP(strbuf_release) struct strbuf json = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;

        for (int i = 0; i < 500; i++) {
            int key = descending ? 499 - i : i;
            strbuf_addf(&json, "%s\"k%03d\":%d", i ? "," : "{", key, key);
        }
        strbuf_adds(&json, "}");
        for (int i = 0; i < LABELS_MAX; i++)
            strbuf_addf(&expected, "label_k%03d=%d;", i, i);
        check(strbuf_str(&json), &all_labels, strbuf_str(&expected));
    }
}

static void test_counts(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(text_cleaner_release) struct text_cleaner t = {.arena = arena};
    CLEANUP(strbuf_release) struct strbuf json = STRBUF_INIT;

    (void)state;
    assert_non_null(arena);
    strbuf_addf(&json, "{\"long\":\"%0*d\",\"bad\":\"\xff\",\"k\xff\":\"key alone\"}", 513, 0);
    CLEANUP(strbuf_release) struct strbuf shown = show(strbuf_str(&json), &all_labels, &t);
    assert_non_null(strstr(strbuf_str(&shown), "label_bad=\xef\xbf\xbd;"));
    assert_int_equal(t.too_long, 1);
    assert_int_equal(t.invalid_utf8, 1);
}

static void test_no_memory(void **state)
{
    static const char json[] = "{\"a-\":1.5,\"a.\":12345678901234567890,\"c\":\"\xff\"}";
    CLEANUP(json_freep) json_value *root = NULL;

    (void)state;
    assert_int_equal(json_parse(json, sizeof(json) - 1, 1 << 20, &root, NULL), 0);
    for (size_t i = 1;; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        CLEANUP(text_cleaner_release) struct text_cleaner t = {.arena = arena};
        size_t n = 77;

        assert_non_null(arena);
        alloc_fail_at(i);
        const struct deployment_label *labels = labels_decode(root, &all_labels, &t, &n);
        alloc_fail_off();
        if (alloc_fail_count() < i) {
            assert_int_equal(n, 3);
            break;
        }
        assert_true(t.nomem);
        assert_null(labels);
        assert_int_equal(n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),  cmocka_unit_test(test_allowlist),
        cmocka_unit_test(test_most_labels), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
