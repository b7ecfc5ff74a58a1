/* Values of reply headers: what cannot be, what is too much, and what is as it should be. */
#include "header.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"

#define NOW_S  INT64_C(1767225600)
#define DAY_MS INT64_C(86400000)

/* "Date: Sun, 06 Nov 2147483647 08:49:37 GMT" once overflowed the clock skew. */
static void test_dates_that_no_clock_shows(void **state)
{
    static const struct {
        int64_t parsed;
        int64_t date;
    } cases[] = {
        {-1, -1},
        {INT64_C(-11649280223), -1}, /* the year 1600 */
        {0, 0},
        {NOW_S, NOW_S},
        {INT64_C(253402300799), INT64_C(253402300799)},
        {INT64_C(253402300800), -1}, /* the year 10000 */
        {INT64_C(67767976228726177), -1},
        {INT64_MAX, -1},
        {INT64_MIN, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(header_date(cases[i].parsed), cases[i].date);
}

static void test_retry_after(void **state)
{
    static const struct {
        const char *vendor;
        const char *standard;
        int64_t date_s;
        int64_t ms;
    } cases[] = {
        {NULL, NULL, -1, -1},
        {"7000", NULL, -1, 7000},
        {"7000", "9", -1, 7000},
        {"0", "9", -1, 9000},
        {"-5", "9", -1, 9000},
        {"", "9", -1, 9000},
        {"7s", "9", -1, 9000},
        {"7.5", NULL, -1, -1},
        {NULL, "0", -1, -1},
        {NULL, "soon", -1, -1},
        {NULL, "99999999999999999999999999", -1, DAY_MS},
        {"99999999999999999999999999", NULL, -1, DAY_MS},
        {NULL, "a date", NOW_S + 30, 30000},
        {NULL, "a date", NOW_S, -1},
        {NULL, "a date", NOW_S - 30, -1},
        {NULL, "a date", INT64_C(253402300799), DAY_MS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(
            header_retry_after_ms(cases[i].vendor, cases[i].standard, cases[i].date_s, NOW_S),
            cases[i].ms);
}

static void test_copy_is_fit_for_a_log(void **state)
{
    char to[8];

    (void)state;
    header_copy(to, sizeof(to), NULL);
    assert_string_equal(to, "");
    header_copy(to, sizeof(to), "a\r\nb\x7f\xff\tc");
    assert_string_equal(to, "abc");
    header_copy(to, sizeof(to), "1234567890");
    assert_string_equal(to, "1234567");
    header_copy(to, 1, "x");
    assert_string_equal(to, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_that_no_clock_shows),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_copy_is_fit_for_a_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
