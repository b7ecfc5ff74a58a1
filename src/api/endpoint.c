/*
 * The state that outlives clients and reloads, in three kinds by how it is reached:
 *
 * - endpoints, one per (host, credentials name): a list under the session's lock, each with its
 *   bucket and window under its own lock. The quota is per account, region and API; who signs and
 *   where to is as close to that as a client can know.
 * - hosts: connections and clock skew belong to the server, not to who signs. The list only grows,
 * so scrapes walk it without a lock; each field is one atomic.
 * - counters by operation: atomics, written by workers and read by scrapes.
 */
#include "endpoint.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "credentials_counts.h"
#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/label_names.h"

/* No response with a Date yet: the gauge has no sample. */
#define SKEW_UNKNOWN      INT64_MIN

/* A caller asks again after its wait, so a longest one costs nothing and bounds the arithmetic. */
#define TOKEN_WAIT_MAX_MS 3600000

/* A window this large limits nothing: no listing may have more requests in flight. */
#define WINDOW_MAX        64

/* Upper bounds, inclusive, as le says them and as they are compared. */
static const struct bucket {
    int64_t le_us;
    struct expo_labels le;
} buckets[] = {
    {50000, EXPO_LABELS_INIT("le=\"0.05\"")},    {100000, EXPO_LABELS_INIT("le=\"0.1\"")},
    {250000, EXPO_LABELS_INIT("le=\"0.25\"")},   {500000, EXPO_LABELS_INIT("le=\"0.5\"")},
    {1000000, EXPO_LABELS_INIT("le=\"1.0\"")},   {2500000, EXPO_LABELS_INIT("le=\"2.5\"")},
    {5000000, EXPO_LABELS_INIT("le=\"5.0\"")},   {10000000, EXPO_LABELS_INIT("le=\"10.0\"")},
    {30000000, EXPO_LABELS_INIT("le=\"30.0\"")}, {INT64_MAX, EXPO_LABELS_INIT("le=\"+Inf\"")},
};
enum { N_BUCKETS = ARRAY_LEN(buckets) };

struct host {
    struct host *_Atomic next;
    char *name;
    struct strbuf labels;    /* endpoint="..." */
    _Atomic int64_t skew_ms; /* or SKEW_UNKNOWN */
    _Atomic int64_t correction_ms;
    _Atomic uint64_t connections;
    _Atomic uint64_t tls_handshakes;
};

struct endpoint {
    struct endpoint *next; /* under the session's lock */
    struct host *host;
    char *credentials;
    struct strbuf labels; /* endpoint="...",credentials="..." */

    pthread_mutex_t mu;
    double window;    /* requests in flight a listing may have; INFINITY = as many as it likes */
    double threshold; /* up to here the window grows fast */
    int64_t closed_mono_ms;
    int64_t paused_until_mono_ms;
    uint64_t answers;
    double rate_per_ms;
    double burst;
    double tokens; /* at refilled_mono_ms; fractions count */
    int64_t refilled_mono_ms;
};

struct operation_counts {
    struct strbuf labels;                  /* operation="..." */
    _Atomic uint64_t in_bucket[N_BUCKETS]; /* each alone, summed up when they are written */
    _Atomic uint64_t duration_us;
    _Atomic uint64_t body_bytes;
};

struct api_session {
    char *user_agent;
    pthread_mutex_t mu;
    struct endpoint *endpoints;
    struct host *_Atomic hosts;
    struct operation_counts operations[OPERATION_END];
    _Atomic int64_t in_flight;
    struct credentials_counts *credentials;
};

/* Live families. */

/* All programs list deployments; the other operations are shown once somebody has asked for them.
 */
static bool is_shown(const struct operation_counts *counts, enum operation operation)
{
    uint64_t n = operation == OPERATION_LIST_DEPLOYMENTS;

    for (size_t i = 0; i < N_BUCKETS && n == 0; i++)
        n = atomic_load_explicit(&counts->in_bucket[i], memory_order_relaxed);
    return n > 0;
}

