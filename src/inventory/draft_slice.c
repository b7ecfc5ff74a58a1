#include "draft_slice.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "drift.h"

/*
 * A block begins where the hash of an id says so: every BLOCK_MEAN drafts on average, and whatever
 * comes or goes elsewhere. None has more than BLOCK_MAX.
 */
#define BLOCK_MEAN 128
#define BLOCK_MAX  512

/* --- drafts --- */

int drafts_new(struct listing *listing, struct drafts **ret, struct err *err)
{
    CLEANUP(drafts_unrefp) struct drafts *drafts = calloc(1, sizeof(*drafts));

    if (!drafts) {
        listing_free(listing);
        return err_nomem(err, "the drafts");
    }
    drafts->refs = 1;
    drafts->listing = listing;
    drafts->order = calloc(listing->n_items + 1, sizeof(*drafts->order));
    if (!drafts->order)
        return err_nomem(err, "the drafts");
    drafts->n_order = drift_order(listing->drafts, listing->n_items, drafts->order);
    *ret = TAKE(drafts);
    return 0;
}

void drafts_unref(struct drafts *drafts)
{
    if (!drafts || --drafts->refs > 0)
        return;
    listing_free(drafts->listing);
    free(drafts->order);
    free(drafts);
}

void drafts_unrefp(struct drafts **drafts)
{
    drafts_unref(*drafts);
}

/* --- rendering --- */

struct renderer {
    struct strbuf head;   /* '{workspace="...",flink_namespace="..."' */
    struct strbuf labels; /* of all drafts of the block, end to end */
    struct strbuf text;   /* of the piece being rendered */
    struct expo_object objects[BLOCK_MAX];
    const struct draft_block *formatted; /* whose labels they are */
};

static void renderer_freep(struct renderer **r)
{
    if (!*r)
        return;
    strbuf_release(&(*r)->head);
    strbuf_release(&(*r)->labels);
    strbuf_release(&(*r)->text);
    free(*r);
}

static struct renderer *renderer_new(const struct slice_options *options)
{
    CLEANUP(renderer_freep) struct renderer *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    strbuf_addc(&r->head, '{');
    expo_label(&r->head, "workspace", options->workspace);
    strbuf_addc(&r->head, ',');
    expo_label(&r->head, "flink_namespace", options->namespace_name);
    return strbuf_ok(&r->head) ? TAKE(r) : NULL;
}

static int format_labels(struct renderer *r, const struct draft *drafts,
                         const struct draft_block *block)
{
    struct strbuf *labels = &r->labels;
    const char *at;

    if (r->formatted == block)
        return 0;
    strbuf_reset(labels);
    for (size_t i = 0; i < block->n_items; i++) {
        size_t begin = labels->len;

        strbuf_add(labels, r->head.ptr, r->head.len);
        EXPO_NEXT_LABEL(labels, "deployment_draft_id", drafts[block->first + i].id);
        EXPO_NEXT_LABEL(labels, "draft_name", drafts[block->first + i].name);
        strbuf_adds(labels, EXPO_OBJECT_END);
        r->objects[i].len = labels->len - begin;
    }
    if (!strbuf_ok(labels))
        return -1;
    at = labels->ptr; /* which moves while the text grows */
    for (size_t i = 0; i < block->n_items; at += r->objects[i++].len)
        r->objects[i].text = at;
    r->formatted = block;
    return 0;
}

static int render_piece(struct renderer *r, const struct draft_slice *slice,
                        const struct draft_block *block, size_t f, struct piece *old,
                        struct piece **ret)
{
    const struct draft *drafts = slice->drafts->listing->drafts;
    struct expo e = {.out = &r->text};

    if (format_labels(r, drafts, block) < 0)
        return -1;
    expo_family(&e, draft_families[f].family.name);
    strbuf_reset(&r->text);
    for (size_t i = 0; i < block->n_items; i++)
        draft_families[f].emit(&e, &drafts[block->first + i], slice->drift[block->first + i],
                               &r->objects[i]);
    return piece_keep_or_make(&e, old, ret);
}

/* --- a slice --- */

/* The slice before, as far as it can serve. */
struct before {
    const struct draft_slice *slice; /* NULL = there is none */
    size_t cursor;
};

/* The block that began with the same draft, or NULL. */
static const struct draft_block *block_before(struct before *before, const char *first_id)
{
    const struct draft_slice *slice = before->slice;

    for (; slice && before->cursor < slice->n_blocks; before->cursor++) {
        const struct draft_block *block = &slice->blocks[before->cursor];
        int order = strcmp(slice->drafts->listing->drafts[block->first].id, first_id);

        if (order == 0)
            return block;
        if (order > 0)
            break;
    }
    return NULL;
}

