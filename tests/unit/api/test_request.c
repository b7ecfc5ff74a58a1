/*
 * What one attempt sends. The signature of ListDeployments is compared with the vector of the
 * vendor's signer that has the very same header set (py-04-workspace-signed-minimal), another with
 * the steps of sign.h taken here.
 */
#include "request.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "alloc_fail.h"

#define VECTOR       AFE_FIXTURES "/sign/py-04-workspace-signed-minimal/signed.txt"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* 2026-02-03T04:05:06Z, the date of the vector; the milliseconds must not show. */
#define DATE_UNIX_MS 1770091506789

/* Every token of this file begins with it; free() is wrapped to see that none goes back readable.
 */
#define NEEDLE       "SENSITIVE"

static int leaks;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
    if (p && memmem(p, malloc_usable_size(p), NEEDLE, strlen(NEEDLE)))
        leaks++;
    __real_free(p);
}

/* The last test: looks back at all the others. */
static void no_token_went_back_readable(void **state)
{
    (void)state;
    assert_int_equal(leaks, 0);
}

static const char nonce[] = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

static char access_key_id[] = "LTAI4FakeAccessKeyId01";
static char access_key_secret[] = "FakeSecretForVectors0123456789ABC";
static const struct credentials_keys keys = {
    .access_key_id = access_key_id,
    .access_key_secret = access_key_secret,
};

static struct request list_request(void)
{
    return (struct request){
        .method = "GET",
        .origin = "https://ververica.cn-hangzhou.aliyuncs.com",
        .host = "ververica.cn-hangzhou.aliyuncs.com",
        .action = "ListDeployments",
        .path = "/api/v2/namespaces/default-namespace/deployments",
        .query = "pageIndex=3&pageSize=100",
        .workspace = "a14bd5d90a4f4e",
    };
}

/* The value of a header on the wire, NULL if it is not sent; fails the test if it is sent twice. */
static const char *header(const struct request_wire *wire, const char *name)
{
    const char *value = NULL;
    size_t len = strlen(name);

    for (size_t i = 0; i < wire->n_headers; i++) {
        const char *line = strbuf_str(&wire->headers[i]);
        if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0) {
            assert_null(value);
            value = line + len + 2;
        }
    }
    return value;
}

static void assert_header(const struct request_wire *wire, const char *name, const char *expected)
{
    const char *value = header(wire, name);

    if (!value)
        fail_msg("no header %s", name);
    assert_string_equal(value, expected);
}

static void signs_like_the_vector(void **state)
{
    (void)state;
    struct request request = list_request();
    struct request_wire wire = {0};
    struct err err = {0};
    char signature[128];
    char authorization[512];

    FILE *f = fopen(VECTOR, "r");
    assert_non_null(f);
    assert_non_null(fgets(signature, sizeof(signature), f));
    assert_non_null(fgets(authorization, sizeof(authorization), f));
    fclose(f);
    authorization[strcspn(authorization, "\n")] = '\0';

    assert_int_equal(request_sign(&request, &keys, DATE_UNIX_MS, nonce, &wire, &err), 0);
    assert_header(&wire, "authorization", authorization);
    assert_string_equal(strbuf_str(&wire.url),
                        "https://ververica.cn-hangzhou.aliyuncs.com/api/v2/namespaces/"
                        "default-namespace/deployments?pageIndex=3&pageSize=100");
    assert_header(&wire, "host", "ververica.cn-hangzhou.aliyuncs.com");
    assert_header(&wire, "x-acs-action", "ListDeployments");
    assert_header(&wire, "x-acs-version", "2022-07-18");
    assert_header(&wire, "x-acs-date", "2026-02-03T04:05:06Z");
    assert_header(&wire, "x-acs-signature-nonce", nonce);
    assert_header(&wire, "x-acs-content-sha256", EMPTY_SHA256);
    assert_header(&wire, "workspace", "a14bd5d90a4f4e");
    assert_header(&wire, "accept", "application/json");
    assert_int_equal(wire.n_headers, 9); /* these and no other */
    assert_int_equal(strlen(wire.canonical_hash), 64);

    request_wire_release(&wire);
    request_wire_release(&wire); /* harmless */
    assert_int_equal(wire.n_headers, 0);
}

