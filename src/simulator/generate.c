#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

#define PICK(r, list) ((list)[rng_below((r), ARRAY_LEN(list))])

static const char *const kinds[] = {"SQLSCRIPT", "JAR", "PYTHON", "CDCYAML"};
static const double kind_weights[] = {0.72, 0.18, 0.05, 0.05};

static const struct {
    const char *mode;
    const char *name;
} targets[] = {{"PER_JOB", "default-queue"}, {"PER_JOB", "prod-queue"}, {"SESSION", "dev-session"}};
static const double target_weights[] = {0.6, 0.3, 0.1};

/* One deployment while it is made. */
struct making {
    const struct generator *g;
    struct rng rng;
    uint64_t number;
    struct deployment *d;
    struct deployment_builder b;
    struct strbuf quirks;
    const char *ns;
    const char *kind;
    char name[128]; /* the regular one, also where the object has another */
    bool batch;
};

/* Draws whether this object has the oddity, and notes it. */
static bool quirk(struct making *m, const char *name, double weight)
{
    if (!rng_chance(&m->rng, m->g->quirks * weight))
        return false;
    strbuf_addf(&m->quirks, "%s%s", m->quirks.len ? "," : "", name);
    return true;
}

/* --- the name --- */

static void regular_name(const struct generator *g, const char *ns, uint64_t number, char *out,
                         size_t out_size)
{
    static const char *const layers[] = {"ods", "dwd", "dws", "ads", "rt"};
    static const char *const topics[] = {"orders", "gmv", "risk", "click", "sync"};
    struct rng r = {rng_mix(g->seed ^ 0x6e616d65, number + strlen(ns))};
    const char *layer = PICK(&r, layers);
    snprintf(out, out_size, "%s_%s_%04llu", layer, PICK(&r, topics), (unsigned long long)number);
}

static int choose_name(struct making *m)
{
    regular_name(m->g, m->ns, m->number, m->name, sizeof(m->name));
    char shown[160];
    snprintf(shown, sizeof(shown), "%s", m->name);
    if (m->number && rng_chance(&m->rng, m->g->duplicate_names)) {
        regular_name(m->g, m->ns, m->number - 1, shown, sizeof(shown));
        strbuf_addf(&m->quirks, "%sname-duplicate", m->quirks.len ? "," : "");
    }
    if (quirk(m, "name-unicode", 1))
        snprintf(shown, sizeof(shown), "订单 汇总/v2+\"x\"\\ ~*%llu",
                 (unsigned long long)m->number);
    if (quirk(m, "name-missing", 0.3))
        return 0;
    m->d->name = strdup(shown);
    return m->d->name ? 0 : -1;
}

/* --- the members, in the order the API has them --- */

static void add_own_string(struct strbuf *t, const char *key, const char *value)
{
    strbuf_addf(t, ",\"%s\":", key);
    json_add_cstring(t, value);
}

static void add_head(struct making *m)
{
    static const char *const engines[] = {"vvr-6.0.7-flink-1.15", "vvr-8.0.11-flink-1.17",
                                          "vvr-11.1-jdk11-flink-1.20"};
    struct strbuf *t = &m->b.text;
    size_t target = rng_weighted(&m->rng, target_weights, ARRAY_LEN(targets));
    strbuf_addf(t, "{\"deploymentId\":\"%s\",", m->d->id);
    deployment_builder_mark(&m->b, PART_NAME, NULL);
    strbuf_adds(t, "\"description\":\"\"");
    add_own_string(t, "workspace", m->g->workspace);
    add_own_string(t, "namespace", m->ns);
    add_own_string(t, "engineVersion", PICK(&m->rng, engines));
    add_own_string(t, "executionMode", m->d->execution_mode);
    strbuf_addf(t, ",\"deploymentTarget\":{\"mode\":\"%s\",\"name\":\"%s\"}", targets[target].mode,
                targets[target].name);
}

static int add_sql(struct making *m)
{
    struct text *body = corpus_text(m->g->corpus, CORPUS_SQL, rng_next(&m->rng));
    if (!body)
        return -1;
    strbuf_adds(&m->b.text, ",\"sqlArtifact\":{\"sqlScript\":\"-- ");
    json_add_escaped(&m->b.text, m->name, strlen(m->name));
    strbuf_adds(&m->b.text, "\\n");
    deployment_builder_mark(&m->b, PART_SHARED, body);
    strbuf_adds(&m->b.text, "\",\"additionalDependencies\":[]}");
    return 0;
}

