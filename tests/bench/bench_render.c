/*
 * Renders deployments and copies the same bytes, turn by turn: bench_render DIR PAGES ROUNDS.
 * Prints one JSON object with the processor seconds of every round:
 *
 *   render       a first rendering, nothing to share
 *   again        one after another, in which one deployment of twenty had another count
 *   copy         memcpy of the text into memory that is there already
 *   copy_fresh   malloc of every piece, memcpy into it
 *
 * Under callgrind (ROUNDS 0) the function `measured` is what counts: one first rendering.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/snapshot.h"
#include "model/records.h"
#include "ours.h"
#include "pages.h"
#include "slice.h"

__attribute__((noinline)) static struct slice *measured(struct records *records,
                                                        const struct slice *previous)
{
    return ours_render(records, previous);
}

static double copy(const struct texts *t, char *to)
{
    double began = cpu_seconds();

    for (size_t i = 0, at = 0, len; i < t->n; at += len, i++) {
        const char *text = piece_text(t->pieces[i], &len);

        memcpy(to + at, text, len);
    }
    /* The compiler must believe that somebody reads it. */
    __asm__ volatile("" : : "r"(to) : "memory");
    return cpu_seconds() - began;
}

static double copy_fresh(const struct texts *t)
{
    char **copies = calloc(t->n, sizeof(*copies));
    double began = cpu_seconds(), took;

    for (size_t i = 0; copies && i < t->n; i++) {
        size_t len;
        const char *text = piece_text(t->pieces[i], &len);

        copies[i] = malloc(len);
        if (!copies[i])
            die("no memory");
        memcpy(copies[i], text, len);
    }
    took = cpu_seconds() - began;
    for (size_t i = 0; copies && i < t->n; i++)
        free(copies[i]);
    free(copies);
    return took;
}

static double render(struct records *records, const struct slice *previous)
{
    double began = cpu_seconds();
    struct slice *slice = measured(records, previous);
    double took = cpu_seconds() - began;

    slice_free(slice);
    return took;
}

static void print_list(const char *name, const double *values, size_t n)
{
    printf("\"%s\": [", name);
    for (size_t i = 0; i < n; i++)
        printf("%s%.9f", i ? ", " : "", values[i]);
    printf("], ");
}

enum { RENDER, AGAIN, COPY, COPY_FRESH, KINDS };

static struct records *changed_records(const struct pages *pages, const struct records *before)
{
    struct listing *listing = ours_listing(pages);

    ours_change(listing);
    return ours_records_take(listing, before);
}

static void rounds_of(size_t n, const struct pages *pages, struct records *records,
                      const struct slice *slice, const struct texts *t)
{
    static const char *const names[KINDS] = {"render", "again", "copy", "copy_fresh"};
    CLEANUP(records_unrefp) struct records *next = changed_records(pages, records);
    double *took[KINDS];
    char *room = malloc(t->bytes);

    for (size_t k = 0; k < KINDS; k++) {
        took[k] = calloc(n, sizeof(double));
        if (!took[k] || !room)
            die("no memory");
    }
    (void)render(records, NULL); /* the first of each is only to warm up */
    (void)copy(t, room);
    for (size_t i = 0; i < n; i++) {
        took[RENDER][i] = render(records, NULL);
        took[COPY][i] = copy(t, room);
        took[COPY_FRESH][i] = copy_fresh(t);
        took[AGAIN][i] = render(next, slice);
    }
    for (size_t k = 0; k < KINDS; k++) {
        print_list(names[k], took[k], n);
        free(took[k]);
    }
    free(room);
}

int main(int argc, char **argv)
{
    struct pages pages;
    struct texts texts;
    struct records *records;
    struct slice *slice;
    size_t n;

    if (argc != 4)
        die("usage: bench_render DIR PAGES ROUNDS");
    pages_load(&pages, argv[1], strtoul(argv[2], NULL, 10));
    n = strtoul(argv[3], NULL, 10);
    records = ours_records_take(ours_listing(&pages), NULL);
    slice = measured(records, NULL);
    ours_texts(slice, &texts);
    printf("{");
    if (n > 0)
        rounds_of(n, &pages, records, slice, &texts);
    printf("\"series\": %llu, \"bytes\": %zu, \"objects\": %zu, \"records\": %zu}\n",
           (unsigned long long)texts.series, texts.bytes, records->n_items, records_bytes(records));
    free(texts.pieces);
    slice_free(slice);
    records_unref(records);
    return 0;
}
