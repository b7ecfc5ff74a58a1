#include "model/deployment.h"

#include <stdbool.h>
#include <string.h>

static bool differ(const char *a, const char *b)
{
    return a != b && strcmp(a, b) != 0;
}

static bool properties_differ(const struct deployment *a, const struct deployment *b)
{
    return differ(a->execution_mode, b->execution_mode) ||
           differ(a->engine_version, b->engine_version) ||
           differ(a->artifact_kind, b->artifact_kind) || differ(a->target, b->target) ||
           differ(a->target_mode, b->target_mode) ||
           differ(a->resource_setting_mode, b->resource_setting_mode) ||
           differ(a->draft_id, b->draft_id);
}

static bool labels_differ(const struct deployment *a, const struct deployment *b)
{
    if (a->n_labels != b->n_labels)
        return true;
    for (size_t i = 0; i < a->n_labels; i++)
        if (differ(a->labels[i].name, b->labels[i].name) ||
            differ(a->labels[i].value, b->labels[i].value))
            return true;
    return false;
}

enum deployment_status deployment_summary_status(const int64_t *jobs)
{
    enum deployment_status status = STATUS_UNKNOWN;

    if (jobs[JOB_RUNNING] > 0)
        return STATUS_RUNNING;
    if (jobs[JOB_RUNNING] < 0)
        return STATUS_UNKNOWN;
    if (jobs[JOB_STARTING] > 0 || jobs[JOB_CANCELLING] > 0)
        return STATUS_TRANSITIONING;
    if (jobs[JOB_STARTING] < 0 || jobs[JOB_CANCELLING] < 0)
        return STATUS_UNKNOWN;
    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t n = jobs[job_event_state((enum job_event)e)];

        if (n < 0 || (n > 0 && status != STATUS_UNKNOWN))
            return STATUS_UNKNOWN;
        if (n > 0)
            status = job_event_status((enum job_event)e);
    }
    return status;
}

unsigned deployment_differences(const struct deployment *a, const struct deployment *b)
{
    unsigned parts = 0;

    if (differ(a->id, b->id) || differ(a->name, b->name))
        parts |= DEPLOYMENT_IDENTITY;
    if (properties_differ(a, b))
        parts |= DEPLOYMENT_PROPERTIES;
    if (memcmp(a->jobs, b->jobs, sizeof(a->jobs)) != 0)
        parts |= DEPLOYMENT_JOBS;
    if (a->created_unix_s != b->created_unix_s || a->modified_unix_s != b->modified_unix_s)
        parts |= DEPLOYMENT_TIMES;
    if (a->parallelism != b->parallelism || a->max_slots != b->max_slots ||
        a->jobmanager_cpu != b->jobmanager_cpu || a->taskmanager_cpu != b->taskmanager_cpu ||
        a->jobmanager_memory != b->jobmanager_memory ||
        a->taskmanager_memory != b->taskmanager_memory)
        parts |= DEPLOYMENT_RESOURCES;
    if (a->has_changes != b->has_changes)
        parts |= DEPLOYMENT_HAS_CHANGES;
    if (labels_differ(a, b))
        parts |= DEPLOYMENT_LABELS;
    if (a->content_hash != b->content_hash)
        parts |= DEPLOYMENT_CONTENT;
    if (memcmp(a->events, b->events, sizeof(a->events)) != 0 ||
        a->last_failure_unix_s != b->last_failure_unix_s)
        parts |= DEPLOYMENT_EVENTS;
    if (a->status != b->status)
        parts |= DEPLOYMENT_STATUS;
    return parts;
}
