/* Segments joined between header and trailer are one gzip member that zlib reads back. */
#include "base/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "alloc_fail.h"

/* Fails the test unless gz is exactly one gzip member holding the text. */
static void expect_member(const struct strbuf *gz, const char *text, size_t len)
{
    z_stream z = {0};
    unsigned char *back = malloc(len + 1);

    assert_non_null(back);
    assert_int_equal(inflateInit2(&z, 16 + 15), Z_OK);
    z.next_in = (unsigned char *)gz->ptr;
    z.avail_in = (uInt)gz->len;
    z.next_out = back;
    z.avail_out = (uInt)len + 1;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, len);
    if (len > 0)
        assert_memory_equal(back, text, len);
    inflateEnd(&z);
    free(back);
}

struct gzip {
    struct strbuf out;
    uint32_t crc;
    uint64_t len;
};

static void gzip_start(struct gzip *g)
{
    *g = (struct gzip){.out = STRBUF_INIT};
    strbuf_add(&g->out, deflate_gzip_header, sizeof(deflate_gzip_header));
}

static void gzip_add(struct gzip *g, const char *text, size_t len, int level)
{
    struct err err;

    assert_int_equal(deflate_segment(text, len, level, &g->out, &err), 0);
    g->crc = deflate_crc32_combine(g->crc, deflate_crc32(0, text, len), len);
    g->len += len;
}

static void gzip_end(struct gzip *g)
{
    unsigned char trailer[DEFLATE_GZIP_TRAILER_LEN];

    deflate_gzip_trailer(trailer, g->crc, g->len);
    strbuf_add(&g->out, trailer, sizeof(trailer));
    assert_true(strbuf_ok(&g->out));
}

/* Half noise, half repetition, the same on every run. */
static char *make_text(size_t len)
{
    char *text = malloc(len + 1);
    uint32_t x = 12345;

    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        x = x * 1103515245 + 12345;
        text[i] = (i / 4096) % 2 ? "aliyun_flink_up 1\n"[i % 18] : (char)(x >> 24);
    }
    text[len] = '\0';
    return text;
}

static void test_sizes_and_levels(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 100, 16383, 16384, 16385, 65536, 300000};
    char *text = make_text(300000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (int level = 1; level <= 9; level += 4) {
            struct gzip g;

            gzip_start(&g);
            gzip_add(&g, text, sizes[i], level);
            gzip_end(&g);
            expect_member(&g.out, text, sizes[i]);
            strbuf_release(&g.out);
        }
    }
    free(text);
}

/* No segment refers to another: any order of them is a stream too. */
static void test_segments_join_in_any_order(void **state)
{
    static const char *const parts[] = {"# TYPE aliyun_flink_up gauge\n",
                                        "aliyun_flink_up 1\naliyun_flink_up 1\n", "",
                                        "aliyun_flink_up 1\naliyun_flink_up 0\n"};
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 1, 1, 1}, {2, 2, 2, 2}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct strbuf text = STRBUF_INIT;
        struct gzip g;

        gzip_start(&g);
        for (size_t k = 0; k < ARRAY_LEN(orders[i]); k++) {
            const char *part = parts[orders[i][k]];

            strbuf_adds(&text, part);
            gzip_add(&g, part, strlen(part), 6);
        }
        gzip_end(&g);
        expect_member(&g.out, strbuf_str(&text), text.len);
        strbuf_release(&text);
        strbuf_release(&g.out);
    }
}

/* The size at which the output fills its chunks exactly must not end or repeat a flush wrongly. */
static void test_every_output_size(void **state)
{
    char *text = make_text(4096); /* noise: output grows with every byte */

    (void)state;
    for (size_t lead = 0; lead < 64; lead++) {
        struct strbuf noise = STRBUF_INIT;
        struct gzip g;

        for (int i = 0; i < 4; i++)
            strbuf_add(&noise, text + i * 7, 4096 - (size_t)i * 7);
        strbuf_add(&noise, text, lead);
        gzip_start(&g);
        gzip_add(&g, noise.ptr, noise.len, 1);
        gzip_end(&g);
        expect_member(&g.out, noise.ptr, noise.len);
        strbuf_release(&noise);
        strbuf_release(&g.out);
    }
    free(text);
}

