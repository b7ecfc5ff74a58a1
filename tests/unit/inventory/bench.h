/*
 * An inventory with up to four watched namespaces under test. Entry numbers are those of the last
 * bench_configure. Everything fails the running test instead of returning errors.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"
#include "records.h"

/* T0_MS is a monotonic time, U0_MS the wall time that goes with it. */
#define T0_MS     INT64_C(1000000)
#define U0_MS     INT64_C(1790001200000)

#define BENCH_MAX 4

struct bench {
    struct registry *registry;
    struct inventory *inventory;
    struct target targets[BENCH_MAX]; /* change them before bench_configure */
    const char *namespaces[BENCH_MAX];
    struct glob_list deny;
    bool aggregate;
    const char *state_file; /* NULL = none */
    bool draft_lock_holder;
};

/* n namespaces "ns-0", "ns-1", ... of usual targets, configured. */
void bench_start(struct bench *b, size_t n);
void bench_stop(struct bench *b);
/* The first n targets and namespaces become the watched ones. */
void bench_configure(struct bench *b, size_t n);
int bench_try_configure(struct bench *b, size_t n, struct err *err) MUST_CHECK;

/* A refresh that ended at now with this listing; it took 2410 ms. */
void bench_succeed(struct bench *b, size_t entry, struct listing *listing, int64_t now_mono_ms);
void bench_fail(struct bench *b, size_t entry, enum err_kind kind, const char *message,
                int64_t now_mono_ms);

/*
 * A refresh of any collector, with the outcome's listing or tickets (consumed), kind and message;
 * the rest of it is filled in.
 */
void bench_done(struct bench *b, size_t entry, enum collector collector,
                struct refresh_outcome outcome, int64_t now_mono_ms);

struct snapshot *bench_snapshot(struct bench *b, int64_t now_mono_ms);
/* Resets out and writes the text format; both formats are checked to be sound. */
void bench_text(struct bench *b, int64_t now_mono_ms, struct strbuf *out);

/* 'NAME{workspace="...",flink_namespace="ns-<entry>"MORE}', MORE with its comma. Until next call.
 */
const char *series(const char *name, size_t entry, const char *more);

#endif