static int add_artifact(struct making *m)
{
    struct strbuf *t = &m->b.text;
    size_t kind = rng_weighted(&m->rng, kind_weights, ARRAY_LEN(kinds));
    m->kind = quirk(m, "unknown-kind", 0.5) ? "MATERIALIZED_TABLE" : kinds[kind];
    strbuf_addf(t, ",\"artifact\":{\"kind\":\"%s\"", m->kind);
    if (kind == 0 && add_sql(m) < 0)
        return -1;
    if (kind == 1)
        strbuf_addf(t,
                    ",\"jarArtifact\":{\"jarUri\":\"oss://bucket/artifacts/%s.jar\","
                    "\"entryClass\":\"com.example.flink.Main\",\"mainArgs\":\"--env prod "
                    "--parallelism 8\",\"additionalDependencies\":[]}",
                    m->name);
    if (kind == 2)
        strbuf_addf(t,
                    ",\"pythonArtifact\":{\"pythonArtifactUri\":\"oss://bucket/%s.zip\","
                    "\"entryModule\":\"job.main\",\"mainArgs\":\"\",\"additionalDependencies\":[],"
                    "\"additionalPythonLibraries\":[],\"additionalPythonArchives\":[]}",
                    m->name);
    if (kind == 3) {
        strbuf_adds(t, ",\"cdcYamlArtifact\":{\"cdcYaml\":\"");
        for (int64_t i = rng_between(&m->rng, 1, 20); i > 0; i--)
            strbuf_adds(t, "source:\\n  type: mysql\\nsink:\\n  type: hologres\\n");
        strbuf_adds(t, "\",\"additionalDependencies\":[]}");
    }
    strbuf_addc(t, '}');
    return 0;
}

static void add_conf_and_logging(struct making *m)
{
    struct strbuf *t = &m->b.text;
    strbuf_addf(t,
                ",\"flinkConf\":{\"execution.checkpointing.interval\":\"180s\","
                "\"taskmanager.numberOfTaskSlots\":%s,"
                "\"restart-strategy.fixed-delay.attempts\":2147483647}",
                rng_chance(&m->rng, 0.5) ? "1" : "\"1\"");
    strbuf_adds(t,
                ",\"logging\":{\"loggingProfile\":\"default\",\"log4j2ConfigurationTemplate\":\"");
    if (!rng_chance(&m->rng, 0.8)) {
        for (int i = 0; i < 300; i++)
            strbuf_adds(t, "<xml>");
    }
    strbuf_adds(t, "\",\"log4jLoggers\":[{\"loggerName\":\"\",\"loggerLevel\":\"INFO\"}],"
                   "\"logReservePolicy\":{\"openHistory\":true,\"expirationDays\":7}},");
    deployment_builder_mark(&m->b, PART_SUMMARY, NULL);
}

static void add_labels(struct making *m)
{
    static const char *const teams[] = {"数据平台", "risk", "ads"};
    struct strbuf *t = &m->b.text;
    strbuf_adds(t, "\"labels\":");
    size_t at = t->len;
    bool is_null = quirk(m, "labels-null", 1);
    bool is_odd = quirk(m, "labels-odd", 1);
    if (is_odd) {
        strbuf_adds(t, "{\"n\":null,\"o\":{\"a\":1},\"l\":[1],\"f\":1.5,"
                       "\"big\":12345678901234567890,\"e\":\"\",\"标签 key\":\"v\\\"\\\\\\n\","
                       "\"dup-key\":\"a\",\"dup.key\":\"b\"}");
    } else if (is_null) {
        strbuf_adds(t, "null");
    } else {
        strbuf_addc(t, '{');
        size_t start = t->len;
        if (rng_chance(&m->rng, 0.6))
            strbuf_addf(t, "\"team\":\"%s\"", PICK(&m->rng, teams));
        if (rng_chance(&m->rng, 0.6))
            strbuf_addf(t, "%s\"tier\":%d", t->len > start ? "," : "",
                        (int)rng_between(&m->rng, 1, 3));
        if (rng_chance(&m->rng, 0.6))
            strbuf_addf(t, "%s\"critical\":%s", t->len > start ? "," : "",
                        rng_chance(&m->rng, 0.5) ? "true" : "false");
        strbuf_addc(t, '}');
    }
    /* The pointer is set when the text has its final place. */
    m->d->labels = (struct json_span){NULL, t->len - at};
}