static void collect_duration(void *ctx, const struct family *family, struct expo *e)
{
    static const char bucket_name[] = "aliyun_flink_api_request_duration_seconds_bucket";
    static const char sum_name[] = "aliyun_flink_api_request_duration_seconds_sum";
    static const char count_name[] = "aliyun_flink_api_request_duration_seconds_count";
    struct api_session *session = ctx;

    (void)family;
    for (size_t op = 0; op < OPERATION_END; op++) {
        struct operation_counts *counts = &session->operations[op];
        struct expo_labels labels = {strbuf_str(&counts->labels), counts->labels.len};
        uint64_t sum = atomic_load_explicit(&counts->duration_us, memory_order_relaxed);
        uint64_t count = 0;

        if (!is_shown(counts, (enum operation)op))
            continue;
        /* The count is the last cumulative bucket: equal by construction, whatever comes between.
         */
        for (size_t i = 0; i < N_BUCKETS; i++) {
            count += atomic_load_explicit(&counts->in_bucket[i], memory_order_relaxed);
            expo_sample_i64(e, bucket_name, labels, buckets[i].le, (int64_t)count);
        }
        expo_sample_double(e, sum_name, labels, EXPO_NO_LABELS, (double)sum / 1e6);
        expo_sample_i64(e, count_name, labels, EXPO_NO_LABELS, (int64_t)count);
    }
}

static void collect_in_flight(void *ctx, const struct family *family, struct expo *e)
{
    struct api_session *session = ctx;

    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                    atomic_load_explicit(&session->in_flight, memory_order_relaxed));
}

static void collect_bytes(void *ctx, const struct family *family, struct expo *e)
{
    struct api_session *session = ctx;

    for (size_t op = 0; op < OPERATION_END; op++) {
        struct operation_counts *counts = &session->operations[op];
        struct expo_labels labels = {strbuf_str(&counts->labels), counts->labels.len};

        if (!is_shown(counts, (enum operation)op))
            continue;
        expo_sample_i64(e, family->name, labels, EXPO_NO_LABELS,
                        (int64_t)atomic_load_explicit(&counts->body_bytes, memory_order_relaxed));
    }
}

static void collect_skew(void *ctx, const struct family *family, struct expo *e)
{
    struct api_session *session = ctx;

    for (struct host *h = atomic_load(&session->hosts); h; h = atomic_load(&h->next)) {
        int64_t skew_ms = atomic_load_explicit(&h->skew_ms, memory_order_relaxed);
        struct expo_labels labels = {strbuf_str(&h->labels), h->labels.len};
        if (skew_ms != SKEW_UNKNOWN)
            expo_sample_ms(e, family->name, labels, EXPO_NO_LABELS, skew_ms);
    }
}

static void collect_connections(void *ctx, const struct family *family, struct expo *e)
{
    struct api_session *session = ctx;

    for (struct host *h = atomic_load(&session->hosts); h; h = atomic_load(&h->next)) {
        struct expo_labels labels = {strbuf_str(&h->labels), h->labels.len};
        expo_sample_i64(e, family->name, labels, EXPO_NO_LABELS,
                        (int64_t)atomic_load_explicit(&h->connections, memory_order_relaxed));
    }
}

static void collect_handshakes(void *ctx, const struct family *family, struct expo *e)
{
    struct api_session *session = ctx;

    for (struct host *h = atomic_load(&session->hosts); h; h = atomic_load(&h->next)) {
        struct expo_labels labels = {strbuf_str(&h->labels), h->labels.len};
        expo_sample_i64(e, family->name, labels, EXPO_NO_LABELS,
                        (int64_t)atomic_load_explicit(&h->tls_handshakes, memory_order_relaxed));
    }
}

/* No sample while nothing is limited. */
static void collect_window(void *ctx, const struct family *family, struct expo *e)
{
    struct api_session *session = ctx;

    pthread_mutex_lock(&session->mu);
    for (struct endpoint *ep = session->endpoints; ep; ep = ep->next) {
        struct expo_labels labels = {strbuf_str(&ep->labels), ep->labels.len};
        pthread_mutex_lock(&ep->mu);
        double window = ep->window;
        pthread_mutex_unlock(&ep->mu);
        if (isfinite(window))
            expo_sample_i64(e, family->name, labels, EXPO_NO_LABELS, (int64_t)window);
    }
    pthread_mutex_unlock(&session->mu);
}

