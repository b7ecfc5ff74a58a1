/* What is near enough to be offered. */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_nearest(void **state)
{
    static const char *const words[] = {"interval", "timeout",   "deadline", "name",
                                        "burst",    "page_size", "endpoint"};
    static const struct {
        const char *word;
        const char *best;
    } cases[] = {
        {"intervall", "interval"},
        {"intreval", "interval"},
        {"Interval", "interval"},
        {"inteval", "interval"},
        {"page-size", "page_size"},
        {"pagesize", "page_size"},
        {"nmae", "name"},
        {"nam", "name"},
        {"bursts", "burst"},
        {"end_point", "endpoint"},
        {"dead-lines", "deadline"},
        {"file", NULL},
        {"n", NULL},
        {"", NULL},
        {"something_else", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct nearest n = nearest_to(cases[i].word);

        for (size_t k = 0; k < ARRAY_LEN(words); k++)
            nearest_offer(&n, words[k]);
        assert_string_equal(n.best ? n.best : "none", cases[i].best ? cases[i].best : "none");
    }
}

static void test_long_words(void **state)
{
    char word[2000];

    (void)state;
    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    struct nearest n = nearest_to(word);
    nearest_offer(&n, word);
    nearest_offer(&n, "a");
    assert_null(n.best);
    n = nearest_to("a");
    nearest_offer(&n, word);
    assert_null(n.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
