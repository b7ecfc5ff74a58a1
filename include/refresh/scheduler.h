/*
 * When to refresh what: the scheduler thread, its timetable and its workers.
 *
 * The scheduler thread owns the inventory and is the only one to publish. Workers run one refresh
 * at a time each; there is one for each collector of each watched namespace, up to
 * SCHEDULER_MAX_WORKERS, so that a target that hangs delays nobody else. Reload and stop are
 * requests from the main thread.
 */
#ifndef REFRESH_SCHEDULER_H
#define REFRESH_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "api/session.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "conf/conf.h"
#include "inventory/snapshot.h"
#include "metrics/registry.h"

#define SCHEDULER_MAX_WORKERS 64

struct scheduler;

struct scheduler_options {
    struct conf *conf;           /* referenced */
    struct api_session *session; /* borrowed until scheduler_stop */
    struct registry *registry;   /* likewise */
    struct snapshot_slot *slot;  /* likewise; holds a first snapshot once scheduler_start returns */
    const char *state_file; /* instead of the configuration's; borrowed likewise; NULL = none */
    bool once;              /* everything once, at once, without retrying later */
};

int scheduler_start(const struct scheduler_options *options, struct scheduler **ret,
                    struct err *err) MUST_CHECK;

/*
 * Hands a new configuration down and waits until it is in force (milliseconds: nothing is fetched
 * for it). Namespaces that stay keep their data, counters and timetable; those whose target reads
 * differently now (endpoint, credentials, filters) are due at once; those that went are gone from
 * the next scrape on. All or nothing: on failure the old configuration goes on.
 */
int scheduler_reload(struct scheduler *scheduler, struct conf *conf, struct err *err) MUST_CHECK;

/* once: waits until every collector of every namespace was refreshed once; true if all succeeded.
 */
bool scheduler_wait_once(struct scheduler *scheduler);
/* Any thread: scheduler_wait_once returns false at once. scheduler_stop is still needed. */
void scheduler_interrupt(struct scheduler *scheduler);

/* True while the scheduler thread turns its loop: for /-/healthy. Any thread. */
bool scheduler_healthy(const struct scheduler *scheduler);

/* Ends refreshes under way within milliseconds, joins all threads, frees everything. */
void scheduler_stop(struct scheduler *scheduler);

#endif
