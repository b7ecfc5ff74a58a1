#include "model/job.h"

#include <string.h>

int64_t deployment_jobs_active(const int64_t summary[JOB_STATE_END])
{
    static const enum job_state states[] = {JOB_STARTING, JOB_RUNNING, JOB_CANCELLING};
    int64_t active = 0;
    bool untold = false;

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (summary[states[i]] < 0)
            untold = true;
        else
            active += summary[states[i]]; /* each is at most 2^53 */
    }
    return active == 0 && untold ? -1 : active;
}

struct deployment_jobs deployment_jobs_none(const char *id)
{
    struct deployment_jobs jobs = {.id = id, .failed_id = "", .reason = "", .message = ""};

    for (int state = 0; state < JOB_STATE_END; state++)
        jobs.summary[state] = -1;
    deployment_jobs_end(&jobs);
    return jobs;
}

void deployment_jobs_end(struct deployment_jobs *jobs)
{
    jobs->n_active = 0;
    jobs->current_id = jobs->current_status = "";
    jobs->started_unix_s = 0;
    jobs->restarts = jobs->memory = -1;
    jobs->cpu = -1;
}

/* --- of an answer --- */

static int64_t born(const struct job_record *job)
{
    return job->created_unix_s > 0 ? job->created_unix_s : job->started_unix_s;
}

static int64_t died(const struct job_record *job)
{
    if (job->failed_unix_s > 0)
        return job->failed_unix_s;
    return job->ended_unix_s > 0 ? job->ended_unix_s : born(job);
}

static void add_active(struct deployment_jobs *ret, const struct job_record *job)
{
    ret->n_active++;
    if (job->restarts > ret->restarts)
        ret->restarts = job->restarts;
    if (job->cpu >= 0)
        ret->cpu = (ret->cpu > 0 ? ret->cpu : 0) + job->cpu;
    /* Each is below 2^53, and a page has some hundred jobs. */
    if (job->memory >= 0)
        ret->memory = (ret->memory > 0 ? ret->memory : 0) + job->memory;
}

void deployment_jobs_read(struct deployment_jobs *ret, const struct job_record *jobs, size_t n)
{
    const struct job_record *current = NULL, *failed = NULL;

    deployment_jobs_end(ret);
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].active) {
            add_active(ret, &jobs[i]);
            if (!current || born(&jobs[i]) > born(current))
                current = &jobs[i];
        }
        if (jobs[i].failed && (!failed || died(&jobs[i]) > died(failed)))
            failed = &jobs[i];
    }
    if (current) {
        ret->current_id = current->id;
        ret->current_status = current->status;
        ret->started_unix_s = current->started_unix_s;
    }
    ret->failed_id = failed ? failed->id : "";
    ret->failed_unix_s = failed ? failed->failed_unix_s : 0;
    ret->reason = failed ? failed->reason : "";
    ret->message = failed ? failed->message : "";
}

static const char *keep(struct arena *arena, const char *s)
{
    return *s ? arena_strdup(arena, s) : "";
}

int deployment_jobs_keep(struct deployment_jobs *jobs, struct arena *arena)
{
    jobs->id = keep(arena, jobs->id);
    jobs->current_id = keep(arena, jobs->current_id);
    jobs->current_status = keep(arena, jobs->current_status);
    jobs->failed_id = keep(arena, jobs->failed_id);
    jobs->reason = keep(arena, jobs->reason);
    jobs->message = keep(arena, jobs->message);
    return jobs->id && jobs->current_id && jobs->current_status && jobs->failed_id &&
                   jobs->reason && jobs->message
               ? 0
               : -1;
}

/*
 * The listing saw a failure at some time after it was, at most an interval later. What was asked
 * since is about that one, and so is what lies after the listing; what was asked before is about
 * one before.
 */
int64_t deployment_jobs_failure_unix_s(const struct deployment_jobs *jobs, int64_t listed_unix_s)
{
    if (!jobs || jobs->failed_unix_s == 0 || jobs->failure_outdated)
        return listed_unix_s;
    if (jobs->failed_unix_s > listed_unix_s || jobs->answered_unix_ms / 1000 >= listed_unix_s)
        return jobs->failed_unix_s;
    return listed_unix_s;
}

/* --- sets --- */

struct job_set *job_set_new(void)
{
    struct arena *arena = arena_new();
    struct job_set *set = arena ? arena_calloc(arena, 1, sizeof(*set)) : NULL;

    if (!set) {
        arena_free(arena);
        return NULL;
    }
    atomic_init(&set->refs, 1);
    set->arena = arena;
    return set;
}

const struct deployment_jobs *job_set_next(const struct job_set *set, size_t *cursor,
                                           const char *id)
{
    for (; set && *cursor < set->n_items; ++*cursor) {
        int order = strcmp(set->items[*cursor].id, id);

        if (order == 0)
            return &set->items[*cursor];
        if (order > 0)
            break;
    }
    return NULL;
}

const struct deployment_jobs *job_set_find(const struct job_set *set, const char *id)
{
    size_t first = 0, end = set ? set->n_items : 0;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(set->items[middle].id, id);

        if (order == 0)
            return &set->items[middle];
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

struct job_set *job_set_ref(struct job_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void job_set_unref(struct job_set *set)
{
    /* The set lies in its own arena. */
    if (set && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1)
        arena_free(set->arena);
}

void job_set_unrefp(struct job_set **set)
{
    job_set_unref(*set);
}
