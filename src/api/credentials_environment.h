/*
 * The variables of the vendor's SDKs, as they were when the program started. Any thread: written
 * once by credentials_environment_take() before there are any, then only read.
 */
#ifndef CREDENTIALS_ENVIRONMENT_H
#define CREDENTIALS_ENVIRONMENT_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

enum credentials_variable {
    CREDENTIALS_VAR_ACCESS_KEY_ID,
    CREDENTIALS_VAR_ACCESS_KEY_SECRET,
    CREDENTIALS_VAR_SECURITY_TOKEN,
    CREDENTIALS_VAR_URI, /* may hold a secret in its query */
    CREDENTIALS_VAR_ROLE_ARN,
    CREDENTIALS_VAR_OIDC_PROVIDER_ARN,
    CREDENTIALS_VAR_OIDC_TOKEN_FILE,
    CREDENTIALS_VAR_ROLE_SESSION_NAME,
    CREDENTIALS_VAR_CLI_PROFILE_DISABLED,
    CREDENTIALS_VAR_PROFILE,
    CREDENTIALS_VAR_FILE,
    CREDENTIALS_VAR_ECS_ROLE,
    CREDENTIALS_VAR_ECS_DISABLED,
    CREDENTIALS_VAR_IMDSV1_DISABLED,
    CREDENTIALS_VAR_STS_REGION,
    CREDENTIALS_VAR_VPC,
    CREDENTIALS_VAR_HOME,
    CREDENTIALS_VAR_END,
};

/* "ALIBABA_CLOUD_ROLE_ARN"; static. */
const char *credentials_variable_name(enum credentials_variable variable);

/* The value, NULL if it was not set or empty. */
const char *credentials_variable(enum credentials_variable variable);

/* True for "true", in any case, and "1". */
bool credentials_variable_is_true(enum credentials_variable variable);

/* The value of one that is needed: ERR_AUTHENTICATION says that it is not set, or is no good. */
int credentials_variable_get(enum credentials_variable variable, const char **ret,
                             struct err *err) MUST_CHECK;

#endif
