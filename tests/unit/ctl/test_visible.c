/* What a terminal shows, and in how many columns. */
#include "visible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void expect(const char *text, size_t len, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    visible_append(&out, text, len);
    assert_string_equal(strbuf_str(&out), expected);
}

static void test_what_passes(void **state)
{
    static const char *const texts[] = {
        "",
        "plain ~ text",
        "a\\b", /* backslashes are not doubled */
        "\xc2\xa0\xc3\xa9",
        "\xe8\xae\xa2\xe5\x8d\x95",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", /* two emoji and a joiner */
        "e\xcc\x81",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect(texts[i], strlen(texts[i]), texts[i]);
}

static void test_what_is_shown_by_number(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"a\x1b[31mred\x1b[0m", "a\\x1b[31mred\\x1b[0m"},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"\x7f\x01\x08", "\\x7f\\x01\\x08"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* CSI in one byte */
        {"\xe2\x80\xae"
         "abc",
         "\\u202eabc"}, /* right to left */
        {"\xe2\x81\xa6"
         "x\xe2\x81\xa9",
         "\\u2066x\\u2069"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
        {"\xef\xbb\xbf"
         "bom",
         "\\ufeffbom"},
        {"\xe2\x80\x8b", "\\u200b"},
        {"\xf3\xa0\x81\xa1", "\\U000e0061"}, /* a tag */
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xe8\xae", "\\xe8\\xae"}, /* cut */
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].text, strlen(cases[i].text), cases[i].expected);
    expect("a\0b", 3, "a\\x00b");
}

static void test_line_keeps_tabs(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    visible_append_line(&out, "\tSELECT\x1b\r", 9);
    assert_string_equal(strbuf_str(&out), "\tSELECT\\x1b\\r");
}

/* Nothing that a terminal could obey is left of any byte or any character. */
static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x3000; c++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        char text[4];
        size_t n = 0;

        if (c < 0x80) {
            text[n++] = (char)c;
        } else if (c < 0x800) {
            text[n++] = (char)(0xc0 | c >> 6);
            text[n++] = (char)(0x80 | (c & 0x3f));
        } else {
            text[n++] = (char)(0xe0 | c >> 12);
            text[n++] = (char)(0x80 | (c >> 6 & 0x3f));
            text[n++] = (char)(0x80 | (c & 0x3f));
        }
        visible_append(&out, text, n);
        assert_true(strbuf_ok(&out));
        bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
                       (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x61c;
        if (control && out.ptr[0] != '\\')
            fail_msg("U+%04x got through", c);
        if (c >= 0x20 && c < 0x7f)
            assert_int_equal(out.len, 1);
    }
    for (int c = 0x80; c < 0x100; c++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        char byte = (char)c;

        visible_append(&out, &byte, 1);
        assert_int_equal(out.len, 4);
        assert_int_equal(out.ptr[0], '\\');
    }
}

static void test_width(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"\xe8\xae\xa2\xe5\x8d\x95", 4}, /* CJK */
        {"\xef\xbc\xa1", 2},             /* full-width A */
        {"\xef\xbd\xb1", 1},             /* half-width katakana */
        {"e\xcc\x81", 1},                /* combining acute */
        {"\xed\x95\x9c", 2},             /* Hangul syllable */
        {"\xe1\x84\x92\xe1\x85\xa1", 2}, /* the same in parts */
        {"\xf0\x9f\x98\x80", 2},         /* emoji */
        {"\xf0\xa0\x80\x80", 2},         /* extension B */
        {"\xe3\x80\x82", 2},             /* ideographic full stop */
        {"\xe2\x80\x94", 1},             /* em dash */
        {"\xc3\xa9\xce\xb1\xd0\x96", 3},
        {"\xe2\x80\x8d", 0}, /* joiner */
        {"\xff", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (visible_width(cases[i].text, strlen(cases[i].text)) != cases[i].width)
            fail_msg("case %zu: %zu columns", i,
                     visible_width(cases[i].text, strlen(cases[i].text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_passes),     cmocka_unit_test(test_what_is_shown_by_number),
        cmocka_unit_test(test_line_keeps_tabs), cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
