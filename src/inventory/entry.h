/*
 * One watched namespace inside the inventory, and the families written of it. Scheduler thread
 * only.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/listing.h"
#include "model/target.h"
#include "slice.h"

/* The refreshes of one collector. */
struct health {
    bool begun;   /* at least one began */
    bool tried;   /* at least one ended */
    bool success; /* the last one that ended succeeded */
    enum err_kind reason;
    char message[sizeof(((struct err *)0)->msg)];
    int64_t failing_since_unix_ms; /* end of the first failure of the latest row of them */
    int64_t last_attempt_unix_ms;
    int64_t last_success_unix_ms; /* 0 = never */
    int64_t last_success_mono_ms;
    int64_t duration_ms;
    uint64_t refreshes;
    uint64_t missed;
    uint64_t failures[ERR_REASON_END];
};

struct entry {
    char *workspace;
    char *namespace_name;
    const struct target *target; /* of the configuration in force */
    struct strbuf labels;        /* workspace="...",flink_namespace="..." */
    struct slice *slice;         /* of the last whole listing; NULL before the first */
    struct health health[COLLECTOR_END];
    struct api_stats stats;
};

/* True while the entry has state that is too old to show. */
bool entry_withheld(const struct entry *entry, int64_t now_mono_ms);
/* When that begins; INT64_MAX where there is nothing to withhold or it is withheld already. */
int64_t entry_withhold_mono_ms(const struct entry *entry);

struct namespace_family {
    struct family family;
    void (*emit)(struct expo *e, const char *name, const struct entry *entry, int64_t now_mono_ms);
};

#define NAMESPACE_FAMILIES 22
extern const struct namespace_family namespace_families[NAMESPACE_FAMILIES];

#endif
