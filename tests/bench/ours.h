/*
 * The exporter's own decoder and renderer, behind the functions that everything here calls.
 */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <stddef.h>

#include "base/arena.h"
#include "page.h"
#include "pages.h"

/*
 * One page into records, as a refresh does it; piece is how many bytes come at a time, 0 = all at
 * once. Ends the program on failure: the pages are good.
 */
void ours_decode(const char *body, size_t len, size_t piece, struct arena *arena, struct page *ret);

/* All pages as one listing, sorted by id. */
struct listing;
struct listing *ours_listing(const struct pages *pages);

/* The listing as it is kept, sharing with previous (NULL = none) what is the same; frees it. */
struct records;
struct records *ours_records_take(struct listing *listing, const struct records *previous);

/* Rendered for the first time, or after previous. This is what G4 measures. */
struct slice;
struct slice *ours_render(struct records *records, const struct slice *previous);

/* All pieces of text, family after family; free(pieces). */
struct texts {
    struct piece **pieces;
    size_t n;
    size_t bytes;
    uint64_t series;
};
void ours_texts(const struct slice *slice, struct texts *ret);

/* One deployment of twenty, in the order of ids, has another count of failed jobs. */
void ours_change(struct listing *listing);
enum { OURS_CHANGE_ONE_OF = 20 };

#endif
