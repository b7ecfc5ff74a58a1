/* The thread that makes things happen: so many events per second as the settings say. */
#ifndef SIMULATOR_CHURN_H
#define SIMULATOR_CHURN_H

#include <pthread.h>

#include "base/cleanup.h"
#include "simulator.h"

struct churn {
    pthread_t thread;
    struct simulator *s;
};

int churn_start(struct churn *c, struct simulator *s) MUST_CHECK;
/* After halt_stop. */
void churn_join(struct churn *c);

#endif
