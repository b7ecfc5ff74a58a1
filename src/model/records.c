/*
 * From a listing to blocks: each is packed into the same buffer first, and only one that came out
 * different from the block before it gets memory of its own.
 */
#include "model/records.h"

#include <stdlib.h>
#include <string.h>

#include "record_block.h"

/*
 * A block begins where the hash of an id has its low bits clear: every BLOCK_MEAN deployments on
 * average. In a family of one sample each they are 25 KB of text: enough for deflate's window,
 * little enough to render and compress again.
 */
#define BLOCK_MEAN 128

static bool begins_block(const char *id)
{
    return record_hash(id, strlen(id)) % BLOCK_MEAN == 0;
}

/* One past the last deployment of the block that begins at first. */
static size_t block_end(const struct listing *listing, size_t first)
{
    size_t i = first + 1;

    while (i < listing->n_items && i - first < RECORD_BLOCK_MAX &&
           !begins_block(listing->items[i].id))
        i++;
    return i;
}

static int add_block(struct records *records, size_t *cap, struct record_block *block)
{
    if (records->n_blocks == *cap) {
        size_t more = *cap ? *cap * 2 : 4;
        struct record_block **blocks = realloc(records->blocks, more * sizeof(*blocks));

        if (!blocks) {
            record_block_unref(block);
            return -1;
        }
        records->blocks = blocks;
        *cap = more;
    }
    records->blocks[records->n_blocks++] = block;
    return 0;
}

static bool same_bytes(const struct record_block *block, const struct strbuf *packed)
{
    return block->len == packed->len && memcmp(block->bytes, packed->ptr, packed->len) == 0;
}

static int pack_blocks(struct records *records, const struct listing *listing,
                       const struct records *previous)
{
    CLEANUP(strbuf_release) struct strbuf packed = STRBUF_INIT;
    size_t cap = 0, cursor = 0;

    for (size_t first = 0, end; first < listing->n_items; first = end) {
        const struct deployment *items = &listing->items[first];
        struct record_block *old, *block;

        end = block_end(listing, first);
        record_block_pack(&packed, items, end - first);
        if (!strbuf_ok(&packed))
            return -1;
        old = previous ? records_block_at(previous, items[0].id, &cursor) : NULL;
        block = old && same_bytes(old, &packed) ? record_block_ref(old)
                                                : record_block_new(&packed, items, end - first);
        if (!block || add_block(records, &cap, block) < 0)
            return -1;
    }
    return 0;
}

static void sum_jobs(struct records *records, const struct listing *listing)
{
    for (size_t i = 0; i < listing->n_items; i++)
        for (int state = 0; state < JOB_STATE_END; state++) {
            int64_t count = listing->items[i].jobs[state];

            if (count < 0)
                continue;
            records->jobs_known = true;
            /* Counts are at most 2^53 each: who has a thousand such deployments gets the largest
             * sum there is. */
            if (__builtin_add_overflow(records->jobs[state], count, &records->jobs[state]))
                records->jobs[state] = INT64_MAX;
        }
}

int records_new(const struct listing *listing, const struct records *previous, struct records **ret,
                struct err *err)
{
    CLEANUP(records_unrefp) struct records *records = calloc(1, sizeof(*records));

    if (!records)
        return err_nomem(err, "the records of a listing");
    atomic_init(&records->refs, 1);
    records->n_items = listing->n_items;
    records->pages = listing->pages;
    records->expected = listing->expected;
    records->invalid = listing->invalid;
    records->over_limit = listing->over_limit;
    sum_jobs(records, listing);
    if (pack_blocks(records, listing, previous) < 0)
        return err_nomem(err, "the records of a listing");
    *ret = TAKE(records);
    return 0;
}

/* The block, or what became of it; NULL when memory is out. */
static struct record_block *revise_block(struct record_block *block, struct records_view *view,
                                         record_change_fn *change, void *ctx)
{
    CLEANUP(strbuf_release) struct strbuf packed = STRBUF_INIT;
    bool any = false;

    if (records_view_load(view, block, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < view->n_items; i++)
        any |= change(ctx, &view->items[i]);
    if (!any)
        return record_block_ref(block);
    record_block_pack(&packed, view->items, view->n_items);
    return strbuf_ok(&packed) ? record_block_new(&packed, view->items, view->n_items) : NULL;
}

int records_revise(struct records *records, record_change_fn *change, void *ctx,
                   struct records **ret, struct err *err)
{
    CLEANUP(records_unrefp) struct records *revised = calloc(1, sizeof(*revised));
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;

    if (!revised)
        return err_nomem(err, "the records of a listing");
    /* Not as a whole: others may count their references at this moment. */
    atomic_init(&revised->refs, 1);
    revised->n_items = records->n_items;
    revised->pages = records->pages;
    revised->expected = records->expected;
    revised->invalid = records->invalid;
    revised->over_limit = records->over_limit;
    memcpy(revised->jobs, records->jobs, sizeof(revised->jobs));
    revised->jobs_known = records->jobs_known;
    revised->blocks = calloc(records->n_blocks + 1, sizeof(struct record_block *));
    if (!revised->blocks)
        return err_nomem(err, "the records of a listing");
    for (size_t b = 0; b < records->n_blocks; b++) {
        struct record_block *block = revise_block(records->blocks[b], &view, change, ctx);

        if (!block)
            return err_nomem(err, "the records of a listing");
        revised->blocks[revised->n_blocks++] = block;
    }
    *ret = records_same(records, revised) ? records_ref(records) : TAKE(revised);
    return 0;
}

bool records_same(const struct records *a, const struct records *b)
{
    if (a->n_blocks != b->n_blocks)
        return false;
    return a->n_blocks == 0 ||
           memcmp(a->blocks, b->blocks, a->n_blocks * sizeof(struct record_block *)) == 0;
}

struct records *records_ref(struct records *records)
{
    atomic_fetch_add_explicit(&records->refs, 1, memory_order_relaxed);
    return records;
}

void records_unref(struct records *records)
{
    if (!records || atomic_fetch_sub_explicit(&records->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t b = 0; b < records->n_blocks; b++)
        record_block_unref(records->blocks[b]);
    free(records->blocks);
    free(records);
}

void records_unrefp(struct records **records)
{
    records_unref(*records);
}

struct record_block *records_block_at(const struct records *records, const char *first_id,
                                      size_t *cursor)
{
    for (; *cursor < records->n_blocks; ++*cursor) {
        int order = strcmp(record_block_first_id(records->blocks[*cursor]), first_id);

        if (order == 0)
            return records->blocks[*cursor];
        if (order > 0)
            break;
    }
    return NULL;
}

size_t records_bytes(const struct records *records)
{
    size_t bytes = sizeof(*records) + records->n_blocks * sizeof(struct record_block *);

    for (size_t b = 0; b < records->n_blocks; b++)
        bytes += sizeof(struct record_block) + records->blocks[b]->len;
    return bytes;
}
