/* Drafts out of a seed: made from deployments, so that the two agree where they should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "generate.h"
#include "json_text.h"

#define DAY_S            INT64_C(86400)

/* Numbers of deployments that no listing reaches: what a draft was made from before it is one. */
#define FIRST_UNRELEASED UINT64_C(2000000000)

enum course { COURSE_EQUAL, COURSE_EDITED, COURSE_UNRELEASED };

static const struct {
    enum course course;
    bool locked;
} pattern[] = {
    {COURSE_EQUAL, false},      {COURSE_EQUAL, false},      {COURSE_EDITED, false},
    {COURSE_EQUAL, false},      {COURSE_UNRELEASED, false}, {COURSE_EQUAL, true},
    {COURSE_EQUAL, false},      {COURSE_EDITED, true},      {COURSE_EQUAL, false},
    {COURSE_UNRELEASED, false},
};

static struct rng rng_of(const struct world *w, const struct world_namespace *ns, uint64_t number)
{
    uint64_t place = rng_mix(w->generator.seed ^ 0x6472616674, number);
    for (const char *c = ns->name; *c; c++)
        place = rng_mix(place, (unsigned char)*c);
    return (struct rng){place};
}

/* Behind the script, into the arguments: what the artifact has. */
static bool edit_artifact(cJSON *artifact)
{
    static const struct {
        const char *artifact;
        const char *member;
        const char *addition;
    } places[] = {{"sqlArtifact", "sqlScript", "\n-- edited"},
                  {"jarArtifact", "mainArgs", " --edited"},
                  {"pythonArtifact", "mainArgs", " --edited"},
                  {"cdcYamlArtifact", "cdcYaml", "# edited\n"}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        cJSON *of_kind = cJSON_GetObjectItemCaseSensitive(artifact, places[i].artifact);
        cJSON *text = cJSON_GetObjectItemCaseSensitive(of_kind, places[i].member);
        if (!cJSON_IsString(text))
            continue;
        CLEANUP(strbuf_release) struct strbuf longer = STRBUF_INIT;
        strbuf_adds(&longer, text->valuestring);
        strbuf_adds(&longer, places[i].addition);
        return strbuf_ok(&longer) && cJSON_SetValuestring(text, strbuf_str(&longer));
    }
    return false;
}

static int edit(struct object *o)
{
    const char *text = object_get(o, "artifact");
    CLEANUP(cjson_deletep) cJSON *artifact = text ? json_parse(text, strlen(text)) : NULL;
    if (!edit_artifact(artifact))
        return object_set_string(o, "engineVersion", "vvr-11.2-jdk11-flink-1.20");
    char *printed = cJSON_PrintUnformatted(artifact);
    int rc = printed ? object_set(o, "artifact", printed) : -1;
    cJSON_free(printed);
    return rc;
}

int draft_edit(struct draft *d, int64_t now_s, struct err *err)
{
    struct object next;
    if (object_copy(&next, &d->object) < 0)
        return err_nomem(err, "draft");
    int rc = edit(&next);
    if (rc == 0)
        rc = draft_update(d, &next, false, now_s, err);
    else
        rc = err_nomem(err, "draft");
    object_release(&next);
    return rc;
}

static int set_times(struct object *o, enum course course, const struct deployment *from,
                     struct rng *r)
{
    int64_t created_s = from->created_s - rng_between(r, 60, 3 * DAY_S);
    int64_t modified_s = from->modified_s - rng_between(r, 1, 50);
    if (course == COURSE_EDITED)
        modified_s = from->modified_s + rng_between(r, 60, 10 * DAY_S);
    if (object_set_number(o, "createdAt", created_s) < 0)
        return -1;
    return object_set_number(o, "modifiedAt", modified_s);
}

static int set_name(struct object *o, const struct object *from, bool unreleased, uint64_t number)
{
    CLEANUP(freep) char *name = object_string(from, "name");
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    if (name)
        strbuf_adds(&shown, name);
    else
        strbuf_addf(&shown, "draft_%04llu", (unsigned long long)number);
    if (unreleased)
        strbuf_adds(&shown, "_new");
    return strbuf_ok(&shown) ? object_set_string(o, "name", strbuf_str(&shown)) : -1;
}

