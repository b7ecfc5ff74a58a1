/*
 * The jobs of deployments, one by one: what ListJobs tells of a job, and what is kept of all jobs
 * of a deployment, which jobSummary only counts.
 *
 * What is kept of a namespace is a set: a worker makes a new one out of the set before and what it
 * learned; a set is frozen once made and counted, any thread may read it.
 */
#ifndef MODEL_JOB_H
#define MODEL_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "model/deployment.h"

/* Bytes kept of why a job failed. A stack trace is longer; what it is about stands in front. */
#define JOB_MESSAGE_MAX 1024

/*
 * One job as the control plane listed it, in an arena. Strings are valid UTF-8 and never NULL; all
 * but the message are cut to LABEL_VALUE_MAX.
 */
struct job_record {
    const char *id; /* first, see model/listing.h */
    const char *deployment_id;
    const char *status;     /* lower case, as it came; nothing says which there are */
    bool active;            /* it has begun, or is about to, and has not ended */
    int64_t created_unix_s; /* times are 0 where they are not told */
    int64_t started_unix_s;
    int64_t ended_unix_s;
    int64_t restarts; /* observedFlinkJobRestarts, -1 = not told */
    double cpu;       /* cores in use, negative = not told */
    int64_t memory;   /* bytes in use, -1 = not told */
    bool failed;
    int64_t failed_unix_s;
    const char *reason; /* of a failure; "" = not told */
    const char *message;
};

/* What is known of one deployment's jobs. Strings are never NULL; "" = none, or not told. */
struct deployment_jobs {
    const char *id; /* of the deployment */
    /*
     * What was known of it when it was answered for last: the counts of its summary. Of one that
     * was never answered for, those it had when it was noticed.
     */
    int64_t summary[JOB_STATE_END];
    uint64_t asked; /* number of the request about it that was last, answered or not; 0 = none */
    /* When what was answered last had been asked: it need not know of what happened later. */
    int64_t answered_mono_ms;
    int64_t answered_unix_ms; /* 0 = never: nothing below is known */

    /* Of the active jobs; all of it none, 0 or -1 where there is no active one. */
    uint32_t n_active;
    const char *current_id;     /* of the newest of them */
    const char *current_status; /* likewise */
    int64_t started_unix_s;     /* likewise */
    int64_t restarts;           /* the most that one of them has */
    double cpu;                 /* of all of them */
    int64_t memory;             /* likewise */

    /* The newest failed job. What was seen once stays, whoever purges it. */
    const char *failed_id;
    int64_t failed_unix_s;
    const char *reason;
    const char *message;
    bool failure_uncounted; /* summary does not count it: it was seen before a listing did */
    bool failure_outdated; /* a later one was counted and has not been seen: that is not the last */
};

/* How many a summary calls active; -1 = none, as far as it tells, and it does not tell all. */
int64_t deployment_jobs_active(const int64_t summary[JOB_STATE_END]);

/* Tells nothing yet. */
struct deployment_jobs deployment_jobs_none(const char *id);

/*
 * What the jobs, in any order, say of the deployment: all that comes from an answer. Strings are
 * the records'. Of jobs that are as old as each other the first one counts as the newest: that is
 * how they are listed.
 */
void deployment_jobs_read(struct deployment_jobs *ret, const struct job_record *jobs, size_t n);

/* Copies all strings to the arena. -1 when there is no memory. */
int deployment_jobs_keep(struct deployment_jobs *jobs, struct arena *arena) MUST_CHECK;

/* Forgets what is known of active jobs. */
void deployment_jobs_end(struct deployment_jobs *jobs);

/*
 * When the last failure was: exactly where that is known, else as the listing told it, in which it
 * was seen first (0 = never). jobs may be NULL.
 */
int64_t deployment_jobs_failure_unix_s(const struct deployment_jobs *jobs, int64_t listed_unix_s);

struct job_set {
    atomic_uint refs;
    struct arena *arena;                 /* in which the set itself lies */
    const struct deployment_jobs *items; /* sorted by id, ids unique */
    size_t n_items;
    int64_t since_unix_s; /* when the first of the row of sets was made */
    uint64_t requests;    /* made in all, since then: the number of the last one */
    uint64_t wanted;      /* deployments to be asked for in this refresh */
    uint64_t answered;    /* of these, those that were */
};

struct job_set *job_set_new(void);
const struct deployment_jobs *job_set_find(const struct job_set *set, const char *id);
struct job_set *job_set_ref(struct job_set *set);
void job_set_unref(struct job_set *set);
void job_set_unrefp(struct job_set **set);

/*
 * Looking ids up that come in their order, which costs one pass over the set in all. The cursor is
 * 0 at first. NULL where there is none; set may be NULL.
 */
const struct deployment_jobs *job_set_next(const struct job_set *set, size_t *cursor,
                                           const char *id);

#endif
