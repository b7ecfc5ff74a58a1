/*
 * Decodes pages with the exporter's own decoder: bench_decode DIR PAGES SECONDS [PIECE]. PIECE is
 * how many bytes are handed over at a time; without it, whole pages.
 *
 * Under callgrind the function `measured` is what counts.
 */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "ours.h"
#include "pages.h"

static size_t piece;

static struct field_text text_of(const char *s)
{
    return (struct field_text){s, strlen(s)};
}

static struct fields fields_of(const struct deployment *d)
{
    struct fields f = {
        .texts = {text_of(d->id), text_of(d->name), text_of(d->engine_version), text_of(d->target),
                  text_of(d->draft_id)},
        .numbers = {[6] = d->created_unix_s,
                    d->modified_unix_s,
                    d->parallelism,
                    d->max_slots,
                    d->has_changes},
        .cpus = {d->jobmanager_cpu, d->taskmanager_cpu},
    };

    memcpy(f.numbers, d->jobs, sizeof(d->jobs));
    return f;
}

__attribute__((noinline)) static void measured(const struct pages *pages, struct arena *arena,
                                               struct page *decoded)
{
    for (size_t i = 0; i < pages->n; i++)
        ours_decode(pages->bodies[i], pages->lens[i], piece, arena, &decoded[i]);
}

static void decode(const struct pages *pages, int want_sum, struct found *found)
{
    struct arena *arena = arena_new();
    struct page *decoded = calloc(pages->n, sizeof(*decoded));

    if (!arena || !decoded)
        die("no memory");
    measured(pages, arena, decoded);
    *found = (struct found){.sum = FIELDS_SUM_START, .memory = arena_bytes(arena)};
    for (size_t i = 0; i < pages->n && want_sum; i++)
        for (size_t k = 0; k < decoded[i].n_items; k++) {
            struct fields f = fields_of(&decoded[i].items[k]);

            found->sum = fields_sum(found->sum, &f);
            found->objects++;
        }
    free(decoded);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    if (argc > 4)
        piece = strtoul(argv[4], NULL, 10);
    return decode_main(argc, argv, decode);
}
