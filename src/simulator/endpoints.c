/*
 * The shapes are those of captured answers: STS has an envelope of its own, the metadata service
 * speaks text and a flat object, a credentials URI the same object.
 */
#include "endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authenticate.h"
#include "base/clock.h"
#include "base/quantity.h"
#include "json_text.h"
#include "uri.h"

#define TOKEN_PATH         "/latest/api/token"
#define ROLE_PATH          "/latest/meta-data/ram/security-credentials"
#define URI_PATH           "/credentials"

#define STS_VERSION        "2015-04-01"
#define DEFAULT_LIFETIME_S 3600
#define MAX_TOKEN_TTL_S    21600
#define HANG_MS            INT64_C(3600000)

#define JSON_TYPE          "application/json;charset=utf-8"
#define TEXT_TYPE          "text/plain"

struct exchange {
    struct simulator *s;
    const struct verify_request *request;
    const struct settings *settings;
    const struct source_settings *source;
    struct uri_query query;
    struct uri_query form;
    struct reply *r;
};

enum source_kind endpoints_kind(const char *method, const char *raw_path)
{
    size_t role_len = strlen(ROLE_PATH);
    if (!*raw_path || strcmp(raw_path, "/") == 0)
        return strcmp(method, "POST") == 0 ? SOURCE_STS : SOURCE_NONE;
    if (strcmp(raw_path, TOKEN_PATH) == 0 || (strncmp(raw_path, ROLE_PATH, role_len) == 0 &&
                                              (!raw_path[role_len] || raw_path[role_len] == '/')))
        return SOURCE_METADATA;
    return strcmp(raw_path, URI_PATH) == 0 ? SOURCE_URI : SOURCE_NONE;
}

/* --- replies --- */

static bool refuse(struct exchange *x, int status, const char *code, const char *message)
{
    const char *host = verify_header(x->request, "host");
    const struct gateway_error e = {
        .status = status, .code = code, .message = message, .host = host ? host : ""};
    reply_gateway_error(x->r, &e);
    return false;
}

static void plain(struct exchange *x, int status, const char *text)
{
    reply_reset_body(x->r);
    x->r->status = status;
    x->r->content_type = TEXT_TYPE;
    strbuf_adds(&x->r->body, text);
    if (status >= 400)
        snprintf(x->r->code, sizeof(x->r->code), "%d", status);
}

static void hang(struct exchange *x)
{
    snprintf(x->r->code, sizeof(x->r->code), "hang");
    x->r->wire = (struct wire_plan){.kind = WIRE_SILENCE, .wait_ms = HANG_MS};
}

/* A good answer cut in the middle: no JSON reader may accept it. */
static void break_body(struct exchange *x)
{
    struct strbuf half = STRBUF_INIT;
    strbuf_add(&half, strbuf_str(&x->r->body), x->r->body.len / 2);
    reply_reset_body(x->r);
    x->r->body = half;
    snprintf(x->r->code, sizeof(x->r->code), "malformed");
}

static void begin_json(struct exchange *x)
{
    x->r->status = 200;
    x->r->content_type = JSON_TYPE;
}

static void add_member(struct strbuf *out, const char *key, const char *value)
{
    strbuf_addf(out, "\"%s\":", key);
    json_add_cstring(out, value);
    strbuf_addc(out, ',');
}

/* "2026-11-21T20:54:27Z": rounded down, as a server that keeps whole seconds has it. */
static void issue(struct exchange *x, int64_t wanted_s, struct issued_key *key,
                  char expiration[CLOCK_ISO8601_LEN])
{
    int64_t lifetime_s = x->source->lifetime_s >= 0 ? x->source->lifetime_s : wanted_s;
    int64_t now_ms = simulator_unix_ms(x->settings);
    issuer_issue(x->s->issuer, now_ms + lifetime_s * 1000, key);
    clock_format_iso8601(expiration, key->expires_unix_ms / 1000 * 1000, 0);
}

static void add_key(struct strbuf *out, const struct issued_key *key, const char *expiration)
{
    add_member(out, "AccessKeyId", key->id);
    add_member(out, "AccessKeySecret", key->secret);
    add_member(out, "SecurityToken", key->token);
    strbuf_addf(out, "\"Expiration\":\"%s\"", expiration);
}

