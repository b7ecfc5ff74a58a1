/*
 * Pieces, generations, and the slot they are published through.
 *
 * A piece is the unit of sharing: text that never changes, compressed at most once, freed with its
 * last reference. A snapshot is two lists of pieces. The slot guards one pointer with one mutex: an
 * atomic pointer is not enough, because a publish between a reader's load and its reference would
 * free the snapshot under it.
 */
#include "inventory/snapshot.h"
#include "assemble.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/deflate.h"
#include "base/log.h"

/* Level 1: twice as fast as level 6 on this text for an eighth more bytes. */
#define DEFLATE_LEVEL 1

struct piece {
    atomic_uint refs;
    char *text;
    size_t len;
    uint64_t n_series;
    pthread_mutex_t mu;       /* held by whoever compresses */
    _Atomic(char *) deflated; /* set last: who sees it may read the two below */
    size_t deflated_len;
    uint32_t crc;
};

struct piece *piece_new_take(struct strbuf *text, uint64_t n_series)
{
    struct piece *p;

    if (!strbuf_ok(text))
        return NULL;
    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->len = text->len;
    p->text = strbuf_take(text, NULL);
    if (!p->text) {
        free(p);
        return NULL;
    }
    p->n_series = n_series;
    pthread_mutex_init(&p->mu, NULL);
    atomic_init(&p->refs, 1);
    atomic_init(&p->deflated, NULL);
    return p;
}

struct piece *piece_ref(struct piece *piece)
{
    atomic_fetch_add_explicit(&piece->refs, 1, memory_order_relaxed);
    return piece;
}

void piece_unref(struct piece *piece)
{
    if (!piece || atomic_fetch_sub_explicit(&piece->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&piece->mu);
    free(atomic_load(&piece->deflated));
    free(piece->text);
    free(piece);
}

const char *piece_text(const struct piece *piece, size_t *ret_len)
{
    *ret_len = piece->len;
    return piece->text;
}

uint64_t piece_series(const struct piece *piece)
{
    return piece->n_series;
}

static int deflate_locked(struct piece *piece, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    char *bytes;

    if (deflate_segment(piece->text, piece->len, DEFLATE_LEVEL, &out, err) < 0)
        return -1;
    bytes = malloc(out.len + 1); /* exactly: pieces live long, spare room adds up */
    if (!bytes)
        return err_nomem(err, "a compressed block");
    memcpy(bytes, strbuf_str(&out), out.len);
    piece->deflated_len = out.len;
    piece->crc = deflate_crc32(0, piece->text, piece->len);
    atomic_store_explicit(&piece->deflated, bytes, memory_order_release);
    return 0;
}

int piece_deflated(struct piece *piece, const void **ret_bytes, size_t *ret_len, struct err *err)
{
    if (!atomic_load_explicit(&piece->deflated, memory_order_acquire)) {
        int rc = 0;

        pthread_mutex_lock(&piece->mu);
        if (!atomic_load_explicit(&piece->deflated, memory_order_relaxed))
            rc = deflate_locked(piece, err);
        pthread_mutex_unlock(&piece->mu);
        if (rc < 0)
            return -1;
    }
    *ret_bytes = atomic_load_explicit(&piece->deflated, memory_order_acquire);
    *ret_len = piece->deflated_len;
    return 0;
}

uint32_t piece_crc32(const struct piece *piece)
{
    assert(atomic_load_explicit(&piece->deflated, memory_order_acquire));
    return piece->crc;
}

/* --- the generation --- */

struct snapshot {
    atomic_uint refs;
    struct arena *arena; /* the lists, the statuses and their strings */
    struct snapshot_list {
        struct piece **pieces;
        size_t n_pieces;
        size_t text_len;
        atomic_bool deflated; /* every piece is; crc and deflated_len hold */
        uint32_t crc;
        size_t deflated_len;
    } lists[EXPO_FORMAT_END];
    pthread_mutex_t mu; /* held to fill crc and deflated_len */
    uint64_t n_series;
    struct regions regions;
    struct target_status *targets;
    struct snapshot_jobs *jobs; /* by target */
    size_t n_targets;
    bool all_tried;
    struct glob_list deny;
    int64_t render_us;
};

static void free_list(struct snapshot_list *list)
{
    for (size_t i = 0; i < list->n_pieces; i++)
        piece_unref(list->pieces[i]);
}

void snapshot_unref(struct snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        free_list(&s->lists[format]);
    snapshot_jobs_release(s->jobs, s->n_targets);
    pthread_mutex_destroy(&s->mu);
    arena_free(s->arena);
    free(s);
}

void snapshot_unrefp(struct snapshot **s)
{
    snapshot_unref(*s);
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

/* Copies the list into the snapshot; from here on the snapshot holds a reference of each piece. */
static int take_list(struct snapshot *s, enum expo_format format, const struct piece_list *from)
{
    struct snapshot_list *list = &s->lists[format];

    list->pieces = arena_calloc(s->arena, from->n, sizeof(*list->pieces));
    if (!list->pieces)
        return -1;
    for (size_t i = 0; i < from->n; i++) {
        list->pieces[i] = piece_ref(from->pieces[i]);
        list->text_len += from->pieces[i]->len;
    }
    list->n_pieces = from->n;
    atomic_init(&list->deflated, false);
    return 0;
}

int snapshot_new(struct snapshot_parts *parts, struct snapshot **ret, struct err *err)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = calloc(1, sizeof(*s));

    if (!s)
        return err_nomem(err, "a snapshot");
    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->mu, NULL);
    s->arena = TAKE(parts->arena);
    s->jobs = TAKE(parts->jobs);
    s->targets = parts->targets;
    s->n_targets = parts->n_targets;
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if (take_list(s, (enum expo_format)format, &parts->lists[format]) < 0)
            return err_nomem(err, "a snapshot");
    if (glob_list_copy(s->arena, parts->deny, &s->deny) < 0)
        return err_nomem(err, "a snapshot");
    s->regions = parts->regions;
    s->all_tried = parts->all_tried;
    s->n_series = parts->n_series;
    s->render_us = parts->render_us;
    *ret = TAKE(s);
    return 0;
}

