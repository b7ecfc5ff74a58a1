/* Drafts, tickets and named deployments: what tests set up for those who read or release. */
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "change_key.h"
#include "draft.h"
#include "ticket.h"

/* --- settings --- */

static int run_patch(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    const char *how = cJSON_IsString(value) ? value->valuestring : "";
    if (strcmp(how, "replace") != 0 && strcmp(how, "merge") != 0)
        return change_wrong(err, "patch", "\"replace\" or \"merge\"");
    c->settings.patch_merges = strcmp(how, "merge") == 0;
    return 0;
}

static int run_ignore_locks(struct change *c, const cJSON *value, struct json_span raw,
                            struct err *err)
{
    (void)raw;
    if (!cJSON_IsBool(value))
        return change_wrong(err, "ignore_locks", "true or false");
    c->settings.ignore_locks = cJSON_IsTrue(value);
    return 0;
}

static int run_missing_name(struct change *c, const cJSON *value, struct json_span raw,
                            struct err *err)
{
    (void)raw;
    const char *how = cJSON_IsString(value) ? value->valuestring : "";
    if (strcmp(how, "empty") != 0 && strcmp(how, "error") != 0)
        return change_wrong(err, "missing_name", "\"empty\" or \"error\"");
    c->settings.missing_name_is_error = strcmp(how, "error") == 0;
    return 0;
}

static int read_polls(const cJSON *value, const char *key, int64_t *ret, struct err *err)
{
    if (cJSON_IsNull(value)) {
        *ret = -1;
        return 0;
    }
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1e9))
        return change_wrong(err, key, "a number of polls, or null");
    *ret = (int64_t)value->valuedouble;
    return 0;
}

static int read_time(const cJSON *value, const char *key, int64_t *ret, struct err *err)
{
    if (cJSON_IsNull(value)) {
        *ret = -1;
        return 0;
    }
    if (!cJSON_IsString(value) || quantity_parse_duration_ms(value->valuestring, ret) < 0)
        return change_wrong(err, key, "a duration such as \"2s\", or null");
    return 0;
}

static int run_ticket_polls(struct change *c, const cJSON *value, struct json_span raw,
                            struct err *err)
{
    (void)raw;
    return read_polls(value, "ticket_polls", &c->settings.ticket_polls, err);
}

static int run_ticket_time(struct change *c, const cJSON *value, struct json_span raw,
                           struct err *err)
{
    (void)raw;
    return read_time(value, "ticket_time", &c->settings.ticket_time_ms, err);
}

/* --- tickets --- */

/* The wire has a string of each number, and null for what is not told. */
static int add_error(const cJSON *error, struct strbuf *out, struct err *err)
{
    static const struct {
        const char *key;
        const char *wire;
    } places[] = {{"line", "lineNumber"},
                  {"column", "columnNumber"},
                  {"end_line", "endLineNumber"},
                  {"end_column", "endColumnNumber"}};
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(error, "message");
    if (!cJSON_IsObject(error) || (message && !cJSON_IsString(message)))
        return change_wrong(err, "errors", "a list of objects with line, column and message");
    strbuf_addc(out, '{');
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(error, places[i].key);
        if (v && (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= INT32_MAX)))
            return change_wrong(err, places[i].key, "a number");
        if (v)
            strbuf_addf(out, "\"%s\":\"%d\",", places[i].wire, v->valueint);
        else
            strbuf_addf(out, "\"%s\":null,", places[i].wire);
    }
    strbuf_adds(out, "\"message\":");
    json_add_cstring(out, message ? message->valuestring : "");
    strbuf_addc(out, '}');
    return 0;
}

/* One error is an object, as the published sample has it; several can only be a list. */
static int read_errors(const cJSON *errors, struct ticket_course *course, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    int n = cJSON_GetArraySize(errors);
    if (!cJSON_IsArray(errors))
        return change_wrong(err, "errors", "a list of objects with line, column and message");
    if (!n)
        return 0;
    strbuf_adds(&out, n > 1 ? "[" : "");
    const cJSON *error;
    cJSON_ArrayForEach(error, errors)
    {
        strbuf_adds(&out, error->prev && error != errors->child ? "," : "");
        if (add_error(error, &out, err) < 0)
            return -1;
    }
    strbuf_adds(&out, n > 1 ? "]" : "");
    free(course->errors);
    course->errors = strbuf_take(&out, NULL);
    return course->errors ? 0 : err_nomem(err, "ticket");
}

