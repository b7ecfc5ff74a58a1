/*
 * A generation is put together from what the entries have rendered already (their slices' pieces)
 * plus two pieces of namespace families that are written anew each time: those are a few dozen
 * lines a namespace. Families stay together, so the families loop outermost and the namespaces
 * inside; regions note which bytes are whose.
 */
#include "generation.h"

#include <stdlib.h>

#include "assemble.h"
#include "base/clock.h"

/* --- families of deployments and drafts --- */

int headers_init(struct headers *headers, struct err *err)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t f = 0; f < FAMILIES; f++) {
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

            if (catalogue_namespace_family(f))
                continue;
            expo_header(&text, (enum expo_format)format, catalogue_family(f));
            headers->pieces[format][f] = piece_new_take(&text, 0);
            if (!headers->pieces[format][f])
                return err_nomem(err, "the inventory");
        }
    return 0;
}

void headers_release(struct headers *headers)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t f = 0; f < FAMILIES; f++)
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
static int add_deployments(const struct generation_source *source, struct snapshot_parts *parts,
                           size_t family, int64_t now_mono_ms, struct err *err)
{
    bool has_header = false;

    for (size_t i = 0; i < source->n_entries; i++) {
        const struct entry *entry = source->entries[i];
        const struct slice *slice = entry->slice;

        if (!slice || (!deployment_families[family].event &&
                       !entry_shows(entry, COLLECTOR_DEPLOYMENTS, now_mono_ms)))
            continue;
        for (size_t b = 0; b < slice->n_blocks; b++) {
            size_t n;
            struct piece *const *pieces = slice_block_pieces(slice->blocks[b], family, &n);

            for (size_t k = 0; k < n; k++)
                if (pieces[k] && add_samples(source, parts, FAMILY_DEPLOYMENTS + family,
                                             (uint32_t)i, pieces[k], &has_header, err) < 0)
                    return -1;
        }
    }
    return 0;
}

/* Beside deployments that are too old to show, nobody can tell whether a draft differs. */
static bool shows_draft_family(const struct entry *entry, size_t family, int64_t now_mono_ms)
{
    return entry_shows(entry, COLLECTOR_DRAFTS, now_mono_ms) &&
           (family != DRAFT_DRIFTED || entry_shows(entry, COLLECTOR_DEPLOYMENTS, now_mono_ms));
}

