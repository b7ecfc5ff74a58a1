/*
 * Every exchange that the vendor's own credentials libraries were seen to have (captures.json) is
 * had here: the same question, field by field, and of the same answer the same keys or an error.
 *
 * Deviations, each on purpose: a token file is trimmed; session names that STS would refuse are
 * refused; the metadata service is asked for one token a fetch; AssumeRole is sent as the vendor's
 * current STS SDK does (tests/fixtures/sign/sts-02...), without the header that names the SDK's
 * provider.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credentials_environment.h"
#include "credentials_source.h"
#include "credentials_sts.h"
#include "fake_http.h"
#include "api/json.h"
#include "request.h"
#include "sign.h"

static int64_t now_unix_ms;
int64_t __wrap_clock_unix_ms(void);
int64_t __wrap_clock_unix_ms(void)
{
    return now_unix_ms;
}

static const char *nonce;
int __wrap_request_nonce(char out[REQUEST_NONCE_LEN], struct err *err);
int __wrap_request_nonce(char out[REQUEST_NONCE_LEN], struct err *err)
{
    (void)err;
    memcpy(out, nonce, REQUEST_NONCE_LEN);
    return 0;
}

static json_value *captures;
static struct fake_http fake;

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 100000);

    if (!f || !text)
        fail_msg("%s cannot be read", path);
    *ret_len = fread(text, 1, 100000 - 1, f);
    fclose(f);
    return text;
}

static int load(void **state)
{
    struct err err = {0};
    size_t len;
    char *text = read_file(AFE_FIXTURES "/credentials/captures.json", &len);

    (void)state;
    assert_int_equal(json_parse(text, len, 1 << 20, &captures, &err), 0);
    free(text);
    fake_http_init(&fake);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_free(captures);
    fake_http_release(&fake);
    return 0;
}

/* The n-th request of a scenario, NULL behind the last. */
static const json_value *request_of(const char *scenario, size_t n)
{
    for (const json_value *c = json_first(captures); c; c = json_next(c))
        if (strcmp(json_string(json_get(c, "scenario")), scenario) == 0 && json_get(c, "request") &&
            n-- == 0)
            return c;
    return NULL;
}

static const json_value *result_of(const char *scenario)
{
    for (const json_value *c = json_first(captures); c; c = json_next(c))
        if (strcmp(json_string(json_get(c, "scenario")), scenario) == 0 && !json_get(c, "request"))
            return c;
    return NULL;
}

/* from -> to wherever it stands; both are short. */
static void replace(char *text, size_t size, const char *from, const char *to)
{
    for (char *at; (at = strstr(text, from));) {
        size_t rest = strlen(at + strlen(from));
        assert_true(strlen(text) + strlen(to) < size);
        memmove(at + strlen(to), at + strlen(from), rest + 1);
        memcpy(at, to, strlen(to));
    }
}

static void expect_headers(const json_value *headers, const struct fake_question *q)
{
    char value[4096];
    size_t n = 0, n_ours = 0;

    for (const json_value *h = json_first(headers); h; h = json_next(h)) {
        if (strcmp(json_key(h), "host") == 0)
            continue; /* part of the URL */
        const char *ours = fake_http_header(q, json_key(h), value, sizeof(value));
        assert_non_null(ours);
        assert_string_equal(ours, json_string(h));
        n++;
    }
    for (const char *c = q->headers; *c; c++)
        n_ours += *c == '\n';
    assert_int_equal(n, n_ours);
}

static void expect_question(const json_value *capture, const struct fake_question *q)
{
    const json_value *r = json_get(capture, "request");
    const json_value *headers = json_get(r, "headers");
    char url[1024], body[4096];

    snprintf(url, sizeof(url), "%s://%s%s", json_string(json_get(r, "scheme")),
             json_string(json_get(headers, "host")), json_string(json_get(r, "url")));
    snprintf(body, sizeof(body), "%s", json_string(json_get(r, "body")));
    replace(body, sizeof(body), "%0A", "");
    replace(body, sizeof(body), "RoleSessionName=flink%20exporter",
            "RoleSessionName=flink-exporter");
    replace(body, sizeof(body), "RoleSessionName=s&", "RoleSessionName=se&");
    assert_string_equal(q->method, json_string(json_get(r, "method")));
    assert_string_equal(q->url, url);
    assert_string_equal(q->body, body);
    assert_int_equal(q->has_body, strcmp(q->method, "GET") != 0);
    expect_headers(headers, q);
}

