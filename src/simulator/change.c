/*
 * Each key has one function that runs twice under the world's write lock: first dry, to find what
 * is wrong, then for real. Settings and faults gather in the struct on the first run and are
 * published at the end. Because the first run changes nothing, one key cannot refer to what
 * another key of the same POST adds.
 */
#include "change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "change_key.h"
#include "job.h"

int change_wrong(struct err *err, const char *key, const char *what)
{
    return err_set(err, ERR_PARSE, "\"%s\" must be %s", key, what);
}

/* --- faults and settings --- */

static int run_faults(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (!c->dry)
        return 0;
    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) > CHANGE_MAX_FAULTS)
        return change_wrong(err, "faults", "a list of at most 64 strings");
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        if (!cJSON_IsString(item))
            return change_wrong(err, "faults", "a list of strings");
        if (fault_parse(item->valuestring, &c->faults[c->n_faults], err) < 0)
            return -1;
        c->n_faults++;
    }
    c->new_faults = true;
    return 0;
}

static int read_duration(const cJSON *value, int64_t *ret_ms)
{
    if (cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble < 1e12) {
        *ret_ms = (int64_t)value->valuedouble;
        return 0;
    }
    return cJSON_IsString(value) ? quantity_parse_duration_ms(value->valuestring, ret_ms) : -1;
}

static int run_latency(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (read_duration(value, &c->settings.latency_ms) < 0)
        return change_wrong(err, "latency", "a duration such as \"20ms\"");
    return 0;
}

static int run_clock_offset(struct change *c, const cJSON *value, struct json_span raw,
                            struct err *err)
{
    (void)raw;
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    bool negative = *text == '-';
    int64_t ms;
    if (quantity_parse_duration_ms(text + negative, &ms) < 0)
        return change_wrong(err, "clock_offset", "a duration such as \"20m\" or \"-20m\"");
    c->settings.clock_offset_ms = negative ? -ms : ms;
    return 0;
}

static int run_rate_limit(struct change *c, const cJSON *value, struct json_span raw,
                          struct err *err)
{
    (void)raw;
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1e9))
        return change_wrong(err, "rate_limit", "a number of calls per second, 0 for none");
    c->settings.rate_limit = value->valuedouble;
    return 0;
}

static int run_churn(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1e6))
        return change_wrong(err, "churn", "a number of events per second");
    c->settings.churn = value->valuedouble;
    return 0;
}

static int read_as(const cJSON *value, bool *ret_business, struct err *err)
{
    if (cJSON_IsString(value) && strcmp(value->valuestring, "business") == 0)
        *ret_business = true;
    else if (cJSON_IsString(value) && strcmp(value->valuestring, "gateway") == 0)
        *ret_business = false;
    else
        return change_wrong(err, value->string, "\"gateway\" or \"business\"");
    return 0;
}

