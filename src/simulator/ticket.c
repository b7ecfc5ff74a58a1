#include "ticket.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "release.h"

/* --- the course --- */

void ticket_course_release(struct ticket_course *c)
{
    free(c->message);
    free(c->validation_result);
    free(c->errors);
    *c = (struct ticket_course){0};
}

static int copy_text(char **ret, const char *text)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? -1 : 0;
}

int ticket_course_copy(struct ticket_course *ret, const struct ticket_course *c, struct err *err)
{
    *ret = *c;
    ret->message = ret->validation_result = ret->errors = NULL;
    if (copy_text(&ret->message, c->message) == 0 &&
        copy_text(&ret->validation_result, c->validation_result) == 0 &&
        copy_text(&ret->errors, c->errors) == 0)
        return 0;
    ticket_course_release(ret);
    return err_nomem(err, "ticket");
}

/* --- the list --- */

void ticket_free(struct ticket *t)
{
    if (!t)
        return;
    ticket_course_release(&t->course);
    free(t->draft_id);
    free(t->target_mode);
    free(t->target_name);
    free(t->deployment_id);
    free(t->failure);
    free(t);
}

void tickets_free(struct world_namespace *ns)
{
    for (size_t i = 0; i < ns->n_tickets; i++)
        ticket_free(ns->tickets[i]);
    free(ns->tickets);
}

struct ticket *tickets_find(const struct world_namespace *ns, const char *id)
{
    for (size_t i = ns->n_tickets; i-- > 0;) {
        if (strcmp(ns->tickets[i]->id, id) == 0)
            return ns->tickets[i];
    }
    return NULL;
}

static void forget_oldest(struct world *w, struct world_namespace *ns)
{
    w->n_open_tickets -= !ns->tickets[0]->ended;
    ticket_free(ns->tickets[0]);
    memmove(ns->tickets, ns->tickets + 1, (ns->n_tickets - 1) * sizeof(struct ticket *));
    ns->n_tickets--;
}

int tickets_add(struct world *w, struct world_namespace *ns, struct ticket *t, struct err *err)
{
    if (!ns->tickets)
        ns->tickets = calloc(TICKET_MAX, sizeof(struct ticket *));
    if (!ns->tickets) {
        ticket_free(t);
        return err_nomem(err, "ticket");
    }
    if (ns->n_tickets == TICKET_MAX)
        forget_oldest(w, ns);
    if (!*t->id)
        rng_uuid(&w->rng, t->id, false);
    t->odd = rng_chance(&w->rng, w->generator.quirks);
    t->created_mono_ms = clock_mono_ms();
    ns->tickets[ns->n_tickets++] = t;
    w->n_open_tickets++;
    return 0;
}

/* --- its end --- */

static void finish(struct world *w, struct world_namespace *ns, struct ticket *t, int64_t now_s)
{
    const struct release release = {
        .draft_id = t->draft_id,
        .target_mode = t->target_mode,
        .target_name = t->target_name,
        .now_s = now_s,
    };
    struct err err = {0};
    t->ended = true;
    t->end = t->course.end;
    w->n_open_tickets--;
    if (t->end != TICKET_SUCCEEDS || !t->draft_id)
        return;
    char *deployment_id = NULL;
    if (release_draft(w, ns, &release, &deployment_id, &err) < 0) {
        t->end = TICKET_FAILS;
        t->failure = strdup(err.msg);
        return;
    }
    free(t->deployment_id);
    t->deployment_id = deployment_id;
}

static bool is_due(const struct ticket *t, int64_t now_mono_ms)
{
    const struct ticket_course *c = &t->course;
    return (c->polls >= 0 && t->polls >= (uint64_t)c->polls) ||
           (c->time_ms >= 0 && now_mono_ms - t->created_mono_ms >= c->time_ms);
}

void ticket_poll(struct world *w, struct world_namespace *ns, struct ticket *t, int64_t now_s,
                 int64_t now_mono_ms)
{
    if (!t->ended && is_due(t, now_mono_ms))
        finish(w, ns, t, now_s);
    t->polls++;
}

