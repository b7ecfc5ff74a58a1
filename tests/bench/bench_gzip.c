/*
 * Compresses a generation whole, and the next one in which some deployments differ:
 * bench_gzip DIR PAGES ROUNDS KIND. KIND says what differs in one deployment of twenty:
 *
 *   together    those first by id; every series of theirs (another name)
 *   scattered   every twentieth by id; the count of failed jobs
 *
 * Prints one JSON object with the processor seconds of every round and the share of the text, line
 * by line, that is not the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/snapshot.h"
#include "model/listing.h"
#include "model/records.h"
#include "ours.h"
#include "pages.h"
#include "slice.h"

static void change_together(struct listing *listing)
{
    for (size_t i = 0; i < listing->n_items / OURS_CHANGE_ONE_OF; i++) {
        struct deployment *d = &listing->items[i];
        size_t len = strlen(d->name);
        char *name = arena_alloc(listing->arena, len + 3);

        if (!name)
            die("no memory");
        memcpy(name, d->name, len);
        memcpy(name + len, "_2", 3);
        d->name = name;
    }
}

/* Whatever is not compressed yet. */
static double compress(const struct texts *t)
{
    double began = cpu_seconds();

    for (size_t i = 0; i < t->n; i++) {
        const void *bytes;
        size_t len;
        struct err err = {0};

        if (piece_deflated(t->pieces[i], &bytes, &len, &err) < 0)
            die(err.msg);
    }
    return cpu_seconds() - began;
}

struct cursor {
    const struct texts *texts;
    size_t i, at;
};

/* The next line of all; false at the end. */
static bool next_line(struct cursor *c, const char **ret, size_t *ret_len)
{
    for (; c->i < c->texts->n; c->i++, c->at = 0) {
        size_t len;
        const char *text = piece_text(c->texts->pieces[c->i], &len), *end;

        if (c->at == len)
            continue;
        end = memchr(text + c->at, '\n', len - c->at);
        *ret = text + c->at;
        *ret_len = end ? (size_t)(end - *ret) + 1 : len - c->at;
        c->at += *ret_len;
        return true;
    }
    return false;
}

/* Same deployments, same order: line by line they correspond. */
static double changed_share(const struct texts *before, const struct texts *after)
{
    struct cursor a = {.texts = before}, b = {.texts = after};
    const char *left, *right;
    size_t left_len, right_len, total = 0, changed = 0;

    while (next_line(&b, &right, &right_len)) {
        if (!next_line(&a, &left, &left_len))
            die("the generations do not correspond");
        total += right_len;
        if (left_len != right_len || memcmp(left, right, right_len) != 0)
            changed += right_len;
    }
    return total ? (double)changed / (double)total : 0;
}

static void one_round(const struct pages *pages, bool together)
{
    struct listing *listing = ours_listing(pages);
    struct records *before = ours_records_take(ours_listing(pages), NULL), *after;
    struct slice *old, *new;
    struct texts old_texts, new_texts;
    double whole;

    if (together)
        change_together(listing);
    else
        ours_change(listing);
    after = ours_records_take(listing, before);
    old = ours_render(before, NULL);
    ours_texts(old, &old_texts);
    whole = compress(&old_texts);
    new = ours_render(after, old);
    ours_texts(new, &new_texts);
    printf("{\"whole\": %.9f, \"next\": %.9f, \"share\": %.6f}", whole, compress(&new_texts),
           changed_share(&old_texts, &new_texts));
    free(old_texts.pieces);
    free(new_texts.pieces);
    slice_free(old);
    slice_free(new);
    records_unref(before);
    records_unref(after);
}

int main(int argc, char **argv)
{
    struct pages pages;

    if (argc != 5)
        die("usage: bench_gzip DIR PAGES ROUNDS together|scattered");
    pages_load(&pages, argv[1], strtoul(argv[2], NULL, 10));
    printf("{\"rounds\": [");
    for (size_t i = 0, n = strtoul(argv[3], NULL, 10); i < n; i++) {
        printf("%s", i ? ", " : "");
        one_round(&pages, strcmp(argv[4], "together") == 0);
    }
    printf("]}\n");
    return 0;
}
