/*
 * The entries, what happens to them, and how they become a generation.
 *
 * A generation is put together from what the entries have rendered already (their slices' pieces)
 * plus one piece of namespace families that is written anew each time: those are a few dozen lines
 * a namespace. Families stay together, so the families of deployments loop outermost and the
 * namespaces inside.
 */
#include "inventory/inventory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "base/clock.h"
#include "entry.h"
#include "families.h"
#include "slice.h"

enum dropped {
    DROPPED_OBJECT_LIMIT,
    DROPPED_SERIES_LIMIT,
    DROPPED_DUPLICATE,
    DROPPED_INVALID,
    DROPPED_END
};
enum sanitized { SANITIZED_TOO_LONG, SANITIZED_INVALID_UTF8, SANITIZED_END };

struct inventory {
    struct entry **entries;
    size_t n_entries;
    struct arena *settings_arena;
    struct glob_list deny;
    bool without_deployments;
    int64_t render_us; /* spent on slices since the last generation */
    /* The header of each family of deployments, in each format: made once, shared for ever. */
    struct piece *headers[EXPO_FORMAT_END][DEPLOYMENT_FAMILIES];
    /* Read by HTTP threads. */
    atomic_uint_fast64_t dropped[DROPPED_END];
    atomic_uint_fast64_t sanitized[SANITIZED_END];
};

/* --- live counters ------------------------------------------------------------------------------
 */

static void collect_dropped(void *ctx, const struct family *family, struct expo *e)
{
    static const struct expo_labels labels[DROPPED_END] = {
        [DROPPED_OBJECT_LIMIT] = EXPO_LABELS_INIT("reason=\"object_limit\""),
        [DROPPED_SERIES_LIMIT] = EXPO_LABELS_INIT("reason=\"series_limit\""),
        [DROPPED_DUPLICATE] = EXPO_LABELS_INIT("reason=\"duplicate\""),
        [DROPPED_INVALID] = EXPO_LABELS_INIT("reason=\"invalid\""),
    };
    struct inventory *inv = ctx;

    for (int i = 0; i < DROPPED_END; i++)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, labels[i],
                        (int64_t)atomic_load_explicit(&inv->dropped[i], memory_order_relaxed));
}

static void collect_sanitized(void *ctx, const struct family *family, struct expo *e)
{
    static const struct expo_labels labels[SANITIZED_END] = {
        [SANITIZED_TOO_LONG] = EXPO_LABELS_INIT("reason=\"too_long\""),
        [SANITIZED_INVALID_UTF8] = EXPO_LABELS_INIT("reason=\"invalid_utf8\""),
    };
    struct inventory *inv = ctx;

    for (int i = 0; i < SANITIZED_END; i++)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, labels[i],
                        (int64_t)atomic_load_explicit(&inv->sanitized[i], memory_order_relaxed));
}

static int register_live(struct inventory *inv, struct registry *registry, struct err *err)
{
    static const struct family dropped = {"aliyun_flink_exporter_objects_dropped_total",
                                          "Objects left out, by reason.", METRIC_COUNTER};
    static const struct family sanitized = {"aliyun_flink_exporter_label_values_sanitized_total",
                                            "Label values changed before exposition, by reason.",
                                            METRIC_COUNTER};

    if (registry_add(registry, REGISTRY_EXPORTER, &dropped, collect_dropped, inv, err) < 0 ||
        registry_add(registry, REGISTRY_EXPORTER, &sanitized, collect_sanitized, inv, err) < 0)
        return -1;
    return 0;
}