static void test_crc(void **state)
{
    const char *text = "123456789";

    (void)state;
    assert_int_equal(deflate_crc32(0, text, 9), 0xcbf43926);
    assert_int_equal(deflate_crc32(deflate_crc32(0, text, 4), text + 4, 5), 0xcbf43926);
    assert_int_equal(deflate_crc32(0xcbf43926, NULL, 0), 0xcbf43926);
    for (size_t cut = 0; cut <= 9; cut++) {
        uint32_t first = deflate_crc32(0, text, cut);
        uint32_t second = deflate_crc32(0, text + cut, 9 - cut);

        assert_int_equal(deflate_crc32_combine(first, second, 9 - cut), 0xcbf43926);
    }
}

/* Bit by bit, as RFC 1952 defines it. */
static uint32_t slow_crc(uint32_t crc, const unsigned char *bytes, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* Every way to go through the folding: lengths around its steps, odd addresses, any start. */
static void test_crc_of_any_length(void **state)
{
    enum { MAX = 1200 };
    unsigned char bytes[MAX + 16];
    uint32_t noise = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        noise = noise * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(noise >> 24);
    }
    for (size_t len = 0; len <= MAX; len += len < 600 ? 1 : 37) {
        const unsigned char *from = bytes + len % 16;

        assert_int_equal(deflate_crc32(noise, from, len), slow_crc(noise, from, len));
        noise = noise * 1664525 + 1013904223;
    }
}

static void test_trailer(void **state)
{
    static const unsigned char expected[] = {0x03, 0x00, 0x78, 0x56, 0x34,
                                             0x12, 0x02, 0x00, 0x00, 0x00};
    unsigned char trailer[DEFLATE_GZIP_TRAILER_LEN];

    (void)state;
    deflate_gzip_trailer(trailer, 0x12345678, (UINT64_C(1) << 32) + 2);
    assert_memory_equal(trailer, expected, sizeof(expected));
}

static void test_limit(void **state)
{
    char *text = make_text(4096);
    struct strbuf whole = STRBUF_INIT;
    struct err err;

    (void)state;
    assert_int_equal(deflate_segment(text, 4096, 6, &whole, &err), 0);
    struct strbuf exact = STRBUF_LIMIT(whole.len);
    assert_int_equal(deflate_segment(text, 4096, 6, &exact, &err), 0);
    assert_int_equal(exact.len, whole.len);
    struct strbuf small = STRBUF_LIMIT(whole.len - 1);
    assert_int_equal(deflate_segment(text, 4096, 6, &small, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_true(small.len < whole.len);
    strbuf_release(&small);
    strbuf_release(&exact);
    strbuf_release(&whole);
    free(text);
}

static void test_bad_level(void **state)
{
    struct strbuf out = STRBUF_INIT;
    struct err err;

    (void)state;
    assert_int_equal(deflate_segment("x", 1, 10, &out, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_int_equal(out.len, 0);
}

static void test_allocation_sweep(void **state)
{
    char *text = make_text(100000);
    size_t n = 1;

    (void)state;
    for (;; n++) {
        struct strbuf out = STRBUF_INIT;
        struct err err;

        alloc_fail_at(n);
        int rc = deflate_segment(text, 100000, 1, &out, &err);
        alloc_fail_off();
        strbuf_release(&out);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
    }
    assert_true(n > 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_and_levels),
        cmocka_unit_test(test_segments_join_in_any_order),
        cmocka_unit_test(test_every_output_size),
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_crc_of_any_length),
        cmocka_unit_test(test_trailer),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_bad_level),
        cmocka_unit_test(test_allocation_sweep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
