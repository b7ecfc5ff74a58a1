/*
 * What is known of every watched namespace: the last whole listings of its deployments and drafts,
 * the deploy tickets followed, the health of its refreshes by collector, the counters; and how all
 * of it becomes a snapshot.
 *
 * Belongs to the scheduler thread alone. Entries are kept by (workspace, namespace): a new
 * configuration keeps the data and counters of what stays and forgets the rest at once.
 */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/snapshot.h"
#include "metrics/registry.h"
#include "model/job.h"
#include "model/listing.h"
#include "model/records.h"
#include "model/target.h"
#include "model/ticket.h"

struct inventory;

/* Adds the families it counts live (objects dropped, values sanitized, snapshot_*) to the registry.
 */
int inventory_new(struct registry *registry, struct inventory **ret, struct err *err) MUST_CHECK;
void inventory_free(struct inventory *inventory);

/* What the rendering leaves out. deny is copied. */
struct inventory_settings {
    const struct glob_list *deny;
    bool aggregate_by_namespace; /* no series for each deployment or draft */
    bool draft_lock_holder;      /* who locked a draft is shown */
    int64_t hold_ms; /* an event counter that is new shows its old value so long, and at least for
                        two intervals of its target */
    const char *state_file; /* where event counters survive a restart; copied; NULL or "" = none */
};

/*
 * The parts of a deployment (DEPLOYMENT_JOBS and so on) that some family reads which the settings
 * leave in: the others need not be fetched. deployment_info shows the mode of the resources, so it
 * reads DEPLOYMENT_RESOURCES here, too.
 */
unsigned inventory_parts_shown(const struct inventory_settings *settings);

/* One watched namespace; entries are addressed by their index in this list. */
struct inventory_watch {
    const struct target *target; /* borrowed until the next inventory_configure */
    const char *namespace_name;
};

/*
 * Makes exactly these namespaces, each (workspace, namespace) once, the watched ones. Data and
 * counters of a (workspace, namespace) that was watched before stay, but for the data of collectors
 * that its target no longer has. On failure nothing has changed.
 *
 * The state file may change: from then on events are saved in the new one, whatever it holds.
 */
int inventory_configure(struct inventory *inventory, const struct inventory_settings *settings,
                        const struct inventory_watch *watches, size_t n,
                        struct err *err) MUST_CHECK;

/*
 * After the first inventory_configure: events go on where the state file says. goes_on is for
 * --once: this process goes on with the exposition of the one that wrote the file, as if there had
 * been no restart. A file that cannot be used is renamed, and the log says so.
 */
void inventory_restore(struct inventory *inventory, bool goes_on, int64_t now_unix_ms,
                       int64_t now_mono_ms);

/* A refresh of an entry begins; or one was due while the one before still ran. */
void inventory_refresh_begun(struct inventory *inventory, size_t entry, enum collector collector,
                             int64_t now_unix_ms);
void inventory_refresh_missed(struct inventory *inventory, size_t entry, enum collector collector);

/* What the scheduler means to do with a collector of an entry; for whoever looks, nothing else. */
struct refresh_plan {
    bool running;
    int64_t due_mono_ms; /* of the next refresh; 0 or INT64_MAX = not known */
    unsigned failures;   /* in a row */
};
void inventory_refresh_planned(struct inventory *inventory, size_t entry, enum collector collector,
                               const struct refresh_plan *plan);

/* How a refresh ended. */
struct refresh_outcome {
    struct listing *listing;    /* of deployments or drafts, consumed; NULL = it failed */
    struct ticket_set *tickets; /* of tickets, a reference consumed; of a failure, too, or NULL */
    struct job_set *jobs;       /* of jobs, likewise; NULL also where there was nothing to ask */
    enum err_kind kind;         /* of the failure; ERR_NONE = success */
    const char *message;        /* of the failure; copied */
    const struct api_stats *stats;
    int64_t began_unix_ms;
    int64_t ended_unix_ms;
    int64_t ended_mono_ms;
    int64_t duration_ms;
};

/*
 * Takes the outcome over: a whole listing is rendered and replaces the one before (0); a failure
 * leaves it, and comes back as -1 with the outcome's kind and message in err. When memory is out
 * for the new listing the refresh counts as failed (internal) and the old data stays. A set of
 * tickets, or of jobs, replaces the one before in any case; what ended since then is counted.
 */
int inventory_refresh_done(struct inventory *inventory, size_t entry, enum collector collector,
                           struct refresh_outcome *outcome, struct err *err) MUST_CHECK;

/* What requests cost whose refresh nobody waited for any more. */
void inventory_add_stats(struct inventory *inventory, size_t entry, const struct api_stats *stats);

/* True if the entry holds something of the collector, however old. */
bool inventory_has_data(const struct inventory *inventory, size_t entry, enum collector collector);

/*
 * True if the last listing left a deployment's status open that was not open before, and a list of
 * those that were cancelled or finished may tell it.
 */
bool inventory_status_open(const struct inventory *inventory, size_t entry);

/* True if the entry's state of this collector is too old to show. */
bool inventory_withheld(const struct inventory *inventory, size_t entry, enum collector collector,
                        int64_t now_mono_ms);

/* The tickets as of the last refresh of them, NULL before the first. Borrowed. */
struct ticket_set *inventory_tickets(const struct inventory *inventory, size_t entry);

/* The last whole listing of deployments, NULL before the first; its jobs, likewise. Borrowed. */
struct records *inventory_records(const struct inventory *inventory, size_t entry);
struct job_set *inventory_jobs(const struct inventory *inventory, size_t entry);

/* Earliest time after now at which an entry's data becomes too old to show; INT64_MAX = none. */
int64_t inventory_next_withhold_mono_ms(const struct inventory *inventory, int64_t now_mono_ms);

/*
 * Renders what changed and puts a generation together. Before that is published,
 * inventory_save_grown; once it is, inventory_published.
 */
int inventory_snapshot(struct inventory *inventory, int64_t now_mono_ms, struct snapshot **ret,
                       struct err *err) MUST_CHECK;

/*
 * A counter that Prometheus has seen must not go back: if one that is shown grew since the state
 * file was written, it is written now. Where that fails the log and a metric say so.
 */
void inventory_save_grown(struct inventory *inventory, int64_t now_unix_ms, int64_t now_mono_ms);
/* The generation made last is out, so that counters that are new in it were seen from now on. */
void inventory_published(struct inventory *inventory, int64_t now_mono_ms);

/* When other changes are to be saved; INT64_MAX = there is no state file. */
int64_t inventory_save_mono_ms(const struct inventory *inventory);
void inventory_save(struct inventory *inventory, int64_t now_unix_ms, int64_t now_mono_ms);
/* At the end: what is not saved yet. */
void inventory_save_rest(struct inventory *inventory, int64_t now_unix_ms, int64_t now_mono_ms);

/* True if the last refresh of each of the entry's collectors succeeded, for --once. */
bool inventory_succeeded(const struct inventory *inventory, size_t entry);

#endif
