/* Every code point, every pair of bytes, and sequences at all bounds against plain decoding. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xf0) | c);
    return n;
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x200000; c++) {
        bool valid = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        char s[4];
        size_t n = encode(c, s);

        if (utf8_sequence_len(s, n) != (valid ? n : 0) || utf8_valid(s, n) != valid)
            fail_msg("U+%X", c);
        for (size_t shorter = 0; shorter < n; shorter++) {
            if (utf8_sequence_len(s, shorter) != 0)
                fail_msg("U+%X cut to %zu", c, shorter);
        }
    }
}

/* The definition: decode by the lead byte's bits, then refuse what a shorter form could say. */
static size_t by_definition(const unsigned char *p, size_t len)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    return c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

static void test_byte_combinations(void **state)
{
    /* Each bound of the table in the standard with its neighbours. */
    static const unsigned char bounds[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
                                           0xa0, 0xbf, 0xc0, 0xc2, 0xff};

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t i = 0; i < ARRAY_LEN(bounds) * ARRAY_LEN(bounds); i++) {
                unsigned char p[4] = {(unsigned char)first, (unsigned char)second,
                                      bounds[i / ARRAY_LEN(bounds)], bounds[i % ARRAY_LEN(bounds)]};
                char s[4];

                memcpy(s, p, sizeof(s));
                if (utf8_sequence_len(s, 4) != by_definition(p, 4))
                    fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
            }
        }
    }
}

static void test_valid(void **state)
{
    static const struct {
        const char *s;
        size_t len;
        bool valid;
    } cases[] = {
        {"", 0, true},
        {"plain", 5, true},
        {"a\0b", 3, true},
        {"12345678", 8, true},
        {"1234567\xc3\xa4", 9, true},
        {"1234567\xc3", 8, false},
        {"12345678\x80", 9, false},
        {"\xe4\xb8\xad\xe6\x96\x87", 6, true},
        {"\xc0\x80", 2, false},
        {"\xed\xa0\x80", 3, false},
        {"\xf4\x90\x80\x80", 4, false},
        {"\xfe", 1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_valid(cases[i].s, cases[i].len), cases[i].valid);
    /* A bad byte at every place of the words that are read at once. */
    for (size_t at = 0; at < 40; at++) {
        char s[40];

        memset(s, 'x', sizeof(s));
        s[at] = (char)0xff;
        assert_false(utf8_valid(s, sizeof(s)));
        assert_true(utf8_valid(s, at));
        assert_true(utf8_valid(s + at + 1, sizeof(s) - at - 1));
    }
}

static void test_prefix(void **state)
{
    static const char s[] = "a\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80z"; /* ends at 1 3 6 10 11 */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};

    (void)state;
    for (size_t max = 0; max < ARRAY_LEN(expected); max++)
        assert_int_equal(utf8_prefix_len(s, sizeof(s) - 1, max), expected[max]);
    assert_int_equal(utf8_prefix_len("", 0, 0), 0);
    assert_int_equal(utf8_prefix_len("", 0, 10), 0);
    assert_int_equal(utf8_prefix_len(s, sizeof(s) - 1, SIZE_MAX), sizeof(s) - 1);
    /* No text, but no endless way back either. */
    assert_int_equal(utf8_prefix_len("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
    assert_int_equal(utf8_prefix_len("\x80\x80", 2, 0), 0);
}

#define R "\xef\xbf\xbd"

static void test_repair(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        const char *out;
        size_t n_replaced;
    } cases[] = {
        {"", 0, "", 0},
        {"plain", 5, "plain", 0},
        {"\xc3\xa4", 2, "\xc3\xa4", 0},
        {"\xff", 1, R, 1},
        {"a\xff"
         "b",
         3, "a" R "b", 1},
        {"\xc3", 1, R, 1},
        {"\xe4\xb8", 2, R R, 2},
        {"\xe4\xb8x", 3, R R "x", 2},
        {"\xed\xa0\x80", 3, R R R, 3},
        {"\xc3\xc3\xa4", 3, R "\xc3\xa4", 1},
        {"\xf4\x90\x80\x80!", 5, R R R R "!", 4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

        strbuf_addc(&b, '>');
        assert_int_equal(utf8_append_repaired(&b, cases[i].in, cases[i].len), cases[i].n_replaced);
        assert_string_equal(strbuf_str(&b) + 1, cases[i].out);
    }
}

/* Whatever goes in, text comes out, and text comes out as it was. */
static void test_repair_random(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        CLEANUP(strbuf_release) struct strbuf once = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf twice = STRBUF_INIT;
        char s[64];

        for (size_t k = 0; k < sizeof(s); k++) {
            x = x * 1103515245 + 12345;
            s[k] = (char)(x >> 23);
        }
        size_t n = utf8_append_repaired(&once, s, sizeof(s));
        assert_true(utf8_valid(once.ptr, once.len));
        assert_int_equal(n == 0, utf8_valid(s, sizeof(s)));
        assert_int_equal(utf8_append_repaired(&twice, once.ptr, once.len), 0);
        assert_int_equal(twice.len, once.len);
        assert_memory_equal(twice.ptr, once.ptr, once.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_byte_combinations),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_repair_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
