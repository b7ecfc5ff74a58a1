/*
 * The events of one watched namespace: jobs that failed, were cancelled or finished, told from the
 * differences between two whole listings, though the counts of a listing shrink when old jobs are
 * purged, and deployments come and go.
 *
 * A struct events is what is known after a listing; the next listing makes a new one out of it, so
 * that a refresh which fails half-way leaves the old one as it is. What a listing says is either
 * taken in as a whole or not at all: nobody may show it a part of one. Scheduler thread only.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "event_item.h"
#include "model/listing.h"

/*
 * A deployment may have been created so long before the listing without it began and still count as
 * new. See born() for what that does.
 */
#define EVENTS_BORN_ALLOWANCE_S 60
/* A deployment that left the listing is remembered so long, and no more of them than that. */
#define EVENTS_KEEP_ABSENT_S    (7 * 24 * INT64_C(3600))
#define EVENTS_KEEP_ABSENT      10000

/* Counters of the namespace. The first six have one for each kind of event, in its order. */
enum event_counter {
    EVENT_COUNTER_JOBS,
    EVENT_COUNTER_REDUCTIONS = EVENT_COUNTER_JOBS + JOB_EVENT_END,
    EVENT_COUNTER_ADDED = EVENT_COUNTER_REDUCTIONS + JOB_EVENT_END,
    EVENT_COUNTER_REMOVED,
    EVENT_COUNTER_END,
};

struct events {
    int64_t began_unix_ms; /* when the refresh that brought the last whole listing began; 0 = none
                              was taken in yet */
    int64_t began_mono_ms; /* likewise; -1 = in another process */
    bool cut;              /* that listing was cut at max_deployments */
    bool grew;             /* it let a counter that is shown grow */
    bool anew;             /* since that listing all series began anew */
    bool open;             /* it left a status open that was not open before, see status_is_open */
    int64_t forgotten_unix_s; /* who was forgotten for lack of room had left by then; 0 = nobody */

    /* Of the counters below. */
    enum event_shown shown;
    int64_t shown_since_mono_ms; /* with EVENT_SHOWN_SINCE */
    int64_t published_mono_ms;   /* first publication after the last listing; -1 = not yet */
    struct {
        int64_t value;
        int64_t shown; /* never more */
    } counters[EVENT_COUNTER_END];

    char *items; /* a list as of event_item.h */
    size_t len;
    size_t n_items;
    size_t n_absent; /* of these: not present */
};

/* Before the first listing: counters at 0. NULL when memory is out. */
struct events *events_new(void);
void events_free(struct events *events);
void events_freep(struct events **events);

/* When the refresh that brought a listing took place. */
struct events_time {
    int64_t began_unix_ms;
    int64_t began_mono_ms;
    int64_t ended_unix_ms;
    int64_t ended_mono_ms;
    int64_t hold_ms; /* a counter shows its old value so long before it may jump */
};

/*
 * Takes a whole listing of deployments in: *ret is what is known after it, and the listing's
 * deployments get the status, the events and the last failure that are to be shown of them. On
 * failure, for lack of memory only, nothing has happened.
 */
int events_observe(const struct events *before, struct listing *listing,
                   const struct events_time *time, struct events **ret, struct err *err) MUST_CHECK;

/* A generation with these counters, and the deployments of the last listing, is published. */
void events_published(struct events *events, int64_t now_mono_ms);

/* All its series begin anew, as when what is rendered was changed: old values first. */
void events_show_anew(struct events *events);

/* A counter as it is to be shown. */
int64_t events_shown(const struct events *events, enum event_counter counter);

/* True if something to be remembered is different. */
bool events_differ(const struct events *a, const struct events *b);

/* Bytes on the heap. */
size_t events_bytes(const struct events *events);

/* Makes the bytes the list, in memory of their size; -1 when there is none. list is emptied. */
int events_take_list(struct events *events, struct strbuf *list) MUST_CHECK;

/* --- for the state file --- */

/* The same moment on both clocks, of the process that writes or reads. */
struct events_moment {
    int64_t unix_ms;
    int64_t mono_ms;
};

/* Appends everything but the memory's addresses; out goes bad when memory is out. */
void events_write(const struct events *events, struct strbuf *out);

/*
 * Reads it back: the counters go on where they were, but none of them counts as shown, unless
 * goes_on: then this process is the next run of the one that wrote, and what it prints takes the
 * place of what that printed (--once). ERR_PARSE where the bytes are no such thing. version: of the
 * state file they are from, see state_decode.
 */
int events_read(const void *bytes, size_t len, int version, bool goes_on,
                const struct events_moment *written, const struct events_moment *now,
                struct events **ret, struct err *err) MUST_CHECK;

#endif
