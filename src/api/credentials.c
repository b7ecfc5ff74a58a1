/*
 * The shared half of all providers: reference count, lock, copy of the spec, wiping. Those that
 * look at memory and local files only are asked under the lock; all others sit behind the cache.
 *
 * Secrets live in as few places as can be: in the spec's copy here (static values), in the provider
 * (what it read), and in the copies handed out for one attempt. All are overwritten before their
 * memory goes back, so that neither a core dump nor a later leak of heap memory shows them.
 */
#include "api/credentials.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "credentials_cached.h"
#include "credentials_counts.h"
#include "credentials_source.h"
#include "credentials_spec.h"
#include "endpoint.h"

struct credentials {
    atomic_uint refs;
    struct credentials_spec spec;    /* strings are ours */
    struct credentials *from;        /* a reference; NULL = takes no keys of others */
    struct credentials_count *count; /* NULL = nobody counts */
    struct credentials_http *http;   /* NULL for those without a cache */
    struct credentials_source *source;
    struct credentials_cache *cache; /* NULL = the source is asked, under the lock */
    pthread_mutex_t mu;
};

char *credentials_copy(const char *value, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy) {
        memcpy(copy, value, len);
        copy[len] = '\0';
    }
    return copy;
}

static char *copy_of(const char *text_or_null)
{
    return text_or_null ? credentials_copy(text_or_null, strlen(text_or_null)) : NULL;
}

void credentials_wipe(char *value)
{
    if (!value)
        return;
    explicit_bzero(value, strlen(value));
    free(value);
}

void credentials_wipep(char **value)
{
    credentials_wipe(*value);
}

const char *credentials_text(const char *text_or_null)
{
    return text_or_null && *text_or_null ? text_or_null : NULL;
}

void credentials_grant_release(struct credentials_grant *grant)
{
    credentials_keys_release(&grant->keys);
}

void credentials_keys_release(struct credentials_keys *keys)
{
    credentials_wipe(keys->access_key_id);
    credentials_wipe(keys->access_key_secret);
    credentials_wipe(keys->security_token);
    *keys = (struct credentials_keys){0};
}

size_t credentials_trimmed_len(const char *value, size_t len)
{
    if (len > 0 && value[len - 1] == '\n') {
        len--;
        if (len > 0 && value[len - 1] == '\r')
            len--;
    }
    return len;
}

int credentials_check(const char *value, size_t len, const char *what, struct err *err)
{
    if (len == 0)
        return err_set(err, ERR_AUTHENTICATION, "%s is empty", what);
    if (len > CREDENTIALS_VALUE_MAX)
        return err_set(err, ERR_AUTHENTICATION, "%s is longer than %d bytes", what,
                       CREDENTIALS_VALUE_MAX);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c < 0x20 || c == 0x7f)
            return err_set(err, ERR_AUTHENTICATION, "%s holds a control character", what);
    }
    return 0;
}

int credentials_keys_copy(const char *id, const char *secret, const char *token,
                          struct credentials_keys *ret, struct err *err)
{
    CLEANUP(credentials_keys_release)
    struct credentials_keys keys = {
        .access_key_id = copy_of(id),
        .access_key_secret = copy_of(secret),
        .security_token = copy_of(token),
    };

    if (!keys.access_key_id || !keys.access_key_secret || (token && !keys.security_token))
        return err_nomem(err, "credentials");
    *ret = keys;
    keys = (struct credentials_keys){0};
    return 0;
}

/* --- life --- */

static bool is_local(enum credentials_provider provider)
{
    return provider == CREDENTIALS_STATIC || provider == CREDENTIALS_ENV;
}

static struct credentials_source *source_new(struct credentials *c)
{
    switch (c->spec.provider) {
    case CREDENTIALS_STATIC:
        return credentials_static_new(&c->spec);
    case CREDENTIALS_ENV:
        return credentials_env_new();
    case CREDENTIALS_AUTO:
        return credentials_auto_new(c->http);
    case CREDENTIALS_PROFILE:
        return credentials_profile_new(&c->spec, c->http);
    case CREDENTIALS_ECS_RAM_ROLE:
        return credentials_ecs_new(&c->spec, c->http);
    case CREDENTIALS_OIDC_ROLE_ARN:
        return credentials_oidc_new(&c->spec, c->http);
    case CREDENTIALS_RAM_ROLE_ARN:
        return credentials_role_new(&c->spec, c->http, c->from);
    case CREDENTIALS_URI:
        return credentials_uri_new(&c->spec, c->http);
    case CREDENTIALS_PROVIDER_END:
        break;
    }
    assert(false); /* unknown provider */
    return NULL;
}

