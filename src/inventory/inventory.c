/* The entries and what happens to them. How they become a generation stands in generation.c. */
#include "inventory/inventory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "entry.h"
#include "entry_jobs.h"
#include "generation.h"
#include "left_out.h"
#include "shown.h"
#include "slice.h"
#include "state_keeper.h"

struct inventory {
    struct entry **entries;
    size_t n_entries;
    struct arena *settings_arena;
    struct glob_list deny;
    struct inventory_settings settings; /* deny is the one above */
    struct state_keeper keeper;
    int64_t render_us; /* spent on slices since the last generation */
    struct headers headers;
    struct left_out left_out;
};

/* --- life ---------------------------------------------------------------------------------------
 */

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    slice_free(entry->slice);
    draft_slice_free(entry->drafts);
    ticket_set_unref(entry->tickets);
    job_slice_free(entry->jobs);
    events_free(entry->events);
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
    entry->events = events_new();
    if (!entry->labels.ptr || !strbuf_ok(&entry->labels) || !entry->events) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

int inventory_new(struct registry *registry, struct inventory **ret, struct err *err)
{
    struct inventory *inv = calloc(1, sizeof(*inv));

    if (!inv)
        return err_nomem(err, "the inventory");
    if (headers_init(&inv->headers, err) < 0 ||
        left_out_register(&inv->left_out, registry, err) < 0 ||
        state_keeper_register(&inv->keeper, registry, err) < 0) {
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
    headers_release(&inventory->headers);
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

static struct slice_options options_of(const struct entry *entry,
                                       const struct inventory_settings *settings)
{
    return (struct slice_options){
        .workspace = entry->workspace,
        .namespace_name = entry->namespace_name,
        .deny = settings->deny,
        .without_deployments = settings->aggregate_by_namespace,
        .draft_lock_holder = settings->draft_lock_holder,
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
    struct arena *arena; /* holds the deny list and the state file's name */
    struct glob_list deny;
    struct inventory_settings settings;
    bool anew;                   /* event counters are shown that were not */
    struct entry **entries;      /* kept ones where there are any, new ones where not */
    struct slice **slices;       /* by entry; NULL = what it has stays */
    struct draft_slice **drafts; /* likewise */
    struct job_slice **jobs;     /* likewise */
    size_t n;
};

static void give_up(const struct inventory *inv, struct change *change)
{
    for (size_t i = 0; change->slices && i < change->n; i++)
        slice_free(change->slices[i]);
    for (size_t i = 0; change->drafts && i < change->n; i++)
        draft_slice_free(change->drafts[i]);
    for (size_t i = 0; change->jobs && i < change->n; i++)
        job_slice_free(change->jobs[i]);
    free(change->slices);
    free(change->drafts);
    free(change->jobs);
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

static bool collects(const struct inventory_watch *watch, enum collector collector)
{
    return watch->target->collectors & (1u << collector);
}

/* Renders the data of kept entries under the new settings. */
static int make_slices(const struct inventory_watch *watches, struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        const struct entry *entry = change->entries[i];
        const struct slice_options options = options_of(entry, &change->settings);

        if (entry->slice && collects(&watches[i], COLLECTOR_DEPLOYMENTS) &&
            slice_new(entry->slice->records, &options, entry->slice, &change->slices[i], NULL) < 0)
            return -1;
    }
    return 0;
}

/* The same for drafts; and where deployments will not be known any more. */
static int make_draft_slices(const struct inventory_watch *watches, bool differs,
                             struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        const struct entry *entry = change->entries[i];
        const struct slice_options options = options_of(entry, &change->settings);
        bool forgets = entry->slice && !collects(&watches[i], COLLECTOR_DEPLOYMENTS);
        const struct records *records = entry->slice && !forgets ? entry->slice->records : NULL;

        if (entry->drafts && (differs || forgets) && collects(&watches[i], COLLECTOR_DRAFTS) &&
            draft_slice_new(entry->drafts->drafts, records, &options, entry->drafts,
                            &change->drafts[i], NULL) < 0)
            return -1;
    }
    return 0;
}

static int make_job_slices(const struct inventory_watch *watches, int64_t now_mono_ms,
                           struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        const struct entry *entry = change->entries[i];
        const struct slice_options options = options_of(entry, &change->settings);

        if (entry->slice && collects(&watches[i], COLLECTOR_JOBS) &&
            entry_jobs_render(entry, entry->slice->records, &options, now_mono_ms, &change->jobs[i],
                              NULL) < 0)
            return -1;
    }
    return 0;
}

static int make_change(const struct inventory *inv, const struct inventory_settings *settings,
                       const struct inventory_watch *watches, struct change *change)
{
    const struct inventory_settings *old = &inv->settings;
    bool differs = !glob_list_equal(&inv->deny, settings->deny) ||
                   old->aggregate_by_namespace != settings->aggregate_by_namespace;
    bool drafts_differ = differs || old->draft_lock_holder != settings->draft_lock_holder;
    size_t n = change->n ? change->n : 1;

    change->settings = *settings;
    change->anew = differs && shown_events(settings->deny, settings->aggregate_by_namespace) &
                                  ~shown_events(&inv->deny, old->aggregate_by_namespace);
    change->arena = arena_new();
    change->entries = calloc(n, sizeof(struct entry *));
    change->slices = calloc(n, sizeof(struct slice *));
    change->drafts = calloc(n, sizeof(struct draft_slice *));
    change->jobs = calloc(n, sizeof(struct job_slice *));
    if (change->arena)
        change->settings.state_file =
            arena_strdup(change->arena, settings->state_file ? settings->state_file : "");
    if (!change->arena || !change->settings.state_file || !change->entries || !change->slices ||
        !change->drafts || !change->jobs ||
        glob_list_copy(change->arena, settings->deny, &change->deny) < 0 ||
        make_entries(inv, watches, change) < 0)
        return -1;
    if (differs &&
        (make_slices(watches, change) < 0 || make_job_slices(watches, clock_mono_ms(), change) < 0))
        return -1;
    return make_draft_slices(watches, drafts_differ, change);
}

/*
 * What a collector brought goes with it, and what its last refresh was like. Counters stay, and so
 * do tickets: those that ended must not be counted again when the collector is back.
 */
static void forget_uncollected(struct entry *entry)
{
    for (int c = 0; c < COLLECTOR_END; c++) {
        struct health *h = &entry->health[c];

        if (entry_collects(entry, (enum collector)c))
            continue;
        h->begun = h->tried = h->success = false;
        h->failing_since_unix_ms = h->last_attempt_unix_ms = h->last_success_unix_ms = 0;
        h->duration_ms = h->last_failure_unix_ms = 0;
    }
    if (!entry_collects(entry, COLLECTOR_DEPLOYMENTS)) {
        slice_free(TAKE(entry->slice));
        events_show_anew(entry->events); /* when it is back */
    }
    if (!entry_collects(entry, COLLECTOR_DRAFTS))
        draft_slice_free(TAKE(entry->drafts));
    if (!entry_collects(entry, COLLECTOR_JOBS)) /* last failures follow with the next listing */
        job_slice_free(TAKE(entry->jobs));
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
            slice_free(entry->slice);
            entry->slice = change->slices[i];
        }
        if (change->drafts[i]) {
            draft_slice_free(entry->drafts);
            entry->drafts = change->drafts[i];
        }
        if (change->jobs[i]) {
            job_slice_free(entry->jobs);
            entry->jobs = change->jobs[i];
        }
        forget_uncollected(entry);
        if (change->anew)
            events_show_anew(entry->events);
    }
    free(change->slices);
    free(change->drafts);
    free(change->jobs);
    inv->entries = change->entries;
    inv->n_entries = change->n;
    free_new_entries(old, n_old, inv);
    state_keeper_set_path(&inv->keeper, change->settings.state_file);
    arena_free(inv->settings_arena); /* with the old path */
    inv->settings_arena = change->arena;
    inv->deny = change->deny;
    inv->settings = change->settings;
    inv->settings.deny = &inv->deny;
    inv->keeper.changed = true; /* who went is to be forgotten there, too */
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

