#include "assemble.h"

#include <stdlib.h>
#include <string.h>

static bool same_text(const struct piece *piece, const struct strbuf *text)
{
    size_t len;
    const char *old = piece_text(piece, &len);

    return len == text->len && memcmp(old, text->ptr, len) == 0;
}

int piece_keep_or_make(struct expo *e, struct piece *old, struct piece **ret)
{
    if (!strbuf_ok(e->out))
        return -1;
    if (e->out->len == 0)
        return 0;
    if (old && same_text(old, e->out)) {
        *ret = piece_ref(old);
        return 0;
    }
    strbuf_shrink(e->out);
    *ret = piece_new_take(e->out, e->n_series);
    return *ret ? 0 : -1;
}

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

void snapshot_jobs_release(struct snapshot_jobs *jobs, size_t n)
{
    for (size_t i = 0; jobs && i < n; i++) {
        job_set_unref(jobs[i].set);
        records_unref(jobs[i].records);
    }
}

void snapshot_parts_release(struct snapshot_parts *parts)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        piece_list_release(&parts->lists[format]);
    snapshot_jobs_release(parts->jobs, parts->n_targets);
    arena_free(parts->arena);
    *parts = (struct snapshot_parts){0};
}