static int run_options(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (!cJSON_IsObject(value))
        return change_wrong(err, "options", "an object");
    const cJSON *option;
    cJSON_ArrayForEach(option, value)
    {
        const char *name = option->string;
        double number = option->valuedouble;
        int rc = 0;
        if (strcmp(name, "access_denied_as") == 0)
            rc = read_as(option, &c->settings.access_denied_as_business, err);
        else if (strcmp(name, "bad_page_as") == 0)
            rc = read_as(option, &c->settings.bad_page_as_business, err);
        else if (strcmp(name, "verify") == 0 && cJSON_IsBool(option))
            c->settings.verify = cJSON_IsTrue(option);
        else if (strcmp(name, "throttle_status") == 0 && cJSON_IsNumber(option) && number >= 400 &&
                 number < 600)
            c->settings.throttle_status = (int)number;
        else
            rc = err_set(err, ERR_PARSE, "\"options\": unknown or wrong: \"%s\"", name);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int run_credentials(struct change *c, const cJSON *value, struct json_span raw,
                           struct err *err)
{
    (void)raw;
    if (!c->dry)
        return 0;
    if (!cJSON_IsObject(value))
        return change_wrong(err, "credentials", "an object");
    struct settings *set = &c->settings;
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        char *field;
        size_t size;
        if (strcmp(item->string, "access_key_id") == 0) {
            field = set->key_id;
            size = sizeof(set->key_id);
        } else if (strcmp(item->string, "access_key_secret") == 0) {
            field = set->key_secret;
            size = sizeof(set->key_secret);
        } else if (strcmp(item->string, "security_token") == 0) {
            memcpy(set->expired_token, set->token, sizeof(set->token));
            field = set->token;
            size = sizeof(set->token);
        } else {
            return err_set(err, ERR_PARSE, "\"credentials\": unknown: \"%s\"", item->string);
        }
        if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
            return change_wrong(err, item->string, "a string that is not too long");
        memcpy(field, item->valuestring, strlen(item->valuestring) + 1);
    }
    return 0;
}

static int run_reset_counters(struct change *c, const cJSON *value, struct json_span raw,
                              struct err *err)
{
    (void)raw;
    if (!cJSON_IsBool(value))
        return change_wrong(err, "reset_counters", "true or false");
    c->reset_counters = cJSON_IsTrue(value);
    return 0;
}

/* --- the world --- */

static int run_namespace(struct change *c, const cJSON *value, struct json_span raw,
                         struct err *err)
{
    (void)raw;
    if (!cJSON_IsString(value) || !*value->valuestring)
        return change_wrong(err, "namespace", "a string");
    if (!cJSON_GetObjectItemCaseSensitive(c->all, "add"))
        return err_set(err, ERR_PARSE, "\"namespace\" goes with \"add\"");
    return 0;
}

static int run_add(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    if (!cJSON_IsArray(value))
        return change_wrong(err, "add", "a list of deployments");
    const cJSON *ns = cJSON_GetObjectItemCaseSensitive(c->all, "namespace");
    const struct world_load load = {
        .text = raw.ptr,
        .len = raw.len,
        .fallback = cJSON_IsString(ns) ? ns->valuestring : c->s->world->namespaces[0]->name,
        .by_object = !ns,
        .counts_as_added = true,
        .dry_run = c->dry,
    };
    return world_load(c->s->world, &load, err) < 0 ? err_wrap(err, "\"add\"") : 0;
}

static struct deployment *find(struct change *c, const char *id, struct world_namespace **ret_ns,
                               size_t *ret_index, struct err *err)
{
    struct deployment *d = world_find(c->s->world, id, ret_ns, ret_index);
    if (!d)
        (void)err_set(err, ERR_PARSE, "there is no deployment \"%.100s\"", id);
    return d;
}

static int run_remove(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (!cJSON_IsArray(value))
        return change_wrong(err, "remove", "a list of ids");
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        struct world_namespace *ns;
        size_t index;
        if (!cJSON_IsString(item))
            return change_wrong(err, "remove", "a list of ids");
        if (!find(c, item->valuestring, &ns, &index, err)) {
            if (c->dry)
                return -1;
            continue; /* named twice */
        }
        if (!c->dry)
            world_remove(ns, index);
    }
    return 0;
}

typedef int (*each_fn)(struct change *c, struct deployment *d, const cJSON *value, struct err *err);

/* {"id": value, ...} */
static int for_each_id(struct change *c, const char *key, const cJSON *object, each_fn fn,
                       struct err *err)
{
    if (!cJSON_IsObject(object))
        return change_wrong(err, key, "an object with deployment ids as keys");
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        struct world_namespace *ns;
        size_t index;
        struct deployment *d = find(c, item->string, &ns, &index, err);
        if (!d || fn(c, d, item, err) < 0)
            return err_wrap(err, "\"%s\"", key);
    }
    return 0;
}

static int set_one_summary(struct change *c, struct deployment *d, const cJSON *value,
                           struct err *err)
{
    return c->dry ? 0 : deployment_set_summary(d, value, err);
}

static int run_set_summary(struct change *c, const cJSON *value, struct json_span raw,
                           struct err *err)
{
    (void)raw;
    return for_each_id(c, "set_summary", value, set_one_summary, err);
}

static int set_one_status(struct change *c, struct deployment *d, const cJSON *value,
                          struct err *err)
{
    enum job_state state = JOB_NONE;
    if (!cJSON_IsNull(value) &&
        (!cJSON_IsString(value) || !job_state_parse(value->valuestring, &state)))
        return err_set(err, ERR_PARSE, "a status must be null or a job state such as \"FAILED\"");
    if (!c->dry)
        d->newest = state;
    return 0;
}

