/*
 * Ctrl-C, SIGTERM and SIGHUP: a call or a wait under way ends at once, and the program says so and
 * ends with exit code 1. A second one kills, as by default.
 *
 * There is no signal handler: a thread of its own takes the signals. Start it before other threads
 * exist; all else may be called from the main thread only.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "api/client.h"
#include "base/cleanup.h"
#include "base/err.h"

struct interrupt;

/* Client and credentials are borrowed: the signal stops them. NULL = nothing to stop. */
int interrupt_start(struct api_client *client, const struct credentials_pool *credentials,
                    struct interrupt **ret, struct err *err) MUST_CHECK;
void interrupt_free(struct interrupt *i);

bool interrupt_happened(const struct interrupt *i);

enum interrupt_wait {
    WAIT_READY,
    WAIT_TIMED_OUT,
    WAIT_INTERRUPTED,
};

/*
 * Waits for events (POLLIN, POLLOUT) of the descriptor, -1 = none, until then; INT64_MAX = for
 * ever. An error or a hang-up is ready, too.
 */
enum interrupt_wait interrupt_wait(struct interrupt *i, int fd, short events,
                                   int64_t until_mono_ms) MUST_CHECK;

#endif
