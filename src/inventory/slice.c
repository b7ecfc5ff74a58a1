#include "slice.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

/* --- what a block consists of --- */

static size_t pieces_of(size_t family, size_t n_items)
{
    size_t per_piece = deployment_families[family].records_per_piece;

    return (n_items + per_piece - 1) / per_piece;
}

static size_t first_piece(size_t family, size_t n_items)
{
    size_t n = 0;

    for (size_t f = 0; f < family; f++)
        n += pieces_of(f, n_items);
    return n;
}

struct piece *const *slice_block_pieces(const struct slice_block *block, size_t family,
                                        size_t *ret_n)
{
    *ret_n = pieces_of(family, block->n_items);
    return &block->pieces[first_piece(family, block->n_items)];
}

static struct slice_block *block_new(size_t n_items)
{
    size_t n_pieces = first_piece(DEPLOYMENT_FAMILIES, n_items);
    struct slice_block *block = calloc(1, sizeof(*block) + n_pieces * sizeof(struct piece *));

    if (block)
        block->n_items = n_items;
    return block;
}

static void block_free(struct slice_block *block)
{
    if (!block)
        return;
    for (size_t i = 0; i < first_piece(DEPLOYMENT_FAMILIES, block->n_items); i++)
        piece_unref(block->pieces[i]);
    free(block);
}

/* --- rendering a block --- */

/* All of it is used again for the next block. */
struct renderer {
    struct strbuf head;                     /* '{workspace="...",flink_namespace="..."' */
    struct strbuf text;                     /* of the piece being rendered */
    size_t record_len[DEPLOYMENT_FAMILIES]; /* of a record's samples, as far as known */
    struct records_view view;
    struct records_view old_view;
    unsigned changes[RECORD_BLOCK_MAX]; /* by record: parts that differ from the block before */
    struct strbuf labels;               /* of all records, end to end */
    struct expo_object objects[RECORD_BLOCK_MAX]; /* by record; in labels */
};

#define CHANGED_ALL (~0u)

static void renderer_freep(struct renderer **r)
{
    if (!*r)
        return;
    strbuf_release(&(*r)->head);
    strbuf_release(&(*r)->text);
    strbuf_release(&(*r)->labels);
    records_view_release(&(*r)->view);
    records_view_release(&(*r)->old_view);
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

/* As strbuf_add, in line. */
static inline void put(struct strbuf *out, const char *bytes, size_t len)
{
    char *p = strbuf_room(out, len);

    if (p)
        strbuf_wrote(out, expo_put(p, bytes, len));
}

static int format_labels(struct renderer *r)
{
    struct strbuf *labels = &r->labels;
    const char *at;

    strbuf_reset(labels);
    for (size_t i = 0; i < r->view.n_items; i++) {
        size_t begin = labels->len;

        put(labels, r->head.ptr, r->head.len);
        EXPO_NEXT_LABEL(labels, "deployment_id", r->view.items[i].id);
        EXPO_NEXT_LABEL(labels, "deployment_name", r->view.items[i].name);
        put(labels, EXPO_OBJECT_END, sizeof(EXPO_OBJECT_END) - 1);
        r->objects[i].len = labels->len - begin;
    }
    if (!strbuf_ok(labels))
        return -1;
    at = labels->ptr; /* which moves while the text grows */
    for (size_t i = 0; i < r->view.n_items; at += r->objects[i++].len)
        r->objects[i].text = at;
    return 0;
}

/*
 * Where records of the block before stand at the same place, what differs; else everything does.
 * A record that comes or goes moves those behind it in its block: they are rendered again.
 */
static void find_changes(struct renderer *r)
{
    for (size_t i = 0; i < r->view.n_items; i++) {
        unsigned parts = i < r->old_view.n_items
                             ? deployment_differences(&r->view.items[i], &r->old_view.items[i])
                             : DEPLOYMENT_IDENTITY;

        r->changes[i] = parts & DEPLOYMENT_IDENTITY ? CHANGED_ALL : parts;
    }
}

/* The block, and what is known of how it was before; old is NULL where it was not there. */
static int load(struct renderer *r, const struct record_block *block,
                const struct record_block *old, struct err *err)
{
    r->old_view.n_items = 0;
    if (records_view_load(&r->view, block, err) < 0 ||
        (old && records_view_load(&r->old_view, old, err) < 0))
        return -1;
    if (format_labels(r) < 0)
        return err_nomem(err, "the exposition");
    find_changes(r);
    return 0;
}

/* True if the records from first to end, and no others, made the old piece, and say the same. */
static bool says_the_same(const struct renderer *r, unsigned reads, size_t first, size_t end,
                          size_t per_piece)
{
    size_t old_end =
        first + per_piece < r->old_view.n_items ? first + per_piece : r->old_view.n_items;

    if (end != old_end)
        return false;
    for (size_t i = first; i < end; i++)
        if (r->changes[i] & reads)
            return false;
    return true;
}

static int render_piece(struct renderer *r, size_t f, size_t first, size_t end, struct piece *old,
                        struct piece **ret)
{
    const struct deployment_family *family = &deployment_families[f];
    struct expo e = {.out = &r->text};

    expo_family(&e, family->family.name);
    strbuf_reset(&r->text);
    strbuf_reserve(&r->text, r->record_len[f] * (end - first));
    for (size_t i = first; i < end; i++)
        family->emit(&e, &r->view.items[i], &r->objects[i]);
    /* What the next piece will need, and a bit: what is too much goes back at once. */
    r->record_len[f] = r->text.len / (end - first) + 8;
    return piece_keep_or_make(&e, old, ret);
}

static int render_family(struct renderer *r, size_t f, const struct slice_block *old,
                         struct piece **pieces)
{
    const struct deployment_family *family = &deployment_families[f];
    size_t per_piece = family->records_per_piece, n_old = 0;
    struct piece *const *old_pieces = old ? slice_block_pieces(old, f, &n_old) : NULL;

    for (size_t first = 0, end, k = 0; first < r->view.n_items; first = end, k++) {
        struct piece *old_piece = k < n_old ? old_pieces[k] : NULL;

        end = first + per_piece < r->view.n_items ? first + per_piece : r->view.n_items;
        if (k < n_old && says_the_same(r, family->reads, first, end, per_piece))
            pieces[k] = old_piece ? piece_ref(old_piece) : NULL;
        else if (render_piece(r, f, first, end, old_piece, &pieces[k]) < 0)
            return -1;
    }
    return 0;
}

/* --- a slice --- */

/* The slice before, as far as it can serve: where its blocks are, and what they were made of. */
struct before {
    const struct slice *slice; /* NULL = there is none */
    size_t cursor;
};

static bool rendered(const struct slice *slice, size_t family)
{
    return slice->n_blocks > 0 && !slice->denied[family];
}

/* True if all families the new slice shows are in the old one. */
static bool has_all_families(const struct slice *old, const struct slice *slice)
{
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        if (!slice->denied[f] && !rendered(old, f))
            return false;
    return true;
}

static void share_block(const struct slice *slice, struct slice_block *block,
                        const struct slice_block *old)
{
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        size_t first = first_piece(f, block->n_items);

        for (size_t k = 0; !slice->denied[f] && k < pieces_of(f, block->n_items); k++)
            if (old->pieces[first + k])
                block->pieces[first + k] = piece_ref(old->pieces[first + k]);
    }
}