struct piece *const *snapshot_pieces(const struct snapshot *s, enum expo_format format,
                                     size_t *ret_n)
{
    *ret_n = s->lists[format].n_pieces;
    return s->lists[format].pieces;
}

size_t snapshot_text_len(const struct snapshot *s, enum expo_format format)
{
    return s->lists[format].text_len;
}

uint64_t snapshot_series(const struct snapshot *s)
{
    return s->n_series;
}

const struct regions *snapshot_regions(const struct snapshot *s)
{
    return &s->regions;
}

const struct snapshot_jobs *snapshot_jobs(const struct snapshot *s, size_t target)
{
    assert(s->jobs && target < s->n_targets);
    return &s->jobs[target];
}

const struct target_status *snapshot_targets(const struct snapshot *s, size_t *ret_n)
{
    *ret_n = s->n_targets;
    return s->targets;
}

bool snapshot_all_tried(const struct snapshot *s)
{
    return s->all_tried;
}

const struct glob_list *snapshot_deny(const struct snapshot *s)
{
    return &s->deny;
}

int64_t snapshot_render_us(const struct snapshot *s)
{
    return s->render_us;
}

size_t snapshot_deflate_left(const struct snapshot *s, enum expo_format format)
{
    const struct snapshot_list *list = &s->lists[format];
    size_t left = 0;

    if (atomic_load_explicit(&list->deflated, memory_order_acquire))
        return 0;
    for (size_t i = 0; i < list->n_pieces; i++) {
        if (!atomic_load_explicit(&list->pieces[i]->deflated, memory_order_relaxed))
            left += list->pieces[i]->len;
    }
    return left;
}

int snapshot_deflate(struct snapshot *s, enum expo_format format, struct err *err)
{
    struct snapshot_list *list = &s->lists[format];
    uint32_t crc = 0;
    size_t total = 0;

    if (atomic_load_explicit(&list->deflated, memory_order_acquire))
        return 0;
    for (size_t i = 0; i < list->n_pieces; i++) {
        const void *bytes;
        size_t len;

        if (piece_deflated(list->pieces[i], &bytes, &len, err) < 0)
            return -1;
        crc = deflate_crc32_combine(crc, list->pieces[i]->crc, list->pieces[i]->len);
        total += len;
    }
    pthread_mutex_lock(&s->mu);
    /* Two threads may have walked the list; the first one's result may be in use already. */
    if (!atomic_load_explicit(&list->deflated, memory_order_relaxed)) {
        list->crc = crc;
        list->deflated_len = total;
        atomic_store_explicit(&list->deflated, true, memory_order_release);
    }
    pthread_mutex_unlock(&s->mu);
    return 0;
}

uint32_t snapshot_crc32(const struct snapshot *s, enum expo_format format)
{
    assert(atomic_load_explicit(&s->lists[format].deflated, memory_order_acquire));
    return s->lists[format].crc;
}

size_t snapshot_deflated_len(const struct snapshot *s, enum expo_format format)
{
    const struct snapshot_list *list = &s->lists[format];

    return atomic_load_explicit(&list->deflated, memory_order_acquire) ? list->deflated_len : 0;
}

/* --- publication --- */

struct snapshot_slot {
    pthread_mutex_t mu;
    struct snapshot *current;
    atomic_bool want_gzip[EXPO_FORMAT_END];
};

struct snapshot_slot *snapshot_slot_new(void)
{
    struct snapshot_slot *slot = calloc(1, sizeof(*slot));

    if (slot)
        pthread_mutex_init(&slot->mu, NULL);
    return slot;
}

void snapshot_slot_free(struct snapshot_slot *slot)
{
    if (!slot)
        return;
    snapshot_unref(slot->current);
    pthread_mutex_destroy(&slot->mu);
    free(slot);
}

void snapshot_slot_want_gzip(struct snapshot_slot *slot, enum expo_format format)
{
    atomic_store_explicit(&slot->want_gzip[format], true, memory_order_relaxed);
}

/* Beforehand, so that no scrape pays for it. A failure costs that scrape only: it tries again. */
static void deflate_wanted(struct snapshot_slot *slot, struct snapshot *s)
{
    int64_t began_us = clock_mono_us();

    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        struct err err = {0};

        if (atomic_load_explicit(&slot->want_gzip[format], memory_order_relaxed) &&
            snapshot_deflate(s, (enum expo_format)format, &err) < 0)
            log_warn(LOG_NONE, "cannot compress the exposition yet: %s", err.msg);
    }
    s->render_us += clock_mono_us() - began_us;
}

void snapshot_publish_take(struct snapshot_slot *slot, struct snapshot *s)
{
    struct snapshot *old;

    deflate_wanted(slot, s);
    pthread_mutex_lock(&slot->mu);
    old = slot->current;
    slot->current = s;
    pthread_mutex_unlock(&slot->mu);
    /* Outside the lock: freeing megabytes must not hold up a scrape. */
    snapshot_unref(old);
}

struct snapshot *snapshot_acquire(struct snapshot_slot *slot)
{
    struct snapshot *s;

    pthread_mutex_lock(&slot->mu);
    s = slot->current ? snapshot_ref(slot->current) : NULL;
    pthread_mutex_unlock(&slot->mu);
    return s;
}
