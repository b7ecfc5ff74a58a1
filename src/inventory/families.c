/*
 * THE table: to add a metric of a deployment, add a line and its emit function.
 *
 * A family's samples stay together in the text, so rendering loops over families first and over
 * records inside. An emit function gets one record and the labels that were formatted once for
 * it, and writes what the record tells: an absent value is an absent sample, never a 0.
 */
#include "families.h"

#include <assert.h>

#include "base/strbuf.h"
#include "model/label_names.h"

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

/* Six lines, so that a status that ended is a 0 and not a series that comes and goes. */
static void emit_status(struct expo *e, const struct deployment *d,
                        const struct expo_object *object)
{
    static const struct expo_end_label ends[STATUS_END] = {
        [STATUS_UNKNOWN] = EXPO_END_LABEL("status=\"unknown\""),
        [STATUS_RUNNING] = EXPO_END_LABEL("status=\"running\""),
        [STATUS_TRANSITIONING] = EXPO_END_LABEL("status=\"transitioning\""),
        [STATUS_FAILED] = EXPO_END_LABEL("status=\"failed\""),
        [STATUS_CANCELLED] = EXPO_END_LABEL("status=\"cancelled\""),
        [STATUS_FINISHED] = EXPO_END_LABEL("status=\"finished\""),
    };
    static const int64_t values[STATUS_END][STATUS_END] = {
        [STATUS_UNKNOWN][STATUS_UNKNOWN] = 1,
        [STATUS_RUNNING][STATUS_RUNNING] = 1,
        [STATUS_TRANSITIONING][STATUS_TRANSITIONING] = 1,
        [STATUS_FAILED][STATUS_FAILED] = 1,
        [STATUS_CANCELLED][STATUS_CANCELLED] = 1,
        [STATUS_FINISHED][STATUS_FINISHED] = 1,
    };

    expo_object_i64_each(e, object, ends, values[d->status], STATUS_END);
}

static void emit_jobs(struct expo *e, const struct deployment *d, const struct expo_object *object)
{
    static const struct expo_end_label ends[JOB_STATE_END] = {
        [JOB_STARTING] = EXPO_END_LABEL("state=\"starting\""),
        [JOB_RUNNING] = EXPO_END_LABEL("state=\"running\""),
        [JOB_CANCELLING] = EXPO_END_LABEL("state=\"cancelling\""),
        [JOB_CANCELLED] = EXPO_END_LABEL("state=\"cancelled\""),
        [JOB_FINISHED] = EXPO_END_LABEL("state=\"finished\""),
        [JOB_FAILED] = EXPO_END_LABEL("state=\"failed\""),
    };

    expo_object_i64_each(e, object, ends, d->jobs, JOB_STATE_END);
}

void one_begin(struct expo *e, const struct expo_object *object)
{
    size_t len = object->len - (sizeof(EXPO_OBJECT_END) - 1);
    char *p = strbuf_room(e->out, EXPO_NAME_MAX + len);

    if (p)
        strbuf_wrote(e->out, expo_put(expo_put_name(p, e), object->text, len));
}

#define ONE_END EXPO_OBJECT_END "1\n"

void one_end(struct expo *e)
{
    strbuf_add(e->out, ONE_END, sizeof(ONE_END) - 1);
    e->n_series++;
}

/* With whatever there is to escape. */
static void emit_odd_info(struct expo *e, const struct deployment *d,
                          const struct expo_object *object)
{
    one_begin(e, object);
    EXPO_NEXT_LABEL(e->out, "execution_mode", d->execution_mode);
    EXPO_NEXT_LABEL(e->out, "engine_version", d->engine_version);
    EXPO_NEXT_LABEL(e->out, "artifact_kind", d->artifact_kind);
    EXPO_NEXT_LABEL(e->out, "deployment_target", d->target);
    EXPO_NEXT_LABEL(e->out, "deployment_target_mode", d->target_mode);
    EXPO_NEXT_LABEL(e->out, "resource_setting_mode", d->resource_setting_mode);
    EXPO_NEXT_LABEL(e->out, "deployment_draft_id", d->draft_id);
    one_end(e);
}

