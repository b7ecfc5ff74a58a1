#include "schema.h"

#include "block.h"

#define TARGET(field)      offsetof(struct target_block, field)
#define CREDENTIALS(field) offsetof(struct credentials_block, field)
#define METRICS(field)     offsetof(struct metrics_block, field)
#define STATE(field)       offsetof(struct state_block, field)

static const struct choice networks[] = {
    [NETWORK_PUBLIC] = {"public"},
    [NETWORK_VPC] = {"vpc"},
    {NULL},
};

static const struct choice collectors[] = {
    [COLLECTOR_DEPLOYMENTS] = {"deployments"},
    [COLLECTOR_DRAFTS] = {"drafts"},
    [COLLECTOR_TICKETS] = {"tickets"},
    [COLLECTOR_JOBS] = {"jobs"},
    [COLLECTOR_END] = {NULL},
};

static const struct choice providers[] = {
    [CREDENTIALS_STATIC] = {"static"},
    [CREDENTIALS_ENV] = {"env"},
    [CREDENTIALS_AUTO] = {"auto"},
    [CREDENTIALS_PROFILE] = {"profile"},
    [CREDENTIALS_ECS_RAM_ROLE] = {"ecs_ram_role"},
    [CREDENTIALS_OIDC_ROLE_ARN] = {"oidc_role_arn"},
    [CREDENTIALS_RAM_ROLE_ARN] = {"ram_role_arn"},
    [CREDENTIALS_URI] = {"credentials_uri"},
    [CREDENTIALS_PROVIDER_END] = {NULL},
};

static const struct choice aggregations[] = {
    {"deployment"},
    {"namespace"},
    {NULL},
};

/* What the control plane filters by; "" = all. */
static const struct choice execution_modes[] = {
    {""},
    {"STREAMING"},
    {"BATCH"},
    {NULL},
};

static const struct choice statuses[] = {
    {""}, {"RUNNING"}, {"FAILED"}, {"CANCELLED"}, {"FINISHED"}, {"TRANSITIONING"}, {NULL},
};

