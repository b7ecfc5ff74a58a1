/*
 * The families with one block of samples a namespace: its sums, the health of its refreshes, what
 * its requests cost. Few lines each, so they are rendered anew for every generation.
 */
#include "entry.h"

#include <assert.h>
#include <stdio.h>

static struct expo_labels entry_labels(const struct entry *entry)
{
    return (struct expo_labels){entry->labels.ptr, entry->labels.len};
}

bool entry_withheld(const struct entry *entry, int64_t now_mono_ms)
{
    const struct health *health = &entry->health[COLLECTOR_DEPLOYMENTS];

    return entry->slice &&
           now_mono_ms - health->last_success_mono_ms >= entry->target->max_staleness_ms;
}

int64_t entry_withhold_mono_ms(const struct entry *entry)
{
    if (!entry->slice)
        return INT64_MAX;
    return entry->health[COLLECTOR_DEPLOYMENTS].last_success_mono_ms +
           entry->target->max_staleness_ms;
}

/* --- sums of the last whole listing --- */

static void emit_deployments(struct expo *e, const char *name, const struct entry *entry,
                             int64_t now_mono_ms)
{
    if (entry->slice && !entry_withheld(entry, now_mono_ms))
        expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS,
                        (int64_t)entry->slice->records->n_items);
}

/* Where there are deployments and none tells, zeros would be made up. */
static void emit_jobs(struct expo *e, const char *name, const struct entry *entry,
                      int64_t now_mono_ms)
{
    if (!entry->slice || entry_withheld(entry, now_mono_ms) ||
        (!entry->slice->records->jobs_known && entry->slice->records->n_items > 0))
        return;
    for (int state = 0; state < JOB_STATE_END; state++)
        expo_sample_i64(e, name, entry_labels(entry), job_state_label((enum job_state)state),
                        entry->slice->records->jobs[state]);
}

/* --- the target and its refreshes --------------------------------------------------------------
 */

static void emit_target_info(struct expo *e, const char *name, const struct entry *entry,
                             int64_t now_mono_ms)
{
    CLEANUP(strbuf_release) struct strbuf extra = STRBUF_INIT;

    (void)now_mono_ms;
    expo_label(&extra, "target", entry->target->name);
    strbuf_addc(&extra, ',');
    expo_label(&extra, "region_id", entry->target->region_id);
    strbuf_addc(&extra, ',');
    expo_label(&extra, "endpoint", entry->target->host);
    if (!strbuf_ok(&extra))
        e->out->bad = true; /* what is lost here must not look whole */
    expo_sample_i64(e, name, entry_labels(entry),
                    (struct expo_labels){strbuf_str(&extra), extra.len}, 1);
}

/* Every collector is required today: up is 1 when all that were tried last succeeded. */
static void emit_up(struct expo *e, const char *name, const struct entry *entry,
                    int64_t now_mono_ms)
{
    bool tried = false, up = true;

    (void)now_mono_ms;
    for (int c = 0; c < COLLECTOR_END; c++)
        if (entry->target->collectors & (1u << c) && entry->health[c].tried) {
            tried = true;
            up = up && entry->health[c].success;
        }
    if (tried)
        expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS, up);
}

static struct expo_labels collector_label(enum collector collector)
{
    static const struct expo_labels labels[COLLECTOR_END] = {
        [COLLECTOR_DEPLOYMENTS] = EXPO_LABELS_INIT("collector=\"deployments\""),
        [COLLECTOR_DRAFTS] = EXPO_LABELS_INIT("collector=\"drafts\""),
        [COLLECTOR_TICKETS] = EXPO_LABELS_INIT("collector=\"tickets\""),
        [COLLECTOR_JOBS] = EXPO_LABELS_INIT("collector=\"jobs\""),
    };
    assert(collector < COLLECTOR_END);
    return labels[collector];
}

/* The enabled collectors of an entry, one after the other: for (c = first; c < END; c = next). */
static int next_collector(const struct entry *entry, int after)
{
    int c = after + 1;

    while (c < COLLECTOR_END && !(entry->target->collectors & (1u << c)))
        c++;
    return c;
}

#define FOR_EACH_COLLECTOR(c, entry) \
    for (int c = next_collector((entry), -1); c < COLLECTOR_END; c = next_collector((entry), c))

static void emit_success(struct expo *e, const char *name, const struct entry *entry,
                         int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        if (entry->health[c].tried)
            expo_sample_i64(e, name, entry_labels(entry), collector_label((enum collector)c),
                            entry->health[c].success);
    }
}

static void emit_duration(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        if (entry->health[c].tried)
            expo_sample_ms(e, name, entry_labels(entry), collector_label((enum collector)c),
                           entry->health[c].duration_ms);
    }
}

