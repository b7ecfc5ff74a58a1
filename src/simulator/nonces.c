/*
 * A ring in order of arrival, with hash chains through it. Kept are 128 bits of each nonce's
 * SHA-256: no length to bound, and a collision is no concern.
 */
#include "nonces.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define NOBODY UINT32_MAX

struct entry {
    uint64_t hash[2];
    int64_t at_ms;
    uint32_t next;
    bool used;
};

struct nonces {
    pthread_mutex_t mu;
    int64_t remember_ms;
    size_t capacity;
    size_t at; /* where the next one goes */
    struct entry *ring;
    uint32_t *heads;
};

struct nonces *nonces_new(size_t capacity, int64_t remember_ms)
{
    struct nonces *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->capacity = capacity;
    n->remember_ms = remember_ms;
    n->ring = calloc(capacity, sizeof(n->ring[0]));
    n->heads = malloc(capacity * sizeof(n->heads[0]));
    if (!n->ring || !n->heads || pthread_mutex_init(&n->mu, NULL) != 0) {
        free(n->ring);
        free(n->heads);
        free(n);
        return NULL;
    }
    for (size_t i = 0; i < capacity; i++)
        n->heads[i] = NOBODY;
    return n;
}

void nonces_free(struct nonces *n)
{
    if (!n)
        return;
    pthread_mutex_destroy(&n->mu);
    free(n->ring);
    free(n->heads);
    free(n);
}

static void forget(struct nonces *n, size_t index)
{
    struct entry *e = &n->ring[index];
    if (!e->used)
        return;
    uint32_t *link = &n->heads[e->hash[0] % n->capacity];
    while (*link != index)
        link = &n->ring[*link].next;
    *link = e->next;
    e->used = false;
}

bool nonces_use(struct nonces *n, const char *nonce, int64_t now_ms)
{
    unsigned char digest[32] = {0};
    unsigned int len = 0;
    if (EVP_Digest(nonce, strlen(nonce), digest, &len, EVP_sha256(), NULL) != 1)
        return false;
    uint64_t hash[2];
    memcpy(hash, digest, sizeof(hash));

    pthread_mutex_lock(&n->mu);
    bool fresh = true;
    uint32_t *head = &n->heads[hash[0] % n->capacity];
    for (uint32_t i = *head; i != NOBODY; i = n->ring[i].next) {
        const struct entry *e = &n->ring[i];
        if (e->hash[0] == hash[0] && e->hash[1] == hash[1] && now_ms - e->at_ms < n->remember_ms)
            fresh = false;
    }
    if (fresh) {
        forget(n, n->at);
        n->ring[n->at] = (struct entry){
            .hash = {hash[0], hash[1]}, .at_ms = now_ms, .next = *head, .used = true};
        *head = (uint32_t)n->at;
        n->at = (n->at + 1) % n->capacity;
    }
    pthread_mutex_unlock(&n->mu);
    return fresh;
}