static int read_text(const cJSON *value, char **ret, struct err *err)
{
    if (!cJSON_IsString(value))
        return change_wrong(err, value->string, "a string");
    free(*ret);
    *ret = strdup(value->valuestring);
    return *ret ? 0 : err_nomem(err, "ticket");
}

/* "end" and "success" of one object, which say it together. */
static int read_end(const cJSON *object, enum ticket_end *ret, struct err *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "end");
    const cJSON *success = cJSON_GetObjectItemCaseSensitive(object, "success");
    const char *end = cJSON_IsString(item) ? item->valuestring : "";
    if (success && !cJSON_IsBool(success))
        return change_wrong(err, "success", "true or false");
    if (!item || strcmp(end, "FINISHED") == 0)
        *ret = success && !cJSON_IsTrue(success) ? TICKET_REFUSED : TICKET_SUCCEEDS;
    else if (strcmp(end, "FAILED") == 0 && !cJSON_IsTrue(success))
        *ret = TICKET_FAILS;
    else
        return change_wrong(err, "end", "\"FINISHED\", or \"FAILED\" without success");
    return 0;
}

/* A member of the course; *ret_known: whether it is one. */
static int read_course_member(const cJSON *object, const cJSON *item, struct ticket_course *course,
                              bool *ret_known, struct err *err)
{
    const char *name = item->string;
    *ret_known = true;
    if (strcmp(name, "polls") == 0)
        return read_polls(item, "polls", &course->polls, err);
    if (strcmp(name, "time") == 0)
        return read_time(item, "time", &course->time_ms, err);
    if (strcmp(name, "end") == 0 || strcmp(name, "success") == 0)
        return read_end(object, &course->end, err);
    if (strcmp(name, "message") == 0)
        return read_text(item, &course->message, err);
    if (strcmp(name, "validation_result") == 0)
        return read_text(item, &course->validation_result, err);
    if (strcmp(name, "errors") == 0)
        return read_errors(item, course, err);
    if (strcmp(name, "validation_success") != 0) {
        *ret_known = false;
        return 0;
    }
    if (!cJSON_IsBool(item))
        return change_wrong(err, name, "true or false");
    course->validation_success = cJSON_IsTrue(item);
    return 0;
}

static int run_ticket_course(struct change *c, const cJSON *value, struct json_span raw,
                             struct err *err)
{
    (void)raw;
    struct ticket_course course = {.polls = -1, .time_ms = -1};
    int rc = cJSON_IsObject(value) || cJSON_IsNull(value)
                 ? 0
                 : change_wrong(err, "ticket_course", "an object or null");
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        bool known = true;
        if (rc == 0)
            rc = read_course_member(value, item, &course, &known, err);
        if (rc == 0 && !known)
            rc = err_set(err, ERR_PARSE, "\"ticket_course\": unknown: \"%.100s\"", item->string);
    }
    struct world *w = c->s->world;
    struct ticket_course *kept = NULL;
    if (rc == 0 && !c->dry && cJSON_IsObject(value) && !(kept = malloc(sizeof(*kept))))
        rc = err_nomem(err, "ticket");
    if (rc < 0 || c->dry) {
        ticket_course_release(&course);
        return rc;
    }
    if (w->course)
        ticket_course_release(w->course);
    free(w->course);
    w->course = kept;
    if (kept)
        *kept = course;
    return 0;
}

/* The namespace that an object names, else the first. */
static struct world_namespace *namespace_of(struct change *c, const cJSON *object, struct err *err)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "namespace");
    struct world_namespace *ns = NULL;
    if (!name)
        return c->s->world->namespaces[0];
    if (cJSON_IsString(name))
        ns = world_find_namespace(c->s->world, name->valuestring);
    if (!ns)
        (void)err_set(err, ERR_PARSE, "there is no namespace \"%.100s\"",
                      cJSON_IsString(name) ? name->valuestring : "");
    return ns;
}

