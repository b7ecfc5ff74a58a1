/*
 * Credentials from the environment, with the vendor's variable names.
 *
 * The kernel shows a process's environment as it was at exec in /proc/PID/environ, for as long as
 * the process lives. unsetenv() only takes the pointer out of the list, the bytes stay readable.
 * So the values are copied, then overwritten where they stand, and only then the variables removed.
 */
#include "credentials_source.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Written once by credentials_environment_take() before threads exist, then only read. */
static struct variable {
    const char *name;
    char *value; /* NULL = was not set */
    bool no_memory;
} variables[] = {
    {"ALIBABA_CLOUD_ACCESS_KEY_ID", NULL, false},
    {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", NULL, false},
    {"ALIBABA_CLOUD_SECURITY_TOKEN", NULL, false},
};
enum { ACCESS_KEY_ID, ACCESS_KEY_SECRET, SECURITY_TOKEN };

static void variable_keep(struct variable *v, const char *value)
{
    credentials_wipe(v->value);
    v->value = credentials_copy(value, credentials_trimmed_len(value, strlen(value)));
    v->no_memory = !v->value;
}

void credentials_environment_take(void)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        struct variable *v = &variables[i];
        size_t name_len = strlen(v->name);
        bool first = true;

        /* All entries of the name: exec accepts doubles, getenv and unsetenv know the first. */
        for (char **entry = environ; entry && *entry; entry++) {
            if (strncmp(*entry, v->name, name_len) != 0 || (*entry)[name_len] != '=')
                continue;
            char *value = *entry + name_len + 1;
            if (first)
                variable_keep(v, value);
            first = false;
            explicit_bzero(value, strlen(value));
        }
        unsetenv(v->name);
    }
}

static int variable_get(const struct variable *v, const char **ret, struct err *err)
{
    char what[64] = "environment variable ";

    if (v->no_memory)
        return err_nomem(err, v->name);
    if (!v->value)
        return err_set(err, ERR_AUTHENTICATION, "environment variable %s is not set", v->name);
    memcpy(what + strlen(what), v->name, strlen(v->name) + 1);
    if (credentials_check(v->value, strlen(v->value), what, err) < 0)
        return -1;
    *ret = v->value;
    return 0;
}

static int env_get(struct credentials_source *source, struct credentials_keys *ret, struct err *err)
{
    const struct variable *token_variable = &variables[SECURITY_TOKEN];
    const char *id;
    const char *secret;
    const char *token = NULL;

    (void)source;
    if (variable_get(&variables[ACCESS_KEY_ID], &id, err) < 0 ||
        variable_get(&variables[ACCESS_KEY_SECRET], &secret, err) < 0)
        return -1;
    /* Deployments that switch between long-term and temporary keys leave it empty. */
    if (token_variable->no_memory || (token_variable->value && *token_variable->value)) {
        if (variable_get(token_variable, &token, err) < 0)
            return -1;
    }
    return credentials_keys_copy(id, secret, token, ret, err);
}

/* The environment of a running process does not change: there is nothing to read again. */
static void env_invalidate(struct credentials_source *source)
{
    (void)source;
}

static void env_free(struct credentials_source *source)
{
    free(source);
}

struct credentials_source *credentials_env_new(void)
{
    static const struct credentials_source_ops ops = {
        .get = env_get,
        .invalidate = env_invalidate,
        .free = env_free,
    };
    struct credentials_source *source = malloc(sizeof(*source));

    if (source)
        source->ops = &ops;
    return source;
}