static int run_set_status(struct change *c, const cJSON *value, struct json_span raw,
                          struct err *err)
{
    (void)raw;
    return for_each_id(c, "set_status", value, set_one_status, err);
}

/* Of the newest job, which runs. */
static int set_one_restarts(struct change *c, struct deployment *d, const cJSON *value,
                            struct err *err)
{
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1e15))
        return err_set(err, ERR_PARSE, "restarts must be a number");
    if (d->newest != JOB_RUNNING)
        return err_set(err, ERR_PARSE, "the newest job of \"%.100s\" does not run", d->id);
    if (c->dry)
        return 0;
    struct job_list *list = job_list_sync(d, simulator_unix_ms(&c->settings) / 1000);
    if (!list || !list->n)
        return err_nomem(err, "jobs");
    list->jobs[list->n - 1].restarts = (uint64_t)value->valuedouble;
    return 0;
}

static int run_set_restarts(struct change *c, const cJSON *value, struct json_span raw,
                            struct err *err)
{
    (void)raw;
    return for_each_id(c, "set_restarts", value, set_one_restarts, err);
}

static int take_failure(struct job *j, const cJSON *value, struct err *err)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(value, "failedAt");
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(value, "reason");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(value, "message");
    char *reason_text = reason ? cJSON_PrintUnformatted(reason) : NULL;
    char *message_text = message ? cJSON_PrintUnformatted(message) : NULL;
    if ((reason && !reason_text) || (message && !message_text)) {
        free(reason_text);
        free(message_text);
        return err_nomem(err, "a failure");
    }
    job_forget_failure(j);
    j->reason = reason_text;
    j->message = message_text;
    j->failed_s = cJSON_IsNumber(at) ? (int64_t)at->valuedouble : 0;
    return 0;
}

/* Of the newest job, which failed. */
static int set_one_failure(struct change *c, struct deployment *d, const cJSON *value,
                           struct err *err)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(value, "failedAt");
    if (!cJSON_IsObject(value) ||
        (at && !(cJSON_IsNumber(at) && at->valuedouble >= 0 && at->valuedouble <= 1e15)))
        return err_set(err, ERR_PARSE, "a failure must be an object, its failedAt a number");
    if (d->newest != JOB_FAILED)
        return err_set(err, ERR_PARSE, "the newest job of \"%.100s\" did not fail", d->id);
    if (c->dry)
        return 0;
    struct job_list *list = job_list_sync(d, simulator_unix_ms(&c->settings) / 1000);
    if (!list || !list->n)
        return err_nomem(err, "jobs");
    return take_failure(&list->jobs[list->n - 1], value, err);
}

static int run_set_failure(struct change *c, const cJSON *value, struct json_span raw,
                           struct err *err)
{
    (void)raw;
    return for_each_id(c, "set_failure", value, set_one_failure, err);
}

static int rename_one(struct change *c, struct deployment *d, const cJSON *value, struct err *err)
{
    if (!cJSON_IsString(value) && !cJSON_IsNull(value))
        return err_set(err, ERR_PARSE, "a name must be a string or null");
    return c->dry ? 0 : deployment_set_name(d, value->valuestring, err);
}

static int run_rename(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    return for_each_id(c, "rename", value, rename_one, err);
}

struct event {
    const char *id;
    enum job_event kind;
    enum job_state state;
    int count;
};

static enum job_state default_state(enum job_event kind)
{
    switch (kind) {
    case JOB_EVENT_START:
        return JOB_RUNNING;
    case JOB_EVENT_CANCEL:
        return JOB_CANCELLED;
    default:
        return JOB_FAILED;
    }
}

static int read_event(const cJSON *value, struct event *ret, struct err *err)
{
    *ret = (struct event){.count = 1};
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(value, "deploymentId");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(value, "kind");
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(value, "count");
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(value, "state");
    if (!cJSON_IsString(id))
        return change_wrong(err, "event", "an object with deploymentId and kind");
    ret->id = id->valuestring;
    if (!cJSON_IsString(kind) || !job_event_parse(kind->valuestring, &ret->kind))
        return change_wrong(err, "kind", "start, fail, cancel, finish or purge");
    ret->state = default_state(ret->kind);
    if (state && (!cJSON_IsString(state) || !job_state_parse(state->valuestring, &ret->state)))
        return change_wrong(err, "state", "a job state such as \"failed\"");
    if (count && (!cJSON_IsNumber(count) || count->valuedouble < 1 || count->valuedouble > 1000000))
        return change_wrong(err, "count", "1 .. 1000000");
    if (count)
        ret->count = (int)count->valuedouble;
    return 0;
}

