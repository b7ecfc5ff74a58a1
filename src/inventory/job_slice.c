#include "job_slice.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/*
 * A block begins where the hash of an id says so: every BLOCK_MEAN deployments on average, and
 * whatever comes or goes elsewhere. None has more than BLOCK_MAX.
 */
#define BLOCK_MEAN 128
#define BLOCK_MAX  512

/* One deployment with active jobs. */
struct line {
    const struct deployment_jobs *jobs;
    const char *name; /* the records' */
};

struct renderer {
    struct strbuf head;   /* '{workspace="...",flink_namespace="..."' */
    struct strbuf labels; /* of all deployments of the block, end to end */
    struct strbuf text;   /* of the piece being rendered */
    struct expo_object objects[BLOCK_MAX];
    struct line *lines;
    size_t n_lines;
};

static void renderer_freep(struct renderer **r)
{
    if (!*r)
        return;
    strbuf_release(&(*r)->head);
    strbuf_release(&(*r)->labels);
    strbuf_release(&(*r)->text);
    free((*r)->lines);
    free(*r);
}

static struct renderer *renderer_new(const struct slice_options *options, size_t n)
{
    CLEANUP(renderer_freep) struct renderer *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->lines = calloc(n + 1, sizeof(*r->lines));
    strbuf_addc(&r->head, '{');
    expo_label(&r->head, "workspace", options->workspace);
    strbuf_addc(&r->head, ',');
    expo_label(&r->head, "flink_namespace", options->namespace_name);
    return r->lines && strbuf_ok(&r->head) ? TAKE(r) : NULL;
}

/* --- who is shown --- */

/* One pass over two lists sorted by id. */
static int find_lines(struct renderer *r, const struct job_slice *slice, int64_t oldest_mono_ms)
{
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
    const struct records *records = slice->records;
    size_t cursor = 0;

    for (size_t b = 0; slice->set->n_items > 0 && b < records->n_blocks; b++) {
        if (records_view_load(&view, records->blocks[b], NULL) < 0)
            return -1;
        for (size_t i = 0; i < view.n_items; i++) {
            const struct deployment *d = &view.items[i];
            const struct deployment_jobs *jobs = job_set_next(slice->set, &cursor, d->id);

            /* Nothing told is no reason to think that it does not run. */
            if (jobs && jobs->n_active > 0 && jobs->answered_mono_ms >= oldest_mono_ms &&
                deployment_jobs_active(d->jobs) != 0)
                r->lines[r->n_lines++] = (struct line){jobs, d->name};
        }
    }
    return 0;
}

/* --- rendering --- */

static int format_labels(struct renderer *r, const struct line *lines, size_t n)
{
    struct strbuf *labels = &r->labels;
    const char *at;

    strbuf_reset(labels);
    for (size_t i = 0; i < n; i++) {
        size_t begin = labels->len;

        strbuf_add(labels, r->head.ptr, r->head.len);
        EXPO_NEXT_LABEL(labels, "deployment_id", lines[i].jobs->id);
        EXPO_NEXT_LABEL(labels, "deployment_name", lines[i].name);
        strbuf_adds(labels, EXPO_OBJECT_END);
        r->objects[i].len = labels->len - begin;
    }
    if (!strbuf_ok(labels))
        return -1;
    at = labels->ptr; /* which moves while the text grows */
    for (size_t i = 0; i < n; at += r->objects[i++].len)
        r->objects[i].text = at;
    return 0;
}

static int render_piece(struct renderer *r, const struct line *lines, size_t n, size_t f,
                        struct piece *old, struct piece **ret)
{
    struct expo e = {.out = &r->text};

    expo_family(&e, job_families[f].family.name);
    strbuf_reset(&r->text);
    for (size_t i = 0; i < n; i++)
        job_families[f].emit(&e, lines[i].jobs, &r->objects[i]);
    return piece_keep_or_make(&e, old, ret);
}

/* The slice before, as far as it can serve. */
struct before {
    const struct job_slice *slice; /* NULL = there is none */
    size_t cursor;
};

/* The block that began with the same deployment, or NULL. */
static const struct job_block *block_before(struct before *before, const char *first_id)
{
    const struct job_slice *slice = before->slice;

    for (; slice && before->cursor < slice->n_blocks; before->cursor++) {
        int order = strcmp(slice->blocks[before->cursor].first_id, first_id);

        if (order == 0)
            return &slice->blocks[before->cursor];
        if (order > 0)
            break;
    }
    return NULL;
}

