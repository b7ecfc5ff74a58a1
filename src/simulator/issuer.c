#include "issuer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

struct metadata_token {
    char text[ISSUER_TEXT_LEN];
    int64_t expires_unix_ms;
};

/* Both tables are rings: number n is in place n % ISSUER_MAX_KEYS. */
struct issuer {
    pthread_mutex_t mu;
    struct rng rng;
    uint64_t n_keys;
    uint64_t n_tokens;
    char *oidc_token; /* NULL = any */
    struct issued_key keys[ISSUER_MAX_KEYS];
    struct metadata_token tokens[ISSUER_MAX_KEYS];
};

struct issuer *issuer_new(uint64_t seed)
{
    struct issuer *i = calloc(1, sizeof(*i));
    if (!i || pthread_mutex_init(&i->mu, NULL) != 0) {
        free(i);
        return NULL;
    }
    i->rng.state = seed;
    return i;
}

void issuer_free(struct issuer *i)
{
    if (!i)
        return;
    pthread_mutex_destroy(&i->mu);
    free(i->oidc_token);
    free(i);
}

static void random_text(struct issuer *i, const char *prefix, size_t len, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t at = strlen(prefix);
    memcpy(out, prefix, at);
    for (; at < len; at++)
        out[at] = alphabet[rng_below(&i->rng, sizeof(alphabet) - 1)];
    out[len] = '\0';
}

void issuer_issue(struct issuer *i, int64_t expires_unix_ms, struct issued_key *ret)
{
    pthread_mutex_lock(&i->mu);
    struct issued_key *k = &i->keys[i->n_keys++ % ISSUER_MAX_KEYS];
    random_text(i, "STS.", 30, k->id);
    random_text(i, "", 44, k->secret);
    random_text(i, "CAIS", 60, k->token);
    k->expires_unix_ms = expires_unix_ms;
    *ret = *k;
    pthread_mutex_unlock(&i->mu);
}

bool issuer_find(struct issuer *i, const char *key_id, struct issued_key *ret)
{
    bool found = false;
    pthread_mutex_lock(&i->mu);
    size_t n = i->n_keys < ISSUER_MAX_KEYS ? (size_t)i->n_keys : ISSUER_MAX_KEYS;
    for (size_t k = 0; k < n && !found; k++) {
        found = strcmp(i->keys[k].id, key_id) == 0;
        if (found)
            *ret = i->keys[k];
    }
    pthread_mutex_unlock(&i->mu);
    return found;
}

void issuer_expire_all(struct issuer *i)
{
    pthread_mutex_lock(&i->mu);
    for (size_t k = 0; k < ISSUER_MAX_KEYS; k++)
        i->keys[k].expires_unix_ms = 0;
    pthread_mutex_unlock(&i->mu);
}

uint64_t issuer_count(struct issuer *i)
{
    pthread_mutex_lock(&i->mu);
    uint64_t n = i->n_keys;
    pthread_mutex_unlock(&i->mu);
    return n;
}

void issuer_metadata_token(struct issuer *i, int64_t expires_unix_ms, char out[ISSUER_TEXT_LEN])
{
    pthread_mutex_lock(&i->mu);
    struct metadata_token *t = &i->tokens[i->n_tokens++ % ISSUER_MAX_KEYS];
    random_text(i, "AgAAA", 54, t->text);
    snprintf(t->text + 54, sizeof(t->text) - 54, "==");
    t->expires_unix_ms = expires_unix_ms;
    memcpy(out, t->text, sizeof(t->text));
    pthread_mutex_unlock(&i->mu);
}

bool issuer_metadata_token_good(struct issuer *i, const char *token, int64_t now_unix_ms)
{
    bool good = false;
    pthread_mutex_lock(&i->mu);
    size_t n = i->n_tokens < ISSUER_MAX_KEYS ? (size_t)i->n_tokens : ISSUER_MAX_KEYS;
    for (size_t k = 0; k < n && !good; k++)
        good = strcmp(i->tokens[k].text, token) == 0 && now_unix_ms < i->tokens[k].expires_unix_ms;
    pthread_mutex_unlock(&i->mu);
    return good;
}

int issuer_set_oidc_token(struct issuer *i, const char *token, struct err *err)
{
    char *copy = *token ? strdup(token) : NULL;
    if (*token && !copy)
        return err_nomem(err, "OIDC token");
    pthread_mutex_lock(&i->mu);
    char *old = i->oidc_token;
    i->oidc_token = copy;
    pthread_mutex_unlock(&i->mu);
    free(old);
    return 0;
}

bool issuer_oidc_token_good(struct issuer *i, const char *token)
{
    pthread_mutex_lock(&i->mu);
    bool good = !i->oidc_token || strcmp(i->oidc_token, token) == 0;
    pthread_mutex_unlock(&i->mu);
    return good;
}
