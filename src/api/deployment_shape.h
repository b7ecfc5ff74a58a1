/*
 * What of a reply of ListDeployments or GetDeploymentsByName is read: the values by number, and
 * where they stand.
 */
#ifndef DEPLOYMENT_SHAPE_H
#define DEPLOYMENT_SHAPE_H

#include "model/deployment.h"
#include "record_shape.h"

/* Of a resource setting, counted from its first value. */
enum {
    SETTING_SELF,
    SETTING_MODE,
    SETTING_MAX_SLOT,
    SETTING_BASIC,
    SETTING_EXPERT,
    SETTING_PARALLELISM,
    SETTING_JOBMANAGER,
    SETTING_JOBMANAGER_CPU,
    SETTING_JOBMANAGER_MEMORY,
    SETTING_TASKMANAGER,
    SETTING_TASKMANAGER_CPU,
    SETTING_TASKMANAGER_MEMORY,
    SETTING_EXPERT_JOBMANAGER,
    SETTING_EXPERT_JOBMANAGER_CPU,
    SETTING_EXPERT_JOBMANAGER_MEMORY,
    SETTING_VALUES,
};

/* Of a deployment, counted on from the root's. */
enum {
    FIELD_ID = REPLY_VALUES,
    FIELD_NAME,
    FIELD_EXECUTION_MODE,
    FIELD_ENGINE_VERSION,
    FIELD_ARTIFACT,
    FIELD_ARTIFACT_KIND = FIELD_ARTIFACT + ARTIFACT_KIND,
    FIELD_CONTENT = FIELD_ARTIFACT + ARTIFACT_VALUES,
    FIELD_AFTER_CONTENT = FIELD_CONTENT + CONTENT_VALUES - 1,
    FIELD_TARGET,
    FIELD_TARGET_NAME,
    FIELD_TARGET_MODE,
    FIELD_DRAFT_ID,
    FIELD_CREATED,
    FIELD_MODIFIED,
    FIELD_HAS_CHANGED,
    FIELD_LABELS,
    FIELD_SUMMARY,
    FIELD_JOBS, /* the first of JOB_STATE_END */
    FIELD_STREAMING = FIELD_JOBS + JOB_STATE_END,
    FIELD_BATCH = FIELD_STREAMING + SETTING_VALUES,
    FIELD_VALUES_END = FIELD_BATCH + SETTING_VALUES,
};

/* The root of the reply; with the hashes of the artifact's text, or without. */
extern const struct json_shape deployments_shape;
extern const struct json_shape deployments_with_content_shape;

#endif
