/*
 * THE table: to add a metric of a deployment, add a line and its emit function.
 *
 * A family's samples stay together in the text, so rendering loops over families first and over
 * records inside. An emit function gets one record and the label prefix that was formatted once
 * for it, and writes what the record tells: an absent value is an absent sample, never a 0.
 */
#include "families.h"

#include <assert.h>

#include "base/strbuf.h"

struct expo_labels job_state_label(enum job_state state)
{
    static const struct expo_labels labels[JOB_STATE_END] = {
        [JOB_STARTING] = EXPO_LABELS_INIT("state=\"starting\""),
        [JOB_RUNNING] = EXPO_LABELS_INIT("state=\"running\""),
        [JOB_CANCELLING] = EXPO_LABELS_INIT("state=\"cancelling\""),
        [JOB_CANCELLED] = EXPO_LABELS_INIT("state=\"cancelled\""),
        [JOB_FINISHED] = EXPO_LABELS_INIT("state=\"finished\""),
        [JOB_FAILED] = EXPO_LABELS_INIT("state=\"failed\""),
    };
    assert(state < JOB_STATE_END);
    return labels[state];
}

static void emit_jobs(struct expo *e, const char *name, const struct deployment *d,
                      struct expo_labels labels)
{
    for (int state = 0; state < JOB_STATE_END; state++)
        if (d->jobs[state] >= 0)
            expo_sample_i64(e, name, labels, job_state_label((enum job_state)state),
                            d->jobs[state]);
}

/* begin_one, add_label ..., end_one: a sample of value 1 with more labels than the prefix. */
static void begin_one(struct expo *e, const char *name, struct expo_labels labels)
{
    strbuf_adds(e->out, name);
    strbuf_addc(e->out, '{');
    strbuf_add(e->out, labels.text, labels.len);
}

static void add_label(struct expo *e, const char *name, const char *value)
{
    strbuf_addc(e->out, ',');
    expo_label(e->out, name, value);
}

static void end_one(struct expo *e)
{
    strbuf_adds(e->out, "} 1\n");
    e->n_series++;
}

static void emit_info(struct expo *e, const char *name, const struct deployment *d,
                      struct expo_labels labels)
{
    begin_one(e, name, labels);
    add_label(e, "execution_mode", d->execution_mode);
    add_label(e, "engine_version", d->engine_version);
    add_label(e, "artifact_kind", d->artifact_kind);
    add_label(e, "deployment_target", d->target);
    add_label(e, "deployment_target_mode", d->target_mode);
    add_label(e, "resource_setting_mode", d->resource_setting_mode);
    add_label(e, "deployment_draft_id", d->draft_id);
    end_one(e);
}

/* Only where the allowlist admits something: a series without label_* would tell nothing. */
static void emit_labels(struct expo *e, const char *name, const struct deployment *d,
                        struct expo_labels labels)
{
    if (d->n_labels == 0)
        return;
    begin_one(e, name, labels);
    for (size_t i = 0; i < d->n_labels; i++)
        add_label(e, d->labels[i].name, d->labels[i].value);
    end_one(e);
}

static void emit_known(struct expo *e, const char *name, struct expo_labels labels, int64_t value,
                       bool known)
{
    if (known)
        expo_sample_i64(e, name, labels, EXPO_NO_LABELS, value);
}

static void emit_created(struct expo *e, const char *name, const struct deployment *d,
                         struct expo_labels labels)
{
    emit_known(e, name, labels, d->created_unix_s, d->created_unix_s > 0);
}

static void emit_modified(struct expo *e, const char *name, const struct deployment *d,
                          struct expo_labels labels)
{
    emit_known(e, name, labels, d->modified_unix_s, d->modified_unix_s > 0);
}

static void emit_pending_changes(struct expo *e, const char *name, const struct deployment *d,
                                 struct expo_labels labels)
{
    emit_known(e, name, labels, d->has_changes, d->has_changes >= 0);
}

static void emit_parallelism(struct expo *e, const char *name, const struct deployment *d,
                             struct expo_labels labels)
{
    emit_known(e, name, labels, d->parallelism, d->parallelism >= 0);
}

static void emit_jobmanager_cpu(struct expo *e, const char *name, const struct deployment *d,
                                struct expo_labels labels)
{
    if (d->jobmanager_cpu >= 0)
        expo_sample_double(e, name, labels, EXPO_NO_LABELS, d->jobmanager_cpu);
}

static void emit_taskmanager_cpu(struct expo *e, const char *name, const struct deployment *d,
                                 struct expo_labels labels)
{
    if (d->taskmanager_cpu >= 0)
        expo_sample_double(e, name, labels, EXPO_NO_LABELS, d->taskmanager_cpu);
}

static void emit_jobmanager_memory(struct expo *e, const char *name, const struct deployment *d,
                                   struct expo_labels labels)
{
    emit_known(e, name, labels, d->jobmanager_memory, d->jobmanager_memory >= 0);
}

static void emit_taskmanager_memory(struct expo *e, const char *name, const struct deployment *d,
                                    struct expo_labels labels)
{
    emit_known(e, name, labels, d->taskmanager_memory, d->taskmanager_memory >= 0);
}

static void emit_max_slots(struct expo *e, const char *name, const struct deployment *d,
                           struct expo_labels labels)
{
    emit_known(e, name, labels, d->max_slots, d->max_slots >= 0);
}

#define D "aliyun_flink_deployment_"

const struct deployment_family deployment_families[DEPLOYMENT_FAMILIES] = {
    {{D "jobs",
      "Jobs of the deployment that the control plane remembers, by state (jobSummary). Shrinks "
      "when "
      "old jobs are purged; refreshed in the background, see "
      "aliyun_flink_refresh_interval_seconds.",
      METRIC_GAUGE},
     emit_jobs},
    {{D "info", "Properties of the deployment that seldom change; always 1.", METRIC_GAUGE},
     emit_info},
    {{D "labels", "Labels of the deployment that the allowlist admits; always 1.", METRIC_GAUGE},
     emit_labels},
    {{D "created_timestamp_seconds", "Unix time at which the deployment was created.",
      METRIC_GAUGE},
     emit_created},
    {{D "modified_timestamp_seconds", "Unix time at which the deployment was last modified.",
      METRIC_GAUGE},
     emit_modified},
    {{D "pending_changes",
      "1 if the deployment was modified after its job was started (deploymentHasChanged).",
      METRIC_GAUGE},
     emit_pending_changes},
    {{D "parallelism", "Configured parallelism. Absent in expert resource mode.", METRIC_GAUGE},
     emit_parallelism},
    {{D "jobmanager_cpu_cores", "CPU cores configured for JobManager.", METRIC_GAUGE},
     emit_jobmanager_cpu},
    {{D "jobmanager_memory_bytes", "Memory configured for JobManager.", METRIC_GAUGE},
     emit_jobmanager_memory},
    {{D "taskmanager_cpu_cores", "CPU cores configured for one TaskManager.", METRIC_GAUGE},
     emit_taskmanager_cpu},
    {{D "taskmanager_memory_bytes", "Memory configured for one TaskManager.", METRIC_GAUGE},
     emit_taskmanager_memory},
    {{D "max_slots", "Slot limit of a batch deployment.", METRIC_GAUGE}, emit_max_slots},
};
