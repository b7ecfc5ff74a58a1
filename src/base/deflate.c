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

/*
 * zlib's crc32 takes about a byte a cycle, which is a tenth of a gzip scrape for its few kilobytes
 * of live metrics. Where the processor multiplies without carry, four 16-byte lanes are folded 64
 * bytes ahead at a time (Gopal and others, "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ", Intel 2009): what is left is 16 bytes with the same remainder as all before them, and
 * zlib does those and the odd end.
 */
#if defined(__x86_64__)
#include <immintrin.h>

enum { LANE = 16, LANES = 4, FOLD_BYTES_MIN = 256 };

/* x to the power of the distance in bits, plus or minus 32, modulo the polynomial, bits reversed.
 */
#define FOLD_LANES  0x1c6e41596, 0x154442bd4 /* 64 bytes */
#define FOLD_LANE   0x0ccaa009e, 0x1751997d0 /* 16 bytes */

#define WITH_PCLMUL __attribute__((target("pclmul,sse2")))

WITH_PCLMUL static inline __m128i fold(__m128i lane, __m128i by, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);

    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

static inline __m128i load(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Consumes a multiple of 64 bytes, at least that many; *bytes and *len move on. */
WITH_PCLMUL static uint32_t crc32_folded(uint32_t crc, const unsigned char **bytes, size_t *len)
{
    const __m128i by_lanes = _mm_set_epi64x(FOLD_LANES);
    const __m128i by_lane = _mm_set_epi64x(FOLD_LANE);
    const unsigned char *p = *bytes;
    size_t n = *len;
    unsigned char rest[LANE];
    __m128i lanes[LANES];

    for (int i = 0; i < LANES; i++)
        lanes[i] = load(p + i * LANE);
    /* The register so far comes in with the first four bytes; zlib hands it out inverted. */
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128((int)~crc));
    for (p += LANES * LANE, n -= LANES * LANE; n >= LANES * LANE;
         p += LANES * LANE, n -= LANES * LANE) {
        for (int i = 0; i < LANES; i++)
            lanes[i] = fold(lanes[i], by_lanes, load(p + i * LANE));
    }
    for (int i = 1; i < LANES; i++)
        lanes[i] = fold(lanes[i - 1], by_lane, lanes[i]);
    _mm_storeu_si128((__m128i *)(void *)rest, lanes[LANES - 1]);
    *bytes = p;
    *len = n;
    /* From a register of zeros, which zlib calls all ones. */
    return (uint32_t)crc32_z(UINT32_MAX, rest, sizeof(rest));
}
#endif

uint32_t deflate_crc32(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

#if defined(__x86_64__)
    if (len >= FOLD_BYTES_MIN && __builtin_cpu_supports("pclmul"))
        crc = crc32_folded(crc, &p, &len);
#endif
    /* zlib takes a NULL buffer as the wish for the initial value, which is not what is meant. */
    if (len == 0)
        return crc;
    return (uint32_t)crc32_z(crc, p, len);
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
