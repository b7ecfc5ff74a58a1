/*
 * Stand-ins for the API client, credentials and configuration that the scheduler works with. The
 * linker takes these before it looks into the libraries.
 *
 * A namespace answers by its mode, which a test may change at any time. All functions are for any
 * thread; none fails a test by itself.
 */
#ifndef FAKE_API_H
#define FAKE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "model/job.h"
#include "model/target.h"
#include "model/ticket.h"

/* --- configuration --- */

#define FAKE_TARGETS    100
#define FAKE_NAMESPACES 3 /* of one target, at most */

/* Fill in, then fake_conf_new copies it. Strings are borrowed for ever. */
struct fake_settings {
    struct target targets[FAKE_TARGETS];
    const char *namespaces[FAKE_TARGETS][FAKE_NAMESPACES];
    size_t credentials_of[FAKE_TARGETS]; /* index below */
    size_t n_targets;
    struct credentials_spec credentials[2];
    size_t n_credentials;
    struct glob_list deny;
    enum conf_aggregation aggregation;
    bool draft_lock_holder;
};

/* n targets "t0", "t1", ... in workspace "w", each with one namespace "n0", "n1", ... */
void fake_settings_init(struct fake_settings *settings, size_t n);
/* One reference; NULL when memory is out. */
struct conf *fake_conf_new(const struct fake_settings *settings);
/* Configurations and credentials that have references. */
int fake_confs_alive(void);
int fake_credentials_alive(void);

/* --- the control plane --- */

enum fake_mode {
    FAKE_SUCCEED,
    FAKE_FAIL,
    FAKE_HANG, /* until the mode changes, or the client is stopped */
};

/*
 * Deployments are known by their namespace's name alone, drafts as "n0:drafts", deployments by name
 * as "n0:names", tickets as "n0:tickets", deployments selected by status as "n0:FAILED".
 */
/* What a namespace saw. */
struct fake_seen {
    unsigned begun;
    unsigned ended;
    unsigned running;
    unsigned most_running; /* at once */
    char endpoint[64];     /* of the last one that began */
    int64_t deadline_left_ms;
    unsigned without; /* of deployments by name */
};

/* Forgets everything; every namespace succeeds with one deployment. */
void fake_reset(void);
/* NULL = every namespace, those not yet heard of too. */
void fake_set_mode(const char *namespace_name, enum fake_mode mode);
void fake_set_items(const char *namespace_name, size_t n_items);
/* The summary of all its deployments; without one, no job was ever there. */
void fake_set_summary(const char *namespace_name, int64_t running, int64_t failed,
                      int64_t cancelled);
/*
 * What is answered about a ticket from now on; a kind other than ERR_NONE is an error instead.
 * Tickets nobody set are executing.
 */
void fake_set_ticket(const char *id, enum err_kind kind, enum ticket_status status, int8_t success);
/* How often a ticket was asked for. */
unsigned fake_ticket_asked(const char *id);
/* So many jobs run in each deployment that is listed from now on. */
void fake_set_running(int64_t running);
/*
 * What is answered about a deployment's jobs from now on, strings borrowed for ever; a kind other
 * than ERR_NONE is an error instead. Deployments nobody set have one running job. "n0:jobs" is what
 * a namespace saw of such requests.
 */
void fake_set_jobs(const char *deployment_id, enum err_kind kind,
                   const struct deployment_jobs *jobs);
/* How often a deployment was asked for its jobs. */
unsigned fake_jobs_asked(const char *deployment_id);
/* How long an answer takes. */
void fake_set_delay_ms(int64_t delay_ms);
/* New clients cannot be made any more, or again. */
void fake_refuse_clients(bool refuse);

struct fake_seen fake_seen(const char *namespace_name);
/* Over all namespaces. */
struct fake_seen fake_seen_all(void);

#endif