static const struct live_family {
    struct family family;
    registry_collect_fn *collect;
} live_families[] = {
    {{"aliyun_flink_api_request_duration_seconds",
      "Duration of HTTP requests to the control plane.", METRIC_HISTOGRAM,
      .labels = LABEL_OPERATION,
      .absent = "until the operation was asked for, but for ListDeployments"},
     collect_duration},
    {{"aliyun_flink_api_requests_in_flight", "Requests under way.", METRIC_GAUGE, .labels = NULL},
     collect_in_flight},
    {{"aliyun_flink_api_response_bytes_total", "Response body bytes received.", METRIC_COUNTER,
      .labels = LABEL_OPERATION,
      .absent = "until the operation was asked for, but for ListDeployments"},
     collect_bytes},
    {{"aliyun_flink_api_clock_skew_seconds",
      "Server time (Date header) minus local time at the last response.", METRIC_GAUGE,
      .labels = "endpoint", .absent = "before the first answer"},
     collect_skew},
    {{"aliyun_flink_api_connections_opened_total", "Connections opened to the control plane.",
      METRIC_COUNTER, .stability = METRIC_EXPERIMENTAL, .labels = "endpoint"},
     collect_connections},
    {{"aliyun_flink_api_tls_handshakes_total", "TLS handshakes with the control plane.",
      METRIC_COUNTER, .stability = METRIC_EXPERIMENTAL, .labels = "endpoint"},
     collect_handshakes},
    {{"aliyun_flink_api_in_flight_limit",
      "Requests a listing may have in flight since the control plane throttled.", METRIC_GAUGE,
      .stability = METRIC_EXPERIMENTAL, .labels = "endpoint,credentials",
      .absent = "until the control plane throttles, and again from 64 on"},
     collect_window},
};

void session_request_begun(struct api_session *session)
{
    atomic_fetch_add_explicit(&session->in_flight, 1, memory_order_relaxed);
}

void session_request_dropped(struct api_session *session)
{
    atomic_fetch_sub_explicit(&session->in_flight, 1, memory_order_relaxed);
}

void session_request_ended(struct api_session *session, enum operation operation,
                           int64_t duration_us, uint64_t body_bytes)
{
    struct operation_counts *counts = &session->operations[operation];
    size_t i = 0;

    if (duration_us < 0)
        duration_us = 0;
    while (duration_us > buckets[i].le_us)
        i++;
    atomic_fetch_add_explicit(&counts->in_bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->duration_us, (uint64_t)duration_us, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->body_bytes, body_bytes, memory_order_relaxed);
    session_request_dropped(session);
}

/* Life of the session. */

static void host_free(struct host *host)
{
    if (!host)
        return;
    strbuf_release(&host->labels);
    free(host->name);
    free(host);
}

static void endpoint_free(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    pthread_mutex_destroy(&endpoint->mu);
    strbuf_release(&endpoint->labels);
    free(endpoint->credentials);
    free(endpoint);
}

void api_session_free(struct api_session *session)
{
    if (!session)
        return;
    for (struct endpoint *e = session->endpoints, *next; e; e = next) {
        next = e->next;
        endpoint_free(e);
    }
    for (struct host *h = atomic_load(&session->hosts), *next; h; h = next) {
        next = atomic_load(&h->next);
        host_free(h);
    }
    for (size_t op = 0; op < OPERATION_END; op++)
        strbuf_release(&session->operations[op].labels);
    credentials_counts_free(session->credentials);
    pthread_mutex_destroy(&session->mu);
    free(session->user_agent);
    free(session);
}

static struct api_session *session_make(const char *user_agent)
{
    struct api_session *session = calloc(1, sizeof(*session));

    if (!session)
        return NULL;
    if (pthread_mutex_init(&session->mu, NULL) != 0) {
        free(session);
        return NULL;
    }
    bool ok = (session->user_agent = strdup(user_agent)) != NULL;
    for (enum operation op = 0; op < OPERATION_END; op++) {
        struct strbuf *labels = &session->operations[op].labels;
        expo_label(labels, "operation", operation_name(op));
        ok = ok && strbuf_ok(labels);
    }
    if (!ok) {
        api_session_free(session);
        return NULL;
    }
    return session;
}

