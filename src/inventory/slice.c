#include "slice.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/strbuf.h"

/*
 * A block begins where the hash of an id has its low bits clear: every BLOCK_MEAN records on
 * average, at most BLOCK_MAX apart. 128 records are 30 KB of text in a family of one sample each:
 * enough for deflate's window, little enough to render and compress again.
 */
#define BLOCK_MEAN 128
#define BLOCK_MAX  512

/* It only has to stay the same while the process lives. */
static uint64_t hash_id(const char *id)
{
    uint64_t h = hash_fnv1a(HASH_FNV1A_START, id);

    return h ^ (h >> 29);
}

static bool block_begins(const struct listing *listing, size_t i, size_t since)
{
    return i == 0 || i - since >= BLOCK_MAX || hash_id(listing->items[i].id) % BLOCK_MEAN == 0;
}

static int cut_blocks(struct slice *slice, struct err *err)
{
    const struct listing *listing = slice->listing;
    size_t n = 0;

    for (size_t i = 0, since = 0; i < listing->n_items; i++)
        if (block_begins(listing, i, since)) {
            since = i;
            n++;
        }
    slice->blocks = calloc(n ? n : 1, sizeof(*slice->blocks));
    if (!slice->blocks)
        return err_nomem(err, "the blocks of a listing");
    for (size_t i = 0, since = 0; i < listing->n_items; i++)
        if (block_begins(listing, i, since)) {
            since = i;
            slice->blocks[slice->n_blocks++].first = i;
        }
    return 0;
}

static size_t block_end(const struct slice *slice, size_t block)
{
    return block + 1 < slice->n_blocks ? slice->blocks[block + 1].first : slice->listing->n_items;
}

/* The label prefixes of all records, end to end in one buffer; ends[i] is where i's stops. */
struct prefixes {
    struct strbuf text;
    size_t *ends;
};

static void prefixes_release(struct prefixes *p)
{
    strbuf_release(&p->text);
    free(p->ends);
}

static int format_prefixes(const struct listing *listing, const struct slice_options *options,
                           struct prefixes *p, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf head = STRBUF_INIT;

    expo_label(&head, "workspace", options->workspace);
    strbuf_addc(&head, ',');
    expo_label(&head, "flink_namespace", options->namespace_name);
    strbuf_addc(&head, ',');
    p->ends = calloc(listing->n_items ? listing->n_items : 1, sizeof(*p->ends));
    if (!p->ends)
        return err_nomem(err, "label prefixes");
    for (size_t i = 0; i < listing->n_items; i++) {
        strbuf_add(&p->text, strbuf_str(&head), head.len);
        expo_label(&p->text, "deployment_id", listing->items[i].id);
        strbuf_addc(&p->text, ',');
        expo_label(&p->text, "deployment_name", listing->items[i].name);
        p->ends[i] = p->text.len;
    }
    if (!strbuf_ok(&head) || !strbuf_ok(&p->text))
        return err_nomem(err, "label prefixes");
    return 0;
}

static struct expo_labels prefix_of(const struct prefixes *p, size_t i)
{
    size_t start = i > 0 ? p->ends[i - 1] : 0;

    return (struct expo_labels){p->text.ptr + start, p->ends[i] - start};
}

/*
 * The block of the previous slice that begins with the same id, if any. Both lists are sorted by
 * id, so the cursor only moves forward.
 */
static const struct slice_block *matching_block(const struct slice *previous, size_t *cursor,
                                                const char *first_id)
{
    if (!previous)
        return NULL;
    for (; *cursor < previous->n_blocks; (*cursor)++) {
        const struct slice_block *b = &previous->blocks[*cursor];
        int order = strcmp(previous->listing->items[b->first].id, first_id);

        if (order == 0)
            return b;
        if (order > 0)
            break;
    }
    return NULL;
}

