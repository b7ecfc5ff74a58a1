/*
 * Which deployments are asked for their jobs, and in which order: rules without network or clock.
 *
 * A request tells of one deployment, so only those are asked for that have something to tell, and
 * no more of them in one refresh than the budget admits:
 *
 *  - news: the summary is not what it was at the last answer, and it has jobs that are active or
 *    failed; or it has and had none when it was looked at last;
 *  - running: it has active jobs, whose restarts no summary tells;
 *  - the past: it has failed jobs that were there when the watch began.
 *
 * Of ten requests news gets five, the running four, the past one; what one of them has no use for
 * goes to the others. Within each, who was not asked for longest comes first. So whatever happens
 * elsewhere, with a budget of 10 * B each of N running deployments is asked for in one of
 * N / (4 * B) refreshes, rounded up.
 */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "model/job.h"
#include "model/records.h"

/* A page has so many jobs, and the deployment's active ones beside them, up to the API's limit. */
#define JOB_PLAN_PAGE     10
#define JOB_PLAN_PAGE_MAX 100

/* One deployment that is to be asked for. */
struct job_ask {
    size_t item;
    const char *name; /* of the deployment; the records' */
    int64_t summary[JOB_STATE_END];
    int page_size;
};

/* A set in the making, items are the set's own; and what is to be asked, in that order. */
struct job_plan {
    struct job_set *set;
    struct deployment_jobs *items;
    struct job_ask *asks;
    size_t n_asks;
};

/*
 * Goes on from the set before (NULL = none) with the deployments of the records: those that left go
 * out, those that are of interest come in, those without active jobs have none. wanted of the set
 * says how many there would be to ask for without the budget. -1 only when memory is out.
 */
int job_plan_make(const struct records *records, const struct job_set *before, int64_t budget,
                  int64_t now_unix_s, struct job_plan *ret, struct err *err) MUST_CHECK;
void job_plan_release(struct job_plan *plan);

/*
 * What was answered about ask's deployment to what was asked at that time: jobs, whose strings the
 * set's arena holds; NULL = there is no such deployment. True if a job failed that is news: since
 * the watch began, and not told before.
 */
bool job_plan_learn(struct job_plan *plan, const struct job_ask *ask,
                    const struct deployment_jobs *jobs, int64_t asked_mono_ms,
                    int64_t asked_unix_ms);
/* It was asked for, and nothing can be told from the answer: the others come first next time. */
void job_plan_no_answer(struct job_plan *plan, const struct job_ask *ask);

#endif
