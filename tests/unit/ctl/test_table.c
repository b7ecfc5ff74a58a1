/* Tables against golden texts; names are as the worst API would have them. */
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

static const struct table_column columns[] = {{"NAME", false}, {"JOBS", true}, {"MODIFIED", false}};

static void fill(struct table *t)
{
    table_cell(t, "orders");
    table_cell(t, "7");
    table_cell_time(t, 1714058507);
    table_cell(t, "\xe8\xae\xa2\xe5\x8d\x95-\xe5\xae\x9e\xe6\x97\xb6\xe5\xae\xbd\xe8\xa1\xa8");
    table_cell(t, "12345");
    table_cell_time(t, 0);
    table_cell(t, "caf\x65\xcc\x81 \xf0\x9f\x9a\x80");
    table_cell(t, "");
    table_cell_time(t, -5);
    table_cell(t, "evil\x1b[2J\nname");
    table_cell(t, NULL);
    table_cell_time(t, INT64_MAX);
}

static void compare_with_golden(const char *name, const struct strbuf *text)
{
    char path[512], expected[4096];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/ctl/%s", AFE_GOLDEN, name);
    if (getenv("AFE_UPDATE_GOLDEN")) {
        f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(text->ptr, 1, text->len, f), text->len);
        assert_int_equal(fclose(f), 0);
        return;
    }
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(expected, 1, sizeof(expected) - 1, f);
    fclose(f);
    expected[n] = '\0';
    assert_string_equal(strbuf_str(text), expected);
}

static void test_golden(void **state)
{
    CLEANUP(table_release) struct table t = table_begin(columns, ARRAY_LEN(columns));
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    (void)state;
    fill(&t);
    assert_int_equal(table_print(&t, &out, &err), 0);
    compare_with_golden("table.txt", &out);
}

static void test_empty(void **state)
{
    CLEANUP(table_release) struct table t = table_begin(columns, ARRAY_LEN(columns));
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    (void)state;
    assert_int_equal(table_print(&t, &out, &err), 0);
    assert_string_equal(strbuf_str(&out), "NAME  JOBS  MODIFIED\n");
}

static void test_many_rows(void **state)
{
    CLEANUP(table_release) struct table t = table_begin(columns, 1);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        table_cell(&t, "x");
    assert_int_equal(table_print(&t, &out, &err), 0);
    assert_int_equal(out.len, strlen("NAME\n") + 10000 * strlen("x\n"));
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(table_release) struct table t = table_begin(columns, ARRAY_LEN(columns));
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {0};

        alloc_fail_at(n);
        fill(&t);
        int rc = table_print(&t, &out, &err);
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
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
