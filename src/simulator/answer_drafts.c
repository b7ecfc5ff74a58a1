/* The operations of drafts and of the tickets that deploy them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/clock.h"
#include "draft.h"
#include "json_text.h"
#include "ticket.h"

/* Numbers of drafts that are made up for an endless list. */
#define FIRST_FRESH UINT64_C(1000000000)

/* --- showing --- */

static void render(const struct draft *d, bool broken_name, struct strbuf *out)
{
    struct object o;
    if (!broken_name) {
        object_render(&d->object, out);
        return;
    }
    if (object_copy(&o, &d->object) < 0 || object_set(&o, "name", "\"\x80-\xc0\xaf-\xe8\xae\"") < 0)
        out->bad = true;
    object_render(&o, out);
    object_release(&o);
}

/* A fault: the list changes between two pages. */
static void shift(struct world *w, struct world_namespace *ns, const struct fault_effects *effects)
{
    const char *mode = effects->shift_mode;
    bool alternate = strcmp(mode, "alternate") == 0;
    bool insert = alternate ? effects->shift_number % 2 : strcmp(mode, "insert") == 0;
    struct err ignored;
    struct draft *d = NULL;
    if (insert) {
        if (drafts_make(w, ns, ns->next_draft, &d, &ignored) < 0)
            return;
        ns->next_draft++;
        if (drafts_insert(ns, 0, d, &ignored) < 0)
            draft_free(d);
    } else if (ns->n_drafts && strcmp(mode, "move") == 0) {
        d = ns->drafts[0];
        memmove(ns->drafts, ns->drafts + 1, (ns->n_drafts - 1) * sizeof(struct draft *));
        ns->drafts[ns->n_drafts - 1] = d;
    } else if (ns->n_drafts) {
        drafts_remove(ns, 0);
    }
}

/* A fault: behind the end there are drafts that do not exist. */
static bool add_fresh(const struct call *call, struct world_namespace *ns, size_t place,
                      struct strbuf *out)
{
    CLEANUP(draft_freep) struct draft *d = NULL;
    struct err ignored;
    if (drafts_make(call->sim->world, ns, FIRST_FRESH + place, &d, &ignored) < 0)
        return false;
    render(d, false, out);
    return true;
}

static void add_items(const struct call *call, struct world_namespace *ns,
                      const struct listing_query *q, struct strbuf *out)
{
    size_t first = (q->page_index - 1) * q->page_size;
    for (size_t n = 0; n < q->page_size; n++) {
        size_t index = 0;
        bool fresh = call->effects->endless_fresh && first + n >= ns->n_drafts;
        if (!fresh && !answer_page_item(call, q, ns->n_drafts, n, &index))
            break;
        strbuf_adds(out, n ? "," : "");
        if (!fresh)
            render(ns->drafts[index], call->effects->invalid_utf8, out);
        else if (!add_fresh(call, ns, first + n, out))
            out->bad = true;
    }
}

void answer_list_drafts(const struct call *call, struct reply *r)
{
    struct listing_query q;
    struct strbuf text = STRBUF_INIT;
    if (!answer_read_page(call, &q, r))
        return;
    struct world_namespace *ns =
        call->effects->shift ? answer_write(call, r) : answer_read(call, r);
    if (!ns)
        return;
    if (call->effects->shift)
        shift(call->sim->world, ns, call->effects);
    answer_page_head(call, &q, ns->n_drafts, r, &text);
    add_items(call, ns, &q, &text);
    world_unlock(call->sim->world);
    strbuf_adds(&text, "]}");
    answer_body(call, &text, r);
}

void answer_get_draft(const struct call *call, struct reply *r)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct world_namespace *ns = answer_read(call, r);
    if (!ns)
        return;
    const struct draft *d = drafts_find(ns, call->path_params[1], NULL);
    if (d)
        render(d, call->effects->invalid_utf8, &text);
    world_unlock(call->sim->world);
    if (d)
        answer_data(call, &text, r);
    else
        answer_not_found("deployment draft", r);
}

/* --- changing --- */

static bool check_types(const struct call *call, const struct object *body, struct reply *r)
{
    static const struct {
        const char *key;
        char opening; /* of its text */
    } types[] = {{"artifact", '{'},      {"labels", '{'},        {"localVariables", '['},
                 {"engineVersion", '"'}, {"executionMode", '"'}, {"name", '"'}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const char *text = object_get(body, types[i].key);
        if (!text || *text == types[i].opening || strcmp(text, "null") == 0)
            continue;
        char message[96];
        snprintf(message, sizeof(message), "The specified parameter body.%s is not valid.",
                 types[i].key);
        answer_bad_parameter(call, message, r);
        return false;
    }
    return true;
}

