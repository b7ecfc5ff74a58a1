/* The verifier against bytes that real signers made, and against what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "uri.h"
#include "verify.h"

#define MAX_HEADERS 32

struct vector {
    const char *id;
    struct verify_request request;
    struct verify_header headers[MAX_HEADERS];
    struct strbuf query;
    struct verify_account account;
    int64_t date_s;
    const cJSON *expected;
    bool as_received;
};

static cJSON *load_vectors(void)
{
    FILE *f = fopen(AFE_FIXTURES "/simulator/vectors.json", "rb");
    assert_non_null(f);
    struct strbuf text = STRBUF_INIT;
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        strbuf_add(&text, piece, n);
    fclose(f);
    cJSON *all = cJSON_Parse(strbuf_str(&text));
    assert_non_null(all);
    strbuf_release(&text);
    return all;
}

static const char *str(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static int64_t seconds_of(const char *date)
{
    int y, mo, d, h, mi, s;
    int64_t unix_s;
    assert_int_equal(sscanf(date, "%d-%d-%dT%d:%d:%dZ", &y, &mo, &d, &h, &mi, &s), 6);
    assert_int_equal(clock_unix_from_utc(y, mo, d, h, mi, s, &unix_s), 0);
    return unix_s;
}

static void read_query(struct vector *v, const cJSON *input)
{
    const char *wire = str(input, "query_on_wire");
    if (wire) {
        strbuf_adds(&v->query, wire);
        return;
    }
    const cJSON *pair;
    cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(input, "query_decoded"))
    {
        const char *key = cJSON_GetArrayItem(pair, 0)->valuestring;
        const char *value = cJSON_GetArrayItem(pair, 1)->valuestring;
        if (v->query.len)
            strbuf_addc(&v->query, '&');
        uri_encode(&v->query, key, strlen(key), "");
        strbuf_addc(&v->query, '=');
        uri_encode(&v->query, value, strlen(value), "");
    }
}

static void read_vector(const cJSON *item, struct vector *v)
{
    *v = (struct vector){.id = str(item, "id")};
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(item, "input");
    v->expected = cJSON_GetObjectItemCaseSensitive(item, "expected");
    v->as_received = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "asReceived"));
    read_query(v, input);
    size_t n = 0;
    const cJSON *header;
    cJSON_ArrayForEach(header, cJSON_GetObjectItemCaseSensitive(input, "headers"))
    {
        assert_true(n < MAX_HEADERS - 1);
        v->headers[n++] = (struct verify_header){header->string, header->valuestring};
    }
    v->headers[n++] = (struct verify_header){"Authorization", str(v->expected, "authorization")};
    const char *body = str(input, "body");
    const char *token = str(input, "securityToken");
    v->request = (struct verify_request){
        .method = str(input, "method"),
        .raw_path = str(input, "path"),
        .raw_query = strbuf_str(&v->query),
        .headers = v->headers,
        .n_headers = n,
        .body = body,
        .body_len = strlen(body),
    };
    v->account = (struct verify_account){.key_id = str(input, "accessKeyId"),
                                         .key_secret = str(input, "accessKeySecret"),
                                         .token = token ? token : "",
                                         .expired_token = ""};
    v->date_s = seconds_of(str(input, "date"));
}

/* Canonical request, string to sign and signature, each byte for byte. */
static void same_texts(const struct vector *v, const struct verify_texts *t)
{
    assert_string_equal(strbuf_str(&t->canonical_request), str(v->expected, "canonicalRequest"));
    assert_string_equal(strbuf_str(&t->string_to_sign), str(v->expected, "stringToSign"));
    assert_string_equal(t->signature, str(v->expected, "signature"));
}

static bool computes(const struct vector *v, enum verify_path path)
{
    struct verify_texts t;
    assert_int_equal(verify_compute(&v->request, str(v->expected, "signedHeaders"), path,
                                    v->account.key_secret, &t),
                     0);
    bool same = strcmp(t.signature, str(v->expected, "signature")) == 0;
    if (same)
        same_texts(v, &t);
    else if (v->as_received && path == VERIFY_PATH_AS_RECEIVED)
        fail_msg("%s: computed\n%s", v->id, strbuf_str(&t.canonical_request));
    verify_texts_release(&t);
    return same;
}

