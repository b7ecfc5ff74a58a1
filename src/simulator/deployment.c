#include "deployment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "job.h"

static const char *const state_keys[] = {"starting",  "running",  "cancelling",
                                         "cancelled", "finished", "failed"};
static const char *const state_statuses[] = {"STARTING",  "RUNNING",  "CANCELLING",
                                             "CANCELLED", "FINISHED", "FAILED"};

const char *job_state_key(enum job_state s)
{
    return s < JOB_STATE_END ? state_keys[s] : "none";
}

const char *job_state_status(enum job_state s)
{
    return s < JOB_STATE_END ? state_statuses[s] : NULL;
}

bool job_state_parse(const char *s, enum job_state *ret)
{
    for (size_t i = 0; i < JOB_STATE_END; i++) {
        if (strcasecmp(s, state_keys[i]) == 0) {
            *ret = (enum job_state)i;
            return true;
        }
    }
    return false;
}

bool job_state_is_live(enum job_state s)
{
    return s <= JOB_CANCELLING;
}

void ledger_add(struct ledger *sum, const struct ledger *l)
{
    sum->starts += l->starts;
    sum->failures += l->failures;
    sum->cancellations += l->cancellations;
    sum->completions += l->completions;
    for (size_t i = 0; i < JOB_STATE_END; i++)
        sum->purged[i] += l->purged[i];
}

void deployment_free(struct deployment *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_parts; i++)
        text_release(&d->parts[i].own);
    free(d->parts);
    job_list_free(d->job_list);
    free(d->own_text);
    free(d->id);
    free(d->name);
    free(d->execution_mode);
    free(d->creator);
    free(d->modifier);
    free(d->draft_id);
    free(d->quirks);
    free(d->summary_raw);
    free(d);
}

void deployment_freep(struct deployment **d)
{
    deployment_free(*d);
}

void deployment_builder_release(struct deployment_builder *b)
{
    strbuf_release(&b->text);
}

void deployment_builder_mark(struct deployment_builder *b, enum part_kind kind, struct text *shared)
{
    if (b->n_marks == DEPLOYMENT_MAX_PARTS) {
        b->text.bad = true;
        return;
    }
    b->marks[b->n_marks].at = b->text.len;
    b->marks[b->n_marks].kind = kind;
    b->marks[b->n_marks].shared = shared;
    b->n_marks++;
}

static void add_own_part(struct deployment *d, size_t from, size_t to)
{
    if (to == from)
        return;
    struct part *p = &d->parts[d->n_parts++];
    p->kind = PART_OWN;
    p->own.ptr = d->own_text + from;
    p->own.len = to - from;
}

int deployment_builder_finish(struct deployment_builder *b, struct deployment *d)
{
    size_t len = 0;
    struct part *parts = calloc(2 * b->n_marks + 1, sizeof(*parts));
    char *text = parts ? strbuf_take(&b->text, &len) : NULL;
    if (!text) {
        free(parts);
        return -1;
    }
    /* The buffer grew by doubling; a world of 100,000 should not carry that. */
    char *tight = realloc(text, len + 1);
    d->own_text = tight ? tight : text;
    d->parts = parts;
    size_t from = 0;
    for (size_t i = 0; i < b->n_marks; i++) {
        add_own_part(d, from, b->marks[i].at);
        from = b->marks[i].at;
        struct part *p = &d->parts[d->n_parts++];
        p->kind = b->marks[i].kind;
        p->shared = b->marks[i].shared;
    }
    add_own_part(d, from, len);
    return 0;
}

/* --- showing --- */

void deployment_render_summary(const struct deployment *d, struct strbuf *out)
{
    if (d->summary_form == SUMMARY_RAW) {
        strbuf_adds(out, d->summary_raw);
        return;
    }
    if (d->summary_form == SUMMARY_MISSING || d->summary_form == SUMMARY_NULL) {
        strbuf_adds(out, "null");
        return;
    }
    char before = '{';
    for (size_t i = 0; i < JOB_STATE_END; i++) {
        if (d->summary_form == SUMMARY_PARTIAL && !d->jobs[i])
            continue;
        strbuf_addc(out, before);
        strbuf_addc(out, '"');
        strbuf_adds(out, state_keys[i]);
        strbuf_add(out, "\":", 2);
        strbuf_add_u64(out, d->jobs[i]);
        before = ',';
    }
    if (d->summary_form == SUMMARY_EXTRA)
        strbuf_adds(out, ",\"suspended\":1");
    if (before == '{')
        strbuf_addc(out, '{');
    strbuf_addc(out, '}');
}

