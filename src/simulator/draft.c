#include "draft.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"

const char *const draft_content[DRAFT_N_CONTENT] = {"artifact", "engineVersion", "executionMode",
                                                    "labels", "localVariables"};

/* What a PATCH cannot change. */
static const char *const kept[] = {"deploymentDraftId", "name",         "workspace",
                                   "namespace",         "creator",      "creatorName",
                                   "createdAt",         "lock",         "referencedDeploymentId",
                                   "modifier",          "modifierName", "modifiedAt"};

void draft_free(struct draft *d)
{
    if (!d)
        return;
    free(d->id);
    object_release(&d->object);
    free(d);
}

void draft_freep(struct draft **d)
{
    draft_free(*d);
}

int draft_from_json(const char *text, size_t len, uint64_t id_seed, struct draft **ret,
                    struct err *err)
{
    CLEANUP(draft_freep) struct draft *d = calloc(1, sizeof(*d));
    if (!d)
        return err_nomem(err, "draft");
    if (object_read(&d->object, text, len, err) < 0)
        return -1;
    object_remove(&d->object, "_sim");
    d->id = object_string(&d->object, "deploymentDraftId");
    if (!d->id || !*d->id) {
        struct rng rng = {id_seed};
        char id[RNG_UUID_LEN];
        rng_uuid(&rng, id, false);
        free(d->id);
        d->id = strdup(id);
        if (!d->id || object_set_string(&d->object, "deploymentDraftId", id) < 0)
            return err_nomem(err, "draft");
    }
    *ret = TAKE(d);
    return 0;
}

static void add_string(const cJSON *object, const char *key, const char *before, const char *after,
                       struct strbuf *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(v) || !*v->valuestring)
        return;
    strbuf_adds(out, before);
    strbuf_adds(out, v->valuestring);
    strbuf_adds(out, after);
}

bool draft_is_locked(const struct draft *d, struct strbuf *ret_holder)
{
    const char *text = object_get(&d->object, "lock");
    CLEANUP(cjson_deletep) cJSON *lock = text ? json_parse(text, strlen(text)) : NULL;
    size_t before = ret_holder->len;
    add_string(lock, "holderName", "", "", ret_holder);
    add_string(lock, "holderId", ret_holder->len > before ? " (" : "(", ")", ret_holder);
    return ret_holder->len > before;
}

int draft_lock(struct draft *d, const char *ns, const char *workspace, const char *holder_id,
               const char *holder_name, struct err *err)
{
    if (!holder_id) {
        object_remove(&d->object, "lock");
        return 0;
    }
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, "{\"id\":\"stt-");
    strbuf_addf(&text, "%.18s\",\"workspace\":", d->id);
    json_add_cstring(&text, workspace);
    strbuf_adds(&text, ",\"namespace\":");
    json_add_cstring(&text, ns);
    strbuf_adds(&text, ",\"holderId\":");
    json_add_cstring(&text, holder_id);
    strbuf_adds(&text, ",\"holderName\":");
    json_add_cstring(&text, holder_name);
    strbuf_addc(&text, '}');
    if (!strbuf_ok(&text) || object_set(&d->object, "lock", strbuf_str(&text)) < 0)
        return err_nomem(err, "lock");
    return 0;
}

static bool is_kept(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (strcmp(kept[i], key) == 0)
            return true;
    }
    return false;
}

/* An access key acts for one user, whoever asked. */
static int sign_off(struct object *o, int64_t was_s, int64_t now_s)
{
    if (object_set_string(o, "modifier", WORLD_USER_ID) < 0 ||
        object_set_string(o, "modifierName", WORLD_USER_NAME) < 0)
        return -1;
    return object_set_number(o, "modifiedAt", now_s > was_s ? now_s : was_s + 1);
}