static void test_vectors(void **state)
{
    (void)state;
    cJSON *all = load_vectors();
    size_t n = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(all, "vectors"))
    {
        struct vector v;
        read_vector(item, &v);
        bool any = false;
        for (int path = VERIFY_PATH_AS_RECEIVED; path < VERIFY_PATH_END; path++)
            any = computes(&v, (enum verify_path)path) || any;
        if (!any)
            fail_msg("%s: no way of reading the path gives the signature", v.id);

        struct verify_verdict verdict;
        verify_check(&v.request, &v.account, v.date_s, &verdict);
        if (!verdict.accepted)
            fail_msg("%s: %s: %s", v.id, verdict.code, strbuf_str(&verdict.message));
        assert_non_null(verdict.nonce);
        verify_verdict_release(&verdict);
        strbuf_release(&v.query);
        n++;
    }
    assert_true(n >= 25);
    cJSON_Delete(all);
}

/* --- refusals: each changes one thing of a good request --- */

struct twist {
    const char *what;
    void (*change)(struct vector *v);
    int status;
    const char *code;
};

static struct verify_header *header(struct vector *v, const char *name)
{
    for (size_t i = 0; i < v->request.n_headers; i++) {
        if (strcmp(v->headers[i].name, name) == 0)
            return &v->headers[i];
    }
    fail_msg("no header %s", name);
    return NULL;
}

static void drop(struct vector *v, const char *name)
{
    struct verify_header *h = header(v, name);
    *h = v->headers[--v->request.n_headers];
}

static void add(struct vector *v, const char *name, const char *value)
{
    assert_true(v->request.n_headers < MAX_HEADERS);
    v->headers[v->request.n_headers++] = (struct verify_header){name, value};
}

static void other_key(struct vector *v)
{
    v->account.key_id = "LTAI-another";
}
static void other_secret(struct vector *v)
{
    v->account.key_secret = "another";
}
static void late(struct vector *v)
{
    v->date_s += VERIFY_TOLERANCE_S + 1;
}
static void early(struct vector *v)
{
    v->date_s -= VERIFY_TOLERANCE_S + 1;
}
static void no_authorization(struct vector *v)
{
    drop(v, "Authorization");
}
static void no_nonce(struct vector *v)
{
    drop(v, "x-acs-signature-nonce");
}
static void no_date(struct vector *v)
{
    drop(v, "x-acs-date");
}
static void no_hash(struct vector *v)
{
    drop(v, "x-acs-content-sha256");
}
static void no_host(struct vector *v)
{
    drop(v, "host");
}
static void no_action(struct vector *v)
{
    drop(v, "x-acs-action");
}
static void no_version(struct vector *v)
{
    drop(v, "x-acs-version");
}
static void bad_date(struct vector *v)
{
    header(v, "x-acs-date")->value = "2026-01-01 03:04:00Z";
}
static void date_that_is_none(struct vector *v)
{
    header(v, "x-acs-date")->value = "2026-02-30T03:04:00Z";
}
static void signed_date_changed(struct vector *v)
{
    static char text[32];
    snprintf(text, sizeof(text), "%s", header(v, "x-acs-date")->value);
    text[strlen(text) - 2] ^= 1; /* a second more or less */
    header(v, "x-acs-date")->value = text;
}
static void unsigned_acs_header(struct vector *v)
{
    add(v, "X-Acs-Extra", "1");
}
static void unsigned_content_type(struct vector *v)
{
    add(v, "Content-Type", "application/json");
}
static void unexpected_token(struct vector *v)
{
    v->account.token = "STS.token";
}
static void old_token(struct vector *v)
{
    v->account.expired_token = v->account.token;
    v->account.token = "STS.new";
}
static void other_body(struct vector *v)
{
    v->request.body = "{}";
    v->request.body_len = 2;
}
static void other_query(struct vector *v)
{
    v->request.raw_query = "pageIndex=3&pageSize=100";
}
static void other_path(struct vector *v)
{
    v->request.raw_path = "/api/v2/namespaces/another/deployments";
}
static void other_method(struct vector *v)
{
    v->request.method = "POST";
}
static void header_signed_but_gone(struct vector *v)
{
    header(v, "Authorization")->value =
        "ACS3-HMAC-SHA256 Credential=LTAI4FakeAccessKeyId01,SignedHeaders=host;workspace;"
        "x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=00";
}
static void unsorted(struct vector *v)
{
    header(v, "Authorization")->value =
        "ACS3-HMAC-SHA256 Credential=LTAI4FakeAccessKeyId01,SignedHeaders=x-acs-action;host,"
        "Signature=00";
}
static void another_scheme(struct vector *v)
{
    header(v, "Authorization")->value = "Basic dXNlcjpwYXNz";
}
static void trailing_rubbish(struct vector *v)
{
    static char text[1024];
    snprintf(text, sizeof(text), "%s,x", header(v, "Authorization")->value);
    header(v, "Authorization")->value = text;
}

