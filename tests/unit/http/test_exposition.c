/* A body is its parts in order, whatever pieces it is read in; gzip is one member of the same text.
 */
#include "exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "fake_generation.h"

enum { PIECES = 5, PIECE_BYTES = 3000, TAIL_LONG = 200 * 1000 };

static struct snapshot *make_snapshot(size_t n_pieces)
{
    const struct fake_generation g = {
        .number = 7, .n_pieces = n_pieces, .piece_bytes = PIECE_BYTES, .all_tried = true};
    struct snapshot *s = fake_generation_new(&g);

    assert_non_null(s);
    return s;
}

/* What the body must hold. */
static void add_expected(struct strbuf *out, const struct snapshot *s, enum expo_format format,
                         const char *tail)
{
    size_t n = 0;
    struct piece *const *pieces = s ? snapshot_pieces(s, format, &n) : NULL;

    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *text = piece_text(pieces[i], &len);

        strbuf_add(out, text, len);
    }
    strbuf_adds(out, tail);
}

static struct exposition *make(struct snapshot *s, enum expo_format format, bool gzip,
                               const char *tail)
{
    struct strbuf text = STRBUF_INIT;
    struct exposition *x;
    struct err err;

    strbuf_adds(&text, tail);
    assert_int_equal(exposition_new_take(s, format, gzip, &text, &x, &err), 0);
    assert_null(text.ptr);
    return x;
}

static void read_all(struct exposition *x, size_t block, struct strbuf *out)
{
    char *buf = malloc(block);

    for (;;) {
        int64_t n = exposition_read(x, out->len, buf, block);

        assert_true(n >= 0 && (uint64_t)n <= block);
        strbuf_add(out, buf, (size_t)n);
        if ((size_t)n < block)
            break;
    }
    free(buf);
    assert_true(strbuf_ok(out));
    assert_int_equal(out->len, exposition_len(x));
}

/* One gzip member and nothing behind it. */
static void gunzip(const struct strbuf *gz, struct strbuf *out)
{
    z_stream z = {.next_in = (unsigned char *)gz->ptr, .avail_in = (uInt)gz->len};
    unsigned char chunk[1000];
    int rc;

    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    do {
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = inflate(&z, Z_NO_FLUSH);
        strbuf_add(out, chunk, sizeof(chunk) - z.avail_out);
    } while (rc == Z_OK);
    assert_int_equal(rc, Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(inflateEnd(&z), Z_OK);
}

static void check(size_t n_pieces, enum expo_format format, const char *tail, size_t block)
{
    struct snapshot *s = n_pieces ? make_snapshot(n_pieces) : NULL;
    CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf gz = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf unpacked = STRBUF_INIT;

    add_expected(&expected, s, format, tail);
    struct exposition *plain = make(s ? snapshot_ref(s) : NULL, format, false, tail);
    read_all(plain, block, &text);
    assert_int_equal(text.len, expected.len);
    assert_string_equal(strbuf_str(&text), strbuf_str(&expected));

    struct exposition *zipped = make(s ? snapshot_ref(s) : NULL, format, true, tail);
    read_all(zipped, block, &gz);
    gunzip(&gz, &unpacked);
    assert_string_equal(strbuf_str(&unpacked), strbuf_str(&expected));
    exposition_free(plain);
    exposition_free(zipped);
    snapshot_unref(s);
}

static void test_blocks_of_any_size(void **state)
{
    static const size_t blocks[] = {1, 7, 10, 11, 4096, 1000 * 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        for (int format = 0; format < EXPO_FORMAT_END; format++) {
            check(PIECES, (enum expo_format)format, "tail 1\n# EOF\n", blocks[i]);
            check(0, (enum expo_format)format, "tail 1\n", blocks[i]);
            check(PIECES, (enum expo_format)format, "", blocks[i]);
            check(0, (enum expo_format)format, "", blocks[i]);
        }
    }
}

/* More than one stored block holds; and lengths around what one does. */
static void test_long_tails(void **state)
{
    static const size_t lengths[] = {65534, 65535, 65536, 131070, 131071, TAIL_LONG};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        char *tail = malloc(lengths[i] + 1);

        for (size_t k = 0; k < lengths[i]; k++)
            tail[k] = (char)('a' + k % 23);
        tail[lengths[i]] = '\0';
        check(2, EXPO_TEXT, tail, 65536);
        free(tail);
    }
}

