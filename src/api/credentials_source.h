/*
 * The inside of a credentials provider, for those who write one. (enum credentials_provider names
 * them.)
 *
 * A provider embeds struct credentials_source as its first member. All calls to it but stop come
 * one at a time: from credentials.c under its lock for providers that only look at memory and local
 * files (static, env), from the cache's fetching thread for all others. So a provider needs no lock
 * and may block.
 */
#ifndef CREDENTIALS_SOURCE_H
#define CREDENTIALS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/credentials.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_http.h"
#include "model/target.h"

/* What a provider hands out. */
struct credentials_grant {
    struct credentials_keys keys;
    int64_t expiration_unix_ms; /* -1 = the keys do not say: look again now and then */
    int64_t server_unix_ms;     /* the clock of the server that granted them; -1 = unknown */
};
#define CREDENTIALS_GRANT_INIT \
    ((struct credentials_grant){.expiration_unix_ms = -1, .server_unix_ms = -1})
/* Wipes the keys. CLEANUP(credentials_grant_release). */
void credentials_grant_release(struct credentials_grant *grant);

struct credentials_source;

struct credentials_source_ops {
    /*
     * Fills *ret, which is CREDENTIALS_GRANT_INIT. On failure *ret is untouched and err names what
     * is missing, no value. ERR_STOPPED: stop was called.
     */
    int (*get)(struct credentials_source *source, struct credentials_grant *ret, struct err *err);
    /* What is held is refused: get anew next time. NULL = nothing is held. */
    void (*invalidate)(struct credentials_source *source);
    /* A get has failed, and no keys are left that are good. NULL = nothing follows from it. */
    void (*exhausted)(struct credentials_source *source);
    /* Any thread, at any time, any number of times: a get under way ends now. NULL = never blocks.
     */
    void (*stop)(struct credentials_source *source);
    /* Wipes and frees the source. */
    void (*free)(struct credentials_source *source);
};

struct credentials_source {
    const struct credentials_source_ops *ops;
};

/* All of them borrow spec, which outlives the source. NULL when memory is out. */
struct credentials_source *credentials_static_new(const struct credentials_spec *spec);
/* Hands out what credentials_environment_take() took. */
struct credentials_source *credentials_env_new(void);
/* These borrow http, too. */
struct credentials_source *credentials_ecs_new(const struct credentials_spec *spec,
                                               struct credentials_http *http);
struct credentials_source *credentials_oidc_new(const struct credentials_spec *spec,
                                                struct credentials_http *http);
struct credentials_source *credentials_uri_new(const struct credentials_spec *spec,
                                               struct credentials_http *http);
struct credentials_source *credentials_profile_new(const struct credentials_spec *spec,
                                                   struct credentials_http *http);
struct credentials_source *credentials_auto_new(struct credentials_http *http);
/* from is whose keys ask for the role's; borrowed. */
struct credentials_source *credentials_role_new(const struct credentials_spec *spec,
                                                struct credentials_http *http,
                                                struct credentials *from);

/* Longest secret, token or id, in bytes: real ones have 30 to 2000. */
#define CREDENTIALS_VALUE_MAX 4096

/* len without one newline (\n or \r\n) at the end: what editors, echo and Secret objects add. */
size_t credentials_trimmed_len(const char *value, size_t len);

/* ERR_AUTHENTICATION "WHAT is empty" and the like unless the value can stand in a header. */
int credentials_check(const char *value, size_t len, const char *what, struct err *err) MUST_CHECK;

/* Copies into *ret; token may be NULL. ERR_NOMEM leaves *ret untouched. */
int credentials_keys_copy(const char *id, const char *secret, const char *token,
                          struct credentials_keys *ret, struct err *err) MUST_CHECK;

/* A copy with a NUL behind; NULL when memory is out. */
char *credentials_copy(const char *value, size_t len);
/* Overwrites a string and frees it; NULL is fine. */
void credentials_wipe(char *value);
/* CLEANUP(credentials_wipep). */
void credentials_wipep(char **value);

/* "" and NULL are the same to a spec: NULL for both. */
const char *credentials_text(const char *text_or_null);

/*
 * As credentials_get, but ERR_STOPPED as soon as *cancelled is set and credentials_wake called: for
 * a provider that waits for another one.
 */
int credentials_get_unless(struct credentials *c, const _Atomic bool *cancelled,
                           struct credentials_keys *ret, struct err *err) MUST_CHECK;
void credentials_wake(struct credentials *c);

#endif