/* clang-format off: one line an option is what makes it a table */
static const struct option options[] = {
    {SCOPE_ROOT, "defaults", .type = OPTION_GROUP},
    {SCOPE_ROOT, "rate_limit", .type = OPTION_GROUP},
    {SCOPE_ROOT, "credentials", .type = OPTION_LIST},
    {SCOPE_ROOT, "targets", .type = OPTION_LIST},
    {SCOPE_ROOT, "metrics", .type = OPTION_GROUP},
    {SCOPE_ROOT, "state", .type = OPTION_GROUP},

    {SCOPE_DEFAULTS, "interval", OPTION_DURATION, .initial = "60s", .min = "1s", .max = "1d",
     .offset = TARGET(target.interval_ms)},
    {SCOPE_DEFAULTS, "timeout", OPTION_DURATION, .initial = "30s", .min = "100ms", .max = "10m",
     .offset = TARGET(target.timeout_ms)},
    {SCOPE_DEFAULTS, "deadline", OPTION_DURATION, .initial = "5m", .min = "100ms", .max = "1d",
     .offset = TARGET(target.deadline_ms)},
    {SCOPE_DEFAULTS, "max_staleness", OPTION_DURATION, .initial = "5m", .min = "1s", .max = "7d",
     .offset = TARGET(target.max_staleness_ms)},
    {SCOPE_DEFAULTS, "concurrency", OPTION_INT, .initial = "4", .min = "1", .max = "64",
     .offset = TARGET(target.concurrency)},
    {SCOPE_DEFAULTS, "page_size", OPTION_INT, .initial = "100", .min = "1", .max = "100",
     .offset = TARGET(target.page_size)},
    {SCOPE_DEFAULTS, "max_body_size", OPTION_SIZE, .initial = "64MiB", .min = "1KiB", .max = "1GiB",
     .offset = TARGET(target.max_body_size)},
    {SCOPE_DEFAULTS, "max_deployments", OPTION_COUNT, .initial = "100000", .min = "1",
     .max = "1000000", .offset = TARGET(target.max_deployments)},
    {SCOPE_DEFAULTS, "max_job_requests", OPTION_COUNT, .initial = "100", .min = "10",
     .max = "100000", .offset = TARGET(target.max_job_requests)},
    {SCOPE_DEFAULTS, "max_retries", OPTION_INT, .initial = "2", .min = "0", .max = "10",
     .offset = TARGET(target.max_retries)},
    {SCOPE_DEFAULTS, "max_backoff", OPTION_DURATION, .initial = "5m", .min = "1s", .max = "1d",
     .offset = TARGET(target.max_backoff_ms)},

    {SCOPE_RATE_LIMIT, "requests_per_second", OPTION_NUMBER, .initial = "20.0", .min = "0.001",
     .max = "1000", .offset = TARGET(target.requests_per_second)},
    {SCOPE_RATE_LIMIT, "burst", OPTION_INT, .initial = "20", .min = "1", .max = "1000",
     .offset = TARGET(target.burst)},

    {SCOPE_CREDENTIALS, "name", OPTION_STRING, .rule = TEXT_NAME, .offset = CREDENTIALS(spec.name)},
    {SCOPE_CREDENTIALS, "provider", OPTION_CHOICE, .choices = providers,
     .offset = CREDENTIALS(provider)},
    {SCOPE_CREDENTIALS, "access_key_id", OPTION_STRING, .rule = TEXT_KEY,
     .offset = CREDENTIALS(spec.access_key_id)},
    {SCOPE_CREDENTIALS, "access_key_secret", OPTION_STRING, .rule = TEXT_KEY,
     .offset = CREDENTIALS(spec.access_key_secret)},
    {SCOPE_CREDENTIALS, "access_key_secret_file", OPTION_STRING, .rule = TEXT_FILE,
     .offset = CREDENTIALS(spec.access_key_secret_file)},
    {SCOPE_CREDENTIALS, "security_token", OPTION_STRING, .rule = TEXT_KEY,
     .offset = CREDENTIALS(spec.security_token)},
    {SCOPE_CREDENTIALS, "security_token_file", OPTION_STRING, .rule = TEXT_FILE,
     .offset = CREDENTIALS(spec.security_token_file)},
    {SCOPE_CREDENTIALS, "file", OPTION_STRING, .rule = TEXT_FILE_OR_NONE,
     .offset = CREDENTIALS(spec.file)},
    {SCOPE_CREDENTIALS, "profile", OPTION_STRING, .offset = CREDENTIALS(spec.profile)},
    {SCOPE_CREDENTIALS, "role_name", OPTION_STRING, .rule = TEXT_ROLE,
     .offset = CREDENTIALS(spec.role_name)},
    {SCOPE_CREDENTIALS, "endpoint", OPTION_STRING, .offset = CREDENTIALS(spec.endpoint)},
    {SCOPE_CREDENTIALS, "role_arn", OPTION_STRING, .rule = TEXT_ARN,
     .offset = CREDENTIALS(spec.role_arn)},
    {SCOPE_CREDENTIALS, "role_session_name", OPTION_STRING, .rule = TEXT_SESSION,
     .offset = CREDENTIALS(spec.role_session_name)},
    {SCOPE_CREDENTIALS, "sts_endpoint", OPTION_STRING, .offset = CREDENTIALS(spec.sts_endpoint)},
    {SCOPE_CREDENTIALS, "oidc_provider_arn", OPTION_STRING, .rule = TEXT_ARN,
     .offset = CREDENTIALS(spec.oidc_provider_arn)},
    {SCOPE_CREDENTIALS, "oidc_token_file", OPTION_STRING, .rule = TEXT_FILE_OR_NONE,
     .offset = CREDENTIALS(spec.oidc_token_file)},
    {SCOPE_CREDENTIALS, "source", OPTION_STRING, .rule = TEXT_NAME,
     .offset = CREDENTIALS(spec.source)},
    {SCOPE_CREDENTIALS, "uri", OPTION_STRING, .offset = CREDENTIALS(spec.uri)},

    {SCOPE_TARGETS, "name", OPTION_STRING, .rule = TEXT_NAME, .offset = TARGET(target.name)},
    {SCOPE_TARGETS, "region_id", OPTION_STRING, .initial = "", .rule = TEXT_REGION,
     .offset = TARGET(target.region_id)},
    {SCOPE_TARGETS, "network", OPTION_CHOICE, .initial = "public", .choices = networks,
     .offset = TARGET(network)},
    {SCOPE_TARGETS, "endpoint", OPTION_STRING, .initial = "", .offset = TARGET(target.endpoint)},
    {SCOPE_TARGETS, "workspace", OPTION_STRING, .rule = TEXT_WORKSPACE,
     .offset = TARGET(target.workspace)},
    {SCOPE_TARGETS, "namespaces", OPTION_STRINGS, .rule = TEXT_NAMESPACE,
     .offset = TARGET(namespaces)},
    {SCOPE_TARGETS, "credentials", OPTION_STRING, .initial = "default", .rule = TEXT_NAME,
     .offset = TARGET(credentials)},
    {SCOPE_TARGETS, "collectors", OPTION_CHOICES, .initial = "deployments", .choices = collectors,
     .offset = TARGET(target.collectors)},
    {SCOPE_TARGETS, "select", OPTION_GROUP, .into = SCOPE_SELECT},
    {SCOPE_TARGETS, "deployment_names", OPTION_STRINGS, .rule = TEXT_DEPLOYMENT,
     .offset = TARGET(deployment_names)},
    {SCOPE_TARGETS, "tickets", OPTION_STRINGS, .rule = TEXT_TICKET, .offset = TARGET(tickets)},
    {SCOPE_TARGETS, "ticket_dir", OPTION_STRING, .initial = "", .rule = TEXT_FILE_OR_NONE,
     .offset = TARGET(target.ticket_dir)},
    {SCOPE_TARGETS, "ticket_ttl", OPTION_DURATION, .initial = "1h", .min = "1s", .max = "30d",
     .offset = TARGET(target.ticket_ttl_ms)},
    {SCOPE_TARGETS, "max_tickets", OPTION_COUNT, .initial = "100", .min = "1", .max = "10000",
     .offset = TARGET(target.max_tickets)},
    {SCOPE_TARGETS, "tls_config", OPTION_GROUP, .into = SCOPE_TLS_CONFIG},
    {SCOPE_TARGETS, "proxy_url", OPTION_STRING, .initial = "", .offset = TARGET(target.proxy_url)},

    {SCOPE_SELECT, "name", OPTION_STRING, .initial = "", .offset = TARGET(target.select.name)},
    {SCOPE_SELECT, "execution_mode", OPTION_WORD, .initial = "", .choices = execution_modes,
     .offset = TARGET(target.select.execution_mode)},
    {SCOPE_SELECT, "status", OPTION_WORD, .initial = "", .choices = statuses,
     .offset = TARGET(target.select.status)},
    {SCOPE_SELECT, "creator", OPTION_STRING, .initial = "",
     .offset = TARGET(target.select.creator)},
    {SCOPE_SELECT, "modifier", OPTION_STRING, .initial = "",
     .offset = TARGET(target.select.modifier)},
    {SCOPE_SELECT, "label_key", OPTION_STRING, .initial = "",
     .offset = TARGET(target.select.label_key)},
    {SCOPE_SELECT, "label_values", OPTION_STRINGS, .rule = TEXT_LABEL_VALUE,
     .offset = TARGET(label_values)},

    {SCOPE_TLS_CONFIG, "ca_file", OPTION_STRING, .initial = "", .rule = TEXT_FILE_OR_NONE,
     .offset = TARGET(target.tls.ca_file)},
    {SCOPE_TLS_CONFIG, "cert_file", OPTION_STRING, .initial = "", .rule = TEXT_FILE_OR_NONE,
     .offset = TARGET(target.tls.cert_file)},
    {SCOPE_TLS_CONFIG, "key_file", OPTION_STRING, .initial = "", .rule = TEXT_FILE_OR_NONE,
     .offset = TARGET(target.tls.key_file)},
    {SCOPE_TLS_CONFIG, "server_name", OPTION_STRING, .initial = "", .rule = TEXT_HOST,
     .offset = TARGET(target.tls.server_name)},
    {SCOPE_TLS_CONFIG, "insecure_skip_verify", OPTION_BOOL, .initial = "false",
     .offset = TARGET(target.tls.insecure_skip_verify)},

    {SCOPE_METRICS, "deployment_labels", OPTION_STRINGS, .rule = TEXT_GLOB,
     .offset = METRICS(deployment_labels)},
    {SCOPE_METRICS, "deny", OPTION_STRINGS, .rule = TEXT_METRIC_GLOB, .offset = METRICS(deny)},
    {SCOPE_METRICS, "aggregation", OPTION_CHOICE, .initial = "deployment", .choices = aggregations,
     .offset = METRICS(aggregation)},
    {SCOPE_METRICS, "draft_lock_holder", OPTION_BOOL, .initial = "false",
     .offset = METRICS(draft_lock_holder)},

    {SCOPE_STATE, "file", OPTION_STRING, .initial = "", .rule = TEXT_FILE_OR_NONE,
     .offset = STATE(file)},
    {SCOPE_STATE, "hold", OPTION_DURATION, .initial = "2m", .min = "1s", .max = "1h",
     .offset = STATE(hold_ms)},
};
/* clang-format on */

const struct option *schema_options(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(options);
    return options;
}

const char *schema_prefix(enum scope scope)
{
    static const char *const prefixes[SCOPE_END] = {
        [SCOPE_RATE_LIMIT] = "rate_limit.", [SCOPE_SELECT] = "select.",
        [SCOPE_TLS_CONFIG] = "tls_config.", [SCOPE_METRICS] = "metrics.",
        [SCOPE_STATE] = "state.",
    };
    return prefixes[scope] ? prefixes[scope] : "";
}