static void count_live(struct inventory *inv, const struct listing *listing)
{
    const struct {
        atomic_uint_fast64_t *counter;
        uint64_t n;
    } counts[] = {
        {&inv->dropped[DROPPED_OBJECT_LIMIT], listing->over_limit},
        {&inv->dropped[DROPPED_DUPLICATE], listing->duplicates},
        {&inv->dropped[DROPPED_INVALID], listing->invalid},
        {&inv->sanitized[SANITIZED_TOO_LONG], listing->too_long},
        {&inv->sanitized[SANITIZED_INVALID_UTF8], listing->invalid_utf8},
    };

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        atomic_fetch_add_explicit(counts[i].counter, counts[i].n, memory_order_relaxed);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    slice_free(entry->slice);
    strbuf_release(&entry->labels);
    free(entry->workspace);
    free(entry->namespace_name);
    free(entry);
}

static struct entry *entry_new(const struct inventory_watch *watch)
{
    struct entry *entry = calloc(1, sizeof(*entry));

    if (!entry)
        return NULL;
    entry->workspace = strdup(watch->target->workspace);
    entry->namespace_name = strdup(watch->namespace_name);
    if (entry->workspace && entry->namespace_name) {
        expo_label(&entry->labels, "workspace", entry->workspace);
        strbuf_addc(&entry->labels, ',');
        expo_label(&entry->labels, "flink_namespace", entry->namespace_name);
    }
    if (!entry->labels.ptr || !strbuf_ok(&entry->labels)) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

static int make_headers(struct inventory *inv, struct err *err)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

            expo_header(&text, (enum expo_format)format, &deployment_families[f].family);
            inv->headers[format][f] = piece_new_take(&text, 0);
            if (!inv->headers[format][f])
                return err_nomem(err, "the inventory");
        }
    return 0;
}

int inventory_new(struct registry *registry, struct inventory **ret, struct err *err)
{
    struct inventory *inv = calloc(1, sizeof(*inv));

    if (!inv)
        return err_nomem(err, "the inventory");
    if (make_headers(inv, err) < 0 || register_live(inv, registry, err) < 0) {
        inventory_free(inv);
        return -1;
    }
    *ret = inv;
    return 0;
}

void inventory_free(struct inventory *inventory)
{
    if (!inventory)
        return;
    for (size_t i = 0; i < inventory->n_entries; i++)
        entry_free(inventory->entries[i]);
    free(inventory->entries);
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
            piece_unref(inventory->headers[format][f]);
    arena_free(inventory->settings_arena);
    free(inventory);
}

/* --- configuration --- */

static struct entry *find_entry(const struct inventory *inv, const struct inventory_watch *watch)
{
    for (size_t i = 0; i < inv->n_entries; i++)
        if (strcmp(inv->entries[i]->workspace, watch->target->workspace) == 0 &&
            strcmp(inv->entries[i]->namespace_name, watch->namespace_name) == 0)
            return inv->entries[i];
    return NULL;
}

static struct slice_options options_of(const struct entry *entry, const struct glob_list *deny,
                                       bool without_deployments)
{
    return (struct slice_options){
        .workspace = entry->workspace,
        .namespace_name = entry->namespace_name,
        .deny = deny,
        .without_deployments = without_deployments,
    };
}

/* Frees a list and the entries in it that are not in force. */
static void free_new_entries(struct entry **entries, size_t n, const struct inventory *inv)
{
    for (size_t i = 0; i < n; i++) {
        bool kept = false;

        for (size_t j = 0; j < inv->n_entries && !kept; j++)
            kept = inv->entries[j] == entries[i];
        if (!kept)
            entry_free(entries[i]);
    }
    free(entries);
}

/* What a new configuration will be in force with, made beside the old one. */
struct change {
    struct arena *arena; /* holds the deny list */
    struct glob_list deny;
    bool without_deployments;
    struct entry **entries; /* kept ones where there are any, new ones where not */
    struct slice **slices;  /* by entry; NULL = what it has stays */
    size_t n;
};

/*
 * A new slice shares the listing of the one it is to replace: whichever of the two goes must give
 * it back first.
 */
static void drop_without_listing(struct slice *slice)
{
    if (slice)
        (void)slice_take_listing(slice);
}

