/* What is a quantity, what is none, and that nothing wraps. */
#include "base/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct quantity_case {
    const char *text;
    int64_t expected; /* -1: not one */
};

static void run(const struct quantity_case *cases, size_t n, int (*parse)(const char *, int64_t *))
{
    for (size_t i = 0; i < n; i++) {
        int64_t got = 4242;
        int rc = parse(cases[i].text, &got);

        if (cases[i].expected < 0 ? (rc != -1 || got != 4242)
                                  : (rc != 0 || got != cases[i].expected))
            fail_msg("'%s': rc %d, value %lld", cases[i].text, rc, (long long)got);
    }
}

static void test_durations(void **state)
{
    static const struct quantity_case cases[] = {
        {"0ms", 0},
        {"0s", 0},
        {"1ms", 1},
        {"500ms", 500},
        {"30s", 30000},
        {"5m", 300000},
        {"36h", 129600000},
        {"1d", 86400000},
        {"007s", 7000},
        {"3650d", 315360000000},
        {"87600h", 315360000000},
        {"315360000000ms", 315360000000},
        {"3651d", -1},
        {"87601h", -1},
        {"315360000001ms", -1},
        {"315360001s", -1},
        {"18446744073709551616ms", -1},
        {"99999999999999999999999999s", -1},
        {"213503982334601d", -1},
        {"", -1},
        {"0", -1},
        {"5", -1},
        {"s", -1},
        {"ms", -1},
        {"-1s", -1},
        {"+1s", -1},
        {"1.5s", -1},
        {"1 s", -1},
        {" 1s", -1},
        {"1s ", -1},
        {"1S", -1},
        {"1M", -1},
        {"1m30s", -1},
        {"1w", -1},
        {"1us", -1},
        {"1sec", -1},
        {"0x5s", -1},
        {"\xd9\xa1s", -1},
    };

    (void)state;
    run(cases, ARRAY_LEN(cases), quantity_parse_duration_ms);
}

static void test_bytes(void **state)
{
    static const struct quantity_case cases[] = {
        {"0", 0},
        {"0B", 0},
        {"1", 1},
        {"1073741824", 1073741824},
        {"1024B", 1024},
        {"1 b", 1},
        {"4 GiB", 4294967296},
        {"4GiB", 4294967296},
        {"4   GiB", 4294967296},
        {"1Gi", 1073741824},
        {"1 gb", 1073741824},
        {"1 GB", 1073741824},
        {"1g", 1073741824},
        {"2048Mi", 2147483648},
        {"64MiB", 67108864},
        {"512m", 536870912},
        {"100KiB", 102400},
        {"1k", 1024},
        {"1T", 1099511627776},
        {"8PiB", 9007199254740992},
        {"9007199254740992", 9007199254740992},
        {"8192 TiB", 9007199254740992},
        {"8.0 pb", 9007199254740992},
        {"64 ", 64},
        {"1.5 GiB", 1610612736},
        {"0.5", 0},
        {"1.999999", 1},
        {"0.1 KiB", 102},
        {"1.0009765625KiB", 1025},
        {"1.00097656249999999999999999999999999KiB", 1024},
        {"0.00000000000000000000000000000000001PiB", 0},
        {"0.9999999999999999PiB", 1125899906842623},
        {"7.99999999999999999999999999999999999999PiB", 9007199254740991},
        {"9007199254740993", -1},
        {"9007199254740992.1", 9007199254740992},
        {"9PiB", -1},
        {"8.0000000000000002PiB", 9007199254740992},
        {"8.000000000000001PiB", -1},
        {"18446744073709551616", -1},
        {"18014398509481984KiB", -1},
        {"16384 PiB", -1},
        {"", -1},
        {" ", -1},
        {"GiB", -1},
        {"B", -1},
        {".5 GiB", -1},
        {"1. GiB", -1},
        {"1.", -1},
        {"1..5", -1},
        {"1.5.5", -1},
        {"-1", -1},
        {"-1 GiB", -1},
        {"+1", -1},
        {" 1", -1},
        {"1 GiB ", -1},
        {"1 Gi B", -1},
        {"1\tGiB", -1},
        {"1e9", -1},
        {"1E", -1},
        {"1 i", -1},
        {"1iB", -1},
        {"1Gb/s", -1},
        {"1GiBB", -1},
        {"1 GG", -1},
        {"NaN", -1},
        {"inf", -1},
        {"0x10", -1},
        {"1,5 GiB", -1},
        {"1_000", -1},
    };

    (void)state;
    run(cases, ARRAY_LEN(cases), quantity_parse_bytes);
}

static void test_u64(void **state)
{
    static const char *const refused[] = {"",
                                          " ",
                                          "-1",
                                          "+1",
                                          "1 ",
                                          " 1",
                                          "1.0",
                                          "0x1",
                                          "1e3",
                                          "a",
                                          "1a",
                                          "18446744073709551616",
                                          "99999999999999999999",
                                          "184467440737095516150"};
    uint64_t v = 4242;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(quantity_parse_u64(refused[i], &v), -1);
        assert_int_equal(v, 4242);
    }
    assert_int_equal(quantity_parse_u64("0", &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(quantity_parse_u64("00042", &v), 0);
    assert_int_equal(v, 42);
    assert_int_equal(quantity_parse_u64("18446744073709551615", &v), 0);
    assert_true(v == UINT64_MAX);
}

/* Whole numbers around every power of ten. */
static void test_bytes_read_back(void **state)
{
    (void)state;
    for (int64_t power = 1; power < 9000000000000000; power *= 10) {
        for (int64_t v = power - 1; v <= power + 1; v++) {
            char text[32];
            int64_t got = -1;

            (void)snprintf(text, sizeof(text), "%lld B", (long long)v);
            assert_int_equal(quantity_parse_bytes(text, &got), 0);
            assert_int_equal(got, v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_bytes_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