void inventory_refresh_planned(struct inventory *inventory, size_t entry, enum collector collector,
                               const struct refresh_plan *plan)
{
    health_of(inventory, entry, collector)->plan = *plan;
}

static void note_failure(struct health *health, const struct err *err, int64_t now_unix_ms)
{
    if (health->success || health->failing_since_unix_ms == 0)
        health->failing_since_unix_ms = now_unix_ms;
    health->success = false;
    health->last_failure_unix_ms = now_unix_ms;
    health->reason = err_reason(err->kind);
    health->failures[health->reason]++;
    memcpy(health->message, err->msg, sizeof(health->message));
}

/* Beside the new deployments some drafts differ that did not, or the other way round. */
static int remake_drafts(const struct entry *entry, const struct records *deployments,
                         const struct slice_options *options, struct draft_slice **ret,
                         struct err *err)
{
    if (!entry->drafts)
        return 0;
    return draft_slice_new(entry->drafts->drafts, deployments, options, entry->drafts, ret, err);
}

/* What is known of the events after the listing, whose deployments get what is to be shown. */
static int observe(const struct inventory *inv, const struct entry *entry, struct listing *listing,
                   const struct refresh_outcome *outcome, struct events **ret, struct err *err)
{
    int64_t two_intervals_ms = 2 * entry->target->interval_ms;
    const struct events_time time = {
        .began_unix_ms = outcome->began_unix_ms,
        .began_mono_ms = outcome->ended_mono_ms - outcome->duration_ms,
        .ended_unix_ms = outcome->ended_unix_ms,
        .ended_mono_ms = outcome->ended_mono_ms,
        .hold_ms =
            inv->settings.hold_ms > two_intervals_ms ? inv->settings.hold_ms : two_intervals_ms,
    };

    return events_observe(entry->events, listing, &time, ret, err);
}