/* Of the same listing, what does not depend on deployments is the same without looking. */
static bool says_the_same(const struct draft_slice *slice, const struct draft_slice *old,
                          const struct draft_block *block, size_t f)
{
    return slice->drafts == old->drafts && old->shown[f] &&
           (f != DRAFT_DRIFTED ||
            memcmp(slice->drift + block->first, old->drift + block->first, block->n_items) == 0);
}

static int make_block(const struct draft_slice *slice, struct draft_block *block,
                      struct before *before, struct renderer *r)
{
    const struct draft_block *old =
        block_before(before, slice->drafts->listing->drafts[block->first].id);

    for (size_t f = 0; f < DRAFT_FAMILIES; f++) {
        struct piece *old_piece = old ? old->pieces[f] : NULL;

        if (!slice->shown[f])
            continue;
        if (old && says_the_same(slice, before->slice, block, f))
            block->pieces[f] = old_piece ? piece_ref(old_piece) : NULL;
        else if (render_piece(r, slice, block, f, old_piece, &block->pieces[f]) < 0)
            return -1;
    }
    return 0;
}

static bool begins_block(const char *id)
{
    /* The low bits of FNV-1a hear of every byte, but weakly of each. */
    uint64_t h = hash_fnv1a(HASH_FNV1A_START, id);

    return (h ^ (h >> 32)) % BLOCK_MEAN == 0;
}

/* One past the last draft of the block that begins at first. */
static size_t block_end(const struct listing *listing, size_t first)
{
    size_t i = first + 1;

    while (i < listing->n_items && i - first < BLOCK_MAX && !begins_block(listing->drafts[i].id))
        i++;
    return i;
}

static size_t count_blocks(const struct listing *listing)
{
    size_t n = 0;

    for (size_t first = 0; first < listing->n_items; first = block_end(listing, first))
        n++;
    return n;
}

static int render(struct draft_slice *slice, const struct slice_options *options,
                  const struct draft_slice *previous)
{
    const struct listing *listing = slice->drafts->listing;
    CLEANUP(renderer_freep) struct renderer *r = renderer_new(options);
    struct before before = {.slice = previous};

    slice->blocks = calloc(count_blocks(listing) + 1, sizeof(*slice->blocks));
    if (!r || !slice->blocks)
        return -1;
    for (size_t first = 0, end; first < listing->n_items; first = end) {
        struct draft_block *block = &slice->blocks[slice->n_blocks++];

        end = block_end(listing, first);
        *block = (struct draft_block){.first = first, .n_items = end - first};
        if (make_block(slice, block, &before, r) < 0)
            return -1;
    }
    return 0;
}

static void choose_families(struct draft_slice *slice, const struct slice_options *options)
{
    for (size_t f = 0; f < DRAFT_FAMILIES; f++)
        slice->shown[f] = !options->without_deployments &&
                          !glob_list_match(options->deny, draft_families[f].family.name);
    if (!options->draft_lock_holder)
        slice->shown[DRAFT_LOCK_INFO] = false;
}

static void draft_slice_freep(struct draft_slice **slice)
{
    draft_slice_free(*slice);
}

int draft_slice_new(struct drafts *drafts, const struct records *deployments,
                    const struct slice_options *options, const struct draft_slice *previous,
                    struct draft_slice **ret, struct err *err)
{
    CLEANUP(draft_slice_freep) struct draft_slice *slice = calloc(1, sizeof(*slice));
    const struct listing *listing = drafts->listing;

    if (!slice)
        return err_nomem(err, "the exposition");
    slice->drafts = drafts;
    drafts->refs++;
    choose_families(slice, options);
    slice->drift = malloc(listing->n_items + 1);
    if (!slice->drift)
        return err_nomem(err, "the exposition");
    if (drift_find(listing->drafts, listing->n_items, drafts->order, drafts->n_order,
                   slice->shown[DRAFT_DRIFTED] ? deployments : NULL, slice->drift, err) < 0)
        return -1;
    if (!options->without_deployments && render(slice, options, previous) < 0)
        return err_nomem(err, "the exposition");
    *ret = TAKE(slice);
    return 0;
}

void draft_slice_free(struct draft_slice *slice)
{
    if (!slice)
        return;
    for (size_t b = 0; b < slice->n_blocks; b++)
        for (size_t f = 0; f < DRAFT_FAMILIES; f++)
            piece_unref(slice->blocks[b].pieces[f]);
    free(slice->blocks);
    free(slice->drift);
    drafts_unref(slice->drafts);
    free(slice);
}