static int set_identity(struct object *o, struct deployment *from, const char *id, bool unreleased,
                        struct rng *r)
{
    char parent[RNG_UUID_LEN];
    rng_uuid(r, parent, false);
    if (object_set_string(o, "deploymentDraftId", id) < 0 ||
        object_set_string(o, "parentId", parent) < 0)
        return -1;
    if (!unreleased)
        return object_set_string(o, "referencedDeploymentId", from->id);
    return rng_chance(r, 0.5) ? object_set_string(o, "referencedDeploymentId", "") : 0;
}

static int copy_members(struct object *o, const struct object *from)
{
    static const char *const people[] = {"workspace",   "namespace", "creator",
                                         "creatorName", "modifier",  "modifierName"};
    const char *text;
    for (size_t i = 0; i < DRAFT_N_CONTENT; i++) {
        text = object_get(from, draft_content[i]);
        if (text && object_set(o, draft_content[i], text) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        text = object_get(from, people[i]);
        if (text && object_set(o, people[i], text) < 0)
            return -1;
    }
    return 0;
}

static int build(struct object *o, struct deployment *from, const char *id, enum course course,
                 uint64_t number, struct rng *r)
{
    struct object shown;
    struct err ignored;
    bool unreleased = course == COURSE_UNRELEASED;
    if (deployment_object(from, false, &shown, &ignored) < 0)
        return -1;
    int rc = set_identity(o, from, id, unreleased, r);
    if (rc == 0)
        rc = set_name(o, &shown, unreleased, number);
    if (rc == 0)
        rc = copy_members(o, &shown);
    object_release(&shown);
    if (rc == 0 && course == COURSE_EDITED)
        rc = edit(o);
    return rc < 0 ? -1 : set_times(o, course, from, r);
}

static int make(struct deployment *from, const char *id, enum course course, uint64_t number,
                struct rng *r, struct draft **ret, struct err *err)
{
    CLEANUP(draft_freep) struct draft *d = calloc(1, sizeof(*d));
    if (!d)
        return err_nomem(err, "draft");
    d->id = strdup(id);
    if (!d->id || build(&d->object, from, id, course, number, r) < 0)
        return err_nomem(err, "draft");
    *ret = TAKE(d);
    return 0;
}

int drafts_make(struct world *w, struct world_namespace *ns, uint64_t number, struct draft **ret,
                struct err *err)
{
    CLEANUP(deployment_freep) struct deployment *from = NULL;
    struct rng r = rng_of(w, ns, number);
    char id[RNG_UUID_LEN];
    rng_uuid(&r, id, false);
    if (generate_deployment(&w->generator, ns->name, FIRST_UNRELEASED + number, 0, &from, err) < 0)
        return -1;
    return make(from, id, COURSE_UNRELEASED, number, &r, ret, err);
}

/* Of a deployment that exists; it refers to the draft from now on. */
static int make_released(struct world *w, struct world_namespace *ns, struct deployment *from,
                         enum course course, uint64_t number, struct draft **ret, struct err *err)
{
    struct rng r = rng_of(w, ns, number);
    char id[RNG_UUID_LEN];
    rng_uuid(&r, id, false);
    /* A deployment that was loaded may name its draft. */
    bool named = from->draft_id && *from->draft_id;
    if (named && drafts_find(ns, from->draft_id, NULL))
        return drafts_make(w, ns, number, ret, err);
    if (!named && deployment_set_draft(from, id, err) < 0)
        return -1;
    return make(from, from->draft_id, course, number, &r, ret, err);
}

int drafts_generate(struct world *w, struct world_namespace *ns, size_t n, struct err *err)
{
    static const char *const holders[] = {"userA", "李雷", "release-bot"};
    size_t next = 0;
    for (size_t i = 0; i < n; i++) {
        CLEANUP(draft_freep) struct draft *d = NULL;
        uint64_t number = ns->next_draft++;
        enum course course = pattern[i % ARRAY_LEN(pattern)].course;
        bool unreleased = course == COURSE_UNRELEASED || next == ns->n_deployments;
        int rc = unreleased
                     ? drafts_make(w, ns, number, &d, err)
                     : make_released(w, ns, ns->deployments[next++], course, number, &d, err);
        if (rc == 0 && pattern[i % ARRAY_LEN(pattern)].locked)
            rc = draft_lock(d, ns->name, w->workspace, "1838996600000001",
                            holders[number % ARRAY_LEN(holders)], err);
        if (rc < 0 || drafts_insert(ns, SIZE_MAX, d, err) < 0)
            return -1;
        d = NULL;
    }
    return 0;
}
