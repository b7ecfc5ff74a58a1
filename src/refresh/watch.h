/*
 * The watches: one record for each collector of each namespace of the configuration in force, with
 * its timetable and the credentials it signs with. Those of one namespace share an entry of the
 * inventory. Scheduler thread only.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/credentials.h"
#include "api/session.h"
#include "conf/conf.h"
#include "inventory/inventory.h"
#include "timetable.h"

struct watch {
    uint64_t id; /* the same over reloads; never used twice */
    const struct target *target;
    const char *namespace_name;
    enum collector collector;
    size_t entry;                    /* of the inventory */
    unsigned without;                /* parts of deployments nobody reads: API_WITHOUT_* */
    bool asks_status;                /* lists of a status may be asked for, see statuses.h */
    unsigned ended_in;               /* refreshes until those cancelled or finished are, too */
    struct credentials *credentials; /* borrowed from the set */
    struct timetable timetable;
    size_t worker; /* that refreshed it last and may still hold its connection; SIZE_MAX = none */
    bool running;
    bool outdated; /* the refresh under way reads what the configuration no longer asks for */
    bool tried;
    bool failing;
    bool total_size_lies; /* as logged last */
    bool withheld;        /* likewise */
    bool over_limit;      /* likewise */
    uint64_t invalid;     /* likewise */
    uint64_t missing;     /* likewise: which deployment_names nobody has, as a hash; 0 = none */
    bool lists_fail;      /* likewise: lists of a status */
    uint64_t unread;      /* likewise: tickets, or deployments, whose answers could not be read */
    uint64_t stuck;       /* likewise: tickets whose files cannot be removed */
    enum err_kind reason; /* of the failure that was logged */
};

/* A configuration put to work. */
struct watch_set {
    struct conf *conf;                   /* a reference */
    struct credentials_pool credentials; /* of conf->credentials, those that are used */
    struct watch *watches;               /* in the order of the configuration */
    size_t n_watches;
    struct inventory_watch *entries; /* the namespaces, in the order of the configuration */
    size_t n_entries;
};

/* What the inventory is to leave out. deny is borrowed from conf. */
struct inventory_settings watch_settings(const struct conf *conf);

void watch_set_release(struct watch_set *set);

/*
 * Makes the set for a new configuration. Watches of old (may be NULL) that stay keep id, timetable
 * and state; those whose target reads differently now are due at once; new ones are due within a
 * short spread. Takes a reference of conf; old is unchanged. session: see credentials_new.
 */
int watch_set_make(struct conf *conf, const struct watch_set *old, struct api_session *session,
                   int64_t now_mono_ms, uint64_t *next_id, struct watch_set *ret,
                   struct err *err) MUST_CHECK;

/* The lists of a status that its next refresh may ask for: STATUS_BITs. */
unsigned watch_status_lists(const struct watch *w);

/*
 * A refresh that might ask for these lists succeeded. failed: one of them could not be read; open:
 * a status is open that was not before.
 */
void watch_note_lists(struct watch *w, unsigned lists, bool failed, bool open);

struct watch *watch_find(const struct watch_set *set, uint64_t id);

#endif
