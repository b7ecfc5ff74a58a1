#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "json_text.h"

void job_forget_failure(struct job *j)
{
    free(j->reason);
    free(j->message);
    j->reason = j->message = NULL;
}

void job_list_free(struct job_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->n; i++)
        job_forget_failure(&list->jobs[i]);
    free(list->jobs);
    free(list);
}

void job_id(const struct deployment *d, const struct job *j, char out[RNG_UUID_LEN])
{
    struct rng r = {rng_mix(hash_fnv1a(HASH_FNV1A_START, d->id), j->number)};
    rng_uuid(&r, out, false);
}

/* --- the list and the counts --- */

struct syncing {
    struct job_list *list;
    int64_t now_s;
    size_t missing[JOB_STATE_END]; /* instances that the list lacks */
    size_t surplus[JOB_STATE_END];
};

static void compare(struct syncing *s, const struct deployment *d)
{
    size_t listed[JOB_STATE_END] = {0};
    for (size_t i = 0; i < s->list->n; i++)
        listed[s->list->jobs[i].state]++;
    for (size_t state = 0; state < JOB_STATE_END; state++) {
        size_t want = d->jobs[state] < JOB_MAX_LISTED ? d->jobs[state] : JOB_MAX_LISTED;
        s->missing[state] = want > listed[state] ? want - listed[state] : 0;
        s->surplus[state] = listed[state] > want ? listed[state] - want : 0;
    }
}

/* An instance goes on to a state that lacks one; JOB_NONE if none does. */
static enum job_state next_state(const struct syncing *s, enum job_state from)
{
    for (size_t state = 0; job_state_is_live(from) && state < JOB_STATE_END; state++) {
        if (s->missing[state])
            return (enum job_state)state;
    }
    return JOB_NONE;
}

/* What is too much of one state has moved on to another, or was deleted: the oldest first. */
static void move_on(struct syncing *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->list->n; i++) {
        struct job j = s->list->jobs[i];
        if (s->surplus[j.state]) {
            enum job_state to = next_state(s, j.state);
            s->surplus[j.state]--;
            if (to == JOB_NONE) {
                job_forget_failure(&j);
                continue;
            }
            s->missing[to]--;
            j.state = to;
            j.end_s = job_state_is_live(to) ? 0 : s->now_s;
        }
        s->list->jobs[kept++] = j;
    }
    s->list->n = kept;
}

/* Ended ones first, so that the living are the newest. */
static int add_missing(struct syncing *s)
{
    static const enum job_state order[] = {JOB_FINISHED,   JOB_CANCELLED, JOB_FAILED,
                                           JOB_CANCELLING, JOB_RUNNING,   JOB_STARTING};
    size_t n = 0;
    for (size_t state = 0; state < JOB_STATE_END; state++)
        n += s->missing[state];
    if (!n)
        return 0;
    struct job *grown = realloc(s->list->jobs, (s->list->n + n) * sizeof(*grown));
    if (!grown)
        return -1;
    s->list->jobs = grown;
    for (size_t o = 0; o < ARRAY_LEN(order); o++) {
        for (size_t i = 0; i < s->missing[order[o]]; i++)
            s->list->jobs[s->list->n++] =
                (struct job){.number = s->list->next_number++,
                             .state = order[o],
                             .start_s = s->now_s,
                             .end_s = job_state_is_live(order[o]) ? 0 : s->now_s};
    }
    return 0;
}

/* What was there before anybody looked happened between the deployment's creation and now. */
static void spread(struct syncing *s, const struct deployment *d)
{
    int64_t from_s = d->created_s < s->now_s ? d->created_s : s->now_s;
    int64_t each_s = (s->now_s - from_s) / (int64_t)(s->list->n + 1);
    for (size_t i = 0; i < s->list->n; i++) {
        struct job *j = &s->list->jobs[i];
        j->start_s = from_s + (int64_t)(i + 1) * each_s;
        if (j->end_s)
            j->end_s = j->start_s + each_s / 2;
    }
}

