#include "corpus.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "rng.h"

struct profile_shape {
    const char *name;
    double sql_median;
    double sql_sigma;
    double sql_cap;
    int nodes_lo;
    int nodes_hi;
    double desc_median;
    double expert_share;
    size_t variants;
};

/* Sizes measured on public Flink SQL and on plans of real jobs; fewer variants where they are big.
 */
static const struct profile_shape shapes[PROFILE_END] = {
    [PROFILE_SMALL] = {"small", 1200, 0.8, 22000, 2, 10, 40, 0.2, 512},
    [PROFILE_TYPICAL] = {"typical", 4000, 1.4, 500000, 5, 60, 250, 0.5, 512},
    [PROFILE_HEAVY] = {"heavy", 40000, 1.2, 500000, 60, 300, 900, 1.0, 128},
};

static const char *const tables[] = {"orders",     "payments",  "user_events", "sku_dim",
                                     "ods_binlog", "dwd_trade", "dws_gmv",     "clicks",
                                     "订单明细",   "risk_score"};
static const char *const columns[] = {"id BIGINT",
                                      "user_id STRING",
                                      "amount DECIMAL(18, 4)",
                                      "ts TIMESTAMP_LTZ(3)",
                                      "payload ROW<a INT, b STRING>",
                                      "city STRING",
                                      "`状态` INT"};
static const char *const connectors[] = {"kafka", "hologres", "mysql-cdc", "paimon",
                                         "sls",   "datagen",  "blackhole", "starrocks"};
static const char *const nodes[] = {"TableSourceScan", "Calc",      "Exchange",
                                    "GroupAggregate",  "Join",      "Sink",
                                    "WindowAggregate", "LookupJoin"};

#define PICK(r, list) ((list)[rng_below((r), ARRAY_LEN(list))])

struct slot {
    struct text text;
    char *bytes;
};

struct corpus {
    const struct profile_shape *shape;
    uint64_t seed;
    pthread_mutex_t mu;
    struct slot *slots[CORPUS_END];
};

int profile_parse(const char *name, enum profile *ret)
{
    for (size_t i = 0; i < PROFILE_END; i++) {
        if (strcmp(name, shapes[i].name) == 0) {
            *ret = (enum profile)i;
            return 0;
        }
    }
    return -1;
}

const char *profile_name(enum profile p)
{
    return shapes[p].name;
}

double profile_expert_share(enum profile p)
{
    return shapes[p].expert_share;
}

struct corpus *corpus_new(enum profile profile, uint64_t seed)
{
    struct corpus *c = calloc(1, sizeof(*c));
    if (!c || pthread_mutex_init(&c->mu, NULL) != 0) {
        free(c);
        return NULL;
    }
    c->shape = &shapes[profile];
    c->seed = seed;
    for (size_t kind = 0; kind < CORPUS_END; kind++) {
        c->slots[kind] = calloc(c->shape->variants, sizeof(struct slot));
        if (!c->slots[kind]) {
            corpus_free(c);
            return NULL;
        }
    }
    return c;
}

void corpus_free(struct corpus *c)
{
    if (!c)
        return;
    for (size_t kind = 0; kind < CORPUS_END; kind++) {
        for (size_t i = 0; c->slots[kind] && i < c->shape->variants; i++) {
            text_release(&c->slots[kind][i].text);
            free(c->slots[kind][i].bytes);
        }
        free(c->slots[kind]);
    }
    pthread_mutex_destroy(&c->mu);
    free(c);
}

/* A few of the columns, in their order, at least two. */
static void add_columns(struct strbuf *out, struct rng *r)
{
    size_t left = ARRAY_LEN(columns);
    size_t want = (size_t)rng_between(r, 2, (int64_t)left);
    const char *before = "";
    for (size_t i = 0; i < ARRAY_LEN(columns); i++, left--) {
        if (rng_below(r, left) >= want)
            continue;
        strbuf_addf(out, "%s%s", before, columns[i]);
        before = ",\n  ";
        want--;
    }
}

