/*
 * One lock, never held over a fetch. When to fetch is decided by credentials_lease.c.
 *
 * The thread of a fetch ends with it: there are a few fetches an hour. It is joined before the next
 * one starts, and by credentials_cache_free.
 *
 * What is logged: while there are good keys a failure changes nothing for the targets, so it is
 * said here, once, and its end too. Without good keys the targets fail and say why themselves.
 */
#include "credentials_cached.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "credentials_lease.h"

/* Of who has no keys. A chain of providers may take longer; the next one to ask finds its result.
 */
#define WAIT_MAX_MS     30000

/* No keys that are good for less are taken. */
#define LIFETIME_MIN_MS 1000

/* Room for curl, OpenSSL and the JSON parser's recursion, with sanitizers too; only reserved. */
#define STACK_BYTES     (1024 * 1024)

struct credentials_cache {
    struct credentials_source *source;
    const char *name;
    const char *provider;
    struct credentials_count *count;
    const void *owner;

    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct lease lease;
    struct credentials_keys keys;
    struct err failure; /* of the last fetch */
    bool warned;        /* a failure was logged, its end was not yet */
    bool stopped;
    bool fetching;
    bool has_thread; /* to be joined */
    pthread_t thread;
};

/* What a fetch left to say, outside of the lock. */
struct remark {
    bool failed;
    bool works_again;
    int64_t good_for_ms;
};

static uint64_t random_bits(void)
{
    uint64_t bits;

    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        bits = (uint64_t)clock_mono_us();
    return bits;
}

static void log_remark(const struct credentials_cache *c, const struct remark *remark,
                       const struct err *err)
{
    const struct log_field *fields =
        LOG_FIELDS({"credentials", c->name}, {"provider", c->provider});

    if (remark->failed)
        log_warn(fields,
                 "cannot refresh the credentials, those in use are good for another %lld s: %s",
                 (long long)(remark->good_for_ms / 1000), err->msg);
    else if (remark->works_again)
        log_info(fields, "the credentials are refreshed again");
    else if (err->kind == ERR_NONE)
        log_debug(fields, "credentials refreshed");
}

/* --- the end of a fetch; all of it under the lock --- */

static int take_grant(struct credentials_cache *c, struct credentials_grant *grant,
                      int64_t asked_mono_ms, int64_t asked_unix_ms, struct err *err)
{
    int64_t now_mono_ms = clock_mono_ms();
    int64_t lifetime_ms =
        lease_lifetime_ms(grant->expiration_unix_ms, grant->server_unix_ms, asked_unix_ms);
    uint64_t generation = c->keys.generation;

    if (asked_mono_ms + lifetime_ms <= now_mono_ms)
        return err_set(err, ERR_AUTHENTICATION, "the keys that were handed out have expired");
    /* Taken, they would be over before anybody has used them, and the next fetch follow at once. */
    if (asked_mono_ms + lifetime_ms < now_mono_ms + LIFETIME_MIN_MS)
        return err_set(err, ERR_AUTHENTICATION,
                       "the keys that were handed out expire within a second");
    lease_granted(&c->lease, lifetime_ms, asked_mono_ms, now_mono_ms);
    credentials_keys_release(&c->keys);
    c->keys = grant->keys;
    c->keys.generation = generation + 1;
    c->failure = (struct err){0};
    grant->keys = (struct credentials_keys){0};
    credentials_count_expiry(c->count, c->owner, grant->expiration_unix_ms);
    return 0;
}

static void take_failure(struct credentials_cache *c, const struct err *err, struct remark *remark)
{
    int64_t now_mono_ms = clock_mono_ms();

    lease_failed(&c->lease, now_mono_ms, random_bits());
    c->failure = *err;
    credentials_count_failed(c->count);
    if (c->lease.has_keys && now_mono_ms < c->lease.expires_mono_ms) {
        remark->failed = !c->warned;
        remark->good_for_ms = c->lease.expires_mono_ms - now_mono_ms;
        c->warned = true;
        return;
    }
    if (c->source->ops->exhausted)
        c->source->ops->exhausted(c->source);
}

static void *fetch(void *arg)
{
    CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    struct credentials_cache *c = arg;
    struct remark remark = {0};
    struct err err = {0};
    int64_t asked_mono_ms = clock_mono_ms();
    int64_t asked_unix_ms = clock_unix_ms();
    int r = c->source->ops->get(c->source, &grant, &err);

    pthread_mutex_lock(&c->mu);
    if (r == 0)
        r = take_grant(c, &grant, asked_mono_ms, asked_unix_ms, &err);
    if (r == 0) {
        remark.works_again = c->warned;
        c->warned = false;
    } else if (!c->stopped) {
        take_failure(c, &err, &remark);
    }
    c->fetching = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mu);
    log_remark(c, &remark, &err);
    return NULL;
}

