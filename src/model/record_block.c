/*
 * The bytes of a block, one deployment after the other:
 *
 *     id NUL name NUL draft_id NUL     which repeat nowhere
 *     six references                   to the enumerations, in the order of struct deployment
 *     numbers                          see pack_numbers
 *     a byte that says the status, and which of these there are:
 *         the content's hash
 *         the event counters and the time of the last failure, unless all are 0
 *     number of labels, then a reference to each name and each value
 *
 * A reference is one byte: the number of a string that stood in this block before, or NEW with the
 * string and its NUL behind it. The first 255 strings get a number and the others stand there each
 * time, so that neither writer nor reader needs memory for them. Numbers that tend to be small have
 * variable length, seven bits a byte, low bits first; the others are as in memory. A deployment
 * takes about 150 bytes, of which 80 are id, name and draft.
 */
#include "record_block.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

enum { NEW = 255, SLOTS = 512, SMALL_NUMBERS = JOB_STATE_END + 3 };

/* What is seldom there; above these bits is the status. */
enum { HAS_CONTENT = 1, HAS_EVENTS = 2, STATUS_SHIFT = 2 };

/* Numbers of which none is small. */
struct wide {
    int64_t times[2];
    double cpus[2];
    int64_t memories[2];
};

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

uint64_t record_hash(const char *text, size_t len)
{
    uint64_t h = len, word = 0;
    const char *end = text + len;

    for (; (size_t)(end - text) > sizeof(word); text += sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        h = mix(h, word);
    }
    if (len < sizeof(word))
        while (text < end)
            word = word << 8 | (unsigned char)*text++;
    else
        memcpy(&word, end - sizeof(word), sizeof(word)); /* the last eight, some of them again */
    return mix(mix(h, word), 0); /* once more, so that the low bits know of all others */
}

/* --- writing --- */

struct packer {
    struct strbuf *out;
    size_t strings[NEW]; /* offsets in out */
    size_t n_strings;
    uint8_t slots[SLOTS]; /* hash table: 1 + the number of a string; at most half full */
};

static void pack_string(struct packer *p, const char *s)
{
    strbuf_add(p->out, s, strlen(s) + 1);
}

static void pack_reference(struct packer *p, const char *s)
{
    size_t slot = record_hash(s, strlen(s)) % SLOTS;

    for (; p->slots[slot]; slot = (slot + 1) % SLOTS) {
        unsigned number = p->slots[slot] - 1u;

        if (strcmp(p->out->ptr + p->strings[number], s) == 0) {
            strbuf_addc(p->out, (char)number);
            return;
        }
    }
    strbuf_addc(p->out, (char)NEW);
    if (p->n_strings < NEW && strbuf_ok(p->out)) {
        p->strings[p->n_strings++] = p->out->len;
        p->slots[slot] = (uint8_t)p->n_strings;
    }
    pack_string(p, s);
}

/* -1 = absent is the smallest there is in practice: 0 after this. */
static unsigned char *put_number(unsigned char *out, int64_t v)
{
    return varint_put(out, (uint64_t)v + 1);
}

static void pack_numbers(struct packer *p, const struct deployment *d)
{
    const struct wide wide = {
        .times = {d->created_unix_s, d->modified_unix_s},
        .cpus = {d->jobmanager_cpu, d->taskmanager_cpu},
        .memories = {d->jobmanager_memory, d->taskmanager_memory},
    };
    unsigned char bytes[SMALL_NUMBERS * VARINT_MAX + sizeof(wide)], *end = bytes;

    for (int state = 0; state < JOB_STATE_END; state++)
        end = put_number(end, d->jobs[state]);
    end = put_number(end, d->parallelism);
    end = put_number(end, d->max_slots);
    end = put_number(end, d->has_changes);
    memcpy(end, &wide, sizeof(wide));
    strbuf_add(p->out, bytes, (size_t)(end - bytes) + sizeof(wide));
}

