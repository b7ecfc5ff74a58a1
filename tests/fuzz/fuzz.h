/*
 * What the fuzz targets share. Each defines LLVMFuzzerTestOneInput, whose first byte says in what
 * pieces the rest arrives.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_PIECES = 14 };

static inline size_t fuzz_piece(uint8_t byte)
{
    static const size_t pieces[FUZZ_PIECES] = {1,  2,  3,  5,   7,    16,    63,
                                               64, 65, 97, 100, 1000, 16384, SIZE_MAX / 2};

    return pieces[byte % FUZZ_PIECES];
}

/* Not assert: it must hold in every build. */
static inline void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static inline int fuzz_read_page(const char *body, size_t len, size_t piece,
                                 const struct page_options *options, struct arena *arena,
                                 struct page *page, struct api_refusal *refusal, struct err *err)
{
    CLEANUP(page_reader_release) struct page_reader r = {0};

    *refusal = (struct api_refusal){.hint = RETRY_HINT_NONE};
    if (page_reader_begin(&r, options, arena, err) < 0)
        return -1;
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        /* A copy of exactly this size: a read too far is seen. */
        CLEANUP(freep) char *copy = malloc(n);

        require(copy != NULL, "memory");
        memcpy(copy, body + at, n);
        if (page_reader_write(&r, copy, n, err) < 0)
            return -1;
    }
    return page_reader_finish(&r, page, refusal, err);
}

#endif