static int add_jobs(const struct generation_source *source, struct snapshot_parts *parts,
                    size_t family, int64_t now_mono_ms, struct err *err)
{
    bool has_header = false;

    for (size_t i = 0; i < source->n_entries; i++) {
        const struct job_slice *slice = source->entries[i]->jobs;

        if (!entry_shows(source->entries[i], COLLECTOR_JOBS, now_mono_ms))
            continue;
        for (size_t b = 0; b < slice->n_blocks; b++) {
            struct piece *piece = slice->blocks[b].pieces[family];

            if (piece && add_samples(source, parts, FAMILY_JOBS + family, (uint32_t)i, piece,
                                     &has_header, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int add_drafts(const struct generation_source *source, struct snapshot_parts *parts,
                      size_t family, int64_t now_mono_ms, struct err *err)
{
    bool has_header = false;

    for (size_t i = 0; i < source->n_entries; i++) {
        const struct draft_slice *slice = source->entries[i]->drafts;

        if (!shows_draft_family(source->entries[i], family, now_mono_ms))
            continue;
        for (size_t b = 0; b < slice->n_blocks; b++) {
            struct piece *piece = slice->blocks[b].pieces[family];

            if (piece && add_samples(source, parts, FAMILY_DRAFTS + family, (uint32_t)i, piece,
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

/* Families of the catalogue that stand together. */
struct family_range {
    size_t begin;
    size_t end;
};

static int render_namespaces(const struct generation_source *source, struct family_range range,
                             int64_t now_mono_ms, struct namespace_samples *ret)
{
    struct expo e = {.out = &ret->text};
    size_t *end;

    ret->ends = calloc((range.end - range.begin) * source->n_entries + 1, sizeof(*ret->ends));
    if (!ret->ends)
        return -1;
    end = ret->ends;
    for (size_t f = range.begin; f < range.end; f++) {
        const struct namespace_family *family = catalogue_namespace_family(f);
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
static int add_text(const struct generation_source *source, struct family_range range,
                    const struct namespace_samples *samples, struct snapshot_parts *parts,
                    enum expo_format format, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const size_t n = source->n_entries;
    size_t begin = 0;
    struct piece *piece;
    int rc;

    for (size_t f = range.begin; f < range.end; f++) {
        const size_t *ends = &samples->ends[(f - range.begin) * n];
        size_t header_begin = text.len;

        if (n == 0 || ends[n - 1] == begin)
            continue;
        expo_header(&text, format, catalogue_family(f));
        regions_add(&parts->regions, format, f, REGION_HEADER, text.len - header_begin);
        strbuf_add(&text, samples->text.ptr + begin, ends[n - 1] - begin);
        for (size_t i = 0; i < n; begin = ends[i++])
            regions_add(&parts->regions, format, f, (uint32_t)i, ends[i] - begin);
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

static int add_namespaces(const struct generation_source *source, struct family_range range,
                          int64_t now_mono_ms, struct snapshot_parts *parts, struct err *err)
{
    CLEANUP(namespace_samples_release) struct namespace_samples samples = {0};

    if (render_namespaces(source, range, now_mono_ms, &samples) < 0)
        return err_nomem(err, "the exposition");
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if (add_text(source, range, &samples, parts, (enum expo_format)format, err) < 0)
            return -1;
    parts->n_series += samples.n_series;
    return 0;
}

/* --- the targets' status --- */

/* One line for all collectors: it is as well as the one that is worst off. */
static void sum_up(const struct entry *entry, int64_t now_mono_ms, struct target_status *ret)
{
    bool first = true;

    ret->tried = ret->success = true;
    for (int c = 0; c < COLLECTOR_END; c++) {
        const struct health *h = &entry->health[c];

        if (!entry_collects(entry, (enum collector)c))
            continue;
        ret->tried = ret->tried && h->tried;
        ret->success = ret->success && h->success;
        ret->withheld |= entry_withheld(entry, (enum collector)c, now_mono_ms);
        if (h->last_attempt_unix_ms > ret->last_attempt_unix_ms)
            ret->last_attempt_unix_ms = h->last_attempt_unix_ms;
        if (first || h->last_success_unix_ms < ret->last_success_unix_ms)
            ret->last_success_unix_ms = h->last_success_unix_ms;
        if (h->duration_ms > ret->duration_ms)
            ret->duration_ms = h->duration_ms;
        first = false;
    }
}

/* What the first collector that fails says, and which one it is unless that goes without saying. */
static int tell_failure(const struct entry *entry, struct arena *arena, struct target_status *ret)
{
    for (int c = 0; c < COLLECTOR_END; c++) {
        const struct health *h = &entry->health[c];
        CLEANUP(strbuf_release) struct strbuf message = STRBUF_INIT;

        if (!entry_collects(entry, (enum collector)c) || !h->tried || h->success)
            continue;
        if (c != COLLECTOR_DEPLOYMENTS)
            strbuf_addf(&message, "%s: ", collector_name((enum collector)c));
        strbuf_adds(&message, h->message);
        ret->reason = err_kind_name(h->reason);
        ret->failing_since_unix_ms = h->failing_since_unix_ms;
        ret->message = strbuf_ok(&message) ? arena_strdup(arena, strbuf_str(&message)) : NULL;
        return ret->message ? 0 : -1;
    }
    return 0;
}

static int fill_collector(const struct entry *entry, enum collector c, int64_t now_mono_ms,
                          int64_t now_unix_ms, struct arena *arena, struct collector_status *ret)
{
    const struct health *h = &entry->health[c];
    const struct told told = entry_told(entry, c);

    *ret = (struct collector_status){
        .name = collector_name(c),
        .running = h->plan.running,
        .tried = h->tried,
        .success = h->success,
        .withheld = entry_withheld(entry, c, now_mono_ms),
        .last_attempt_unix_ms = h->last_attempt_unix_ms,
        .last_success_unix_ms = h->last_success_unix_ms,
        .failing_since_unix_ms = h->tried && !h->success ? h->failing_since_unix_ms : 0,
        .last_failure_unix_ms = h->last_failure_unix_ms,
        .duration_ms = h->duration_ms,
        .failures = h->plan.failures,
        .pages = told.pages,
        .objects = told.objects,
        .expected = told.expected,
    };
    if (h->plan.due_mono_ms > 0 && h->plan.due_mono_ms < INT64_MAX)
        ret->next_unix_ms = now_unix_ms + (h->plan.due_mono_ms - now_mono_ms);
    if (h->last_failure_unix_ms == 0)
        return 0;
    ret->reason = err_kind_name(h->reason);
    ret->message = arena_strdup(arena, h->message);
    return ret->message ? 0 : -1;
}

static int fill_collectors(const struct entry *entry, int64_t now_mono_ms, struct arena *arena,
                           struct target_status *ret)
{
    struct collector_status *all = arena_calloc(arena, COLLECTOR_END, sizeof(*all));
    int64_t now_unix_ms = clock_unix_ms();

    if (!all)
        return -1;
    for (int c = 0; c < COLLECTOR_END; c++)
        if (entry_collects(entry, (enum collector)c) &&
            fill_collector(entry, (enum collector)c, now_mono_ms, now_unix_ms, arena,
                           &all[ret->n_collectors++]) < 0)
            return -1;
    ret->collectors = all;
    return 0;
}

static int fill_status(const struct entry *entry, int64_t now_mono_ms, struct arena *arena,
                       struct target_status *ret)
{
    *ret = (struct target_status){
        .target = arena_strdup(arena, entry->target->name),
        .workspace = arena_strdup(arena, entry->workspace),
        .namespace_name = arena_strdup(arena, entry->namespace_name),
        .endpoint = arena_strdup(arena, entry->target->endpoint),
        .interval_ms = entry->target->interval_ms,
        .deployments = -1,
        .jobs_running = -1,
        .jobs_failed = -1,
    };
    sum_up(entry, now_mono_ms, ret);
    if (entry_shows(entry, COLLECTOR_DEPLOYMENTS, now_mono_ms)) {
        const struct records *records = entry->slice->records;

        ret->deployments = (int64_t)records->n_items;
        ret->over_limit = records->over_limit;
        ret->jobs_running = records->jobs_known ? records->jobs[JOB_RUNNING] : -1;
        ret->jobs_failed = records->jobs_known ? records->jobs[JOB_FAILED] : -1;
    }
    return ret->target && ret->workspace && ret->namespace_name && ret->endpoint
               ? tell_failure(entry, arena, ret)
               : -1;
}

static void fill_jobs(const struct entry *entry, struct snapshot_jobs *ret)
{
    if (!entry->jobs)
        return;
    ret->set = job_set_ref(entry->jobs->set);
    if (entry->slice)
        ret->records = records_ref(entry->slice->records);
}

static int fill_statuses(const struct generation_source *source, int64_t now_mono_ms,
                         struct snapshot_parts *parts, struct err *err)
{
    parts->targets = arena_calloc(parts->arena, source->n_entries, sizeof(*parts->targets));
    parts->jobs = arena_calloc(parts->arena, source->n_entries, sizeof(*parts->jobs));
    if (!parts->targets || !parts->jobs)
        return err_nomem(err, "the status of the targets");
    parts->n_targets = source->n_entries;
    parts->all_tried = true;
    for (size_t i = 0; i < source->n_entries; i++) {
        const struct entry *entry = source->entries[i];
        struct target_status *target = &parts->targets[i];

        if (fill_status(entry, now_mono_ms, parts->arena, target) < 0 ||
            fill_collectors(entry, now_mono_ms, parts->arena, target) < 0)
            return err_nomem(err, "the status of the targets");
        fill_jobs(entry, &parts->jobs[i]);
        parts->all_tried = parts->all_tried && parts->targets[i].tried;
    }
    return 0;
}

/* In the order of the catalogue. */
static int add_families(const struct generation_source *source, int64_t now_mono_ms,
                        struct snapshot_parts *parts, struct err *err)
{
    const struct family_range sums = {FAMILY_SUMS, FAMILY_JOBS};
    const struct family_range rest = {FAMILY_TICKETS, FAMILIES};

    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        if (add_deployments(source, parts, f, now_mono_ms, err) < 0)
            return -1;
    if (add_namespaces(source, sums, now_mono_ms, parts, err) < 0)
        return -1;
    for (size_t f = 0; f < JOB_FAMILIES; f++)
        if (add_jobs(source, parts, f, now_mono_ms, err) < 0)
            return -1;
    for (size_t f = 0; f < DRAFT_FAMILIES; f++)
        if (add_drafts(source, parts, f, now_mono_ms, err) < 0)
            return -1;
    return add_namespaces(source, rest, now_mono_ms, parts, err);
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
    if (add_families(source, now_mono_ms, &parts, err) < 0 ||
        fill_statuses(source, now_mono_ms, &parts, err) < 0)
        return -1;
    parts.render_us = source->render_us + clock_mono_us() - began_us;
    return snapshot_new(&parts, ret, err);
}