static void give_up(const struct inventory *inv, struct change *change)
{
    for (size_t i = 0; change->slices && i < change->n; i++)
        drop_without_listing(change->slices[i]);
    free(change->slices);
    if (change->entries)
        free_new_entries(change->entries, change->n, inv);
    arena_free(change->arena);
}

static int make_entries(const struct inventory *inv, const struct inventory_watch *watches,
                        struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        change->entries[i] = find_entry(inv, &watches[i]);
        if (!change->entries[i])
            change->entries[i] = entry_new(&watches[i]);
        if (!change->entries[i])
            return -1;
    }
    return 0;
}

/* Renders the data of kept entries under the new settings. */
static int make_slices(struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        const struct entry *entry = change->entries[i];
        const struct slice_options options =
            options_of(entry, &change->deny, change->without_deployments);

        if (entry->slice &&
            slice_new(entry->slice->listing, &options, entry->slice, &change->slices[i], NULL) < 0)
            return -1;
    }
    return 0;
}

static int make_change(const struct inventory *inv, const struct inventory_settings *settings,
                       const struct inventory_watch *watches, struct change *change)
{
    bool differs = !glob_list_equal(&inv->deny, settings->deny) ||
                   inv->without_deployments != settings->aggregate_by_namespace;

    change->without_deployments = settings->aggregate_by_namespace;
    change->arena = arena_new();
    change->entries = calloc(change->n ? change->n : 1, sizeof(struct entry *));
    change->slices = calloc(change->n ? change->n : 1, sizeof(struct slice *));
    if (!change->arena || !change->entries || !change->slices ||
        glob_list_copy(change->arena, settings->deny, &change->deny) < 0 ||
        make_entries(inv, watches, change) < 0)
        return -1;
    return differs ? make_slices(change) : 0;
}

/* Cannot fail. Frees the old entries that are not in the new list. */
static void put_in_force(struct inventory *inv, const struct inventory_watch *watches,
                         struct change *change)
{
    struct entry **old = inv->entries;
    size_t n_old = inv->n_entries;

    for (size_t i = 0; i < change->n; i++) {
        struct entry *entry = change->entries[i];

        entry->target = watches[i].target;
        if (change->slices[i]) {
            drop_without_listing(entry->slice);
            entry->slice = change->slices[i];
        }
    }
    free(change->slices);
    inv->entries = change->entries;
    inv->n_entries = change->n;
    free_new_entries(old, n_old, inv);
    arena_free(inv->settings_arena);
    inv->settings_arena = change->arena;
    inv->deny = change->deny;
    inv->without_deployments = change->without_deployments;
}

int inventory_configure(struct inventory *inventory, const struct inventory_settings *settings,
                        const struct inventory_watch *watches, size_t n, struct err *err)
{
    struct change change = {.n = n};

    if (make_change(inventory, settings, watches, &change) < 0) {
        give_up(inventory, &change);
        return err_nomem(err, "the inventory");
    }
    put_in_force(inventory, watches, &change);
    return 0;
}

/* --- what happens --- */

static struct health *health_of(struct inventory *inv, size_t entry, enum collector collector)
{
    assert(entry < inv->n_entries);
    return &inv->entries[entry]->health[collector];
}

void inventory_refresh_begun(struct inventory *inventory, size_t entry, enum collector collector,
                             int64_t now_unix_ms)
{
    struct health *health = health_of(inventory, entry, collector);

    health->begun = true;
    health->last_attempt_unix_ms = now_unix_ms;
    health->refreshes++;
}

void inventory_refresh_missed(struct inventory *inventory, size_t entry, enum collector collector)
{
    health_of(inventory, entry, collector)->missed++;
}

static void note_failure(struct health *health, const struct err *err, int64_t now_unix_ms)
{
    if (health->success || health->failing_since_unix_ms == 0)
        health->failing_since_unix_ms = now_unix_ms;
    health->success = false;
    health->reason = err_reason(err->kind);
    health->failures[health->reason]++;
    memcpy(health->message, err->msg, sizeof(health->message));
}