/* --- STS --- */

/* STS takes parameters from the query and from a form. */
static const char *parameter(const struct exchange *x, const char *name)
{
    const char *value = uri_query_get(&x->query, name);
    return value ? value : uri_query_get(&x->form, name);
}

static bool need(struct exchange *x, const char *name)
{
    const char *value = parameter(x, name);
    if (value && *value)
        return true;
    char code[64];
    char message[128];
    snprintf(code, sizeof(code), "Missing%s", name);
    snprintf(message, sizeof(message), "%s is mandatory for this action.", name);
    return refuse(x, 400, code, message);
}

static bool check_role(struct exchange *x)
{
    const char *role = parameter(x, "RoleArn");
    const char *name = parameter(x, "RoleSessionName");
    size_t digits = 0;
    if (strncmp(role, "acs:ram::", 9) == 0)
        digits = strspn(role + 9, "0123456789");
    if (!digits || strncmp(role + 9 + digits, ":role/", 6) != 0 || !role[9 + digits + 6])
        return refuse(x, 400, "InvalidParameter.RoleArn",
                      "The parameter RoleArn is wrongly formed.");
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                              "@._-");
    if (name[len] || len < 2 || len > 64)
        return refuse(x, 400, "InvalidParameter.RoleSessionName",
                      "The parameter RoleSessionName is wrongly formed.");
    return true;
}

static bool check_duration(struct exchange *x, int64_t *ret_s)
{
    const char *text = parameter(x, "DurationSeconds");
    uint64_t seconds = DEFAULT_LIFETIME_S;
    if (text && (quantity_parse_u64(text, &seconds) < 0 || seconds < 900 || seconds > 43200))
        return refuse(x, 400, "InvalidParameter.DurationSeconds",
                      "The Min/Max value of DurationSeconds is 15min/12hr.");
    *ret_s = (int64_t)seconds;
    return true;
}

static bool check_version(struct exchange *x, const char *version)
{
    if (version && strcmp(version, STS_VERSION) == 0)
        return true;
    return refuse(x, 404, "InvalidVersion", "Specified parameter Version is not valid.");
}

static void sts_success(struct exchange *x, int64_t duration_s, bool oidc)
{
    struct issued_key key;
    char expiration[CLOCK_ISO8601_LEN];
    struct strbuf *out = &x->r->body;
    struct strbuf arn = STRBUF_INIT;
    struct strbuf assumed = STRBUF_INIT;
    const char *session = parameter(x, "RoleSessionName");
    strbuf_addf(&arn, "%s/%s", parameter(x, "RoleArn"), session);
    strbuf_addf(&assumed, "300000000000000:%s", session);
    issue(x, duration_s, &key, expiration);
    begin_json(x);
    strbuf_addf(out, "{\"RequestId\":\"%s\",\"AssumedRoleUser\":{", x->r->request_id);
    add_member(out, "Arn", strbuf_str(&arn));
    strbuf_adds(out, "\"AssumedRoleId\":");
    json_add_cstring(out, strbuf_str(&assumed));
    strbuf_adds(out, "},\"Credentials\":{");
    add_key(out, &key, expiration);
    strbuf_addc(out, '}');
    if (oidc)
        strbuf_adds(out, ",\"OIDCTokenInfo\":{\"Subject\":\"system:serviceaccount:monitoring:"
                         "exporter\",\"Issuer\":\"https://oidc.example.com/c1234\","
                         "\"ClientIds\":\"sts.aliyuncs.com\"}");
    strbuf_addc(out, '}');
    if (arn.bad || assumed.bad)
        out->bad = true;
    strbuf_release(&arn);
    strbuf_release(&assumed);
}

/* Signed by the account or by a key that was issued: roles may be chained. */
static bool check_assume_role(struct exchange *x, int64_t *ret_s)
{
    struct verify_verdict v = {0};
    bool good = !x->settings->verify || authenticate(x->s, x->request, x->settings, &v);
    if (!good)
        refuse(x, v.status, v.code, strbuf_str(&v.message));
    verify_verdict_release(&v);
    if (!good)
        return false;
    const char *version = verify_header(x->request, "x-acs-version");
    return check_version(x, version ? version : parameter(x, "Version")) && need(x, "RoleArn") &&
           need(x, "RoleSessionName") && check_role(x) && check_duration(x, ret_s);
}

