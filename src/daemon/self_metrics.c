#include "self_metrics.h"

#include "base/build_info.h"
#include "base/clock.h"
#include "base/log.h"

static void add_label(struct strbuf *out, const char *name, const char *value)
{
    if (out->len > 0)
        strbuf_addc(out, ',');
    expo_label(out, name, value);
}

static void collect_build_info(void *ctx, const struct family *family, struct expo *e)
{
    CLEANUP(strbuf_release) struct strbuf labels = STRBUF_INIT;
    const struct self_metrics *self = ctx;

    add_label(&labels, "version", build_version);
    add_label(&labels, "revision", build_revision);
    add_label(&labels, "branch", build_branch);
    add_label(&labels, "compiler", build_compiler);
    add_label(&labels, "curl_version", self->curl_version);
    add_label(&labels, "microhttpd_version", self->microhttpd_version);
    add_label(&labels, "tls_backend", self->tls_backend);
    if (strbuf_ok(&labels))
        expo_sample_i64(e, family->name, (struct expo_labels){labels.ptr, labels.len},
                        EXPO_NO_LABELS, 1);
}

static void collect_reload_successful(void *ctx, const struct family *family, struct expo *e)
{
    struct self_metrics *self = ctx;

    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                    atomic_load(&self->reload_successful));
}

static void collect_reload_time(void *ctx, const struct family *family, struct expo *e)
{
    struct self_metrics *self = ctx;

    expo_sample_ms(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                   atomic_load(&self->reload_success_unix_ms));
}

static void collect_hash(void *ctx, const struct family *family, struct expo *e)
{
    struct self_metrics *self = ctx;

    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                    (int64_t)atomic_load(&self->config_hash));
}

/* Sharding is not built; a single exporter is shard 0 of 1. */
static void collect_shard(void *ctx, const struct family *family, struct expo *e)
{
    (void)ctx;
    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, 0);
}

static void collect_total_shards(void *ctx, const struct family *family, struct expo *e)
{
    (void)ctx;
    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, 1);
}

static void collect_log_messages(void *ctx, const struct family *family, struct expo *e)
{
    static const struct expo_labels labels[LOG_LEVEL_END] = {
        [LOG_DEBUG] = EXPO_LABELS_INIT("level=\"debug\""),
        [LOG_INFO] = EXPO_LABELS_INIT("level=\"info\""),
        [LOG_WARN] = EXPO_LABELS_INIT("level=\"warn\""),
        [LOG_ERROR] = EXPO_LABELS_INIT("level=\"error\""),
    };

    (void)ctx;
    for (int level = 0; level < LOG_LEVEL_END; level++)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, labels[level],
                        (int64_t)log_lines_total((enum log_level)level));
}

static void collect_log_dropped(void *ctx, const struct family *family, struct expo *e)
{
    (void)ctx;
    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, (int64_t)log_dropped_total());
}

#define X "aliyun_flink_exporter_"

int self_metrics_register(struct self_metrics *self, struct registry *registry, struct err *err)
{
    static const struct {
        struct family family;
        registry_collect_fn *collect;
    } table[] = {
        {{X "build_info", "Version the exporter was built from; always 1.", METRIC_GAUGE,
          .labels = "version,revision,branch,compiler,curl_version,microhttpd_version,tls_backend"},
         collect_build_info},
        {{X "config_last_reload_successful",
          "1 if the last reading of the configuration succeeded.", METRIC_GAUGE, .labels = NULL},
         collect_reload_successful},
        {{X "config_last_reload_success_timestamp_seconds",
          "Unix time of the last successful reading of the configuration.", METRIC_GAUGE,
          .labels = NULL},
         collect_reload_time},
        {{X "config_hash",
          "First 48 bits of the SHA-256 of the configuration in use; equal on replicas that agree.",
          METRIC_GAUGE, .labels = NULL},
         collect_hash},
        {{X "shard_ordinal", "Zero-based number of this shard.", METRIC_GAUGE, .labels = NULL},
         collect_shard},
        {{X "total_shards", "Number of shards.", METRIC_GAUGE, .labels = NULL},
         collect_total_shards},
        {{X "log_messages_total", "Log messages written, by level.", METRIC_COUNTER,
          .labels = "level=debug|info|warn|error"},
         collect_log_messages},
        {{X "log_messages_dropped_total",
          "Log messages lost because stderr did not take them fast enough.", METRIC_COUNTER,
          .stability = METRIC_EXPERIMENTAL},
         collect_log_dropped},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (registry_add(registry, REGISTRY_EXPORTER, &table[i].family, table[i].collect, self,
                         err) < 0)
            return -1;
    return 0;
}

void self_metrics_config_refused(struct self_metrics *self)
{
    atomic_store(&self->reload_successful, false);
}

void self_metrics_config_loaded(struct self_metrics *self, uint64_t hash)
{
    atomic_store(&self->config_hash, hash);
    atomic_store(&self->reload_success_unix_ms, clock_unix_ms());
    atomic_store(&self->reload_successful, true);
}
