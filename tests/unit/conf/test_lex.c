/* Where tokens end, and what is said about those that cannot stand where they do. */
#include "lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        enum lex_kind kind;
        size_t end;
    } cases[] = {
        {"", LEX_END, 0},
        {"  \t\r\f x", LEX_SPACE, 6},
        {"  \n  x", LEX_SPACE, 3},
        {"# to the end\nx", LEX_SPACE, 12},
        {"// to the end", LEX_SPACE, 13},
        {"/* a\nb */x", LEX_SPACE, 9},
        {"/**/x", LEX_SPACE, 4},
        {"name-1_* =", LEX_NAME, 8},
        {"a1234567890123 =", LEX_NAME, 14},
        {"true;", LEX_BOOLEAN, 4},
        {"FALSE", LEX_BOOLEAN, 5},
        {"truer;", LEX_NAME, 5},
        {"0x;", LEX_NUMBER, 1},
        {"-0x1;", LEX_NUMBER, 2},
        {"= 1", LEX_EQUALS, 1},
        {": 1", LEX_EQUALS, 1},
        {",", LEX_COMMA, 1},
        {";", LEX_SEMICOLON, 1},
        {"{", LEX_OPEN, 1},
        {"[", LEX_OPEN, 1},
        {"(", LEX_OPEN, 1},
        {"}", LEX_CLOSE, 1},
        {"]", LEX_CLOSE, 1},
        {")", LEX_CLOSE, 1},
        {"\"a\" b", LEX_STRING, 3},
        {"\"\"", LEX_STRING, 2},
        {"\"a\\\"b\\\\\"c", LEX_STRING, 8},
        {"\"a\\x41\\q\"c", LEX_STRING, 9},
        {"\"1234567890 # //\"", LEX_STRING, 17},
        {"123456789;", LEX_NUMBER, 9},
        {"-123456789;", LEX_NUMBER, 10},
        {"+1L", LEX_NUMBER, 3},
        {"1LL;", LEX_NUMBER, 3},
        {"0xFFFFFFF;", LEX_NUMBER, 9},
        {"20.0;", LEX_NUMBER, 4},
        {"20.", LEX_NUMBER, 3},
        {".5e-3;", LEX_NUMBER, 5},
        {"12345678901.5;", LEX_NUMBER, 13},
        {"12345678901e1;", LEX_NUMBER, 13},
        {"1234567890;", LEX_LONG_INTEGER, 10},
        {"-1234567890;", LEX_LONG_INTEGER, 11},
        {"5000000000L;", LEX_LONG_INTEGER, 11},
        {"0x80000000;", LEX_LONG_INTEGER, 10},
        {"  @include \"a b\" x", LEX_INCLUDE, 16},
        {"@include\t\"a\\\"\"x", LEX_INCLUDE, 14},
        {"\"a", LEX_BAD, 0},
        {"\"a\n\"", LEX_BAD, 0},
        {"\"a\\\"", LEX_BAD, 0},
        {"\"\\x00\"", LEX_BAD, 0},
        {"/* a", LEX_BAD, 0},
        {"/*/", LEX_BAD, 0},
        {"- 1", LEX_BAD, 0},
        {"'a'", LEX_BAD, 0},
        {"/", LEX_BAD, 0},
        {"$", LEX_BAD, 0},
        {"\xc3\xa4", LEX_BAD, 0},
        {"@included \"a\"", LEX_BAD, 0},
        {"@include \"a", LEX_BAD, 9},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct lex_token t = lex_next(cases[i].text, strlen(cases[i].text), 0);

        assert_string_equal(t.kind == LEX_BAD && !t.reason ? "no reason" : "", "");
        if (t.kind != cases[i].kind || t.end != cases[i].end)
            fail_msg("%s: kind %d, end %zu", cases[i].text, (int)t.kind, t.end);
    }
}

/* Only at a line's start is @include one. */
static void test_include_elsewhere(void **state)
{
    static const char text[] = "a = 1; @include \"b\"";

    (void)state;
    assert_int_equal(lex_next(text, strlen(text), 7).kind, LEX_BAD);
    assert_int_equal(lex_next("\n@include \"b\"", 13, 1).kind, LEX_INCLUDE);
}

