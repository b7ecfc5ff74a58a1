/*
 * A generation is put together from what the entries have rendered already (their slices' pieces)
 * plus one piece of namespace families that is written anew each time: those are a few dozen lines
 * a namespace. Families stay together, so the families loop outermost and the namespaces inside;
 * regions note which bytes are whose.
 */
#include "generation.h"

#include <stdlib.h>

#include "assemble.h"
#include "base/clock.h"

/* --- families of deployments --- */

int headers_init(struct headers *headers, struct err *err)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

            expo_header(&text, (enum expo_format)format, &deployment_families[f].family);
            headers->pieces[format][f] = piece_new_take(&text, 0);
            if (!headers->pieces[format][f])
                return err_nomem(err, "the inventory");
        }
    return 0;
}

void headers_release(struct headers *headers)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
            piece_unref(headers->pieces[format][f]);
}

static int add_piece(struct snapshot_parts *parts, enum expo_format format, struct piece *piece,
                     size_t family, uint32_t entry, struct err *err)
{
    size_t len;

    if (piece_list_add(&parts->lists[format], piece, err) < 0)
        return -1;
    (void)piece_text(piece, &len);
    regions_add(&parts->regions, format, family, entry, len);
    return 0;
}

/* One piece of an entry's samples of a family, behind the family's header if they are the first. */
static int add_samples(const struct generation_source *source, struct snapshot_parts *parts,
                       size_t family, uint32_t entry, struct piece *piece, bool *has_header,
                       struct err *err)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if ((!*has_header &&
             add_piece(parts, (enum expo_format)format, source->headers->pieces[format][family],
                       family, REGION_HEADER, err) < 0) ||
            add_piece(parts, (enum expo_format)format, piece, family, entry, err) < 0)
            return -1;
    *has_header = true;
    parts->n_series += piece_series(piece);
    return 0;
}

/* One family of deployments over all namespaces; its header only if there is a sample. */
static int add_family(const struct generation_source *source, struct snapshot_parts *parts,
                      size_t family, int64_t now_mono_ms, struct err *err)
{
    bool has_header = false;

    for (size_t i = 0; i < source->n_entries; i++) {
        const struct slice *slice = source->entries[i]->slice;

        if (!slice || entry_withheld(source->entries[i], now_mono_ms))
            continue;
        for (size_t b = 0; b < slice->n_blocks; b++) {
            size_t n;
            struct piece *const *pieces = slice_block_pieces(slice->blocks[b], family, &n);

            for (size_t k = 0; k < n; k++)
                if (pieces[k] && add_samples(source, parts, family, (uint32_t)i, pieces[k],
                                             &has_header, err) < 0)
                    return -1;
        }
    }
    return 0;
}

/* --- families of namespaces --- */

/* The samples of all families, which read the same in both formats. */
struct namespace_samples {
    struct strbuf text;
    size_t *ends; /* in text, by family and by entry in it */
    uint64_t n_series;
};

static void namespace_samples_release(struct namespace_samples *samples)
{
    strbuf_release(&samples->text);
    free(samples->ends);
}

static int render_namespaces(const struct generation_source *source, int64_t now_mono_ms,
                             struct namespace_samples *ret)
{
    struct expo e = {.out = &ret->text};
    size_t *end;

    ret->ends = calloc(NAMESPACE_FAMILIES * source->n_entries + 1, sizeof(*ret->ends));
    if (!ret->ends)
        return -1;
    end = ret->ends;
    for (size_t f = 0; f < NAMESPACE_FAMILIES; f++) {
        const struct namespace_family *family = &namespace_families[f];
        bool denied = glob_list_match(source->deny, family->family.name);

        for (size_t i = 0; i < source->n_entries; i++) {
            if (!denied)
                family->emit(&e, family->family.name, source->entries[i], now_mono_ms);
            *end++ = ret->text.len;
        }
    }
    ret->n_series = e.n_series;
    return strbuf_ok(&ret->text) ? 0 : -1;
}

