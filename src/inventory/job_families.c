/*
 * THE table of jobs: to add a metric of a deployment's active jobs, add a line and its emit
 * function. As with deployments, an absent value is an absent sample.
 */
#include "job_families.h"

#include "model/label_names.h"

static void emit_started(struct expo *e, const struct deployment_jobs *jobs,
                         const struct expo_object *object)
{
    if (jobs->started_unix_s > 0)
        expo_object_i64(e, object, jobs->started_unix_s);
}

static void emit_restarts(struct expo *e, const struct deployment_jobs *jobs,
                          const struct expo_object *object)
{
    if (jobs->restarts >= 0)
        expo_object_i64(e, object, jobs->restarts);
}

static void emit_cpu(struct expo *e, const struct deployment_jobs *jobs,
                     const struct expo_object *object)
{
    if (jobs->cpu >= 0)
        expo_object_double(e, object, jobs->cpu);
}

static void emit_memory(struct expo *e, const struct deployment_jobs *jobs,
                        const struct expo_object *object)
{
    if (jobs->memory >= 0)
        expo_object_i64(e, object, jobs->memory);
}

#define J        "aliyun_flink_deployment_job_"
/* Each job tells for itself, and one deployment after the other is asked. */
#define NOT_TOLD "if the API did not say, and until it was asked"

const struct job_family job_families[JOB_FAMILIES] = {
    {{J "started_timestamp_seconds",
      "Unix time at which the current job started. Absent without an active job.", METRIC_GAUGE,
      .stability = METRIC_EXPERIMENTAL, .labels = LABELS_DEPLOYMENT, .absent = NOT_TOLD},
     emit_started},
    {{J "flink_restarts",
      "Restarts of the current job by Flink that the control plane observed; of several active "
      "jobs the most. Begins anew with each job; absent without an active one.",
      METRIC_GAUGE, .stability = METRIC_EXPERIMENTAL, .labels = LABELS_DEPLOYMENT,
      .absent = NOT_TOLD},
     emit_restarts},
    {{J "cpu_cores", "CPU cores in use by the active jobs. Absent without one.", METRIC_GAUGE,
      .stability = METRIC_EXPERIMENTAL, .labels = LABELS_DEPLOYMENT, .absent = NOT_TOLD},
     emit_cpu},
    {{J "memory_bytes", "Memory in use by the active jobs. Absent without one.", METRIC_GAUGE,
      .stability = METRIC_EXPERIMENTAL, .labels = LABELS_DEPLOYMENT, .absent = NOT_TOLD},
     emit_memory},
};
