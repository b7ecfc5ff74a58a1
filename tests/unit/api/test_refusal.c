#include "page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/strbuf.h"
#include "base/utf8.h"

struct answer {
    struct api_refusal refusal;
    struct err err;
};

static struct answer decode_bytes(int status, const char *body, size_t len, const char *id)
{
    struct answer a;

    memset(&a, 0x5a, sizeof(a));
    assert_int_equal(refusal_decode(status, body, len, id, &a.refusal, &a.err), -1);
    return a;
}

static struct answer decode(int status, const char *body, const char *id)
{
    return decode_bytes(status, body, strlen(body), id);
}

static struct answer decode_code(int status, const char *code)
{
    char body[256];

    (void)snprintf(body, sizeof(body), "{\"RequestId\":\"R\",\"Code\":\"%s\",\"Message\":\"m\"}",
                   code);
    return decode(status, body, NULL);
}

static void test_codes(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum err_kind kind;
        enum retry_hint hint;
    } cases[] = {
        {404, "InvalidAccessKeyId.NotFound", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "InvalidAccessKeyId.Inactive", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "InvalidAccessKeyId", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "SignatureDoesNotMatch", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {403, "SignatureDoesNotMatch", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "IncompleteSignature", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "MissingAccessKeyId", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "MissingSignatureNonce", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "MissingTimestamp", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "MissingSecurityToken", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "MissingPageSize", ERR_API, RETRY_HINT_NONE},
        {400, "InvalidTimeStamp.Format", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {400, "InvalidTimeStamp.Expired", ERR_AUTHENTICATION, RETRY_HINT_DATE_REFUSED},
        {400, "SignatureNonceUsed", ERR_AUTHENTICATION, RETRY_HINT_NONCE_USED},
        {400, "InvalidSecurityToken.Expired", ERR_AUTHENTICATION, RETRY_HINT_TOKEN_REFUSED},
        {403, "InvalidSecurityToken.Malformed", ERR_AUTHENTICATION, RETRY_HINT_TOKEN_REFUSED},
        {400, "InvalidSecurityToken.MismatchWithAccessKey", ERR_AUTHENTICATION,
         RETRY_HINT_TOKEN_REFUSED},
        {403, "Forbidden.RAM", ERR_PERMISSION, RETRY_HINT_NONE},
        {403, "Forbidden", ERR_PERMISSION, RETRY_HINT_NONE},
        {400, "NoPermission", ERR_PERMISSION, RETRY_HINT_NONE},
        {400, "Throttling", ERR_THROTTLED, RETRY_HINT_NONE},
        {400, "Throttling.User", ERR_THROTTLED, RETRY_HINT_NONE},
        {429, "Throttling.Api", ERR_THROTTLED, RETRY_HINT_NONE},
        {503, "Throttling.AllocationQuota", ERR_THROTTLED, RETRY_HINT_NONE},
        {400, "Rejected.Throttling", ERR_THROTTLED, RETRY_HINT_NONE},
        {503, "ServiceUnavailable", ERR_HTTP, RETRY_HINT_NONE},
        {500, "InternalError", ERR_HTTP, RETRY_HINT_NONE},
        {404, "InvalidApi.NotFound", ERR_API, RETRY_HINT_NONE},
        {404, "InvalidVersion", ERR_API, RETRY_HINT_NONE},
        {405, "UnsupportedHTTPMethod", ERR_API, RETRY_HINT_NONE},
        {400, "InvalidProtocol.NeedSsl", ERR_API, RETRY_HINT_NONE},
        {401, "SomethingNew", ERR_AUTHENTICATION, RETRY_HINT_NONE},
        {403, "SomethingNew", ERR_PERMISSION, RETRY_HINT_NONE},
        {429, "SomethingNew", ERR_THROTTLED, RETRY_HINT_NONE},
        {302, "SomethingNew", ERR_HTTP, RETRY_HINT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a = decode_code(cases[i].status, cases[i].code);

        if (a.err.kind != cases[i].kind)
            fail_msg("%s: kind %s", cases[i].code, err_kind_name(a.err.kind));
        assert_int_equal(a.refusal.hint, cases[i].hint);
        assert_string_equal(a.refusal.code, cases[i].code);
        assert_string_equal(a.refusal.request_id, "R");
        /* The code speaks for itself inside an envelope, too. */
        assert_non_null(strstr(a.err.msg, cases[i].status == 302 ? "redirect" : cases[i].code));
    }
}

static void test_statuses_alone(void **state)
{
    static const struct {
        int status;
        enum err_kind kind;
        const char *msg;
    } cases[] = {
        {400, ERR_HTTP, "HTTP 400 (RequestId H-1)"},
        {401, ERR_AUTHENTICATION, "HTTP 401 (RequestId H-1)"},
        {403, ERR_PERMISSION, "HTTP 403 (RequestId H-1)"},
        {404, ERR_HTTP, "HTTP 404 (RequestId H-1)"},
        {429, ERR_THROTTLED, "HTTP 429 (RequestId H-1)"},
        {500, ERR_HTTP, "HTTP 500 (RequestId H-1)"},
        {503, ERR_HTTP, "HTTP 503 (RequestId H-1)"},
        {204, ERR_HTTP, "HTTP 204 (RequestId H-1)"},
        {301, ERR_HTTP, "HTTP 301, a redirect to another address is not followed (RequestId H-1)"},
        {307, ERR_HTTP, "HTTP 307, a redirect to another address is not followed (RequestId H-1)"},
    };
    static const char *const bodies[] = {
        "",
        "  \r\n",
        "Bad gateway",
        "<html><head><title>502</title></head><body><Code>not ours</Code></body></html>",
        "<!DOCTYPE html><code>x</code>",
        "{\"Code\":\"cut",
        "{}",
        "{\"Code\":\"\",\"Message\":\"\"}",
        "{\"Code\":\"\\\"\\\"\",\"Message\":\"\\\"\\\"\"}",
        "{\"Code\":null,\"Message\":[1]}",
        "[\"Code\"]",
        "<Error><Code></Code></Error>",
        "<Error><Code>open",
        "<Error>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t k = 0; k < ARRAY_LEN(bodies); k++) {
            struct answer a = decode(cases[i].status, bodies[k], "H-1");

            assert_int_equal(a.err.kind, cases[i].kind);
            assert_string_equal(a.err.msg, cases[i].msg);
            assert_string_equal(a.refusal.code, "");
            assert_string_equal(a.refusal.message, "");
            assert_string_equal(a.refusal.request_id, "H-1");
            assert_int_equal(a.refusal.hint, RETRY_HINT_NONE);
        }
    }
    struct answer a = decode_bytes(502, NULL, 0, NULL);
    assert_string_equal(a.err.msg, "HTTP 502");
}

static void test_bodies(void **state)
{
    static const struct {
        const char *body;
        const char *msg;
    } cases[] = {
        {"{\"RequestId\":\"R\",\"HostId\":\"h\",\"Code\":\"Forbidden.RAM\",\"Message\":\"User not "
         "authorized to operate on the specified resource.\",\"Recommend\":\"https://r\","
         "\"AccessDeniedDetail\":{\"PolicyType\":\"x\"}}",
         "HTTP 403, Forbidden.RAM: User not authorized to operate on the specified resource. "
         "(RequestId R)"},
        {"{\"requestId\":\"R\",\"code\":\"Forbidden.RAM\",\"message\":\"no\"}",
         "HTTP 403, Forbidden.RAM: no (RequestId R)"},
        {"{\"requestId\":\"R\",\"success\":false,\"errorCode\":\"Forbidden\",\"errorMessage\":"
         "\"no\"}",
         "HTTP 403, Forbidden: no (RequestId R)"},
        {"{\"Code\":\"Forbidden\",\"Message\":\"two\\r\\n\\tlines \\u0001\"}",
         "HTTP 403, Forbidden: two lines (RequestId H)"},
        {"{\"Message\":\"no code\"}", "HTTP 403: no code (RequestId H)"},
        {" \n<?xml version='1.0' encoding='UTF-8'?>\n<Error><RequestId>R</RequestId><HostId>h"
         "</HostId><Code>Forbidden.RAM</Code><Message>&lt;a&gt; &amp;amp; &quot;b&apos; &#10; &x"
         "</Message></Error>",
         "HTTP 403, Forbidden.RAM: <a> &amp; \"b' &#10; &x (RequestId R)"},
        {"<Error><Code>Forbidden</Code><Message>two\nlines\xff</Message></Error>",
         "HTTP 403, Forbidden: two lines\xef\xbf\xbd (RequestId H)"},
        {"{\"errorCode\":990301,\"success\":false}", "HTTP 403, 990301 (RequestId H)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a = decode(403, cases[i].body, "H");

        assert_string_equal(a.err.msg, cases[i].msg);
        assert_int_equal(a.err.kind, ERR_PERMISSION);
    }
}

/* RELIABILITY A10: what was signed and the signature never leave this function. */
static void test_no_secrets(void **state)
{
    static const char *const bodies[] = {
        "{\"Code\":\"SignatureDoesNotMatch\",\"Message\":\"server string to sign is:SECRET\"}",
        "{\"Code\":\"SignatureDoesNotMatch\",\"Message\":\"SECRET\"}",
        "{\"Code\":\"IncompleteSignature\",\"Message\":\"SECRET\"}",
        "{\"Code\":\"InvalidSecurityToken.Malformed\",\"Message\":\"token SECRET\"}",
        "{\"Code\":\"Other\",\"Message\":\"SECRET ... StringToSign\"}",
        "{\"Code\":\"Other\",\"Message\":\"Authorization: ACS3-HMAC-SHA256 Signature=SECRET\"}",
        "{\"Code\":\"Other\",\"Message\":\"SECRET string\\nto\\tSIGN\"}",
        "{\"Code\":\"Other\",\"Message\":\"SECRET String-To-Sign\"}",
        "{\"success\":false,\"errorCode\":\"1\",\"errorMessage\":\"signature: SECRET\"}",
        "<Error><Code>SignatureDoesNotMatch</Code><Message>SECRET</Message></Error>",
        "<Error><Code>New</Code><Message>SECRET Canonical request</Message></Error>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct answer a = decode(400, bodies[i], NULL);

        assert_null(strstr(a.err.msg, "SECRET"));
        assert_null(strstr(a.refusal.message, "SECRET"));
        assert_string_not_equal(a.refusal.message, "");
    }
    /* The words that give it away stand behind the cut. */
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    strbuf_addf(&body, "{\"Code\":\"X\",\"Message\":\"SECRET%0*d string to sign\"}", 5000, 0);
    struct answer a = decode(400, strbuf_str(&body), NULL);
    assert_null(strstr(a.err.msg, "SECRET"));
    strbuf_reset(&body);
    strbuf_addf(&body, "<Error><Message>SECRET%0*d string to sign</Message></Error>", 5000, 0);
    a = decode(400, strbuf_str(&body), NULL);
    assert_null(strstr(a.err.msg, "SECRET"));
    a = decode_code(400, "SignatureDoesNotMatch");
    assert_string_equal(a.err.msg, "HTTP 400, SignatureDoesNotMatch: check the AccessKey secret "
                                   "and the clock (RequestId R)");
}

static void test_long_texts(void **state)
{
    (void)state;
    for (int n = 50; n < 300; n++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

        strbuf_addf(&body,
                    "{\"Code\":\"%0*d\xe4\xb8\xad\",\"Message\":\"%0*d\xe4\xb8\xad\","
                    "\"RequestId\":\"%0*d\xe4\xb8\xad\"}",
                    n, 0, n, 0, n, 0);
        struct answer a = decode(400, strbuf_str(&body), NULL);
        assert_true(utf8_valid(a.refusal.code, strlen(a.refusal.code)));
        assert_true(utf8_valid(a.refusal.message, strlen(a.refusal.message)));
        assert_true(utf8_valid(a.refusal.request_id, strlen(a.refusal.request_id)));
        assert_true(utf8_valid(a.err.msg, strlen(a.err.msg)));
        size_t max = sizeof(a.refusal.message) - 1;
        size_t full = (size_t)n + 3;
        assert_int_equal(strlen(a.refusal.message), full <= max       ? full
                                                    : (size_t)n < max ? (size_t)n
                                                                      : max);
    }
}

/* Larger than any error document: the status has to do. */
static void test_huge_bodies(void **state)
{
    static const char *const heads[] = {"{\"Code\":\"Forbidden\",\"x\":\"",
                                        "<Error><Code>Forbidden"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

        strbuf_addf(&body, "%s%0*d\"}</Code></Error>", heads[i], 1 << 20, 0);
        struct answer a = decode(400, strbuf_str(&body), NULL);
        assert_int_equal(a.err.kind, ERR_HTTP);
        assert_string_equal(a.err.msg, "HTTP 400");
    }
}

static void test_no_memory(void **state)
{
    static const char *const bodies[] = {"{\"Code\":\"Forbidden\",\"Message\":\"m\"}",
                                         "<Error><Code>Forbidden</Code></Error>"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        for (size_t n = 1;; n++) {
            alloc_fail_at(n);
            struct answer a = decode(401, bodies[i], "H");
            alloc_fail_off();
            if (alloc_fail_count() < n) {
                assert_int_equal(a.err.kind, ERR_PERMISSION);
                break;
            }
            assert_int_equal(a.err.kind, ERR_AUTHENTICATION);
            assert_string_equal(a.err.msg, "HTTP 401 (RequestId H)");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),      cmocka_unit_test(test_statuses_alone),
        cmocka_unit_test(test_bodies),     cmocka_unit_test(test_no_secrets),
        cmocka_unit_test(test_long_texts), cmocka_unit_test(test_huge_bodies),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
