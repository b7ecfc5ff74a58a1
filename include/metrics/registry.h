/*
 * Live metrics: what is read at scrape time (the exporter's own counters, process_*).
 *
 * A module that has live metrics keeps its atomics in its own struct and adds one entry per family
 * at start; the registry only remembers how to write them. Entries are added before the HTTP
 * server starts and stay until the process ends, so scrapes read the table without a lock. The
 * collect function runs on HTTP threads, at several at once: it reads atomics and never waits.
 */
#ifndef METRICS_REGISTRY_H
#define METRICS_REGISTRY_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/glob.h"
#include "metrics/expo.h"
#include "metrics/family.h"

enum registry_group {
    REGISTRY_EXPORTER, /* aliyun_flink_exporter_*, aliyun_flink_api_* that have no target */
    REGISTRY_PROCESS,  /* process_* */
    REGISTRY_GROUP_END,
};

struct registry;

struct registry *registry_new(void);
void registry_free(struct registry *registry);

/* Writes the family's samples (no header). Writing none leaves the family out of this scrape. */
typedef void registry_collect_fn(void *ctx, const struct family *family, struct expo *e);

/* Borrows family and ctx for the life of the registry. */
int registry_add(struct registry *registry, enum registry_group group, const struct family *family,
                 registry_collect_fn *collect, void *ctx, struct err *err) MUST_CHECK;

/* The families in the order added, i from 0; NULL behind the last. For the metrics reference. */
const struct family *registry_family(const struct registry *registry, size_t i);

/*
 * Writes the groups of the bit set (1u << group), headers included, in the order added. Families
 * whose name matches deny (metrics.deny of the configuration; NULL = none) are left out.
 */
void registry_write(const struct registry *registry, unsigned groups, const struct glob_list *deny,
                    enum expo_format format, struct strbuf *out);

#endif
