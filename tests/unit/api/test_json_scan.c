#include "json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/utf8.h"
#include "api/json.h"

#define MEMBER(text, number, ...)                                                  \
    {                                                                              \
        .key = (text), .key_len = sizeof(text) - 1, .value = (number), __VA_ARGS__ \
    }
#define SHAPE(list)                                     \
    {                                                   \
        .members = (list), .n_members = ARRAY_LEN(list) \
    }

enum { OK, LIST, DEEP, N_ROOT, NAME = N_ROOT, BOX, BOX_SIZE, TAGS, N_VALUES };

static const struct json_member box_members[] = {MEMBER("size", BOX_SIZE)};
static const struct json_shape box = SHAPE(box_members);
static const struct json_member record_members[] = {
    MEMBER("name", NAME),
    MEMBER("box", BOX, .inside = &box),
    MEMBER("tags", TAGS, .how = JSON_RAW),
};
static const struct json_shape record = SHAPE(record_members);
static const struct json_member root_members[] = {
    MEMBER("ok", OK),
    MEMBER("list", LIST, .how = JSON_RECORDS, .inside = &record),
};
static const struct json_shape root = SHAPE(root_members);

/* What a scan found, as text: "name=... box=... tags=...;" for each record. */
static void print_value(struct strbuf *out, const struct json_scan *s, size_t value)
{
    static const char types[] = "-nftdsoa";
    const struct json_raw *raw = json_scan_value(s, value);

    strbuf_addf(out, "%c%s%.*s", types[raw->type], raw->cut ? "!" : "", (int)raw->len,
                raw->len ? json_scan_text(s, value) : "");
}

static int on_record(void *ctx, const struct json_scan *s, struct err *err)
{
    struct strbuf *out = ctx;

    (void)err;
    for (size_t value = N_ROOT; value < N_VALUES; value++) {
        print_value(out, s, value);
        strbuf_addc(out, value + 1 < N_VALUES ? ' ' : ';');
    }
    return 0;
}

static int scan(const char *text, size_t len, size_t piece, bool strict, struct strbuf *out,
                struct err *err)
{
    const struct json_scan_options options = {.shape = &root,
                                              .n_values = N_VALUES,
                                              .n_root_values = N_ROOT,
                                              .keep_raw = true,
                                              .strict = strict,
                                              .on_record = on_record,
                                              .ctx = out};
    CLEANUP(json_scan_release) struct json_scan s = {0};

    if (json_scan_init(&s, &options, err) < 0)
        return -1;
    for (size_t at = 0; at < len; at += piece)
        if (json_scan_feed(&s, text + at, len - at < piece ? len - at : piece, err) < 0)
            return -1;
    if (json_scan_finish(&s, err) < 0)
        return -1;
    print_value(out, &s, OK);
    return 0;
}

static void expect(const char *text, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {.kind = ERR_NONE};

        if (scan(text, strlen(text), piece, false, &out, &err) < 0)
            fail_msg("%s in pieces of %zu: %s", text, piece, err.msg);
        assert_string_equal(strbuf_str(&out), expected);
    }
}

static void test_projection(void **state)
{
    (void)state;
    expect("{\"ok\":true}", "t");
    expect("{\"no\":{\"ok\":1},\"ok\":\"a\\nb\"}", "sa\\nb");
    expect("{\"list\":[{\"name\":\"x\",\"box\":{\"size\":1.5,\"x\":2},\"tags\":{}}]}",
           "sx o d1.5 o{};-");
    expect("{\"list\":[ { \"name\" : null , \"box\" : [ {\"size\":1} ] } , 7, {} ],\"ok\":-1e9}",
           "n a - -;- - - -;d-1e9");
    expect("{\"list\":[{\"tags\":{ \"a\" : [ 1 , {\"b\":\"c d\"} ] , \"e\" : false }}]}",
           "- - - o{\"a\":[1,{\"b\":\"c d\"}],\"e\":false};-");
    /* Of a value of another type the type alone. */
    expect("{\"list\":[{\"tags\":[1],\"name\":{\"name\":1},\"box\":3}],\"ok\":[true]}",
           "o d3 - a;a");
    /* Records in records, lists in lists, and members in the wrong place are stepped over. */
    expect("{\"list\":[[{\"name\":1}],{\"x\":{\"list\":[{\"name\":1}]}}],\"name\":1}", "- - - -;-");
    expect("[{\"ok\":1}]", "-");
    expect("\"ok\"", "-");
}

static void test_first_of_equal_keys(void **state)
{
    (void)state;
    expect("{\"ok\":null,\"ok\":1,\"list\":1,\"list\":[{}]}", "n");
    expect("{\"list\":[{\"box\":{},\"name\":1,\"name\":2,\"box\":{\"size\":1}}]}", "d1 o - -;-");
}

