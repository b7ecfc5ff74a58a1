/* Limits to the byte, late failure, numbers against printf and strtod, running out of memory. */
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

static void test_appends(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    assert_string_equal(strbuf_str(&b), "");
    strbuf_add(&b, NULL, 0);
    strbuf_adds(&b, "up");
    strbuf_addc(&b, '{');
    strbuf_addf(&b, "%s=\"%d\"", "a", 1);
    strbuf_add(&b, "}\0x", 3);
    assert_true(strbuf_ok(&b));
    assert_int_equal(b.len, strlen("up{a=\"1\"}") + 2);
    assert_memory_equal(b.ptr, "up{a=\"1\"}\0x", b.len + 1);
    strbuf_reset(&b);
    assert_string_equal(strbuf_str(&b), "");
    strbuf_adds(&b, "again");
    assert_string_equal(strbuf_str(&b), "again");
}

/* Appends of all sizes around the growth steps, by bytes and by format. */
static void test_growth(void **state)
{
    char piece[301];

    (void)state;
    memset(piece, 'x', sizeof(piece) - 1);
    piece[sizeof(piece) - 1] = '\0';
    for (size_t size = 1; size < sizeof(piece); size++) {
        CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

        for (int i = 0; i < 6; i++) {
            if (i % 2)
                strbuf_addf(&b, "%.*s", (int)size, piece);
            else
                strbuf_add(&b, piece, size);
            assert_int_equal(b.len, (size_t)(i + 1) * size);
            assert_int_equal(strlen(strbuf_str(&b)), b.len);
            assert_true(b.cap > b.len);
        }
    }
}

static void test_reserve(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    strbuf_reserve(&b, 5000);
    const char *ptr = b.ptr;
    assert_string_equal(strbuf_str(&b), "");
    for (int i = 0; i < 5000; i++)
        strbuf_addc(&b, 'x');
    assert_ptr_equal(b.ptr, ptr);
    strbuf_reserve(&b, SIZE_MAX);
    assert_false(strbuf_ok(&b));
    assert_false(b.over_limit);
}

/* Each way of appending may fill the limit exactly, and goes bad with one byte more. */
static void test_limit(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 200; limit++) {
        for (int way = 0; way < 3; way++) {
            CLEANUP(strbuf_release) struct strbuf b = STRBUF_LIMIT(limit);

            for (size_t i = 0; i + 1 < limit; i++)
                strbuf_addc(&b, 'x');
            for (int k = 0; k < 2; k++) {
                if (way == 0)
                    strbuf_addc(&b, 'y');
                else if (way == 1)
                    strbuf_addf(&b, "%d", 7);
                else
                    strbuf_add_u64(&b, 7);
                assert_int_equal(strbuf_ok(&b), k == 0);
                assert_int_equal(b.len, limit);
                assert_int_equal(strlen(b.ptr), limit);
                assert_true(b.cap <= limit + 1);
            }
            assert_true(b.over_limit);
        }
    }
}

static void test_fails_late(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_LIMIT(5);

    (void)state;
    strbuf_adds(&b, "abc");
    strbuf_addf(&b, "%s", "too long");
    assert_false(strbuf_ok(&b));
    assert_string_equal(strbuf_str(&b), "abc");
    strbuf_addc(&b, 'd'); /* would fit, but the text would have a hole */
    strbuf_addf(&b, "%d", 1);
    strbuf_add_double(&b, 1);
    assert_string_equal(strbuf_str(&b), "abc");
    assert_null(strbuf_take(&b, NULL));
    assert_true(strbuf_ok(&b));
    assert_int_equal(b.limit, 5);

    strbuf_adds(&b, "123456");
    assert_true(b.over_limit);
    strbuf_reset(&b);
    assert_true(strbuf_ok(&b));
    assert_false(b.over_limit);
    strbuf_adds(&b, "12345");
    assert_true(strbuf_ok(&b));
    b.limit = 3; /* lowered below what it holds */
    strbuf_adds(&b, "");
    assert_true(strbuf_ok(&b));
    strbuf_adds(&b, "1");
    assert_true(b.over_limit);
}

static void test_take(void **state)
{
    struct strbuf b = STRBUF_INIT;
    size_t len = 99;

    (void)state;
    CLEANUP(freep) char *empty = strbuf_take(&b, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
    strbuf_adds(&b, "text");
    CLEANUP(freep) char *text = strbuf_take(&b, &len);
    assert_string_equal(text, "text");
    assert_int_equal(len, 4);
    assert_null(b.ptr);
    assert_int_equal(b.len, 0);
}

static void expect_integer(uint64_t u)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    char expected[64];

    strbuf_add_u64(&b, u);
    strbuf_addc(&b, ' ');
    strbuf_add_i64(&b, (int64_t)u);
    (void)snprintf(expected, sizeof(expected), "%" PRIu64 " %" PRId64, u, (int64_t)u);
    assert_string_equal(strbuf_str(&b), expected);
}

static void test_integers(void **state)
{
    (void)state;
    for (uint64_t u = 0; u < 1100; u++)
        expect_integer(u);
    for (uint64_t power = 10; power < UINT64_MAX / 10; power *= 10) {
        expect_integer(power - 1);
        expect_integer(power);
        expect_integer(0 - power);
    }
    for (int bit = 0; bit < 64; bit++) {
        expect_integer((UINT64_C(1) << bit) - 1);
        expect_integer(UINT64_C(1) << bit);
    }
    expect_integer(UINT64_MAX);
}