static void render_name(const struct deployment *d, bool broken, struct strbuf *out)
{
    if (!d->name)
        return;
    strbuf_adds(out, "\"name\":");
    if (broken) {
        /* A lone continuation byte, an overlong slash, a surrogate, a cut sequence. */
        strbuf_addc(out, '"');
        json_add_escaped(out, d->name, strlen(d->name));
        strbuf_adds(out, "\x80-\xc0\xaf-\xed\xa0\x80-\xe8\xae\"");
    } else {
        json_add_cstring(out, d->name);
    }
    strbuf_addc(out, ',');
}

static void render_draft(const struct deployment *d, struct strbuf *out)
{
    if (!d->draft_id && !d->draft_null)
        return;
    strbuf_adds(out, "\"referencedDeploymentDraftId\":");
    if (d->draft_id)
        json_add_cstring(out, d->draft_id);
    else
        strbuf_adds(out, "null");
    strbuf_addc(out, ',');
}

void deployment_render(struct deployment *d, bool broken_name, struct text_body *out)
{
    struct strbuf loose = STRBUF_INIT;
    for (size_t i = 0; i < d->n_parts; i++) {
        struct part *p = &d->parts[i];
        strbuf_reset(&loose);
        switch (p->kind) {
        case PART_OWN:
            text_body_add_text(out, &p->own);
            break;
        case PART_SHARED:
            text_body_add_text(out, p->shared);
            break;
        case PART_NAME:
            render_name(d, broken_name, &loose);
            break;
        case PART_SUMMARY:
            if (d->summary_form != SUMMARY_MISSING) {
                strbuf_adds(&loose, "\"jobSummary\":");
                deployment_render_summary(d, &loose);
                strbuf_addc(&loose, ',');
            }
            break;
        case PART_DRAFT:
            render_draft(d, &loose);
            break;
        }
        if (loose.len)
            text_body_add(out, loose.ptr, loose.len);
        if (loose.bad)
            out->bytes.bad = true;
    }
    strbuf_release(&loose);
}

void ledger_render(const struct ledger *l, struct strbuf *out)
{
    strbuf_adds(out, "\"starts\":");
    strbuf_add_u64(out, l->starts);
    strbuf_adds(out, ",\"failures\":");
    strbuf_add_u64(out, l->failures);
    strbuf_adds(out, ",\"cancellations\":");
    strbuf_add_u64(out, l->cancellations);
    strbuf_adds(out, ",\"completions\":");
    strbuf_add_u64(out, l->completions);
    strbuf_adds(out, ",\"purged\":{");
    const enum job_state ended[] = {JOB_FAILED, JOB_CANCELLED, JOB_FINISHED};
    for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
        strbuf_adds(out, i ? ",\"" : "\"");
        strbuf_adds(out, state_keys[ended[i]]);
        strbuf_adds(out, "\":");
        strbuf_add_u64(out, l->purged[ended[i]]);
    }
    strbuf_addc(out, '}');
}

static void add_string_or_null(struct strbuf *out, const char *s)
{
    if (s)
        json_add_cstring(out, s);
    else
        strbuf_adds(out, "null");
}

static void render_quirks(const struct deployment *d, struct strbuf *out)
{
    strbuf_addc(out, '[');
    for (const char *at = d->quirks ? d->quirks : ""; *at;) {
        size_t len = strcspn(at, ",");
        json_add_string(out, at, len);
        at += len;
        if (*at == ',') {
            strbuf_addc(out, ',');
            at++;
        }
    }
    strbuf_addc(out, ']');
}

