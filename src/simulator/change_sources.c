/* The switches of STS, the metadata service and the credentials URI. */
#include <string.h>

#include "change_key.h"

static const struct {
    const char *name;
    enum source_mode mode;
    bool metadata_only;
} modes[] = {
    {"ok", SOURCE_OK, false},          {"fail", SOURCE_FAIL, false},
    {"deny", SOURCE_DENY, false},      {"malformed", SOURCE_MALFORMED, false},
    {"hang", SOURCE_HANG, false},      {"v1-only", SOURCE_V1_ONLY, true},
    {"no-role", SOURCE_NO_ROLE, true},
};

static int read_mode(const cJSON *value, enum source_kind kind, enum source_mode *ret,
                     struct err *err)
{
    for (size_t i = 0; cJSON_IsString(value) && i < ARRAY_LEN(modes); i++) {
        if (strcmp(modes[i].name, value->valuestring) != 0 ||
            (modes[i].metadata_only && kind != SOURCE_METADATA))
            continue;
        *ret = modes[i].mode;
        return 0;
    }
    return change_wrong(err, "mode",
                        kind == SOURCE_METADATA
                            ? "ok, fail, deny, malformed, hang, v1-only or no-role"
                            : "ok, fail, deny, malformed or hang");
}

static int read_lifetime(const cJSON *value, int64_t *ret, struct err *err)
{
    if (cJSON_IsNull(value)) {
        *ret = -1;
        return 0;
    }
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1e9))
        return change_wrong(err, "lifetime_s", "a number of seconds, or null");
    *ret = (int64_t)value->valuedouble;
    return 0;
}

static int read_role(const cJSON *value, struct settings *set, struct err *err)
{
    if (!cJSON_IsString(value) || !*value->valuestring ||
        strlen(value->valuestring) >= sizeof(set->metadata_role))
        return change_wrong(err, "role", "a string that is not too long");
    memcpy(set->metadata_role, value->valuestring, strlen(value->valuestring) + 1);
    return 0;
}

static int read_oidc_token(struct change *c, const cJSON *value, struct err *err)
{
    if (!cJSON_IsString(value) || strlen(value->valuestring) > ISSUER_MAX_TOKEN)
        return change_wrong(err, "oidc_token", "a string that is not too long");
    return c->dry ? 0 : issuer_set_oidc_token(c->s->issuer, value->valuestring, err);
}

static int run_source(struct change *c, enum source_kind kind, const char *key, const cJSON *value,
                      struct err *err)
{
    struct source_settings *source = &c->settings.sources[kind];
    if (!cJSON_IsObject(value))
        return change_wrong(err, key, "an object");
    const cJSON *item;
    cJSON_ArrayForEach(item, value)
    {
        int rc;
        if (strcmp(item->string, "mode") == 0)
            rc = read_mode(item, kind, &source->mode, err);
        else if (strcmp(item->string, "lifetime_s") == 0)
            rc = read_lifetime(item, &source->lifetime_s, err);
        else if (kind == SOURCE_METADATA && strcmp(item->string, "role") == 0)
            rc = read_role(item, &c->settings, err);
        else if (kind == SOURCE_STS && strcmp(item->string, "oidc_token") == 0)
            rc = read_oidc_token(c, item, err);
        else
            rc = err_set(err, ERR_PARSE, "unknown: \"%.100s\"", item->string);
        if (rc < 0)
            return err_wrap(err, "\"%s\"", key);
    }
    return 0;
}

static int run_sts(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    return run_source(c, SOURCE_STS, "sts", value, err);
}

static int run_metadata(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    return run_source(c, SOURCE_METADATA, "metadata", value, err);
}

static int run_uri(struct change *c, const cJSON *value, struct json_span raw, struct err *err)
{
    (void)raw;
    return run_source(c, SOURCE_URI, "credentials_uri", value, err);
}

static int run_expire_issued(struct change *c, const cJSON *value, struct json_span raw,
                             struct err *err)
{
    (void)raw;
    if (!cJSON_IsBool(value))
        return change_wrong(err, "expire_issued", "true or false");
    if (!c->dry && cJSON_IsTrue(value))
        issuer_expire_all(c->s->issuer);
    return 0;
}

const struct change_key change_source_keys[] = {
    {"sts", run_sts},
    {"metadata", run_metadata},
    {"credentials_uri", run_uri},
    {"expire_issued", run_expire_issued},
    {0},
};