/*
 * Packs the listing and renders the records beside the old slice, then takes its place. The listing
 * goes before the rendering starts: its memory is what the new text is written to.
 */
static int take_deployments(struct inventory *inv, struct entry *entry, struct listing *listing,
                            const struct refresh_outcome *outcome, struct err *err)
{
    CLEANUP(events_freep) struct events *events = NULL;
    const struct slice_options options = options_of(entry, &inv->settings);
    CLEANUP(records_unrefp) struct records *records = NULL;
    struct draft_slice *drafts = NULL;
    struct job_slice *jobs = NULL;
    struct slice *slice;
    int rc;

    rc = observe(inv, entry, listing, outcome, &events, err);
    entry_jobs_refine(entry->jobs ? entry->jobs->set : NULL, listing);
    if (rc == 0)
        rc = records_new(listing, entry->slice ? entry->slice->records : NULL, &records, err);
    listing_free(listing);
    if (rc < 0 || slice_new(records, &options, entry->slice, &slice, err) < 0)
        return -1;
    if (remake_drafts(entry, records, &options, &drafts, err) < 0 ||
        entry_jobs_render(entry, records, &options, outcome->ended_mono_ms, &jobs, err) < 0) {
        slice_free(slice);
        draft_slice_free(drafts);
        return -1;
    }
    slice_free(entry->slice);
    entry->slice = slice;
    state_keeper_note(&inv->keeper, entry->events, events);
    events_free(entry->events);
    entry->events = TAKE(events);
    if (drafts) {
        draft_slice_free(entry->drafts);
        entry->drafts = drafts;
    }
    if (jobs) {
        job_slice_free(entry->jobs);
        entry->jobs = jobs;
    }
    return 0;
}

static int take_drafts(struct inventory *inv, struct entry *entry, struct listing *listing,
                       struct err *err)
{
    const struct slice_options options = options_of(entry, &inv->settings);
    CLEANUP(drafts_unrefp) struct drafts *drafts = NULL;
    struct draft_slice *slice;

    if (drafts_new(listing, &drafts, err) < 0 ||
        draft_slice_new(drafts, entry->slice ? entry->slice->records : NULL, &options,
                        entry->drafts, &slice, err) < 0)
        return -1;
    draft_slice_free(entry->drafts);
    entry->drafts = slice;
    return 0;
}

static int take_listing(struct inventory *inv, struct entry *entry, enum collector collector,
                        struct listing *listing, const struct refresh_outcome *outcome,
                        struct err *err)
{
    int64_t began_us = clock_mono_us();
    int rc;

