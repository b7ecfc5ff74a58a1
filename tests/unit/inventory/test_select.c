/* Choosing from a generation: what is chosen is exactly what the text says of it. */
#include "inventory/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "bench.h"

#define A "aliyun_flink_"

static void selection_text(const struct selection *selection, struct strbuf *out)
{
    size_t total = 0;

    for (size_t i = 0; i < selection->n_spans; i++) {
        const struct span *span = &selection->spans[i];
        size_t len;
        const char *text = piece_text(span->piece, &len);

        assert_true(span->len > 0 && span->offset + span->len <= len);
        strbuf_add(out, text + span->offset, span->len);
        total += span->len;
    }
    assert_int_equal(total, selection->len);
    assert_true(strbuf_ok(out));
}

static void chosen(const struct snapshot *s, enum expo_format format, const char *target,
                   const bool *families, struct strbuf *out)
{
    struct selection selection;
    struct err err;

    assert_int_equal(snapshot_select(s, format, target, families, &selection, &err), 0);
    selection_text(&selection, out);
    expo_end(out, format);
    selection_release(&selection);
}

/* ns-0 and ns-2 are of the target "prod", ns-1 of "test", ns-3 of "new", which has no data yet. */
static void start(struct bench *b)
{
    static const uint32_t many[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

    bench_start(b, 0);
    b->targets[1].name = "test";
    b->targets[3].name = "new";
    bench_configure(b, BENCH_MAX);
    for (size_t i = 0; i < 3; i++)
        bench_succeed(b, i, listing_of_numbers(many, ARRAY_LEN(many) - i), T0_MS);
}

/* The lines of the whole text whose namespace is among these. */
static size_t lines_of(const struct strbuf *whole, const char *const *namespaces, size_t n)
{
    size_t found = 0;

    for (const char *p = strbuf_str(whole); *p; p = strchr(p, '\n') + 1)
        for (size_t i = 0; i < n; i++) {
            const char *at = strstr(p, namespaces[i]);

            found += *p != '#' && at && at < strchr(p, '\n');
        }
    return found;
}

static void test_all(void **state)
{
    struct bench b;

    (void)state;
    start(&b);
    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);
        CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct selection selection;
        struct err err;
        size_t n;

        snapshot_write(s, (enum expo_format)format, &whole);
        chosen(s, (enum expo_format)format, NULL, NULL, &text);
        assert_string_equal(strbuf_str(&text), strbuf_str(&whole));
        /* Piece for piece. */
        (void)snapshot_pieces(s, (enum expo_format)format, &n);
        assert_int_equal(snapshot_select(s, (enum expo_format)format, NULL, NULL, &selection, &err),
                         0);
        assert_int_equal(selection.n_spans, n);
        selection_release(&selection);
    }
    bench_stop(&b);
}

static void test_target(void **state)
{
    static const struct {
        const char *target;
        const char *namespaces[2];
        size_t n;
    } cases[] = {
        {"prod", {"\"ns-0\"", "\"ns-2\""}, 2}, {"test", {"\"ns-1\""}, 1}, {"new", {"\"ns-3\""}, 1}};
    struct bench b;

    (void)state;
    start(&b);
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);
            CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
            size_t expected;

            snapshot_write(s, (enum expo_format)format, &whole);
            expected = lines_of(&whole, cases[i].namespaces, cases[i].n);
            assert_true(expected > 10);
            chosen(s, (enum expo_format)format, cases[i].target, NULL, &text);
            /* All of its lines and no others, each family with its header and none without. */
            assert_int_equal(expect_exposition(&text, (enum expo_format)format), expected);
            assert_int_equal(lines_of(&text, cases[i].namespaces, cases[i].n), expected);
            /* A target without data has no families of deployments. */
            assert_int_equal(strstr(text.ptr, A "deployment_jobs") != NULL, i < 2);
        }
    bench_stop(&b);
}

static void test_families(void **state)
{
    static const char *const names[] = {A "deployment_created_timestamp_seconds", A "up",
                                        A "refreshes_total"};
    bool *families = calloc(snapshot_families(), sizeof(*families));
    struct bench b;

    (void)state;
    assert_non_null(families);
    for (size_t i = 0; i < snapshot_families(); i++)
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            families[i] |= strcmp(snapshot_family(i)->name, names[k]) == 0;
    start(&b);
    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf one = STRBUF_INIT;

        chosen(s, (enum expo_format)format, NULL, families, &text);
        /* 18 + 17 + 16 deployments, three targets that are up, four with a counter. */
        assert_int_equal(expect_exposition(&text, (enum expo_format)format), 51 + 3 + 4);
        assert_int_equal(count_lines(&text, "# TYPE "), 3);
        chosen(s, (enum expo_format)format, "test", families, &one);
        assert_int_equal(expect_exposition(&one, (enum expo_format)format), 17 + 1 + 1);
        assert_int_equal(lines_of(&one, (const char *const[]){"\"ns-1\""}, 1), 19);
    }
    free(families);
    bench_stop(&b);
}

static void test_nothing(void **state)
{
    bool *none = calloc(snapshot_families(), sizeof(*none));
    struct bench b;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    assert_non_null(none);
    start(&b);
    CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);
    chosen(s, EXPO_TEXT, "nobody", NULL, &text);
    chosen(s, EXPO_TEXT, NULL, none, &text);
    assert_int_equal(text.len, 0);
    bench_configure(&b, 0);
    CLEANUP(snapshot_unrefp) struct snapshot *empty = bench_snapshot(&b, T0_MS);
    chosen(empty, EXPO_TEXT, NULL, NULL, &text);
    assert_int_equal(text.len, 0);
    free(none);
    bench_stop(&b);
}

/* What is withheld or denied is not to be had this way either. */
static void test_withheld_and_denied(void **state)
{
    const char *pattern = A "refresh*";
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct bench b;

    (void)state;
    start(&b);
    b.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    bench_configure(&b, BENCH_MAX);
    bench_succeed(&b, 1, listing_of_numbers((uint32_t[]){5}, 1), T0_MS + 290000);
    CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS + 310000);
    chosen(s, EXPO_TEXT, "prod", NULL, &text);
    assert_null(strstr(text.ptr, A "deployment_info"));
    assert_null(strstr(text.ptr, A "deployment_jobs"));
    assert_non_null(strstr(text.ptr, A "deployment_job_failures_total")); /* but counters are */
    assert_null(strstr(text.ptr, A "refresh"));
    assert_non_null(strstr(text.ptr, A "target_info"));
    strbuf_reset(&text);
    chosen(s, EXPO_TEXT, "test", NULL, &text);
    assert_non_null(strstr(text.ptr, "d-00000005"));
    expect_exposition(&text, EXPO_TEXT);
    bench_stop(&b);
}

static void test_no_memory(void **state)
{
    struct selection selection;
    struct err err = {0};
    struct bench b;

    (void)state;
    start(&b);
    CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(&b, T0_MS);
    alloc_fail_at(1);
    assert_int_equal(snapshot_select(s, EXPO_TEXT, NULL, NULL, &selection, &err), -1);
    alloc_fail_off();
    assert_int_equal(err.kind, ERR_NOMEM);
    assert_int_equal(selection.n_spans, 0);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_withheld_and_denied),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