static int run_one_event(struct change *c, const cJSON *value, struct err *err)
{
    struct event e;
    struct world_namespace *ns;
    size_t index;
    if (read_event(value, &e, err) < 0)
        return -1;
    struct deployment *d = find(c, e.id, &ns, &index, err);
    if (!d)
        return c->dry ? err_wrap(err, "\"event\"") : 0; /* removed by the same POST */
    for (int i = 0; !c->dry && i < e.count; i++) {
        if (!world_event(ns, d, e.kind, e.state))
            break;
        /* A job that ended is not the one that begins before anybody asks again. */
        if (d->job_list && !job_list_sync(d, simulator_unix_ms(&c->settings) / 1000))
            return err_nomem(err, "jobs");
    }
    return 0;
}

static int run_event(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    if (!cJSON_IsArray(value))
        return run_one_event(c, value, err);
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        if (run_one_event(c, item, err) < 0)
            return -1;
    }
    return 0;
}

/* --- all of it --- */

static const struct change_key keys[] = {
    {"faults", run_faults},
    {"latency", run_latency},
    {"clock_offset", run_clock_offset},
    {"rate_limit", run_rate_limit},
    {"churn", run_churn},
    {"options", run_options},
    {"credentials", run_credentials},
    {"reset_counters", run_reset_counters},
    {"namespace", run_namespace},
    {"add", run_add},
    {"set_summary", run_set_summary},
    {"set_status", run_set_status},
    {"set_restarts", run_set_restarts},
    {"set_failure", run_set_failure},
    {"rename", run_rename},
    {"event", run_event},
    {"remove", run_remove},
    {0},
};

static const struct change_key *find_in(const struct change_key *list, const char *name)
{
    for (; list->name; list++) {
        if (strcmp(list->name, name) == 0)
            return list;
    }
    return NULL;
}

static const struct change_key *find_key(const char *name)
{
    const struct change_key *const lists[] = {keys, change_source_keys, change_draft_keys};
    const struct change_key *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(lists) && !found; i++)
        found = find_in(lists[i], name);
    return found;
}

static int run_all(struct change *c, const char *json, size_t len, struct err *err)
{
    struct json_walk walk;
    char *name = NULL;
    struct json_span raw;
    json_walk_init(&walk, json, len, '{');
    while (json_walk_member(&walk, &name, &raw)) {
        CLEANUP(freep) char *owned = name;
        CLEANUP(cjson_deletep) cJSON *value = json_parse(raw.ptr, raw.len);
        const struct change_key *key = find_key(owned);
        if (!key)
            return err_set(err, ERR_PARSE, "there is no \"%.100s\" to change", owned);
        if (!value)
            return err_nomem(err, "control request");
        if (key->run(c, value, raw, err) < 0)
            return -1;
    }
    return 0;
}

static int publish(struct change *c, struct err *err)
{
    if (c->new_faults && fault_set_replace(c->s->faults, c->faults, c->n_faults, err) < 0)
        return -1;
    simulator_set_settings(c->s, &c->settings);
    if (c->reset_counters)
        stats_reset(c->s->stats);
    return 0;
}

int change_apply(struct simulator *s, const char *json, size_t len, struct err *err)
{
    CLEANUP(cjson_deletep) cJSON *all = json_parse(json, len);
    if (!cJSON_IsObject(all))
        return err_set(err, ERR_PARSE, "the body is no JSON object");
    CLEANUP(freep) struct change *c = calloc(1, sizeof(*c));
    if (!c)
        return err_nomem(err, "control request");
    c->s = s;
    c->all = all;
    world_lock_write(s->world);
    simulator_settings(s, &c->settings);
    c->dry = true;
    int rc = run_all(c, json, len, err);
    c->dry = false;
    if (rc == 0)
        rc = run_all(c, json, len, err);
    if (rc == 0)
        rc = publish(c, err);
    world_unlock(s->world);
    return rc;
}
