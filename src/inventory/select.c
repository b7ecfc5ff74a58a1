#include "inventory/select.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "catalogue.h"

size_t snapshot_families(void)
{
    return FAMILIES;
}

const struct family *snapshot_family(size_t i)
{
    assert(i < FAMILIES);
    return catalogue_family(i);
}

/* --- regions --- */

int regions_init(struct regions *regions, struct arena *arena, size_t n_entries, struct err *err)
{
    *regions = (struct regions){0};
    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        regions->list[format] =
            arena_calloc(arena, FAMILIES * (n_entries + 1), sizeof(struct region));
        if (!regions->list[format])
            return err_nomem(err, "the regions of the exposition");
    }
    return 0;
}

void regions_add(struct regions *regions, enum expo_format format, size_t family, uint32_t entry,
                 size_t len)
{
    struct region *list = regions->list[format];
    size_t n = regions->n[format], begin = n > 0 ? list[n - 1].end : 0;

    if (len == 0)
        return;
    if (n == 0 || list[n - 1].family != family || list[n - 1].entry != entry)
        list[regions->n[format]++] = (struct region){.entry = entry, .family = (uint32_t)family};
    list[regions->n[format] - 1].end = begin + len;
}

/* --- choosing --- */

/* A place in the list of pieces; it only moves forward. */
struct place {
    struct piece *const *pieces;
    size_t piece;
    size_t begin; /* of the piece, in the whole text */
};

static int add_span(struct selection *selection, struct piece *piece, size_t offset, size_t len)
{
    struct span *last = selection->n_spans > 0 ? &selection->spans[selection->n_spans - 1] : NULL;

    selection->len += len;
    if (last && last->piece == piece && last->offset + last->len == offset) {
        last->len += len;
        return 0;
    }
    if (selection->n_spans == selection->cap) {
        size_t cap = selection->cap ? selection->cap * 2 : 64;
        struct span *spans = reallocarray(selection->spans, cap, sizeof(*spans));

        if (!spans)
            return -1;
        selection->spans = spans;
        selection->cap = cap;
    }
    selection->spans[selection->n_spans++] = (struct span){piece, offset, len};
    return 0;
}

/* Takes the bytes from begin to end of the whole text. */
static int take(struct selection *selection, struct place *place, size_t begin, size_t end)
{
    while (begin < end) {
        struct piece *piece = place->pieces[place->piece];
        size_t len, n;

        (void)piece_text(piece, &len);
        if (begin >= place->begin + len) {
            place->begin += len;
            place->piece++;
            continue;
        }
        n = place->begin + len < end ? place->begin + len - begin : end - begin;
        if (add_span(selection, piece, begin - place->begin, n) < 0)
            return -1;
        begin += n;
    }
    return 0;
}

static bool wanted(const struct region *region, const struct target_status *targets,
                   const char *target, const bool *families)
{
    return (!families || families[region->family]) &&
           (!target || strcmp(targets[region->entry].target, target) == 0);
}

int snapshot_select(const struct snapshot *s, enum expo_format format, const char *target,
                    const bool *families, struct selection *ret, struct err *err)
{
    const struct regions *regions = snapshot_regions(s);
    size_t n, header_begin = 0, header_end = 0, begin = 0;
    const struct target_status *targets = snapshot_targets(s, &n);
    struct place place = {.pieces = snapshot_pieces(s, format, &n)};

    *ret = SELECTION_INIT;
    for (size_t i = 0; i < regions->n[format]; begin = regions->list[format][i++].end) {
        const struct region *region = &regions->list[format][i];

        if (region->entry == REGION_HEADER) { /* goes along once a sample does */
            header_begin = begin;
            header_end = region->end;
            continue;
        }
        if (!wanted(region, targets, target, families))
            continue;
        if (take(ret, &place, header_begin, header_end) < 0 ||
            take(ret, &place, begin, region->end) < 0) {
            selection_release(ret);
            return err_nomem(err, "a choice of the exposition");
        }
        header_begin = header_end;
    }
    return 0;
}

void selection_release(struct selection *selection)
{
    free(selection->spans);
    *selection = SELECTION_INIT;
}
