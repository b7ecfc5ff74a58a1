#include "refresh.h"

#include <stdlib.h>

#include "base/clock.h"

void job_release(struct job *job)
{
    credentials_unref(job->credentials);
    conf_unref(job->conf);
    *job = (struct job){0};
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

    *ret = (struct job_result){.watch_id = job->watch_id, .began_mono_ms = began_mono_ms};
    if (api_client_list_deployments(client, &request, &ret->listing, &ret->stats, &ret->err) < 0)
        ret->listing = NULL;
    ret->ended_mono_ms = clock_mono_ms();
    ret->ended_unix_ms = clock_unix_ms();
}