static const struct twist twists[] = {
    {"unknown key", other_key, 404, "InvalidAccessKeyId.NotFound"},
    {"another secret", other_secret, 400, "SignatureDoesNotMatch"},
    {"clock behind", late, 400, "InvalidTimeStamp.Expired"},
    {"clock ahead", early, 400, "InvalidTimeStamp.Expired"},
    {"no authorization", no_authorization, 400, "MissingAuthorization"},
    {"no nonce", no_nonce, 400, "MissingSignatureNonce"},
    {"no date", no_date, 400, "MissingDate"},
    {"no hash", no_hash, 400, "MissingContentSha256"},
    {"no host", no_host, 400, "MissingHost"},
    {"no action", no_action, 400, "MissingAction"},
    {"no version", no_version, 400, "MissingVersion"},
    {"date in another form", bad_date, 400, "InvalidTimeStamp.Format"},
    {"no such day", date_that_is_none, 400, "InvalidTimeStamp.Format"},
    {"date changed after signing", signed_date_changed, 400, "SignatureDoesNotMatch"},
    {"unsigned x-acs header", unsigned_acs_header, 400, "IncompleteSignature"},
    {"unsigned content-type", unsigned_content_type, 400, "IncompleteSignature"},
    {"no token where one is due", unexpected_token, 400, "InvalidSecurityToken.Malformed"},
    {"body changed", other_body, 400, "SignatureDoesNotMatch"},
    {"query changed", other_query, 400, "SignatureDoesNotMatch"},
    {"path changed", other_path, 400, "SignatureDoesNotMatch"},
    {"method changed", other_method, 400, "SignatureDoesNotMatch"},
    {"header signed but not sent", header_signed_but_gone, 400, "IncompleteSignature"},
    {"signed headers not sorted", unsorted, 400, "IncompleteSignature"},
    {"another scheme", another_scheme, 400, "IncompleteSignature"},
    {"something behind the signature", trailing_rubbish, 400, "IncompleteSignature"},
};

static void check_twist(const cJSON *item, const struct twist *t)
{
    struct vector v;
    read_vector(item, &v);
    t->change(&v);
    struct verify_verdict verdict;
    verify_check(&v.request, &v.account, v.date_s, &verdict);
    if (verdict.accepted || verdict.status != t->status || strcmp(verdict.code, t->code) != 0)
        fail_msg("%s: got %d %s", t->what, verdict.status, verdict.code);
    assert_null(verdict.nonce);
    assert_true(verdict.message.len > 0);
    verify_verdict_release(&verdict);
    strbuf_release(&v.query);
}

static const cJSON *find_vector(const cJSON *all, const char *id)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(all, "vectors"))
    {
        if (strcmp(str(item, "id"), id) == 0)
            return item;
    }
    fail_msg("no vector %s", id);
    return NULL;
}

static void test_refusals(void **state)
{
    (void)state;
    cJSON *all = load_vectors();
    const cJSON *good = find_vector(all, "min-02-paged");
    for (size_t i = 0; i < ARRAY_LEN(twists); i++)
        check_twist(good, &twists[i]);
    const struct twist expired = {"the old token", old_token, 400, "InvalidSecurityToken.Expired"};
    check_twist(find_vector(all, "min-05-sts"), &expired);
    cJSON_Delete(all);
}

static void test_message_names_the_strings(void **state)
{
    (void)state;
    cJSON *all = load_vectors();
    struct vector v;
    read_vector(find_vector(all, "min-02-paged"), &v);
    v.account.key_secret = "another";
    struct verify_verdict verdict;
    verify_check(&v.request, &v.account, v.date_s, &verdict);
    assert_non_null(strstr(strbuf_str(&verdict.message), str(v.expected, "stringToSign")));
    assert_non_null(strstr(strbuf_str(&verdict.message), str(v.expected, "canonicalRequest")));
    verify_verdict_release(&verdict);
    strbuf_release(&v.query);
    cJSON_Delete(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_message_names_the_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