/* A key counts as what it means. */
static void test_keys(void **state)
{
    static const char nul[] = "{\"ok\0x\":1}";
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    expect("{\"o\\u006b\":1}", "d1");
    expect("{\"OK\":1,\"ok \":2,\"\":3,\"okk\":4,\"\\\"ok\":5}", "-");
    assert_int_equal(scan(nul, sizeof(nul) - 1, 3, false, &out, NULL), 0);
    assert_string_equal(strbuf_str(&out), "d1");
}

/* Strings are cut, and not through an escape; in an object kept whole they stay strings. */
static void test_long_strings(void **state)
{
    (void)state;
    for (size_t pad = 0; pad < 8; pad++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {.kind = ERR_NONE};

        strbuf_adds(&text, "{\"list\":[{\"tags\":{\"k\":\"");
        for (size_t i = 0; i < pad; i++)
            strbuf_addc(&text, 'x');
        for (size_t i = 0; i < JSON_SCAN_STRING_MAX; i++)
            strbuf_adds(&text, i % 2 ? "\\\\" : "\\u0041");
        strbuf_adds(&text, "\"}}]}");
        assert_int_equal(scan(text.ptr, text.len, 1 + pad * 1000, false, &out, &err), 0);
        size_t len = out.len - strlen("- - - o{\"k\":\"\"};-");
        assert_in_range(len, JSON_SCAN_STRING_MAX - 6, JSON_SCAN_STRING_MAX);
        CLEANUP(json_freep) json_value *tags = NULL;
        assert_int_equal(json_parse(out.ptr + strlen("- - - o"), out.len - strlen("- - - o;-"),
                                    1 << 20, &tags, &err),
                         0);
        assert_non_null(json_string(json_get(tags, "k")));
    }
}

/* Beyond all measure: cut, and the rest of the text goes on. */
static void test_too_much(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    strbuf_adds(&text, "{\"list\":[{\"tags\":{\"k\":[1");
    while (text.len < JSON_SCAN_RAW_MAX + 100)
        strbuf_adds(&text, ",1");
    strbuf_adds(&text, "]},\"name\":\"x\"}],\"ok\":1}");
    assert_int_equal(scan(text.ptr, text.len, 16384, false, &out, NULL), 0);
    assert_in_range(out.len, JSON_SCAN_RAW_MAX - 10, JSON_SCAN_RAW_MAX + 30);
    assert_memory_equal(out.ptr, "sx - - o!{\"k\":[1,1,", 19);
    assert_string_equal(out.ptr + out.len - 3, ";d1");
}

/* With odd escapes nobody knows where a string can be cut: nothing of it is kept. */
static void test_long_odd_string(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    (void)state;
    strbuf_adds(&text, "{\"list\":[{\"tags\":{\"k\":\"");
    for (size_t i = 0; i < JSON_SCAN_STRING_MAX - 6; i++)
        strbuf_addc(&text, 'a');
    strbuf_adds(&text, "\\uabc\\\"zzz\",\"l\":1}}]}");
    assert_int_equal(scan(text.ptr, text.len, 1000, false, &out, NULL), 0);
    assert_string_equal(out.ptr, "- - - o{\"k\":\"\",\"l\":1};-");
}