static void will_answer(const json_value *capture)
{
    const json_value *a = json_get(capture, "response");
    int64_t status;

    assert_int_equal(json_integer(json_get(a, "status"), &status), 0);
    fake_http_answer(&fake, (int)status, json_string(json_get(a, "body")));
}

static void expect_keys(const char *scenario, const struct credentials_grant *grant)
{
    const json_value *r = json_get(result_of(scenario), "result");

    assert_string_equal(grant->keys.access_key_id, json_string(json_get(r, "accessKeyId")));
    assert_string_equal(grant->keys.access_key_secret, json_string(json_get(r, "accessKeySecret")));
    assert_string_equal(grant->keys.security_token, json_string(json_get(r, "securityToken")));
    /* 2026-11-21T20:54:27Z, an hour on */
    assert_true(grant->expiration_unix_ms == now_unix_ms + 3600000);
}

/* skip: index of a captured request that we do not make; SIZE_MAX = none. */
static void have(const char *scenario, struct credentials_source *source, size_t skip)
{
    CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    bool fails = json_get(result_of(scenario), "result") == NULL;
    struct err err = {0};

    assert_non_null(source);
    fake_http_reset(&fake);
    for (size_t i = 0; request_of(scenario, i); i++)
        if (i != skip)
            will_answer(request_of(scenario, i));
    int r = source->ops->get(source, &grant, &err);
    source->ops->free(source);
    if (r < 0 && !fails)
        fail_msg("%s: %s", scenario, err.msg);
    assert_int_equal(r, fails ? -1 : 0);
    assert_int_equal(fake.n_asked, fake.n_answers);
    for (size_t i = 0, k = 0; request_of(scenario, i); i++)
        if (i != skip)
            expect_question(request_of(scenario, i), &fake.asked[k++]);
    if (!fails)
        expect_keys(scenario, &grant);
}

static void set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
    credentials_environment_take();
    unsetenv(name);
}

static const char token_text[] = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2ln";

static void oidc(const char *scenario, const char *uid, const char *role, const char *provider,
                 const char *session)
{
    char path[] = "/tmp/test_captures.XXXXXX", role_arn[128], provider_arn[128];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s\n", token_text) > 0);
    close(fd);
    snprintf(role_arn, sizeof(role_arn), "acs:ram::%s:role/%s", uid, role);
    snprintf(provider_arn, sizeof(provider_arn), "acs:ram::%s:oidc-provider/%s", uid, provider);
    const struct credentials_spec spec = {
        .role_arn = role_arn,
        .oidc_provider_arn = provider_arn,
        .oidc_token_file = path,
        .role_session_name = session,
    };
    have(scenario, credentials_oidc_new(&spec, &fake.http), SIZE_MAX);
    unlink(path);
}