static bool has_events(const struct deployment *d)
{
    int64_t any = d->last_failure_unix_s;

    for (int event = 0; event < JOB_EVENT_END; event++)
        any |= d->events[event];
    return any != 0;
}

static void pack_rare(struct packer *p, const struct deployment *d)
{
    bool events = has_events(d);
    unsigned char bytes[(JOB_EVENT_END + 1) * VARINT_MAX], *end = bytes;

    strbuf_addc(p->out, (char)((d->content_hash ? HAS_CONTENT : 0) | (events ? HAS_EVENTS : 0) |
                               (int)d->status << STATUS_SHIFT));
    if (d->content_hash != 0)
        strbuf_add(p->out, &d->content_hash, sizeof(d->content_hash));
    if (!events)
        return;
    for (int event = 0; event < JOB_EVENT_END; event++)
        end = varint_put(end, (uint64_t)d->events[event]);
    end = varint_put(end, (uint64_t)d->last_failure_unix_s);
    strbuf_add(p->out, bytes, (size_t)(end - bytes));
}

static void pack_labels(struct packer *p, const struct deployment *d)
{
    unsigned char n[VARINT_MAX];

    strbuf_add(p->out, n, (size_t)(varint_put(n, d->n_labels) - n));
    for (size_t i = 0; i < d->n_labels; i++) {
        pack_reference(p, d->labels[i].name);
        pack_reference(p, d->labels[i].value);
    }
}

void record_block_pack(struct strbuf *out, const struct deployment *items, size_t n)
{
    struct packer p = {.out = out};

    strbuf_reset(out);
    for (size_t i = 0; i < n; i++) {
        const struct deployment *d = &items[i];

        pack_string(&p, d->id);
        pack_string(&p, d->name);
        pack_string(&p, d->draft_id);
        pack_reference(&p, d->execution_mode);
        pack_reference(&p, d->engine_version);
        pack_reference(&p, d->artifact_kind);
        pack_reference(&p, d->target);
        pack_reference(&p, d->target_mode);
        pack_reference(&p, d->resource_setting_mode);
        pack_numbers(&p, d);
        pack_rare(&p, d);
        pack_labels(&p, d);
    }
}

/* --- reading --- */

struct unpacker {
    const unsigned char *at;
    const char *strings[NEW];
    size_t n_strings;
};

static const char *take_string(struct unpacker *u)
{
    const char *s = (const char *)u->at;

    u->at += strlen(s) + 1;
    return s;
}

static inline const char *take_reference(struct unpacker *u)
{
    unsigned number = *u->at++;
    const char *s;

    if (number != NEW)
        return u->strings[number];
    s = take_string(u);
    if (u->n_strings < NEW)
        u->strings[u->n_strings++] = s;
    return s;
}

static inline uint64_t take_varint(struct unpacker *u)
{
    uint64_t v = *u->at & 0x7f;

    if (*u->at < 0x80) { /* nearly all */
        u->at++;
        return v;
    }

    for (unsigned shift = 7; *u->at++ & 0x80; shift += 7)
        v |= (uint64_t)(*u->at & 0x7f) << shift;
    return v;
}

static int64_t take_number(struct unpacker *u)
{
    return (int64_t)(take_varint(u) - 1);
}

static void take_numbers(struct unpacker *u, struct deployment *d)
{
    struct wide wide;

    for (int state = 0; state < JOB_STATE_END; state++)
        d->jobs[state] = take_number(u);
    d->parallelism = take_number(u);
    d->max_slots = take_number(u);
    d->has_changes = (int8_t)take_number(u);
    memcpy(&wide, u->at, sizeof(wide));
    u->at += sizeof(wide);
    d->created_unix_s = wide.times[0];
    d->modified_unix_s = wide.times[1];
    d->jobmanager_cpu = wide.cpus[0];
    d->taskmanager_cpu = wide.cpus[1];
    d->jobmanager_memory = wide.memories[0];
    d->taskmanager_memory = wide.memories[1];
}