/* --- asking --- */

/* Under the lock. The thread before has ended but for its last log line. */
static void start_fetch(struct credentials_cache *c)
{
    pthread_attr_t attr;
    struct err err = {0};

    if (c->fetching)
        return;
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    c->has_thread = false;
    credentials_count_begun(c->count);
    if (pthread_attr_init(&attr) == 0) {
        pthread_attr_setstacksize(&attr, STACK_BYTES);
        c->fetching = true;
        c->has_thread = pthread_create(&c->thread, &attr, fetch, c) == 0;
        pthread_attr_destroy(&attr);
    }
    c->fetching = c->has_thread;
    if (!c->has_thread) {
        struct remark none = {0};
        err_set(&err, ERR_INTERNAL, "cannot start a thread");
        take_failure(c, &err, &none);
    }
}

static int copy_keys(const struct credentials_cache *c, struct credentials_keys *ret,
                     struct err *err)
{
    if (credentials_keys_copy(c->keys.access_key_id, c->keys.access_key_secret,
                              c->keys.security_token, ret, err) < 0)
        return -1;
    ret->generation = c->keys.generation;
    return 0;
}

static int fail(const struct credentials_cache *c, struct err *err)
{
    /* Nothing failed, but what was granted is over already, and refused before it was. */
    if (c->failure.kind == ERR_NONE)
        return err_set(err, ERR_AUTHENTICATION, "the keys have expired, others are fetched soon");
    if (err)
        *err = c->failure;
    return -1;
}

/* Under the lock. 1: wait and ask again. */
static int get_now(struct credentials_cache *c, int64_t now_mono_ms, struct credentials_keys *ret,
                   struct err *err)
{
    enum lease_verdict verdict = lease_decide(&c->lease, now_mono_ms);

    if (verdict == LEASE_RENEW || verdict == LEASE_NEED)
        start_fetch(c);
    if (verdict == LEASE_USE || verdict == LEASE_RENEW)
        return copy_keys(c, ret, err);
    return c->fetching ? 1 : fail(c, err);
}

int credentials_cache_get(struct credentials_cache *c, const _Atomic bool *cancelled,
                          struct credentials_keys *ret, struct err *err)
{
    int64_t until_mono_ms = clock_mono_ms() + WAIT_MAX_MS;
    int r = 1;

    pthread_mutex_lock(&c->mu);
    while (r == 1) {
        int64_t now_mono_ms = clock_mono_ms();

        if (c->stopped || (cancelled && atomic_load(cancelled)))
            r = err_set(err, ERR_STOPPED, "stopped");
        else if ((r = get_now(c, now_mono_ms, ret, err)) == 1 && now_mono_ms >= until_mono_ms)
            r = err_set(err, ERR_TIMEOUT, "no keys yet after %d s: the fetch goes on",
                        WAIT_MAX_MS / 1000);
        if (r == 1)
            (void)clock_cond_wait_until(&c->changed, &c->mu, until_mono_ms);
    }
    pthread_mutex_unlock(&c->mu);
    return r;
}

void credentials_cache_invalidate(struct credentials_cache *c, uint64_t generation)
{
    pthread_mutex_lock(&c->mu);
    if (generation == c->keys.generation) {
        lease_refused(&c->lease, clock_mono_ms(), random_bits());
        if (!c->fetching && c->source->ops->invalidate)
            c->source->ops->invalidate(c->source);
    }
    pthread_mutex_unlock(&c->mu);
}

void credentials_cache_wake(struct credentials_cache *c)
{
    pthread_mutex_lock(&c->mu);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mu);
}

void credentials_cache_stop(struct credentials_cache *c)
{
    pthread_mutex_lock(&c->mu);
    c->stopped = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mu);
    if (c->source->ops->stop)
        c->source->ops->stop(c->source);
}

/* --- life --- */

struct credentials_cache *credentials_cache_new(const struct credentials_cache_options *options)
{
    struct credentials_cache *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    if (clock_cond_init(&c->changed) < 0) {
        free(c);
        return NULL;
    }
    pthread_mutex_init(&c->mu, NULL);
    c->source = options->source;
    c->name = options->name;
    c->provider = options->provider;
    c->count = options->count;
    c->owner = options->owner;
    return c;
}

void credentials_cache_free(struct credentials_cache *c)
{
    if (!c)
        return;
    credentials_cache_stop(c);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    credentials_keys_release(&c->keys);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mu);
    free(c);
}
