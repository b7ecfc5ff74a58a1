/* Pieces and generations: text, compression, references, and publication under many readers. */
#include "inventory/snapshot.h"
#include "assemble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/deflate.h"
#include "records.h"

static const struct glob_list no_deny;

static struct piece *piece_of(const char *text, uint64_t n_series)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    struct piece *piece;

    strbuf_adds(&b, text);
    piece = piece_new_take(&b, n_series);
    assert_non_null(piece);
    return piece;
}

static void add_piece(struct snapshot_parts *parts, enum expo_format format, struct piece *piece)
{
    struct err err;

    assert_int_equal(piece_list_add(&parts->lists[format], piece, &err), 0);
}

/*
 * Headers of its own for each format, and one block of samples for both that holds the number
 * many times. The number is also what it claims to have of series.
 */
static struct snapshot *generation(unsigned number)
{
    CLEANUP(snapshot_parts_release) struct snapshot_parts parts = {.deny = &no_deny};
    CLEANUP(strbuf_release) struct strbuf samples = STRBUF_INIT;
    struct snapshot *s;
    struct err err;
    struct piece *shared;

    for (int i = 0; i < 200; i++)
        strbuf_addf(&samples, "up_total{i=\"%d\"} %u\n", i, number);
    shared = piece_new_take(&samples, 200);
    assert_non_null(shared);
    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        const char *name = format == EXPO_TEXT ? "up_total" : "up";
        char text[96];
        struct piece *header;

        snprintf(text, sizeof(text), "# HELP %s %u\n# TYPE %s counter\n", name, number, name);
        header = piece_of(text, 0);
        add_piece(&parts, (enum expo_format)format, header);
        add_piece(&parts, (enum expo_format)format, shared);
        piece_unref(header);
    }
    piece_unref(shared);
    parts.n_series = number;
    parts.render_us = 1000;
    parts.arena = arena_new();
    assert_non_null(parts.arena);
    assert_int_equal(snapshot_new(&parts, &s, &err), 0);
    return s;
}

/* --- pieces --- */

static void test_piece_text(void **state)
{
    struct piece *piece = piece_of("up 1\n", 1);
    const char *text;
    size_t len;

    (void)state;
    text = piece_text(piece, &len);
    assert_int_equal(len, 5);
    assert_string_equal(text, "up 1\n");
    assert_int_equal(piece_series(piece), 1);
    assert_ptr_equal(piece_ref(piece), piece);
    piece_unref(piece);
    assert_string_equal(piece_text(piece, &len), "up 1\n");
    piece_unref(piece);
    piece_unref(NULL);
}

static void test_piece_of_bad_buffer(void **state)
{
    struct strbuf b = STRBUF_LIMIT(4);

    (void)state;
    strbuf_adds(&b, "up");
    strbuf_adds(&b, " 1\n");
    assert_null(piece_new_take(&b, 1));
    assert_string_equal(strbuf_str(&b), "up"); /* still the caller's */
    strbuf_release(&b);
}

static void test_empty_piece(void **state)
{
    struct piece *piece = piece_of("", 0);
    const void *bytes;
    size_t len;
    struct err err;

    (void)state;
    assert_string_equal(piece_text(piece, &len), "");
    assert_int_equal(len, 0);
    assert_int_equal(piece_deflated(piece, &bytes, &len, &err), 0);
    assert_int_equal(len, 0);
    assert_int_equal(piece_crc32(piece), 0);
    piece_unref(piece);
}

static void test_piece_is_compressed_once(void **state)
{
    struct piece *piece = piece_of("up 1\nup 1\nup 1\nup 1\n", 4);
    const void *first, *second;
    size_t first_len, second_len;
    struct err err;

    (void)state;
    assert_int_equal(piece_deflated(piece, &first, &first_len, &err), 0);
    assert_int_equal(piece_deflated(piece, &second, &second_len, &err), 0);
    assert_ptr_equal(first, second);
    assert_int_equal(first_len, second_len);
    assert_int_equal(piece_crc32(piece), deflate_crc32(0, "up 1\nup 1\nup 1\nup 1\n", 20));
    piece_unref(piece);
}

