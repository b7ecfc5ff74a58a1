#include "throttle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BUCKETS 64

struct bucket {
    char key[384];
    double tokens;
    double per_second;
    int64_t at_us;
};

struct throttle {
    pthread_mutex_t mu;
    struct bucket buckets[MAX_BUCKETS];
    size_t n;
};

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof(*t));
    if (t && pthread_mutex_init(&t->mu, NULL) != 0) {
        free(t);
        return NULL;
    }
    return t;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->mu);
    free(t);
}

/* Operations and accounts are few; should they not be, the last bucket serves for the rest. */
static struct bucket *bucket_of(struct throttle *t, const char *operation, const char *account)
{
    char key[sizeof(t->buckets[0].key)];
    snprintf(key, sizeof(key), "%.100s %.200s", operation, account);
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->buckets[i].key, key) == 0)
            return &t->buckets[i];
    }
    if (t->n == MAX_BUCKETS)
        return &t->buckets[MAX_BUCKETS - 1];
    struct bucket *b = &t->buckets[t->n++];
    memcpy(b->key, key, sizeof(key));
    return b;
}

bool throttle_admit(struct throttle *t, const char *operation, const char *account,
                    double per_second, int64_t now_us, int64_t *ret_wait_ms)
{
    if (per_second <= 0)
        return true;
    double depth = per_second < 1 ? 1 : per_second;
    pthread_mutex_lock(&t->mu);
    struct bucket *b = bucket_of(t, operation, account);
    if (b->per_second < per_second || b->per_second > per_second) {
        b->tokens = depth; /* new, or another limit from now on */
        b->per_second = per_second;
        b->at_us = now_us;
    }
    b->tokens += (double)(now_us - b->at_us) * per_second / 1e6;
    b->at_us = now_us;
    if (b->tokens > depth)
        b->tokens = depth;
    bool admitted = b->tokens >= 1;
    if (admitted)
        b->tokens -= 1;
    else
        *ret_wait_ms = (int64_t)((1 - b->tokens) * 1000 / per_second) + 1;
    pthread_mutex_unlock(&t->mu);
    return admitted;
}