/* The first complaint about a text, NULL if there is none. */
static const char *judge(const char *text, struct lex_state *s)
{
    struct lex_token t = {0};
    unsigned line = 1;

    do {
        t = lex_next(text, strlen(text), t.end);
        const char *reason = lex_accept(s, text, t, line);

        if (reason)
            return reason;
        for (size_t i = t.start; i < t.end; i++)
            line += text[i] == '\n';
    } while (t.kind != LEX_END);
    return lex_finish(s);
}

static void test_order(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"a = { b = [ 1, 2 ]; c = ( { }, \"x\" \"y\" ); d = TRUE, };", NULL},
        {"a = 60 b = 1 c = true d = { } e : \"x\"", NULL},
        {"a = { }; b = ( ), c = [ ]", NULL},
        {"interval = 60s;",
         "letters behind a number; durations and sizes are strings such as \"60s\""},
        {"size = 1.5MiB;",
         "letters behind a number; durations and sizes are strings such as \"60s\""},
        {"size = 10000000000KiB;",
         "letters behind a number; durations and sizes are strings such as \"60s\""},
        {"a = yes;", "a value is a string in double quotes, a number, true or false"},
        {"a = [ yes ];", "a value is a string in double quotes, a number, true or false"},
        {"a = ( b = 1 );", "a value is a string in double quotes, a number, true or false"},
        {"a = [ 1, ];", "a ',' before the closing bracket"},
        {"a = ( 1, );", "a ',' before the closing bracket"},
        {"a = [ 1 2 ];", "a ',' is missing between two values"},
        {"a = ( { } { } );", "a ',' is missing between two values"},
        {"a = ( \"x\" 1 );", "a ',' is missing between two values"},
        {"a = [ 1; 2 ];",
         "a ';' between brackets that hold a list; its values are separated by ','"},
        {"a = [ , ];", "a ',' or ';' that follows no value"},
        {"a = [ 1,, 2 ];", "a ',' or ';' that follows no value"},
        {"a = [ ( ) ];", "[ ] holds strings, numbers or booleans; a list of others stands in ( )"},
        {"a = 1;;", "a ',' or ';' that follows no value"},
        {"; a = 1", "a ',' or ';' that follows no value"},
        {"a = { ; };", "a ',' or ';' that follows no value"},
        {"a = ;", "a value is missing behind a '='"},
        {"a = { b = };", "a value is missing behind a '='"},
        {"a = = 1;", "a '=' that follows no key"},
        {"= 1;", "a '=' that follows no key"},
        {"a = [ = ];", "a '=' that follows no key"},
        {"a;", "a '=' is missing behind a key"},
        {"a b = 1;", "a '=' is missing behind a key"},
        {"a \"x\";", "a '=' is missing behind a key"},
        {"a { };", "a '=' is missing behind a key"},
        {"a = { b };", "a '=' is missing behind a key"},
        {"1;", "a value without a key"},
        {"a = 1 2;", "a value without a key"},
        {"a = \"x\" 2;", "a value without a key"},
        {"{ };", "a value without a key"},
        {"a = 1; }", "a closing bracket that was never opened"},
        {"a = { b = ( 1 }", "a closing bracket of another kind than the last one opened"},
        {"a = ", "a value is missing behind a '='"},
        {"a", "a '=' is missing behind a key"},
        {"a = {", "a bracket that is never closed"},
        {"", NULL},
        {"a=((((((((((((((((1))))))))))))))))", NULL},
        {"a=(((((((((((((((((1)))))))))))))))))", "brackets are nested too deeply"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct lex_state s = {0};
        const char *reason = judge(cases[i].text, &s);

        assert_string_equal(reason ? reason : "", cases[i].reason ? cases[i].reason : "");
    }
}

static void test_what_is_open(void **state)
{
    struct lex_state s = {0};

    (void)state;
    assert_non_null(judge("a = (\n{\n", &s));
    assert_int_equal(s.depth, 2);
    assert_int_equal(s.open[1], '{');
    assert_int_equal(s.open_line[0], 1);
    assert_int_equal(s.open_line[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_include_elsewhere),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
