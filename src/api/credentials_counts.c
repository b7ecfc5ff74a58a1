#include "credentials_counts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "model/label_names.h"

/* Of an entry: no keys that expire. */
#define NO_EXPIRY (-1)

struct credentials_count {
    struct credentials_count *_Atomic next;
    char *name;
    char *provider;
    struct strbuf labels;
    _Atomic unsigned users;
    _Atomic uint64_t begun;
    _Atomic uint64_t failed;
    _Atomic int64_t expiration_unix_ms;
    pthread_mutex_t mu;
    const void *owner; /* of the expiry; under the lock, which scrapes do not take */
};

struct credentials_counts {
    pthread_mutex_t mu; /* for the end of the list */
    struct credentials_count *_Atomic first;
};

static struct expo_labels labels_of(const struct credentials_count *c)
{
    return (struct expo_labels){strbuf_str(&c->labels), c->labels.len};
}

static void collect_begun(void *ctx, const struct family *family, struct expo *e)
{
    struct credentials_counts *counts = ctx;

    for (struct credentials_count *c = atomic_load(&counts->first); c; c = atomic_load(&c->next))
        if (atomic_load(&c->users) > 0)
            expo_sample_i64(e, family->name, labels_of(c), EXPO_NO_LABELS,
                            (int64_t)atomic_load(&c->begun));
}

static void collect_failed(void *ctx, const struct family *family, struct expo *e)
{
    struct credentials_counts *counts = ctx;

    for (struct credentials_count *c = atomic_load(&counts->first); c; c = atomic_load(&c->next))
        if (atomic_load(&c->users) > 0)
            expo_sample_i64(e, family->name, labels_of(c), EXPO_NO_LABELS,
                            (int64_t)atomic_load(&c->failed));
}

static void collect_expiry(void *ctx, const struct family *family, struct expo *e)
{
    struct credentials_counts *counts = ctx;

    for (struct credentials_count *c = atomic_load(&counts->first); c; c = atomic_load(&c->next)) {
        int64_t expiration_unix_ms = atomic_load(&c->expiration_unix_ms);

        if (atomic_load(&c->users) > 0 && expiration_unix_ms != NO_EXPIRY)
            expo_sample_ms(e, family->name, labels_of(c), EXPO_NO_LABELS, expiration_unix_ms);
    }
}

static const struct {
    struct family family;
    registry_collect_fn *collect;
} families[] = {
    {{"aliyun_flink_credentials_expiry_timestamp_seconds",
      "Unix time at which the temporary credentials in use expire. Absent for static credentials.",
      METRIC_GAUGE, .labels = "credentials," LABEL_PROVIDER},
     collect_expiry},
    {{"aliyun_flink_credentials_refreshes_total", "Credential refreshes begun.", METRIC_COUNTER,
      .labels = "credentials," LABEL_PROVIDER},
     collect_begun},
    {{"aliyun_flink_credentials_refresh_failures_total", "Credential refreshes that failed.",
      METRIC_COUNTER, .labels = "credentials," LABEL_PROVIDER},
     collect_failed},
};

static void count_free(struct credentials_count *c)
{
    pthread_mutex_destroy(&c->mu);
    strbuf_release(&c->labels);
    free(c->name);
    free(c->provider);
    free(c);
}

void credentials_counts_free(struct credentials_counts *counts)
{
    if (!counts)
        return;
    for (struct credentials_count *c = atomic_load(&counts->first), *next; c; c = next) {
        next = atomic_load(&c->next);
        count_free(c);
    }
    pthread_mutex_destroy(&counts->mu);
    free(counts);
}

int credentials_counts_new(struct registry *registry, struct credentials_counts **ret,
                           struct err *err)
{
    struct credentials_counts *counts = calloc(1, sizeof(*counts));

    if (!counts)
        return err_nomem(err, "credentials");
    if (pthread_mutex_init(&counts->mu, NULL) != 0) {
        free(counts);
        return err_nomem(err, "credentials");
    }
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (registry_add(registry, REGISTRY_EXPORTER, &families[i].family, families[i].collect,
                         counts, err) < 0) {
            credentials_counts_free(counts);
            return -1;
        }
    }
    *ret = counts;
    return 0;
}

static struct credentials_count *count_new(const char *name, const char *provider)
{
    struct credentials_count *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    pthread_mutex_init(&c->mu, NULL);
    c->name = strdup(name);
    c->provider = strdup(provider);
    expo_label(&c->labels, "credentials", name);
    strbuf_addc(&c->labels, ',');
    expo_label(&c->labels, "provider", provider);
    atomic_init(&c->expiration_unix_ms, NO_EXPIRY);
    if (!c->name || !c->provider || !strbuf_ok(&c->labels)) {
        count_free(c);
        return NULL;
    }
    return c;
}

struct credentials_count *credentials_count_use(struct credentials_counts *counts, const char *name,
                                                const char *provider)
{
    struct credentials_count *_Atomic *end = &counts->first;
    struct credentials_count *c;

    pthread_mutex_lock(&counts->mu);
    while ((c = atomic_load(end)) &&
           (strcmp(c->name, name) != 0 || strcmp(c->provider, provider) != 0))
        end = &c->next;
    if (!c && (c = count_new(name, provider)))
        atomic_store(end, c); /* whole before it can be seen: scrapes walk the list at any time */
    if (c)
        atomic_fetch_add(&c->users, 1);
    pthread_mutex_unlock(&counts->mu);
    return c;
}

void credentials_count_expiry(struct credentials_count *count, const void *owner,
                              int64_t expiration_unix_ms)
{
    if (!count)
        return;
    pthread_mutex_lock(&count->mu);
    count->owner = owner;
    atomic_store(&count->expiration_unix_ms,
                 expiration_unix_ms < 0 ? NO_EXPIRY : expiration_unix_ms);
    pthread_mutex_unlock(&count->mu);
}

void credentials_count_unuse(struct credentials_count *count, const void *owner)
{
    if (!count)
        return;
    pthread_mutex_lock(&count->mu);
    if (count->owner == owner) {
        count->owner = NULL;
        atomic_store(&count->expiration_unix_ms, NO_EXPIRY);
    }
    pthread_mutex_unlock(&count->mu);
    atomic_fetch_sub(&count->users, 1);
}

void credentials_count_begun(struct credentials_count *count)
{
    if (count)
        atomic_fetch_add_explicit(&count->begun, 1, memory_order_relaxed);
}

void credentials_count_failed(struct credentials_count *count)
{
    if (count)
        atomic_fetch_add_explicit(&count->failed, 1, memory_order_relaxed);
}