/* Renders the new listing beside the old slice, then takes its place. */
static int take_listing(struct inventory *inv, struct entry *entry, struct listing *listing,
                        struct err *err)
{
    struct slice_options options = options_of(entry, &inv->deny, inv->without_deployments);
    int64_t began_us = clock_mono_us();
    struct slice *slice;

    count_live(inv, listing);
    if (slice_new(listing, &options, entry->slice, &slice, err) < 0) {
        listing_free(listing);
        return -1;
    }
    slice_free(entry->slice);
    entry->slice = slice;
    inv->render_us += clock_mono_us() - began_us;
    return 0;
}

int inventory_refresh_done(struct inventory *inventory, size_t entry, enum collector collector,
                           struct refresh_outcome *outcome, struct err *err)
{
    struct entry *e = inventory->entries[entry];
    struct health *health = health_of(inventory, entry, collector);
    int rc = -1;

    health->tried = true;
    health->duration_ms = outcome->duration_ms;
    if (outcome->stats)
        api_stats_add(&e->stats, outcome->stats);
    if (outcome->listing)
        rc = take_listing(inventory, e, TAKE(outcome->listing), err);
    else
        err_set(err, outcome->kind, "%s", outcome->message ? outcome->message : "");
    if (rc < 0) {
        note_failure(health, err, outcome->ended_unix_ms);
        return -1;
    }
    health->success = true;
    health->reason = ERR_NONE;
    health->message[0] = '\0';
    health->last_success_unix_ms = outcome->ended_unix_ms;
    health->last_success_mono_ms = outcome->ended_mono_ms;
    return 0;
}

void inventory_add_stats(struct inventory *inventory, size_t entry, const struct api_stats *stats)
{
    assert(entry < inventory->n_entries);
    api_stats_add(&inventory->entries[entry]->stats, stats);
}

bool inventory_has_data(const struct inventory *inventory, size_t entry)
{
    assert(entry < inventory->n_entries);
    return inventory->entries[entry]->slice != NULL;
}

bool inventory_withheld(const struct inventory *inventory, size_t entry, int64_t now_mono_ms)
{
    assert(entry < inventory->n_entries);
    return entry_withheld(inventory->entries[entry], now_mono_ms);
}

int64_t inventory_next_withhold_mono_ms(const struct inventory *inventory, int64_t now_mono_ms)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < inventory->n_entries; i++) {
        int64_t at = entry_withhold_mono_ms(inventory->entries[i]);

        if (at > now_mono_ms && at < next)
            next = at;
    }
    return next;
}

bool inventory_succeeded(const struct inventory *inventory, size_t entry)
{
    const struct entry *e = inventory->entries[entry];

    for (int c = 0; c < COLLECTOR_END; c++)
        if (e->target->collectors & (1u << c) && !e->health[c].success)
            return false;
    return true;
}

/* --- a generation --- */

static int add_to_both(struct snapshot_parts *parts, struct piece *piece, struct err *err)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if (piece_list_add(&parts->lists[format], piece, err) < 0)
            return -1;
    parts->n_series += piece_series(piece);
    return 0;
}

static int add_header(const struct inventory *inv, struct snapshot_parts *parts, size_t family,
                      struct err *err)
{
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if (piece_list_add(&parts->lists[format], inv->headers[format][family], err) < 0)
            return -1;
    return 0;
}

