/*
 * The families with one block of samples a namespace: its sums, the health of its refreshes, what
 * its requests cost. Few lines each, so they are rendered anew for every generation.
 */
#include "entry.h"

#include <assert.h>
#include <stdio.h>

#include "model/label_names.h"

struct expo_labels entry_labels(const struct entry *entry)
{
    return (struct expo_labels){entry->labels.ptr, entry->labels.len};
}

bool entry_collects(const struct entry *entry, enum collector collector)
{
    return entry->target->collectors & (1u << collector);
}

bool entry_has_state(const struct entry *entry, enum collector collector)
{
    switch (collector) {
    case COLLECTOR_DEPLOYMENTS:
        return entry->slice;
    case COLLECTOR_DRAFTS:
        return entry->drafts;
    case COLLECTOR_TICKETS:
        /* They are kept while the collector is not configured, and no state of it until it ran. */
        return entry->tickets && entry->health[collector].tried;
    case COLLECTOR_JOBS:
        return entry->jobs;
    case COLLECTOR_END:
        break;
    }
    return false;
}

int64_t entry_withhold_mono_ms(const struct entry *entry, enum collector collector)
{
    if (!entry_has_state(entry, collector))
        return INT64_MAX;
    return entry->health[collector].state_mono_ms + entry->target->max_staleness_ms;
}

bool entry_withheld(const struct entry *entry, enum collector collector, int64_t now_mono_ms)
{
    return entry_has_state(entry, collector) &&
           now_mono_ms >= entry_withhold_mono_ms(entry, collector);
}

bool entry_shows(const struct entry *entry, enum collector collector, int64_t now_mono_ms)
{
    return entry_has_state(entry, collector) && !entry_withheld(entry, collector, now_mono_ms);
}

/* --- sums of the last whole listing --- */

static void emit_deployments(struct expo *e, const char *name, const struct entry *entry,
                             int64_t now_mono_ms)
{
    if (entry_shows(entry, COLLECTOR_DEPLOYMENTS, now_mono_ms))
        expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS,
                        (int64_t)entry->slice->records->n_items);
}

static void emit_drafts(struct expo *e, const char *name, const struct entry *entry,
                        int64_t now_mono_ms)
{
    if (entry_shows(entry, COLLECTOR_DRAFTS, now_mono_ms))
        expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS,
                        (int64_t)entry->drafts->drafts->listing->n_items);
}

/* Where there are deployments and none tells, zeros would be made up. */
static void emit_jobs(struct expo *e, const char *name, const struct entry *entry,
                      int64_t now_mono_ms)
{
    if (!entry_shows(entry, COLLECTOR_DEPLOYMENTS, now_mono_ms) ||
        (!entry->slice->records->jobs_known && entry->slice->records->n_items > 0))
        return;
    for (int state = 0; state < JOB_STATE_END; state++)
        expo_sample_i64(e, name, entry_labels(entry), job_state_label((enum job_state)state),
                        entry->slice->records->jobs[state]);
}

/* --- events, which are never withheld: see families.h --- */

static void emit_counter(struct expo *e, const char *name, const struct entry *entry,
                         enum event_counter counter)
{
    if (entry_collects(entry, COLLECTOR_DEPLOYMENTS))
        expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS,
                        events_shown(entry->events, counter));
}

static void emit_failed(struct expo *e, const char *name, const struct entry *entry,
                        int64_t now_mono_ms)
{
    (void)now_mono_ms;
    emit_counter(e, name, entry, EVENT_COUNTER_JOBS + JOB_EVENT_FAILURE);
}

static void emit_cancelled(struct expo *e, const char *name, const struct entry *entry,
                           int64_t now_mono_ms)
{
    (void)now_mono_ms;
    emit_counter(e, name, entry, EVENT_COUNTER_JOBS + JOB_EVENT_CANCELLATION);
}

static void emit_finished(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    emit_counter(e, name, entry, EVENT_COUNTER_JOBS + JOB_EVENT_COMPLETION);
}

static void emit_reductions(struct expo *e, const char *name, const struct entry *entry,
                            int64_t now_mono_ms)
{
    /* In the order of the states. */
    static const enum job_event events[] = {JOB_EVENT_CANCELLATION, JOB_EVENT_COMPLETION,
                                            JOB_EVENT_FAILURE};

    (void)now_mono_ms;
    if (!entry_collects(entry, COLLECTOR_DEPLOYMENTS))
        return;
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        expo_sample_i64(
            e, name, entry_labels(entry), job_state_label(job_event_state(events[i])),
            events_shown(entry->events, EVENT_COUNTER_REDUCTIONS + (enum event_counter)events[i]));
}

static void emit_added(struct expo *e, const char *name, const struct entry *entry,
                       int64_t now_mono_ms)
{
    (void)now_mono_ms;
    emit_counter(e, name, entry, EVENT_COUNTER_ADDED);
}