static void take_rare(struct unpacker *u, struct deployment *d)
{
    unsigned char has = *u->at++;

    d->status = (enum deployment_status)(has >> STATUS_SHIFT);
    d->found = 0;
    d->content_hash = 0;
    if (has & HAS_CONTENT) {
        memcpy(&d->content_hash, u->at, sizeof(d->content_hash));
        u->at += sizeof(d->content_hash);
    }
    if (!(has & HAS_EVENTS)) {
        memset(d->events, 0, sizeof(d->events));
        d->last_failure_unix_s = 0;
        return;
    }
    for (int event = 0; event < JOB_EVENT_END; event++)
        d->events[event] = (int64_t)take_varint(u);
    d->last_failure_unix_s = (int64_t)take_varint(u);
}

static void take_deployment(struct unpacker *u, struct deployment *d,
                            struct deployment_label **labels)
{
    d->id = take_string(u);
    d->name = take_string(u);
    d->draft_id = take_string(u);
    d->execution_mode = take_reference(u);
    d->engine_version = take_reference(u);
    d->artifact_kind = take_reference(u);
    d->target = take_reference(u);
    d->target_mode = take_reference(u);
    d->resource_setting_mode = take_reference(u);
    take_numbers(u, d);
    take_rare(u, d);
    d->n_labels = (size_t)take_varint(u);
    d->labels = d->n_labels > 0 ? *labels : NULL;
    for (size_t i = 0; i < d->n_labels; i++) {
        (*labels)->name = take_reference(u);
        (*labels)->value = take_reference(u);
        ++*labels;
    }
}

/* What was there is not needed any more: another block's deployments take its place. */
static int make_room(struct records_view *view, const struct record_block *block)
{
    if (block->n_items > view->cap_items) {
        free(view->items);
        view->items = malloc(block->n_items * sizeof(*view->items));
        view->cap_items = view->items ? block->n_items : 0;
        if (!view->items)
            return -1;
    }
    if (block->n_labels > view->cap_labels) {
        free(view->labels);
        view->labels = malloc(block->n_labels * sizeof(*view->labels));
        view->cap_labels = view->labels ? block->n_labels : 0;
        if (!view->labels)
            return -1;
    }
    return 0;
}

int records_view_load(struct records_view *view, const struct record_block *block, struct err *err)
{
    struct unpacker u = {.at = block->bytes};
    struct deployment_label *labels;

    view->n_items = 0;
    if (make_room(view, block) < 0)
        return err_nomem(err, "a block of records");
    labels = view->labels;
    for (uint32_t i = 0; i < block->n_items; i++)
        take_deployment(&u, &view->items[i], &labels);
    view->n_items = block->n_items;
    return 0;
}

void records_view_release(struct records_view *view)
{
    free(view->items);
    free(view->labels);
    *view = RECORDS_VIEW_INIT;
}

/* --- life --- */

struct record_block *record_block_new(const struct strbuf *packed, const struct deployment *items,
                                      size_t n)
{
    struct record_block *block;
    size_t n_labels = 0;

    for (size_t i = 0; i < n; i++)
        n_labels += items[i].n_labels;
    if (packed->len > UINT32_MAX || n_labels > UINT32_MAX)
        return NULL; /* no such listing fits into memory */
    block = malloc(sizeof(*block) + packed->len);
    if (!block)
        return NULL;
    atomic_init(&block->refs, 1);
    block->n_items = (uint32_t)n;
    block->n_labels = (uint32_t)n_labels;
    block->len = (uint32_t)packed->len;
    memcpy(block->bytes, packed->ptr, packed->len);
    return block;
}

struct record_block *record_block_ref(struct record_block *block)
{
    atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    return block;
}

void record_block_unref(struct record_block *block)
{
    if (block && atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) == 1)
        free(block);
}

size_t record_block_items(const struct record_block *block)
{
    return block->n_items;
}

const char *record_block_first_id(const struct record_block *block)
{
    return (const char *)block->bytes;
}
