/*
 * How events are told from listings.
 *
 * A summary counts the jobs which the control plane remembers. Between two whole listings a count
 * that rose means events, one that fell means a purge, which is no event; so a deployment's counter
 * grows by max(0, new - old) and never shrinks. What a listing does not tell changes nothing: the
 * count told last stays what the next one is compared with.
 *
 * What is there when nothing is known yet is the past, no news: it is what later counts are
 * compared with, and counts nothing itself. Who appears later is new, or was there and not seen
 * (see born()); who was seen before goes on from what was told last, so that what happened while it
 * was away counts, and what was counted does not count again.
 *
 * Zero first: Prometheus sees an increase between two samples only. A counter that is shown for the
 * first time, or again after a gap, shows its old value for the hold before it may grow. The hold
 * runs from the first publication, by the monotonic clock, and ends with the first listing after
 * it: there are no timers. Only the namespace's counters are shown from start-up on.
 *
 * A cut listing (max_deployments) says nothing about who is not in it: those are set aside, neither
 * removed nor their jobs gone, until a listing that is not cut is without them.
 */
#include "events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct observation {
    const struct events *before;
    struct events *after;
    const struct listing *listing;
    const struct events_time *time;
    struct strbuf items;
    int64_t began_unix_s;
    int64_t ended_unix_s;
    int64_t born_after_unix_s;
};

struct events *events_new(void)
{
    struct events *events = calloc(1, sizeof(*events));

    if (!events)
        return NULL;
    events->began_mono_ms = -1;
    events->published_mono_ms = -1;
    return events;
}

void events_free(struct events *events)
{
    if (!events)
        return;
    free(events->items);
    free(events);
}

void events_freep(struct events **events)
{
    events_free(*events);
}

/* Counters stay where doubles stop to be exact: 285 years of a million events a second. */
static void add(int64_t *counter, int64_t n)
{
    *counter = n > EVENT_COUNT_MAX - *counter ? EVENT_COUNT_MAX : *counter + n;
}

/* --- zero first --- */

/* What becomes of EVENT_SHOWN_NOW and EVENT_SHOWN_SINCE by now. */
static enum event_shown shown_by_now(const struct observation *o, enum event_shown shown,
                                     int64_t *since_mono_ms)
{
    if (o->before->anew && shown > EVENT_SHOWN_NOW)
        shown = EVENT_SHOWN_NOW;
    if (shown == EVENT_SHOWN_NOW && o->before->published_mono_ms >= 0) {
        shown = EVENT_SHOWN_SINCE;
        *since_mono_ms = o->before->published_mono_ms;
    }
    if (shown == EVENT_SHOWN_NOW)
        *since_mono_ms = 0;
    if (shown == EVENT_SHOWN_SINCE && o->time->ended_mono_ms - *since_mono_ms >= o->time->hold_ms) {
        shown = EVENT_SHOWN_LONG;
        *since_mono_ms = 0;
    }
    return shown;
}

static void show_anew(struct event_item *item)
{
    item->shown = EVENT_SHOWN_NOW;
    item->since = 0;
}

/* What the listing's deployment shows, and what is remembered of it. */
static void keep(struct observation *o, struct event_item *item, struct deployment *d)
{
    for (int e = 0; e < JOB_EVENT_END; e++) {
        if (item->shown == EVENT_SHOWN_LONG && item->shown_value[e] < item->value[e]) {
            item->shown_value[e] = item->value[e];
            o->after->grew = true;
        }
        d->events[e] = item->shown_value[e];
    }
    d->last_failure_unix_s = item->last_failure_unix_s;
    event_item_write(&o->items, item);
    o->after->n_items++;
}

/* --- counting --- */

static int64_t *counter(struct observation *o, int which)
{
    return &o->after->counters[which].value;
}

static void happened(struct observation *o, struct event_item *item, int event, int64_t n)
{
    add(&item->value[event], n);
    add(counter(o, EVENT_COUNTER_JOBS + event), n);
    if (event == JOB_EVENT_FAILURE)
        item->last_failure_unix_s = o->ended_unix_s;
}

