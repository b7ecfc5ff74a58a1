/* Deployments from JSON that somebody wrote: the file of --load and the control path's "add". */
#include <stdlib.h>
#include <string.h>

#include "deployment.h"
#include "rng.h"

static int take_string(char **field, const cJSON *v)
{
    if (!cJSON_IsString(v))
        return 0;
    char *copy = strdup(v->valuestring);
    if (!copy)
        return -1;
    free(*field);
    *field = copy;
    return 0;
}

static int take_hint(struct deployment *d, const cJSON *hint, struct err *err)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(hint, "status");
    if (!status || cJSON_IsNull(status)) {
        d->newest = JOB_NONE;
        return 0;
    }
    if (!cJSON_IsString(status) || !job_state_parse(status->valuestring, &d->newest))
        return err_set(err, ERR_PARSE, "\"_sim\": \"status\" is no job status");
    return 0;
}

struct reading {
    struct deployment *d;
    struct deployment_builder *b;
    size_t labels_at;
    size_t labels_len;
    cJSON *hint;
};

/* True if the member is rendered from the record instead of copied. */
static int read_member(struct reading *r, const char *key, const cJSON *v, bool *ret_taken,
                       struct err *err)
{
    struct deployment *d = r->d;
    int rc = 0;
    *ret_taken = false;
    if (strcmp(key, "name") == 0 && cJSON_IsString(v)) {
        *ret_taken = true;
        rc = take_string(&d->name, v);
    } else if (strcmp(key, "jobSummary") == 0) {
        *ret_taken = true;
        d->newest = JOB_NONE;
        return deployment_set_summary(d, v, err);
    } else if (strcmp(key, "_sim") == 0) {
        *ret_taken = true;
        cJSON_Delete(r->hint);
        r->hint = cJSON_Duplicate(v, true);
        rc = r->hint ? 0 : -1;
    } else if (strcmp(key, "referencedDeploymentDraftId") == 0 &&
               (cJSON_IsString(v) || cJSON_IsNull(v))) {
        *ret_taken = true;
        d->draft_null = cJSON_IsNull(v);
        rc = take_string(&d->draft_id, v);
    } else if (strcmp(key, "deploymentId") == 0) {
        rc = take_string(&d->id, v);
    } else if (strcmp(key, "executionMode") == 0) {
        rc = take_string(&d->execution_mode, v);
    } else if (strcmp(key, "creator") == 0) {
        rc = take_string(&d->creator, v);
    } else if (strcmp(key, "modifier") == 0) {
        rc = take_string(&d->modifier, v);
    } else if (strcmp(key, "createdAt") == 0) {
        d->created_s = json_read_time(v);
    } else if (strcmp(key, "modifiedAt") == 0) {
        d->modified_s = json_read_time(v);
    }
    return rc < 0 ? err_nomem(err, "deployment") : 0;
}

static int read_members(struct reading *r, const char *text, size_t len, struct err *err)
{
    struct strbuf *out = &r->b->text;
    size_t start = out->len;
    struct json_walk walk;
    char *key = NULL;
    struct json_span value;
    json_walk_init(&walk, text, len, '{');
    while (json_walk_member(&walk, &key, &value)) {
        CLEANUP(freep) char *owned = key;
        CLEANUP(cjson_deletep) cJSON *v = json_parse(value.ptr, value.len);
        bool taken;
        if (!v)
            return err_nomem(err, "deployment");
        if (read_member(r, owned, v, &taken, err) < 0)
            return -1;
        if (taken)
            continue;
        if (out->len > start)
            strbuf_addc(out, ',');
        json_add_cstring(out, owned);
        strbuf_addc(out, ':');
        if (strcmp(owned, "labels") == 0) {
            r->labels_at = out->len;
            r->labels_len = value.len;
        }
        strbuf_add(out, value.ptr, value.len);
    }
    return walk.failed ? err_set(err, ERR_PARSE, "a deployment is not a JSON object") : 0;
}

