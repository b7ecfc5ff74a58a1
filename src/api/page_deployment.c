/*
 * A deployment's record out of the values of its object. What is absent stays absent, see
 * page_reader.c.
 */
#include <string.h>

#include "api/json.h"
#include "deployment_shape.h"
#include "labels.h"
#include "page_values.h"

enum {
    LABELS_BUDGET = 8 * 1024 * 1024 /* bytes for cJSON's tree of all labels of a deployment */
};

/*
 * A count that is told but cannot be read stays absent: 0 would make alerts resolve. Keys left
 * out mean 0 as soon as the summary tells anything; a summary that tells nothing leaves all absent.
 */
static void read_jobs(struct page_reader *r, int64_t jobs[JOB_STATE_END])
{
    bool any = false;

    for (size_t i = 0; i < JOB_STATE_END; i++) {
        jobs[i] = page_count(r, FIELD_JOBS + i);
        any = any || jobs[i] >= 0;
    }
    for (size_t i = 0; any && i < JOB_STATE_END; i++) {
        if (!page_is_told(r, FIELD_JOBS + i))
            jobs[i] = 0;
    }
}

/*
 * Page samples carry the streaming and the batch setting at once; a real deployment has the one
 * of its mode. The other one is better than none.
 */
static size_t resource_setting(const struct page_reader *r, bool is_batch)
{
    size_t preferred = is_batch ? FIELD_BATCH : FIELD_STREAMING;
    size_t other = is_batch ? FIELD_STREAMING : FIELD_BATCH;

    return page_type(r, preferred + SETTING_SELF) == JSON_OBJECT ? preferred : other;
}

static void read_resources(struct page_reader *r, struct deployment *ret)
{
    bool is_batch = strcmp(ret->execution_mode, "batch") == 0;
    size_t setting = resource_setting(r, is_batch);
    bool has_basic = page_type(r, setting + SETTING_BASIC) == JSON_OBJECT;
    bool has_expert = page_type(r, setting + SETTING_EXPERT) == JSON_OBJECT;
    const char *mode = page_lower(r, setting + SETTING_MODE);

    ret->resource_setting_mode = mode;
    ret->max_slots = is_batch ? page_count(r, setting + SETTING_MAX_SLOT) : -1;
    /* Samples in expert mode carry basic settings too, which are without effect then. */
    if (strcmp(mode, "expert") == 0 || (!has_basic && has_expert)) {
        ret->parallelism = -1;
        ret->jobmanager_cpu = page_cores(r, setting + SETTING_EXPERT_JOBMANAGER_CPU);
        ret->jobmanager_memory = page_memory(r, setting + SETTING_EXPERT_JOBMANAGER_MEMORY);
        ret->taskmanager_cpu = -1;
        ret->taskmanager_memory = -1;
        return;
    }
    ret->parallelism = page_count(r, setting + SETTING_PARALLELISM);
    ret->jobmanager_cpu = page_cores(r, setting + SETTING_JOBMANAGER_CPU);
    ret->jobmanager_memory = page_memory(r, setting + SETTING_JOBMANAGER_MEMORY);
    ret->taskmanager_cpu = page_cores(r, setting + SETTING_TASKMANAGER_CPU);
    ret->taskmanager_memory = page_memory(r, setting + SETTING_TASKMANAGER_MEMORY);
}

/* Labels beyond all measure are left out, and counted as values that were too long. */
static int read_labels(struct page_reader *r, struct deployment *d, struct err *err)
{
    const struct json_raw *raw = json_scan_value(&r->scan, FIELD_LABELS);
    CLEANUP(json_freep) json_value *root = NULL;
    struct err failure = {.kind = ERR_NONE};

    if (raw->type != JSON_OBJECT)
        return 0;
    if (raw->cut || json_parse(json_scan_text(&r->scan, FIELD_LABELS), raw->len, LABELS_BUDGET,
                               &root, &failure) < 0) {
        r->text.too_long++;
        return failure.kind == ERR_NOMEM ? err_nomem(err, "the labels of a deployment") : 0;
    }
    d->labels = labels_decode(root, r->options.labels, &r->text, &d->n_labels);
    return 0;
}

static int read_deployment(struct page_reader *r, void *ret, struct err *err)
{
    struct deployment *d = ret;

    *d = (struct deployment){.id = page_id(r)};
    if (!d->id)
        return 0;
    d->name = page_text(r, FIELD_NAME);
    d->execution_mode = page_execution_mode(r, FIELD_EXECUTION_MODE);
    d->engine_version = page_text(r, FIELD_ENGINE_VERSION);
    d->artifact_kind = page_lower(r, FIELD_ARTIFACT_KIND);
    d->target = page_text(r, FIELD_TARGET_NAME);
    d->target_mode = page_lower(r, FIELD_TARGET_MODE);
    d->draft_id = page_text(r, FIELD_DRAFT_ID);
    d->created_unix_s = page_time(r, FIELD_CREATED);
    d->modified_unix_s = page_time(r, FIELD_MODIFIED);
    d->has_changes = page_truth(r, FIELD_HAS_CHANGED);
    d->content_hash = page_content_hash(r, FIELD_CONTENT);
    read_jobs(r, d->jobs);
    read_resources(r, d);
    return read_labels(r, d, err);
}

const struct page_kind page_of_deployments = {
    .record = RECORD_DEPLOYMENT,
    .shape = &deployments_shape,
    .n_values = FIELD_VALUES_END,
    .id = FIELD_ID,
    .read = read_deployment,
};

const struct page_kind page_of_deployments_with_content = {
    .record = RECORD_DEPLOYMENT,
    .shape = &deployments_with_content_shape,
    .n_values = FIELD_VALUES_END,
    .id = FIELD_ID,
    .read = read_deployment,
};