int api_session_new(struct registry *registry, const char *user_agent, struct api_session **ret,
                    struct err *err)
{
    struct api_session *session = session_make(user_agent);

    if (!session)
        return err_nomem(err, "API session");
    for (size_t i = 0; i < ARRAY_LEN(live_families); i++) {
        const struct live_family *f = &live_families[i];
        if (registry_add(registry, REGISTRY_EXPORTER, &f->family, f->collect, session, err) < 0) {
            api_session_free(session);
            return -1;
        }
    }
    if (credentials_counts_new(registry, &session->credentials, err) < 0) {
        api_session_free(session);
        return -1;
    }
    *ret = session;
    return 0;
}

struct credentials_counts *session_credentials_counts(struct api_session *session)
{
    return session->credentials;
}

const char *session_user_agent(const struct api_session *session)
{
    return session->user_agent;
}

/* Endpoints. */

/* Under the session's lock. */
static struct host *host_get(struct api_session *session, const char *name)
{
    struct host *_Atomic *end = &session->hosts;
    struct host *host;

    while ((host = atomic_load(end)) != NULL) {
        if (strcmp(host->name, name) == 0)
            return host;
        end = &host->next;
    }
    host = calloc(1, sizeof(*host));
    if (!host)
        return NULL;
    host->name = strdup(name);
    expo_label(&host->labels, "endpoint", name);
    atomic_init(&host->skew_ms, SKEW_UNKNOWN);
    if (!host->name || !strbuf_ok(&host->labels)) {
        host_free(host);
        return NULL;
    }
    /* Whole before it can be seen: scrapes walk the list at any time. */
    atomic_store(end, host);
    return host;
}

static struct endpoint *endpoint_find(struct api_session *session, const struct target *target)
{
    for (struct endpoint *e = session->endpoints; e; e = e->next) {
        if (strcmp(e->host->name, target->host) == 0 &&
            strcmp(e->credentials, target->credentials->name) == 0)
            return e;
    }
    return NULL;
}

/* Under the session's lock; with a full bucket. */
static struct endpoint *endpoint_add(struct api_session *session, const struct target *target)
{
    struct host *host = host_get(session, target->host);
    struct endpoint *e = host ? calloc(1, sizeof(*e)) : NULL;

    if (!e)
        return NULL;
    if (pthread_mutex_init(&e->mu, NULL) != 0) {
        free(e);
        return NULL;
    }
    e->host = host;
    e->tokens = target->burst;
    e->window = INFINITY;
    e->closed_mono_ms = INT64_MIN;
    e->credentials = strdup(target->credentials->name);
    expo_label(&e->labels, "endpoint", target->host);
    strbuf_addc(&e->labels, ',');
    expo_label(&e->labels, "credentials", target->credentials->name);
    if (!e->credentials || !strbuf_ok(&e->labels)) {
        endpoint_free(e);
        return NULL;
    }
    e->next = session->endpoints;
    session->endpoints = e;
    return e;
}

struct endpoint *session_endpoint(struct api_session *session, const struct target *target)
{
    assert(target->requests_per_second > 0 && target->burst >= 1);

    pthread_mutex_lock(&session->mu);
    struct endpoint *e = endpoint_find(session, target);
    if (!e)
        e = endpoint_add(session, target);
    if (e) {
        pthread_mutex_lock(&e->mu);
        e->rate_per_ms = target->requests_per_second / 1000;
        e->burst = target->burst;
        pthread_mutex_unlock(&e->mu);
    }
    pthread_mutex_unlock(&session->mu);
    return e;
}

/*
 * Fractions of tokens are kept, and every millisecond is paid for once, so that calls, however many
 * and however close, lose and make none. Time that goes back (a caller who read the clock before
 * another and got the lock after it) refills nothing.
 *
 * A bucket that has been full for less than a millisecond is not cut to the burst: waits are told
 * in whole milliseconds, and what comes in by rounding up would be lost each time when the burst
 * is 1. It is less than a token, so no more than the burst goes out at once.
 */
