/*
 * What is known of a namespace's events as bytes, for the state file: the numbers of struct events
 * and the list of its deployments as it lies in memory.
 *
 * Times by the monotonic clock mean nothing to another process. They are written as they are, and
 * who reads knows when, by both clocks, they were written.
 */
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "events.h"

static void put(struct strbuf *out, int64_t v)
{
    unsigned char bytes[VARINT_MAX];

    strbuf_add(out, bytes, (size_t)(varint_put(bytes, (uint64_t)v) - bytes));
}

void events_write(const struct events *events, struct strbuf *out)
{
    put(out, events->began_unix_ms);
    put(out, events->cut);
    put(out, events->forgotten_unix_s);
    put(out, events->shown);
    put(out, events->shown_since_mono_ms);
    put(out, events->published_mono_ms + 1);
    for (int c = 0; c < EVENT_COUNTER_END; c++) {
        put(out, events->counters[c].value);
        put(out, events->counters[c].value - events->counters[c].shown);
    }
    put(out, (int64_t)events->n_items);
    strbuf_add(out, events->len ? events->items : "", events->len);
}

/* --- reading --- */

struct decoding {
    struct event_reader reader;
    bool goes_on;
    const struct events_moment *written, *now;
    struct events *events;
    struct strbuf items;
};

static bool take(struct decoding *d, int64_t max, int64_t *ret)
{
    uint64_t v;

    if (!varint_take(&d->reader.at, d->reader.end, &v) || v > (uint64_t)max)
        return false;
    *ret = (int64_t)v;
    return true;
}

/*
 * A time by the writer's monotonic clock, by ours. What lies before our clock began becomes its
 * beginning, and what lies ahead becomes now: both make a hold longer, not shorter.
 */
static int64_t by_our_clock(const struct decoding *d, int64_t mono_ms)
{
    int64_t ago_ms = d->now->unix_ms - d->written->unix_ms + (d->written->mono_ms - mono_ms);

    if (ago_ms < 0)
        ago_ms = 0;
    return ago_ms < d->now->mono_ms ? d->now->mono_ms - ago_ms : 0;
}

/* How long a series has been shown, for the process that reads. */
static enum event_shown translate(const struct decoding *d, enum event_shown shown, int64_t *since)
{
    if (!d->goes_on || (shown == EVENT_SHOWN_NOW && d->events->published_mono_ms < 0)) {
        *since = 0;
        return EVENT_SHOWN_NOT;
    }
    if (shown == EVENT_SHOWN_NOW) {
        *since = d->events->published_mono_ms; /* by our clock already */
        return EVENT_SHOWN_SINCE;
    }
    if (shown == EVENT_SHOWN_SINCE)
        *since = by_our_clock(d, *since);
    return shown;
}

static bool take_numbers(struct decoding *d)
{
    struct events *e = d->events;
    int64_t cut, shown;

    if (!take(d, EVENT_TIME_MAX, &e->began_unix_ms) || !take(d, 1, &cut) ||
        !take(d, EVENT_TIME_MAX, &e->forgotten_unix_s) || !take(d, EVENT_SHOWN_END - 1, &shown) ||
        !take(d, EVENT_TIME_MAX, &e->shown_since_mono_ms) ||
        !take(d, EVENT_TIME_MAX, &e->published_mono_ms))
        return false;
    e->published_mono_ms--;
    e->cut = cut;
    e->shown = (enum event_shown)shown;
    for (int c = 0; c < EVENT_COUNTER_END; c++) {
        int64_t behind;

        if (!take(d, EVENT_COUNT_MAX, &e->counters[c].value) ||
            !take(d, e->counters[c].value, &behind))
            return false;
        e->counters[c].shown = e->counters[c].value - behind;
    }
    return true;
}

/* Every item is read and written again, so that the list is one of ours whoever wrote the file. */
static bool take_items(struct decoding *d)
{
    struct event_item item;
    int64_t n;
    int rc;

    if (!take(d, INT32_MAX, &n))
        return false;
    while ((rc = event_reader_next(&d->reader, &item)) > 0) {
        if (item.presence == EVENT_PRESENT)
            item.shown = translate(d, item.shown, &item.since);
        else
            item.shown = EVENT_SHOWN_NOT;
        if (item.presence != EVENT_PRESENT && item.since == 0)
            return false;
        d->events->n_absent += item.presence != EVENT_PRESENT;
        d->events->n_items++;
        event_item_write(&d->items, &item);
    }
    return rc == 0 && d->events->n_items == (size_t)n;
}

static bool decode(struct decoding *d)
{
    struct events *e = d->events;

    if (!take_numbers(d))
        return false;
    if (e->published_mono_ms >= 0)
        e->published_mono_ms = by_our_clock(d, e->published_mono_ms);
    if (!take_items(d))
        return false;
    e->shown = translate(d, e->shown, &e->shown_since_mono_ms);
    if (e->shown == EVENT_SHOWN_NOT)
        e->shown_since_mono_ms = 0;
    /* Of nothing that this process listed. */
    e->published_mono_ms = -1;
    return true;
}

int events_read(const void *bytes, size_t len, int version, bool goes_on,
                const struct events_moment *written, const struct events_moment *now,
                struct events **ret, struct err *err)
{
    CLEANUP(events_freep) struct events *events = events_new();
    struct decoding d = {
        .reader = {bytes, (const unsigned char *)bytes + len, NULL, version == 1},
        .goes_on = goes_on,
        .written = written,
        .now = now,
        .events = events,
    };
    bool good, memory = events != NULL;

    if (!events)
        return err_nomem(err, "the events of a namespace");
    strbuf_reserve(&d.items, len);
    good = decode(&d);
    memory = strbuf_ok(&d.items);
    if (good && memory)
        memory = events_take_list(events, &d.items) == 0;
    strbuf_release(&d.items);
    if (!good)
        return err_set(err, ERR_PARSE, "it holds events that are none");
    if (!memory)
        return err_nomem(err, "the events of a namespace");
    *ret = TAKE(events);
    return 0;
}

bool events_differ(const struct events *a, const struct events *b)
{
    return a->cut != b->cut || a->forgotten_unix_s != b->forgotten_unix_s || a->shown != b->shown ||
           a->shown_since_mono_ms != b->shown_since_mono_ms ||
           (a->began_unix_ms == 0) != (b->began_unix_ms == 0) ||
           memcmp(a->counters, b->counters, sizeof(a->counters)) != 0 || a->len != b->len ||
           (a->len > 0 && memcmp(a->items, b->items, a->len) != 0);
}
