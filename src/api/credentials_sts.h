/*
 * The two operations of STS that give keys of a role: AssumeRole, signed with the keys of a caller,
 * and AssumeRoleWithOIDC, which a token pays for.
 */
#ifndef CREDENTIALS_STS_H
#define CREDENTIALS_STS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_http.h"
#include "credentials_source.h"

#define CREDENTIALS_SESSION_NAME "aliyun_flink_exporter"

struct sts {
    struct credentials_http *http; /* borrowed */
    /* What the server's clock is ahead, learnt when it refused our date. */
    int64_t correction_ms;
    bool token_refused; /* the last call failed because of the caller's security token */
};

/* Texts may be NULL or "": then the default counts, or there is none. */
struct sts_role {
    const char *endpoint; /* origin; default: by region */
    const char *region;   /* default: of the environment, or none, which means sts.aliyuncs.com */
    bool vpc;             /* of the region; or the environment says so */
    const char *role_arn; /* needed */
    const char *session_name;
    const char *policy;
    const char *external_id;
    int64_t duration_s; /* 0 = 3600 */
};

int sts_assume_role(struct sts *sts, const struct sts_role *role,
                    const struct credentials_keys *caller, struct credentials_grant *ret,
                    struct err *err) MUST_CHECK;
int sts_assume_role_with_oidc(struct sts *sts, const struct sts_role *role,
                              const char *oidc_provider_arn, const char *token,
                              struct credentials_grant *ret, struct err *err) MUST_CHECK;

/* 2 to 64 of A-Z a-z 0-9 . @ _ - */
bool sts_session_name_valid(const char *name);

#endif