/* One family of deployments over all namespaces; its header only if there is a sample. */
static int add_family(const struct inventory *inv, struct snapshot_parts *parts, size_t family,
                      int64_t now_mono_ms, struct err *err)
{
    bool has_header = false;

    for (size_t i = 0; i < inv->n_entries; i++) {
        const struct slice *slice = inv->entries[i]->slice;

        if (!slice || entry_withheld(inv->entries[i], now_mono_ms))
            continue;
        for (size_t b = 0; b < slice->n_blocks; b++) {
            struct piece *piece = slice->blocks[b].pieces[family];

            if (!piece)
                continue;
            if (!has_header && add_header(inv, parts, family, err) < 0)
                return -1;
            has_header = true;
            if (add_to_both(parts, piece, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* The families of namespaces as one piece; its headers differ by format, so it is made per format.
 */
static int add_namespaces(const struct inventory *inv, struct snapshot_parts *parts,
                          enum expo_format format, int64_t now_mono_ms, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf samples = STRBUF_INIT;
    struct expo e = {.out = &samples};
    struct piece *piece;
    int rc;

    for (size_t f = 0; f < NAMESPACE_FAMILIES; f++) {
        const struct family *family = &namespace_families[f].family;

        if (glob_list_match(&inv->deny, family->name))
            continue;
        strbuf_reset(&samples);
        for (size_t i = 0; i < inv->n_entries; i++)
            namespace_families[f].emit(&e, family->name, inv->entries[i], now_mono_ms);
        if (!strbuf_ok(&samples))
            return err_nomem(err, "the exposition");
        if (samples.len == 0)
            continue;
        expo_header(&text, format, family);
        strbuf_add(&text, samples.ptr, samples.len);
    }
    if (strbuf_ok(&text) && text.len == 0)
        return 0;
    piece = piece_new_take(&text, e.n_series);
    if (!piece)
        return err_nomem(err, "the exposition");
    rc = piece_list_add(&parts->lists[format], piece, err);
    if (format == EXPO_TEXT) /* the same series in both */
        parts->n_series += e.n_series;
    piece_unref(piece);
    return rc;
}

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
        ret->deployments = (int64_t)entry->slice->listing->n_items;
        ret->over_limit = entry->slice->listing->over_limit;
        ret->jobs_running = entry->slice->jobs_known ? entry->slice->jobs[JOB_RUNNING] : -1;
        ret->jobs_failed = entry->slice->jobs_known ? entry->slice->jobs[JOB_FAILED] : -1;
    }
    return ret->target && ret->workspace && ret->namespace_name && ret->endpoint &&
                   (!failing || ret->message)
               ? 0
               : -1;
}

static int fill_statuses(const struct inventory *inv, int64_t now_mono_ms,
                         struct snapshot_parts *parts, struct err *err)
{
    parts->arena = arena_new();
    if (!parts->arena)
        return err_nomem(err, "the status of the targets");
    parts->targets = arena_calloc(parts->arena, inv->n_entries, sizeof(*parts->targets));
    if (!parts->targets)
        return err_nomem(err, "the status of the targets");
    parts->n_targets = inv->n_entries;
    parts->all_tried = true;
    for (size_t i = 0; i < inv->n_entries; i++) {
        if (fill_status(inv->entries[i], now_mono_ms, parts->arena, &parts->targets[i]) < 0)
            return err_nomem(err, "the status of the targets");
        parts->all_tried = parts->all_tried && parts->targets[i].tried;
    }
    return 0;
}

int inventory_snapshot(struct inventory *inventory, int64_t now_mono_ms, struct snapshot **ret,
                       struct err *err)
{
    CLEANUP(snapshot_parts_release) struct snapshot_parts parts = {.deny = &inventory->deny};
    int64_t began_us = clock_mono_us();

    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        if (add_family(inventory, &parts, f, now_mono_ms, err) < 0)
            return -1;
    for (int format = 0; format < EXPO_FORMAT_END; format++)
        if (add_namespaces(inventory, &parts, (enum expo_format)format, now_mono_ms, err) < 0)
            return -1;
    if (fill_statuses(inventory, now_mono_ms, &parts, err) < 0)
        return -1;
    parts.render_us = inventory->render_us + clock_mono_us() - began_us;
    if (snapshot_new(&parts, ret, err) < 0)
        return -1;
    inventory->render_us = 0;
    return 0;
}