/* --- a generation --- */

static void test_both_formats(void **state)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = generation(7);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf openmetrics = STRBUF_INIT;
    struct piece *const *pieces[EXPO_FORMAT_END];
    size_t n;

    (void)state;
    snapshot_write(s, EXPO_TEXT, &text);
    snapshot_write(s, EXPO_OPENMETRICS, &openmetrics);
    assert_int_equal(expect_exposition(&text, EXPO_TEXT), 200);
    assert_int_equal(expect_exposition(&openmetrics, EXPO_OPENMETRICS), 200);
    assert_string_equal(value_of(&text, "up_total{i=\"199\"}"), "7");
    assert_int_equal(snapshot_series(s), 7);
    assert_int_equal(snapshot_render_us(s), 1000);
    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        pieces[format] = snapshot_pieces(s, (enum expo_format)format, &n);
        assert_int_equal(n, 2);
    }
    assert_ptr_not_equal(pieces[EXPO_TEXT][0], pieces[EXPO_OPENMETRICS][0]);
    assert_ptr_equal(pieces[EXPO_TEXT][1], pieces[EXPO_OPENMETRICS][1]);
}

/* What is left to compress: all, then what the formats do not share, then nothing. */
static void test_deflate_left(void **state)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = generation(3);
    struct piece *const *pieces;
    struct err err;
    size_t n, own;

    (void)state;
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        assert_int_equal(snapshot_deflate_left(s, (enum expo_format)format),
                         snapshot_text_len(s, (enum expo_format)format));
    assert_int_equal(snapshot_deflate(s, EXPO_TEXT, &err), 0);
    assert_int_equal(snapshot_deflate_left(s, EXPO_TEXT), 0);
    pieces = snapshot_pieces(s, EXPO_OPENMETRICS, &n);
    (void)piece_text(pieces[0], &own);
    assert_int_equal(snapshot_deflate_left(s, EXPO_OPENMETRICS), own);
}

/* Header, segments, a live tail behind them, trailer: one member that holds the whole text. */
static void test_gzip(void **state)
{
    static const char tail[] = "# HELP live Tail.\n# TYPE live gauge\nlive 1\n";
    CLEANUP(snapshot_unrefp) struct snapshot *s = generation(42);
    struct err err;

    (void)state;
    for (int f = 0; f < EXPO_FORMAT_END; f++) {
        enum expo_format format = (enum expo_format)f;
        CLEANUP(strbuf_release) struct strbuf gz = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf back = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;
        unsigned char trailer[DEFLATE_GZIP_TRAILER_LEN];
        struct piece *const *pieces;
        uint32_t crc;
        size_t n;

        assert_int_equal(snapshot_deflated_len(s, format), 0); /* nobody asked */
        assert_int_equal(snapshot_deflate(s, format, &err), 0);
        strbuf_add(&gz, deflate_gzip_header, sizeof(deflate_gzip_header));
        pieces = snapshot_pieces(s, format, &n);
        for (size_t i = 0; i < n; i++) {
            const void *bytes;
            size_t len;

            assert_int_equal(piece_deflated(pieces[i], &bytes, &len, &err), 0);
            strbuf_add(&gz, bytes, len);
        }
        assert_int_equal(gz.len - sizeof(deflate_gzip_header), snapshot_deflated_len(s, format));
        assert_int_equal(deflate_segment(tail, strlen(tail), 1, &gz, &err), 0);
        crc = deflate_crc32_combine(snapshot_crc32(s, format), deflate_crc32(0, tail, strlen(tail)),
                                    strlen(tail));
        deflate_gzip_trailer(trailer, crc, snapshot_text_len(s, format) + strlen(tail));
        strbuf_add(&gz, trailer, sizeof(trailer));
        gunzip(gz.ptr, gz.len, &back);

        for (size_t i = 0; i < n; i++) {
            size_t len;
            const char *text = piece_text(pieces[i], &len);

            strbuf_add(&expected, text, len);
        }
        assert_int_equal(snapshot_crc32(s, format), deflate_crc32(0, expected.ptr, expected.len));
        strbuf_adds(&expected, tail);
        assert_string_equal(strbuf_str(&back), strbuf_str(&expected));
        assert_true(gz.len < back.len / 2);
        assert_int_equal(snapshot_deflate(s, format, &err), 0); /* again: nothing to do */
    }
}