/*
 * A failure that the counts of the last listing did not have (status.c), and this one's do not,
 * either: it took the place of one that was purged, so that both happened.
 */
static void pay(struct observation *o, struct event_item *item, bool rose)
{
    if (item->status.owed && !rose) {
        happened(o, item, JOB_EVENT_FAILURE, 1);
        add(counter(o, EVENT_COUNTER_REDUCTIONS + JOB_EVENT_FAILURE), 1);
    }
    item->status.owed = false;
}

static void count(struct observation *o, struct event_item *item, const struct deployment *d)
{
    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t old = item->told[e], new = d->jobs[job_event_state((enum job_event)e)];

        if (new < 0)
            continue;
        item->told[e] = new;
        if (old < 0)
            continue;
        if (new < old)
            add(counter(o, EVENT_COUNTER_REDUCTIONS + e), old - new);
        else if (new > old)
            happened(o, item, e, new - old);
        if (e == JOB_EVENT_FAILURE)
            pay(o, item, new > old);
    }
}

/* What the listing says of a deployment, taken in. */
static void see(struct observation *o, struct event_item *item, struct deployment *d)
{
    int64_t before[JOB_EVENT_END];
    const struct status_sight sight = {d->jobs, before, o->listing->asked, o->listing->in_pages,
                                       d->found};
    bool was_open = status_is_open(item->status.status, item->told[JOB_EVENT_CANCELLATION],
                                   item->told[JOB_EVENT_COMPLETION]);

    memcpy(before, item->told, sizeof(before));
    count(o, item, d);
    d->status = status_see(&item->status, &sight);
    /* Where the listing told too little to say, asking again would not help. */
    if (!was_open &&
        status_is_open(item->status.status, d->jobs[JOB_CANCELLED], d->jobs[JOB_FINISHED]))
        o->after->open = true;
}

/* --- who is in both, who is only in one of the two --- */

static void go_on(struct observation *o, struct event_item *item, struct deployment *d)
{
    uint32_t name_hash = event_name_hash(d->name);

    if (item->presence == EVENT_GONE)
        add(counter(o, EVENT_COUNTER_ADDED), 1);
    if (item->shown == EVENT_SHOWN_NOT) /* it was away, or restored */
        show_anew(item);
    else
        item->shown = shown_by_now(o, item->shown, &item->since);
    if (item->name_hash != name_hash) /* another series */
        show_anew(item);
    item->presence = EVENT_PRESENT;
    item->name_hash = name_hash;
    see(o, item, d);
    keep(o, item, d);
}

/*
 * True if a deployment that nothing is remembered of was created after the listing before began, so
 * that it had no jobs then: those that ended since are news. Otherwise it was there and was not
 * seen, for instance because a selection left it out, and what ended is the past.
 *
 * The two clocks need not agree, createdAt may be cut to seconds, and the listing before may have
 * missed one that was just created (its pages shifted): hence the allowance. It cannot invent a
 * failure: what is counted are jobs that ended after the deployment was created, so at most that
 * much before the listing, and none of them was counted before, or the deployment would be
 * remembered. Those forgotten for lack of room are no exception: such a deployment was created
 * before it was missed, and who was created before the last of them was missed is not new.
 *
 * When the listing before began is taken from the wall clock as it was then, or from the time that
 * passed since, whichever is earlier: wall time may have been put forward since, and the monotonic
 * clock stands still while the machine sleeps.
 */
static bool born(const struct observation *o, const struct deployment *d)
{
    return d->created_unix_s > o->born_after_unix_s;
}

static int64_t born_after(const struct events *before, const struct events_time *time)
{
    int64_t began_ms = before->began_unix_ms, after_s;

    if (began_ms == 0)
        return INT64_MAX; /* nobody: it is all there is */
    if (before->began_mono_ms >= 0) {
        int64_t by_mono_ms = time->began_unix_ms - (time->began_mono_ms - before->began_mono_ms);

        began_ms = by_mono_ms < began_ms ? by_mono_ms : began_ms;
    }
    after_s = began_ms / 1000 - EVENTS_BORN_ALLOWANCE_S;
    return after_s > before->forgotten_unix_s ? after_s : before->forgotten_unix_s;
}