static int make_block(const struct job_slice *slice, struct job_block *block, struct renderer *r,
                      const struct line *lines, size_t n, struct before *before)
{
    const struct job_block *old = block_before(before, lines[0].jobs->id);

    block->first_id = lines[0].jobs->id;
    if (format_labels(r, lines, n) < 0)
        return -1;
    for (size_t f = 0; f < JOB_FAMILIES; f++)
        if (slice->shown[f] &&
            render_piece(r, lines, n, f, old ? old->pieces[f] : NULL, &block->pieces[f]) < 0)
            return -1;
    return 0;
}

static bool begins_block(const char *id)
{
    /* The low bits of FNV-1a hear of every byte, but weakly of each. */
    uint64_t h = hash_fnv1a(HASH_FNV1A_START, id);

    return (h ^ (h >> 32)) % BLOCK_MEAN == 0;
}

/* One past the last line of the block that begins at first. */
static size_t block_end(const struct renderer *r, size_t first)
{
    size_t i = first + 1;

    while (i < r->n_lines && i - first < BLOCK_MAX && !begins_block(r->lines[i].jobs->id))
        i++;
    return i;
}

static int render(struct job_slice *slice, const struct slice_options *options,
                  int64_t oldest_mono_ms, const struct job_slice *previous)
{
    CLEANUP(renderer_freep) struct renderer *r = renderer_new(options, slice->set->n_items);
    struct before before = {.slice = previous};
    size_t n = 0;

    if (!r || find_lines(r, slice, oldest_mono_ms) < 0)
        return -1;
    for (size_t first = 0; first < r->n_lines; first = block_end(r, first))
        n++;
    slice->blocks = calloc(n + 1, sizeof(*slice->blocks));
    if (!slice->blocks)
        return -1;
    for (size_t first = 0, end; first < r->n_lines; first = end) {
        end = block_end(r, first);
        if (make_block(slice, &slice->blocks[slice->n_blocks++], r, &r->lines[first], end - first,
                       &before) < 0)
            return -1;
    }
    return 0;
}

static void job_slice_freep(struct job_slice **slice)
{
    job_slice_free(*slice);
}

/* Nothing to be rendered is another than in the slice before. */
static bool says_the_same(const struct job_slice *slice, const struct job_slice *old)
{
    return old && slice->set == old->set && slice->records && old->records &&
           records_same(slice->records, old->records) &&
           memcmp(slice->shown, old->shown, sizeof(slice->shown)) == 0;
}

static int share(struct job_slice *slice, const struct job_slice *old)
{
    slice->blocks = calloc(old->n_blocks + 1, sizeof(*slice->blocks));
    if (!slice->blocks)
        return -1;
    slice->n_blocks = old->n_blocks;
    for (size_t b = 0; b < old->n_blocks; b++) {
        slice->blocks[b].first_id = old->blocks[b].first_id;
        for (size_t f = 0; f < JOB_FAMILIES; f++)
            if (old->blocks[b].pieces[f])
                slice->blocks[b].pieces[f] = piece_ref(old->blocks[b].pieces[f]);
    }
    return 0;
}

int job_slice_new(struct job_set *set, struct records *records, const struct slice_options *options,
                  int64_t oldest_mono_ms, const struct job_slice *previous, struct job_slice **ret,
                  struct err *err)
{
    CLEANUP(job_slice_freep) struct job_slice *slice = calloc(1, sizeof(*slice));
    bool any = false;

    if (!slice)
        return err_nomem(err, "the exposition");
    slice->set = job_set_ref(set);
    slice->records = records ? records_ref(records) : NULL;
    for (size_t f = 0; f < JOB_FAMILIES; f++) {
        slice->shown[f] = !options->without_deployments &&
                          !glob_list_match(options->deny, job_families[f].family.name);
        any = any || slice->shown[f];
    }
    if (says_the_same(slice, previous)
            ? share(slice, previous) < 0
            : any && records && render(slice, options, oldest_mono_ms, previous) < 0)
        return err_nomem(err, "the exposition");
    *ret = TAKE(slice);
    return 0;
}

void job_slice_free(struct job_slice *slice)
{
    if (!slice)
        return;
    for (size_t b = 0; b < slice->n_blocks; b++)
        for (size_t f = 0; f < JOB_FAMILIES; f++)
            piece_unref(slice->blocks[b].pieces[f]);
    free(slice->blocks);
    job_set_unref(slice->set);
    records_unref(slice->records);
    free(slice);
}
