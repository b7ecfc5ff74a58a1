/*
 * When the state file is read and written, and what the log and the metrics say about it.
 *
 * Scheduler thread only; the two live metrics are read by HTTP threads. It does not fail: without
 * its file the exporter serves as ever, and says so.
 */
#ifndef STATE_KEEPER_H
#define STATE_KEEPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "entry.h"
#include "metrics/registry.h"

/* Between two saves that nobody waits for. */
#define STATE_SAVE_EVERY_MS 5000
/* The file is written so often even if nothing changed: its age is that of what it knows. */
#define STATE_SAVE_IDLE_MS  3600000

struct state_keeper {
    const char *path; /* borrowed; NULL = there is no file */
    bool goes_on;     /* see events_read */
    bool grew;        /* a counter that is shown is larger than in the file */
    bool changed;     /* anything else is different */
    bool failing;     /* the last save failed, and the log said so */
    int64_t next_mono_ms;
    int64_t saved_mono_ms;
    /* Read by HTTP threads. */
    _Atomic int64_t saved_unix_ms; /* 0 = never */
    atomic_uint_fast64_t failures;
};

int state_keeper_register(struct state_keeper *keeper, struct registry *registry,
                          struct err *err) MUST_CHECK;

/* The path is this from now on; borrowed until the next call, "" or NULL = none. */
void state_keeper_set_path(struct state_keeper *keeper, const char *path);

/* At start: gives the entries the events that the file has of them. */
void state_keeper_restore(struct state_keeper *keeper, struct entry *const *entries, size_t n,
                          const struct events_moment *now);

/* An entry's events are these now. */
void state_keeper_note(struct state_keeper *keeper, const struct events *before,
                       const struct events *after);

/* When the next save is due; INT64_MAX = not before something changes. */
int64_t state_keeper_due_mono_ms(const struct state_keeper *keeper);

void state_keeper_save(struct state_keeper *keeper, struct entry *const *entries, size_t n,
                       const struct events_moment *now);

#endif
