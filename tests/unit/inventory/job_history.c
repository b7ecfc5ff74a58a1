#include "job_history.h"

#include <string.h>

int64_t random_below(uint64_t *random, int64_t n)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (int64_t)(*random % (uint64_t)n);
}

size_t job_history_active(const struct job_history *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_jobs; i++)
        n += r->job[i] == STATUS_RUNNING;
    return n;
}

enum deployment_status job_history_newest(const struct job_history *r)
{
    return r->n_jobs > 0 ? r->job[r->n_jobs - 1] : STATUS_UNKNOWN;
}

static struct job_counts *counts_of(struct job_history *r, enum deployment_status status)
{
    int e = 0;

    while (job_event_status((enum job_event)e) != status)
        e++;
    return &r->jobs[e];
}

bool job_history_purge(struct job_history *r, uint64_t *random)
{
    size_t first = r->n_jobs > 1 ? (size_t)random_below(random, (int64_t)r->n_jobs - 1) : 0;

    for (size_t i = 0; i + 1 < r->n_jobs; i++) {
        size_t at = (first + i) % (r->n_jobs - 1);

        if (r->job[at] == STATUS_RUNNING)
            continue;
        counts_of(r, r->job[at])->purged++;
        memmove(&r->job[at], &r->job[at + 1], (r->n_jobs - at - 1) * sizeof(r->job[0]));
        r->n_jobs--;
        return true;
    }
    return false;
}

void job_history_start(struct job_history *r, uint64_t *random)
{
    if (job_history_active(r) == r->most_active ||
        (r->n_jobs == JOB_RECORD_MAX && !job_history_purge(r, random)))
        return;
    r->job[r->n_jobs++] = STATUS_RUNNING;
}

void job_history_end(struct job_history *r, uint64_t *random)
{
    size_t first;

    if (job_history_active(r) == 0)
        job_history_start(r, random);
    first = (size_t)random_below(random, (int64_t)r->n_jobs);
    for (size_t i = 0; i < r->n_jobs; i++) {
        enum deployment_status *job = &r->job[(first + i) % r->n_jobs];

        if (*job == STATUS_RUNNING) {
            *job = random_below(random, 2) == 0
                       ? STATUS_FAILED
                       : job_event_status((enum job_event)random_below(random, JOB_EVENT_END));
            counts_of(r, *job)->ended++;
            return;
        }
    }
}