static void emit_interval(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        expo_sample_ms(e, name, entry_labels(entry), collector_label((enum collector)c),
                       entry->target->interval_ms);
    }
}

static void emit_last_attempt(struct expo *e, const char *name, const struct entry *entry,
                              int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        if (entry->health[c].begun)
            expo_sample_ms(e, name, entry_labels(entry), collector_label((enum collector)c),
                           entry->health[c].last_attempt_unix_ms);
    }
}

static void emit_last_success(struct expo *e, const char *name, const struct entry *entry,
                              int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        expo_sample_ms(e, name, entry_labels(entry), collector_label((enum collector)c),
                       entry->health[c].last_success_unix_ms);
    }
}

static void emit_refreshes(struct expo *e, const char *name, const struct entry *entry,
                           int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        expo_sample_i64(e, name, entry_labels(entry), collector_label((enum collector)c),
                        (int64_t)entry->health[c].refreshes);
    }
}

static void emit_missed(struct expo *e, const char *name, const struct entry *entry,
                        int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        expo_sample_i64(e, name, entry_labels(entry), collector_label((enum collector)c),
                        (int64_t)entry->health[c].missed);
    }
}

/* One sample a reason, zeros too: 'HEAD,reason="dns"' and so on. */
static void emit_reasons(struct expo *e, const char *name, const struct entry *entry,
                         const char *key, const char *value, const uint64_t *counts)
{
    for (int reason = ERR_DNS; reason < ERR_REASON_END; reason++) {
        char extra[128];
        int len = snprintf(extra, sizeof(extra), "%s=\"%s\",reason=\"%s\"", key, value,
                           err_kind_name((enum err_kind)reason));

        expo_sample_i64(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len},
                        (int64_t)counts[reason]);
    }
}

static void emit_failures(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        emit_reasons(e, name, entry, "collector", collector_name((enum collector)c),
                     entry->health[c].failures);
    }
}

/* What the last whole listing says of itself. A refresh that failed says nothing new. */
static void emit_of_listing(struct expo *e, const char *name, const struct entry *entry,
                            int64_t value)
{
    expo_sample_i64(e, name, entry_labels(entry), collector_label(COLLECTOR_DEPLOYMENTS), value);
}

static void emit_pages(struct expo *e, const char *name, const struct entry *entry,
                       int64_t now_mono_ms)
{
    (void)now_mono_ms;
    if (entry->slice)
        emit_of_listing(e, name, entry, entry->slice->records->pages);
}

static void emit_objects(struct expo *e, const char *name, const struct entry *entry,
                         int64_t now_mono_ms)
{
    (void)now_mono_ms;
    if (entry->slice)
        emit_of_listing(e, name, entry,
                        (int64_t)(entry->slice->records->n_items + entry->slice->records->invalid +
                                  entry->slice->records->over_limit));
}

static void emit_expected(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    if (entry->slice && entry->slice->records->expected >= 0)
        emit_of_listing(e, name, entry, entry->slice->records->expected);
}

static void emit_withheld(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    emit_of_listing(e, name, entry, entry_withheld(entry, now_mono_ms));
}

/* --- requests --- */

/* True for those that the entry's collectors ask for, or asked for once. */
static bool operation_used(const struct entry *entry, enum operation operation)
{
    const struct target *target = entry->target;
    unsigned by = 0;

    if (operation == OPERATION_LIST_DEPLOYMENTS && target->n_deployment_names == 0)
        by = 1u << COLLECTOR_DEPLOYMENTS;
    else if (operation == OPERATION_GET_DEPLOYMENTS_BY_NAME && target->n_deployment_names > 0)
        by = 1u << COLLECTOR_DEPLOYMENTS;
    else if (operation == OPERATION_LIST_DEPLOYMENT_DRAFTS)
        by = 1u << COLLECTOR_DRAFTS;
    else if (operation == OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT)
        by = 1u << COLLECTOR_TICKETS;
    return (target->collectors & by) || entry->stats.operations[operation].n_codes > 0;
}

#define FOR_EACH_OPERATION(op, entry)          \
    for (int op = 0; op < OPERATION_END; op++) \
        if (operation_used((entry), (enum operation)op))

static void emit_of_operation(struct expo *e, const char *name, const struct entry *entry,
                              enum operation operation, uint64_t value)
{
    char extra[128];
    int len = snprintf(extra, sizeof(extra), "operation=\"%s\"", operation_name(operation));

    expo_sample_i64(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len},
                    (int64_t)value);
}

static void emit_requests(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    for (int op = 0; op < OPERATION_END; op++)
        for (size_t i = 0; i < entry->stats.operations[op].n_codes; i++) {
            int code = entry->stats.operations[op].codes[i].code;
            char extra[128], number[16];
            int len;

            snprintf(number, sizeof(number), "%d", code);
            len = snprintf(extra, sizeof(extra), "operation=\"%s\",code=\"%s\"",
                           operation_name((enum operation)op),
                           code == 0  ? "none"
                           : code < 0 ? "other"
                                      : number);
            expo_sample_i64(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len},
                            (int64_t)entry->stats.operations[op].codes[i].requests);
        }
}

