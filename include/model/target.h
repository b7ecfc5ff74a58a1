/*
 * A configured target: one workspace, what to read of it, and how. Plain frozen records.
 *
 * Built by conf with every default applied, owned by the struct conf they came with: who keeps a
 * pointer keeps a reference to that conf.
 */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/glob.h"

/* What is read of a namespace. */
enum collector {
    COLLECTOR_DEPLOYMENTS,
    COLLECTOR_DRAFTS,
    COLLECTOR_TICKETS,
    COLLECTOR_JOBS,
    COLLECTOR_END,
};

/* "deployments", "drafts", ...; static. */
const char *collector_name(enum collector collector);

enum credentials_provider {
    CREDENTIALS_STATIC,
    CREDENTIALS_ENV,
    CREDENTIALS_AUTO,
    CREDENTIALS_PROFILE,
    CREDENTIALS_ECS_RAM_ROLE,
    CREDENTIALS_OIDC_ROLE_ARN,
    CREDENTIALS_RAM_ROLE_ARN,
    CREDENTIALS_URI,
    CREDENTIALS_PROVIDER_END,
};
/* "static", "env", ...: as in the configuration and in metrics; static. */
const char *credentials_provider_name(enum credentials_provider provider);

/*
 * How to get an AccessKey. Secrets are read when they are needed, not when the file is. NULL = not
 * given, which means the default of the provider's own (api/credentials.h); "" says the same.
 */
struct credentials_spec {
    const char *name;
    enum credentials_provider provider;
    const char *access_key_id;          /* static */
    const char *access_key_secret;      /* static; NULL where the file is given */
    const char *access_key_secret_file; /* static; NULL where the value is given */
    const char *security_token;         /* static, optional: NULL = none */
    const char *security_token_file;    /* static, optional: NULL = none */
    const char *file;                   /* profile */
    const char *profile;                /* profile */
    const char *role_name;              /* ecs_ram_role */
    const char *endpoint;               /* ecs_ram_role: origin of the metadata service */
    const char *role_arn;               /* oidc_role_arn, ram_role_arn */
    const char *role_session_name;      /* oidc_role_arn, ram_role_arn */
    const char *sts_endpoint;           /* oidc_role_arn, ram_role_arn: origin */
    const char *oidc_provider_arn;      /* oidc_role_arn */
    const char *oidc_token_file;        /* oidc_role_arn */
    const char *source;                 /* ram_role_arn: the name of others; no loops */
    const char *uri;                    /* credentials_uri */
};

/* Server-side filters of ListDeployments; "" = not set. */
struct target_select {
    const char *name; /* substring */
    const char *execution_mode;
    const char *status;
    const char *creator;
    const char *modifier;
    const char *label_key;
    const char *const *label_values;
    size_t n_label_values;
};

/* "" = not set. */
struct target_tls {
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
    const char *server_name;
    bool insecure_skip_verify;
};

/* "namespace/ticketId" of the configuration. */
struct target_ticket {
    const char *namespace_name;
    const char *id;
};

struct target {
    const char *name;
    const char *region_id; /* "" where only an endpoint is given */
    const char
        *endpoint;    /* origin: "https://ververica.cn-hangzhou.aliyuncs.com", no trailing slash */
    const char *host; /* its host[:port], as in the Host header and the endpoint label */
    const char *workspace;
    const char *const *namespaces;
    size_t n_namespaces;
    const struct credentials_spec *credentials;
    unsigned collectors; /* bit set of 1u << enum collector */
    struct target_select select;

    const char *const *deployment_names; /* not empty: these instead of a listing; no name twice */
    size_t n_deployment_names;

    /* Deploy tickets to follow. */
    const struct target_ticket *tickets;
    size_t n_tickets;
    const char *ticket_dir; /* spool, "" = none */
    int64_t ticket_ttl_ms;  /* how long an ended one stays */
    int64_t max_tickets;    /* of a namespace */

    struct target_tls tls;
    const char *proxy_url; /* "" = the environment's, "none" = no proxy */

    int64_t interval_ms;
    int64_t timeout_ms;  /* one HTTP request */
    int64_t deadline_ms; /* one whole refresh */
    int64_t max_staleness_ms;
    int64_t max_backoff_ms;
    int64_t max_body_size; /* bytes of one reply after decompression */
    int64_t max_deployments;
    int64_t max_job_requests; /* calls of ListJobs in one refresh */
    int concurrency;
    int page_size;
    int max_retries;

    struct glob_list deployment_labels; /* allowlist for aliyun_flink_deployment_labels */

    double requests_per_second; /* token bucket per endpoint and credentials */
    int burst;
};

#endif