static bool may_edit(const struct call *call, const struct draft *d, struct reply *r)
{
    CLEANUP(strbuf_release) struct strbuf message = STRBUF_INIT;
    strbuf_adds(&message, "The deployment draft is locked by ");
    if (call->settings->ignore_locks || !draft_is_locked(d, &message))
        return true;
    reply_business_error(r, ANSWER_LOCKED, strbuf_str(&message));
    return false;
}

static void update(const struct call *call, struct draft *d, const struct object *body,
                   struct reply *r)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct err err = {0};
    if (!may_edit(call, d, r))
        return;
    if (draft_update(d, body, call->settings->patch_merges, call->now_s, &err) < 0) {
        answer_internal_error(call, r);
        return;
    }
    render(d, call->effects->invalid_utf8, &text);
    answer_data(call, &text, r);
}

void answer_update_draft(const struct call *call, struct reply *r)
{
    struct object body;
    if (!answer_read_body(call, &body, r))
        return;
    struct world_namespace *ns = check_types(call, &body, r) ? answer_write(call, r) : NULL;
    if (ns) {
        struct draft *d = drafts_find(ns, call->path_params[1], NULL);
        if (d)
            update(call, d, &body, r);
        else
            answer_not_found("deployment draft", r);
        world_unlock(call->sim->world);
    }
    object_release(&body);
}

/* --- deploying --- */

static char *string_of(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(v) && *v->valuestring ? strdup(v->valuestring) : NULL;
}

static struct ticket *read_ticket(const struct call *call, const struct object *body,
                                  struct reply *r)
{
    struct ticket *t = calloc(1, sizeof(*t));
    const char *target = object_get(body, "deploymentTarget");
    const char *skip = object_get(body, "skipValidate");
    CLEANUP(cjson_deletep) cJSON *parsed = target ? json_parse(target, strlen(target)) : NULL;
    if (!t) {
        answer_internal_error(call, r);
        return NULL;
    }
    t->draft_id = object_string(body, "deploymentDraftId");
    t->skip_validate = skip && strcmp(skip, "true") == 0;
    t->target_mode = string_of(parsed, "mode");
    t->target_name = string_of(parsed, "name");
    t->course = (struct ticket_course){.polls = call->settings->ticket_polls,
                                       .time_ms = call->settings->ticket_time_ms};
    const char *wrong = NULL;
    if (!t->draft_id || !*t->draft_id)
        wrong = "The specified parameter deploymentDraftId is not valid.";
    else if (target && !cJSON_IsObject(parsed) && !cJSON_IsNull(parsed))
        wrong = "The specified parameter deploymentTarget is not valid.";
    if (!wrong)
        return t;
    ticket_free(t);
    answer_bad_parameter(call, wrong, r);
    return NULL;
}

/* The course that the control path has set for tickets to come. */
static int set_course(const struct call *call, struct ticket *t, struct err *err)
{
    const struct ticket_course *course = call->sim->world->course;
    struct ticket_course copy;
    if (!course)
        return 0;
    if (ticket_course_copy(&copy, course, err) < 0)
        return -1;
    if (copy.polls < 0 && copy.time_ms < 0) {
        copy.polls = t->course.polls;
        copy.time_ms = t->course.time_ms;
    }
    t->course = copy;
    return 0;
}

/* Takes t. */
static void deploy(const struct call *call, struct world_namespace *ns, struct ticket *t,
                   struct reply *r)
{
    struct err err = {0};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (!drafts_find(ns, t->draft_id, NULL)) {
        ticket_free(t);
        answer_not_found("deployment draft", r);
        return;
    }
    if (set_course(call, t, &err) < 0) {
        ticket_free(t);
        answer_internal_error(call, r);
        return;
    }
    if (tickets_add(call->sim->world, ns, t, &err) < 0) {
        answer_internal_error(call, r);
        return;
    }
    strbuf_addf(&text, "{\"ticketId\":\"%s\"}", t->id);
    answer_data(call, &text, r);
}

void answer_deploy_draft(const struct call *call, struct reply *r)
{
    struct object body;
    if (!answer_read_body(call, &body, r))
        return;
    struct ticket *t = read_ticket(call, &body, r);
    object_release(&body);
    if (!t)
        return;
    struct world_namespace *ns = answer_write(call, r);
    if (!ns) {
        ticket_free(t);
        return;
    }
    deploy(call, ns, t, r);
    world_unlock(call->sim->world);
}

void answer_deploy_result(const struct call *call, struct reply *r)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct world_namespace *ns = answer_write(call, r);
    if (!ns)
        return;
    struct ticket *t = tickets_find(ns, call->path_params[1]);
    if (t) {
        ticket_poll(call->sim->world, ns, t, call->now_s, clock_mono_ms());
        ticket_render(t, &text);
    }
    world_unlock(call->sim->world);
    if (t)
        answer_data(call, &text, r);
    else
        answer_not_found("ticket", r);
}
