/* Patterns against a table and against the plain recursive definition. */
#include "base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_table(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"a", "a", true},
        {"a", "A", false},
        {"a", "ab", false},
        {"ab", "a", false},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"*", "", true},
        {"*", "anything", true},
        {"**", "", true},
        {"*?", "", false},
        {"*?", "a", true},
        {"?*", "ab", true},
        {"prod-*", "prod-", true},
        {"prod-*", "prod-orders", true},
        {"prod-*", "preprod-orders", false},
        {"*-orders", "prod-orders", true},
        {"*-orders", "prod-orders2", false},
        {"*ord*", "prod-orders", true},
        {"a*b*c", "abc", true},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"*ab", "aab", true},
        {"*aab", "aaaab", true},
        {"a*a", "a", false},
        {"[a]", "a", false}, /* neither brackets nor backslash mean anything */
        {"[a]", "[a]", true},
        {"\\*", "\\x", true},
        {"\\*", "*", false},
        {"a*", "*", false},
        {"*", "*", true},
        {"??", "\xc3\xa4", true}, /* a byte each */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].text);
    }
}

static bool by_definition(const char *pattern, const char *text)
{
    if (!*pattern)
        return !*text;
    if (*pattern == '*')
        return by_definition(pattern + 1, text) || (*text && by_definition(pattern, text + 1));
    return *text && (*pattern == '?' || *pattern == *text) && by_definition(pattern + 1, text + 1);
}

/* The i-th string over the alphabet, all lengths from 0 on. */
static void nth_string(size_t i, const char *alphabet, char *out)
{
    size_t base = strlen(alphabet);

    for (; i > 0; i = (i - 1) / base)
        *out++ = alphabet[(i - 1) % base];
    *out = '\0';
}

static void test_all_short_patterns(void **state)
{
    (void)state;
    for (size_t p = 0; p < 1365; p++) { /* up to five characters of four */
        char pattern[16];

        nth_string(p, "ab*?", pattern);
        for (size_t t = 0; t < 127; t++) { /* up to six of two */
            char text[16];

            nth_string(t, "ab", text);
            if (glob_match(pattern, text) != by_definition(pattern, text))
                fail_msg("'%s' on '%s'", pattern, text);
        }
    }
}

static void test_no_blowup(void **state)
{
    static char text[20001];
    static char pattern[1001];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 0; i + 1 < sizeof(pattern); i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[sizeof(pattern) - 2] = 'b';
    assert_false(glob_match(pattern, text));
    pattern[sizeof(pattern) - 2] = 'a';
    assert_true(glob_match(pattern, text));
}

static void test_list(void **state)
{
    static const char *const patterns[] = {"prod-*", "staging"};
    struct glob_list list = {.patterns = patterns, .n_patterns = ARRAY_LEN(patterns)};
    struct glob_list empty = {0};

    (void)state;
    assert_true(glob_list_match(&list, "prod-a"));
    assert_true(glob_list_match(&list, "staging"));
    assert_false(glob_list_match(&list, "test"));
    assert_false(glob_list_match(&empty, "prod-a"));
    assert_false(glob_list_match(&empty, ""));
}

static void test_copy_and_equal(void **state)
{
    static const char *const patterns[] = {"prod-*", "staging"};
    static const char *const others[] = {"prod-*", "stagint"};
    struct glob_list list = {.patterns = patterns, .n_patterns = ARRAY_LEN(patterns)};
    struct glob_list other = {.patterns = others, .n_patterns = ARRAY_LEN(others)};
    struct glob_list shorter = {.patterns = patterns, .n_patterns = 1};
    struct glob_list empty = {0}, copy;
    struct arena *arena = arena_new();

    (void)state;
    assert_non_null(arena);
    assert_int_equal(glob_list_copy(arena, &list, &copy), 0);
    assert_true(glob_list_equal(&list, &copy));
    assert_ptr_not_equal(copy.patterns[0], list.patterns[0]);
    assert_false(glob_list_equal(&list, &other));
    assert_false(glob_list_equal(&list, &shorter));
    assert_int_equal(glob_list_copy(arena, &empty, &copy), 0);
    assert_true(glob_list_equal(&empty, &copy));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),          cmocka_unit_test(test_all_short_patterns),
        cmocka_unit_test(test_no_blowup),      cmocka_unit_test(test_list),
        cmocka_unit_test(test_copy_and_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
