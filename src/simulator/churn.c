#include "churn.h"

#include "base/clock.h"
#include "ticket.h"

#define TICK_MS 10

/* A ticket that nobody polls ends all the same. */
static void settle_tickets(struct world *w, const struct settings *settings)
{
    if (!atomic_load(&w->n_open_tickets))
        return;
    world_lock_write(w);
    tickets_settle(w, simulator_unix_ms(settings) / 1000, clock_mono_ms());
    world_unlock(w);
}

/* Events are due by time, not by tick, so that the rate holds however long a tick really takes. */
static void *run(void *arg)
{
    struct churn *c = arg;
    struct rng r = {rng_mix(c->s->world->generator.seed, 0x636875726e)};
    double due = 0;
    int64_t before_us = clock_mono_us();
    while (!halt_pause(&c->s->halt, TICK_MS)) {
        struct settings settings;
        simulator_settings(c->s, &settings);
        settle_tickets(c->s->world, &settings);
        int64_t now_us = clock_mono_us();
        due += settings.churn * (double)(now_us - before_us) / 1e6;
        before_us = now_us;
        if (settings.churn <= 0)
            due = 0;
        if (due < 1)
            continue;
        world_lock_write(c->s->world);
        for (; due >= 1; due -= 1)
            world_churn(c->s->world, &r);
        world_unlock(c->s->world);
    }
    return NULL;
}

int churn_start(struct churn *c, struct simulator *s)
{
    c->s = s;
    return pthread_create(&c->thread, NULL, run, c) == 0 ? 0 : -1;
}

void churn_join(struct churn *c)
{
    pthread_join(c->thread, NULL);
}
