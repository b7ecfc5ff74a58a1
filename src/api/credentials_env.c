/* Credentials from the environment, with the vendor's variable names. */
#include "credentials_source.h"

#include <stdlib.h>

#include "credentials_environment.h"

static int env_get(struct credentials_source *source, struct credentials_grant *ret,
                   struct err *err)
{
    const char *id;
    const char *secret;
    const char *token = NULL;
    struct err no_token = {0};

    (void)source;
    if (credentials_variable_get(CREDENTIALS_VAR_ACCESS_KEY_ID, &id, err) < 0 ||
        credentials_variable_get(CREDENTIALS_VAR_ACCESS_KEY_SECRET, &secret, err) < 0)
        return -1;
    /* Deployments that switch between long-term and temporary keys leave it empty. */
    if (credentials_variable_get(CREDENTIALS_VAR_SECURITY_TOKEN, &token, &no_token) < 0 &&
        (credentials_variable(CREDENTIALS_VAR_SECURITY_TOKEN) || no_token.kind == ERR_NOMEM)) {
        *err = no_token;
        return -1;
    }
    return credentials_keys_copy(id, secret, token, &ret->keys, err);
}

static void env_free(struct credentials_source *source)
{
    free(source);
}

/* The environment of a running process does not change: there is nothing to read again. */
struct credentials_source *credentials_env_new(void)
{
    static const struct credentials_source_ops ops = {
        .get = env_get,
        .free = env_free,
    };
    struct credentials_source *source = malloc(sizeof(*source));

    if (source)
        source->ops = &ops;
    return source;
}
