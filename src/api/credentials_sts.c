/*
 * AssumeRole goes out as the vendor's current STS SDK sends it: ACS3, parameters in the query, an
 * empty POST. AssumeRoleWithOIDC goes out as its credentials libraries send it: not signed,
 * parameters in a form.
 *
 * Both carry a date. A clock that is wrong must not lock us out, so a refused date is followed by
 * one more attempt with the server's, and by no further one before the next fetch.
 */
#include "credentials_sts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "credentials_answer.h"
#include "credentials_environment.h"
#include "request.h"
#include "sign.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 15000, /* five to connect, ten to answer */
    DURATION_S = 3600,
    MAX_PARAMS = 6,
};

static const char version[] = "2015-04-01";

bool sts_session_name_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@_-");

    return len >= 2 && len <= 64 && name[len] == '\0';
}

static bool is_region(const char *s)
{
    size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 0 && len <= 63 && s[len] == '\0';
}

static int origin_of(const struct sts_role *role, struct strbuf *ret, struct err *err)
{
    const char *region = credentials_text(role->region);

    if (!region)
        region = credentials_variable(CREDENTIALS_VAR_STS_REGION);
    if (credentials_text(role->endpoint)) {
        strbuf_adds(ret, role->endpoint);
    } else if (!region) {
        strbuf_adds(ret, "https://sts.aliyuncs.com");
    } else {
        bool vpc = role->vpc || credentials_variable_is_true(CREDENTIALS_VAR_VPC);
        if (!is_region(region))
            return err_set(err, ERR_AUTHENTICATION,
                           "the region of STS is not like \"cn-hangzhou\"");
        strbuf_addf(ret, "https://sts%s.%s.aliyuncs.com", vpc ? "-vpc" : "", region);
    }
    return strbuf_ok(ret) ? 0 : err_nomem(err, "URL");
}

static const char *session_name_of(const struct sts_role *role)
{
    const char *name = credentials_text(role->session_name);

    if (!name)
        name = credentials_variable(CREDENTIALS_VAR_ROLE_SESSION_NAME);
    return name ? name : CREDENTIALS_SESSION_NAME;
}

static int check_role(const struct sts_role *role, struct err *err)
{
    if (!credentials_text(role->role_arn))
        return err_set(err, ERR_AUTHENTICATION, "role_arn is not set");
    if (!sts_session_name_valid(session_name_of(role)))
        return err_set(err, ERR_AUTHENTICATION,
                       "the role's session name must be 2 to 64 characters of letters, digits and "
                       ".@_-");
    return 0;
}

static void format_duration(const struct sts_role *role, char out[32])
{
    (void)snprintf(out, 32, "%" PRId64, role->duration_s > 0 ? role->duration_s : DURATION_S);
}

/* The exchange, its answer, and what is learnt of the clock. True if another attempt may help. */
static bool exchange(struct sts *sts, const struct credentials_http_request *message,
                     bool show_message, struct credentials_grant *ret, int *ret_result,
                     struct err *err)
{
    CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};
    enum retry_hint hint = RETRY_HINT_NONE;

    sts->token_refused = false;
    *ret_result = sts->http->ops->exchange(sts->http, message, &reply, err);
    if (*ret_result < 0)
        return false;
    *ret_result = credentials_answer_sts(&reply, show_message, ret, &hint, err);
    sts->token_refused = hint == RETRY_HINT_TOKEN_REFUSED;
    if (hint != RETRY_HINT_DATE_REFUSED || reply.server_unix_ms < 0)
        return false;
    sts->correction_ms = reply.server_unix_ms - clock_unix_ms();
    return true;
}

/* --- AssumeRole --- */

static size_t role_params(const struct sts_role *role, const char *duration,
                          struct sign_param params[MAX_PARAMS])
{
    size_t n = 0;

    params[n++] = (struct sign_param){"RoleArn", role->role_arn};
    params[n++] = (struct sign_param){"RoleSessionName", session_name_of(role)};
    params[n++] = (struct sign_param){"DurationSeconds", duration};
    if (credentials_text(role->policy))
        params[n++] = (struct sign_param){"Policy", role->policy};
    if (credentials_text(role->external_id))
        params[n++] = (struct sign_param){"ExternalId", role->external_id};
    return n;
}

static int sign_call(const struct sts *sts, const char *origin, const char *query,
                     const struct credentials_keys *caller, struct request_wire *ret,
                     struct err *err)
{
    char nonce[REQUEST_NONCE_LEN];
    const struct request request = {
        .method = "POST",
        .origin = origin,
        .host = strstr(origin, "://") + 3,
        .action = "AssumeRole",
        .version = version,
        .path = "/",
        .query = query,
    };

