/*
 * Segments are made by a deflate stream each, so none refers to another's bytes, and end with a
 * full flush, so the next may follow on a byte boundary. A stream's own state is about 256 KiB
 * and lives only during the call.
 */
#include "base/deflate.h"

#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

/* zlib's output before it is appended: more than the six bytes of a flush marker, see zlib.h. */
enum { CHUNK_BYTES = 16 * 1024 };

enum { RAW_WINDOW_BITS = -15, MEM_LEVEL = 8 };

_Static_assert(sizeof(z_off_t) >= 8, "crc32_combine takes the length as z_off_t");

/* Deflate, no flags, no time, no hint, unknown system: the same bytes for the same metrics. */
const unsigned char deflate_gzip_header[DEFLATE_GZIP_HEADER_LEN] = {0x1f, 0x8b, 8, 0, 0,
                                                                    0,    0,    0, 0, 0xff};

/* Consumes all of z's input with the given flush. -1: out went bad. */
static int drain(z_stream *z, int flush, struct strbuf *out)
{
    unsigned char chunk[CHUNK_BYTES];

    do {
        z->next_out = chunk;
        z->avail_out = sizeof(chunk);
        /* Z_BUF_ERROR only says that the last round had filled the chunk exactly. */
        (void)deflate(z, flush);
        strbuf_add(out, chunk, sizeof(chunk) - z->avail_out);
        if (!strbuf_ok(out))
            return -1;
    } while (z->avail_out == 0);
    return 0;
}

int deflate_segment(const void *bytes, size_t len, int level, struct strbuf *out, struct err *err)
{
    z_stream z = {0};
    const unsigned char *next = bytes;

    if (len == 0)
        return 0;
    int rc = deflateInit2(&z, level, Z_DEFLATED, RAW_WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY);
    if (rc == Z_MEM_ERROR)
        return err_nomem(err, "deflate state");
    if (rc != Z_OK)
        return err_set(err, ERR_INTERNAL, "zlib: deflateInit2 at level %d: %d", level, rc);

    int failed = 0;
    while (len > 0 && failed == 0) {
        uInt n = len < UINT_MAX ? (uInt)len : UINT_MAX;

        z.next_in = next;
        z.avail_in = n;
        next += n;
        len -= n;
        failed = drain(&z, len > 0 ? Z_NO_FLUSH : Z_FULL_FLUSH, out);
    }
    (void)deflateEnd(&z);
    if (failed == 0)
        return 0;
    if (out->over_limit)
        return err_set(err, ERR_LIMIT, "compressed text is over %zu bytes", out->limit);
    return err_nomem(err, "compressed text");
}

uint32_t deflate_crc32(uint32_t crc, const void *bytes, size_t len)
{
    /* zlib takes a NULL buffer as the wish for the initial value, which is not what is meant. */
    if (len == 0)
        return crc;
    return (uint32_t)crc32_z(crc, bytes, len);
}

uint32_t deflate_crc32_combine(uint32_t first, uint32_t second, uint64_t second_len)
{
    return (uint32_t)crc32_combine(first, second, (z_off_t)second_len);
}

static void put_le32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

void deflate_gzip_trailer(unsigned char out[DEFLATE_GZIP_TRAILER_LEN], uint32_t crc, uint64_t len)
{
    /* A final block with fixed codes that holds nothing but the end of block. */
    out[0] = 0x03;
    out[1] = 0x00;
    put_le32(out + 2, crc);
    put_le32(out + 6, (uint32_t)len); /* modulo 2^32, as the format wants it */
}
