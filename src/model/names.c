#include "model/deployment.h"
#include "model/listing.h"
#include "model/target.h"

#include <assert.h>

const char *job_state_name(enum job_state state)
{
    static const char *const names[JOB_STATE_END] = {
        [JOB_STARTING] = "starting",   [JOB_RUNNING] = "running",   [JOB_CANCELLING] = "cancelling",
        [JOB_CANCELLED] = "cancelled", [JOB_FINISHED] = "finished", [JOB_FAILED] = "failed",
    };
    assert(state < JOB_STATE_END);
    return names[state];
}

enum job_state job_event_state(enum job_event event)
{
    static const enum job_state states[JOB_EVENT_END] = {
        [JOB_EVENT_FAILURE] = JOB_FAILED,
        [JOB_EVENT_CANCELLATION] = JOB_CANCELLED,
        [JOB_EVENT_COMPLETION] = JOB_FINISHED,
    };
    assert(event < JOB_EVENT_END);
    return states[event];
}

const char *deployment_status_name(enum deployment_status status)
{
    static const char *const names[STATUS_END] = {
        [STATUS_UNKNOWN] = "unknown",
        [STATUS_RUNNING] = "running",
        [STATUS_TRANSITIONING] = "transitioning",
        [STATUS_FAILED] = "failed",
        [STATUS_CANCELLED] = "cancelled",
        [STATUS_FINISHED] = "finished",
    };
    assert(status < STATUS_END);
    return names[status];
}

const char *deployment_status_filter(enum deployment_status status)
{
    static const char *const filters[STATUS_END] = {
        [STATUS_UNKNOWN] = "",
        [STATUS_RUNNING] = "RUNNING",
        [STATUS_TRANSITIONING] = "TRANSITIONING",
        [STATUS_FAILED] = "FAILED",
        [STATUS_CANCELLED] = "CANCELLED",
        [STATUS_FINISHED] = "FINISHED",
    };
    assert(status < STATUS_END);
    return filters[status];
}

enum deployment_status job_event_status(enum job_event event)
{
    static const enum deployment_status statuses[JOB_EVENT_END] = {
        [JOB_EVENT_FAILURE] = STATUS_FAILED,
        [JOB_EVENT_CANCELLATION] = STATUS_CANCELLED,
        [JOB_EVENT_COMPLETION] = STATUS_FINISHED,
    };
    assert(event < JOB_EVENT_END);
    return statuses[event];
}

const char *collector_name(enum collector collector)
{
    static const char *const names[COLLECTOR_END] = {
        [COLLECTOR_DEPLOYMENTS] = "deployments",
        [COLLECTOR_DRAFTS] = "drafts",
        [COLLECTOR_TICKETS] = "tickets",
        [COLLECTOR_JOBS] = "jobs",
    };
    assert(collector < COLLECTOR_END);
    return names[collector];
}

const char *credentials_provider_name(enum credentials_provider provider)
{
    static const char *const names[CREDENTIALS_PROVIDER_END] = {
        [CREDENTIALS_STATIC] = "static",
        [CREDENTIALS_ENV] = "env",
        [CREDENTIALS_AUTO] = "auto",
        [CREDENTIALS_PROFILE] = "profile",
        [CREDENTIALS_ECS_RAM_ROLE] = "ecs_ram_role",
        [CREDENTIALS_OIDC_ROLE_ARN] = "oidc_role_arn",
        [CREDENTIALS_RAM_ROLE_ARN] = "ram_role_arn",
        [CREDENTIALS_URI] = "credentials_uri",
    };
    assert(provider < CREDENTIALS_PROVIDER_END);
    return names[provider];
}

const char *operation_name(enum operation operation)
{
    static const char *const names[OPERATION_END] = {
        [OPERATION_LIST_DEPLOYMENTS] = "ListDeployments",
        [OPERATION_GET_DEPLOYMENTS_BY_NAME] = "GetDeploymentsByName",
        [OPERATION_LIST_DEPLOYMENT_DRAFTS] = "ListDeploymentDrafts",
        [OPERATION_GET_DEPLOYMENT_DRAFT] = "GetDeploymentDraft",
        [OPERATION_UPDATE_DEPLOYMENT_DRAFT] = "UpdateDeploymentDraft",
        [OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT] = "GetDeployDeploymentDraftResult",
        [OPERATION_LIST_JOBS] = "ListJobs",
    };
    assert(operation < OPERATION_END);
    return names[operation];
}

const char *record_kind_name(enum record_kind kind)
{
    static const char *const names[RECORD_KIND_END] = {
        [RECORD_DEPLOYMENT] = "deployment",
        [RECORD_DRAFT] = "draft",
        [RECORD_JOB] = "job",
    };
    assert(kind < RECORD_KIND_END);
    return names[kind];
}