/* The newest is of the state that the deployment says it is of. */
static void move_newest(struct job_list *list, enum job_state newest)
{
    size_t i = list->n;
    while (i-- > 0) {
        if (list->jobs[i].state != newest)
            continue;
        struct job j = list->jobs[i];
        memmove(list->jobs + i, list->jobs + i + 1, (list->n - i - 1) * sizeof(j));
        list->jobs[list->n - 1] = j;
        return;
    }
}

struct job_list *job_list_sync(struct deployment *d, int64_t now_s)
{
    bool first = !d->job_list;
    if (first)
        d->job_list = calloc(1, sizeof(*d->job_list));
    if (!d->job_list)
        return NULL;
    struct syncing s = {.list = d->job_list, .now_s = now_s};
    compare(&s, d);
    move_on(&s);
    if (add_missing(&s) < 0)
        return NULL;
    move_newest(s.list, d->newest);
    if (first)
        spread(&s, d);
    return s.list;
}

/* --- showing --- */

static void add_status(const struct job *j, struct strbuf *out)
{
    strbuf_addf(out, "{\"currentJobStatus\":\"%s\"", job_state_status(j->state));
    if (j->state == JOB_FAILED)
        strbuf_addf(out, ",\"failure\":{\"reason\":%s,\"message\":%s,\"failedAt\":%lld}",
                    j->reason ? j->reason : "\"JobFailed\"",
                    j->message ? j->message : "\"The restart strategy is exhausted.\"",
                    (long long)(j->failed_s ? j->failed_s : j->end_s));
    if (j->state == JOB_RUNNING)
        strbuf_addf(out,
                    ",\"running\":{\"observedFlinkJobRestarts\":%llu,"
                    "\"observedFlinkJobStatus\":\"RUNNING\"},\"healthScore\":100,"
                    "\"riskLevel\":\"RISK_LEVEL_LOW\"",
                    (unsigned long long)j->restarts);
    strbuf_addc(out, '}');
}

static void add_session(const struct object *deployment, struct strbuf *out)
{
    const char *text = object_get(deployment, "deploymentTarget");
    CLEANUP(cjson_deletep) cJSON *target = text ? json_parse(text, strlen(text)) : NULL;
    const cJSON *mode = cJSON_GetObjectItemCaseSensitive(target, "mode");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(target, "name");
    if (cJSON_IsString(mode) && strcmp(mode->valuestring, "SESSION") == 0 && cJSON_IsString(name))
        json_add_cstring(out, name->valuestring);
    else
        strbuf_adds(out, "null");
}

void job_render(const struct deployment *d, const struct object *deployment, const struct job *j,
                struct strbuf *out)
{
    static const char *const same[] = {
        "workspace",     "namespace",      "executionMode",
        "engineVersion", "artifact",       "flinkConf",
        "logging",       "localVariables", "streamingResourceSetting",
        "creator",       "creatorName",    "batchResourceSetting",
        "modifier",      "modifierName",
    };
    char id[RNG_UUID_LEN];
    job_id(d, j, id);
    strbuf_addf(out, "{\"jobId\":\"%s\",\"deploymentId\":", id);
    json_add_cstring(out, d->id);
    strbuf_adds(out, ",\"deploymentName\":");
    json_add_cstring(out, d->name ? d->name : "");
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        const char *text = object_get(deployment, same[i]);
        if (text)
            strbuf_addf(out, ",\"%s\":%s", same[i], text);
    }
    strbuf_adds(out, ",\"sessionClusterName\":");
    add_session(deployment, out);
    strbuf_adds(out, ",\"status\":");
    add_status(j, out);
    strbuf_addf(out,
                ",\"metric\":{\"totalCpu\":2,\"totalMemoryByte\":8589934592},\"startTime\":%lld,"
                "\"endTime\":%lld,\"restoreStrategy\":{\"kind\":\"LATEST_STATE\","
                "\"allowNonRestoredState\":false},\"createdAt\":\"%lld\",\"modifiedAt\":\"%lld\"}",
                (long long)j->start_s, (long long)j->end_s, (long long)j->start_s,
                (long long)(j->end_s ? j->end_s : j->start_s));
}