static void add_people(struct making *m)
{
    struct strbuf *t = &m->b.text;
    char draft[RNG_UUID_LEN] = "";
    strbuf_adds(t, ",\"localVariables\":[");
    for (int64_t i = 0, n = rng_between(&m->rng, 0, 3); i < n; i++)
        strbuf_addf(t, "%s{\"name\":\"v%d\",\"value\":\"x\"}", i ? "," : "", (int)i);
    strbuf_addf(t, "],\"deploymentHasChanged\":%s", rng_chance(&m->rng, 0.3) ? "true" : "false");
    if (rng_chance(&m->rng, 0.5))
        rng_uuid(&m->rng, draft, false);
    m->d->draft_id = strdup(m->g->drafts ? "" : draft);
    strbuf_addc(t, ',');
    deployment_builder_mark(&m->b, PART_DRAFT, NULL);
    strbuf_adds(t, "\"creator\":");
    json_add_cstring(t, m->d->creator);
    add_own_string(t, "creatorName", "user@example.onaliyun.com");
    add_own_string(t, "modifier", m->d->modifier);
    add_own_string(t, "modifierName", "user@example.onaliyun.com");
}

static void add_times(struct making *m)
{
    struct strbuf *t = &m->b.text;
    bool as_string = quirk(m, "createdAt-string", 4);
    bool newline = quirk(m, "createdAt-newline", 1);
    bool millis = quirk(m, "createdAt-millis", 0.2);
    long long created = (long long)m->d->created_s;
    if (millis)
        strbuf_addf(t, ",\"createdAt\":%lld", created * 1000);
    else if (newline)
        strbuf_addf(t, ",\"createdAt\":\"%lld\\n\"", created);
    else
        strbuf_addf(t, as_string ? ",\"createdAt\":\"%lld\"" : ",\"createdAt\":%lld", created);
    strbuf_addf(t, as_string ? ",\"modifiedAt\":\"%lld\"" : ",\"modifiedAt\":%lld",
                (long long)m->d->modified_s);
}

static void add_basic_setting(struct strbuf *t, int parallelism, const char *spec)
{
    strbuf_addf(t,
                "\"basicResourceSetting\":{\"parallelism\":%d,\"jobmanagerResourceSettingSpec\":%s,"
                "\"taskmanagerResourceSettingSpec\":%s}",
                parallelism, spec, spec);
}

static int add_resources(struct making *m)
{
    static const char *const cpus[] = {"0.5", "1", "2", "4", "1.0"};
    static const char *const memories[] = {"1Gi", "4 GiB", "2048Mi"};
    struct strbuf *t = &m->b.text;
    char spec[64];
    const char *cpu = PICK(&m->rng, cpus);
    snprintf(spec, sizeof(spec), "{\"cpu\":%s,\"memory\":\"%s\"}", cpu, PICK(&m->rng, memories));
    if (m->batch) {
        strbuf_addf(t, ",\"batchResourceSetting\":{\"maxSlot\":%s,",
                    rng_chance(&m->rng, 0.5) ? "null" : "16");
        add_basic_setting(t, 4, spec);
        strbuf_addc(t, '}');
    } else if (rng_chance(&m->rng, profile_expert_share(m->g->profile))) {
        struct text *plan = corpus_text(m->g->corpus, CORPUS_PLAN, rng_next(&m->rng));
        if (!plan)
            return -1;
        strbuf_addf(t,
                    ",\"streamingResourceSetting\":{\"resourceSettingMode\":\"EXPERT\","
                    "\"expertResourceSetting\":{\"jobmanagerResourceSettingSpec\":%s,"
                    "\"resourcePlan\":\"",
                    spec);
        deployment_builder_mark(&m->b, PART_SHARED, plan);
        strbuf_adds(t, "\"}}");
    } else {
        strbuf_adds(t, ",\"streamingResourceSetting\":{\"resourceSettingMode\":\"BASIC\",");
        add_basic_setting(t, (int)rng_between(&m->rng, 1, 64), spec);
        strbuf_addc(t, '}');
    }
    return 0;
}

/* --- the jobs --- */

