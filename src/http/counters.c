/* Two families of counters in fixed tables. */
#include "counters.h"

#include <assert.h>
#include <stdbool.h>

static const struct expo_labels handler_labels[HTTP_HANDLER_END] = {
    /* Under whatever path: rules must not depend on a flag. */
    [HTTP_METRICS] = EXPO_LABELS_INIT("handler=\"/metrics\""),
    [HTTP_STATUS_PAGE] = EXPO_LABELS_INIT("handler=\"/\""),
    [HTTP_HEALTHY] = EXPO_LABELS_INIT("handler=\"/-/healthy\""),
    [HTTP_READY] = EXPO_LABELS_INIT("handler=\"/-/ready\""),
    [HTTP_DEBUG_TARGETS] = EXPO_LABELS_INIT("handler=\"/debug/targets\""),
    [HTTP_OTHER] = EXPO_LABELS_INIT("handler=\"other\""),
};

static const struct {
    unsigned code;
    struct expo_labels labels;
    bool always; /* of /metrics: shown before it happens, so that increase() sees the first one */
} codes[HTTP_CODES] = {
    {200, EXPO_LABELS_INIT("code=\"200\""), true},  {400, EXPO_LABELS_INIT("code=\"400\""), false},
    {404, EXPO_LABELS_INIT("code=\"404\""), false}, {405, EXPO_LABELS_INIT("code=\"405\""), false},
    {500, EXPO_LABELS_INIT("code=\"500\""), true},  {503, EXPO_LABELS_INIT("code=\"503\""), true},
};

static const struct expo_labels rejection_labels[HTTP_REJECTION_END] = {
    [HTTP_UNAUTHORIZED] = EXPO_LABELS_INIT("reason=\"unauthorized\""),
    [HTTP_RATE_LIMITED] = EXPO_LABELS_INIT("reason=\"rate_limited\""),
    [HTTP_TOO_MANY_IN_FLIGHT] = EXPO_LABELS_INIT("reason=\"too_many_in_flight\""),
    [HTTP_BAD_REQUEST] = EXPO_LABELS_INIT("reason=\"bad_request\""),
};

static const struct family requests_family = {
    "aliyun_flink_exporter_http_requests_total", "HTTP requests served.", METRIC_COUNTER,
    .labels =
        "handler=/metrics|/|/-/healthy|/-/ready|/debug/targets|other,code=200|400|404|405|500|503",
    .absent = "until it occurred, but for 200, 500 and 503 of /metrics"};
static const struct family rejections_family = {
    "aliyun_flink_exporter_http_requests_rejected_total",
    "HTTP requests refused before a handler ran, by reason.", METRIC_COUNTER,
    .labels = "reason=unauthorized|rate_limited|too_many_in_flight|bad_request"};

void http_counters_request(struct http_counters *counters, enum http_handler handler, unsigned code)
{
    for (size_t i = 0; i < HTTP_CODES; i++) {
        if (codes[i].code == code) {
            atomic_fetch_add_explicit(&counters->requests[handler][i], 1, memory_order_relaxed);
            return;
        }
    }
    assert(0);
}

void http_counters_rejected(struct http_counters *counters, enum http_rejection reason)
{
    atomic_fetch_add_explicit(&counters->rejections[reason], 1, memory_order_relaxed);
}

static void collect_requests(void *ctx, const struct family *family, struct expo *e)
{
    const struct http_counters *counters = ctx;

    for (size_t handler = 0; handler < HTTP_HANDLER_END; handler++) {
        for (size_t i = 0; i < HTTP_CODES; i++) {
            uint64_t n =
                atomic_load_explicit(&counters->requests[handler][i], memory_order_relaxed);

            if (n == 0 && !(handler == HTTP_METRICS && codes[i].always))
                continue;
            expo_sample_i64(e, family->name, handler_labels[handler], codes[i].labels, (int64_t)n);
        }
    }
}

static void collect_rejections(void *ctx, const struct family *family, struct expo *e)
{
    const struct http_counters *counters = ctx;

    for (size_t i = 0; i < HTTP_REJECTION_END; i++) {
        uint64_t n = atomic_load_explicit(&counters->rejections[i], memory_order_relaxed);

        expo_sample_i64(e, family->name, rejection_labels[i], EXPO_NO_LABELS, (int64_t)n);
    }
}

int http_counters_register(struct http_counters *counters, struct registry *registry,
                           struct err *err)
{
    if (registry_add(registry, REGISTRY_EXPORTER, &requests_family, collect_requests, counters,
                     err) < 0)
        return -1;
    return registry_add(registry, REGISTRY_EXPORTER, &rejections_family, collect_rejections,
                        counters, err);
}
