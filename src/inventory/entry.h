/*
 * One watched namespace inside the inventory, and the families written of it. Scheduler thread
 * only.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/listing.h"
#include "model/target.h"
#include "model/ticket.h"
#include "draft_slice.h"
#include "events.h"
#include "inventory/inventory.h"
#include "job_slice.h"
#include "slice.h"

/* The refreshes of one collector. */
struct health {
    bool begun;   /* at least one began */
    bool tried;   /* at least one ended */
    bool success; /* the last one that ended succeeded */
    enum err_kind reason;
    char message[sizeof(((struct err *)0)->msg)];
    int64_t failing_since_unix_ms; /* end of the first failure of the latest row of them */
    int64_t last_failure_unix_ms;  /* 0 = never; reason and message are of that one */
    int64_t last_attempt_unix_ms;
    int64_t last_success_unix_ms; /* 0 = never */
    int64_t state_mono_ms;        /* the state shown is of this time */
    int64_t duration_ms;
    uint64_t refreshes;
    uint64_t missed;
    uint64_t failures[ERR_REASON_END];
    struct refresh_plan plan; /* as the scheduler told it last */
};

struct entry {
    char *workspace;
    char *namespace_name;
    const struct target *target; /* of the configuration in force */
    struct strbuf labels;        /* workspace="...",flink_namespace="..." */
    struct slice *slice;         /* of the last whole listing; NULL before the first */
    struct draft_slice *drafts;  /* likewise */
    struct events *events;       /* of its deployments; never NULL */
    struct ticket_set *tickets;  /* of the last refresh; NULL before the first */
    uint64_t tickets_asked;      /* by the last one that succeeded */
    struct {
        uint64_t completed;
        uint64_t failures[TICKET_FAILURE_END];
    } ended;                /* tickets, since the entry is there */
    struct job_slice *jobs; /* of the last refresh; NULL before the first with a listing */
    uint64_t jobs_answered; /* of the last refresh that succeeded: deployments */
    uint64_t jobs_wanted;   /* likewise, without the budget */
    struct health health[COLLECTOR_END];
    struct api_stats stats;
};

/* True if the entry's target has the collector. */
bool entry_collects(const struct entry *entry, enum collector collector);
/* True if there is something of the collector to show, however old. */
bool entry_has_state(const struct entry *entry, enum collector collector);
/* True if that is too old to show. */
bool entry_withheld(const struct entry *entry, enum collector collector, int64_t now_mono_ms);
/* When that begins; INT64_MAX where there is nothing to withhold. */
int64_t entry_withhold_mono_ms(const struct entry *entry, enum collector collector);
/* True if there is something and it is not withheld. */
bool entry_shows(const struct entry *entry, enum collector collector, int64_t now_mono_ms);

/*
 * What the last whole listing of a collector says of itself. A refresh that failed says nothing
 * new.
 */
struct told { /* -1 = not told */
    int64_t pages;
    int64_t objects;
    int64_t expected;
};
struct told entry_told(const struct entry *entry, enum collector collector);

struct expo_labels entry_labels(const struct entry *entry);

/* A family with one block of samples a namespace, written anew for each generation. */
struct namespace_family {
    struct family family;
    void (*emit)(struct expo *e, const char *name, const struct entry *entry, int64_t now_mono_ms);
};

/* Sums over the namespace. */
enum {
    SUM_DEPLOYMENTS,
    SUM_DRAFTS,
    SUM_JOBS,
    SUM_EVENTS, /* one for each kind of event, in its order */
    SUM_REDUCTIONS = SUM_EVENTS + JOB_EVENT_END,
    SUM_ADDED,
    SUM_REMOVED,
    SUM_FAMILIES,
};
extern const struct namespace_family sum_families[SUM_FAMILIES];

/* Of tickets. */
#define TICKET_FAMILIES 9
extern const struct namespace_family ticket_families[TICKET_FAMILIES];

/* The health of the refreshes, and what their requests cost. */
#define HEALTH_FAMILIES 20
extern const struct namespace_family health_families[HEALTH_FAMILIES];

#endif