static void write_sql(struct strbuf *out, struct rng *r, const struct profile_shape *shape)
{
    double size = rng_lognormal(r, shape->sql_median, shape->sql_sigma);
    if (size > shape->sql_cap)
        size = shape->sql_cap;
    strbuf_adds(out, "-- generated job\nSET 'table.exec.state.ttl' = '36 h';\n");
    while ((double)out->len < size && !out->bad) {
        const char *table = PICK(r, tables);
        unsigned int number = (unsigned int)rng_below(r, 1000);
        strbuf_addf(out, "CREATE TEMPORARY TABLE `%s_%u` (\n  ", table, number);
        add_columns(out, r);
        strbuf_addf(out,
                    "\n) WITH (\n  'connector' = '%s',\n  'properties.bootstrap.servers' = "
                    "'alikafka-pre-cn-%08x-1-vpc.alikafka.aliyuncs.com:9092',\n  'topic' = '%s',\n"
                    "  'format' = 'json'\n);\n",
                    PICK(r, connectors), (unsigned int)rng_next(r), table);
        strbuf_addf(out,
                    "INSERT INTO dwd_%u SELECT user_id, SUM(amount) FILTER (WHERE city <> '北京') "
                    "FROM `%s_%u` GROUP BY user_id;\n",
                    (unsigned int)rng_below(r, 1000), table, number);
    }
}

static void write_plan_node(struct strbuf *out, struct rng *r, int id, double desc_median)
{
    static const int parallelisms[] = {1, 2, 4, 8, 16, 64};
    const char *type = PICK(r, nodes);
    strbuf_addf(out, "%s{\"id\":%d,\"type\":\"StreamExec%s\",\"desc\":\"%s(", id > 1 ? "," : "", id,
                type, type);
    int fields = (int)(rng_lognormal(r, desc_median, 0.8) / 16);
    for (int k = 0; k < (fields < 1 ? 1 : fields); k++)
        strbuf_addf(out, "%s%s_%u AS f%d", k ? ", " : "", PICK(r, tables),
                    (unsigned int)rng_below(r, 100), k);
    strbuf_addf(out,
                ")\",\"profile\":{\"group\":\"default\",\"parallelism\":%d,"
                "\"maxParallelism\":32768,\"minParallelism\":1}}",
                PICK(r, parallelisms));
}

static void write_plan(struct strbuf *out, struct rng *r, const struct profile_shape *shape)
{
    int n = (int)rng_between(r, shape->nodes_lo, shape->nodes_hi);
    strbuf_adds(out, "{\"ssgProfiles\":[{\"name\":\"default\",\"cpu\":1.13,\"heap\":\"1 gb\","
                     "\"offHeap\":\"32 mb\",\"managed\":{},\"extended\":{}}],\"nodes\":[");
    for (int id = 1; id <= n; id++)
        write_plan_node(out, r, id, shape->desc_median);
    strbuf_adds(out, "],\"edges\":[");
    for (int id = 1; id < n; id++)
        strbuf_addf(out,
                    "%s{\"source\":%d,\"target\":%d,\"mode\":\"PIPELINED\",\"strategy\":\"%s\"}",
                    id > 1 ? "," : "", id, id + 1, rng_chance(r, 0.5) ? "FORWARD" : "HASH");
    strbuf_addf(out, "],\"vertices\":{\"%016llx%016llx\":[", (unsigned long long)rng_next(r),
                (unsigned long long)rng_next(r));
    for (int id = 1; id <= n; id++)
        strbuf_addf(out, "%s%d", id > 1 ? "," : "", id);
    strbuf_adds(out, "]}}");
}

static void fill(struct corpus *c, enum corpus_kind kind, uint64_t index, struct slot *slot)
{
    struct rng r = {rng_mix(c->seed, index * CORPUS_END + kind)};
    struct strbuf plain = STRBUF_INIT;
    struct strbuf escaped = STRBUF_INIT;
    if (kind == CORPUS_SQL)
        write_sql(&plain, &r, c->shape);
    else
        write_plan(&plain, &r, c->shape);
    if (strbuf_ok(&plain))
        json_add_escaped(&escaped, plain.ptr, plain.len);
    size_t len = 0;
    slot->bytes = strbuf_ok(&plain) ? strbuf_take(&escaped, &len) : NULL;
    slot->text.ptr = slot->bytes;
    slot->text.len = len;
    strbuf_release(&plain);
    strbuf_release(&escaped);
}

struct text *corpus_text(struct corpus *c, enum corpus_kind kind, uint64_t number)
{
    uint64_t index = number % c->shape->variants;
    struct slot *slot = &c->slots[kind][index];
    pthread_mutex_lock(&c->mu);
    if (!slot->bytes)
        fill(c, kind, index, slot);
    bool filled = slot->bytes;
    pthread_mutex_unlock(&c->mu);
    return filled ? &slot->text : NULL;
}
