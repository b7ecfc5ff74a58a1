/* Built with what the inventory itself builds snapshots with. */
#include "fake_generation.h"

#include "metrics/expo.h"

static const struct family family = {"fake_events_total", "Made up.", .type = METRIC_COUNTER};

static int add_text(struct piece_list *list, struct piece_list *other, struct strbuf *text,
                    uint64_t n_series)
{
    struct piece *piece = piece_new_take(text, n_series);
    int rc;

    if (!piece)
        return -1;
    rc = piece_list_add(list, piece, NULL);
    if (rc == 0 && other)
        rc = piece_list_add(other, piece, NULL);
    piece_unref(piece);
    return rc;
}

static int add_headers(struct snapshot_parts *parts)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

        expo_header(&text, (enum expo_format)format, &family);
        if (add_text(&parts->lists[format], NULL, &text, 0) < 0)
            return -1;
    }
    return 0;
}

static int add_piece(struct snapshot_parts *parts, const struct fake_generation *g, size_t i)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct expo e = {.out = &text};

    for (size_t line = 0; strbuf_ok(&text) && text.len < g->piece_bytes; line++) {
        CLEANUP(strbuf_release) struct strbuf labels = STRBUF_INIT;

        strbuf_addf(&labels,
                    "workspace=\"a14bd5d90a4f4e\",flink_namespace=\"default\",piece=\"%zu\"", i);
        strbuf_addf(&labels, ",deployment_id=\"00000000-0000-4000-8000-%012zx\"",
                    (line * 2654435761U + i * 40503U) & 0xffffffffffU);
        expo_sample_i64(&e, family.name, (struct expo_labels){strbuf_str(&labels), labels.len},
                        EXPO_NO_LABELS, (int64_t)g->number);
    }
    return add_text(&parts->lists[EXPO_TEXT], &parts->lists[EXPO_OPENMETRICS], &text, e.n_series);
}

static int copy(struct arena *arena, const char **field)
{
    if (!*field)
        return 0;
    *field = arena_strdup(arena, *field);
    return *field ? 0 : -1;
}

static int copy_collectors(struct arena *arena, struct target_status *t)
{
    struct collector_status *all = arena_calloc(arena, t->n_collectors, sizeof(*all));

    if (!all)
        return -1;
    for (size_t i = 0; i < t->n_collectors; i++) {
        all[i] = t->collectors[i];
        if (copy(arena, &all[i].name) < 0 || copy(arena, &all[i].reason) < 0 ||
            copy(arena, &all[i].message) < 0)
            return -1;
    }
    t->collectors = all;
    return 0;
}

static int add_jobs(struct snapshot_parts *parts, const struct fake_generation *g)
{
    parts->jobs = arena_calloc(parts->arena, g->n_targets, sizeof(*parts->jobs));
    if (!parts->jobs) {
        snapshot_jobs_release(g->jobs, g->n_targets);
        return -1;
    }
    for (size_t i = 0; g->jobs && i < g->n_targets; i++)
        parts->jobs[i] = g->jobs[i];
    return 0;
}

static int add_targets(struct snapshot_parts *parts, const struct fake_generation *g)
{
    parts->targets = arena_calloc(parts->arena, g->n_targets, sizeof(*parts->targets));
    if (!parts->targets)
        return -1;
    for (size_t i = 0; i < g->n_targets; i++) {
        struct target_status *t = &parts->targets[i];

        *t = g->targets[i];
        if (copy(parts->arena, &t->target) < 0 || copy(parts->arena, &t->workspace) < 0 ||
            copy(parts->arena, &t->namespace_name) < 0 || copy(parts->arena, &t->endpoint) < 0 ||
            copy(parts->arena, &t->reason) < 0 || copy(parts->arena, &t->message) < 0 ||
            copy_collectors(parts->arena, t) < 0)
            return -1;
    }
    return 0;
}

struct snapshot *fake_generation_new(const struct fake_generation *g)
{
    struct snapshot_parts parts = {
        .arena = arena_new(), .all_tried = g->all_tried, .deny = &g->deny};
    struct snapshot *s = NULL;
    int rc = parts.arena ? 0 : -1;

    parts.n_targets = g->n_targets;
    if (rc == 0)
        rc = add_jobs(&parts, g);
    if (rc == 0)
        rc = add_targets(&parts, g);
    if (rc == 0)
        rc = add_headers(&parts);
    for (size_t i = 0; rc == 0 && i < g->n_pieces; i++)
        rc = add_piece(&parts, g, i);
    if (rc == 0)
        rc = snapshot_new(&parts, &s, NULL);
    snapshot_parts_release(&parts);
    return rc == 0 ? s : NULL;
}
