#include "timetable.h"

#include <assert.h>

#include "base/hash.h"
#include <stdbool.h>

uint64_t timetable_hash(const char *workspace, const char *namespace_name)
{
    uint64_t h = hash_fnv1a(HASH_FNV1A_START, workspace);

    h = hash_fnv1a(hash_fnv1a(h, "/"), namespace_name);
    return h ^ (h >> 32);
}

/* The first grid time after t_ms. The monotonic clock starts at boot, so times are not negative. */
static int64_t next_on_grid(const struct timetable *t, int64_t t_ms)
{
    int64_t into = (t_ms - t->phase_ms) % t->interval_ms;

    if (into < 0)
        into += t->interval_ms;
    return t_ms - into + t->interval_ms;
}

void timetable_start(struct timetable *t, int64_t now_mono_ms, uint64_t hash, int64_t interval_ms,
                     int64_t max_backoff_ms, int64_t spread_ms)
{
    assert(interval_ms > 0);
    *t = (struct timetable){
        .interval_ms = interval_ms,
        .max_backoff_ms = max_backoff_ms,
        .phase_ms = (int64_t)(hash % (uint64_t)interval_ms),
        .due_mono_ms = now_mono_ms,
    };
    if (spread_ms > 0)
        t->due_mono_ms += (int64_t)(hash % (uint64_t)spread_ms);
}

static int64_t longest_delay(const struct timetable *t)
{
    return t->max_backoff_ms > t->interval_ms ? t->max_backoff_ms : t->interval_ms;
}

void timetable_retime(struct timetable *t, int64_t now_mono_ms, uint64_t hash, int64_t interval_ms,
                      int64_t max_backoff_ms)
{
    t->max_backoff_ms = max_backoff_ms;
    if (t->interval_ms == interval_ms) {
        if (t->failures > 0 && t->due_mono_ms - now_mono_ms > longest_delay(t))
            t->due_mono_ms = now_mono_ms + longest_delay(t);
        return;
    }
    t->interval_ms = interval_ms;
    t->phase_ms = (int64_t)(hash % (uint64_t)interval_ms);
    t->due_mono_ms = next_on_grid(t, now_mono_ms);
}

/*
 * Refreshes after failures, and first ones, begin off the grid. They stand for the grid time that
 * follows at once: two listings in a row would tell nothing.
 */
static bool stands_for(const struct timetable *t, int64_t began_mono_ms, int64_t grid_ms)
{
    return grid_ms - began_mono_ms < t->interval_ms / 2;
}

static uint64_t missed_between(const struct timetable *t, int64_t began_mono_ms,
                               int64_t now_mono_ms)
{
    int64_t first = next_on_grid(t, began_mono_ms);

    if (stands_for(t, began_mono_ms, first))
        first += t->interval_ms;
    return first > now_mono_ms ? 0 : 1 + (uint64_t)((now_mono_ms - first) / t->interval_ms);
}

uint64_t timetable_succeeded(struct timetable *t, int64_t began_mono_ms, int64_t now_mono_ms)
{
    t->failures = 0;
    t->due_mono_ms = next_on_grid(t, now_mono_ms);
    if (stands_for(t, began_mono_ms, t->due_mono_ms))
        t->due_mono_ms += t->interval_ms;
    return missed_between(t, began_mono_ms, now_mono_ms);
}

uint64_t timetable_failed(struct timetable *t, int64_t began_mono_ms, int64_t now_mono_ms,
                          uint64_t random)
{
    int64_t cap = longest_delay(t);
    int64_t delay = t->interval_ms;

    for (unsigned i = 0; i < t->failures && delay < cap; i++)
        delay *= 2;
    if (delay > cap)
        delay = cap;
    t->failures++;
    delay -= (int64_t)(random % (uint64_t)(delay / 4 + 1));
    t->due_mono_ms = now_mono_ms + delay;
    return missed_between(t, began_mono_ms, now_mono_ms);
}