static bool check_assume_role_with_oidc(struct exchange *x, int64_t *ret_s)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = verify_header(x->request, "content-type");
    if (!type || strncasecmp(type, form, sizeof(form) - 1) != 0)
        return refuse(x, 415, "UnsupportedContentType", "The content type is not supported.");
    if (!check_version(x, parameter(x, "Version")) || !need(x, "Timestamp") ||
        !need(x, "OIDCProviderArn") || !need(x, "OIDCToken") || !need(x, "RoleArn") ||
        !need(x, "RoleSessionName") || !check_role(x) || !check_duration(x, ret_s))
        return false;
    const char *token = parameter(x, "OIDCToken");
    if (strlen(token) < 4 || strlen(token) > ISSUER_MAX_TOKEN)
        return refuse(x, 400, "InvalidParameter.OIDCToken",
                      "The parameter OIDCToken is wrongly formed.");
    if (!issuer_oidc_token_good(x->s->issuer, token))
        return refuse(x, 401, "AuthenticationFail.OIDCToken.Invalid",
                      "This JsonWebToken is invalid.");
    return true;
}

static const char *sts_action(const struct exchange *x)
{
    const char *header = verify_header(x->request, "x-acs-action");
    const char *action = header ? header : parameter(x, "Action");
    if (action && strcmp(action, "AssumeRole") == 0)
        return "AssumeRole";
    return action && strcmp(action, "AssumeRoleWithOIDC") == 0 ? "AssumeRoleWithOIDC" : NULL;
}

static bool deny(struct exchange *x, bool oidc)
{
    if (oidc)
        return refuse(x, 401, "AuthenticationFail.NoPermission",
                      "This operator is not authorized by the specified RAM role.");
    return refuse(x, 403, "NoPermission",
                  "You are not authorized to do this action. You should be authorized by RAM.");
}

static void sts(struct exchange *x)
{
    enum source_mode mode = x->source->mode;
    const char *action = sts_action(x);
    bool oidc = action && strcmp(action, "AssumeRoleWithOIDC") == 0;
    int64_t duration_s = 0;
    x->r->operation = action;
    if (!action) {
        refuse(x, 404, "InvalidAction.NotFound",
               "Specified api is not found, please check your url and method.");
    } else if (mode == SOURCE_HANG) {
        hang(x);
    } else if (mode == SOURCE_FAIL) {
        refuse(x, 503, "ServiceUnavailable", "The request has failed due to a temporary failure.");
    } else if (oidc ? check_assume_role_with_oidc(x, &duration_s)
                    : check_assume_role(x, &duration_s)) {
        if (mode == SOURCE_DENY)
            deny(x, oidc);
        else
            sts_success(x, duration_s, oidc);
        if (mode == SOURCE_MALFORMED)
            break_body(x);
    }
}

/* --- the metadata service and the credentials URI --- */

static void flat_key(struct exchange *x, bool metadata)
{
    struct issued_key key;
    char expiration[CLOCK_ISO8601_LEN];
    struct strbuf *out = &x->r->body;
    begin_json(x);
    if (x->source->mode == SOURCE_DENY) {
        strbuf_adds(out, "{\"Code\":\"Failed\",\"Message\":\"the role cannot be assumed\"}");
        snprintf(x->r->code, sizeof(x->r->code), "Failed");
        return;
    }
    issue(x, DEFAULT_LIFETIME_S, &key, expiration);
    strbuf_addc(out, '{');
    add_key(out, &key, expiration);
    if (metadata) {
        char now[CLOCK_ISO8601_LEN];
        clock_format_iso8601(now, simulator_unix_ms(x->settings), 0);
        strbuf_addf(out, ",\"LastUpdated\":\"%s\"", now);
    }
    strbuf_adds(out, ",\"Code\":\"Success\"}");
    if (x->source->mode == SOURCE_MALFORMED)
        break_body(x);
}

