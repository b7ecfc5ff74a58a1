/*
 * A job's record out of the values of its object, as the page ListJobs of the API writes it. A job
 * repeats all that its deployment is made of, text and plans included; what is wanted of it is
 * little.
 */
#include <string.h>

#include "base/utf8.h"
#include "page_values.h"
#include "record_shape.h"

enum {
    JOB_ID = REPLY_VALUES,
    JOB_DEPLOYMENT_ID,
    JOB_CREATED,
    JOB_START,
    JOB_END,
    JOB_STATUS,
    JOB_STATUS_TEXT,
    JOB_FAILURE,
    JOB_FAILURE_AT,
    JOB_FAILURE_REASON,
    JOB_FAILURE_MESSAGE,
    JOB_STATUS_RUNNING,
    JOB_RESTARTS,
    JOB_METRIC,
    JOB_CPU,
    JOB_MEMORY,
    JOB_VALUES_END,
};

static const struct json_member failure_members[] = {
    MEMBER("reason", JOB_FAILURE_REASON),
    MEMBER("message", JOB_FAILURE_MESSAGE),
    MEMBER("failedAt", JOB_FAILURE_AT),
};
static const struct json_shape failure_shape = SHAPE(failure_members);

static const struct json_member running_members[] = {
    MEMBER("observedFlinkJobRestarts", JOB_RESTARTS),
};
static const struct json_shape running_shape = SHAPE(running_members);

static const struct json_member status_members[] = {
    MEMBER("currentJobStatus", JOB_STATUS_TEXT),
    MEMBER("failure", JOB_FAILURE, .inside = &failure_shape),
    MEMBER("running", JOB_STATUS_RUNNING, .inside = &running_shape),
};
static const struct json_shape status_shape = SHAPE(status_members);

static const struct json_member metric_members[] = {
    MEMBER("totalCpu", JOB_CPU),
    MEMBER("totalMemoryByte", JOB_MEMORY),
};
static const struct json_shape metric_shape = SHAPE(metric_members);

static const struct json_member job_members[] = {
    MEMBER("jobId", JOB_ID),
    MEMBER("deploymentId", JOB_DEPLOYMENT_ID),
    MEMBER("status", JOB_STATUS, .inside = &status_shape),
    MEMBER("metric", JOB_METRIC, .inside = &metric_shape),
    MEMBER("startTime", JOB_START),
    MEMBER("endTime", JOB_END),
    MEMBER("createdAt", JOB_CREATED),
};
static const struct json_shape job_shape = SHAPE(job_members);
static const struct json_member reply_members[] = {REPLY_MEMBERS(&job_shape)};
static const struct json_shape reply_shape = SHAPE(reply_members);

/*
 * States in which a job goes on. The documented ones and one that Alibaba's own tests wait for; of
 * any other nobody can say, so it counts as neither active nor failed.
 */
static bool is_active(const char *status)
{
    static const char *const active[] = {"starting", "running", "cancelling", "failing"};

    for (size_t i = 0; i < ARRAY_LEN(active); i++)
        if (strcmp(status, active[i]) == 0)
            return true;
    return false;
}

/* As page_text, with more room. */
static const char *read_message(struct page_reader *r, size_t value)
{
    CLEANUP(strbuf_release) struct strbuf clean = STRBUF_INIT;
    struct page_span s = page_string(r, value);

    if (s.len == 0)
        return "";
    /* Repaired text is never shorter than what it was made from. */
    (void)utf8_append_repaired(&clean, s.ptr,
                               s.len < JOB_MESSAGE_MAX + 4 ? s.len : JOB_MESSAGE_MAX + 4);
    if (!strbuf_ok(&clean)) {
        r->text.nomem = true;
        return "";
    }
    return text_keep(&r->text, clean.ptr, utf8_prefix_len(clean.ptr, clean.len, JOB_MESSAGE_MAX));
}

static int read_job(struct page_reader *r, void *ret, struct err *err)
{
    struct job_record *job = ret;

    (void)err;
    *job = (struct job_record){.id = page_id(r)};
    if (!job->id)
        return 0;
    job->deployment_id = page_text(r, JOB_DEPLOYMENT_ID);
    job->status = page_lower(r, JOB_STATUS_TEXT);
    job->active = is_active(job->status);
    job->failed = strcmp(job->status, "failed") == 0;
    job->created_unix_s = page_time(r, JOB_CREATED);
    job->started_unix_s = page_time(r, JOB_START);
    job->ended_unix_s = page_time(r, JOB_END);
    job->restarts = page_count(r, JOB_RESTARTS);
    job->cpu = page_cores(r, JOB_CPU);
    job->memory = page_count(r, JOB_MEMORY);
    job->failed_unix_s = job->failed ? page_time(r, JOB_FAILURE_AT) : 0;
    job->reason = job->failed ? page_text(r, JOB_FAILURE_REASON) : "";
    job->message = job->failed ? read_message(r, JOB_FAILURE_MESSAGE) : "";
    return 0;
}

const struct page_kind page_of_jobs = {
    .record = RECORD_JOB,
    .shape = &reply_shape,
    .n_values = JOB_VALUES_END,
    .id = JOB_ID,
    .read = read_job,
};
