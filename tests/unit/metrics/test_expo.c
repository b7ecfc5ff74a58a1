/* The two grammars to the byte: headers, labels, numbers, the end. */
#include "metrics/expo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

static void test_headers(void **state)
{
    static const struct {
        struct family family;
        const char *text;
        const char *openmetrics;
    } cases[] = {
        {{"aliyun_flink_up", "1 if it works.", .type = METRIC_GAUGE},
         "# HELP aliyun_flink_up 1 if it works.\n# TYPE aliyun_flink_up gauge\n",
         "# HELP aliyun_flink_up 1 if it works.\n# TYPE aliyun_flink_up gauge\n"},
        {{"refreshes_total", "Refreshes begun.", .type = METRIC_COUNTER},
         "# HELP refreshes_total Refreshes begun.\n# TYPE refreshes_total counter\n",
         "# HELP refreshes Refreshes begun.\n# TYPE refreshes counter\n"},
        {{"wait_seconds_total", "Waited.", .type = METRIC_COUNTER},
         "# HELP wait_seconds_total Waited.\n# TYPE wait_seconds_total counter\n",
         "# HELP wait_seconds Waited.\n# TYPE wait_seconds counter\n"},
        {{"duration_seconds", "How long.", .type = METRIC_HISTOGRAM},
         "# HELP duration_seconds How long.\n# TYPE duration_seconds histogram\n",
         "# HELP duration_seconds How long.\n# TYPE duration_seconds histogram\n"},
        /* Only counters lose the suffix: a gauge that ends so keeps its name. */
        {{"slots_total", "Slots.", .type = METRIC_GAUGE},
         "# HELP slots_total Slots.\n# TYPE slots_total gauge\n",
         "# HELP slots_total Slots.\n# TYPE slots_total gauge\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf openmetrics = STRBUF_INIT;

        expo_header(&text, EXPO_TEXT, &cases[i].family);
        assert_string_equal(strbuf_str(&text), cases[i].text);
        expo_header(&openmetrics, EXPO_OPENMETRICS, &cases[i].family);
        assert_string_equal(strbuf_str(&openmetrics), cases[i].openmetrics);
    }
}

static void test_end(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    expo_end(&out, EXPO_TEXT);
    assert_int_equal(out.len, 0);
    expo_end(&out, EXPO_OPENMETRICS);
    assert_string_equal(strbuf_str(&out), "# EOF\n");
}

static void test_content_types(void **state)
{
    (void)state;
    assert_string_equal(expo_content_type[EXPO_TEXT], "text/plain; version=0.0.4; charset=utf-8");
    assert_string_equal(expo_content_type[EXPO_OPENMETRICS],
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

static void test_label_escaping(void **state)
{
    static const struct {
        const char *value;
        const char *expected;
    } cases[] = {
        {"", "l=\"\""},
        {"plain", "l=\"plain\""},
        {"\"", "l=\"\\\"\""},
        {"\\", "l=\"\\\\\""},
        {"\n", "l=\"\\n\""},
        {"\\n", "l=\"\\\\n\""}, /* a backslash and an n, not a newline */
        {"\\\"\n", "l=\"\\\\\\\"\\n\""},
        {"a\"b\\c\nd", "l=\"a\\\"b\\\\c\\nd\""},
        {"\n\n", "l=\"\\n\\n\""},
        {"end\\", "l=\"end\\\\\""},
        /* What the grammars let stand: tabs, returns, braces, commas, any UTF-8. */
        {"\t\r{}=,'", "l=\"\t\r{}=,'\""},
        {"订单-\xf0\x9f\x9a\x80", "l=\"订单-\xf0\x9f\x9a\x80\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

        expo_label(&out, "l", cases[i].value);
        assert_string_equal(strbuf_str(&out), cases[i].expected);
    }
}

/* Reads a label value as a scraper does; returns what follows the closing quote. */
static const char *unescape(const char *p, char *ret)
{
    for (; *p != '"'; p++) {
        assert_true(*p != '\0' && *p != '\n');
        if (*p == '\\') {
            p++;
            assert_non_null(strchr("\\\"n", *p));
            *ret++ = (char)(*p == 'n' ? '\n' : *p);
        } else {
            *ret++ = *p;
        }
    }
    *ret = '\0';
    return p + 1;
}

static void test_escaping_is_reversible(void **state)
{
    static const char alphabet[] = {'\\', '"', '\n', 'n'};
    char value[6] = "";

    (void)state;
    for (unsigned number = 0; number < 1u << 10; number++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        char back[11];

        for (size_t i = 0; i < 5; i++)
            value[i] = alphabet[number >> (2 * i) & 3];
        expo_label(&out, "l", value);
        assert_memory_equal(out.ptr, "l=\"", 3);
        assert_string_equal(unescape(out.ptr + 3, back), "");
        assert_string_equal(back, value);
    }
}

static void test_sample_labels(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct expo e = {.out = &out};

    (void)state;
    expo_sample_i64(&e, "m", EXPO_NO_LABELS, EXPO_NO_LABELS, 1);
    expo_sample_i64(&e, "m", EXPO_LABELS("a=\"1\""), EXPO_NO_LABELS, 2);
    expo_sample_i64(&e, "m", EXPO_NO_LABELS, EXPO_LABELS("b=\"2\""), 3);
    expo_sample_i64(&e, "m", EXPO_LABELS("a=\"1\",z=\"\""), EXPO_LABELS("b=\"2\""), 4);
    assert_string_equal(strbuf_str(&out), "m 1\n"
                                          "m{a=\"1\"} 2\n"
                                          "m{b=\"2\"} 3\n"
                                          "m{a=\"1\",z=\"\",b=\"2\"} 4\n");
    assert_int_equal(e.n_series, 4);
}

static void test_integers(void **state)
{
    static const struct {
        int64_t value;
        const char *expected;
    } cases[] = {
        {0, "m 0\n"},
        {-1, "m -1\n"},
        {4294967296, "m 4294967296\n"},
        {INT64_MAX, "m 9223372036854775807\n"},
        {INT64_MIN, "m -9223372036854775808\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct expo e = {.out = &out};

        expo_sample_i64(&e, "m", EXPO_NO_LABELS, EXPO_NO_LABELS, cases[i].value);
        assert_string_equal(strbuf_str(&out), cases[i].expected);
    }
}

static void test_doubles(void **state)
{
    static const struct {
        double value;
        const char *expected;
    } cases[] = {
        {0, "m 0\n"},
        {0.1, "m 0.1\n"},
        {0.5, "m 0.5\n"},
        {1, "m 1\n"},
        {-2.25, "m -2.25\n"},
        {1.0 / 3, "m 0.3333333333333333\n"},
        {0.1 + 0.2, "m 0.30000000000000004\n"},
        {9007199254740993.0, "m 9007199254740992\n"},
        {1e300, "m 1e+300\n"},
        {5e-324, "m 4.94065645841247e-324\n"},
        {NAN, "m NaN\n"},
        {INFINITY, "m +Inf\n"},
        {-INFINITY, "m -Inf\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct expo e = {.out = &out};

        expo_sample_double(&e, "m", EXPO_NO_LABELS, EXPO_NO_LABELS, cases[i].value);
        assert_string_equal(strbuf_str(&out), cases[i].expected);
        assert_int_equal(e.n_series, 1);
    }
}

static void test_milliseconds(void **state)
{
    static const struct {
        int64_t value_ms;
        const char *expected;
    } cases[] = {
        {0, "m 0\n"},
        {1, "m 0.001\n"},
        {10, "m 0.01\n"},
        {100, "m 0.1\n"},
        {999, "m 0.999\n"},
        {1000, "m 1\n"},
        {1010, "m 1.01\n"},
        {1001, "m 1.001\n"},
        {60000, "m 60\n"},
        {1790001202410, "m 1790001202.41\n"},
        {1790001202007, "m 1790001202.007\n"},
        {-1, "m -0.001\n"},
        {-1500, "m -1.5\n"},
        {-2000, "m -2\n"},
        {INT64_MAX, "m 9223372036854775.807\n"},
        {INT64_MIN, "m -9223372036854775.808\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct expo e = {.out = &out};

        expo_sample_ms(&e, "m", EXPO_NO_LABELS, EXPO_NO_LABELS, cases[i].value_ms);
        assert_string_equal(strbuf_str(&out), cases[i].expected);
    }
}

/* What does not fit spoils the buffer instead of being cut: half a text must not look whole. */
static void test_limit_is_noticed(void **state)
{
    static const struct family family = {"m_total", "Help.", .type = METRIC_COUNTER};
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;

    (void)state;
    expo_header(&whole, EXPO_TEXT, &family);
    expo_sample_ms(&(struct expo){.out = &whole}, "m_total", EXPO_LABELS("a=\"1\""),
                   EXPO_LABELS("b=\"2\""), 1234);
    for (size_t limit = 1; limit <= whole.len; limit++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_LIMIT(limit);
        struct expo e = {.out = &out};

        expo_header(&out, EXPO_TEXT, &family);
        expo_sample_ms(&e, "m_total", EXPO_LABELS("a=\"1\""), EXPO_LABELS("b=\"2\""), 1234);
        assert_int_equal(strbuf_ok(&out), limit == whole.len);
    }
}

/* An object's samples read like any other. */
static void test_objects(void **state)
{
    static const char text[] = "{a=\"1\",b=\"2\"" EXPO_OBJECT_END;
    const struct expo_object object = {text, sizeof(text) - 1};
    static const struct expo_end_label ends[] = {EXPO_END_LABEL("c=\"3\""),
                                                 EXPO_END_LABEL("c=\"4\""),
                                                 EXPO_END_LABEL("c=\"twenty-two chars...\"")};
    static const int64_t values[] = {INT64_MAX, -1, 7};
    char name[EXPO_NAME_MAX + 1];
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf limited = STRBUF_LIMIT(20);
    struct expo e = {.out = &out}, bad = {.out = &limited};

    (void)state;
    expo_family(&e, "x");
    expo_object_i64(&e, &object, INT64_MIN);
    expo_object_i64_each(&e, &object, ends, values, 3);
    expo_object_double(&e, &object, 2);
    expo_object_double(&e, &object, 0.1);
    assert_string_equal(strbuf_str(&out), "x{a=\"1\",b=\"2\"} -9223372036854775808\n"
                                          "x{a=\"1\",b=\"2\",c=\"3\"} 9223372036854775807\n"
                                          "x{a=\"1\",b=\"2\",c=\"twenty-two chars...\"} 7\n"
                                          "x{a=\"1\",b=\"2\"} 2\n"
                                          "x{a=\"1\",b=\"2\"} 0.1\n");
    assert_int_equal(e.n_series, 5);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    strbuf_reset(&out);
    expo_family(&e, name);
    expo_object_i64(&e, &object, 10);
    assert_memory_equal(out.ptr, name, EXPO_NAME_MAX);
    assert_string_equal(out.ptr + EXPO_NAME_MAX, "{a=\"1\",b=\"2\"} 10\n");
    expo_family(&bad, "x");
    expo_object_i64(&bad, &object, 1);
    expo_object_i64_each(&bad, &object, ends, values, 3);
    assert_false(strbuf_ok(&limited));
    expo_object_double(&bad, &object, 0.1);
    assert_int_equal(limited.len, 0);
    assert_int_equal(bad.n_series, 0);
}

static void test_next_label(void **state)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    EXPO_NEXT_LABEL(&out, "a", "");
    EXPO_NEXT_LABEL(&out, "b", "plain");
    EXPO_NEXT_LABEL(&out, "c", "\"x\ny\\");
    assert_string_equal(strbuf_str(&out), ",a=\"\",b=\"plain\",c=\"\\\"x\\ny\\\\\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_label_escaping),
        cmocka_unit_test(test_escaping_is_reversible),
        cmocka_unit_test(test_sample_labels),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_milliseconds),
        cmocka_unit_test(test_limit_is_noticed),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_next_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
