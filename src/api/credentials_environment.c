/*
 * The kernel shows a process's environment as it was at exec in /proc/PID/environ, for as long as
 * the process lives. unsetenv() only takes the pointer out of the list, the bytes stay readable.
 * So secrets are copied, then overwritten where they stand, and only then the variables removed.
 * The others stay where they are; they are copied because getenv() is no function for threads.
 */
#include "credentials_environment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "credentials_source.h"

static struct variable {
    const char *name;
    bool secret;
    char *value; /* NULL = was not set */
    bool no_memory;
} variables[CREDENTIALS_VAR_END] = {
    [CREDENTIALS_VAR_ACCESS_KEY_ID] = {.name = "ALIBABA_CLOUD_ACCESS_KEY_ID", .secret = true},
    [CREDENTIALS_VAR_ACCESS_KEY_SECRET] = {.name = "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
                                           .secret = true},
    [CREDENTIALS_VAR_SECURITY_TOKEN] = {.name = "ALIBABA_CLOUD_SECURITY_TOKEN", .secret = true},
    [CREDENTIALS_VAR_URI] = {.name = "ALIBABA_CLOUD_CREDENTIALS_URI", .secret = true},
    [CREDENTIALS_VAR_ROLE_ARN] = {.name = "ALIBABA_CLOUD_ROLE_ARN"},
    [CREDENTIALS_VAR_OIDC_PROVIDER_ARN] = {.name = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"},
    [CREDENTIALS_VAR_OIDC_TOKEN_FILE] = {.name = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"},
    [CREDENTIALS_VAR_ROLE_SESSION_NAME] = {.name = "ALIBABA_CLOUD_ROLE_SESSION_NAME"},
    [CREDENTIALS_VAR_CLI_PROFILE_DISABLED] = {.name = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"},
    [CREDENTIALS_VAR_PROFILE] = {.name = "ALIBABA_CLOUD_PROFILE"},
    [CREDENTIALS_VAR_FILE] = {.name = "ALIBABA_CLOUD_CREDENTIALS_FILE"},
    [CREDENTIALS_VAR_ECS_ROLE] = {.name = "ALIBABA_CLOUD_ECS_METADATA"},
    [CREDENTIALS_VAR_ECS_DISABLED] = {.name = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"},
    [CREDENTIALS_VAR_IMDSV1_DISABLED] = {.name = "ALIBABA_CLOUD_IMDSV1_DISABLED"},
    [CREDENTIALS_VAR_STS_REGION] = {.name = "ALIBABA_CLOUD_STS_REGION"},
    [CREDENTIALS_VAR_VPC] = {.name = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"},
    [CREDENTIALS_VAR_HOME] = {.name = "HOME"},
};

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
            if (v->secret)
                explicit_bzero(value, strlen(value));
        }
        if (v->secret)
            unsetenv(v->name);
    }
}

const char *credentials_variable_name(enum credentials_variable variable)
{
    return variables[variable].name;
}

const char *credentials_variable(enum credentials_variable variable)
{
    return credentials_text(variables[variable].value);
}

bool credentials_variable_is_true(enum credentials_variable variable)
{
    const char *value = variables[variable].value;

    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

int credentials_variable_get(enum credentials_variable variable, const char **ret, struct err *err)
{
    const struct variable *v = &variables[variable];
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