/* Texts on the edge of what cJSON takes; the fuzz target goes on from here. */
static const char *const texts[] = {
    "1",
    "-",
    "-1",
    "+1",
    "01",
    "1.",
    ".5",
    "-.5",
    "-.",
    "1e",
    "1e+",
    "1e+5",
    "1E-5",
    "1.e5",
    "1.5.5",
    "1-1",
    "--1",
    "1e5e5",
    "0x10",
    "null",
    "nul",
    "nulll",
    "true",
    "True",
    "false",
    "NaN",
    "\"\"",
    "\"",
    "\"\\\"",
    "\"\\u12\"",
    "\"\\uZZZZ\"",
    "\"\\uZZZ\\\"x\"",
    "\"\\uZZZ\\\\\"",
    "\"\\ud800\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\\u0041\"",
    "\"\\ude00\"",
    "\"\\u0\\ud83d\\ude00//\"",
    "\"\\uZZZZ\\ud800\"",
    "\"\\x\"",
    "\"\x01\"",
    "\"\x7f\"",
    "\"\xc3\xa4\"",
    "\"\xc3\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xf0\x9f\x98\x80\"",
    "[]",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1,2]",
    "[\x01"
    "1\x02]",
    "0                                        \n",
    "\"x\"                                      \n",
    "true                                     , 1",
    "[\"\\u  `  0\"]                                          \n",
    "[1, 2, [3], {\"a\" : []}]                                    ",
    "{\"a\":[1 2]}",
    "[tr ue]",
    "[-\n5]",
    "[\"a\\ n\"]",
    "[\"\\u123 \"]",
    "{\"x\":{\"y\":1 2}}",
    "{}",
    "{",
    "}",
    "{1:1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,\"b\":2}",
    "{\"a\"\x03:1}",
    "[}",
    "{]",
    "{} ",
    "{} x",
    "{}{}",
    " {}",
    "\xef\xbb\xbf{}",
    "\xef\xbb\xbf"
    "1",
    "\xef\xbb{}",
    " \xef\xbb\xbf{}",
    "",
    " ",
    "{\"a\":[{\"b\":[null,true,false,-0.0]}]}",
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t piece = 1; piece <= strlen(texts[i]) + 1; piece++) {
            CLEANUP(json_freep) json_value *tree = NULL;
            CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
            size_t len = strlen(texts[i]);
            int expected = json_parse(texts[i], len, 1 << 20, &tree, NULL);
            bool mended = strstr(texts[i], "\\ud800") || strstr(texts[i], "\"\\ude00") ||
                          strstr(texts[i], "\\ud83d\\u0041");

            if (scan(texts[i], len, piece, false, &out, NULL) != expected)
                fail_msg("%s in pieces of %zu is not as cJSON says", texts[i], piece);
            if (mended || !utf8_valid(texts[i], len))
                expected = -1;
            if (scan(texts[i], len, piece, true, &out, NULL) != expected)
                fail_msg("%s in pieces of %zu, strictly", texts[i], piece);
        }
}

static void test_nesting(void **state)
{
    (void)state;
    for (size_t depth = JSON_SCAN_DEPTH_MAX - 1; depth <= JSON_SCAN_DEPTH_MAX + 1; depth++)
        for (int object = 0; object < 2; object++) {
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
            CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
            CLEANUP(json_freep) json_value *tree = NULL;

            for (size_t i = 0; i + 1 < depth; i++)
                strbuf_adds(&text, object ? "{\"a\":" : "[");
            strbuf_adds(&text, "{}");
            for (size_t i = 0; i + 1 < depth; i++)
                strbuf_addc(&text, object ? '}' : ']');
            int expected = json_parse(text.ptr, text.len, 1 << 20, &tree, NULL);
            assert_int_equal(expected, depth <= JSON_SCAN_DEPTH_MAX ? 0 : -1);
            assert_int_equal(scan(text.ptr, text.len, 100, false, &out, NULL), expected);
        }
}

static void test_messages(void **state)
{
    static const struct {
        const char *text;
        const char *msg;
    } cases[] = {
        {"", "not JSON: the text is empty"},
        {"<html>", "not JSON at byte 0"},
        {"{\"a\" 1}", "not JSON at byte 5"},
        {"{\"a\":1", "not JSON: the text breaks off at byte 6"},
        {"{} x", "not JSON: text behind the end, at byte 3"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {.kind = ERR_NONE};

        assert_int_equal(scan(cases[i].text, strlen(cases[i].text), 2, false, &out, &err), -1);
        assert_int_equal(err.kind, ERR_PARSE);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static int refuse(void *ctx, const struct json_scan *s, struct err *err)
{
    (void)ctx;
    (void)s;
    return err_set(err, ERR_API, "no more");
}

static void test_record_refused(void **state)
{
    static const char text[] = "{\"list\":[{},{}]}";
    const struct json_scan_options options = {
        .shape = &root, .n_values = N_VALUES, .n_root_values = N_ROOT, .on_record = refuse};
    CLEANUP(json_scan_release) struct json_scan s = {0};
    struct err err = {.kind = ERR_NONE};

    (void)state;
    assert_int_equal(json_scan_init(&s, &options, NULL), 0);
    assert_int_equal(json_scan_feed(&s, text, sizeof(text) - 1, &err), -1);
    assert_int_equal(err.kind, ERR_API);
    assert_int_equal(json_scan_entries(&s), 1);
}

static void test_no_memory(void **state)
{
    static const char text[] =
        "{\"o\\u006b\":\"aa\",\"list\":[{\"name\":\"x\",\"tags\":{\"a\":1}}]}";

    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        struct err err = {.kind = ERR_NONE};

        alloc_fail_at(n);
        int rc = scan(text, sizeof(text) - 1, 5, false, &out, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        if (rc < 0)
            assert_int_equal(err.kind, ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projection), cmocka_unit_test(test_first_of_equal_keys),
        cmocka_unit_test(test_keys),       cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_too_much),   cmocka_unit_test(test_long_odd_string),
        cmocka_unit_test(test_verdicts),   cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_messages),   cmocka_unit_test(test_record_refused),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
