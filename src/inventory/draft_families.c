/*
 * THE table of drafts: to add a metric of a draft, add a line and its emit function. As with
 * deployments, an absent value is an absent sample.
 */
#include "draft_families.h"

#include "model/label_names.h"
#include "families.h"

static void emit_info(struct expo *e, const struct draft *d, int8_t drift,
                      const struct expo_object *object)
{
    (void)drift;
    one_begin(e, object);
    EXPO_NEXT_LABEL(e->out, "deployment_id", d->deployment_id);
    EXPO_NEXT_LABEL(e->out, "execution_mode", d->execution_mode);
    EXPO_NEXT_LABEL(e->out, "engine_version", d->engine_version);
    EXPO_NEXT_LABEL(e->out, "artifact_kind", d->artifact_kind);
    one_end(e);
}

static void emit_created(struct expo *e, const struct draft *d, int8_t drift,
                         const struct expo_object *object)
{
    (void)drift;
    if (d->created_unix_s > 0)
        expo_object_i64(e, object, d->created_unix_s);
}

static void emit_modified(struct expo *e, const struct draft *d, int8_t drift,
                          const struct expo_object *object)
{
    (void)drift;
    if (d->modified_unix_s > 0)
        expo_object_i64(e, object, d->modified_unix_s);
}

static void emit_locked(struct expo *e, const struct draft *d, int8_t drift,
                        const struct expo_object *object)
{
    (void)drift;
    expo_object_i64(e, object, d->locked);
}

static void emit_drifted(struct expo *e, const struct draft *d, int8_t drift,
                         const struct expo_object *object)
{
    (void)d;
    if (drift >= 0)
        expo_object_i64(e, object, drift);
}

static void emit_lock_info(struct expo *e, const struct draft *d, int8_t drift,
                           const struct expo_object *object)
{
    (void)drift;
    if (!d->locked || !*d->lock_holder)
        return;
    one_begin(e, object);
    EXPO_NEXT_LABEL(e->out, "holder", d->lock_holder);
    one_end(e);
}

#define D "aliyun_flink_draft_"

const struct draft_family draft_families[DRAFT_FAMILIES] = {
    [DRAFT_INFO] = {{D "info",
                     "Properties of the draft that seldom change; always 1. deployment_id is empty "
                     "for a draft never deployed.",
                     METRIC_GAUGE,
                     .labels =
                         LABELS_DRAFT ",deployment_id,execution_mode,engine_version,artifact_kind"},
                    emit_info},
    [DRAFT_CREATED] = {{D "created_timestamp_seconds", "Unix time at which the draft was created.",
                        METRIC_GAUGE, .labels = LABELS_DRAFT,
                        .absent = "if the API did not say, or said 0"},
                       emit_created},
    [DRAFT_MODIFIED] = {{D "modified_timestamp_seconds",
                         "Unix time at which the draft was last modified.", METRIC_GAUGE,
                         .labels = LABELS_DRAFT, .absent = "if the API did not say, or said 0"},
                        emit_modified},
    [DRAFT_LOCKED] = {{D "locked", "1 if somebody holds the edit lock of the draft.", METRIC_GAUGE,
                       .labels = LABELS_DRAFT},
                      emit_locked},
    [DRAFT_DRIFTED] = {{D "drifted",
                        "1 if the draft differs from the deployment it refers to. Absent for a "
                        "draft never deployed.",
                        METRIC_GAUGE, .stability = METRIC_EXPERIMENTAL, .labels = LABELS_DRAFT,
                        .absent = "where nobody can tell"},
                       emit_drifted},
    [DRAFT_LOCK_INFO] =
        {{D "lock_info", "Who holds the edit lock of the draft; always 1.", METRIC_GAUGE,
          .labels = LABELS_DRAFT ",holder",
          .absent = "unless metrics.draft_lock_holder is set and the API tells who holds it"},
         emit_lock_info},
};
