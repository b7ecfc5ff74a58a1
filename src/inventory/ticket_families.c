/*
 * The families of deploy tickets. There are a hundred tickets at most, unless max_tickets says
 * otherwise: few lines, rendered anew for every generation.
 */
#include "entry.h"

#include <assert.h>
#include <stdio.h>

#include "model/label_names.h"

/* --- one ticket --- */

typedef void ticket_emit_fn(struct expo *e, const char *name, const struct entry *entry,
                            const struct ticket *t);

/* A sample with the ticket's label, and more of them (begins with a comma; "" = none). */
static void emit_value(struct expo *e, const char *name, const struct entry *entry,
                       const struct ticket *t, const char *more, int64_t value)
{
    char extra[TICKET_ID_MAX + 64];
    int len = snprintf(extra, sizeof(extra), "ticket_id=\"%s\"%s", t->id, more);

    assert(len > 0 && (size_t)len < sizeof(extra));
    expo_sample_i64(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len}, value);
}

static void emit_ms(struct expo *e, const char *name, const struct entry *entry,
                    const struct ticket *t, int64_t unix_ms)
{
    char extra[TICKET_ID_MAX + 64];
    int len = snprintf(extra, sizeof(extra), "ticket_id=\"%s\"", t->id);

    expo_sample_ms(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len}, unix_ms);
}

static void ticket_status(struct expo *e, const char *name, const struct entry *entry,
                          const struct ticket *t)
{
    for (int status = 0; status < TICKET_STATUS_END; status++) {
        char more[48];

        snprintf(more, sizeof(more), ",status=\"%s\"",
                 ticket_status_name((enum ticket_status)status));
        emit_value(e, name, entry, t, more, t->status == (enum ticket_status)status);
    }
}

/* Ids that others gave: they may need to be escaped. */
static void ticket_info(struct expo *e, const char *name, const struct entry *entry,
                        const struct ticket *t)
{
    CLEANUP(strbuf_release) struct strbuf extra = STRBUF_INIT;

    expo_label(&extra, "ticket_id", t->id);
    EXPO_NEXT_LABEL(&extra, "deployment_draft_id", t->draft_id);
    EXPO_NEXT_LABEL(&extra, "deployment_id", t->deployment_id);
    if (!strbuf_ok(&extra))
        e->out->bad = true; /* what is lost here must not look whole */
    expo_sample_i64(e, name, entry_labels(entry),
                    (struct expo_labels){strbuf_str(&extra), extra.len}, 1);
}

static void ticket_success(struct expo *e, const char *name, const struct entry *entry,
                           const struct ticket *t)
{
    if (t->ended)
        emit_value(e, name, entry, t, "", t->failure == TICKET_FAILURE_END);
}

static void ticket_validation(struct expo *e, const char *name, const struct entry *entry,
                              const struct ticket *t)
{
    if (t->validated >= 0)
        emit_value(e, name, entry, t, "", t->validated);
}

static void ticket_tracked(struct expo *e, const char *name, const struct entry *entry,
                           const struct ticket *t)
{
    emit_ms(e, name, entry, t, t->tracked_unix_ms);
}

static void ticket_completed(struct expo *e, const char *name, const struct entry *entry,
                             const struct ticket *t)
{
    if (t->ended)
        emit_ms(e, name, entry, t, t->ended_unix_ms);
}

/* --- all tickets of a namespace --- */

static void emit_each(struct expo *e, const char *name, const struct entry *entry,
                      int64_t now_mono_ms, ticket_emit_fn *emit)
{
    if (!entry_shows(entry, COLLECTOR_TICKETS, now_mono_ms))
        return;
    for (size_t i = 0; i < entry->tickets->n_items; i++)
        if (!entry->tickets->items[i].retired)
            emit(e, name, entry, &entry->tickets->items[i]);
}

