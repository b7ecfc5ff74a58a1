/*
 * When a namespace is due, as pure arithmetic on the monotonic clock: times in, times out.
 *
 * Each namespace has a grid of due times, one an interval, shifted by a hash of its name: many
 * namespaces with one interval do not all refresh in the same second, and a restart does not
 * change who goes when. After failures the grid is left for a growing, jittered delay.
 */
#ifndef TIMETABLE_H
#define TIMETABLE_H

#include <stdint.h>

struct timetable {
    int64_t interval_ms;
    int64_t max_backoff_ms;
    int64_t phase_ms;    /* 0 .. interval - 1: where on the grid */
    int64_t due_mono_ms; /* when to begin next */
    unsigned failures;   /* in a row */
};

/* The place on the grid of a namespace. */
uint64_t timetable_hash(const char *workspace, const char *namespace_name);

/* Due for the first time within spread_ms of now: soon, for the exporter is not ready before. */
void timetable_start(struct timetable *t, int64_t now_mono_ms, uint64_t hash, int64_t interval_ms,
                     int64_t max_backoff_ms, int64_t spread_ms);

/*
 * A reload. If the interval changed, the next due time moves to the new grid, counted from now; a
 * back-off under way keeps to the new limit.
 */
void timetable_retime(struct timetable *t, int64_t now_mono_ms, uint64_t hash, int64_t interval_ms,
                      int64_t max_backoff_ms);

/*
 * A refresh that began at began_mono_ms ended now. Sets the next due time; returns how many grid
 * times passed while it ran: refreshes that were missed. A grid time less than half an interval
 * after the beginning is taken for its own.
 */
uint64_t timetable_succeeded(struct timetable *t, int64_t began_mono_ms, int64_t now_mono_ms);

/*
 * The same after a failure: the interval, doubled with every failure in a row, up to
 * max_backoff (never less than the interval), less up to a quarter by random (any 64 bits).
 */
uint64_t timetable_failed(struct timetable *t, int64_t began_mono_ms, int64_t now_mono_ms,
                          uint64_t random);

#endif