static void test_empty_generation(void **state)
{
    CLEANUP(snapshot_parts_release) struct snapshot_parts parts = {.deny = &no_deny};
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;
    struct err err;
    size_t n = 1;

    (void)state;
    parts.arena = arena_new();
    assert_int_equal(snapshot_new(&parts, &s, &err), 0);
    (void)snapshot_pieces(s, EXPO_TEXT, &n);
    assert_int_equal(n, 0);
    assert_int_equal(snapshot_text_len(s, EXPO_TEXT), 0);
    assert_int_equal(snapshot_deflate(s, EXPO_TEXT, &err), 0);
    assert_int_equal(snapshot_crc32(s, EXPO_TEXT), 0);
    assert_int_equal(snapshot_deflated_len(s, EXPO_TEXT), 0);
    snapshot_unref(NULL);
}

/* The deny list outlives the configuration it came from. */
static void test_deny_is_copied(void **state)
{
    CLEANUP(snapshot_parts_release) struct snapshot_parts parts = {0};
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;
    char pattern[] = "process_*";
    const char *patterns[] = {"up", pattern};
    struct glob_list deny = {.patterns = patterns, .n_patterns = 2};
    struct err err;

    (void)state;
    parts.deny = &deny;
    parts.arena = arena_new();
    assert_int_equal(snapshot_new(&parts, &s, &err), 0);
    pattern[0] = 'x';
    patterns[0] = "x";
    assert_true(glob_list_match(snapshot_deny(s), "process_open_fds"));
    assert_true(glob_list_match(snapshot_deny(s), "up"));
    assert_false(glob_list_match(snapshot_deny(s), "x"));
}

/* --- running out of memory --- */

static void test_snapshot_without_memory(void **state)
{
    const char *patterns[] = {"a", "b*"};
    const struct glob_list deny = {.patterns = patterns, .n_patterns = 2};
    struct piece *piece = piece_of("up 1\n", 1);
    size_t n = 1;

    (void)state;
    for (;; n++) {
        CLEANUP(snapshot_parts_release) struct snapshot_parts parts = {.deny = &deny};
        struct snapshot *s = NULL;
        struct err err = {0};
        int rc = 0;

        alloc_fail_at(n);
        for (int i = 0; i < 100 && rc == 0; i++) /* the list grows in between */
            rc = piece_list_add(&parts.lists[EXPO_TEXT], piece, &err);
        if (rc == 0)
            rc = (parts.arena = arena_new()) ? 0 : err_nomem(&err, "");
        if (rc == 0)
            rc = snapshot_new(&parts, &s, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            snapshot_unref(s);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(s);
    }
    assert_true(n > 5);
    piece_unref(piece);
}

static void test_piece_without_memory(void **state)
{
    size_t n = 1;

    (void)state;
    for (;; n++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        struct piece *piece;
        const void *bytes;
        size_t len;
        struct err err = {0};
        int rc;

        strbuf_adds(&text, "up 1\nup 1\n");
        alloc_fail_at(n);
        piece = piece_new_take(&text, 2);
        rc = piece ? piece_deflated(piece, &bytes, &len, &err) : -1;
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            piece_unref(piece);
            break;
        }
        assert_int_equal(rc, -1);
        if (!piece) {
            assert_string_equal(strbuf_str(&text), "up 1\nup 1\n"); /* untouched */
            continue;
        }
        /* Later there is memory again. */
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_int_equal(piece_deflated(piece, &bytes, &len, &err), 0);
        piece_unref(piece);
    }
    assert_true(n > 2);
}

