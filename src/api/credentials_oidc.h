/* Keys of a role for an OIDC token: RRSA on ACK. Shared by the provider and by profiles. */
#ifndef CREDENTIALS_OIDC_H
#define CREDENTIALS_OIDC_H

#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_sts.h"

/*
 * Reads the token and asks STS. What is NULL or "" comes from the three ALIBABA_CLOUD_* variables;
 * role->role_arn too.
 */
int oidc_fetch(struct sts *sts, const struct sts_role *role, const char *oidc_provider_arn,
               const char *oidc_token_file, struct credentials_grant *ret,
               struct err *err) MUST_CHECK;

#endif
