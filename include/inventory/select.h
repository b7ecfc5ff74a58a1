/*
 * Choosing from a generation without rendering: what a reply about one target, or about some
 * families, consists of.
 *
 * Every byte of a generation's text belongs to a family, and there either to the header or to the
 * samples of one watched namespace. The generation knows where each of these regions ends, so a
 * choice is a walk over them. Its spans point into the generation's pieces; where a span is a whole
 * piece, the piece's compressed form serves too.
 */
#ifndef INVENTORY_SELECT_H
#define INVENTORY_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/snapshot.h"
#include "metrics/expo.h"
#include "metrics/family.h"

/* The families a generation may hold, in the order of the exposition; static, the same in all. */
size_t snapshot_families(void);
const struct family *snapshot_family(size_t i);

/* Bytes of a piece that stand together. Never empty. */
struct span {
    struct piece *piece; /* borrowed from the snapshot */
    size_t offset;
    size_t len;
};

struct selection {
    struct span *spans; /* in the order of the exposition */
    size_t n_spans;
    size_t cap;
    size_t len; /* bytes of all spans */
};

#define SELECTION_INIT ((struct selection){0})

/*
 * The samples of the target with that name (NULL = all; of a name nobody has, nothing) in the
 * families flagged (NULL = all, else snapshot_families() flags), each family with its header and
 * families without samples left out. *ret is to be released, and good as long as the caller holds
 * the snapshot. Any thread. -1 only when memory is out.
 */
int snapshot_select(const struct snapshot *s, enum expo_format format, const char *target,
                    const bool *families, struct selection *ret, struct err *err) MUST_CHECK;
void selection_release(struct selection *selection);

#endif
