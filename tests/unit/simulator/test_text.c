/* Bodies as one gzip member of cached and stored pieces: zlib must read them back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "text.h"

static void inflates_to(const struct text_body *b, const struct strbuf *want)
{
    size_t room = want->len + 1;
    unsigned char *out = malloc(room);
    assert_non_null(out);
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)b->bytes.ptr;
    z.avail_in = (unsigned int)b->bytes.len;
    z.next_out = out;
    z.avail_out = (unsigned int)room;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, want->len);
    assert_memory_equal(out, strbuf_str(want), want->len);
    inflateEnd(&z);
    free(out);
}

static void build(struct text_body *b, struct text *texts, size_t n, struct strbuf *loose)
{
    for (size_t i = 0; i < n; i++) {
        text_body_add(b, "{,", 2);
        text_body_add_text(b, &texts[i]);
        text_body_add(b, loose->ptr, loose->len);
    }
    text_body_finish(b);
    assert_true(strbuf_ok(&b->bytes));
}

static void test_gzip_reads_as_plain(void **state)
{
    (void)state;
    struct strbuf big = STRBUF_INIT;
    struct strbuf loose = STRBUF_INIT;
    for (int i = 0; i < 20000; i++)
        strbuf_addf(&big, "line %d of the text\n", i % 100);
    for (int i = 0; i < 20000; i++)
        strbuf_addf(&loose, "%d ", i); /* longer than one stored block */
    struct text texts[3] = {{.ptr = big.ptr, .len = big.len}, {.ptr = "x", .len = 1}, {.ptr = ""}};

    struct text_body plain;
    struct text_body zipped;
    text_body_init(&plain, false);
    text_body_init(&zipped, true);
    build(&plain, texts, 3, &loose);
    build(&zipped, texts, 3, &loose);
    inflates_to(&zipped, &plain.bytes);
    assert_true(zipped.bytes.len < plain.bytes.len);

    struct text_body again; /* from the cached segments */
    text_body_init(&again, true);
    build(&again, texts, 3, &loose);
    assert_int_equal(again.bytes.len, zipped.bytes.len);
    assert_memory_equal(again.bytes.ptr, zipped.bytes.ptr, zipped.bytes.len);

    text_body_release(&plain);
    text_body_release(&zipped);
    text_body_release(&again);
    text_release(&texts[0]);
    strbuf_release(&big);
    strbuf_release(&loose);
}

static void test_empty(void **state)
{
    (void)state;
    struct text_body zipped;
    struct strbuf nothing = STRBUF_INIT;
    text_body_init(&zipped, true);
    text_body_finish(&zipped);
    inflates_to(&zipped, &nothing);
    text_body_release(&zipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip_reads_as_plain),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
