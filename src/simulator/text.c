#include "text.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/deflate.h"

#define STORED_MAX        65535U

/*
 * Most texts are short and there are tens of thousands of them: for these a window of 4 KiB does,
 * and setting up the usual quarter of a megabyte would take ten times as long as the work.
 */
#define SHORT_TEXT        4096U
#define SHORT_WINDOW_BITS (-12)
#define SHORT_MEM_LEVEL   4

/* Shorter texts are stored as they are: a segment of their own costs more than it saves. */
#define WORTH_DEFLATING   600U

void text_release(struct text *t)
{
    free(atomic_load(&t->segment));
    atomic_store(&t->segment, NULL);
}

static int deflate_short(const struct text *t, struct strbuf *out)
{
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, SHORT_WINDOW_BITS, SHORT_MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return -1;
    z.next_in = (const unsigned char *)t->ptr;
    z.avail_in = (uInt)t->len;
    unsigned char deflated[2 * SHORT_TEXT];
    z.next_out = deflated;
    z.avail_out = sizeof(deflated);
    int rc = deflate(&z, Z_FULL_FLUSH);
    bool whole = rc == Z_OK && !z.avail_in && z.avail_out;
    strbuf_add(out, deflated, sizeof(deflated) - z.avail_out);
    deflateEnd(&z);
    return whole ? 0 : -1;
}

static int deflate_text(const struct text *t, struct strbuf *out)
{
    return t->len <= SHORT_TEXT ? deflate_short(t, out)
                                : deflate_segment(t->ptr, t->len, 1, out, NULL);
}

/* NULL when memory is out: the text is then sent uncompressed. */
static struct text_segment *segment_of(struct text *t)
{
    struct text_segment *have = atomic_load_explicit(&t->segment, memory_order_acquire);
    if (have)
        return have;
    struct strbuf deflated = STRBUF_INIT;
    struct text_segment *made = NULL;
    if (deflate_text(t, &deflated) == 0 && strbuf_ok(&deflated))
        made = malloc(sizeof(*made) + deflated.len);
    if (made) {
        made->crc = deflate_crc32(0, t->ptr, t->len);
        made->len = deflated.len;
        memcpy(made->bytes, deflated.ptr, deflated.len);
        struct text_segment *expected = NULL;
        if (!atomic_compare_exchange_strong(&t->segment, &expected, made)) {
            free(made);
            made = expected;
        }
    }
    strbuf_release(&deflated);
    return made;
}

void text_body_init(struct text_body *b, bool gzip)
{
    *b = (struct text_body){.gzip = gzip};
    if (gzip)
        strbuf_add(&b->bytes, deflate_gzip_header, DEFLATE_GZIP_HEADER_LEN);
}

void text_body_release(struct text_body *b)
{
    strbuf_release(&b->bytes);
}

/* Deflate's stored blocks (RFC 1951, 3.2.4); every segment before them ended on a byte. */
static void add_stored(struct text_body *b, const char *bytes, size_t len)
{
    b->crc = deflate_crc32(b->crc, bytes, len);
    b->plain_len += len;
    while (len) {
        size_t n = len < STORED_MAX ? len : STORED_MAX;
        const unsigned char head[5] = {0, (unsigned char)(n & 255), (unsigned char)(n >> 8),
                                       (unsigned char)(~n & 255), (unsigned char)((~n >> 8) & 255)};
        strbuf_add(&b->bytes, head, sizeof(head));
        strbuf_add(&b->bytes, bytes, n);
        bytes += n;
        len -= n;
    }
}

void text_body_add(struct text_body *b, const char *bytes, size_t len)
{
    if (b->gzip)
        add_stored(b, bytes, len);
    else
        strbuf_add(&b->bytes, bytes, len);
}

void text_body_add_text(struct text_body *b, struct text *t)
{
    struct text_segment *segment = NULL;
    if (b->gzip && t->len >= WORTH_DEFLATING)
        segment = segment_of(t);
    if (!segment) {
        text_body_add(b, t->ptr, t->len);
        return;
    }
    strbuf_add(&b->bytes, segment->bytes, segment->len);
    b->crc = deflate_crc32_combine(b->crc, segment->crc, t->len);
    b->plain_len += t->len;
}

void text_body_finish(struct text_body *b)
{
    if (!b->gzip)
        return;
    unsigned char trailer[DEFLATE_GZIP_TRAILER_LEN];
    deflate_gzip_trailer(trailer, b->crc, b->plain_len);
    strbuf_add(&b->bytes, trailer, sizeof(trailer));
}
