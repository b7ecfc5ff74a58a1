/*
 * The end of the program, as something to wait for: a pause that a stop cuts short.
 * One owner, any number of waiting threads.
 */
#ifndef SIMULATOR_HALT_H
#define SIMULATOR_HALT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct halt {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    bool stopped;
};

int halt_init(struct halt *h) MUST_CHECK;
void halt_release(struct halt *h);

/* Ends every pause, now and later. */
void halt_stop(struct halt *h);
bool halt_stopped(struct halt *h);

/* Waits so long; true if the program stops. */
bool halt_pause(struct halt *h, int64_t ms);

#endif
