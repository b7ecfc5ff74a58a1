/*
 * Raw deflate segments that join into one gzip member (RFC 1951, RFC 1952). The only user of zlib
 * for compression.
 *
 * A gzip reply is deflate_gzip_header, any number of segments (each ended by a full flush, so that
 * it refers to nothing before it and ends on a byte), deflate_gzip_trailer with the joined CRC.
 * It is one member on purpose: curl refuses a reply of several.
 */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

#define DEFLATE_GZIP_HEADER_LEN  10
#define DEFLATE_GZIP_TRAILER_LEN 10 /* the final empty block (2) and CRC-32 and length (8) */

extern const unsigned char deflate_gzip_header[DEFLATE_GZIP_HEADER_LEN];

/* Appends the segment for len bytes to out. Level 1..9. */
int deflate_segment(const void *bytes, size_t len, int level, struct strbuf *out,
                    struct err *err) MUST_CHECK;

uint32_t deflate_crc32(uint32_t crc, const void *bytes, size_t len);
/* CRC of two texts joined, from their CRCs and the length of the second. */
uint32_t deflate_crc32_combine(uint32_t first, uint32_t second, uint64_t second_len);

/* Ends the stream: an empty final block, then the trailer for all that came before. */
void deflate_gzip_trailer(unsigned char out[DEFLATE_GZIP_TRAILER_LEN], uint32_t crc, uint64_t len);

#endif