/* --- publication --- */

static void test_slot(void **state)
{
    struct snapshot_slot *slot = snapshot_slot_new();
    struct snapshot *first = generation(1), *held;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    assert_non_null(slot);
    assert_null(snapshot_acquire(slot));
    snapshot_publish_take(slot, first);
    held = snapshot_acquire(slot);
    assert_ptr_equal(held, first);
    snapshot_publish_take(slot, generation(2));
    /* A slow client still has the generation it began with. */
    snapshot_write(held, EXPO_TEXT, &text);
    assert_string_equal(value_of(&text, "up_total{i=\"0\"}"), "1");
    snapshot_unref(held);
    held = snapshot_acquire(slot);
    assert_int_equal(snapshot_series(held), 2);
    snapshot_slot_free(slot);
    /* And even when the slot is gone. */
    strbuf_reset(&text);
    snapshot_write(held, EXPO_TEXT, &text);
    assert_string_equal(value_of(&text, "up_total{i=\"0\"}"), "2");
    snapshot_unref(held);
    snapshot_slot_free(NULL);
}

/* Generations come compressed in the formats that were asked for, from the next one on. */
static void test_wanted_gzip(void **state)
{
    struct snapshot_slot *slot = snapshot_slot_new();

    (void)state;
    assert_non_null(slot);
    snapshot_publish_take(slot, generation(1));
    snapshot_slot_want_gzip(slot, EXPO_OPENMETRICS);
    for (unsigned number = 1; number <= 2; number++) {
        CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(slot);

        assert_int_equal(snapshot_deflated_len(s, EXPO_TEXT), 0);
        assert_int_equal(snapshot_deflated_len(s, EXPO_OPENMETRICS) > 0, number > 1);
        snapshot_publish_take(slot, generation(number + 1));
    }
    snapshot_slot_free(slot);
}

static void test_metrics(void **state)
{
    struct snapshot_slot *slot = snapshot_slot_new();
    struct registry *registry = registry_new();
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    struct snapshot *s;
    struct err err;
    char number[32];

    (void)state;
    assert_true(slot && registry);
    assert_int_equal(snapshot_metrics_register(registry, slot, &err), 0);
    registry_text(registry, &before);
    assert_int_equal(before.len, 0); /* nothing is published, nothing is said */
    snapshot_publish_take(slot, generation(1500));
    registry_text(registry, &before);
    assert_string_equal(value_of(&before, "aliyun_flink_exporter_snapshot_series"), "1500");
    assert_string_equal(value_of(&before, "aliyun_flink_exporter_snapshot_bytes"
                                          "{encoding=\"gzip\"}"),
                        "");
    s = snapshot_acquire(slot);
    snprintf(number, sizeof(number), "%zu", snapshot_text_len(s, EXPO_TEXT));
    assert_string_equal(value_of(&before, "aliyun_flink_exporter_snapshot_bytes"
                                          "{encoding=\"identity\"}"),
                        number);
    assert_int_equal(snapshot_deflate(s, EXPO_OPENMETRICS, &err), 0);
    registry_text(registry, &after);
    snprintf(number, sizeof(number), "%zu", snapshot_deflated_len(s, EXPO_OPENMETRICS));
    assert_string_equal(value_of(&after, "aliyun_flink_exporter_snapshot_bytes"
                                         "{encoding=\"gzip\"}"),
                        number);
    assert_int_equal(expect_exposition(&after, EXPO_TEXT), 4);
    snapshot_unref(s);
    registry_free(registry);
    snapshot_slot_free(slot);
}

