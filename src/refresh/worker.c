#include "worker.h"

#include <stdlib.h>

/* Room for curl, OpenSSL and the JSON parser's recursion, with sanitizers too; only reserved. */
#define WORKER_STACK_BYTES (1024 * 1024)

struct worker {
    struct bell *bell;
    struct api_client *client;
    pthread_t thread;
    pthread_cond_t wake;
    bool has_job, has_result, stop;
    struct job job;
    struct job_result *result;
};

static void ring(struct bell *bell)
{
    bell->rung = true;
    pthread_cond_signal(&bell->wake);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->bell->mu);
    for (;;) {
        while (!w->has_job && !w->stop)
            pthread_cond_wait(&w->wake, &w->bell->mu);
        if (w->stop)
            break;
        pthread_mutex_unlock(&w->bell->mu);
        refresh_run(w->client, &w->job, w->result);
        job_release(&w->job);
        pthread_mutex_lock(&w->bell->mu);
        w->has_job = false;
        w->has_result = true;
        ring(w->bell);
    }
    pthread_mutex_unlock(&w->bell->mu);
    return NULL;
}

static int start_thread(struct worker *w)
{
    pthread_attr_t attr;
    int rc;

    if (pthread_attr_init(&attr) != 0)
        return -1;
    pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
    rc = pthread_create(&w->thread, &attr, worker_main, w);
    pthread_attr_destroy(&attr);
    return rc == 0 ? 0 : -1;
}

static void worker_free(struct worker *w)
{
    pthread_cond_destroy(&w->wake);
    api_client_free(w->client);
    free(w->result);
    free(w);
}

int worker_start(struct bell *bell, struct api_session *session, struct worker **ret,
                 struct err *err)
{
    struct worker *w = calloc(1, sizeof(*w));

    if (!w)
        return err_nomem(err, "a worker");
    w->bell = bell;
    pthread_cond_init(&w->wake, NULL);
    w->result = calloc(1, sizeof(*w->result));
    if (!w->result || api_client_new(session, &w->client, err) < 0) {
        if (!w->result)
            err_nomem(err, "a worker");
        worker_free(w);
        return -1;
    }
    if (start_thread(w) < 0) {
        worker_free(w);
        return err_set(err, ERR_INTERNAL, "cannot start a worker thread");
    }
    *ret = w;
    return 0;
}

void worker_give(struct worker *worker, struct job *job)
{
    api_client_resume(worker->client); /* the job before may have been aborted */
    pthread_mutex_lock(&worker->bell->mu);
    worker->job = *job;
    worker->has_job = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->bell->mu);
    *job = (struct job){0};
}

void worker_abort(struct worker *worker)
{
    api_client_stop(worker->client);
}

bool worker_take_result(struct worker *worker, struct job_result *ret)
{
    bool has;

    pthread_mutex_lock(&worker->bell->mu);
    has = worker->has_result;
    if (has) {
        *ret = *worker->result;
        *worker->result = (struct job_result){0};
        worker->has_result = false;
    }
    pthread_mutex_unlock(&worker->bell->mu);
    return has;
}

void worker_ask_to_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->bell->mu);
    worker->stop = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->bell->mu);
    api_client_stop(worker->client);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    if (worker->has_job)
        job_release(&worker->job);
    job_result_release(worker->result);
    worker_free(worker);
}