static void come(struct observation *o, struct deployment *d)
{
    struct event_item item = {.id = d->id, .name_hash = event_name_hash(d->name)};
    bool is_born = born(o, d), cut = o->before->cut || o->listing->over_limit > 0;

    for (int e = 0; e < JOB_EVENT_END; e++)
        item.told[e] = is_born ? 0 : -1;
    show_anew(&item);
    see(o, &item, d);
    if (o->before->began_unix_ms != 0 && (is_born || !cut))
        add(counter(o, EVENT_COUNTER_ADDED), 1);
    keep(o, &item, d);
}

static void leave(struct observation *o, struct event_item *item)
{
    bool was_present = item->presence == EVENT_PRESENT;

    if (o->listing->over_limit == 0 && item->presence != EVENT_GONE) {
        item->presence = EVENT_GONE;
        add(counter(o, EVENT_COUNTER_REMOVED), 1);
        for (int e = 0; e < JOB_EVENT_END; e++)
            add(counter(o, EVENT_COUNTER_REDUCTIONS + e), item->told[e] > 0 ? item->told[e] : 0);
    } else if (was_present) {
        item->presence = EVENT_CUT;
    }
    if (was_present)
        item->since = o->began_unix_s;
    if (o->began_unix_s - item->since > EVENTS_KEEP_ABSENT_S)
        return;
    item->shown = EVENT_SHOWN_NOT;
    event_item_write(&o->items, item);
    o->after->n_items++;
    o->after->n_absent++;
}

/* --- a listing --- */

/* One pass over two lists sorted by id. */
static void merge(struct observation *o)
{
    struct event_reader r = {(const unsigned char *)o->before->items,
                             (const unsigned char *)o->before->items + o->before->len, NULL, false};
    struct event_item item;
    bool more = o->before->len > 0 && event_reader_next(&r, &item) > 0;

    for (size_t i = 0; more || i < o->listing->n_items;) {
        int order = !more                      ? 1
                    : i == o->listing->n_items ? -1
                                               : strcmp(item.id, o->listing->items[i].id);

        if (order < 0)
            leave(o, &item);
        else if (order > 0)
            come(o, &o->listing->items[i]);
        else
            go_on(o, &item, &o->listing->items[i]);
        i += order >= 0;
        if (order <= 0)
            more = event_reader_next(&r, &item) > 0;
    }
}

static int latest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

/* Forgets who has been away longest, so that no more than EVENTS_KEEP_ABSENT are left. */
static int forget(struct observation *o)
{
    struct events *after = o->after;
    CLEANUP(freep) int64_t *since = malloc(after->n_absent * sizeof(*since));
    CLEANUP(strbuf_release) struct strbuf kept = STRBUF_INIT;
    struct event_reader r = {(const unsigned char *)o->items.ptr,
                             (const unsigned char *)o->items.ptr + o->items.len, NULL, false};
    struct event_item item;
    size_t n = 0, at_limit = 0;
    int64_t limit;

    if (!since)
        return -1;
    while (event_reader_next(&r, &item) > 0)
        if (item.presence != EVENT_PRESENT)
            since[n++] = item.since;
    qsort(since, n, sizeof(*since), latest_first);
    limit = since[EVENTS_KEEP_ABSENT - 1];
    while (at_limit < EVENTS_KEEP_ABSENT && since[EVENTS_KEEP_ABSENT - 1 - at_limit] == limit)
        at_limit++;
    r = (struct event_reader){(const unsigned char *)o->items.ptr,
                              (const unsigned char *)o->items.ptr + o->items.len, NULL, false};
    after->n_items = after->n_absent = 0;
    while (event_reader_next(&r, &item) > 0) {
        bool absent = item.presence != EVENT_PRESENT;

        if (absent && (item.since < limit || (item.since == limit && at_limit == 0))) {
            if (item.since > after->forgotten_unix_s)
                after->forgotten_unix_s = item.since;
            continue;
        }
        at_limit -= absent && item.since == limit;
        event_item_write(&kept, &item);
        after->n_items++;
        after->n_absent += absent;
    }
    strbuf_release(&o->items);
    o->items = kept;
    kept = STRBUF_INIT;
    return 0;
}