static void emit_request_failures(struct expo *e, const char *name, const struct entry *entry,
                                  int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_OPERATION(op, entry)
    emit_reasons(e, name, entry, "operation", operation_name((enum operation)op),
                 entry->stats.operations[op].failures);
}

static void emit_retries(struct expo *e, const char *name, const struct entry *entry,
                         int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_OPERATION(op, entry)
    emit_of_operation(e, name, entry, (enum operation)op, entry->stats.operations[op].retries);
}

static void emit_throttled(struct expo *e, const char *name, const struct entry *entry,
                           int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_OPERATION(op, entry)
    emit_of_operation(e, name, entry, (enum operation)op, entry->stats.operations[op].throttled);
}

static void emit_waits(struct expo *e, const char *name, const struct entry *entry,
                       int64_t now_mono_ms)
{
    (void)now_mono_ms;
    expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS,
                    (int64_t)entry->stats.rate_limit_waits);
}

static void emit_wait_seconds(struct expo *e, const char *name, const struct entry *entry,
                              int64_t now_mono_ms)
{
    (void)now_mono_ms;
    expo_sample_ms(e, name, entry_labels(entry), EXPO_NO_LABELS,
                   (int64_t)entry->stats.rate_limit_wait_ms);
}

#define A "aliyun_flink_"

const struct namespace_family namespace_families[NAMESPACE_FAMILIES] = {
    {{A "namespace_deployments", "Deployments in the namespace in the last complete listing.",
      METRIC_GAUGE},
     emit_deployments},
    {{A "namespace_jobs",
      "Jobs in the namespace that the control plane remembers, by state; complete even where "
      "per-deployment series are limited.",
      METRIC_GAUGE},
     emit_jobs},
    {{A "target_info", "The configured target; always 1.", METRIC_GAUGE}, emit_target_info},
    {{A "up", "1 if the last refresh of every required collector of the target succeeded.",
      METRIC_GAUGE},
     emit_up},
    {{A "refresh_success", "1 if the last refresh succeeded.", METRIC_GAUGE}, emit_success},
    {{A "refresh_duration_seconds", "Duration of the last refresh.", METRIC_GAUGE}, emit_duration},
    {{A "refresh_interval_seconds", "Configured time between refreshes.", METRIC_GAUGE},
     emit_interval},
    {{A "refresh_last_attempt_timestamp_seconds", "Unix time at which the last refresh began.",
      METRIC_GAUGE},
     emit_last_attempt},
    {{A "refresh_last_success_timestamp_seconds",
      "Unix time at which the last successful refresh ended. 0 until one succeeded.", METRIC_GAUGE},
     emit_last_success},
    {{A "refreshes_total", "Refreshes begun.", METRIC_COUNTER}, emit_refreshes},
    {{A "refresh_failures_total", "Refreshes that failed, by reason.", METRIC_COUNTER},
     emit_failures},
    {{A "refreshes_missed_total", "Refreshes not begun because the one before still ran.",
      METRIC_COUNTER},
     emit_missed},
    {{A "refresh_pages", "Pages read by the last refresh.", METRIC_GAUGE}, emit_pages},
    {{A "refresh_objects", "Objects read by the last refresh, without duplicates.", METRIC_GAUGE},
     emit_objects},
    {{A "refresh_objects_expected",
      "Objects that the API announced (totalSize) to the last refresh.", METRIC_GAUGE},
     emit_expected},
    {{A "data_withheld",
      "1 if the state series of this collector are withheld because they are older than the "
      "staleness limit.",
      METRIC_GAUGE},
     emit_withheld},
    {{A "api_requests_total",
      "HTTP requests sent to the control plane, retries included, by operation and HTTP status "
      "code (none: no response).",
      METRIC_COUNTER},
     emit_requests},
    {{A "api_request_failures_total",
      "Requests that failed, by reason; an HTTP 200 with success=false counts as api.",
      METRIC_COUNTER},
     emit_request_failures},
    {{A "api_retries_total", "Requests that were sent again.", METRIC_COUNTER}, emit_retries},
    {{A "api_throttled_total", "Responses that said the rate limit was exceeded.", METRIC_COUNTER},
     emit_throttled},
    {{A "api_rate_limit_waits_total", "Requests that waited for the local rate limiter.",
      METRIC_COUNTER},
     emit_waits},
    {{A "api_rate_limit_wait_seconds_total",
      "Time that requests waited for the local rate limiter.", METRIC_COUNTER},
     emit_wait_seconds},
};