static void signs_body_and_token(void **state)
{
    (void)state;
    static const char body[] = "{\"a\":1}";
    static char token[] = "SENSITIVE/with+plus==";
    struct credentials_keys temporary = keys;
    struct request request = list_request();
    struct request_wire wire = {0};
    struct strbuf expected = STRBUF_INIT;
    struct err err = {0};
    char hash[SIGN_HEX_LEN];

    temporary.security_token = token;
    request.method = "POST";
    request.query = "";
    request.host = "localhost:8443";
    request.body = body;
    request.body_len = strlen(body);
    assert_int_equal(request_sign(&request, &temporary, DATE_UNIX_MS, nonce, &wire, &err), 0);

    assert_int_equal(sign_sha256_hex(body, strlen(body), hash, &err), 0);
    const struct sign_header headers[] = {
        {"workspace", "a14bd5d90a4f4e"},
        {"host", "localhost:8443"},
        {"content-type", "application/json; charset=utf-8"},
        {"x-acs-action", "ListDeployments"},
        {"x-acs-content-sha256", hash},
        {"x-acs-date", "2026-02-03T04:05:06Z"},
        {"x-acs-security-token", token},
        {"x-acs-signature-nonce", nonce},
        {"x-acs-version", "2022-07-18"},
    };
    const struct sign_request part = {
        .method = "POST",
        .path = request.path,
        .query = "",
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = body,
        .body_len = strlen(body),
    };
    assert_int_equal(
        sign_authorization(&part, access_key_id, access_key_secret, &expected, NULL, &err), 0);
    assert_header(&wire, "authorization", strbuf_str(&expected));
    assert_non_null(strstr(strbuf_str(&expected), "SignedHeaders=content-type;host;workspace;"));
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_header(&wire, headers[i].name, headers[i].value);
    assert_string_equal(strbuf_str(&wire.url), "https://ververica.cn-hangzhou.aliyuncs.com/api/v2/"
                                               "namespaces/default-namespace/deployments");

    strbuf_release(&expected);
    request_wire_release(&wire);
}

static void leaves_out_what_is_not_there(void **state)
{
    (void)state;
    struct request request = list_request();
    struct request_wire wire = {0};
    struct err err = {0};

    request.workspace = NULL;
    assert_int_equal(request_sign(&request, &keys, DATE_UNIX_MS, nonce, &wire, &err), 0);
    assert_null(header(&wire, "workspace"));
    assert_null(header(&wire, "content-type"));
    assert_null(header(&wire, "x-acs-security-token"));
    assert_int_equal(wire.n_headers, 8);
    request_wire_release(&wire);
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *namespace_name;
        const char *literal;
        const char *segment;
        const char *expected;
    } cases[] = {
        {"default-namespace", "/deployments", NULL,
         "/api/v2/namespaces/default-namespace/deployments"},
        {"a/b", "/deployments", NULL, "/api/v2/namespaces/a%2Fb/deployments"},
        {"../../x?y#z", "/deployments", NULL, "/api/v2/namespaces/..%2F..%2Fx%3Fy%23z/deployments"},
        {"a%2Fb +\r\n", "/deployments", NULL, "/api/v2/namespaces/a%252Fb%20%2B%0D%0A/deployments"},
        {"\xe8\xae\xa2\xff", "/deployments", NULL, "/api/v2/namespaces/%E8%AE%A2%FF/deployments"},
        {"n", "/deployments/name", "job (1)!'x'/*\xe8\xae\xa2~",
         "/api/v2/namespaces/n/deployments/name/job%20%281%29%21%27x%27%2F%2A%E8%AE%A2~"},
        {"n", "/deployments", "", "/api/v2/namespaces/n/deployments/"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf path = STRBUF_INIT;
        struct request request = list_request();
        struct request_wire wire = {0};
        struct err err = {0};
        request_path(&path, cases[i].namespace_name, cases[i].literal, cases[i].segment);
        assert_string_equal(strbuf_str(&path), cases[i].expected);
        /* Whatever the name, it is a path that can be signed. */
        request.path = strbuf_str(&path);
        assert_int_equal(request_sign(&request, &keys, DATE_UNIX_MS, nonce, &wire, &err), 0);
        assert_non_null(strstr(strbuf_str(&wire.url), cases[i].expected));
        strbuf_release(&path);
        request_wire_release(&wire);
    }
}

static void expect_refused(const struct request *request, const struct credentials_keys *with,
                           enum err_kind kind, const char *message)
{
    struct request_wire wire = {0};
    struct err err = {0};

    assert_int_equal(request_sign(request, with, DATE_UNIX_MS, nonce, &wire, &err), -1);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.msg, message))
        fail_msg("%s: not about %s", err.msg, message);
    assert_null(strstr(err.msg, NEEDLE));
    assert_null(wire.headers); /* untouched */
    assert_null(wire.url.ptr);
}

static void refuses_injected_headers(void **state)
{
    (void)state;
    static char bad_token[] = "SENSITIVE\r\nx-evil: 1";
    static char bad_id[] = "id\r\nx-evil: 1";
    static char empty[] = "";
    struct request request = list_request();
    struct credentials_keys with = keys;

    request.workspace = "w\r\nx-evil: 1";
    expect_refused(&request, &keys, ERR_INTERNAL, "workspace");
    request.workspace = "w\nx-evil: 1";
    expect_refused(&request, &keys, ERR_INTERNAL, "workspace");
    request.workspace = "";
    expect_refused(&request, &keys, ERR_INTERNAL, "workspace is empty");
    request.workspace = " \t";
    expect_refused(&request, &keys, ERR_INTERNAL, "workspace is empty");
    request = list_request();
    request.host = "h\rx";
    expect_refused(&request, &keys, ERR_INTERNAL, "host");
    request = list_request();
    with.security_token = bad_token;
    expect_refused(&request, &with, ERR_INTERNAL, "x-acs-security-token");
    with.security_token = empty;
    expect_refused(&request, &with, ERR_INTERNAL, "x-acs-security-token is empty");
    with = keys;
    with.access_key_id = bad_id;
    expect_refused(&request, &with, ERR_AUTHENTICATION, "AccessKey id");
}