    left_out_count(&inv->left_out, listing);
    if (collector == COLLECTOR_DRAFTS)
        rc = take_drafts(inv, entry, listing, err);
    else
        rc = take_deployments(inv, entry, listing, outcome, err);
    inv->render_us += clock_mono_us() - began_us;
    return rc;
}

/* Those that ended between the set before and this one, whatever became of the refresh. */
static void count_ended(struct entry *entry, const struct ticket_set *set)
{
    for (size_t i = 0; i < set->n_items; i++) {
        const struct ticket *t = &set->items[i], *before;

        if (!t->ended)
            continue;
        before = ticket_set_find(entry->tickets, t->id);
        if (before && before->ended)
            continue;
        entry->ended.completed++;
        if (t->failure != TICKET_FAILURE_END)
            entry->ended.failures[t->failure]++;
    }
}

static void take_tickets(struct inventory *inv, struct entry *entry, struct ticket_set *set,
                         const struct refresh_outcome *outcome)
{
    const struct listing numbers = {.over_limit = set->over_limit, .invalid = set->refused};

    left_out_count(&inv->left_out, &numbers);
    count_ended(entry, set);
    if (outcome->kind == ERR_NONE)
        entry->tickets_asked = set->asked;
    if (!entry->tickets) /* a refresh that failed learned something all the same */
        entry->health[COLLECTOR_TICKETS].state_mono_ms = outcome->ended_mono_ms;
    ticket_set_unref(entry->tickets);
    entry->tickets = set;
}

/* A refresh that failed learned something all the same; NULL = there was nothing to ask. */
static int take_jobs(struct inventory *inv, struct entry *entry, struct job_set *set,
                     const struct refresh_outcome *outcome, struct err *err)
{
    const struct slice_options options = options_of(entry, &inv->settings);
    bool first = !entry->jobs;
    int64_t began_us = clock_mono_us();
    int rc = set ? entry_jobs_take(entry, set, &options, outcome->ended_mono_ms, err) : 0;

    inv->render_us += clock_mono_us() - began_us;
    if (rc == 0 && set && first)
        entry->health[COLLECTOR_JOBS].state_mono_ms = outcome->ended_mono_ms;
    if (rc == 0 && outcome->kind == ERR_NONE) {
        entry->jobs_answered = set ? set->answered : 0;
        entry->jobs_wanted = set ? set->wanted : 0;
    }
    job_set_unref(set);
    return rc;
}

int inventory_refresh_done(struct inventory *inventory, size_t entry, enum collector collector,
                           struct refresh_outcome *outcome, struct err *err)
{
    struct entry *e = inventory->entries[entry];
    struct health *health = health_of(inventory, entry, collector);
    bool any = outcome->listing || outcome->tickets || collector == COLLECTOR_JOBS;
    int rc = 0;

    health->tried = true;
    health->duration_ms = outcome->duration_ms;
    if (outcome->stats)
        api_stats_add(&e->stats, outcome->stats);
    if (outcome->tickets)
        take_tickets(inventory, e, TAKE(outcome->tickets), outcome);
    if (collector == COLLECTOR_JOBS)
        rc = take_jobs(inventory, e, TAKE(outcome->jobs), outcome, err);
    if (outcome->kind != ERR_NONE)
        listing_free(TAKE(outcome->listing));
    if (!any || outcome->kind != ERR_NONE)
        rc = err_set(err, outcome->kind, "%s", outcome->message ? outcome->message : "");
    else if (outcome->listing)
        rc = take_listing(inventory, e, collector, TAKE(outcome->listing), outcome, err);
    if (rc < 0) {
        note_failure(health, err, outcome->ended_unix_ms);
        return -1;
    }
    health->success = true;
    health->last_success_unix_ms = outcome->ended_unix_ms;
    health->state_mono_ms = outcome->ended_mono_ms;
    return 0;
}

void inventory_add_stats(struct inventory *inventory, size_t entry, const struct api_stats *stats)
{
    assert(entry < inventory->n_entries);
    api_stats_add(&inventory->entries[entry]->stats, stats);
}

bool inventory_has_data(const struct inventory *inventory, size_t entry, enum collector collector)
{
    assert(entry < inventory->n_entries);
    return entry_has_state(inventory->entries[entry], collector);
}

