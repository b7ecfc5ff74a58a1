#include "release.h"

#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "json_text.h"

/* What the draft leaves out the deployment has no more. */
static int carry_over(struct object *o, const struct draft *d)
{
    for (size_t i = 0; i < DRAFT_N_CONTENT; i++) {
        const char *text = object_get(&d->object, draft_content[i]);
        if (!text)
            object_remove(o, draft_content[i]);
        else if (object_set(o, draft_content[i], text) < 0)
            return -1;
    }
    return 0;
}

static int set_target(struct object *o, const struct release *release, const char *mode,
                      const char *name)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (release->target_mode)
        mode = release->target_mode;
    if (release->target_name)
        name = release->target_name;
    strbuf_adds(&text, "{\"mode\":");
    json_add_cstring(&text, mode);
    strbuf_adds(&text, ",\"name\":");
    json_add_cstring(&text, name);
    strbuf_addc(&text, '}');
    return strbuf_ok(&text) ? object_set(o, "deploymentTarget", strbuf_str(&text)) : -1;
}

static int sign_off(struct object *o, const struct draft *d, const struct release *release,
                    int64_t was_s)
{
    int64_t now_s = release->now_s > was_s ? release->now_s : was_s + 1;
    if (object_set_string(o, "referencedDeploymentDraftId", d->id) < 0 ||
        object_set_string(o, "modifier", WORLD_USER_ID) < 0 ||
        object_set_string(o, "modifierName", WORLD_USER_NAME) < 0)
        return -1;
    return object_set_number(o, "modifiedAt", now_s);
}

/* --- the deployment it refers to --- */

static int change(struct deployment *deployment, const struct draft *d,
                  const struct release *release, struct err *err)
{
    struct object o;
    if (deployment_object(deployment, false, &o, err) < 0)
        return -1;
    int rc = carry_over(&o, d);
    if (rc == 0 && release->target_mode)
        rc = set_target(&o, release, "PER_JOB", "default-queue");
    if (rc == 0)
        rc = sign_off(&o, d, release, deployment->modified_s);
    /* Its jobs run what they were started with. */
    if (rc == 0)
        rc = object_set(&o, "deploymentHasChanged",
                        deployment_live_jobs(deployment) ? "true" : "false");
    rc = rc < 0 ? err_nomem(err, "deployment") : deployment_replace(deployment, &o, err);
    object_release(&o);
    return rc;
}

/* --- a new one --- */

static const char basic[] = "\"basicResourceSetting\":{\"parallelism\":4,"
                            "\"jobmanagerResourceSettingSpec\":{\"cpu\":1,\"memory\":\"4 GiB\"},"
                            "\"taskmanagerResourceSettingSpec\":{\"cpu\":2,\"memory\":\"8 GiB\"}}}";

static int set_resources(struct object *o)
{
    CLEANUP(freep) char *mode = object_string(o, "executionMode");
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    bool batch = mode && strcmp(mode, "BATCH") == 0;
    strbuf_adds(&text, batch ? "{\"maxSlot\":null," : "{\"resourceSettingMode\":\"BASIC\",");
    strbuf_adds(&text, basic);
    if (!strbuf_ok(&text))
        return -1;
    return object_set(o, batch ? "batchResourceSetting" : "streamingResourceSetting",
                      strbuf_str(&text));
}

static int fill(struct object *o, const struct draft *d, const char *id,
                const struct release *release)
{
    static const char *const of_draft[] = {"name", "workspace", "namespace", "creator",
                                           "creatorName"};
    static const struct {
        const char *key;
        const char *text;
    } defaults[] = {
        {"description", "\"\""},
        {"flinkConf", "{}"},
        {"logging", "{\"loggingProfile\":\"default\",\"log4j2ConfigurationTemplate\":\"\","
                    "\"log4jLoggers\":[],\"logReservePolicy\":{\"openHistory\":true,"
                    "\"expirationDays\":7}}"},
        {"jobSummary", "{\"starting\":0,\"running\":0,\"cancelling\":0,\"cancelled\":0,"
                       "\"finished\":0,\"failed\":0}"},
        {"deploymentHasChanged", "false"},
    };
    if (object_set_string(o, "deploymentId", id) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(of_draft); i++) {
        const char *text = object_get(&d->object, of_draft[i]);
        if (text && object_set(o, of_draft[i], text) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (object_set(o, defaults[i].key, defaults[i].text) < 0)
            return -1;
    }
    if (carry_over(o, d) < 0 || set_target(o, release, "PER_JOB", "default-queue") < 0 ||
        set_resources(o) < 0 || object_set_number(o, "createdAt", release->now_s) < 0)
        return -1;
    return sign_off(o, d, release, 0);
}

static int create(struct world_namespace *ns, struct draft *d, const char *id,
                  const struct release *release, struct err *err)
{
    struct object o = {0};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(deployment_freep) struct deployment *made = NULL;
    int rc = fill(&o, d, id, release);
    object_render(&o, &text);
    object_release(&o);
    if (rc < 0 || !strbuf_ok(&text))
        return err_nomem(err, "deployment");
    if (deployment_from_json(text.ptr, text.len, 0, &made, err) < 0)
        return -1;
    if (object_set_string(&d->object, "referencedDeploymentId", id) < 0)
        return err_nomem(err, "draft");
    if (world_insert(ns, SIZE_MAX, made, err) < 0) {
        object_remove(&d->object, "referencedDeploymentId");
        return -1;
    }
    made = NULL;
    ns->added++;
    return 0;
}

int release_draft(struct world *w, struct world_namespace *ns, const struct release *release,
                  char **ret_deployment_id, struct err *err)
{
    struct draft *d = drafts_find(ns, release->draft_id, NULL);
    if (!d)
        return err_set(err, ERR_API, "The deployment draft %.100s does not exist any more.",
                       release->draft_id);
    CLEANUP(freep) char *id = draft_deployment_id(d);
    struct deployment *deployment = id ? world_find_in(ns, id) : NULL;
    if (!deployment) {
        char fresh[RNG_UUID_LEN];
        rng_uuid(&w->rng, fresh, false);
        free(id);
        id = strdup(fresh);
        if (!id)
            return err_nomem(err, "deployment id");
    }
    if (deployment ? change(deployment, d, release, err) < 0 : create(ns, d, id, release, err) < 0)
        return -1;
    world_changed(ns);
    *ret_deployment_id = TAKE(id);
    return 0;
}