void tickets_settle(struct world *w, int64_t now_s, int64_t now_mono_ms)
{
    for (size_t n = 0; n < w->n_namespaces; n++) {
        struct world_namespace *ns = w->namespaces[n];
        for (size_t i = 0; i < ns->n_tickets; i++) {
            struct ticket *t = ns->tickets[i];
            if (!t->ended && t->course.time_ms >= 0 &&
                now_mono_ms - t->created_mono_ms >= t->course.time_ms)
                finish(w, ns, t, now_s);
        }
    }
}

/* --- showing --- */

static const char *status_of(const struct ticket *t)
{
    if (!t->ended)
        return "EXECUTING";
    return t->end == TICKET_FAILS ? "FAILED" : "FINISHED";
}

static const char *message_of(const struct ticket *t)
{
    if (!t->ended)
        return "";
    if (t->failure)
        return t->failure;
    if (t->course.message)
        return t->course.message;
    if (t->end == TICKET_FAILS)
        return "Deployment failed.";
    return t->end == TICKET_REFUSED ? "Validation error: SQL validate failed" : "";
}

static bool is_valid(const struct ticket *t)
{
    return t->end == TICKET_SUCCEEDS || t->course.validation_success;
}

static const char *result_of(const struct ticket *t)
{
    if (t->course.validation_result)
        return t->course.validation_result;
    return is_valid(t) ? "there are no errors" : "there have some errors";
}

/* The sample answers "\"there have some errors\"\"": quotes inside, and not even in pairs. */
static void add_text(const struct ticket *t, const char *text, const char *behind,
                     struct strbuf *out)
{
    CLEANUP(strbuf_release) struct strbuf quoted = STRBUF_INIT;
    if (t->odd)
        strbuf_addf(&quoted, "\"%s%s", text, behind);
    json_add_cstring(out, t->odd ? strbuf_str(&quoted) : text);
    if (quoted.bad)
        out->bad = true;
}

static void add_validation(const struct ticket *t, struct strbuf *out)
{
    bool told = t->course.errors || t->course.validation_result || t->course.validation_success;
    if (!t->ended || (t->end == TICKET_FAILS && !told)) {
        strbuf_adds(out, "null");
        return;
    }
    strbuf_adds(out, "{\"validationResult\":");
    add_text(t, result_of(t), "\"\"", out);
    strbuf_adds(out, ",\"errorDetails\":");
    strbuf_adds(out, t->course.errors && !is_valid(t) ? t->course.errors : "null");
    strbuf_addc(out, '}');
}

void ticket_render(const struct ticket *t, struct strbuf *out)
{
    bool success = t->ended && t->end == TICKET_SUCCEEDS;
    strbuf_addf(out, "{\"ticketStatus\":\"%s\",\"artifactValidationDetail\":", status_of(t));
    add_validation(t, out);
    strbuf_adds(out, ",\"deploymentId\":");
    json_add_cstring(out, success && t->deployment_id ? t->deployment_id : "");
    strbuf_addf(out, ",\"success\":%s,\"message\":", success ? "true" : "false");
    add_text(t, message_of(t), "\"", out);
    strbuf_addc(out, '}');
}

static void add_member(struct strbuf *out, const char *key, const char *value)
{
    strbuf_addf(out, "\"%s\":", key);
    if (value)
        json_add_cstring(out, value);
    else
        strbuf_adds(out, "null");
    strbuf_addc(out, ',');
}

void tickets_render_truth(const struct world_namespace *ns, struct strbuf *out)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; i < ns->n_tickets; i++) {
        const struct ticket *t = ns->tickets[i];
        strbuf_adds(out, i ? ",\n{" : "{");
        add_member(out, "ticketId", t->id);
        add_member(out, "deploymentDraftId", t->draft_id);
        add_member(out, "deploymentId", t->deployment_id);
        add_member(out, "ticketStatus", status_of(t));
        add_member(out, "message", message_of(t));
        strbuf_addf(out, "\"success\":%s,\"polls\":%llu,\"skipValidate\":%s}",
                    t->ended && t->end == TICKET_SUCCEEDS ? "true" : "false",
                    (unsigned long long)t->polls, t->skip_validate ? "true" : "false");
    }
    strbuf_addc(out, ']');
}
