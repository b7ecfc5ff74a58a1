#include "json_skip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 200, ROUNDS = 200000 };

/* The first byte that wants a closer look, found the simple way. */
static const char *first_special(const char *p, const char *end)
{
    while (p < end && *p != '"' && (unsigned char)*p < 0x80) {
        if (*p == '\\' && (end - p < 2 || !json_is_simple_escape(p[1])))
            return p;
        p += *p == '\\' ? 2 : 1;
    }
    return p;
}

/* True if p is a place between the escapes of the text, and none was passed over that matters. */
static bool is_admitted(const char *text, const char *p, const char *special)
{
    const char *at = text;

    while (at < p && at < special)
        at += *at == '\\' ? 2 : 1;
    return at == p;
}

static uint64_t next_random(void)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

/* Mostly plain, with runs of backslashes of every length at every place of a block. */
static size_t make_text(char *text)
{
    static const char specials[] = "\\\\\\\\\\\\\"\"nu/bfrtx\xe4\x80";
    size_t len = next_random() % TEXT_MAX;
    uint64_t one_in = 1 + next_random() % 40;

    for (size_t i = 0; i < len; i++)
        text[i] = next_random() % one_in == 0 ? specials[next_random() % (sizeof(specials) - 1)]
                                              : (char)('a' + next_random() % 26);
    return len;
}

static void check(json_skip_fn *skip_text, const char *text, size_t len)
{
    /* A copy of exactly this size, so that a read too far is seen. */
    char *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    const char *end = copy + len;
    const char *special = first_special(copy, end);
    const char *p = skip_text(copy, end);
    if (p > special || !is_admitted(copy, p, special))
        fail_msg("%.*s: stopped at %td, not %td", (int)len, text, p - copy, special - copy);
    free(copy);
}

static const char *skip_short(const char *p, const char *end)
{
    return json_skip_short(p, end);
}

static void test_never_too_far(void **state)
{
    char text[TEXT_MAX];

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        size_t len = make_text(text);

        check(json_skip_portable, text, len);
        check(json_skip_best(), text, len);
        check(skip_short, text, len);
    }
}

/* It has to get somewhere, too: the whole of a plain text, and in one go. */
static void test_far_enough(void **state)
{
    char text[1000];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t len = 0; len <= sizeof(text); len++) {
        assert_ptr_equal(json_skip_portable(text, text + len), text + len);
        assert_ptr_equal(json_skip_best()(text, text + len), text + len);
    }
}

/* Every byte behind a backslash, at every place of a block: only eight of them are passed over. */
static void test_escapes(void **state)
{
    char text[TEXT_MAX];

    (void)state;
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at + 2 < TEXT_MAX; at++) {
            memset(text, 'a', sizeof(text));
            text[at] = '\\';
            text[at + 1] = (char)c;
            check(json_skip_best(), text, sizeof(text));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_too_far),
        cmocka_unit_test(test_far_enough),
        cmocka_unit_test(test_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
