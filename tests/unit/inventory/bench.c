#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

int bench_try_configure(struct bench *b, size_t n, struct err *err)
{
    struct inventory_watch watches[BENCH_MAX];
    const struct inventory_settings settings = {.deny = &b->deny,
                                                .aggregate_by_namespace = b->aggregate,
                                                .draft_lock_holder = b->draft_lock_holder,
                                                .hold_ms = 120000,
                                                .state_file = b->state_file};

    for (size_t i = 0; i < n; i++)
        watches[i] = (struct inventory_watch){&b->targets[i], b->namespaces[i]};
    return inventory_configure(b->inventory, &settings, watches, n, err);
}

void bench_configure(struct bench *b, size_t n)
{
    struct err err;

    if (bench_try_configure(b, n, &err) < 0)
        fail_msg("%s", err.msg);
}

void bench_start(struct bench *b, size_t n)
{
    static const char *const names[BENCH_MAX] = {"ns-0", "ns-1", "ns-2", "ns-3"};
    struct err err;

    *b = (struct bench){.registry = registry_new()};
    assert_non_null(b->registry);
    assert_int_equal(inventory_new(b->registry, &b->inventory, &err), 0);
    for (size_t i = 0; i < BENCH_MAX; i++) {
        b->targets[i] = target_usual();
        b->namespaces[i] = names[i];
    }
    bench_configure(b, n);
}

void bench_stop(struct bench *b)
{
    inventory_free(b->inventory);
    registry_free(b->registry);
}

void bench_done(struct bench *b, size_t entry, enum collector collector,
                struct refresh_outcome outcome, int64_t now_mono_ms)
{
    struct err err = {0};
    bool success = outcome.kind == ERR_NONE;

    outcome.ended_mono_ms = now_mono_ms;
    outcome.ended_unix_ms = U0_MS + (now_mono_ms - T0_MS);
    outcome.duration_ms = 2410;
    outcome.began_unix_ms = outcome.ended_unix_ms - outcome.duration_ms;
    inventory_refresh_begun(b->inventory, entry, collector,
                            outcome.ended_unix_ms - outcome.duration_ms);
    assert_int_equal(inventory_refresh_done(b->inventory, entry, collector, &outcome, &err),
                     success ? 0 : -1);
    assert_null(outcome.listing);
    assert_null(outcome.tickets);
}

void bench_succeed(struct bench *b, size_t entry, struct listing *listing, int64_t now_mono_ms)
{
    bench_done(b, entry, COLLECTOR_DEPLOYMENTS, (struct refresh_outcome){.listing = listing},
               now_mono_ms);
}

void bench_fail(struct bench *b, size_t entry, enum err_kind kind, const char *message,
                int64_t now_mono_ms)
{
    bench_done(b, entry, COLLECTOR_DEPLOYMENTS,
               (struct refresh_outcome){.kind = kind, .message = message}, now_mono_ms);
}

struct snapshot *bench_snapshot(struct bench *b, int64_t now_mono_ms)
{
    struct snapshot *s;
    struct err err;

    if (inventory_snapshot(b->inventory, now_mono_ms, &s, &err) < 0)
        fail_msg("%s", err.msg);
    return s;
}

void bench_text(struct bench *b, int64_t now_mono_ms, struct strbuf *out)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = bench_snapshot(b, now_mono_ms);
    CLEANUP(strbuf_release) struct strbuf openmetrics = STRBUF_INIT;

    strbuf_reset(out);
    snapshot_write(s, EXPO_TEXT, out);
    assert_int_equal(expect_exposition(out, EXPO_TEXT), snapshot_series(s));
    snapshot_write(s, EXPO_OPENMETRICS, &openmetrics);
    assert_int_equal(expect_exposition(&openmetrics, EXPO_OPENMETRICS), snapshot_series(s));
}

const char *series(const char *name, size_t entry, const char *more)
{
    static char text[512];
    int n = snprintf(text, sizeof(text), "%s{workspace=\"%s\",flink_namespace=\"ns-%zu\"%s}", name,
                     target_usual().workspace, entry, more);

    assert_in_range(n, 1, sizeof(text) - 1);
    return text;
}
