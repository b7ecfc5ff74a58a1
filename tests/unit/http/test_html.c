/* Escaping: a table, and the property that no text can open a tag, an entity or a quote. */
#include "html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/utf8.h"

#define FFFD "\xef\xbf\xbd"
#define DOTS "\xe2\x80\xa6"

static void test_table(void **state)
{
    static const struct {
        const char *text;
        size_t max_bytes;
        const char *html;
    } cases[] = {
        {"", 10, ""},
        {"plain text", 10, "plain text"},
        {"<script>alert('1')</script>", 100, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
        {"\" onmouseover=\"x", 100, "&quot; onmouseover=&quot;x"},
        {"&amp;", 100, "&amp;amp;"},
        {"a\tb\nc\rd", 100, "a b c d"},
        {"\x01\x1b[31m\x7f", 100, FFFD FFFD "[31m" FFFD},
        {"caf\xc3\xa9 \xe4\xbd\x9c\xe4\xb8\x9a \xf0\x9f\x92\xa9", 100,
         "caf\xc3\xa9 \xe4\xbd\x9c\xe4\xb8\x9a \xf0\x9f\x92\xa9"},
        {"\xff\xc3(\xc0\xaf", 100, FFFD FFFD "(" FFFD FFFD},
        {"\xc3", 100, FFFD},
        {"abcdef", 6, "abcdef"},
        {"abcdef", 5, "abcde" DOTS},
        {"abc", 0, DOTS},
        {"<<<", 2, "&lt;&lt;" DOTS},
        {"caf\xc3\xa9s", 4, "caf" DOTS},
        {"caf\xc3\xa9s", 5, "caf\xc3\xa9" DOTS},
        {"\xf0\x9f\x92\xa9!", 3, DOTS},
        {"\xf0\x9f\x92\xa9!", 4, "\xf0\x9f\x92\xa9" DOTS},
        {"\x80\x80\x80\x80\x80\x80", 5, FFFD FFFD DOTS}, /* no character to spare */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

        html_text(&out, cases[i].text, cases[i].max_bytes);
        assert_true(strbuf_ok(&out));
        assert_string_equal(strbuf_str(&out), cases[i].html);
    }
}

static void test_lines(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    html_lines(&out, "<a>\r\n\tat b\n\n'c", 100);
    html_lines(&out, "x\ny", 2);
    assert_string_equal(strbuf_str(&out), "&lt;a&gt; <br> at b<br><br>&#39;cx<br>" DOTS);
}

/* All texts of three bytes: what comes out is UTF-8, without markup and without control characters.
 */
static void test_every_three_bytes(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b++) {
            const char text[] = {(char)a, (char)b, (char)(a ^ b ? a ^ b : 1), '\0'};

            strbuf_reset(&out);
            html_text(&out, text, 1 + b % 4);
            assert_true(utf8_valid(strbuf_str(&out), out.len));
            assert_null(strpbrk(strbuf_str(&out), "<>\"'\x01\x02\x1b\x7f\n"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_every_three_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
