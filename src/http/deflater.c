/*
 * A queue under a mutex. The thread takes the first job, compresses piece by piece, looking in
 * between whether it shall end, and leaves when the queue is empty. Jobs for a generation that is
 * compressed already cost nothing, so waiters need not be gathered.
 */
#include "deflater.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"

/* deflate's output buffer and its callers; its state is on the heap. */
enum { STACK_BYTES = 256 * 1024 };

struct deflater {
    pthread_mutex_t mu;
    struct deflater_job *first;
    struct deflater_job **last; /* where the next one is hung in */
    pthread_t thread;
    bool started; /* there is a thread to be joined */
    bool running; /* and it will look at the queue again */
    atomic_bool stopping;
};

int deflater_new(struct deflater **ret, struct err *err)
{
    struct deflater *d = calloc(1, sizeof(*d));

    if (!d)
        return err_nomem(err, "the queue of generations to compress");
    pthread_mutex_init(&d->mu, NULL);
    d->last = &d->first;
    atomic_init(&d->stopping, false);
    *ret = d;
    return 0;
}

void deflater_free(struct deflater *d)
{
    if (!d)
        return;
    pthread_mutex_destroy(&d->mu);
    free(d);
}

static void compress(const struct deflater *d, const struct deflater_job *job)
{
    size_t n;
    struct piece *const *pieces = snapshot_pieces(job->snapshot, job->format, &n);
    struct err err = {0};
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        const void *bytes;
        size_t len;

        if (atomic_load_explicit(&d->stopping, memory_order_relaxed))
            return;
        rc = piece_deflated(pieces[i], &bytes, &len, &err);
    }
    if (rc == 0)
        rc = snapshot_deflate(job->snapshot, job->format, &err);
    if (rc < 0)
        log_warn(LOG_NONE, "cannot compress the exposition yet: %s", err.msg);
}

/* NULL when there is none; the thread must end then. */
static struct deflater_job *take_job(struct deflater *d)
{
    struct deflater_job *job;

    pthread_mutex_lock(&d->mu);
    job = d->first;
    if (job) {
        d->first = job->next;
        if (!d->first)
            d->last = &d->first;
    } else {
        d->running = false;
    }
    pthread_mutex_unlock(&d->mu);
    return job;
}

static void *run(void *arg)
{
    struct deflater *d = arg;

    for (struct deflater_job *job = take_job(d); job; job = take_job(d)) {
        compress(d, job);
        snapshot_unref(job->snapshot);
        job->done(job);
    }
    return NULL;
}

/* Locked. Its predecessor has looked at the queue for the last time, so joining does not wait. */
static int start_thread(struct deflater *d)
{
    pthread_attr_t attr;

    if (d->started)
        (void)pthread_join(d->thread, NULL);
    d->started = false;
    if (pthread_attr_init(&attr) != 0)
        return -1;
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    d->started = pthread_create(&d->thread, &attr, run, d) == 0;
    d->running = d->started;
    (void)pthread_attr_destroy(&attr);
    return d->started ? 0 : -1;
}

int deflater_start(struct deflater *d, struct deflater_job *job, struct snapshot *snapshot)
{
    int rc = 0;

    pthread_mutex_lock(&d->mu);
    if (atomic_load_explicit(&d->stopping, memory_order_relaxed))
        rc = -1;
    else if (!d->running)
        rc = start_thread(d);
    if (rc == 0) {
        job->snapshot = snapshot;
        job->next = NULL;
        *d->last = job;
        d->last = &job->next;
    }
    pthread_mutex_unlock(&d->mu);
    if (rc < 0)
        snapshot_unref(snapshot);
    return rc;
}

void deflater_stop(struct deflater *d)
{
    bool started;

    /* Under the lock: whoever starts a job sees it, or the thread sees the job. */
    pthread_mutex_lock(&d->mu);
    atomic_store_explicit(&d->stopping, true, memory_order_relaxed);
    started = d->started;
    d->started = false;
    pthread_mutex_unlock(&d->mu);
    if (started)
        (void)pthread_join(d->thread, NULL);
}
