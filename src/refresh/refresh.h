/*
 * One refresh of one collector of a namespace, from the request to the outcome, as a worker runs
 * it.
 */
#ifndef REFRESH_H
#define REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "api/client.h"
#include "conf/conf.h"
#include "model/job.h"
#include "model/listing.h"
#include "model/records.h"
#include "model/ticket.h"

/* Of target->deployment_names those that no deployment has. */
struct missing_names {
    size_t n;
    uint64_t hash;   /* of all of them; 0 = none */
    char names[256]; /* the first of them, for a sentence */
};

/* Tickets, or deployments, that something went wrong with, which is no failure of the refresh. */
struct trouble {
    uint64_t n;
    struct err err; /* of the first */
};

/* The lists of a status, read besides the deployments. */
struct status_trouble {
    bool asked;     /* for at least one of them */
    struct err err; /* why one could not be read; ERR_NONE = all were */
};

/* What to refresh. The job holds a reference of the conf that target belongs to. */
struct job {
    uint64_t watch_id;
    struct conf *conf;
    const struct target *target;
    const char *namespace_name;
    enum collector collector;
    unsigned without;                /* API_WITHOUT_*, for deployments by name */
    unsigned status_lists;           /* STATUS_BITs: those that may be asked for, if need be */
    struct ticket_set *tickets;      /* the set before: a reference; NULL = none */
    struct records *records;         /* for jobs: the deployments, a reference; NULL = no listing */
    struct job_set *jobs;            /* the set before: a reference; NULL = none */
    struct credentials *credentials; /* a reference */
};
void job_release(struct job *job);

/* How it ended. */
struct job_result {
    uint64_t watch_id;
    struct listing *listing;    /* deployments, drafts; NULL = failed, see err */
    struct ticket_set *tickets; /* a reference; of a refresh that failed, too: what it learned */
    struct job_set *jobs;       /* likewise; NULL also where there was no listing */
    struct err err;             /* ERR_NONE = success */
    struct missing_names missing;
    unsigned status_lists; /* as in the job */
    struct status_trouble lists;
    struct trouble unread; /* whose answers told nothing, while others did */
    struct trouble stuck;  /* whose files cannot be removed */
    struct api_stats stats;
    int64_t began_unix_ms;
    int64_t began_mono_ms;
    int64_t ended_mono_ms;
    int64_t ended_unix_ms;
};

/* Drops what the result holds. */
void job_result_release(struct job_result *result);

/* Blocks up to the target's deadline. Always fills *ret; never touches the scheduler's state. */
void refresh_run(struct api_client *client, const struct job *job, struct job_result *ret);

#endif