/* The longest line of a record, in one go where nothing is to be escaped, as nearly always. */
static void emit_info(struct expo *e, const struct deployment *d, const struct expo_object *object)
{
    enum { LEADS_MAX = 256 }; /* all names with their signs, and the end */
    const size_t len = object->len - (sizeof(EXPO_OBJECT_END) - 1);
    size_t lens[] = {strlen(d->execution_mode), strlen(d->engine_version),
                     strlen(d->artifact_kind),  strlen(d->target),
                     strlen(d->target_mode),    strlen(d->resource_setting_mode),
                     strlen(d->draft_id)};
    size_t room = EXPO_NAME_MAX + len + LEADS_MAX + EXPO_PLAIN_SLACK;
    bool plain = true;

    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        room += lens[i];
    char *p = strbuf_room(e->out, room);
    if (!p)
        return;
    p = expo_put(expo_put_name(p, e), object->text, len);
    p = EXPO_PUT_PLAIN_LABEL(p, "execution_mode", d->execution_mode, lens[0], &plain);
    p = EXPO_PUT_PLAIN_LABEL(p, "engine_version", d->engine_version, lens[1], &plain);
    p = EXPO_PUT_PLAIN_LABEL(p, "artifact_kind", d->artifact_kind, lens[2], &plain);
    p = EXPO_PUT_PLAIN_LABEL(p, "deployment_target", d->target, lens[3], &plain);
    p = EXPO_PUT_PLAIN_LABEL(p, "deployment_target_mode", d->target_mode, lens[4], &plain);
    p = EXPO_PUT_PLAIN_LABEL(p, "resource_setting_mode", d->resource_setting_mode, lens[5], &plain);
    p = EXPO_PUT_PLAIN_LABEL(p, "deployment_draft_id", d->draft_id, lens[6], &plain);
    if (!plain) { /* nothing of it counts yet */
        emit_odd_info(e, d, object);
        return;
    }
    strbuf_wrote(e->out, expo_put(p, ONE_END, sizeof(ONE_END) - 1));
    e->n_series++;
}

/* Only where the allowlist admits something: a series without label_* would tell nothing. */
static void emit_labels(struct expo *e, const struct deployment *d,
                        const struct expo_object *object)
{
    if (d->n_labels == 0)
        return;
    one_begin(e, object);
    for (size_t i = 0; i < d->n_labels; i++) {
        strbuf_addc(e->out, ',');
        expo_label(e->out, d->labels[i].name, d->labels[i].value);
    }
    one_end(e);
}

static void emit_known(struct expo *e, const struct expo_object *object, int64_t value, bool known)
{
    if (known)
        expo_object_i64(e, object, value);
}

static void emit_created(struct expo *e, const struct deployment *d,
                         const struct expo_object *object)
{
    emit_known(e, object, d->created_unix_s, d->created_unix_s > 0);
}

static void emit_modified(struct expo *e, const struct deployment *d,
                          const struct expo_object *object)
{
    emit_known(e, object, d->modified_unix_s, d->modified_unix_s > 0);
}

static void emit_pending_changes(struct expo *e, const struct deployment *d,
                                 const struct expo_object *object)
{
    emit_known(e, object, d->has_changes, d->has_changes >= 0);
}

static void emit_parallelism(struct expo *e, const struct deployment *d,
                             const struct expo_object *object)
{
    emit_known(e, object, d->parallelism, d->parallelism >= 0);
}

static void emit_jobmanager_cpu(struct expo *e, const struct deployment *d,
                                const struct expo_object *object)
{
    if (d->jobmanager_cpu >= 0)
        expo_object_double(e, object, d->jobmanager_cpu);
}

static void emit_taskmanager_cpu(struct expo *e, const struct deployment *d,
                                 const struct expo_object *object)
{
    if (d->taskmanager_cpu >= 0)
        expo_object_double(e, object, d->taskmanager_cpu);
}

static void emit_jobmanager_memory(struct expo *e, const struct deployment *d,
                                   const struct expo_object *object)
{
    emit_known(e, object, d->jobmanager_memory, d->jobmanager_memory >= 0);
}

static void emit_taskmanager_memory(struct expo *e, const struct deployment *d,
                                    const struct expo_object *object)
{
    emit_known(e, object, d->taskmanager_memory, d->taskmanager_memory >= 0);
}

static void emit_max_slots(struct expo *e, const struct deployment *d,
                           const struct expo_object *object)
{
    emit_known(e, object, d->max_slots, d->max_slots >= 0);
}

static void emit_failures(struct expo *e, const struct deployment *d,
                          const struct expo_object *object)
{
    expo_object_i64(e, object, d->events[JOB_EVENT_FAILURE]);
}

static void emit_cancellations(struct expo *e, const struct deployment *d,
                               const struct expo_object *object)
{
    expo_object_i64(e, object, d->events[JOB_EVENT_CANCELLATION]);
}

static void emit_completions(struct expo *e, const struct deployment *d,
                             const struct expo_object *object)
{
    expo_object_i64(e, object, d->events[JOB_EVENT_COMPLETION]);
}

static void emit_last_failure(struct expo *e, const struct deployment *d,
                              const struct expo_object *object)
{
    emit_known(e, object, d->last_failure_unix_s, d->last_failure_unix_s > 0);
}

#define D             "aliyun_flink_deployment_"

/*
 * Records in a piece: a block's worth on average, which are 30 KB of lines, and half of that of the
 * families with six lines a record, which are 60 KB. Smaller pieces would let more of a text be
 * shared where a few counts changed; but each costs a reply an entry in its list, of which there is
 * no end (server.c), and deflate a start.
 */
#define ONE_LINE      128
#define SEVERAL_LINES 64