static bool wrong_method(struct exchange *x, const char *want)
{
    if (strcmp(x->request->method, want) == 0)
        return false;
    reply_add_header(x->r, "Allow", want);
    plain(x, 405, "method not allowed");
    return true;
}

static void metadata_token(struct exchange *x)
{
    const char *ttl_text = verify_header(x->request, "x-aliyun-ecs-metadata-token-ttl-seconds");
    uint64_t ttl_s;
    char token[ISSUER_TEXT_LEN];
    if (wrong_method(x, "PUT"))
        return;
    if (x->source->mode == SOURCE_V1_ONLY) {
        plain(x, 404, "not found");
    } else if (!ttl_text || quantity_parse_u64(ttl_text, &ttl_s) < 0 || ttl_s < 1 ||
               ttl_s > MAX_TOKEN_TTL_S) {
        plain(x, 400, "the token's ttl is missing or wrong");
    } else {
        int64_t now_ms = simulator_unix_ms(x->settings);
        issuer_metadata_token(x->s->issuer, now_ms + (int64_t)ttl_s * 1000, token);
        plain(x, 200, token);
    }
}

static bool may_read_metadata(struct exchange *x)
{
    const char *token = verify_header(x->request, "x-aliyun-ecs-metadata-token");
    if (x->source->mode == SOURCE_V1_ONLY ||
        (token && issuer_metadata_token_good(x->s->issuer, token, simulator_unix_ms(x->settings))))
        return true;
    plain(x, 403, "the metadata token is missing, wrong or expired");
    return false;
}

static void metadata_role(struct exchange *x, const char *encoded)
{
    CLEANUP(strbuf_release) struct strbuf role = STRBUF_INIT;
    uri_decode(&role, encoded, strlen(encoded), false);
    if (wrong_method(x, "GET") || !may_read_metadata(x))
        return;
    if (x->source->mode == SOURCE_NO_ROLE)
        plain(x, 404, "not found");
    else if (!role.len)
        plain(x, 200, x->settings->metadata_role);
    else if (strcmp(strbuf_str(&role), x->settings->metadata_role) != 0)
        plain(x, 404, "not found");
    else
        flat_key(x, true);
}

static void metadata(struct exchange *x)
{
    const char *path = x->request->raw_path;
    const char *role = NULL;
    if (strcmp(path, TOKEN_PATH) == 0) {
        x->r->operation = "MetadataToken";
    } else {
        role = path + strlen(ROLE_PATH);
        role += *role == '/';
        x->r->operation = *role ? "MetadataCredentials" : "MetadataRole";
    }
    if (x->source->mode == SOURCE_HANG)
        hang(x);
    else if (x->source->mode == SOURCE_FAIL)
        plain(x, 503, "service unavailable");
    else if (role)
        metadata_role(x, role);
    else
        metadata_token(x);
}

static void credentials_uri(struct exchange *x)
{
    x->r->operation = "CredentialsURI";
    if (x->source->mode == SOURCE_HANG)
        hang(x);
    else if (x->source->mode == SOURCE_FAIL)
        plain(x, 503, "service unavailable");
    else if (!wrong_method(x, "GET"))
        flat_key(x, false);
}

void endpoints_answer(struct simulator *s, const struct verify_request *request,
                      const struct settings *settings, struct reply *r)
{
    static void (*const answers[SOURCE_END])(struct exchange *) = {
        [SOURCE_STS] = sts, [SOURCE_METADATA] = metadata, [SOURCE_URI] = credentials_uri};
    enum source_kind kind = endpoints_kind(request->method, request->raw_path);
    r->sts = kind == SOURCE_STS;
    struct exchange x = {.s = s,
                         .request = request,
                         .settings = settings,
                         .source = &settings->sources[kind],
                         .r = r};
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    if (kind == SOURCE_STS && request->body_len)
        strbuf_add(&body, request->body, request->body_len);
    if (uri_query_init(&x.query, request->raw_query) < 0) {
        refuse(&x, 400, "InvalidParameter", "The query string is too long.");
        return;
    }
    if (uri_query_init(&x.form, strbuf_str(&body)) < 0)
        refuse(&x, 400, "InvalidParameter", "The form is too long.");
    else
        answers[kind](&x);
    uri_query_release(&x.query);
    uri_query_release(&x.form);
}
