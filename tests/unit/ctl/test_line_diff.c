#include "line_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/cleanup.h"

static void expect(const char *before, const char *after, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    line_diff(before, after, &out);
    assert_true(strbuf_ok(&out));
    assert_string_equal(strbuf_str(&out), expected);
}

static void test_small(void **state)
{
    (void)state;
    expect("", "", "");
    expect("a\n", "a\n", "");
    expect("", "a\n", "  @@ -0,0 +1,1 @@\n  +a\n");
    expect("a\n", "", "  @@ -1,1 +0,0 @@\n  -a\n");
    expect("a\n", "b\n", "  @@ -1,1 +1,1 @@\n  -a\n  +b\n");
    expect("a", "a\n", "  @@ -1,1 +1,1 @@\n  -a\n  \\ no newline at the end\n  +a\n");
    expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
           "  @@ -2,7 +2,7 @@\n   2\n   3\n   4\n  -5\n  +X\n   6\n   7\n   8\n");
    /* Tabs stay, a carriage return is seen. */
    expect("\ta\n", "\ta\r\n", "  @@ -1,1 +1,1 @@\n  -\ta\n  +\ta\\r\n");
    expect("x\n", "\x1b[2J\n", "  @@ -1,1 +1,1 @@\n  -x\n  +\\x1b[2J\n");
}

static void test_hunks(void **state)
{
    (void)state;
    /* Six equal lines between two differences are one hunk, seven are two. */
    expect("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
           "  @@ -1,8 +1,8 @@\n  -a\n  +A\n   1\n   2\n   3\n   4\n   5\n   6\n  -b\n  +B\n");
    expect("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
           "  @@ -1,4 +1,4 @@\n  -a\n  +A\n   1\n   2\n   3\n"
           "  @@ -6,4 +6,4 @@\n   5\n   6\n   7\n  -b\n  +B\n");
}

/* The least number of lines: Myers' own example. */
static void test_least(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    size_t changed = 0;

    (void)state;
    line_diff("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", &out);
    assert_true(strbuf_ok(&out));
    for (const char *line = out.ptr; *line; line = strchr(line, '\n') + 1)
        changed += line[2] == '+' || line[2] == '-';
    assert_int_equal(changed, 5);
}

/* Applies a diff to the text before; what comes out must be the text after. */
static void apply(const char *before, const char *diff, struct strbuf *after)
{
    size_t line = 1;

    while (*diff) {
        size_t len = strcspn(diff, "\n") + 1;
        unsigned from;

        if (sscanf(diff, "  @@ -%u", &from) == 1) {
            for (; line < from; line++) {
                size_t n = strcspn(before, "\n") + 1;

                strbuf_add(after, before, n);
                before += n;
            }
        } else if (diff[2] == '+') {
            strbuf_add(after, diff + 3, len - 3);
        } else {
            assert_int_equal(strncmp(before, diff + 3, len - 3), 0);
            if (diff[2] == ' ')
                strbuf_add(after, before, len - 3);
            before += len - 3;
            line++;
        }
        diff += len;
    }
    strbuf_adds(after, before);
}

static void test_random_texts(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf diff = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf applied = STRBUF_INIT;

        for (int i = 0; i < round % 40; i++) {
            seed = seed * 1664525 + 1013904223;
            if (seed >> 24 & 7)
                strbuf_addf(&before, "%c\n", 'a' + (seed >> 16) % 6);
            if (seed >> 27 & 7)
                strbuf_addf(&after, "%c\n", 'a' + (seed >> 16) % 6);
        }
        line_diff(strbuf_str(&before), strbuf_str(&after), &diff);
        apply(strbuf_str(&before), strbuf_str(&diff), &applied);
        assert_string_equal(strbuf_str(&applied), strbuf_str(&after));
    }
}

/* Too many differences to look for the least number: still right. */
static void test_wholly_different(void **state)
{
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf diff = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf applied = STRBUF_INIT;

    (void)state;
    strbuf_adds(&before, "same\n");
    strbuf_adds(&after, "same\n");
    for (int i = 0; i < 3000; i++) {
        strbuf_addf(&before, "old %d\n", i);
        strbuf_addf(&after, "new %d\n", i);
    }
    line_diff(strbuf_str(&before), strbuf_str(&after), &diff);
    assert_true(strbuf_ok(&diff));
    apply(strbuf_str(&before), strbuf_str(&diff), &applied);
    assert_string_equal(strbuf_str(&applied), strbuf_str(&after));
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

        alloc_fail_at(n);
        line_diff("a\nb\nc\nd\n", "a\nx\nc\ny\n", &out);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_true(strbuf_ok(&out));
            break;
        }
        assert_false(strbuf_ok(&out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_hunks),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_wholly_different),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
