/*
 * Credentials: who signs. A provider is shared by all targets that name it.
 *
 * Reference-counted and thread-safe: workers call credentials_get for every attempt. What a
 * provider hands out is a copy that the caller wipes with credentials_keys_release.
 */
#ifndef API_CREDENTIALS_H
#define API_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "model/target.h"

struct api_session;

struct credentials_keys {
    char *access_key_id;
    char *access_key_secret;
    char *security_token; /* NULL = none */
    uint64_t generation;  /* of keys that were fetched, see credentials_invalidate */
};

/* Wipes and frees the strings. CLEANUP(credentials_keys_release). */
void credentials_keys_release(struct credentials_keys *keys);

struct credentials;

/*
 * Copies the spec. Reads nothing yet but the environment, as credentials_environment_take() found
 * it. source: those that spec->source names, NULL for providers that have none; referenced. session
 * (borrowed for the life of the credentials) counts refreshes; NULL = nobody does.
 */
int credentials_new(const struct credentials_spec *spec, struct credentials *source,
                    struct api_session *session, struct credentials **ret,
                    struct err *err) MUST_CHECK;
struct credentials *credentials_ref(struct credentials *c);
/* The last one ends a fetch under way. */
void credentials_unref(struct credentials *c);

/* True if c was made of such a spec and source, so that a reload may keep c and what it holds. */
bool credentials_same(const struct credentials *c, const struct credentials_spec *spec,
                      const struct credentials *source);

/*
 * The keys to sign the next attempt with. ERR_AUTHENTICATION names what is missing (the variable,
 * the file, why it cannot be read), never a value.
 *
 * static, env: may read files, each when it is first needed and whenever it has changed; never the
 * network. A file is a regular one of up to 4 KiB, holds the value alone (a newline at its end is
 * left out) and is not readable by everyone, unless it is below $CREDENTIALS_DIRECTORY.
 *
 * All others fetch on a thread of their own, in time before the keys expire. Whoever asks waits
 * only when there are no good keys, for half a minute at most. ERR_STOPPED after credentials_stop.
 */
int credentials_get(struct credentials *c, struct credentials_keys *ret,
                    struct err *err) MUST_CHECK;

/*
 * The control plane refused the token (InvalidSecurityToken.*) of keys of that generation: the next
 * credentials_get reads or fetches anew, as soon as the back-off between attempts allows. Nothing
 * happens where newer keys are there already. Files are read again.
 */
void credentials_invalidate(struct credentials *c, uint64_t generation);

/*
 * Any thread, at any time, more than once: a fetch under way ends within milliseconds, and from now
 * on credentials_get fails with ERR_STOPPED, for all but static and env.
 */
void credentials_stop(struct credentials *c);

/*
 * What a configuration's list of credentials comes to: an item for each spec that is used, NULL for
 * the others.
 */
struct credentials_pool {
    struct credentials **items; /* references */
    size_t n_items;
};

/*
 * used tells the specs that targets name; those that they take as a source come with them. Items of
 * old (may be NULL) are kept where credentials_same. Sources exist and make no loop: the
 * configuration was checked. On failure *ret is untouched.
 */
int credentials_pool_make(const struct credentials_spec *specs, size_t n_specs, const bool *used,
                          const struct credentials_pool *old, struct api_session *session,
                          struct credentials_pool *ret, struct err *err) MUST_CHECK;
void credentials_pool_release(struct credentials_pool *pool);

/* Stops those that are not among kept, which may be NULL. */
void credentials_pool_stop(const struct credentials_pool *pool,
                           const struct credentials_pool *kept);

/*
 * Takes the variables of the vendor's SDKs (ALIBABA_CLOUD_*) and HOME out of the process's
 * environment into memory of this module, and overwrites those that hold secrets in place so that
 * /proc/PID/environ shows them no longer. Call once, first thing in main, before threads exist.
 */
void credentials_environment_take(void);

#endif