static void test_oidc(void **state)
{
    (void)state;
    set_environment("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou");
    set_environment("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true");
    oidc("oidc_role_arn", "1234567890123456", "flinkmon", "ack-rrsa-c1234", "flink-exporter");
    set_environment("ALIBABA_CLOUD_STS_REGION", "");
    set_environment("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "");
    oidc("oidc_failure_401", "1", "x", "y", "se");
}

/* What the SDK's message shows of it in whole we show in words; the token never. */
static void test_oidc_failure_says_why(void **state)
{
    struct err err = {0};
    struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    struct sts sts = {.http = &fake.http};
    const struct sts_role role = {.role_arn = "acs:ram::1:role/x"};

    (void)state;
    fake_http_reset(&fake);
    will_answer(request_of("oidc_failure_401", 0));
    assert_int_equal(sts_assume_role_with_oidc(&sts, &role, "acs:ram::1:oidc-provider/y",
                                               token_text, &grant, &err),
                     -1);
    assert_int_equal(err.kind, ERR_AUTHENTICATION);
    assert_string_equal(err.msg, "AssumeRoleWithOIDC at https://sts.aliyuncs.com: HTTP 401, "
                                 "AuthenticationFail.OIDCToken.Expired: the token in the file has "
                                 "expired (RequestId 57E5F5B3-0000)");
}

static void test_metadata(void **state)
{
    const struct credentials_spec any = {.role_name = ""};
    const struct credentials_spec named = {.role_name = "FlinkMonRole"};

    (void)state;
    have("ecs_imdsv2_discover_role", credentials_ecs_new(&any, &fake.http), 2);
    for (size_t i = 0; i < fake.n_asked; i++) {
        assert_true(fake.asked[i].direct);
        assert_int_equal(fake.asked[i].connect_timeout_ms, 1000);
        assert_int_equal(fake.asked[i].timeout_ms, 2000);
    }
    have("ecs_imdsv2_named_role", credentials_ecs_new(&named, &fake.http), SIZE_MAX);
    have("ecs_imdsv1_fallback", credentials_ecs_new(&named, &fake.http), SIZE_MAX);
    set_environment("ALIBABA_CLOUD_IMDSV1_DISABLED", "true");
    have("ecs_imdsv1_disabled_token_fails", credentials_ecs_new(&named, &fake.http), SIZE_MAX);
    set_environment("ALIBABA_CLOUD_IMDSV1_DISABLED", "");
}

static void test_uri(void **state)
{
    const struct credentials_spec spec = {.uri = "http://localhost/creds?x=1"};
    const struct credentials_spec none = {.uri = ""};

    (void)state;
    have("credentials_uri", credentials_uri_new(&spec, &fake.http), SIZE_MAX);
    assert_true(fake.asked[0].direct);
    set_environment("ALIBABA_CLOUD_CREDENTIALS_URI", "http://localhost/creds?x=1");
    have("credentials_uri", credentials_uri_new(&none, &fake.http), SIZE_MAX);
    set_environment("ALIBABA_CLOUD_CREDENTIALS_URI", "");
}

static const struct credentials_keys vector_keys = {
    .access_key_id = (char[]){"LTAI4FakeAccessKeyId01"},
    .access_key_secret = (char[]){"FakeSecretForVectors0123456789ABC"},
};

static const struct sts_role vector_role = {
    .region = "cn-hangzhou",
    .role_arn = "acs:ram::1234567890123456:role/flinkmon",
    .session_name = "flink-exporter",
    .external_id = "ext/1",
};

/* The parameters and the answer of the capture; how they are sent is the next test's. */
static void test_assume_role(void **state)
{
    CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    struct sts sts = {.http = &fake.http};
    const json_value *r = json_get(request_of("ram_role_arn", 0), "request");
    char form[1024];
    struct err err = {0};

    (void)state;
    nonce = "cb699d8a7044322b2c74f3c8081ffbb2";
    fake_http_reset(&fake);
    will_answer(request_of("ram_role_arn", 0));
    assert_int_equal(sts_assume_role(&sts, &vector_role, &vector_keys, &grant, &err), 0);
    expect_keys("ram_role_arn", &grant);
    assert_string_equal(fake.asked[0].method, json_string(json_get(r, "method")));
    snprintf(form, sizeof(form), "%s", json_string(json_get(r, "body")));
    replace(form, sizeof(form), "flink%20exporter", "flink-exporter");
    size_t n = 0;
    for (const char *p = form; *p; p += strcspn(p, "&"), p += *p == '&', n++) {
        char pair[256];
        snprintf(pair, sizeof(pair), "%.*s", (int)strcspn(p, "&"), p);
        assert_non_null(strstr(fake.asked[0].url, pair));
    }
    assert_int_equal(n, 4);
}

/* sts-02 without x-acs-credentials-provider, signed anew by hand. */
static void test_assume_role_is_sent_as_by_the_sdk(void **state)
{
    static const char dir[] =
        AFE_FIXTURES "/sign/sts-02-assume-role-official-sts-sdk/canonical.txt";
    CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct sts sts = {.http = &fake.http};
    char signature[SIGN_HEX_LEN], expected[512], value[1024];
    struct err err = {0};
    size_t len;
    char *canonical = read_file(dir, &len);

    (void)state;
    now_unix_ms = INT64_C(1767668645000); /* 2026-01-06T03:04:05Z */
    nonce = "1f0c2baaa0cb49b40f11825ca2fab1f7";
    fake_http_reset(&fake);
    will_answer(request_of("ram_role_arn", 0));
    assert_int_equal(sts_assume_role(&sts, &vector_role, &vector_keys, &grant, &err), 0);
    const struct fake_question *q = &fake.asked[0];
    assert_string_equal(q->method, "POST");
    assert_string_equal(q->url, "https://sts.cn-hangzhou.aliyuncs.com/?DurationSeconds=3600&"
                                "ExternalId=ext%2F1&RoleArn=acs%3Aram%3A%3A1234567890123456%3Arole"
                                "%2Fflinkmon&RoleSessionName=flink-exporter");
    assert_true(q->has_body);
    assert_string_equal(q->body, "");
    replace(canonical, 100000, "x-acs-credentials-provider:static_ak\n", "");
    replace(canonical, 100000, "x-acs-credentials-provider;", "");
    len = strlen(canonical);
    if (len > 0 && canonical[len - 1] == '\n')
        canonical[--len] = '\0';
    assert_int_equal(sign_string_to_sign(canonical, len, &text, &err), 0);
    assert_int_equal(
        sign_signature(text.ptr, text.len, vector_keys.access_key_secret, signature, &err), 0);
    snprintf(expected, sizeof(expected),
             "ACS3-HMAC-SHA256 Credential=LTAI4FakeAccessKeyId01,SignedHeaders=host;x-acs-action;"
             "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=%s",
             signature);
    assert_string_equal(fake_http_header(q, "authorization", value, sizeof(value)), expected);
    assert_string_equal(fake_http_header(q, "x-acs-action", value, sizeof(value)), "AssumeRole");
    assert_string_equal(fake_http_header(q, "x-acs-version", value, sizeof(value)), "2015-04-01");
    assert_string_equal(fake_http_header(q, "accept", value, sizeof(value)), "application/json");
    assert_null(fake_http_header(q, "content-type", value, sizeof(value)));
    assert_null(fake_http_header(q, "workspace", value, sizeof(value)));
    free(canonical);
}

/* What is not looked at above would go unnoticed: every scenario of the file has its test. */
static void test_no_scenario_is_left_out(void **state)
{
    static const char *const known[] = {
        "oidc_role_arn",         "oidc_failure_401",    "ecs_imdsv2_discover_role",
        "ecs_imdsv2_named_role", "ecs_imdsv1_fallback", "ecs_imdsv1_disabled_token_fails",
        "credentials_uri",       "ram_role_arn",
    };
    size_t n = 0;

    (void)state;
    for (const json_value *c = json_first(captures); c; c = json_next(c), n++) {
        size_t i = 0;
        while (i < ARRAY_LEN(known) && strcmp(json_string(json_get(c, "scenario")), known[i]) != 0)
            i++;
        assert_true(i < ARRAY_LEN(known));
    }
    assert_int_equal(n, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oidc),
        cmocka_unit_test(test_oidc_failure_says_why),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_assume_role),
        cmocka_unit_test(test_assume_role_is_sent_as_by_the_sdk),
        cmocka_unit_test(test_no_scenario_is_left_out),
    };

    now_unix_ms = INT64_C(1795290867000); /* 2026-11-21T19:54:27Z */
    return cmocka_run_group_tests(tests, load, unload);
}
