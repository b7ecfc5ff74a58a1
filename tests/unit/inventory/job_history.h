/*
 * The jobs of one deployment as they really are, one by one, for tests that know better than the
 * counts. random is a state of xorshift, never 0.
 */
#ifndef JOB_RECORD_H
#define JOB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/deployment.h"

#define JOB_RECORD_MAX 12

struct job_counts {
    int64_t ended, purged;
};

struct job_history {
    struct job_counts jobs[JOB_EVENT_END];      /* since ever */
    enum deployment_status job[JOB_RECORD_MAX]; /* those on record, the newest last */
    size_t n_jobs;
    size_t most_active; /* at once */
};

int64_t random_below(uint64_t *random, int64_t n);

size_t job_history_active(const struct job_history *r);
/* STATUS_UNKNOWN = there is none. */
enum deployment_status job_history_newest(const struct job_history *r);

/* Any job that ended, but for the newest. False if there is none. */
bool job_history_purge(struct job_history *r, uint64_t *random);
/* One more, if it may have one; where there is no room another one is purged. */
void job_history_start(struct job_history *r, uint64_t *random);
/* Any one that runs fails, is cancelled or finishes; it is started before if none runs. */
void job_history_end(struct job_history *r, uint64_t *random);

#endif