#define EMIT_EACH(what)                                                                  \
    static void emit_##what(struct expo *e, const char *name, const struct entry *entry, \
                            int64_t now_mono_ms)                                         \
    {                                                                                    \
        emit_each(e, name, entry, now_mono_ms, ticket_##what);                           \
    }

EMIT_EACH(status)
EMIT_EACH(info)
EMIT_EACH(success)
EMIT_EACH(validation)
EMIT_EACH(tracked)
EMIT_EACH(completed)

static void emit_counts(struct expo *e, const char *name, const struct entry *entry,
                        int64_t now_mono_ms)
{
    int64_t counts[TICKET_STATUS_END] = {0};

    if (!entry_shows(entry, COLLECTOR_TICKETS, now_mono_ms))
        return;
    for (size_t i = 0; i < entry->tickets->n_items; i++)
        if (!entry->tickets->items[i].retired)
            counts[entry->tickets->items[i].status]++;
    for (int status = 0; status < TICKET_STATUS_END; status++) {
        char extra[48];
        int len = snprintf(extra, sizeof(extra), "status=\"%s\"",
                           ticket_status_name((enum ticket_status)status));

        expo_sample_i64(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len},
                        counts[status]);
    }
}

/* Counters are there from the start and never withheld: who waits for a rise must see it. */
static void emit_completions(struct expo *e, const char *name, const struct entry *entry,
                             int64_t now_mono_ms)
{
    (void)now_mono_ms;
    if (entry_collects(entry, COLLECTOR_TICKETS))
        expo_sample_i64(e, name, entry_labels(entry), EXPO_NO_LABELS,
                        (int64_t)entry->ended.completed);
}

static void emit_failures(struct expo *e, const char *name, const struct entry *entry,
                          int64_t now_mono_ms)
{
    (void)now_mono_ms;
    for (int f = 0; entry_collects(entry, COLLECTOR_TICKETS) && f < TICKET_FAILURE_END; f++) {
        char extra[48];
        int len = snprintf(extra, sizeof(extra), "reason=\"%s\"",
                           ticket_failure_name((enum ticket_failure)f));

        expo_sample_i64(e, name, entry_labels(entry), (struct expo_labels){extra, (size_t)len},
                        (int64_t)entry->ended.failures[f]);
    }
}

#define T "aliyun_flink_deploy_ticket"

const struct namespace_family ticket_families[TICKET_FAMILIES] = {
    {{T "_status",
      "Status of a tracked asynchronous deploy ticket: 1 for the current one, 0 for the others.",
      METRIC_GAUGE, .labels = LABELS_TICKET "," LABEL_TICKET_STATUS},
     emit_status},
    {{T "_info", "What the ticket deploys; always 1.", METRIC_GAUGE,
      .labels = LABELS_TICKET ",deployment_draft_id,deployment_id"},
     emit_info},
    {{T "_success",
      "1 if the ticket finished and reported success, 0 if it ended otherwise. Absent while "
      "executing.",
      METRIC_GAUGE, .labels = LABELS_TICKET},
     emit_success},
    {{T "_validation_success",
      "1 if the artifact validation passed. Absent until a result is known.", METRIC_GAUGE,
      .labels = LABELS_TICKET},
     emit_validation},
    {{T "_tracked_timestamp_seconds", "Unix time at which the exporter began to track the ticket.",
      METRIC_GAUGE, .labels = LABELS_TICKET},
     emit_tracked},
    {{T "_completed_timestamp_seconds",
      "Unix time at which the exporter saw the ticket end. Absent while executing.", METRIC_GAUGE,
      .labels = LABELS_TICKET},
     emit_completed},
    {{T "s", "Tracked tickets by status.", METRIC_GAUGE,
      .labels = LABELS_NAMESPACE "," LABEL_TICKET_STATUS, .absent = "before the first refresh"},
     emit_counts},
    {{T "s_completed_total", "Tickets that ended, with any result.", METRIC_COUNTER,
      .labels = LABELS_NAMESPACE},
     emit_completions},
    {{T "_failures_total", "Tickets that ended without success, by reason.", METRIC_COUNTER,
      .labels = LABELS_NAMESPACE "," LABEL_TICKET_REASON},
     emit_failures},
};