int draft_update(struct draft *d, const struct object *body, bool merge, int64_t now_s,
                 struct err *err)
{
    struct object next;
    if (object_copy(&next, &d->object) < 0)
        return err_nomem(err, "draft");
    for (size_t i = next.n; !merge && i-- > 0;) {
        if (!is_kept(next.members[i].key) && !object_get(body, next.members[i].key))
            object_remove(&next, next.members[i].key);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < body->n; i++) {
        if (!is_kept(body->members[i].key) && strcmp(body->members[i].key, "_sim") != 0)
            rc = object_set(&next, body->members[i].key, body->members[i].text);
    }
    if (rc == 0)
        rc = sign_off(&next, object_time(&d->object, "modifiedAt"), now_s);
    if (rc < 0) {
        object_release(&next);
        return err_nomem(err, "draft");
    }
    object_release(&d->object);
    d->object = next;
    return 0;
}

bool draft_differs(const struct draft *d, const struct object *deployment)
{
    for (size_t i = 0; i < ARRAY_LEN(draft_content); i++) {
        if (!object_same(&d->object, deployment, draft_content[i]))
            return true;
    }
    return false;
}

char *draft_deployment_id(const struct draft *d)
{
    char *id = object_string(&d->object, "referencedDeploymentId");
    if (id && *id)
        return id;
    free(id);
    return NULL;
}

/* --- the list --- */

void drafts_free(struct world_namespace *ns)
{
    for (size_t i = 0; i < ns->n_drafts; i++)
        draft_free(ns->drafts[i]);
    free(ns->drafts);
}

struct draft *drafts_find(const struct world_namespace *ns, const char *id, size_t *ret_index)
{
    for (size_t i = 0; i < ns->n_drafts; i++) {
        if (strcmp(ns->drafts[i]->id, id) != 0)
            continue;
        if (ret_index)
            *ret_index = i;
        return ns->drafts[i];
    }
    return NULL;
}

int drafts_insert(struct world_namespace *ns, size_t at, struct draft *d, struct err *err)
{
    if (ns->n_drafts == ns->drafts_capacity) {
        size_t capacity = ns->drafts_capacity ? 2 * ns->drafts_capacity : 64;
        struct draft **grown = realloc(ns->drafts, capacity * sizeof(struct draft *));
        if (!grown)
            return err_nomem(err, "drafts");
        ns->drafts = grown;
        ns->drafts_capacity = capacity;
    }
    if (at > ns->n_drafts)
        at = ns->n_drafts;
    memmove(ns->drafts + at + 1, ns->drafts + at, (ns->n_drafts - at) * sizeof(struct draft *));
    ns->drafts[at] = d;
    ns->n_drafts++;
    return 0;
}

void drafts_remove(struct world_namespace *ns, size_t index)
{
    draft_free(ns->drafts[index]);
    memmove(ns->drafts + index, ns->drafts + index + 1,
            (ns->n_drafts - index - 1) * sizeof(struct draft *));
    ns->n_drafts--;
}

/* "true", "false", or "null" where there is nothing to compare with. */
static const char *truth_of_differs(const struct world_namespace *ns, const struct draft *d)
{
    CLEANUP(freep) char *id = draft_deployment_id(d);
    struct deployment *deployment = id ? world_find_in(ns, id) : NULL;
    struct object shown;
    struct err ignored;
    if (!deployment || deployment_object(deployment, false, &shown, &ignored) < 0)
        return "null";
    bool differs = draft_differs(d, &shown);
    object_release(&shown);
    return differs ? "true" : "false";
}

void drafts_render_truth(const struct world_namespace *ns, struct strbuf *out)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; i < ns->n_drafts; i++) {
        const struct draft *d = ns->drafts[i];
        CLEANUP(strbuf_release) struct strbuf holder = STRBUF_INIT;
        CLEANUP(freep) char *deployment = draft_deployment_id(d);
        strbuf_adds(out, i ? ",\n" : "");
        object_render(&d->object, out);
        out->len--; /* the brace: one more member follows */
        strbuf_addf(out, ",\"_sim\":{\"locked\":%s,\"deployed\":%s,\"differs\":%s}}",
                    draft_is_locked(d, &holder) ? "true" : "false", deployment ? "true" : "false",
                    truth_of_differs(ns, d));
    }
    strbuf_addc(out, ']');
}