static int ensure_id(struct reading *r, uint64_t id_seed, size_t start, struct err *err)
{
    if (r->d->id && *r->d->id)
        return 0;
    struct rng rng = {id_seed};
    char id[RNG_UUID_LEN];
    rng_uuid(&rng, id, false);
    free(r->d->id);
    r->d->id = strdup(id);
    if (!r->d->id)
        return err_nomem(err, "deployment");
    /* An id of another type stays in the text as it is: duplicate keys are the loader's wish. */
    if (r->b->text.len > start)
        strbuf_addc(&r->b->text, ',');
    strbuf_addf(&r->b->text, "\"deploymentId\":\"%s\"", id);
    return 0;
}

static int build(struct reading *r, const char *text, size_t len, uint64_t id_seed, struct err *err)
{
    struct deployment *d = r->d;
    strbuf_addc(&r->b->text, '{');
    deployment_builder_mark(r->b, PART_NAME, NULL);
    deployment_builder_mark(r->b, PART_SUMMARY, NULL);
    deployment_builder_mark(r->b, PART_DRAFT, NULL);
    size_t start = r->b->text.len;
    if (read_members(r, text, len, err) < 0 || ensure_id(r, id_seed, start, err) < 0)
        return -1;
    if (r->hint && take_hint(d, r->hint, err) < 0)
        return -1;
    strbuf_addc(&r->b->text, '}');
    if (deployment_builder_finish(r->b, d) < 0)
        return err_nomem(err, "deployment");
    if (r->labels_len)
        d->labels = (struct json_span){d->own_text + r->labels_at, r->labels_len};
    return 0;
}

int deployment_from_json(const char *text, size_t len, uint64_t id_seed, struct deployment **ret,
                         struct err *err)
{
    CLEANUP(deployment_freep) struct deployment *d = calloc(1, sizeof(*d));
    if (!d)
        return err_nomem(err, "deployment");
    d->newest = JOB_NONE;
    d->summary_form = SUMMARY_MISSING;
    struct deployment_builder b = {0};
    struct reading r = {.d = d, .b = &b};
    int rc = build(&r, text, len, id_seed, err);
    cJSON_Delete(r.hint);
    deployment_builder_release(&b);
    if (rc < 0)
        return -1;
    *ret = TAKE(d);
    return 0;
}

int deployment_object(struct deployment *d, bool broken_name, struct object *ret, struct err *err)
{
    struct text_body body;
    text_body_init(&body, false);
    deployment_render(d, broken_name, &body);
    text_body_finish(&body);
    int rc = strbuf_ok(&body.bytes) ? object_read(ret, body.bytes.ptr, body.bytes.len, err)
                                    : err_nomem(err, "deployment");
    text_body_release(&body);
    return rc;
}

int deployment_replace(struct deployment *d, const struct object *o, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(deployment_freep) struct deployment *other = NULL;
    object_render(o, &text);
    if (!strbuf_ok(&text))
        return err_nomem(err, "deployment");
    if (deployment_from_json(text.ptr, text.len, 0, &other, err) < 0)
        return -1;
    struct deployment old = *d;
    *d = *other;
    *other = old;
    /* What it is and what happened to it moves back; the rest goes with the old text. */
    char *id = d->id;
    char *raw = d->summary_raw;
    char *quirks = d->quirks;
    d->id = old.id;
    d->summary_raw = old.summary_raw;
    d->quirks = old.quirks;
    d->summary_form = old.summary_form;
    d->newest = old.newest;
    d->ledger = old.ledger;
    d->job_list = old.job_list;
    other->job_list = NULL;
    memcpy(d->jobs, old.jobs, sizeof(d->jobs));
    other->id = id;
    other->summary_raw = raw;
    other->quirks = quirks;
    return 0;
}

char *deployment_namespace_of(const char *text, size_t len)
{
    struct json_walk walk;
    char *key = NULL;
    char *found = NULL;
    struct json_span value;
    json_walk_init(&walk, text, len, '{');
    while (json_walk_member(&walk, &key, &value)) {
        CLEANUP(freep) char *owned = key;
        if (found || strcmp(owned, "namespace") != 0)
            continue;
        CLEANUP(cjson_deletep) cJSON *v = json_parse(value.ptr, value.len);
        if (cJSON_IsString(v))
            found = strdup(v->valuestring);
    }
    return found;
}
