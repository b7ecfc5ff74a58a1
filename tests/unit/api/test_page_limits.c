/* What no reply may cost, whatever is in it. */
#include "page_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

enum { MEBIBYTE = 1 << 20 };

/* More than can be looked at is no number: a part of it would be another one. */
static void test_long_numbers(void **state)
{
    CLEANUP(strbuf_release) struct strbuf members = STRBUF_INIT;

    (void)state;
    strbuf_adds(&members, "\"jobSummary\":{\"failed\":1,\"running\":\"");
    for (int i = 0; i < 5000; i++)
        strbuf_addc(&members, '0');
    strbuf_adds(&members, "7\"},\"createdAt\":\"1714058507");
    for (int i = 0; i < 5000; i++)
        strbuf_addc(&members, ' ');
    strbuf_adds(&members, "7\"");
    CLEANUP(reply_release) struct reply r = decode_members(members.ptr);
    assert_int_equal(r.page.items->jobs[JOB_FAILED], 1);
    assert_int_equal(r.page.items->jobs[JOB_RUNNING], -1);
    assert_int_equal(r.page.items->created_unix_s, 0);
}

static void test_too_many_items(void **state)
{
    const struct page_options options = {
        .kind = &page_of_deployments, .labels = &all_labels, .page_size = 2, .max_items = 20};

    (void)state;
    for (int n = 20; n <= 21; n++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

        strbuf_adds(&body, "{\"success\":true,\"data\":[");
        for (int i = 0; i < n; i++)
            strbuf_addf(&body, "%s{\"deploymentId\":\"%d\"}", i ? "," : "", i);
        strbuf_adds(&body, "]}");
        CLEANUP(reply_release) struct reply r = decode_with(body.ptr, body.len, &options);
        assert_int_equal(r.err.kind, n == 20 ? ERR_NONE : ERR_LIMIT);
    }
}

/* Labels beyond all measure cost their deployment the labels, and nobody anything else. */
static void test_too_many_labels(void **state)
{
    CLEANUP(strbuf_release) struct strbuf members = STRBUF_INIT;

    (void)state;
    strbuf_adds(&members, "\"name\":\"n\",\"labels\":{\"a\":1");
    for (int i = 0; i < 200000; i++)
        strbuf_adds(&members, ",\"a\":1");
    strbuf_adds(&members, "}");
    CLEANUP(reply_release) struct reply r = decode_members(members.ptr);
    assert_int_equal(r.page.items->n_labels, 0);
    assert_string_equal(r.page.items->name, "n");
    assert_int_equal(r.page.too_long, 1);
}

/* RELIABILITY A19: a reply of entries that are no deployments costs no memory however long it is.
 */
static void test_amplification(void **state)
{
    static const char *const entries[] = {"1,", "{},", "[],", "{\"deploymentId\":1},"};
    struct page_options options = {
        .kind = &page_of_deployments, .labels = &all_labels, .page_size = 1, .max_items = 10};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        for (size_t size = MEBIBYTE / 64; size <= MEBIBYTE; size *= 64) {
            CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

            strbuf_adds(&body, "{\"success\":true,\"data\":[");
            while (body.len < size)
                strbuf_adds(&body, entries[i]);
            strbuf_adds(&body, "{}]}");
            CLEANUP(reply_release) struct reply r = decode_with(body.ptr, body.len, &options);
            assert_int_equal(r.err.kind, ERR_NONE);
            assert_int_equal(r.page.n_items, 0);
            assert_true(r.page.invalid >= size / 20);
            assert_in_range(arena_bytes(r.arena), 0, 8192);
        }
    }
}

/* RELIABILITY A18, and nesting that is still admitted, in a value that nobody reads. */
static void test_nesting(void **state)
{
    (void)state;
    for (size_t depth = 900; depth <= 90000; depth *= 100) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

        strbuf_adds(&body, "{\"success\":true,\"data\":[{\"deploymentId\":\"d\",\"flinkConf\":");
        for (size_t i = 0; i < depth; i++)
            strbuf_addc(&body, '[');
        for (size_t i = 0; i < depth; i++)
            strbuf_addc(&body, ']');
        strbuf_adds(&body, "}]}");
        CLEANUP(reply_release) struct reply r = decode(strbuf_str(&body));
        assert_int_equal(r.err.kind, depth == 900 ? ERR_NONE : ERR_PARSE);
    }
}

static void test_no_memory(void **state)
{
    static const char body[] =
        "{\"success\":true,\"data\":[{\"deploymentId\":\"d\",\"name\":\"a\xff\",\"labels\":{"
        "\"a\":1.5,\"b\":12345678901234567890,\"c-\":true,\"c.\":\"x\"}}]}";
    struct page_options options = {
        .kind = &page_of_deployments, .labels = &all_labels, .page_size = 100, .max_items = 1000};

    (void)state;
    for (size_t n = 1;; n++) {
        struct page page = {.n_items = 77};
        struct api_refusal refusal;
        struct err err = {0};
        CLEANUP(arena_freep) struct arena *arena = arena_new();

        assert_non_null(arena);
        alloc_fail_at(n);
        int rc = read_page(body, sizeof(body) - 1, 50, &options, arena, &page, &refusal, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            assert_int_equal(page.items->n_labels, 4);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_int_equal(page.n_items, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_numbers),    cmocka_unit_test(test_too_many_items),
        cmocka_unit_test(test_too_many_labels), cmocka_unit_test(test_amplification),
        cmocka_unit_test(test_nesting),         cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
