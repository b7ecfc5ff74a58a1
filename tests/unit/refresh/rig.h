/*
 * A scheduler under test and what it works with, against the control plane of fake_api.h. Waiting
 * is polling with a limit, so that nothing depends on how fast the machine is. Everything fails the
 * running test instead of returning errors, unless its name says try.
 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "fake_api.h"
#include "inventory/snapshot.h"
#include "metrics/registry.h"
#include "refresh/scheduler.h"

#define RIG_LIMIT_MS 20000

/* Polls a condition; fails the test when it does not come true. */
#define wait_until(condition)                               \
    do {                                                    \
        int64_t until_ms_ = clock_mono_ms() + RIG_LIMIT_MS; \
        while (!(condition)) {                              \
            if (clock_mono_ms() > until_ms_)                \
                fail_msg("in vain: %s", #condition);        \
            pause_ms(2);                                    \
        }                                                   \
    } while (0)

void pause_ms(long ms);

struct rig {
    struct registry *registry;
    struct snapshot_slot *slot;
    struct scheduler *scheduler;
    struct fake_settings settings;
};

extern struct rig rig; /* the one that rig_clean_up cleans up */

/* n targets with a namespace each, at their usual interval of a minute. */
void rig_init(struct rig *r, size_t n);
/* All of them this often, after failures too. */
void rig_every(struct rig *r, int64_t interval_ms);
void rig_start(struct rig *r, bool once);
int rig_try_start(struct rig *r, bool once, struct err *err) MUST_CHECK;
void rig_stop(struct rig *r);

/* After a test that failed in the midst: the next one must not find its threads. */
int rig_clean_up(void **state);

void rig_reload(struct rig *r);
int rig_try_reload(struct rig *r, struct err *err) MUST_CHECK;

/* True if the current generation has this text. */
bool published(const struct rig *r, const char *text);
/* 'aliyun_flink_NAME{workspace="w",flink_namespace="NS"MORE} VALUE', a whole line of it. */
bool published_value(const struct rig *r, const char *name, const char *ns, const char *more,
                     const char *value);

#define COLLECTOR ",collector=\"deployments\""

#endif