/* Nobody reads like this, but the library may. */
static void test_reading_out_of_order(void **state)
{
    static const uint64_t positions[] = {5000, 0, 14999, 14999, 3, 100000000, 9000};
    struct exposition *x = make(make_snapshot(PIECES), EXPO_TEXT, false, "tail\n");
    CLEANUP(strbuf_release) struct strbuf all = STRBUF_INIT;
    char buf[2000];

    (void)state;
    read_all(x, 4096, &all);
    for (size_t i = 0; i < ARRAY_LEN(positions); i++) {
        uint64_t at = positions[i];
        int64_t n = exposition_read(x, at, buf, sizeof(buf));
        uint64_t left = at < all.len ? all.len - at : 0;

        assert_int_equal(n, left < sizeof(buf) ? left : sizeof(buf));
        if (n > 0)
            assert_memory_equal(buf, all.ptr + at, (size_t)n);
    }
    exposition_free(x);
}

/* The snapshot lives as long as a reply needs it. */
static void test_outlives_its_publication(void **state)
{
    struct snapshot_slot *slot = snapshot_slot_new();
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    snapshot_publish_take(slot, make_snapshot(PIECES));
    struct exposition *x = make(snapshot_acquire(slot), EXPO_TEXT, false, "");
    snapshot_publish_take(slot, make_snapshot(1));
    snapshot_slot_free(slot);
    read_all(x, 100, &text);
    assert_true(text.len > PIECES * PIECE_BYTES);
    exposition_free(x);
}

/* The list says what the reader says, in either coding, and is all or nothing. */
static void test_parts(void **state)
{
    enum { PARTS = 64 };

    (void)state;
    for (int gzip = 0; gzip < 2; gzip++) {
        struct exposition *x = make(make_snapshot(PIECES), EXPO_TEXT, gzip, "tail 1\n");
        struct exposition_part parts[PARTS];
        CLEANUP(strbuf_release) struct strbuf joined = STRBUF_INIT;
        CLEANUP(strbuf_release) struct strbuf read = STRBUF_INIT;
        size_t n = exposition_parts(x, parts, PARTS);

        assert_true(n > 2 && n <= PARTS);
        for (size_t i = 0; i < n; i++) {
            assert_true(parts[i].len > 0);
            strbuf_add(&joined, parts[i].bytes, parts[i].len);
        }
        assert_int_equal(exposition_parts(x, parts, n), n);
        assert_int_equal(exposition_parts(x, parts, n - 1), 0);
        read_all(x, 500, &read);
        assert_int_equal(joined.len, read.len);
        assert_memory_equal(joined.ptr, read.ptr, read.len);
        exposition_free(x);
    }
    /* Nothing to say at all: no parts. */
    struct exposition *empty = make(NULL, EXPO_TEXT, false, "");
    struct exposition_part part;
    assert_int_equal(exposition_parts(empty, &part, 1), 0);
    exposition_free(empty);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (int gzip = 0; gzip < 2; gzip++) {
        for (size_t n = 1;; n++) {
            struct snapshot *s = make_snapshot(2);
            struct strbuf tail = STRBUF_INIT;
            struct exposition *x = NULL;
            struct err err = {0};

            strbuf_adds(&tail, "tail\n");
            alloc_fail_at(n);
            int rc = exposition_new_take(s, EXPO_TEXT, gzip, &tail, &x, &err);
            alloc_fail_off();
            assert_null(tail.ptr);
            if (rc == 0)
                exposition_free(x);
            else
                assert_int_equal(err.kind, ERR_NOMEM);
            if (alloc_fail_count() < n)
                break;
            assert_int_equal(rc, -1);
        }
    }
}

/* A tail that went bad is never sent. */
static void test_bad_tail(void **state)
{
    struct strbuf tail = STRBUF_LIMIT(3);
    struct exposition *x;
    struct err err;

    (void)state;
    strbuf_adds(&tail, "ab");
    strbuf_adds(&tail, "more than fits");
    assert_int_equal(exposition_new_take(make_snapshot(1), EXPO_TEXT, false, &tail, &x, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_any_size),
        cmocka_unit_test(test_long_tails),
        cmocka_unit_test(test_reading_out_of_order),
        cmocka_unit_test(test_outlives_its_publication),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_bad_tail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