static int make_block(const struct slice *slice, size_t b, struct before *before,
                      struct renderer *r, struct err *err)
{
    const struct record_block *records = slice->records->blocks[b], *old_records = NULL;
    const struct slice_block *old = NULL;
    struct slice_block *block = slice->blocks[b];

    if (before->slice)
        old_records = records_block_at(before->slice->records, record_block_first_id(records),
                                       &before->cursor);
    if (old_records && before->slice->n_blocks > 0)
        old = before->slice->blocks[before->cursor];
    if (old && old_records == records && has_all_families(before->slice, slice)) {
        share_block(slice, block, old);
        return 0;
    }
    if (load(r, records, old_records, err) < 0)
        return -1;
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        const struct slice_block *usable = old && rendered(before->slice, f) ? old : NULL;

        if (!slice->denied[f] &&
            render_family(r, f, usable, &block->pieces[first_piece(f, block->n_items)]) < 0)
            return err_nomem(err, "the exposition");
    }
    return 0;
}

static int render(struct slice *slice, const struct slice_options *options,
                  const struct slice *previous, struct err *err)
{
    CLEANUP(renderer_freep) struct renderer *r = renderer_new(options);
    struct before before = {.slice = previous};
    size_t n = slice->records->n_blocks;

    slice->blocks = calloc(n ? n : 1, sizeof(struct slice_block *));
    if (!r || !slice->blocks)
        return err_nomem(err, "the exposition");
    for (; slice->n_blocks < n; slice->n_blocks++) {
        size_t b = slice->n_blocks;

        slice->blocks[b] = block_new(record_block_items(slice->records->blocks[b]));
        if (!slice->blocks[b])
            return err_nomem(err, "the exposition");
        if (make_block(slice, b, &before, r, err) < 0) {
            block_free(slice->blocks[b]);
            return -1;
        }
    }
    return 0;
}

static void slice_freep(struct slice **slice)
{
    slice_free(*slice);
}

int slice_new(struct records *records, const struct slice_options *options,
              const struct slice *previous, struct slice **ret, struct err *err)
{
    CLEANUP(slice_freep) struct slice *slice = calloc(1, sizeof(*slice));

    if (!slice)
        return err_nomem(err, "the exposition");
    slice->records = records_ref(records);
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        slice->denied[f] = glob_list_match(options->deny, deployment_families[f].family.name);
    if (!options->without_deployments && render(slice, options, previous, err) < 0)
        return -1;
    *ret = TAKE(slice);
    return 0;
}

void slice_free(struct slice *slice)
{
    if (!slice)
        return;
    for (size_t b = 0; b < slice->n_blocks; b++)
        block_free(slice->blocks[b]);
    free(slice->blocks);
    records_unref(slice->records);
    free(slice);
}