static void refill(struct endpoint *e, int64_t now_mono_ms)
{
    double overhang = e->rate_per_ms < 1 ? e->rate_per_ms : 0;

    if (now_mono_ms > e->refilled_mono_ms) {
        e->tokens += (double)(now_mono_ms - e->refilled_mono_ms) * e->rate_per_ms;
        e->refilled_mono_ms = now_mono_ms;
    }
    if (e->tokens > e->burst + overhang)
        e->tokens = e->burst;
}

int64_t endpoint_take_token(struct endpoint *e, int64_t now_mono_ms)
{
    /* Rounding of the sums: after the very wait it was told, a caller shall find its token. */
    static const double slack = 1e-9;
    int64_t wait_ms = 0;

    pthread_mutex_lock(&e->mu);
    refill(e, now_mono_ms);
    if (e->tokens >= 1 - slack) {
        e->tokens -= 1; /* may go below 0 by the slack, which the next one pays */
    } else {
        double missing_ms = (1 - slack / 2 - e->tokens) / e->rate_per_ms;
        if (missing_ms > TOKEN_WAIT_MAX_MS)
            missing_ms = TOKEN_WAIT_MAX_MS;
        wait_ms = (int64_t)missing_ms;
        if ((double)wait_ms < missing_ms)
            wait_ms++;
    }
    pthread_mutex_unlock(&e->mu);
    return wait_ms;
}

void endpoint_throttled(struct endpoint *e, size_t most, int64_t sent_mono_ms, int64_t now_mono_ms,
                        int64_t until_mono_ms)
{
    pthread_mutex_lock(&e->mu);
    if (until_mono_ms > e->paused_until_mono_ms)
        e->paused_until_mono_ms = until_mono_ms;
    /* Sent before the window was closed last: the same wave. */
    if (sent_mono_ms >= e->closed_mono_ms) {
        double used = e->window < (double)most ? e->window : (double)most;
        e->threshold = used / 2;
        e->window = 1;
        e->closed_mono_ms = now_mono_ms;
    }
    pthread_mutex_unlock(&e->mu);
}

int64_t endpoint_paused_until_mono_ms(struct endpoint *e)
{
    pthread_mutex_lock(&e->mu);
    int64_t until_mono_ms = e->paused_until_mono_ms;
    pthread_mutex_unlock(&e->mu);
    return until_mono_ms;
}

void endpoint_answered(struct endpoint *e, int64_t sent_mono_ms)
{
    pthread_mutex_lock(&e->mu);
    e->answers++;
    if (sent_mono_ms >= e->closed_mono_ms)
        e->window += e->window < e->threshold ? 1 : 1 / e->window;
    if (e->window >= WINDOW_MAX)
        e->window = INFINITY;
    pthread_mutex_unlock(&e->mu);
}

uint64_t endpoint_answers(struct endpoint *e)
{
    pthread_mutex_lock(&e->mu);
    uint64_t answers = e->answers;
    pthread_mutex_unlock(&e->mu);
    return answers;
}

size_t endpoint_window(struct endpoint *e, size_t most)
{
    pthread_mutex_lock(&e->mu);
    size_t window = e->window < (double)most ? (size_t)e->window : most;
    pthread_mutex_unlock(&e->mu);
    return window;
}

void endpoint_count_connections(struct endpoint *endpoint, unsigned opened, unsigned tls_handshakes)
{
    atomic_fetch_add_explicit(&endpoint->host->connections, opened, memory_order_relaxed);
    atomic_fetch_add_explicit(&endpoint->host->tls_handshakes, tls_handshakes,
                              memory_order_relaxed);
}

void endpoint_set_skew_ms(struct endpoint *endpoint, int64_t skew_ms)
{
    atomic_store_explicit(&endpoint->host->skew_ms, skew_ms, memory_order_relaxed);
}

int64_t endpoint_correction_ms(const struct endpoint *endpoint)
{
    return atomic_load_explicit(&endpoint->host->correction_ms, memory_order_relaxed);
}

void endpoint_set_correction_ms(struct endpoint *endpoint, int64_t correction_ms)
{
    atomic_store_explicit(&endpoint->host->correction_ms, correction_ms, memory_order_relaxed);
}
