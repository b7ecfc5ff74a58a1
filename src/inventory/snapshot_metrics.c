#include "inventory/snapshot.h"

#include "metrics/registry.h"

static void collect_series(void *ctx, const struct family *family, struct expo *e)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(ctx);

    if (s)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                        (int64_t)snapshot_series(s));
}

/* gzip stays out until somebody asked for it: then its size is known and not before. */
static void collect_bytes(void *ctx, const struct family *family, struct expo *e)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(ctx);
    size_t deflated;

    if (!s)
        return;
    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_LABELS("encoding=\"identity\""),
                    (int64_t)snapshot_text_len(s, EXPO_TEXT));
    deflated = snapshot_deflated_len(s, EXPO_TEXT);
    if (deflated == 0)
        deflated = snapshot_deflated_len(s, EXPO_OPENMETRICS);
    if (deflated > 0)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_LABELS("encoding=\"gzip\""),
                        (int64_t)deflated);
}

static void collect_render(void *ctx, const struct family *family, struct expo *e)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(ctx);

    if (s)
        expo_sample_double(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                           (double)snapshot_render_us(s) / 1e6);
}

int snapshot_metrics_register(struct registry *registry, struct snapshot_slot *slot,
                              struct err *err)
{
    static const struct {
        struct family family;
        registry_collect_fn *collect;
    } table[] = {
        {{"aliyun_flink_exporter_snapshot_series", "Series in the last rendered snapshot.",
          METRIC_GAUGE, .labels = NULL},
         collect_series},
        {{"aliyun_flink_exporter_snapshot_bytes", "Size of the last rendered snapshot.",
          METRIC_GAUGE, .labels = "encoding=identity|gzip",
          .absent = "of gzip until somebody asked for it"},
         collect_bytes},
        {{"aliyun_flink_exporter_snapshot_render_duration_seconds",
          "Time the last rendering took, compression included.", METRIC_GAUGE, .labels = NULL},
         collect_render},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (registry_add(registry, REGISTRY_EXPORTER, &table[i].family, table[i].collect, slot,
                         err) < 0)
            return -1;
    return 0;
}