static void emit_removed(struct expo *e, const char *name, const struct entry *entry,
                         int64_t now_mono_ms)
{
    (void)now_mono_ms;
    emit_counter(e, name, entry, EVENT_COUNTER_REMOVED);
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
        if (entry_collects(entry, (enum collector)c) && entry->health[c].tried) {
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

    while (c < COLLECTOR_END && !entry_collects(entry, (enum collector)c))
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

struct told entry_told(const struct entry *entry, enum collector collector)
{
    if (collector == COLLECTOR_DEPLOYMENTS && entry->slice) {
        const struct records *r = entry->slice->records;

        return (struct told){r->pages, (int64_t)(r->n_items + r->invalid + r->over_limit),
                             r->expected};
    }
    if (collector == COLLECTOR_DRAFTS && entry->drafts) {
        const struct listing *l = entry->drafts->drafts->listing;

        return (struct told){l->pages, (int64_t)(l->n_items + l->invalid + l->over_limit),
                             l->expected};
    }
    if (collector == COLLECTOR_TICKETS && entry->health[collector].last_success_unix_ms > 0)
        return (struct told){-1, (int64_t)entry->tickets_asked, -1};
    if (collector == COLLECTOR_JOBS && entry->health[collector].last_success_unix_ms > 0)
        return (struct told){-1, (int64_t)entry->jobs_answered, (int64_t)entry->jobs_wanted};
    return (struct told){-1, -1, -1};
}

static void emit_told(struct expo *e, const char *name, const struct entry *entry, int collector,
                      int64_t value)
{
    if (value >= 0)
        expo_sample_i64(e, name, entry_labels(entry), collector_label((enum collector)collector),
                        value);
}

static void emit_pages(struct expo *e, const char *name, const struct entry *entry,
                       int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        emit_told(e, name, entry, c, entry_told(entry, (enum collector)c).pages);
    }
}

static void emit_objects(struct expo *e, const char *name, const struct entry *entry,
                         int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        emit_told(e, name, entry, c, entry_told(entry, (enum collector)c).objects);
    }
}

static void emit_expected(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    FOR_EACH_COLLECTOR(c, entry)
    {
        emit_told(e, name, entry, c, entry_told(entry, (enum collector)c).expected);
    }
}

