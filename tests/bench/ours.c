#include "ours.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/snapshot.h"
#include "model/listing.h"
#include "model/records.h"
#include "page_reader.h"
#include "slice.h"

static int decode(const char *body, size_t len, size_t piece, const struct page_options *options,
                  struct arena *arena, struct page *ret, struct err *err)
{
    struct page_reader reader;
    struct api_refusal refusal;
    int rc = page_reader_begin(&reader, options, arena, err);

    for (size_t at = 0, n; at < len && rc == 0; at += n) {
        n = piece && len - at > piece ? piece : len - at;
        rc = page_reader_write(&reader, body + at, n, err);
    }
    if (rc == 0)
        rc = page_reader_finish(&reader, ret, &refusal, err);
    page_reader_release(&reader);
    return rc;
}

void ours_decode(const char *body, size_t len, size_t piece, struct arena *arena, struct page *ret)
{
    static const struct glob_list no_labels;
    const struct page_options options = {
        .kind = &page_of_deployments, .labels = &no_labels, .page_size = 100, .max_items = 100};
    struct err err = {0};

    if (decode(body, len, piece, &options, arena, ret, &err) < 0)
        die(err.msg);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct deployment *)a)->id, ((const struct deployment *)b)->id);
}

struct listing *ours_listing(const struct pages *pages)
{
    struct listing *listing = listing_new();
    struct page *decoded = calloc(pages->n, sizeof(*decoded));
    size_t n = 0;

    if (!listing || !decoded)
        die("no memory");
    if (!listing->arena)
        listing->arena = arena_new();
    for (size_t i = 0; i < pages->n; i++) {
        ours_decode(pages->bodies[i], pages->lens[i], 0, listing->arena, &decoded[i]);
        n += decoded[i].n_items;
    }
    listing->items = arena_calloc(listing->arena, n, sizeof(*listing->items));
    if (!listing->items)
        die("no memory");
    for (size_t i = 0; i < pages->n; i++) {
        memcpy(listing->items + listing->n_items, decoded[i].items,
               decoded[i].n_items * sizeof(*listing->items));
        listing->n_items += decoded[i].n_items;
    }
    free(decoded);
    qsort(listing->items, listing->n_items, sizeof(*listing->items), by_id);
    return listing;
}

struct records *ours_records_take(struct listing *listing, const struct records *previous)
{
    struct records *records;
    struct err err = {0};

    if (records_new(listing, previous, &records, &err) < 0)
        die(err.msg);
    listing_free(listing);
    return records;
}

struct slice *ours_render(struct records *records, const struct slice *previous)
{
    static const struct glob_list nothing;
    static const struct slice_options usual = {
        .workspace = "a14bd5d90a4f4e", .namespace_name = "default-namespace", .deny = &nothing};
    struct slice *slice;
    struct err err = {0};

    if (slice_new(records, &usual, previous, &slice, &err) < 0)
        die(err.msg);
    return slice;
}

static void add_piece(struct texts *t, struct piece *piece)
{
    size_t len;

    if (!piece)
        return;
    t->pieces = reallocarray(t->pieces, t->n + 1, sizeof(struct piece *));
    if (!t->pieces)
        die("no memory");
    (void)piece_text(piece, &len);
    t->pieces[t->n++] = piece;
    t->bytes += len;
    t->series += piece_series(piece);
}

void ours_texts(const struct slice *slice, struct texts *ret)
{
    *ret = (struct texts){0};
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        for (size_t b = 0; b < slice->n_blocks; b++) {
            size_t n;
            struct piece *const *pieces = slice_block_pieces(slice->blocks[b], f, &n);

            for (size_t k = 0; k < n; k++)
                add_piece(ret, pieces[k]);
        }
}

void ours_change(struct listing *listing)
{
    for (size_t i = 0; i < listing->n_items; i += OURS_CHANGE_ONE_OF)
        listing->items[i].jobs[JOB_FAILED]++;
}