static void credentials_free(struct credentials *c)
{
    /* From the top down: the cache ends the fetch that uses all the others. */
    credentials_cache_free(c->cache);
    if (c->source)
        c->source->ops->free(c->source);
    credentials_http_freep(&c->http);
    credentials_count_unuse(c->count, c);
    credentials_unref(c->from);
    credentials_spec_wipe(&c->spec);
    pthread_mutex_destroy(&c->mu);
    free(c);
}

static void credentials_freep(struct credentials **c)
{
    if (*c)
        credentials_free(*c);
}

static int make_count(struct credentials *c, struct api_session *session, struct err *err)
{
    if (!session)
        return 0;
    c->count =
        credentials_count_use(session_credentials_counts(session), c->spec.name ? c->spec.name : "",
                              credentials_provider_name(c->spec.provider));
    return c->count ? 0 : err_nomem(err, "credentials");
}

static int make_cache(struct credentials *c, struct err *err)
{
    const struct credentials_cache_options options = {
        .source = c->source,
        .name = c->spec.name ? c->spec.name : "",
        .provider = credentials_provider_name(c->spec.provider),
        .count = c->count,
        .owner = c,
    };

    c->cache = credentials_cache_new(&options);
    return c->cache ? 0 : err_nomem(err, "credentials");
}

int credentials_new(const struct credentials_spec *spec, struct credentials *source,
                    struct api_session *session, struct credentials **ret, struct err *err)
{
    CLEANUP(credentials_freep) struct credentials *c = calloc(1, sizeof(*c));
    const bool local = is_local(spec->provider);

    assert((source != NULL) == (spec->provider == CREDENTIALS_RAM_ROLE_ARN));
    if (!c)
        return err_nomem(err, "credentials");
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->mu, NULL);
    c->from = source ? credentials_ref(source) : NULL;
    if (credentials_spec_copy(spec, &c->spec) < 0)
        return err_nomem(err, "credentials");
    if (make_count(c, session, err) < 0)
        return -1;
    if (!local &&
        credentials_http_new(session ? session_user_agent(session) : "", &c->http, err) < 0)
        return -1;
    c->source = source_new(c);
    if (!c->source)
        return err_nomem(err, "credentials");
    if (!local && make_cache(c, err) < 0)
        return -1;
    *ret = TAKE(c);
    return 0;
}

struct credentials *credentials_ref(struct credentials *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void credentials_unref(struct credentials *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        credentials_free(c);
}

bool credentials_same(const struct credentials *c, const struct credentials_spec *spec,
                      const struct credentials *source)
{
    return c->from == source && credentials_spec_same(&c->spec, spec);
}

/* --- use --- */

static int get_local(struct credentials *c, struct credentials_keys *ret, struct err *err)
{
    struct credentials_grant grant = CREDENTIALS_GRANT_INIT;

    pthread_mutex_lock(&c->mu);
    int r = c->source->ops->get(c->source, &grant, err);
    pthread_mutex_unlock(&c->mu);
    if (r == 0)
        *ret = grant.keys;
    return r;
}

int credentials_get_unless(struct credentials *c, const _Atomic bool *cancelled,
                           struct credentials_keys *ret, struct err *err)
{
    int r =
        c->cache ? credentials_cache_get(c->cache, cancelled, ret, err) : get_local(c, ret, err);

    return r < 0 ? err_wrap(err, "credentials '%s'", c->spec.name ? c->spec.name : "") : 0;
}

int credentials_get(struct credentials *c, struct credentials_keys *ret, struct err *err)
{
    return credentials_get_unless(c, NULL, ret, err);
}

void credentials_invalidate(struct credentials *c, uint64_t generation)
{
    if (c->cache) {
        credentials_cache_invalidate(c->cache, generation);
        return;
    }
    pthread_mutex_lock(&c->mu);
    if (c->source->ops->invalidate)
        c->source->ops->invalidate(c->source);
    pthread_mutex_unlock(&c->mu);
}

void credentials_stop(struct credentials *c)
{
    if (c->cache)
        credentials_cache_stop(c->cache);
}

void credentials_wake(struct credentials *c)
{
    if (c->cache)
        credentials_cache_wake(c->cache);
}