static void refuses_what_is_not_encoded(void **state)
{
    (void)state;
    static const char *const paths_refused[] = {"",     "x",   "/a b", "/a?b",
                                                "/a#b", "/a+", "/\n",  "/\x80"};
    static const char *const queries_refused[] = {"a=b c", "a=b#", "a=+", "a=b/c", "a\n=b"};
    struct request request = list_request();

    for (size_t i = 0; i < ARRAY_LEN(paths_refused); i++) {
        request.path = paths_refused[i];
        expect_refused(&request, &keys, ERR_INTERNAL, "path of the URL");
    }
    request = list_request();
    for (size_t i = 0; i < ARRAY_LEN(queries_refused); i++) {
        request.query = queries_refused[i];
        expect_refused(&request, &keys, ERR_INTERNAL, "query of the URL");
    }
    request = list_request();
    request.origin = "https://user@host";
    expect_refused(&request, &keys, ERR_INTERNAL, "origin of the URL");
}

static void nonces_differ(void **state)
{
    (void)state;
    char a[REQUEST_NONCE_LEN];
    char b[REQUEST_NONCE_LEN];
    struct err err = {0};

    for (int i = 0; i < 100; i++) {
        assert_int_equal(request_nonce(a, &err), 0);
        assert_int_equal(request_nonce(b, &err), 0);
        assert_int_equal(strlen(a), 32);
        assert_int_equal(strspn(a, "0123456789abcdef"), 32);
        assert_string_not_equal(a, b);
    }
}

/* A new nonce or date gives a new signature: nothing is kept between attempts. */
static void attempts_differ(void **state)
{
    (void)state;
    struct request request = list_request();
    struct request_wire wires[3] = {0};
    struct err err = {0};

    assert_int_equal(request_sign(&request, &keys, DATE_UNIX_MS, nonce, &wires[0], &err), 0);
    assert_int_equal(request_sign(&request, &keys, DATE_UNIX_MS, "n2", &wires[1], &err), 0);
    assert_int_equal(request_sign(&request, &keys, DATE_UNIX_MS + 1000, nonce, &wires[2], &err), 0);
    for (size_t i = 1; i < ARRAY_LEN(wires); i++) {
        assert_string_not_equal(header(&wires[0], "authorization"),
                                header(&wires[i], "authorization"));
        assert_string_not_equal(wires[0].canonical_hash, wires[i].canonical_hash);
    }
    for (size_t i = 0; i < ARRAY_LEN(wires); i++)
        request_wire_release(&wires[i]);
}

static size_t allocations_with(char *token)
{
    struct credentials_keys temporary = keys;
    struct request request = list_request();
    struct request_wire wire = {0};
    struct err err = {0};

    temporary.security_token = token;
    alloc_fail_at(SIZE_MAX);
    assert_int_equal(request_sign(&request, &temporary, DATE_UNIX_MS, nonce, &wire, &err), 0);
    alloc_fail_off();
    request_wire_release(&wire);
    return alloc_fail_count();
}

/* A buffer that grows leaves a copy behind, out of free()'s sight: no buffer with a token does. */
static void no_buffer_with_a_token_grows(void **state)
{
    (void)state;
    static char longer[2001];
    static char shorter[] = NEEDLE;

    memset(longer, 'x', sizeof(longer) - 1);
    assert_int_equal(allocations_with(longer), allocations_with(shorter));
}

static void survives_no_memory(void **state)
{
    (void)state;
    static char token[] = "SENSITIVE-token-that-is-longer-than-the-first-allocation-of-a-buffer-is";
    struct credentials_keys temporary = keys;
    struct request request = list_request();

    temporary.security_token = token;
    for (size_t n = 1;; n++) {
        struct request_wire wire = {0};
        struct err err = {0};
        alloc_fail_at(n);
        int r = request_sign(&request, &temporary, DATE_UNIX_MS, nonce, &wire, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(r, 0);
            assert_true(n > 10);
            request_wire_release(&wire);
            break;
        }
        assert_int_equal(r, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(wire.headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_like_the_vector),
        cmocka_unit_test(signs_body_and_token),
        cmocka_unit_test(leaves_out_what_is_not_there),
        cmocka_unit_test(paths),
        cmocka_unit_test(refuses_injected_headers),
        cmocka_unit_test(refuses_what_is_not_encoded),
        cmocka_unit_test(nonces_differ),
        cmocka_unit_test(attempts_differ),
        cmocka_unit_test(no_buffer_with_a_token_grows),
        cmocka_unit_test(survives_no_memory),
        cmocka_unit_test(no_token_went_back_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
