/*
 * A worker: one thread with its own connections that runs one refresh at a time.
 *
 * The scheduler thread gives it jobs and takes results; they share the scheduler's mutex. Which
 * worker is free is the scheduler's to know: it gives only to a worker whose result it has taken.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "api/client.h"
#include "refresh.h"

/* What workers share with the scheduler: the mutex over all job and result slots, and its bell. */
struct bell {
    pthread_mutex_t mu;
    pthread_cond_t wake; /* rung for the scheduler thread */
    bool rung;
};

struct worker;

int worker_start(struct bell *bell, struct api_session *session, struct worker **ret,
                 struct err *err) MUST_CHECK;

/* Hands the job over (consumed). Scheduler thread, without the lock. */
void worker_give(struct worker *worker, struct job *job);

/* Ends the refresh under way within milliseconds; its result comes as ERR_STOPPED. */
void worker_abort(struct worker *worker);

/* True and *ret if the worker has finished a job since; it is free from then on. */
bool worker_take_result(struct worker *worker, struct job_result *ret);

/* Aborts what it does, joins it, frees it. */
void worker_ask_to_stop(struct worker *worker);
void worker_join(struct worker *worker);

#endif
