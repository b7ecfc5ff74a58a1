/*
 * A list under a mutex. It holds a few hundred connections at most, and is walked only when a
 * deadline passes: the thread sleeps until the earliest deadline it knows of. Deadlines that move
 * later (a request that was answered in time) do not wake it; it finds nothing late, and sleeps
 * until the next. An idle server has no wake-ups.
 */
#include "conns.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

struct conns {
    struct conns_limits limits;
    pthread_mutex_t mu; /* protects all below and the fields of every struct conn in the list */
    pthread_cond_t changed;
    struct conn *head;
    int64_t wake_mono_ms; /* what the thread sleeps for */
    bool draining;
    bool stopping;
    pthread_t thread;
};

static void lock(struct conns *conns)
{
    pthread_mutex_lock(&conns->mu);
}

static void unlock(struct conns *conns)
{
    pthread_mutex_unlock(&conns->mu);
}

/* Both directions, so that whoever reads or writes the socket wakes up. */
static void cut(struct conn *conn)
{
    if (!conn->cut)
        (void)shutdown(conn->fd, SHUT_RDWR);
    conn->cut = true;
}

static int64_t cut_late_locked(struct conns *conns, int64_t now_mono_ms)
{
    int64_t next = INT64_MAX;

    for (struct conn *c = conns->head; c; c = c->next) {
        if (c->cut)
            continue;
        if (c->deadline_mono_ms <= now_mono_ms)
            cut(c);
        else if (c->deadline_mono_ms < next)
            next = c->deadline_mono_ms;
    }
    return next;
}

int64_t conns_cut_late(struct conns *conns, int64_t now_mono_ms)
{
    lock(conns);
    int64_t next = cut_late_locked(conns, now_mono_ms);
    unlock(conns);
    return next;
}

static void *run(void *arg)
{
    struct conns *conns = arg;

    lock(conns);
    while (!conns->stopping) {
        conns->wake_mono_ms = cut_late_locked(conns, clock_mono_ms());
        (void)clock_cond_wait_until(&conns->changed, &conns->mu, conns->wake_mono_ms);
    }
    unlock(conns);
    return NULL;
}

/* The thread takes no signals, whatever the mask of its creator. */
static int start_thread(struct conns *conns)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return -1;
    int rc = pthread_create(&conns->thread, NULL, run, conns);
    if (rc == 0)
        (void)pthread_setname_np(conns->thread, "http-deadlines");
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : -1;
}

int conns_new(const struct conns_limits *limits, struct conns **ret, struct err *err)
{
    struct conns *conns = calloc(1, sizeof(*conns));

    if (!conns)
        return err_nomem(err, "the table of connections");
    conns->limits = *limits;
    conns->wake_mono_ms = INT64_MAX;
    pthread_mutex_init(&conns->mu, NULL);
    if (clock_cond_init(&conns->changed) < 0)
        goto fail;
    if (start_thread(conns) < 0)
        goto fail_cond;
    *ret = conns;
    return 0;

fail_cond:
    pthread_cond_destroy(&conns->changed);
fail:
    pthread_mutex_destroy(&conns->mu);
    free(conns);
    return err_set(err, ERR_INTERNAL, "cannot start the thread that watches connections");
}

void conns_free(struct conns *conns)
{
    if (!conns)
        return;
    lock(conns);
    conns->stopping = true;
    pthread_cond_broadcast(&conns->changed);
    unlock(conns);
    pthread_join(conns->thread, NULL);
    pthread_cond_destroy(&conns->changed);
    pthread_mutex_destroy(&conns->mu);
    free(conns);
}

/* Locked. Wakes the thread only if it would sleep past the new deadline. */
static void set_deadline(struct conns *conns, struct conn *conn, int64_t deadline_mono_ms)
{
    conn->deadline_mono_ms = deadline_mono_ms;
    if (deadline_mono_ms < conns->wake_mono_ms)
        pthread_cond_broadcast(&conns->changed);
}

void conns_opened(struct conns *conns, struct conn *conn, int fd, int64_t now_mono_ms)
{
    *conn = (struct conn){.fd = fd};
    lock(conns);
    conn->next = conns->head;
    if (conn->next)
        conn->next->prev = conn;
    conns->head = conn;
    set_deadline(conns, conn, now_mono_ms + conns->limits.header_ms);
    /* Accepted before the listening socket was shut: nobody will answer. */
    if (conns->draining)
        cut(conn);
    unlock(conns);
}

void conns_request(struct conns *conns, struct conn *conn, int64_t now_mono_ms)
{
    int64_t deadline = now_mono_ms + conns->limits.header_ms;

    lock(conns);
    conn->busy = true;
    conn->request_mono_ms = now_mono_ms;
    if (deadline < conn->deadline_mono_ms)
        set_deadline(conns, conn, deadline);
    unlock(conns);
}

void conns_headers(struct conns *conns, struct conn *conn)
{
    lock(conns);
    set_deadline(conns, conn, conn->request_mono_ms + conns->limits.reply_ms);
    unlock(conns);
}

void conns_replied(struct conns *conns, struct conn *conn, int64_t now_mono_ms)
{
    lock(conns);
    conn->busy = false;
    set_deadline(conns, conn, now_mono_ms + conns->limits.idle_ms + conns->limits.header_ms);
    if (conns->draining)
        cut(conn);
    unlock(conns);
}

void conns_closed(struct conns *conns, struct conn *conn)
{
    lock(conns);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conns->head = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    if (conns->draining && !conns->head)
        pthread_cond_broadcast(&conns->changed);
    unlock(conns);
}

void conns_drain(struct conns *conns, int64_t until_mono_ms)
{
    lock(conns);
    conns->draining = true;
    for (struct conn *c = conns->head; c; c = c->next) {
        if (!c->busy)
            cut(c);
    }
    while (conns->head && clock_mono_ms() < until_mono_ms)
        (void)clock_cond_wait_until(&conns->changed, &conns->mu, until_mono_ms);
    unlock(conns);
}