static int read_ticket_member(struct ticket *t, const cJSON *object, const cJSON *item,
                              struct err *err)
{
    bool known;
    if (strcmp(item->string, "namespace") == 0)
        return 0;
    if (strcmp(item->string, "draft") == 0)
        return read_text(item, &t->draft_id, err);
    if (strcmp(item->string, "deployment") == 0)
        return read_text(item, &t->deployment_id, err);
    if (strcmp(item->string, "id") == 0) {
        if (!cJSON_IsString(item) || strlen(item->valuestring) >= sizeof(t->id))
            return change_wrong(err, "id", "a string of at most 36 characters");
        memcpy(t->id, item->valuestring, strlen(item->valuestring) + 1);
        return 0;
    }
    if (read_course_member(object, item, &t->course, &known, err) < 0)
        return -1;
    return known ? 0 : err_set(err, ERR_PARSE, "unknown: \"%.100s\"", item->string);
}

static int read_ticket(struct change *c, const cJSON *object, struct ticket *t, struct err *err)
{
    if (!cJSON_IsObject(object))
        return change_wrong(err, "tickets", "a list of objects");
    t->course = (struct ticket_course){.polls = -1, .time_ms = -1};
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (read_ticket_member(t, object, item, err) < 0)
            return -1;
    }
    if (!cJSON_GetObjectItemCaseSensitive(object, "polls") &&
        !cJSON_GetObjectItemCaseSensitive(object, "time")) {
        t->course.polls = c->settings.ticket_polls;
        t->course.time_ms = c->settings.ticket_time_ms;
    }
    return 0;
}

/* The dry run adds none, so it has to look among those of the same list, too. */
static bool is_taken(struct change *c, const struct world_namespace *ns, const cJSON *all,
                     const cJSON *object, const char *id)
{
    struct err ignored;
    if (!*id)
        return false;
    for (const cJSON *other = all->child; other != object; other = other->next) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(other, "id");
        if (cJSON_IsString(v) && strcmp(v->valuestring, id) == 0 &&
            namespace_of(c, other, &ignored) == ns)
            return true;
    }
    return tickets_find(ns, id) != NULL;
}

static int run_one_ticket(struct change *c, const cJSON *all, const cJSON *object, struct err *err)
{
    struct world_namespace *ns = namespace_of(c, object, err);
    struct ticket *t = calloc(1, sizeof(*t));
    if (!ns || !t) {
        free(t);
        return ns ? err_nomem(err, "ticket") : -1;
    }
    int rc = read_ticket(c, object, t, err);
    if (rc == 0 && is_taken(c, ns, all, object, t->id))
        rc = err_set(err, ERR_PARSE, "there is a ticket \"%s\" already", t->id);
    if (rc == 0 && !c->dry)
        return tickets_add(c->s->world, ns, t, err);
    ticket_free(t);
    return rc;
}

static int run_tickets(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (!cJSON_IsArray(value))
        return change_wrong(err, "tickets", "a list of objects");
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        if (run_one_ticket(c, value, item, err) < 0)
            return err_wrap(err, "\"tickets\"");
    }
    return 0;
}

/* --- drafts --- */

/* One that is there already is replaced in its place. */
static int add_draft(struct change *c, const struct json_span *raw, struct err *err)
{
    CLEANUP(draft_freep) struct draft *d = NULL;
    CLEANUP(cjson_deletep) cJSON *object = json_parse(raw->ptr, raw->len);
    struct world *w = c->s->world;
    uint64_t seed = rng_mix(w->generator.seed ^ 0x61646472, w->n_loaded);
    struct world_namespace *ns = namespace_of(c, object, err);
    size_t index = SIZE_MAX;
    if (!ns || draft_from_json(raw->ptr, raw->len, seed, &d, err) < 0)
        return -1;
    if (c->dry)
        return 0;
    bool replaces = drafts_find(ns, d->id, &index);
    if (drafts_insert(ns, replaces ? index : SIZE_MAX, d, err) < 0)
        return -1;
    d = NULL;
    if (replaces)
        drafts_remove(ns, index + 1);
    w->n_loaded++;
    return 0;
}

static int run_add_drafts(struct change *c, const cJSON *value, struct json_span raw,
                          struct err *err)
{
    if (!cJSON_IsArray(value))
        return change_wrong(err, "add_drafts", "a list of drafts");
    struct json_walk walk;
    struct json_span item;
    json_walk_init(&walk, raw.ptr, raw.len, '[');
    while (json_walk_item(&walk, &item)) {
        if (add_draft(c, &item, err) < 0)
            return err_wrap(err, "\"add_drafts\"");
    }
    return 0;
}

