/*
 * The inside of a credentials provider, for those who write one: static, env, and decorators that
 * hold what another source fetched. (enum credentials_provider names them.)
 *
 * A provider embeds struct credentials_source as its first member. credentials.c serialises all
 * calls to it, so that it needs no lock and a slow fetch is done once for all who wait.
 */
#ifndef CREDENTIALS_SOURCE_H
#define CREDENTIALS_SOURCE_H

#include <stddef.h>

#include "api/credentials.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "model/target.h"

struct credentials_source;

struct credentials_source_ops {
    /* Fills *ret with copies. On failure *ret is untouched and err names the source, no value. */
    int (*get)(struct credentials_source *source, struct credentials_keys *ret, struct err *err);
    /* What is held is refused: get anew next time. */
    void (*invalidate)(struct credentials_source *source);
    /* Wipes and frees the source. */
    void (*free)(struct credentials_source *source);
};

struct credentials_source {
    const struct credentials_source_ops *ops;
};

/* Borrows spec, which outlives the source. NULL when memory is out. */
struct credentials_source *credentials_static_new(const struct credentials_spec *spec);
/* Hands out what credentials_environment_take() took. */
struct credentials_source *credentials_env_new(void);

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

#endif