/* The namespace's counters show what they are, or wait like those of a deployment. */
static void show_counters(struct observation *o)
{
    struct events *after = o->after;

    if (!o->before->anew)
        after->shown = shown_by_now(o, after->shown, &after->shown_since_mono_ms);
    for (int c = 0; c < EVENT_COUNTER_END; c++)
        if (after->shown == EVENT_SHOWN_LONG &&
            after->counters[c].shown < after->counters[c].value) {
            after->counters[c].shown = after->counters[c].value;
            after->grew = true;
        }
}

static int64_t seconds(int64_t unix_ms)
{
    return unix_ms >= 1000 ? unix_ms / 1000 : 1; /* 0 means that there is none */
}

static int observe(struct observation *o)
{
    struct events *after = o->after;

    after->items = NULL;
    after->len = after->n_items = after->n_absent = 0;
    after->grew = after->anew = after->open = false;
    strbuf_reserve(&o->items, o->before->len);
    merge(o);
    if (!strbuf_ok(&o->items))
        return -1;
    if (after->n_absent > EVENTS_KEEP_ABSENT && (forget(o) < 0 || !strbuf_ok(&o->items)))
        return -1;
    show_counters(o);
    after->cut = o->listing->over_limit > 0;
    after->began_unix_ms = o->time->began_unix_ms > 0 ? o->time->began_unix_ms : 1;
    after->began_mono_ms = o->time->began_mono_ms;
    after->published_mono_ms = -1;
    return events_take_list(after, &o->items);
}

int events_take_list(struct events *events, struct strbuf *list)
{
    size_t len = list->len;

    events->items = len > 0 ? malloc(len) : NULL;
    if (len > 0 && !events->items)
        return -1;
    if (len > 0)
        memcpy(events->items, list->ptr, len);
    events->len = len;
    strbuf_release(list);
    return 0;
}

int events_observe(const struct events *before, struct listing *listing,
                   const struct events_time *time, struct events **ret, struct err *err)
{
    CLEANUP(events_freep) struct events *after = events_new();
    struct observation o = {
        .before = before,
        .after = after,
        .listing = listing,
        .time = time,
        .began_unix_s = seconds(time->began_unix_ms),
        .ended_unix_s = seconds(time->ended_unix_ms),
        .born_after_unix_s = born_after(before, time),
    };
    int rc = -1;

    assert(listing->kind == RECORD_DEPLOYMENT);
    if (after) {
        *after = *before;
        rc = observe(&o);
    }
    strbuf_release(&o.items);
    if (rc < 0)
        return err_nomem(err, "the events of a listing");
    *ret = TAKE(after);
    return 0;
}

void events_published(struct events *events, int64_t now_mono_ms)
{
    if (events->published_mono_ms < 0)
        events->published_mono_ms = now_mono_ms;
    if (events->shown == EVENT_SHOWN_NOT) {
        events->shown = EVENT_SHOWN_SINCE;
        events->shown_since_mono_ms = now_mono_ms;
    }
}

void events_show_anew(struct events *events)
{
    events->anew = true;
    events->published_mono_ms = -1;
    events->shown = EVENT_SHOWN_NOT;
    events->shown_since_mono_ms = 0;
}

int64_t events_shown(const struct events *events, enum event_counter which)
{
    assert(which < EVENT_COUNTER_END);
    return events->counters[which].shown;
}

size_t events_bytes(const struct events *events)
{
    return sizeof(*events) + events->len;
}