const struct deployment_family deployment_families[DEPLOYMENT_FAMILIES] = {
    {{D "jobs",
      "Jobs of the deployment that the control plane remembers, by state (jobSummary). Shrinks "
      "when "
      "old jobs are purged; refreshed in the background, see "
      "aliyun_flink_refresh_interval_seconds.",
      METRIC_GAUGE, .labels = LABELS_DEPLOYMENT "," LABEL_STATE,
      .absent = "where the count was not told"},
     emit_jobs,
     DEPLOYMENT_JOBS,
     false,
     SEVERAL_LINES},
    {{D "status", "Latest status of the deployment: 1 for the current one, 0 for the others.",
      METRIC_GAUGE, .labels = LABELS_DEPLOYMENT "," LABEL_STATUS},
     emit_status,
     DEPLOYMENT_STATUS,
     false,
     SEVERAL_LINES},
    {{D "info", "Properties of the deployment that seldom change; always 1.", METRIC_GAUGE,
      .labels =
          LABELS_DEPLOYMENT ",execution_mode,engine_version,artifact_kind,deployment_target,"
                            "deployment_target_mode,resource_setting_mode,deployment_draft_id"},
     emit_info,
     DEPLOYMENT_PROPERTIES,
     false,
     ONE_LINE},
    {{D "labels", "Labels of the deployment that the allowlist admits; always 1.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT ",label_*",
      .absent = "where metrics.deployment_labels admits none"},
     emit_labels,
     DEPLOYMENT_LABELS,
     false,
     ONE_LINE},
    {{D "created_timestamp_seconds", "Unix time at which the deployment was created.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT, .absent = "if the API did not say, or said 0"},
     emit_created,
     DEPLOYMENT_TIMES,
     false,
     ONE_LINE},
    {{D "modified_timestamp_seconds", "Unix time at which the deployment was last modified.",
      METRIC_GAUGE, .labels = LABELS_DEPLOYMENT, .absent = "if the API did not say, or said 0"},
     emit_modified,
     DEPLOYMENT_TIMES,
     false,
     ONE_LINE},
    {{D "pending_changes",
      "1 if the deployment was modified after its job was started (deploymentHasChanged).",
      METRIC_GAUGE, .labels = LABELS_DEPLOYMENT, .absent = "if the API did not say"},
     emit_pending_changes,
     DEPLOYMENT_HAS_CHANGES,
     false,
     ONE_LINE},
    {{D "parallelism", "Configured parallelism. Absent in expert resource mode.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT},
     emit_parallelism,
     DEPLOYMENT_RESOURCES,
     false,
     ONE_LINE},
    {{D "jobmanager_cpu_cores", "CPU cores configured for JobManager.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT, .absent = "where it is not configured"},
     emit_jobmanager_cpu,
     DEPLOYMENT_RESOURCES,
     false,
     ONE_LINE},
    {{D "jobmanager_memory_bytes", "Memory configured for JobManager.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT, .absent = "where it is not configured"},
     emit_jobmanager_memory,
     DEPLOYMENT_RESOURCES,
     false,
     ONE_LINE},
    {{D "taskmanager_cpu_cores", "CPU cores configured for one TaskManager.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT, .absent = "where it is not configured"},
     emit_taskmanager_cpu,
     DEPLOYMENT_RESOURCES,
     false,
     ONE_LINE},
    {{D "taskmanager_memory_bytes", "Memory configured for one TaskManager.", METRIC_GAUGE,
      .labels = LABELS_DEPLOYMENT, .absent = "where it is not configured"},
     emit_taskmanager_memory,
     DEPLOYMENT_RESOURCES,
     false,
     ONE_LINE},
    {{D "max_slots", "Slot limit of a batch deployment.", METRIC_GAUGE, .labels = LABELS_DEPLOYMENT,
      .absent = "where there is none, as in all streaming deployments"},
     emit_max_slots,
     DEPLOYMENT_RESOURCES,
     false,
     ONE_LINE},
    {{D "job_failures_total",
      "Jobs that were seen to enter the failed state since this exporter first saw the deployment.",
      METRIC_COUNTER, .labels = LABELS_DEPLOYMENT},
     emit_failures,
     DEPLOYMENT_EVENTS,
     true,
     ONE_LINE},
    {{D "job_cancellations_total",
      "Jobs that were seen to enter the cancelled state since this exporter first saw the "
      "deployment.",
      METRIC_COUNTER, .labels = LABELS_DEPLOYMENT},
     emit_cancellations,
     DEPLOYMENT_EVENTS,
     true,
     ONE_LINE},
    {{D "job_completions_total",
      "Jobs that were seen to enter the finished state since this exporter first saw the "
      "deployment.",
      METRIC_COUNTER, .labels = LABELS_DEPLOYMENT},
     emit_completions,
     DEPLOYMENT_EVENTS,
     true,
     ONE_LINE},
    {{D "last_job_failure_timestamp_seconds",
      "Unix time of the last failure: failedAt where job enrichment is on, else the refresh that "
      "saw "
      "it. Absent until a failure was seen.",
      METRIC_GAUGE, .labels = LABELS_DEPLOYMENT},
     emit_last_failure,
     DEPLOYMENT_EVENTS,
     true,
     ONE_LINE},
};
