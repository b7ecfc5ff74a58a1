#include "halt.h"

#include "base/clock.h"

int halt_init(struct halt *h)
{
    h->stopped = false;
    if (pthread_mutex_init(&h->mu, NULL) != 0)
        return -1;
    if (clock_cond_init(&h->cond) != 0) {
        pthread_mutex_destroy(&h->mu);
        return -1;
    }
    return 0;
}

void halt_release(struct halt *h)
{
    pthread_cond_destroy(&h->cond);
    pthread_mutex_destroy(&h->mu);
}

void halt_stop(struct halt *h)
{
    pthread_mutex_lock(&h->mu);
    h->stopped = true;
    pthread_cond_broadcast(&h->cond);
    pthread_mutex_unlock(&h->mu);
}

bool halt_stopped(struct halt *h)
{
    return halt_pause(h, 0);
}

bool halt_pause(struct halt *h, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    pthread_mutex_lock(&h->mu);
    while (ms > 0 && !h->stopped && clock_mono_ms() < until)
        clock_cond_wait_until(&h->cond, &h->mu, until);
    bool stopped = h->stopped;
    pthread_mutex_unlock(&h->mu);
    return stopped;
}