/* The headers between the samples, which differ by format. */
static int add_namespaces(const struct generation_source *source,
                          const struct namespace_samples *samples, struct snapshot_parts *parts,
                          enum expo_format format, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const size_t n = source->n_entries;
    size_t begin = 0;
    struct piece *piece;
    int rc;

    for (size_t f = 0; f < NAMESPACE_FAMILIES; f++) {
        const size_t *ends = &samples->ends[f * n];
        size_t header_begin = text.len;

        if (n == 0 || ends[n - 1] == begin)
            continue;
        expo_header(&text, format, &namespace_families[f].family);
        regions_add(&parts->regions, format, DEPLOYMENT_FAMILIES + f, REGION_HEADER,
                    text.len - header_begin);
        strbuf_add(&text, samples->text.ptr + begin, ends[n - 1] - begin);
        for (size_t i = 0; i < n; begin = ends[i++])
            regions_add(&parts->regions, format, DEPLOYMENT_FAMILIES + f, (uint32_t)i,
                        ends[i] - begin);
    }
    if (strbuf_ok(&text) && text.len == 0)
        return 0;
    piece = piece_new_take(&text, samples->n_series);
    if (!piece)
        return err_nomem(err, "the exposition");
    rc = piece_list_add(&parts->lists[format], piece, err);
    piece_unref(piece);
    return rc;
}

static int add_all_namespaces(const struct generation_source *source, int64_t now_mono_ms,
                              struct snapshot_parts *parts, struct err *err)
{
    CLEANUP(namespace_samples_release) struct namespace_samples samples = {0};

    if (render_namespaces(source, now_mono_ms, &samples) < 0)
        return err_nomem(err, "the exposition");
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if (add_namespaces(source, &samples, parts, (enum expo_format)format, err) < 0)
            return -1;
    parts->n_series += samples.n_series;
    return 0;
}

/* --- the targets' status --- */

static int fill_status(const struct entry *entry, int64_t now_mono_ms, struct arena *arena,
                       struct target_status *ret)
{
    const struct health *health = &entry->health[COLLECTOR_DEPLOYMENTS];
    bool failing = health->tried && !health->success;

    *ret = (struct target_status){
        .target = arena_strdup(arena, entry->target->name),
        .workspace = arena_strdup(arena, entry->workspace),
        .namespace_name = arena_strdup(arena, entry->namespace_name),
        .endpoint = arena_strdup(arena, entry->target->endpoint),
        .reason = failing ? err_kind_name(health->reason) : NULL,
        .message = failing ? arena_strdup(arena, health->message) : NULL,
        .last_attempt_unix_ms = health->last_attempt_unix_ms,
        .last_success_unix_ms = health->last_success_unix_ms,
        .duration_ms = health->duration_ms,
        .interval_ms = entry->target->interval_ms,
        .failing_since_unix_ms = failing ? health->failing_since_unix_ms : 0,
        .deployments = -1,
        .jobs_running = -1,
        .jobs_failed = -1,
        .tried = health->tried,
        .success = health->success,
        .withheld = entry_withheld(entry, now_mono_ms),
    };
    if (entry->slice && !ret->withheld) {
        ret->deployments = (int64_t)entry->slice->records->n_items;
        ret->over_limit = entry->slice->records->over_limit;
        ret->jobs_running =
            entry->slice->records->jobs_known ? entry->slice->records->jobs[JOB_RUNNING] : -1;
        ret->jobs_failed =
            entry->slice->records->jobs_known ? entry->slice->records->jobs[JOB_FAILED] : -1;
    }
    return ret->target && ret->workspace && ret->namespace_name && ret->endpoint &&
                   (!failing || ret->message)
               ? 0
               : -1;
}

static int fill_statuses(const struct generation_source *source, int64_t now_mono_ms,
                         struct snapshot_parts *parts, struct err *err)
{
    parts->targets = arena_calloc(parts->arena, source->n_entries, sizeof(*parts->targets));
    if (!parts->targets)
        return err_nomem(err, "the status of the targets");
    parts->n_targets = source->n_entries;
    parts->all_tried = true;
    for (size_t i = 0; i < source->n_entries; i++) {
        if (fill_status(source->entries[i], now_mono_ms, parts->arena, &parts->targets[i]) < 0)
            return err_nomem(err, "the status of the targets");
        parts->all_tried = parts->all_tried && parts->targets[i].tried;
    }
    return 0;
}

int generation_make(const struct generation_source *source, int64_t now_mono_ms,
                    struct snapshot **ret, struct err *err)
{
    CLEANUP(snapshot_parts_release) struct snapshot_parts parts = {.deny = source->deny};
    int64_t began_us = clock_mono_us();

    parts.arena = arena_new();
    if (!parts.arena)
        return err_nomem(err, "a snapshot");
    if (regions_init(&parts.regions, parts.arena, source->n_entries, err) < 0)
        return -1;
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        if (add_family(source, &parts, f, now_mono_ms, err) < 0)
            return -1;
    if (add_all_namespaces(source, now_mono_ms, &parts, err) < 0 ||
        fill_statuses(source, now_mono_ms, &parts, err) < 0)
        return -1;
    parts.render_us = source->render_us + clock_mono_us() - began_us;
    return snapshot_new(&parts, ret, err);
}
