/*
 * The quota: a token bucket per (operation, account), refilled continuously, one second deep.
 * Thread-safe.
 */
#ifndef SIMULATOR_THROTTLE_H
#define SIMULATOR_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct throttle;

struct throttle *throttle_new(void) MUST_CHECK;
void throttle_free(struct throttle *t);

/*
 * True if the call may go on. Otherwise *ret_wait_ms says when the next one may. per_second 0 = no
 * limit.
 */
bool throttle_admit(struct throttle *t, const char *operation, const char *account,
                    double per_second, int64_t now_us, int64_t *ret_wait_ms);

#endif
