/* ~/.aliyun/config.json of the vendor's CLI. */
#include "credentials_profile.h"

#include <string.h>

#include "api/json.h"

/* A megabyte of text with many small values. */
enum { JSON_BUDGET = 40 * 1024 * 1024 };

#define AT(field) offsetof(struct profile, field)

static const struct profile_key keys[] = {
    {"access_key_id", AT(access_key_id)},
    {"access_key_secret", AT(access_key_secret)},
    {"sts_token", AT(security_token)},
    {"ram_role_arn", AT(role_arn)},
    {"ram_session_name", AT(session_name)},
    {"policy", AT(policy)},
    {"external_id", AT(external_id)},
    {"sts_region", AT(sts_region)},
    {"ram_role_name", AT(role_name)},
    {"oidc_provider_arn", AT(oidc_provider_arn)},
    {"oidc_token_file", AT(oidc_token_file)},
    {"source_profile", AT(source)},
    {NULL, 0},
};

/* CloudSSO and OAuth want a human, External another program. */
static const struct profile_kind kinds[] = {
    {"AK", PROFILE_KEYS, {AT(access_key_id), AT(access_key_secret)}},
    {"StsToken", PROFILE_KEYS, {AT(access_key_id), AT(access_key_secret), AT(security_token)}},
    {"RamRoleArn", PROFILE_RAM_ROLE_ARN, {AT(access_key_id), AT(access_key_secret), AT(role_arn)}},
    {"EcsRamRole", PROFILE_ECS_RAM_ROLE, {0}},
    {"OIDC", PROFILE_OIDC, {AT(oidc_provider_arn), AT(oidc_token_file), AT(role_arn)}},
    {"ChainableRamRoleArn", PROFILE_CHAINED_ROLE_ARN, {AT(source), AT(role_arn)}},
    {NULL, PROFILE_KEYS, {0}},
};

static const json_value *find(const json_value *profiles, const char *name)
{
    for (const json_value *p = json_first(profiles); p; p = json_next(p)) {
        const char *its = json_string(json_get(p, "name"));

        if (its && strcmp(its, name) == 0)
            return p;
    }
    return NULL;
}

static int read_strings(const json_value *object, struct profile *ret, struct err *err)
{
    for (const struct profile_key *k = keys; k->key; k++) {
        const json_value *v = json_get(object, k->key);
        const char *text = json_string(v);

        if (v && !text)
            return err_set(err, ERR_PARSE, "%s is not a string", k->key);
        if (text && *text && profile_set(ret, k->offset, text, strlen(text), err) < 0)
            return -1;
    }
    return 0;
}

static int read_profile(const json_value *object, struct profile *ret, struct err *err)
{
    const json_value *expired = json_get(object, "expired_seconds");
    const char *mode = json_string(json_get(object, "mode"));

    if (read_strings(object, ret, err) < 0)
        return -1;
    if (expired && (json_integer(expired, &ret->duration_s) < 0 || ret->duration_s < 0))
        return err_set(err, ERR_PARSE, "expired_seconds is not a number of seconds");
    (void)json_bool(json_get(object, "enable_vpc"), &ret->vpc);
    if (!mode || !*mode)
        mode = "AK"; /* what the CLI takes it for */
    if (profile_set_kind(ret, kinds, keys, "mode", mode, err) < 0)
        return -1;
    /*
     * The CLI leaves the token of an earlier login behind when the mode changes. Beside a user's
     * own key it makes every call fail; temporary ids begin with "STS.".
     */
    if (strcmp(mode, "AK") == 0 ||
        (ret->mode == PROFILE_RAM_ROLE_ARN && strncmp(ret->access_key_id, "STS.", 4) != 0)) {
        credentials_wipe(ret->security_token);
        ret->security_token = NULL;
    }
    return 0;
}

int profile_decode_json(const char *text, size_t len, const char *name_or_null, struct profile *ret,
                        struct err *err)
{
    CLEANUP(json_free_secretp) json_value *root = NULL;
    CLEANUP(profile_release) struct profile profile = {.mode = PROFILE_KEYS};

    if (json_parse_secret(text, len, JSON_BUDGET, &root, err) < 0)
        return -1;
    const char *name = name_or_null ? name_or_null : json_string(json_get(root, "current"));
    if (!name || !*name)
        name = "default";
    const json_value *profiles = json_get(root, "profiles");
    if (!json_is_array(profiles))
        return err_set(err, ERR_PARSE, "it has no list \"profiles\"");
    const json_value *object = find(profiles, name);
    if (!object)
        return err_set(err, ERR_AUTHENTICATION, "there is no profile \"%.64s\"", name);
    if (read_profile(object, &profile, err) < 0)
        return err_wrap(err, "profile \"%.64s\"", name);
    *ret = profile;
    profile = (struct profile){0};
    return 0;
}
