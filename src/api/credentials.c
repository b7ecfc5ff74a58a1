/*
 * The shared half of all providers: reference count, lock, copy of the spec, wiping.
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

#include "credentials_source.h"

struct credentials {
    atomic_uint refs;
    struct credentials_spec spec; /* strings are ours */
    pthread_mutex_t mu;           /* around every call of the source */
    struct credentials_source *source;
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

/* The fields of a spec that are text, in one place: copied, compared and wiped alike. */
#define SPEC_STRINGS 6
static void spec_strings(const struct credentials_spec *spec, const char *ret[SPEC_STRINGS])
{
    ret[0] = spec->name;
    ret[1] = spec->access_key_id;
    ret[2] = spec->access_key_secret;
    ret[3] = spec->access_key_secret_file;
    ret[4] = spec->security_token;
    ret[5] = spec->security_token_file;
}

static void free_strings(char *copies[SPEC_STRINGS])
{
    for (size_t i = 0; i < SPEC_STRINGS; i++)
        credentials_wipe(copies[i]);
}

static int spec_copy(const struct credentials_spec *spec, struct credentials_spec *ret)
{
    const char *texts[SPEC_STRINGS];
    char *copies[SPEC_STRINGS] = {0};

    spec_strings(spec, texts);
    for (size_t i = 0; i < SPEC_STRINGS; i++) {
        copies[i] = copy_of(texts[i]);
        if (texts[i] && !copies[i]) {
            free_strings(copies);
            return -1;
        }
    }
    *ret = (struct credentials_spec){
        .name = copies[0],
        .provider = spec->provider,
        .access_key_id = copies[1],
        .access_key_secret = copies[2],
        .access_key_secret_file = copies[3],
        .security_token = copies[4],
        .security_token_file = copies[5],
    };
    return 0;
}

static void spec_wipe(struct credentials_spec *spec)
{
    const char *texts[SPEC_STRINGS];
    char *copies[SPEC_STRINGS];

    spec_strings(spec, texts);
    /* The record shows its strings as const; those of our copy are from the heap. */
    memcpy(copies, texts, sizeof(copies));
    free_strings(copies);
    *spec = (struct credentials_spec){0};
}

static struct credentials_source *source_new(const struct credentials_spec *spec)
{
    switch (spec->provider) {
    case CREDENTIALS_STATIC:
        return credentials_static_new(spec);
    case CREDENTIALS_ENV:
        return credentials_env_new();
    }
    assert(false); /* unknown provider */
    return NULL;
}

struct credentials *credentials_new(const struct credentials_spec *spec)
{
    struct credentials *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    if (spec_copy(spec, &c->spec) < 0)
        goto fail;
    c->source = source_new(&c->spec);
    if (!c->source)
        goto fail_spec;
    if (pthread_mutex_init(&c->mu, NULL) != 0)
        goto fail_source;
    atomic_init(&c->refs, 1);
    return c;

fail_source:
    c->source->ops->free(c->source);
fail_spec:
    spec_wipe(&c->spec);
fail:
    free(c);
    return NULL;
}

struct credentials *credentials_ref(struct credentials *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void credentials_unref(struct credentials *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    c->source->ops->free(c->source);
    spec_wipe(&c->spec);
    pthread_mutex_destroy(&c->mu);
    free(c);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool credentials_same(const struct credentials *c, const struct credentials_spec *spec)
{
    const char *ours[SPEC_STRINGS];
    const char *theirs[SPEC_STRINGS];

    if (c->spec.provider != spec->provider)
        return false;
    spec_strings(&c->spec, ours);
    spec_strings(spec, theirs);
    for (size_t i = 0; i < SPEC_STRINGS; i++) {
        if (!same_text(ours[i], theirs[i]))
            return false;
    }
    return true;
}

int credentials_get(struct credentials *c, struct credentials_keys *ret, struct err *err)
{
    pthread_mutex_lock(&c->mu);
    int r = c->source->ops->get(c->source, ret, err);
    pthread_mutex_unlock(&c->mu);
    return r < 0 ? err_wrap(err, "credentials '%s'", c->spec.name ? c->spec.name : "") : 0;
}

void credentials_invalidate(struct credentials *c)
{
    pthread_mutex_lock(&c->mu);
    c->source->ops->invalidate(c->source);
    pthread_mutex_unlock(&c->mu);
}