/* Counts over the deployment's life: many ended instances, and the live ones. */
static void make_history(struct making *m)
{
    struct deployment *d = m->d;
    struct rng *r = &m->rng;
    d->newest = JOB_NONE;
    d->jobs[JOB_FAILED] = (uint32_t)rng_exponential(r, 3);
    d->jobs[JOB_CANCELLED] = (uint32_t)rng_exponential(r, 5);
    if (m->batch) {
        d->jobs[JOB_FINISHED] = (uint32_t)rng_lognormal(r, 54.6, 1.5);
        if (rng_chance(r, 0.3))
            d->jobs[JOB_RUNNING] = (uint32_t)rng_between(r, 1, 8);
        if (rng_chance(r, 0.05))
            d->jobs[JOB_STARTING] = (uint32_t)rng_between(r, 1, 8);
        if (rng_chance(r, 0.01))
            d->jobs[JOB_CANCELLING] = (uint32_t)rng_between(r, 1, 8);
    } else {
        /* A stream has at most one live instance. */
        const double weights[] = {0.03, 0.7, 0.01, 0.26};
        size_t live = rng_weighted(r, weights, ARRAY_LEN(weights));
        if (live <= JOB_CANCELLING)
            d->jobs[live] = 1;
    }
    for (size_t s = 0; s <= JOB_CANCELLING; s++) {
        if (d->jobs[s])
            d->newest = (enum job_state)s;
    }
    for (uint64_t tries = rng_below(r, 3); d->newest == JOB_NONE && tries < 6; tries++) {
        enum job_state ended = (enum job_state)(JOB_CANCELLED + tries % 3);
        if (d->jobs[ended])
            d->newest = ended;
    }
}

static void choose_summary_form(struct making *m)
{
    m->d->summary_form = SUMMARY_FULL;
    if (quirk(m, "summary-missing", 1))
        m->d->summary_form = SUMMARY_MISSING;
    else if (quirk(m, "summary-null", 1))
        m->d->summary_form = SUMMARY_NULL;
    else if (quirk(m, "summary-partial", 1))
        m->d->summary_form = SUMMARY_PARTIAL;
    else if (quirk(m, "summary-extra", 1))
        m->d->summary_form = SUMMARY_EXTRA;
}

/* --- all of it --- */

static int choose_identity(struct making *m, int64_t created_s)
{
    struct deployment *d = m->d;
    char id[RNG_UUID_LEN];
    char creator[32];
    rng_uuid(&m->rng, id, false);
    m->batch = rng_chance(&m->rng, 0.2);
    snprintf(creator, sizeof(creator), "27846363877456%04u", (unsigned int)rng_below(&m->rng, 10));
    d->id = strdup(id);
    d->execution_mode = strdup(m->batch ? "BATCH" : "STREAMING");
    d->creator = strdup(creator);
    d->modifier = strdup("278463638774560000");
    d->created_s = 1700000000 + rng_between(&m->rng, 0, 60000000);
    d->modified_s = d->created_s + rng_between(&m->rng, 0, 5000000);
    if (created_s)
        d->created_s = d->modified_s = created_s;
    return d->id && d->execution_mode && d->creator && d->modifier ? 0 : -1;
}

static int make(struct making *m, int64_t created_s)
{
    if (choose_identity(m, created_s) < 0 || choose_name(m) < 0)
        return -1;
    make_history(m);
    choose_summary_form(m);
    add_head(m);
    if (add_artifact(m) < 0)
        return -1;
    add_conf_and_logging(m);
    add_labels(m);
    size_t labels_end = m->b.text.len;
    add_people(m);
    add_times(m);
    if (add_resources(m) < 0)
        return -1;
    if (quirk(m, "extra-fields", 4))
        strbuf_adds(&m->b.text, ",\"kerberosConfig\":null,\"taker\":null,\"priority\":null,"
                                "\"resourceTuning\":null,\"autopilot\":{\"mode\":\"DISABLED\"}");
    strbuf_addc(&m->b.text, '}');
    if (deployment_builder_finish(&m->b, m->d) < 0)
        return -1;
    m->d->labels.ptr = m->d->own_text + labels_end - m->d->labels.len;
    m->d->quirks = m->quirks.len ? strbuf_take(&m->quirks, NULL) : strdup("");
    return m->d->quirks && m->d->draft_id ? 0 : -1;
}

int generate_deployment(const struct generator *g, const char *ns, uint64_t number,
                        int64_t created_s, struct deployment **ret, struct err *err)
{
    CLEANUP(deployment_freep) struct deployment *d = calloc(1, sizeof(*d));
    if (!d)
        return err_nomem(err, "deployment");
    uint64_t place = number;
    for (const char *c = ns; *c; c++)
        place = rng_mix(place, (unsigned char)*c);
    struct making m = {
        .g = g, .rng = {rng_mix(g->seed, place)}, .number = number, .d = d, .ns = ns};
    int rc = make(&m, created_s);
    deployment_builder_release(&m.b);
    strbuf_release(&m.quirks);
    if (rc < 0)
        return err_nomem(err, "deployment");
    *ret = TAKE(d);
    return 0;
}