/* --- threads --- */

#define GENERATIONS 300
#define READERS     3

struct race {
    struct snapshot_slot *slot;
    atomic_bool over;
    atomic_uint mistakes;
};

/* One generation is one number throughout, in every form of it. */
static bool is_consistent(struct snapshot *s)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    unsigned number = (unsigned)snapshot_series(s);
    struct piece *const *pieces;
    struct err err;
    size_t n, len, at = 0;

    strbuf_addf(&text, "# HELP up_total %u\n# TYPE up_total counter\n", number);
    for (int i = 0; i < 200; i++)
        strbuf_addf(&text, "up_total{i=\"%d\"} %u\n", i, number);
    pieces = snapshot_pieces(s, EXPO_TEXT, &n);
    for (size_t i = 0; i < n; i++) {
        const char *piece = piece_text(pieces[i], &len);

        if (len > text.len - at || memcmp(piece, text.ptr + at, len) != 0)
            return false;
        at += len;
    }
    return snapshot_deflate(s, EXPO_TEXT, &err) == 0 && snapshot_deflated_len(s, EXPO_TEXT) > 0 &&
           snapshot_crc32(s, EXPO_TEXT) == deflate_crc32(0, text.ptr, text.len);
}

static void *read_generations(void *arg)
{
    struct race *race = arg;
    uint64_t last = 0;

    while (!atomic_load(&race->over)) {
        CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(race->slot);

        if (!s)
            continue;
        if (snapshot_series(s) < last || !is_consistent(s))
            atomic_fetch_add(&race->mistakes, 1);
        last = snapshot_series(s);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct race race = {.slot = snapshot_slot_new()};
    pthread_t readers[READERS];

    (void)state;
    assert_non_null(race.slot);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_generations, &race), 0);
    for (unsigned number = 1; number <= GENERATIONS; number++)
        snapshot_publish_take(race.slot, generation(number));
    atomic_store(&race.over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&race.mistakes), 0);
    snapshot_slot_free(race.slot);
}

struct first_caller {
    struct piece *piece;
    atomic_uint *ready;
    const void *bytes;
};

static void *ask_for_deflated(void *arg)
{
    struct first_caller *caller = arg;
    size_t len;
    struct err err;

    atomic_fetch_add(caller->ready, 1);
    while (atomic_load(caller->ready) < READERS)
        continue;
    if (piece_deflated(caller->piece, &caller->bytes, &len, &err) < 0)
        caller->bytes = NULL;
    return NULL;
}

static void test_first_callers_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct piece *piece = piece_of("up 1\nup 1\nup 1\n", 3);
        struct first_caller callers[READERS];
        pthread_t threads[READERS];
        atomic_uint ready = 0;

        for (int i = 0; i < READERS; i++) {
            callers[i] = (struct first_caller){.piece = piece, .ready = &ready};
            assert_int_equal(pthread_create(&threads[i], NULL, ask_for_deflated, &callers[i]), 0);
        }
        for (int i = 0; i < READERS; i++)
            pthread_join(threads[i], NULL);
        assert_non_null(callers[0].bytes);
        for (int i = 1; i < READERS; i++)
            assert_ptr_equal(callers[i].bytes, callers[0].bytes);
        piece_unref(piece);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_piece_text),
        cmocka_unit_test(test_piece_of_bad_buffer),
        cmocka_unit_test(test_empty_piece),
        cmocka_unit_test(test_piece_is_compressed_once),
        cmocka_unit_test(test_both_formats),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_deflate_left),
        cmocka_unit_test(test_empty_generation),
        cmocka_unit_test(test_deny_is_copied),
        cmocka_unit_test(test_snapshot_without_memory),
        cmocka_unit_test(test_piece_without_memory),
        cmocka_unit_test(test_slot),
        cmocka_unit_test(test_wanted_gzip),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_first_callers_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