bool inventory_status_open(const struct inventory *inventory, size_t entry)
{
    assert(entry < inventory->n_entries);
    return inventory->entries[entry]->events->open;
}

bool inventory_withheld(const struct inventory *inventory, size_t entry, enum collector collector,
                        int64_t now_mono_ms)
{
    assert(entry < inventory->n_entries);
    return entry_withheld(inventory->entries[entry], collector, now_mono_ms);
}

struct records *inventory_records(const struct inventory *inventory, size_t entry)
{
    assert(entry < inventory->n_entries);
    return inventory->entries[entry]->slice ? inventory->entries[entry]->slice->records : NULL;
}

struct job_set *inventory_jobs(const struct inventory *inventory, size_t entry)
{
    assert(entry < inventory->n_entries);
    return inventory->entries[entry]->jobs ? inventory->entries[entry]->jobs->set : NULL;
}

struct ticket_set *inventory_tickets(const struct inventory *inventory, size_t entry)
{
    assert(entry < inventory->n_entries);
    return inventory->entries[entry]->tickets;
}

int64_t inventory_next_withhold_mono_ms(const struct inventory *inventory, int64_t now_mono_ms)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < inventory->n_entries; i++)
        for (int c = 0; c < COLLECTOR_END; c++) {
            int64_t at = entry_withhold_mono_ms(inventory->entries[i], (enum collector)c);

            if (at > now_mono_ms && at < next)
                next = at;
        }
    return next;
}

bool inventory_succeeded(const struct inventory *inventory, size_t entry)
{
    const struct entry *e = inventory->entries[entry];

    for (int c = 0; c < COLLECTOR_END; c++)
        if (entry_collects(e, (enum collector)c) && !e->health[c].success)
            return false;
    return true;
}

/* --- a generation --- */

int inventory_snapshot(struct inventory *inventory, int64_t now_mono_ms, struct snapshot **ret,
                       struct err *err)
{
    const struct generation_source source = {
        .entries = inventory->entries,
        .n_entries = inventory->n_entries,
        .deny = &inventory->deny,
        .headers = &inventory->headers,
        .render_us = inventory->render_us,
    };

    if (generation_make(&source, now_mono_ms, ret, err) < 0)
        return -1;
    inventory->render_us = 0;
    return 0;
}

/* --- the state file --- */

void inventory_restore(struct inventory *inventory, bool goes_on, int64_t now_unix_ms,
                       int64_t now_mono_ms)
{
    const struct events_moment now = {now_unix_ms, now_mono_ms};

    inventory->keeper.goes_on = goes_on;
    state_keeper_restore(&inventory->keeper, inventory->entries, inventory->n_entries, &now);
}

void inventory_save(struct inventory *inventory, int64_t now_unix_ms, int64_t now_mono_ms)
{
    const struct events_moment now = {now_unix_ms, now_mono_ms};

    state_keeper_save(&inventory->keeper, inventory->entries, inventory->n_entries, &now);
}

void inventory_save_grown(struct inventory *inventory, int64_t now_unix_ms, int64_t now_mono_ms)
{
    if (inventory->keeper.grew)
        inventory_save(inventory, now_unix_ms, now_mono_ms);
}

void inventory_save_rest(struct inventory *inventory, int64_t now_unix_ms, int64_t now_mono_ms)
{
    if (inventory->keeper.changed || inventory->keeper.grew)
        inventory_save(inventory, now_unix_ms, now_mono_ms);
}

int64_t inventory_save_mono_ms(const struct inventory *inventory)
{
    return state_keeper_due_mono_ms(&inventory->keeper);
}

void inventory_published(struct inventory *inventory, int64_t now_mono_ms)
{
    for (size_t i = 0; i < inventory->n_entries; i++) {
        struct entry *entry = inventory->entries[i];

        if (!entry_collects(entry, COLLECTOR_DEPLOYMENTS))
            continue;
        /* The next run of --once must know how long what it goes on with has been shown. */
        if (inventory->keeper.goes_on && entry->events->published_mono_ms < 0)
            inventory->keeper.changed = true;
        events_published(entry->events, now_mono_ms);
    }
}