static void emit_withheld(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    FOR_EACH_COLLECTOR(c, entry)
    {
        emit_told(e, name, entry, c, entry_withheld(entry, (enum collector)c, now_mono_ms));
    }
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
    else if (operation == OPERATION_LIST_JOBS)
        by = 1u << COLLECTOR_JOBS;
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

#define A            "aliyun_flink_"
/* Labels of what there is of each. */
#define OF_COLLECTOR LABELS_NAMESPACE "," LABEL_COLLECTOR
#define OF_OPERATION LABELS_NAMESPACE "," LABEL_OPERATION

const struct namespace_family sum_families[SUM_FAMILIES] = {
    [SUM_DEPLOYMENTS] = {{A "namespace_deployments",
                          "Deployments in the namespace in the last complete listing.",
                          METRIC_GAUGE, .labels = LABELS_NAMESPACE,
                          .absent = "before the first whole listing"},
                         emit_deployments},
    [SUM_DRAFTS] = {{A "namespace_drafts",
                     "Deployment drafts in the namespace in the last complete listing.",
                     METRIC_GAUGE, .labels = LABELS_NAMESPACE,
                     .absent = "before the first whole listing"},
                    emit_drafts},
    [SUM_JOBS] =
        {{A "namespace_jobs",
          "Jobs in the namespace that the control plane remembers, by state; complete even where "
          "per-deployment series are limited.",
          METRIC_GAUGE, .labels = LABELS_NAMESPACE "," LABEL_STATE,
          .absent = "before the first whole listing, and where no deployment tells its counts"},
         emit_jobs},
    [SUM_EVENTS + JOB_EVENT_FAILURE] =
        {{A "namespace_job_failures_total",
          "Jobs seen to enter the failed state in any deployment of the namespace, deleted ones "
          "included.",
          METRIC_COUNTER, .labels = LABELS_NAMESPACE},
         emit_failed},
    [SUM_EVENTS + JOB_EVENT_CANCELLATION] =
        {{A "namespace_job_cancellations_total",
          "Jobs seen to enter the cancelled state in any deployment of the namespace, deleted ones "
          "included.",
          METRIC_COUNTER, .labels = LABELS_NAMESPACE},
         emit_cancelled},
    [SUM_EVENTS + JOB_EVENT_COMPLETION] =
        {{A "namespace_job_completions_total",
          "Jobs seen to enter the finished state in any deployment of the namespace, deleted ones "
          "included.",
          METRIC_COUNTER, .labels = LABELS_NAMESPACE},
         emit_finished},
    [SUM_REDUCTIONS] =
        {{A "namespace_job_history_reductions_total",
          "Jobs that left the remembered counts (history purged or deployment deleted), by state.",
          METRIC_COUNTER, .labels = LABELS_NAMESPACE "," LABEL_END_STATE},
         emit_reductions},
    [SUM_ADDED] = {{A "namespace_deployments_added_total",
                    "Deployments that appeared after the first complete listing.", METRIC_COUNTER,
                    .labels = LABELS_NAMESPACE},
                   emit_added},
    [SUM_REMOVED] = {{A "namespace_deployments_removed_total",
                      "Deployments that vanished after the first complete listing.", METRIC_COUNTER,
                      .labels = LABELS_NAMESPACE},
                     emit_removed},
};

const struct namespace_family health_families[HEALTH_FAMILIES] = {
    {{A "target_info", "The configured target; always 1.", METRIC_GAUGE,
      .labels = LABELS_NAMESPACE ",target,region_id,endpoint"},
     emit_target_info},
    {{A "up", "1 if the last refresh of every required collector of the target succeeded.",
      METRIC_GAUGE, .labels = LABELS_NAMESPACE, .absent = "until a refresh ended"},
     emit_up},
    {{A "refresh_success", "1 if the last refresh succeeded.", METRIC_GAUGE, .labels = OF_COLLECTOR,
      .absent = "until a refresh ended"},
     emit_success},
    {{A "refresh_duration_seconds", "Duration of the last refresh.", METRIC_GAUGE,
      .labels = OF_COLLECTOR, .absent = "until a refresh ended"},
     emit_duration},
    {{A "refresh_interval_seconds", "Configured time between refreshes.", METRIC_GAUGE,
      .labels = OF_COLLECTOR},
     emit_interval},
    {{A "refresh_last_attempt_timestamp_seconds", "Unix time at which the last refresh began.",
      METRIC_GAUGE, .labels = OF_COLLECTOR, .absent = "until a refresh began"},
     emit_last_attempt},
    {{A "refresh_last_success_timestamp_seconds",
      "Unix time at which the last successful refresh ended. 0 until one succeeded.", METRIC_GAUGE,
      .labels = OF_COLLECTOR},
     emit_last_success},
    {{A "refreshes_total", "Refreshes begun.", METRIC_COUNTER, .labels = OF_COLLECTOR},
     emit_refreshes},
    {{A "refresh_failures_total", "Refreshes that failed, by reason.", METRIC_COUNTER,
      .labels = OF_COLLECTOR "," LABEL_REASON},
     emit_failures},
    {{A "refreshes_missed_total", "Refreshes not begun because the one before still ran.",
      METRIC_COUNTER, .labels = OF_COLLECTOR},
     emit_missed},
    {{A "refresh_pages", "Pages read by the last refresh.", METRIC_GAUGE, .labels = OF_COLLECTOR,
      .absent = "before the first whole listing, of tickets, and of jobs"},
     emit_pages},
    {{A "refresh_objects", "Objects read by the last refresh, without duplicates.", METRIC_GAUGE,
      .labels = OF_COLLECTOR, .absent = "before the first whole listing"},
     emit_objects},
    {{A "refresh_objects_expected",
      "Objects that the API announced (totalSize) to the last refresh.", METRIC_GAUGE,
      .labels = OF_COLLECTOR,
      .absent = "before the first whole listing, of tickets, and with deployment_names"},
     emit_expected},
    {{A "data_withheld",
      "1 if the state series of this collector are withheld because they are older than the "
      "staleness limit.",
      METRIC_GAUGE, .labels = OF_COLLECTOR},
     emit_withheld},
    {{A "api_requests_total",
      "HTTP requests sent to the control plane, retries included, by operation and HTTP status "
      "code (none: no response).",
      METRIC_COUNTER, .labels = OF_OPERATION ",code", .absent = "until the code occurred"},
     emit_requests},
    {{A "api_request_failures_total",
      "Requests that failed, by reason; an HTTP 200 with success=false counts as api.",
      METRIC_COUNTER, .labels = OF_OPERATION "," LABEL_REASON},
     emit_request_failures},
    {{A "api_retries_total", "Requests that were sent again.", METRIC_COUNTER,
      .labels = OF_OPERATION},
     emit_retries},
    {{A "api_throttled_total", "Responses that said the rate limit was exceeded.", METRIC_COUNTER,
      .labels = OF_OPERATION},
     emit_throttled},
    {{A "api_rate_limit_waits_total", "Requests that waited for the local rate limiter.",
      METRIC_COUNTER, .labels = LABELS_NAMESPACE},
     emit_waits},
    {{A "api_rate_limit_wait_seconds_total",
      "Time that requests waited for the local rate limiter.", METRIC_COUNTER,
      .labels = LABELS_NAMESPACE},
     emit_wait_seconds},
};
