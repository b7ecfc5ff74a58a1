#include "credentials_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "api/json.h"
#include "page.h"

enum {
    STATUS_OK = 200,
    JSON_BUDGET = 1024 * 1024,
};

static bool digits(const char *s, size_t n, int *ret)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        value = value * 10 + (s[i] - '0');
    }
    *ret = value;
    return true;
}

/* Milliseconds of ".123456Z"; -1 if it is not one. */
static int fraction_ms(const char *s)
{
    int ms = 0, scale = 100;

    if (*s == '.') {
        const char *first = ++s;
        for (; *s >= '0' && *s <= '9'; s++, scale /= 10)
            ms += (*s - '0') * scale;
        if (s == first)
            return -1;
    }
    return strcmp(s, "Z") == 0 ? ms : -1;
}

int64_t credentials_expiration_unix_ms(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00";
    int year, month, day, hour, minute, second;
    int64_t unix_s;

    if (strlen(text) < strlen(shape))
        return -1;
    for (size_t i = 0; i < strlen(shape); i++)
        if (shape[i] != '0' && text[i] != shape[i])
            return -1;
    int ms = fraction_ms(text + strlen(shape));
    if (ms < 0 || !digits(text, 4, &year) || !digits(text + 5, 2, &month) ||
        !digits(text + 8, 2, &day) || !digits(text + 11, 2, &hour) ||
        !digits(text + 14, 2, &minute) || !digits(text + 17, 2, &second) ||
        clock_unix_from_utc(year, month, day, hour, minute, second, &unix_s) < 0 || unix_s < 0)
        return -1;
    return unix_s * 1000 + ms;
}

static int member(const json_value *object, const char *key, const char **ret, struct err *err)
{
    const char *text = json_string(json_get(object, key));

    if (!text)
        return err_set(err, ERR_PARSE, "the answer has no %s", key);
    if (credentials_check(text, strlen(text), key, err) < 0)
        return err_wrap(err, "the answer's");
    *ret = text;
    return 0;
}

/* The four members that all services have in common. */
static int read_grant(const json_value *object, const struct credentials_http_reply *reply,
                      struct credentials_grant *ret, struct err *err)
{
    const char *id, *secret, *token, *expiration;

    if (member(object, "AccessKeyId", &id, err) < 0 ||
        member(object, "AccessKeySecret", &secret, err) < 0 ||
        member(object, "SecurityToken", &token, err) < 0 ||
        member(object, "Expiration", &expiration, err) < 0)
        return -1;
    int64_t unix_ms = credentials_expiration_unix_ms(expiration);
    if (unix_ms < 0)
        return err_set(err, ERR_PARSE, "the answer's Expiration is not like 2026-01-01T06:00:00Z");
    if (credentials_keys_copy(id, secret, token, &ret->keys, err) < 0)
        return -1;
    ret->expiration_unix_ms = unix_ms;
    ret->server_unix_ms = reply->server_unix_ms;
    return 0;
}

static int parse(const struct credentials_http_reply *reply, json_value **ret, struct err *err)
{
    if (json_parse_secret(strbuf_str(&reply->body), reply->body.len, JSON_BUDGET, ret, err) < 0)
        return err_wrap(err, "the answer");
    return 0;
}

/* Causes that the code names and an operator can act on. */
static const char *advice_for(const char *code)
{
    static const struct {
        const char *code;
        const char *advice;
    } known[] = {
        {"AuthenticationFail.NoPermission",
         "the role does not trust this identity provider, or the provider is not registered"},
        {"AuthenticationFail.OIDCToken.Expired", "the token in the file has expired"},
        {"AuthenticationFail.OIDCToken.AudienceNotMatch",
         "the token is not made for the audience sts.aliyuncs.com"},
        {"NoPermission", "the role does not trust the caller, or it lacks sts:AssumeRole"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].code, code) == 0)
            return known[i].advice;
    return NULL;
}

static int refused(const struct credentials_http_reply *reply, bool show_message,
                   enum retry_hint *ret_hint, struct err *err)
{
    struct api_refusal refusal;
    struct err as_sent = {0};

    refusal_decode(reply->status, strbuf_str(&reply->body), reply->body.len, reply->request_id,
                   &refusal, &as_sent);
    *ret_hint = refusal.hint;
    /* Who may not take on a role has no credentials: the control plane was never asked. */
    enum err_kind kind = as_sent.kind == ERR_PERMISSION || as_sent.kind == ERR_API
                             ? ERR_AUTHENTICATION
                             : as_sent.kind;
    const char *advice = advice_for(refusal.code);
    if (show_message && !advice)
        return err_set(err, kind, "%s", as_sent.msg);
    const char *id = refusal.request_id;
    return err_set(err, kind, "HTTP %d%s%s%s%s%s%s%s", reply->status, *refusal.code ? ", " : "",
                   refusal.code, advice ? ": " : "", advice ? advice : "",
                   *id ? " (RequestId " : "", id, *id ? ")" : "");
}

int credentials_answer_sts(const struct credentials_http_reply *reply, bool show_message,
                           struct credentials_grant *ret, enum retry_hint *ret_hint,
                           struct err *err)
{
    CLEANUP(json_free_secretp) json_value *root = NULL;

    *ret_hint = RETRY_HINT_NONE;
    if (reply->status != STATUS_OK)
        return refused(reply, show_message, ret_hint, err);
    if (parse(reply, &root, err) < 0)
        return -1;
    const json_value *credentials = json_get(root, "Credentials");
    if (!json_is_object(credentials))
        return err_set(err, ERR_PARSE, "the answer has no Credentials");
    return read_grant(credentials, reply, ret, err);
}

/* Only what cannot be a secret of the answer: letters, digits and dots, not many. */
static bool is_code(const char *s)
{
    size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return len > 0 && len <= 64 && s[len] == '\0';
}

int credentials_answer_document(const struct credentials_http_reply *reply,
                                struct credentials_grant *ret, struct err *err)
{
    CLEANUP(json_free_secretp) json_value *root = NULL;

    if (reply->status != STATUS_OK)
        return err_set(err, reply->status / 100 == 5 ? ERR_HTTP : ERR_AUTHENTICATION, "HTTP %d",
                       reply->status);
    if (parse(reply, &root, err) < 0)
        return -1;
    if (!json_is_object(root))
        return err_set(err, ERR_PARSE, "the answer is not a JSON object");
    const char *code = json_string(json_get(root, "Code"));
    if (code && strcmp(code, "Success") != 0)
        return err_set(err, ERR_AUTHENTICATION, "the answer's Code is %s, not Success",
                       is_code(code) ? code : "something else");
    return read_grant(root, reply, ret, err);
}
