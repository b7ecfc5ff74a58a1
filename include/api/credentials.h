/*
 * Credentials: who signs. A provider is shared by all targets that name it.
 *
 * Reference-counted and thread-safe: workers call credentials_get for every attempt. What a
 * provider hands out is a copy that the caller wipes with credentials_keys_release.
 */
#ifndef API_CREDENTIALS_H
#define API_CREDENTIALS_H

#include "base/cleanup.h"
#include "base/err.h"
#include "model/target.h"

struct credentials_keys {
    char *access_key_id;
    char *access_key_secret;
    char *security_token; /* NULL = none */
};

/* Wipes and frees the strings. CLEANUP(credentials_keys_release). */
void credentials_keys_release(struct credentials_keys *keys);

struct credentials;

/*
 * Copies the spec. Reads nothing yet but the environment: provider env takes its variables from
 * credentials_environment_take(). NULL when memory is out.
 */
struct credentials *credentials_new(const struct credentials_spec *spec);
struct credentials *credentials_ref(struct credentials *c);
void credentials_unref(struct credentials *c);

/* True if the spec is the one c was made of, so that a reload may keep c and what it holds. */
bool credentials_same(const struct credentials *c, const struct credentials_spec *spec);

/*
 * The keys to sign the next attempt with. ERR_AUTHENTICATION names what is missing (the variable,
 * the file, why it cannot be read), never a value. May read files, each when it is first needed and
 * whenever it has changed; never blocks on the network for static and env. A file is a regular one
 * of up to 4 KiB, holds the value alone (a newline at its end is left out) and is not readable by
 * everyone, unless it is below $CREDENTIALS_DIRECTORY.
 */
int credentials_get(struct credentials *c, struct credentials_keys *ret,
                    struct err *err) MUST_CHECK;

/*
 * The control plane refused the token (InvalidSecurityToken.*): the next credentials_get reads or
 * fetches anew. Files are read again.
 */
void credentials_invalidate(struct credentials *c);

/*
 * Takes ALIBABA_CLOUD_ACCESS_KEY_ID, _SECRET and ALIBABA_CLOUD_SECURITY_TOKEN out of the process's
 * environment into memory of this module, and overwrites them in place so that /proc/PID/environ
 * shows them no longer. Providers hand them out until the process ends. Call once, first thing in
 * main, before threads exist.
 */
void credentials_environment_take(void);

#endif