    if (request_nonce(nonce, err) < 0)
        return -1;
    return request_sign(&request, caller, clock_unix_ms() + sts->correction_ms, nonce, ret, err);
}

int sts_assume_role(struct sts *sts, const struct sts_role *role,
                    const struct credentials_keys *caller, struct credentials_grant *ret,
                    struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf origin = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf query = STRBUF_INIT;
    struct sign_param params[MAX_PARAMS];
    char duration[32];
    int result = -1;
    bool again = true;

    format_duration(role, duration);
    if (check_role(role, err) < 0 || origin_of(role, &origin, err) < 0 ||
        sign_canonical_query(&query, params, role_params(role, duration, params), err) < 0)
        return err_wrap(err, "AssumeRole");
    for (int attempt = 1; again && attempt <= 2; attempt++) {
        CLEANUP(request_wire_release) struct request_wire wire = {0};

        if (sign_call(sts, origin.ptr, strbuf_str(&query), caller, &wire, err) < 0)
            return err_wrap(err, "AssumeRole");
        const struct credentials_http_request message = {
            .method = "POST",
            .url = strbuf_str(&wire.url),
            .headers = wire.headers,
            .n_headers = wire.n_headers,
            .body = "", /* not none: a POST says how long its body is */
            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
            .timeout_ms = TIMEOUT_MS,
        };
        again = exchange(sts, &message, true, ret, &result, err);
    }
    return result < 0 ? err_wrap(err, "AssumeRole at %s", origin.ptr) : 0;
}

/* --- AssumeRoleWithOIDC --- */

static void add_pair(struct strbuf *out, const char *key, const char *value)
{
    if (out->len > 0)
        strbuf_addc(out, '&');
    strbuf_adds(out, key);
    strbuf_addc(out, '=');
    sign_encode(out, value);
}

static size_t encoded_len_max(const char *text)
{
    return text ? 3 * strlen(text) + 32 : 0;
}

static int make_form(const struct sts_role *role, const char *oidc_provider_arn, const char *token,
                     struct strbuf *ret, struct err *err)
{
    char duration[32];

    /* All of its room at once: growing would leave the token behind. */
    strbuf_reserve(ret, encoded_len_max(oidc_provider_arn) + encoded_len_max(token) +
                            encoded_len_max(role->role_arn) + encoded_len_max(role->policy) +
                            encoded_len_max(session_name_of(role)) + 64);
    format_duration(role, duration);
    add_pair(ret, "OIDCProviderArn", oidc_provider_arn);
    add_pair(ret, "OIDCToken", token);
    add_pair(ret, "RoleArn", role->role_arn);
    if (credentials_text(role->policy))
        add_pair(ret, "Policy", role->policy);
    add_pair(ret, "RoleSessionName", session_name_of(role));
    add_pair(ret, "DurationSeconds", duration);
    return strbuf_ok(ret) ? 0 : err_nomem(err, "request");
}

static void make_oidc_url(struct strbuf *out, const char *origin, int64_t date_unix_ms)
{
    char date[CLOCK_ISO8601_LEN];

    strbuf_reset(out);
    strbuf_addf(out, "%s/?Version=%s&Action=AssumeRoleWithOIDC&Format=JSON&Timestamp=", origin,
                version);
    sign_encode(out, clock_format_iso8601(date, date_unix_ms, 0));
}

int sts_assume_role_with_oidc(struct sts *sts, const struct sts_role *role,
                              const char *oidc_provider_arn, const char *token,
                              struct credentials_grant *ret, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf origin = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf header = STRBUF_INIT;
    CLEANUP(sign_wipe) struct strbuf form = STRBUF_INIT;
    int result = -1;
    bool again = true;

    strbuf_adds(&header, "content-type: application/x-www-form-urlencoded");
    if (check_role(role, err) < 0 || origin_of(role, &origin, err) < 0 ||
        make_form(role, oidc_provider_arn, token, &form, err) < 0)
        return err_wrap(err, "AssumeRoleWithOIDC");
    for (int attempt = 1; again && attempt <= 2; attempt++) {
        make_oidc_url(&url, origin.ptr, clock_unix_ms() + sts->correction_ms);
        if (!strbuf_ok(&url) || !strbuf_ok(&header))
            return err_nomem(err, "AssumeRoleWithOIDC");
        const struct credentials_http_request message = {
            .method = "POST",
            .url = url.ptr,
            .headers = &header,
            .n_headers = 1,
            .body = form.ptr,
            .body_len = form.len,
            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
            .timeout_ms = TIMEOUT_MS,
        };
        again = exchange(sts, &message, false, ret, &result, err);
    }
    return result < 0 ? err_wrap(err, "AssumeRoleWithOIDC at %s", origin.ptr) : 0;
}
