#include "refresh.h"

#include <stdlib.h>

#include "base/clock.h"
#include "jobs.h"
#include "names.h"
#include "statuses.h"
#include "tickets.h"

void job_release(struct job *job)
{
    ticket_set_unref(job->tickets);
    records_unref(job->records);
    job_set_unref(job->jobs);
    credentials_unref(job->credentials);
    conf_unref(job->conf);
    *job = (struct job){0};
}

void job_result_release(struct job_result *result)
{
    listing_free(TAKE(result->listing));
    ticket_set_unref(TAKE(result->tickets));
    job_set_unref(TAKE(result->jobs));
}

static int list_selected(struct api_client *client, const struct job *job,
                         const struct api_request *request, struct job_result *ret)
{
    const struct target *target = job->target;

    if (target->n_deployment_names == 0)
        return api_client_list_deployments(client, request, &ret->listing, &ret->stats, &ret->err);
    if (api_client_list_deployments_by_name(client, request, job->without, &ret->listing,
                                            &ret->stats, &ret->err) < 0 ||
        find_missing_names(target, ret->listing, &ret->missing, &ret->err) < 0)
        return -1;
    return 0;
}

static int list_deployments(struct api_client *client, const struct job *job,
                            const struct api_request *request, struct job_result *ret)
{
    if (list_selected(client, job, request, ret) < 0)
        return -1;
    if (statuses_ask(client, request, job, ret) < 0) {
        ret->err = ret->lists.err;
        return -1;
    }
    return 0;
}

static int run(struct api_client *client, const struct job *job, const struct api_request *request,
               struct job_result *ret)
{
    switch (job->collector) {
    case COLLECTOR_DEPLOYMENTS:
        return list_deployments(client, job, request, ret);
    case COLLECTOR_DRAFTS:
        return api_client_list_drafts(client, request, &ret->listing, &ret->stats, &ret->err);
    case COLLECTOR_TICKETS:
        return tickets_refresh(client, request, job->tickets, ret);
    case COLLECTOR_JOBS:
        return jobs_refresh(client, request, job->records, job->jobs, ret);
    case COLLECTOR_END:
        break;
    }
    return err_set(&ret->err, ERR_INTERNAL, "there is no such collector");
}

void refresh_run(struct api_client *client, const struct job *job, struct job_result *ret)
{
    int64_t began_mono_ms = clock_mono_ms();
    const struct api_request request = {
        .target = job->target,
        .namespace_name = job->namespace_name,
        .credentials = job->credentials,
        .deadline_mono_ms = began_mono_ms + job->target->deadline_ms,
    };

    *ret = (struct job_result){.watch_id = job->watch_id,
                               .status_lists = job->status_lists,
                               .began_unix_ms = clock_unix_ms(),
                               .began_mono_ms = began_mono_ms};
    if (run(client, job, &request, ret) == 0)
        ret->err.kind = ERR_NONE;
    else
        listing_free(TAKE(ret->listing));
    ret->ended_mono_ms = clock_mono_ms();
    ret->ended_unix_ms = clock_unix_ms();
}
