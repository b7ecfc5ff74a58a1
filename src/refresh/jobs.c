#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "job_plan.h"

enum {
    FAILURES_LOGGED = 20, /* of one refresh */
    TEXT_LOGGED = 400,    /* bytes of a message */
};

/* Why a job failed is said here: no label has room for it. */
static void log_failure(const struct api_request *request, const struct job_ask *ask,
                        const struct deployment_jobs *jobs, enum log_level level)
{
    char at[CLOCK_ISO8601_LEN] = "";
    size_t len = utf8_prefix_len(jobs->message, strlen(jobs->message), TEXT_LOGGED);

    if (jobs->failed_unix_s > 0)
        clock_format_iso8601(at, jobs->failed_unix_s * 1000, 0);
    log_write(level,
              LOG_FIELDS({"target", request->target->name}, {"namespace", request->namespace_name},
                         {"deployment", jobs->id}, {"name", ask->name}, {"job", jobs->failed_id},
                         {"failed_at", *at ? at : NULL},
                         {"reason", *jobs->reason ? jobs->reason : NULL}),
              "a job of the deployment failed%s%.*s", len > 0 ? ": " : "", (int)len, jobs->message);
}

struct asking {
    const struct api_request *request;
    struct job_plan *plan;
    struct api_jobs_question *questions; /* by ask */
    size_t n_news;
};

static void learn(struct asking *a, size_t i)
{
    const struct job_ask *ask = &a->plan->asks[i];
    const struct api_jobs_question *question = &a->questions[i];
    const struct deployment_jobs *item = &a->plan->items[ask->item];
    bool had_answer = item->answered_unix_ms > 0, news;

    news =
        job_plan_learn(a->plan, ask, question->fate == API_JOBS_ANSWERED ? &question->jobs : NULL,
                       question->asked_mono_ms, question->asked_unix_ms);
    if (news && a->n_news++ < FAILURES_LOGGED)
        log_failure(a->request, ask, item, LOG_WARN);
    else if (!news && !had_answer && *item->failed_id)
        log_failure(a->request, ask, item, LOG_DEBUG);
}

static void take_answers(struct asking *a, struct job_result *ret)
{
    for (size_t i = 0; i < a->plan->n_asks; i++) {
        switch (a->questions[i].fate) {
        case API_JOBS_UNASKED:
            break;
        case API_JOBS_ANSWERED:
        case API_JOBS_ABSENT:
            learn(a, i);
            break;
        case API_JOBS_REFUSED:
            job_plan_no_answer(a->plan, &a->plan->asks[i]);
            ret->unread.n++;
            break;
        }
    }
    if (a->n_news > FAILURES_LOGGED)
        log_warn(LOG_FIELDS({"target", a->request->target->name},
                            {"namespace", a->request->namespace_name}),
                 "jobs of %zu more deployments failed", a->n_news - FAILURES_LOGGED);
}

static int ask_all(struct api_client *client, struct asking *a, struct job_result *ret)
{
    const struct job_plan *plan = a->plan;
    int rc;

    for (size_t i = 0; i < plan->n_asks; i++) {
        int page_size = plan->asks[i].page_size;

        if (page_size > a->request->target->page_size)
            page_size = a->request->target->page_size;
        a->questions[i] = (struct api_jobs_question){
            .deployment_id = plan->items[plan->asks[i].item].id, .page_size = page_size};
    }
    rc = api_client_list_jobs(client, a->request, a->questions, plan->n_asks, plan->set->arena,
                              &ret->unread.err, &ret->stats, &ret->err);
    take_answers(a, ret);
    if (rc == 0 && ret->unread.n > 0 && plan->set->answered == 0) {
        ret->err = ret->unread.err; /* nothing was learned of any of them */
        return -1;
    }
    return rc;
}

int jobs_refresh(struct api_client *client, const struct api_request *request,
                 const struct records *records, const struct job_set *before,
                 struct job_result *ret)
{
    CLEANUP(job_plan_release) struct job_plan plan = {0};
    CLEANUP(freep) struct api_jobs_question *questions = NULL;
    struct asking asking = {.request = request, .plan = &plan};
    int rc = 0;

    if (!records)
        return 0;
    if (job_plan_make(records, before, request->target->max_job_requests, clock_unix_ms() / 1000,
                      &plan, &ret->err) < 0)
        return -1;
    questions = calloc(plan.n_asks + 1, sizeof(*questions));
    if (!questions)
        return err_nomem(&ret->err, "the jobs of deployments");
    asking.questions = questions;
    if (plan.n_asks > 0)
        rc = ask_all(client, &asking, ret);
    ret->jobs = TAKE(plan.set);
    return rc;
}