void deployment_render_truth(const struct deployment *d, struct strbuf *out)
{
    strbuf_adds(out, "{\"deploymentId\":");
    json_add_cstring(out, d->id);
    strbuf_adds(out, ",\"name\":");
    add_string_or_null(out, d->name);
    strbuf_adds(out, ",\"status\":");
    add_string_or_null(out, job_state_status(d->newest));
    strbuf_adds(out, ",\"jobSummary\":");
    deployment_render_summary(d, out);
    strbuf_adds(out, ",\"jobs\":{");
    for (size_t i = 0; i < JOB_STATE_END; i++)
        strbuf_addf(out, "%s\"%s\":%u", i ? "," : "", state_keys[i], d->jobs[i]);
    strbuf_adds(out, "},\"executionMode\":");
    add_string_or_null(out, d->execution_mode);
    strbuf_adds(out, ",\"createdAt\":");
    strbuf_add_i64(out, d->created_s);
    strbuf_adds(out, ",\"modifiedAt\":");
    strbuf_add_i64(out, d->modified_s);
    strbuf_adds(out, ",\"labels\":");
    if (d->labels.len)
        strbuf_add(out, d->labels.ptr, d->labels.len);
    else
        strbuf_adds(out, "null");
    strbuf_adds(out, ",\"quirks\":");
    render_quirks(d, out);
    strbuf_adds(out, ",\"ledger\":{");
    ledger_render(&d->ledger, out);
    strbuf_adds(out, "}}");
}

/* --- events --- */

bool job_event_parse(const char *s, enum job_event *ret)
{
    static const char *const names[] = {"start", "fail", "cancel", "finish", "purge"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(s, names[i]) == 0) {
            *ret = (enum job_event)i;
            return true;
        }
    }
    return false;
}

uint32_t deployment_live_jobs(const struct deployment *d)
{
    return d->jobs[JOB_STARTING] + d->jobs[JOB_RUNNING] + d->jobs[JOB_CANCELLING];
}

/* The events speak of counts; a summary that showed none, or something else, now shows them. */
static void summary_shows_counts(struct deployment *d)
{
    if (d->summary_form == SUMMARY_RAW) {
        d->summary_form = SUMMARY_FULL;
        free(d->summary_raw);
        d->summary_raw = NULL;
    }
}

/* The newest instance if it lives, else an older one, else a new one. */
static enum job_state take_live(struct deployment *d, bool *ret_is_newest, struct ledger *change)
{
    if (d->newest != JOB_NONE && job_state_is_live(d->newest)) {
        *ret_is_newest = true;
        return d->newest;
    }
    const enum job_state order[] = {JOB_RUNNING, JOB_CANCELLING, JOB_STARTING};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (d->jobs[order[i]]) {
            *ret_is_newest = false;
            return order[i];
        }
    }
    d->jobs[JOB_STARTING]++;
    change->starts++;
    *ret_is_newest = true;
    return JOB_STARTING;
}

static void move_live(struct deployment *d, enum job_state to, struct ledger *change)
{
    bool is_newest;
    enum job_state from = take_live(d, &is_newest, change);
    d->jobs[from]--;
    d->jobs[to]++;
    if (is_newest)
        d->newest = to;
    change->failures += to == JOB_FAILED;
    change->cancellations += to == JOB_CANCELLED;
    change->completions += to == JOB_FINISHED;
}

/* What the newest job probably is, where only counts are known. */
static enum job_state newest_by_counts(const struct deployment *d)
{
    const enum job_state order[] = {JOB_RUNNING, JOB_STARTING,  JOB_CANCELLING,
                                    JOB_FAILED,  JOB_CANCELLED, JOB_FINISHED};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (d->jobs[order[i]])
            return order[i];
    }
    return JOB_NONE;
}

static bool start_one(struct deployment *d, enum job_state state, struct ledger *change)
{
    if (state == JOB_RUNNING && d->newest == JOB_STARTING && d->jobs[JOB_STARTING]) {
        /* The second half of a start: nothing new, the instance is up. */
        d->jobs[JOB_STARTING]--;
        d->jobs[JOB_RUNNING]++;
        d->newest = JOB_RUNNING;
        return true;
    }
    enum job_state to = state == JOB_STARTING ? JOB_STARTING : JOB_RUNNING;
    d->jobs[to]++;
    d->newest = to;
    change->starts++;
    return true;
}