static void expect_double(double v, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    strbuf_add_double(&b, v);
    assert_string_equal(strbuf_str(&b), expected);
}

static void test_doubles(void **state)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-1, "-1"},
        {1e6, "1000000"},
        {1767236640, "1767236640"},
        {1e15, "1000000000000000"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {-9007199254740992.0, "-9007199254740992"},
        {9007199254740994.0, "9007199254740994"},
        {1e17, "1e+17"},
        {1e22, "1e+22"},
        {0.1, "0.1"},
        {-0.1, "-0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.5, "2.5"},
        {1767236640.123, "1767236640.123"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {5e-324, "4.94065645841247e-324"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_double(cases[i].v, cases[i].text);
}

/* Any bit pattern reads back equal, and one digit less would not, from 16 on. */
static void test_doubles_read_back(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    uint64_t x = UINT64_C(88172645463325252);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        double v;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(&v, &x, sizeof(v));
        if (!isfinite(v))
            continue;
        strbuf_reset(&b);
        strbuf_add_double(&b, v);
        assert_true(strtod(strbuf_str(&b), NULL) == v);
    }
}

static int build(char **ret)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    size_t len;

    strbuf_adds(&b, "head");
    for (int i = 0; i < 100; i++) {
        strbuf_addf(&b, "%d,", i);
        strbuf_add_double(&b, i / 3.0);
    }
    *ret = strbuf_take(&b, &len);
    return *ret ? 0 : -1;
}

static void test_allocation_sweep(void **state)
{
    CLEANUP(freep) char *text = NULL;
    size_t n = 1;

    (void)state;
    for (;; n++) {
        alloc_fail_at(n);
        int rc = build(&text);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_null(text);
    }
    assert_true(n > 5);
}

static void test_text_survives_failure(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    char long_text[200];

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    strbuf_adds(&b, "kept");
    alloc_fail_at(1);
    strbuf_addf(&b, "%s", long_text);
    alloc_fail_off();
    assert_false(strbuf_ok(&b));
    assert_false(b.over_limit);
    assert_string_equal(strbuf_str(&b), "kept");

    /* Even the empty string needs a byte. */
    struct strbuf empty = STRBUF_INIT;
    alloc_fail_at(1);
    assert_null(strbuf_take(&empty, NULL));
    alloc_fail_off();
}

/* --- what the renderer writes with --- */

static void test_room(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf limited = STRBUF_LIMIT(4);
    char *p = strbuf_room(&b, 3);

    (void)state;
    assert_non_null(p);
    memcpy(p, "abc", 3);
    strbuf_wrote(&b, p + 2); /* less than asked for */
    assert_string_equal(strbuf_str(&b), "ab");
    for (int i = 0; i < 1000; i++) {
        p = strbuf_room(&b, 1);
        assert_non_null(p);
        *p = 'x';
        strbuf_wrote(&b, p + 1);
    }
    assert_int_equal(b.len, 1002);
    assert_int_equal(strlen(b.ptr), 1002);
    strbuf_shrink(&b);
    assert_int_equal(b.cap, 1003);
    strbuf_addc(&b, 'y');
    assert_int_equal(strlen(b.ptr), 1003);
    strbuf_adds(&limited, "abc");
    assert_null(strbuf_room(&limited, 2));
    assert_false(strbuf_ok(&limited));
    assert_null(strbuf_room(&limited, 0));
    strbuf_reset(&limited);
    strbuf_shrink(&limited);
    assert_non_null(strbuf_room(&limited, 4));
}

static void test_put_i64(void **state)
{
    static const int64_t values[] = {0, 9, 10, 99, 100, -1, -10, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[STRBUF_I64_MAX], expected[32];

        snprintf(expected, sizeof(expected), "%lld", (long long)values[i]);
        assert_int_equal(strbuf_put_i64(text, values[i]) - text, strlen(expected));
        assert_memory_equal(text, expected, strlen(expected));
    }
    /* Around every power of ten and of two, where the number of digits is guessed. */
    for (unsigned shift = 0; shift < 63; shift++)
        for (int64_t v = (INT64_C(1) << shift) - 1; v <= (INT64_C(1) << shift); v++) {
            CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
            char expected[32];

            snprintf(expected, sizeof(expected), "%lld", (long long)v);
            strbuf_add_i64(&b, v);
            assert_string_equal(strbuf_str(&b), expected);
        }
    for (int64_t ten = 10; ten <= INT64_C(100000000000000000); ten *= 10)
        for (int64_t v = ten - 1; v <= ten + 1; v++) {
            CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
            char expected[32];

            snprintf(expected, sizeof(expected), "%lld", (long long)-v);
            strbuf_add_i64(&b, -v);
            assert_string_equal(strbuf_str(&b), expected);
        }
}

/* The short way for three decimal places writes what the search for the shortest would. */
static void test_thousandths(void **state)
{
    uint64_t x = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
        char expected[64];
        double v;

        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        v = (double)(int64_t)(x >> (8 + i % 50)) / (i % 3 ? 1000 : 1024);
        if (i % 2)
            v = -v;
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(expected, sizeof(expected), "%.*g", digits, v);
            if (strtod(expected, NULL) == v)
                break;
        }
        strbuf_add_double(&b, v);
        if (!strbuf_is_integer(v))
            assert_string_equal(strbuf_str(&b), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_fails_late),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_doubles_read_back),
        cmocka_unit_test(test_allocation_sweep),
        cmocka_unit_test(test_text_survives_failure),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_put_i64),
        cmocka_unit_test(test_thousandths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
