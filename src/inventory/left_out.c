#include "left_out.h"

static void collect_dropped(void *ctx, const struct family *family, struct expo *e)
{
    static const struct expo_labels labels[DROPPED_END] = {
        [DROPPED_OBJECT_LIMIT] = EXPO_LABELS_INIT("reason=\"object_limit\""),
        [DROPPED_SERIES_LIMIT] = EXPO_LABELS_INIT("reason=\"series_limit\""),
        [DROPPED_DUPLICATE] = EXPO_LABELS_INIT("reason=\"duplicate\""),
        [DROPPED_INVALID] = EXPO_LABELS_INIT("reason=\"invalid\""),
    };
    struct left_out *left_out = ctx;

    for (int i = 0; i < DROPPED_END; i++)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, labels[i],
                        (int64_t)atomic_load_explicit(&left_out->dropped[i], memory_order_relaxed));
}

static void collect_sanitized(void *ctx, const struct family *family, struct expo *e)
{
    static const struct expo_labels labels[SANITIZED_END] = {
        [SANITIZED_TOO_LONG] = EXPO_LABELS_INIT("reason=\"too_long\""),
        [SANITIZED_INVALID_UTF8] = EXPO_LABELS_INIT("reason=\"invalid_utf8\""),
    };
    struct left_out *left_out = ctx;

    for (int i = 0; i < SANITIZED_END; i++)
        expo_sample_i64(
            e, family->name, EXPO_NO_LABELS, labels[i],
            (int64_t)atomic_load_explicit(&left_out->sanitized[i], memory_order_relaxed));
}

int left_out_register(struct left_out *left_out, struct registry *registry, struct err *err)
{
    static const struct family dropped = {
        "aliyun_flink_exporter_objects_dropped_total", "Objects left out, by reason.",
        METRIC_COUNTER, .labels = "reason=object_limit|series_limit|duplicate|invalid"};
    static const struct family sanitized = {"aliyun_flink_exporter_label_values_sanitized_total",
                                            "Label values changed before exposition, by reason.",
                                            METRIC_COUNTER,
                                            .labels = "reason=too_long|invalid_utf8"};

    if (registry_add(registry, REGISTRY_EXPORTER, &dropped, collect_dropped, left_out, err) < 0 ||
        registry_add(registry, REGISTRY_EXPORTER, &sanitized, collect_sanitized, left_out, err) < 0)
        return -1;
    return 0;
}

void left_out_count(struct left_out *left_out, const struct listing *listing)
{
    const struct {
        atomic_uint_fast64_t *counter;
        uint64_t n;
    } counts[] = {
        {&left_out->dropped[DROPPED_OBJECT_LIMIT], listing->over_limit},
        {&left_out->dropped[DROPPED_DUPLICATE], listing->duplicates},
        {&left_out->dropped[DROPPED_INVALID], listing->invalid},
        {&left_out->sanitized[SANITIZED_TOO_LONG], listing->too_long},
        {&left_out->sanitized[SANITIZED_INVALID_UTF8], listing->invalid_utf8},
    };

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        atomic_fetch_add_explicit(counts[i].counter, counts[i].n, memory_order_relaxed);
}