static bool purge_one(struct deployment *d, enum job_state state, struct ledger *change)
{
    if (state >= JOB_STATE_END || job_state_is_live(state) || !d->jobs[state])
        return false;
    d->jobs[state]--;
    change->purged[state]++;
    if (d->newest == state && !d->jobs[state])
        d->newest = newest_by_counts(d);
    return true;
}

bool deployment_event(struct deployment *d, enum job_event event, enum job_state state,
                      struct ledger *change)
{
    struct ledger mine = {0};
    bool happened = true;
    switch (event) {
    case JOB_EVENT_START:
        happened = start_one(d, state, &mine);
        break;
    case JOB_EVENT_FAIL:
        move_live(d, JOB_FAILED, &mine);
        break;
    case JOB_EVENT_CANCEL:
        move_live(d, state == JOB_CANCELLING ? JOB_CANCELLING : JOB_CANCELLED, &mine);
        break;
    case JOB_EVENT_FINISH:
        move_live(d, JOB_FINISHED, &mine);
        break;
    case JOB_EVENT_PURGE:
        happened = purge_one(d, state, &mine);
        break;
    }
    if (happened)
        summary_shows_counts(d);
    ledger_add(&d->ledger, &mine);
    ledger_add(change, &mine);
    return happened;
}

/* --- changes from outside --- */

/* Reads the counts; says which form the object has. Numbers that are no counts make it RAW. */
static enum summary_form read_summary(const cJSON *summary, uint32_t counts[JOB_STATE_END])
{
    bool raw = false;
    size_t known = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, summary)
    {
        enum job_state state;
        double v = member->valuedouble;
        if (!job_state_parse(member->string, &state) || !cJSON_IsNumber(member) || v < 0 ||
            v > INT32_MAX || v != (double)(uint32_t)v) {
            raw = true;
            continue;
        }
        counts[state] = (uint32_t)v;
        known++;
        raw = raw || strcmp(member->string, state_keys[state]) != 0;
    }
    if (raw)
        return SUMMARY_RAW;
    return known == JOB_STATE_END ? SUMMARY_FULL : SUMMARY_PARTIAL;
}

static enum job_state newest_after_change(const struct deployment *d,
                                          const uint32_t before[JOB_STATE_END])
{
    const enum job_state ended[] = {JOB_FAILED, JOB_CANCELLED, JOB_FINISHED};
    enum job_state newest = newest_by_counts(d);
    if (newest == JOB_NONE || job_state_is_live(newest))
        return newest;
    for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
        if (d->jobs[ended[i]] > before[ended[i]])
            return ended[i];
    }
    return d->newest < JOB_STATE_END && d->jobs[d->newest] ? d->newest : newest;
}

int deployment_set_summary(struct deployment *d, const cJSON *summary, struct err *err)
{
    uint32_t counts[JOB_STATE_END] = {0};
    enum summary_form form;
    if (cJSON_IsString(summary) && strcmp(summary->valuestring, "missing") == 0)
        form = SUMMARY_MISSING;
    else if (cJSON_IsNull(summary))
        form = SUMMARY_NULL;
    else if (cJSON_IsObject(summary))
        form = read_summary(summary, counts);
    else
        form = SUMMARY_RAW;

    char *raw = NULL;
    if (form == SUMMARY_RAW && !(raw = cJSON_PrintUnformatted(summary)))
        return err_nomem(err, "job summary");
    free(d->summary_raw);
    d->summary_raw = raw;
    d->summary_form = form;
    if (form == SUMMARY_MISSING || form == SUMMARY_NULL)
        return 0; /* not shown any more, but the jobs are still there */
    uint32_t before[JOB_STATE_END];
    memcpy(before, d->jobs, sizeof(before));
    memcpy(d->jobs, counts, sizeof(counts));
    d->newest = newest_after_change(d, before);
    return 0;
}

int deployment_set_draft(struct deployment *d, const char *draft_id, struct err *err)
{
    char *copy = strdup(draft_id);
    if (!copy)
        return err_nomem(err, "draft id");
    free(d->draft_id);
    d->draft_id = copy;
    return 0;
}

int deployment_set_name(struct deployment *d, const char *name, struct err *err)
{
    char *copy = name ? strdup(name) : NULL;
    if (name && !copy)
        return err_nomem(err, "name");
    free(d->name);
    d->name = copy;
    return 0;
}
