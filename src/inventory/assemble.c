#include "assemble.h"

#include <stdlib.h>

int piece_list_add(struct piece_list *list, struct piece *piece, struct err *err)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 64;
        struct piece **pieces = reallocarray(list->pieces, cap, sizeof(*pieces));

        if (!pieces)
            return err_nomem(err, "the list of blocks");
        list->pieces = pieces;
        list->cap = cap;
    }
    list->pieces[list->n++] = piece_ref(piece);
    return 0;
}

void piece_list_release(struct piece_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        piece_unref(list->pieces[i]);
    free(list->pieces);
    *list = (struct piece_list){0};
}

void snapshot_parts_release(struct snapshot_parts *parts)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        piece_list_release(&parts->lists[format]);
    arena_free(parts->arena);
    *parts = (struct snapshot_parts){0};
}