static struct draft *find(struct change *c, const char *id, struct world_namespace **ret_ns,
                          size_t *ret_index, struct err *err)
{
    struct world *w = c->s->world;
    for (size_t i = 0; i < w->n_namespaces; i++) {
        struct draft *d = drafts_find(w->namespaces[i], id, ret_index);
        *ret_ns = w->namespaces[i];
        if (d)
            return d;
    }
    (void)err_set(err, ERR_PARSE, "there is no draft \"%.100s\"", id);
    return NULL;
}

static int run_remove_drafts(struct change *c, const cJSON *value, struct json_span raw,
                             struct err *err)
{
    (void)raw;
    if (!cJSON_IsArray(value))
        return change_wrong(err, "remove_drafts", "a list of ids");
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        struct world_namespace *ns;
        size_t index;
        if (!cJSON_IsString(item))
            return change_wrong(err, "remove_drafts", "a list of ids");
        if (!find(c, item->valuestring, &ns, &index, err)) {
            if (c->dry)
                return -1;
            continue; /* named twice */
        }
        if (!c->dry)
            drafts_remove(ns, index);
    }
    return 0;
}

/* {"id": {"holderId", "holderName"}|"name"|null} */
static int lock_one(struct change *c, struct world_namespace *ns, struct draft *d,
                    const cJSON *value, struct err *err)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(value, "holderId");
    const cJSON *name =
        cJSON_IsString(value) ? value : cJSON_GetObjectItemCaseSensitive(value, "holderName");
    if (!cJSON_IsNull(value) &&
        (!cJSON_IsString(name) || !*name->valuestring || (id && !cJSON_IsString(id))))
        return change_wrong(err, "lock_drafts",
                            "an object of ids, each with the holder's name, or null");
    if (c->dry)
        return 0;
    const char *holder = cJSON_IsNull(value) ? NULL : "1838996600000001";
    return draft_lock(d, ns->name, c->s->world->workspace, id ? id->valuestring : holder,
                      holder ? name->valuestring : "", err);
}

/* {"id": {"member": value, ...}}: those members change, as if somebody had saved them. */
static int edit_one(struct change *c, struct world_namespace *ns, struct draft *d,
                    const cJSON *value, struct err *err)
{
    (void)ns;
    if (!cJSON_IsObject(value))
        return change_wrong(err, "edit_drafts",
                            "an object of ids, each with the members to change");
    if (c->dry)
        return 0;
    struct object members;
    char *text = cJSON_PrintUnformatted(value);
    if (!text)
        return err_nomem(err, "draft");
    int rc = object_read(&members, text, strlen(text), err);
    cJSON_free(text);
    if (rc < 0)
        return -1;
    rc = draft_update(d, &members, true, simulator_unix_ms(&c->settings) / 1000, err);
    object_release(&members);
    return rc;
}

typedef int (*each_fn)(struct change *c, struct world_namespace *ns, struct draft *d,
                       const cJSON *value, struct err *err);

static int for_each_draft(struct change *c, const char *key, const cJSON *object, each_fn fn,
                          struct err *err)
{
    if (!cJSON_IsObject(object))
        return change_wrong(err, key, "an object with draft ids as keys");
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        struct world_namespace *ns;
        size_t index;
        struct draft *d = find(c, item->string, &ns, &index, err);
        if (!d || fn(c, ns, d, item, err) < 0)
            return err_wrap(err, "\"%s\"", key);
    }
    return 0;
}

static int run_lock_drafts(struct change *c, const cJSON *value, struct json_span raw,
                           struct err *err)
{
    (void)raw;
    return for_each_draft(c, "lock_drafts", value, lock_one, err);
}

static int run_edit_drafts(struct change *c, const cJSON *value, struct json_span raw,
                           struct err *err)
{
    (void)raw;
    return for_each_draft(c, "edit_drafts", value, edit_one, err);
}

const struct change_key change_draft_keys[] = {
    {"patch", run_patch},
    {"ignore_locks", run_ignore_locks},
    {"missing_name", run_missing_name},
    {"ticket_polls", run_ticket_polls},
    {"ticket_time", run_ticket_time},
    {"ticket_course", run_ticket_course},
    {"tickets", run_tickets},
    {"add_drafts", run_add_drafts},
    {"lock_drafts", run_lock_drafts},
    {"edit_drafts", run_edit_drafts},
    {"remove_drafts", run_remove_drafts},
    {0},
};
