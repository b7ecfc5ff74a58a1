/*
 * The exporter's families about itself: build, configuration, shards, log. Live, see
 * metrics/registry.h. One struct, owned by main; written by main, read by HTTP threads.
 */
#ifndef SELF_METRICS_H
#define SELF_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "metrics/registry.h"

struct self_metrics {
    atomic_bool reload_successful;
    atomic_int_fast64_t reload_success_unix_ms;
    atomic_uint_fast64_t config_hash;
    const char *curl_version;       /* static or living as long as the struct */
    const char *microhttpd_version; /* likewise */
    const char *tls_backend;        /* likewise */
};

int self_metrics_register(struct self_metrics *self, struct registry *registry,
                          struct err *err) MUST_CHECK;

/* A configuration was read: refused, or in force with this hash. */
void self_metrics_config_refused(struct self_metrics *self);
void self_metrics_config_loaded(struct self_metrics *self, uint64_t hash);

#endif
