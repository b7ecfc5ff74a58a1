/*
 * The members that METRICS are made of, as the page ListDeployments of the API writes them. All
 * the rest of an object, most of it SQL and plans, is stepped over.
 */
#include "deployment_shape.h"

/* Members of a resource setting whose values begin at `first`, as static tables named with prefix.
 */
#define SETTING_SHAPES(prefix, first)                                                          \
    static const struct json_member prefix##_jobmanager_members[] = {                          \
        MEMBER("cpu", (first) + SETTING_JOBMANAGER_CPU),                                       \
        MEMBER("memory", (first) + SETTING_JOBMANAGER_MEMORY),                                 \
    };                                                                                         \
    static const struct json_shape prefix##_jobmanager = SHAPE(prefix##_jobmanager_members);   \
    static const struct json_member prefix##_taskmanager_members[] = {                         \
        MEMBER("cpu", (first) + SETTING_TASKMANAGER_CPU),                                      \
        MEMBER("memory", (first) + SETTING_TASKMANAGER_MEMORY),                                \
    };                                                                                         \
    static const struct json_shape prefix##_taskmanager = SHAPE(prefix##_taskmanager_members); \
    static const struct json_member prefix##_basic_members[] = {                               \
        MEMBER("parallelism", (first) + SETTING_PARALLELISM),                                  \
        MEMBER("jobmanagerResourceSettingSpec", (first) + SETTING_JOBMANAGER,                  \
               .inside = &prefix##_jobmanager),                                                \
        MEMBER("taskmanagerResourceSettingSpec", (first) + SETTING_TASKMANAGER,                \
               .inside = &prefix##_taskmanager),                                               \
    };                                                                                         \
    static const struct json_shape prefix##_basic = SHAPE(prefix##_basic_members);             \
    static const struct json_member prefix##_expert_jobmanager_members[] = {                   \
        MEMBER("cpu", (first) + SETTING_EXPERT_JOBMANAGER_CPU),                                \
        MEMBER("memory", (first) + SETTING_EXPERT_JOBMANAGER_MEMORY),                          \
    };                                                                                         \
    static const struct json_shape prefix##_expert_jobmanager =                                \
        SHAPE(prefix##_expert_jobmanager_members);                                             \
    static const struct json_member prefix##_expert_members[] = {                              \
        MEMBER("jobmanagerResourceSettingSpec", (first) + SETTING_EXPERT_JOBMANAGER,           \
               .inside = &prefix##_expert_jobmanager),                                         \
    };                                                                                         \
    static const struct json_shape prefix##_expert = SHAPE(prefix##_expert_members);           \
    static const struct json_member prefix##_members[] = {                                     \
        MEMBER("resourceSettingMode", (first) + SETTING_MODE),                                 \
        MEMBER("maxSlot", (first) + SETTING_MAX_SLOT),                                         \
        MEMBER("basicResourceSetting", (first) + SETTING_BASIC, .inside = &prefix##_basic),    \
        MEMBER("expertResourceSetting", (first) + SETTING_EXPERT, .inside = &prefix##_expert), \
    };                                                                                         \
    static const struct json_shape prefix##_shape = SHAPE(prefix##_members)

SETTING_SHAPES(streaming, FIELD_STREAMING);
SETTING_SHAPES(batch, FIELD_BATCH);

static const struct json_member artifact_members[] = {MEMBER("kind", FIELD_ARTIFACT_KIND)};
static const struct json_shape artifact_shape = SHAPE(artifact_members);

ARTIFACT_SHAPE(content, FIELD_ARTIFACT, FIELD_CONTENT);

static const struct json_member target_members[] = {
    MEMBER("name", FIELD_TARGET_NAME),
    MEMBER("mode", FIELD_TARGET_MODE),
};
static const struct json_shape target_shape = SHAPE(target_members);

static const struct json_member summary_members[] = {
    MEMBER("starting", FIELD_JOBS + JOB_STARTING),
    MEMBER("running", FIELD_JOBS + JOB_RUNNING),
    MEMBER("cancelling", FIELD_JOBS + JOB_CANCELLING),
    MEMBER("cancelled", FIELD_JOBS + JOB_CANCELLED),
    MEMBER("finished", FIELD_JOBS + JOB_FINISHED),
    MEMBER("failed", FIELD_JOBS + JOB_FAILED),
};
static const struct json_shape summary_shape = SHAPE(summary_members);

#define DEPLOYMENT_MEMBERS(artifact_shape)                                                         \
    MEMBER("deploymentId", FIELD_ID), MEMBER("name", FIELD_NAME),                                  \
        MEMBER("engineVersion", FIELD_ENGINE_VERSION),                                             \
        MEMBER("executionMode", FIELD_EXECUTION_MODE),                                             \
        MEMBER("deploymentTarget", FIELD_TARGET, .inside = &target_shape),                         \
        MEMBER("artifact", FIELD_ARTIFACT, .inside = artifact_shape),                              \
        MEMBER("jobSummary", FIELD_SUMMARY, .inside = &summary_shape),                             \
        MEMBER("labels", FIELD_LABELS, .how = JSON_RAW),                                           \
        MEMBER("deploymentHasChanged", FIELD_HAS_CHANGED),                                         \
        MEMBER("referencedDeploymentDraftId", FIELD_DRAFT_ID), MEMBER("createdAt", FIELD_CREATED), \
        MEMBER("modifiedAt", FIELD_MODIFIED),                                                      \
        MEMBER("streamingResourceSetting", FIELD_STREAMING + SETTING_SELF,                         \
               .inside = &streaming_shape),                                                        \
        MEMBER("batchResourceSetting", FIELD_BATCH + SETTING_SELF, .inside = &batch_shape)

static const struct json_member deployment_members[] = {DEPLOYMENT_MEMBERS(&artifact_shape)};
static const struct json_shape deployment_shape = SHAPE(deployment_members);
static const struct json_member reply_members[] = {REPLY_MEMBERS(&deployment_shape)};
const struct json_shape deployments_shape = SHAPE(reply_members);

static const struct json_member full_deployment_members[] = {DEPLOYMENT_MEMBERS(&content_shape)};
static const struct json_shape full_deployment_shape = SHAPE(full_deployment_members);
static const struct json_member full_reply_members[] = {REPLY_MEMBERS(&full_deployment_shape)};
const struct json_shape deployments_with_content_shape = SHAPE(full_reply_members);