/* The old piece if it says the same, else a new one; *ret stays NULL where there are no samples. */
static int keep_or_make(const struct expo *e, struct piece *old, struct piece **ret,
                        struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf copy = STRBUF_INIT;
    size_t old_len;

    if (!strbuf_ok(e->out))
        return err_nomem(err, "the exposition");
    if (e->out->len == 0)
        return 0;
    if (old) {
        const char *old_text = piece_text(old, &old_len);

        if (old_len == e->out->len && memcmp(old_text, e->out->ptr, old_len) == 0) {
            *ret = piece_ref(old);
            return 0;
        }
    }
    strbuf_reserve(&copy, e->out->len); /* exactly: pieces live long, spare room adds up */
    strbuf_add(&copy, e->out->ptr, e->out->len);
    *ret = piece_new_take(&copy, e->n_series);
    return *ret ? 0 : err_nomem(err, "the exposition");
}

static int render_block(struct slice *slice, size_t block, const struct prefixes *prefixes,
                        const struct glob_list *deny, const struct slice_block *old,
                        struct strbuf *scratch, struct err *err)
{
    size_t first = slice->blocks[block].first, end = block_end(slice, block);

    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        const struct deployment_family *family = &deployment_families[f];
        struct expo e = {.out = scratch};

        if (glob_list_match(deny, family->family.name))
            continue;
        strbuf_reset(scratch);
        for (size_t i = first; i < end; i++)
            family->emit(&e, family->family.name, &slice->listing->items[i],
                         prefix_of(prefixes, i));
        if (keep_or_make(&e, old ? old->pieces[f] : NULL, &slice->blocks[block].pieces[f], err) < 0)
            return -1;
    }
    return 0;
}

static int render(struct slice *slice, const struct slice_options *options,
                  const struct slice *previous, struct err *err)
{
    CLEANUP(prefixes_release) struct prefixes prefixes = {0};
    CLEANUP(strbuf_release) struct strbuf scratch = STRBUF_INIT;
    size_t cursor = 0;

    if (cut_blocks(slice, err) < 0 || format_prefixes(slice->listing, options, &prefixes, err) < 0)
        return -1;
    for (size_t b = 0; b < slice->n_blocks; b++) {
        const char *first_id = slice->listing->items[slice->blocks[b].first].id;

        if (render_block(slice, b, &prefixes, options->deny,
                         matching_block(previous, &cursor, first_id), &scratch, err) < 0)
            return -1;
    }
    return 0;
}

static void sum_jobs(struct slice *slice)
{
    for (size_t i = 0; i < slice->listing->n_items; i++)
        for (int state = 0; state < JOB_STATE_END; state++) {
            int64_t count = slice->listing->items[i].jobs[state];

            if (count < 0)
                continue;
            slice->jobs_known = true;
            /* Counts are at most 2^53 each and records at most a million: this cannot overflow
             * unless the peer lies about both, and then the sum stops at the largest. */
            if (__builtin_add_overflow(slice->jobs[state], count, &slice->jobs[state]))
                slice->jobs[state] = INT64_MAX;
        }
}

static void slice_freep(struct slice **slice)
{
    slice_free(*slice);
}

int slice_new(struct listing *listing, const struct slice_options *options,
              const struct slice *previous, struct slice **ret, struct err *err)
{
    CLEANUP(slice_freep) struct slice *slice = calloc(1, sizeof(*slice));

    if (!slice)
        return err_nomem(err, "a listing");
    slice->listing = listing;
    sum_jobs(slice);
    if (!options->without_deployments && render(slice, options, previous, err) < 0) {
        slice->listing = NULL; /* stays the caller's */
        return -1;
    }
    *ret = TAKE(slice);
    return 0;
}

struct listing *slice_take_listing(struct slice *slice)
{
    struct listing *listing = TAKE(slice->listing);

    slice_free(slice);
    return listing;
}

void slice_free(struct slice *slice)
{
    if (!slice)
        return;
    for (size_t b = 0; b < slice->n_blocks; b++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
            piece_unref(slice->blocks[b].pieces[f]);
    free(slice->blocks);
    listing_free(slice->listing);
    free(slice);
}
