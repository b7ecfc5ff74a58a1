/*
 * The order of the checks decides which error a doubly wrong request gets: first what is missing
 * or malformed, then time, key, token, then the signature itself, as the gateway's codes suggest.
 */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/clock.h"
#include "uri.h"

#define ALGORITHM "ACS3-HMAC-SHA256"

void verify_texts_release(struct verify_texts *t)
{
    strbuf_release(&t->canonical_request);
    strbuf_release(&t->string_to_sign);
}

void verify_verdict_release(struct verify_verdict *v)
{
    strbuf_release(&v->message);
}

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static int sha256_hex(const void *bytes, size_t len, char out[VERIFY_HEX_LEN])
{
    unsigned char digest[32];
    unsigned int digest_len = 0;
    if (EVP_Digest(len ? bytes : "", len, digest, &digest_len, EVP_sha256(), NULL) != 1)
        return -1;
    to_hex(digest, sizeof(digest), out);
    return 0;
}

static int hmac_hex(const char *key, const char *text, size_t len, char out[VERIFY_HEX_LEN])
{
    unsigned char digest[32];
    unsigned int digest_len = 0;
    if (!HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, len, digest,
              &digest_len))
        return -1;
    to_hex(digest, sizeof(digest), out);
    return 0;
}

const char *verify_header(const struct verify_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    }
    return NULL;
}

/* Each segment decoded and encoded again; the slashes between them stay. */
static void add_reencoded_path(struct strbuf *out, const char *path, const char *also_raw)
{
    struct strbuf segment = STRBUF_INIT;
    while (*path) {
        size_t len = strcspn(path, "/");
        strbuf_reset(&segment);
        uri_decode(&segment, path, len, true);
        uri_encode(out, strbuf_str(&segment), segment.len, also_raw);
        path += len;
        if (*path == '/') {
            strbuf_addc(out, '/');
            path++;
        }
    }
    if (segment.bad)
        out->bad = true;
    strbuf_release(&segment);
}

static void add_path(struct strbuf *out, const char *path, enum verify_path how)
{
    if (!*path)
        strbuf_addc(out, '/');
    else if (how == VERIFY_PATH_STRICT)
        add_reencoded_path(out, path, "");
    else if (how == VERIFY_PATH_LENIENT)
        add_reencoded_path(out, path, "!'()");
    else
        strbuf_adds(out, path);
}

static void add_trimmed(struct strbuf *out, const char *value)
{
    size_t len = strlen(value);
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    size_t start = 0;
    while (start < len && (value[start] == ' ' || value[start] == '\t'))
        start++;
    strbuf_add(out, value + start, len - start);
}

/* One "name:value" line; a header sent more than once has its values joined by commas. */
static void add_header_line(struct strbuf *out, const struct verify_request *r, const char *name,
                            size_t name_len)
{
    strbuf_add(out, name, name_len);
    strbuf_addc(out, ':');
    bool first = true;
    for (size_t i = 0; i < r->n_headers; i++) {
        const struct verify_header *h = &r->headers[i];
        if (strlen(h->name) != name_len || strncasecmp(h->name, name, name_len) != 0)
            continue;
        if (!first)
            strbuf_addc(out, ',');
        add_trimmed(out, h->value);
        first = false;
    }
    strbuf_addc(out, '\n');
}

static void add_canonical_query(struct strbuf *out, const char *raw)
{
    struct uri_query query;
    if (uri_query_init(&query, raw) < 0) {
        out->bad = true;
        return;
    }
    uri_query_canonical(&query, out);
    uri_query_release(&query);
}

int verify_compute(const struct verify_request *r, const char *signed_headers,
                   enum verify_path path, const char *key_secret, struct verify_texts *ret)
{
    *ret = (struct verify_texts){0};
    char body_hash[VERIFY_HEX_LEN];
    if (sha256_hex(r->body, r->body_len, body_hash) < 0)
        return -1;

    struct strbuf *c = &ret->canonical_request;
    strbuf_addf(c, "%s\n", r->method);
    add_path(c, r->raw_path, path);
    strbuf_addc(c, '\n');
    add_canonical_query(c, r->raw_query);
    strbuf_addc(c, '\n');
    for (const char *name = signed_headers; *name;) {
        size_t len = strcspn(name, ";");
        if (len)
            add_header_line(c, r, name, len);
        name += len + (name[len] == ';');
    }
    strbuf_addf(c, "\n%s\n%s", signed_headers, body_hash);

    char request_hash[VERIFY_HEX_LEN];
    if (!strbuf_ok(c) || sha256_hex(c->ptr, c->len, request_hash) < 0)
        goto fail;
    struct strbuf *s = &ret->string_to_sign;
    strbuf_addf(s, "%s\n%s", ALGORITHM, request_hash);
    if (!strbuf_ok(s) || hmac_hex(key_secret, s->ptr, s->len, ret->signature) < 0)
        goto fail;
    return 0;
fail:
    verify_texts_release(ret);
    return -1;
}

/* --- the checks --- */

static bool refuse(struct verify_verdict *v, int status, const char *code, const char *message)
{
    v->accepted = false;
    v->status = status;
    v->code = code;
    strbuf_reset(&v->message);
    strbuf_adds(&v->message, message);
    return false;
}

struct authorization {
    char key_id[256];
    char signed_headers[2048];
    char signature[VERIFY_HEX_LEN];
};

static bool take_field(const char **at, const char *name, const char *end_chars, char *out,
                       size_t out_size)
{
    size_t name_len = strlen(name);
    if (strncmp(*at, name, name_len) != 0)
        return false;
    *at += name_len;
    size_t len = strcspn(*at, end_chars);
    if (len == 0 || len >= out_size)
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return true;
}

static bool parse_authorization(const char *header, struct authorization *ret)
{
    const char *at = header;
    if (strncmp(at, ALGORITHM " ", sizeof(ALGORITHM)) != 0)
        return false;
    at += sizeof(ALGORITHM);
    if (!take_field(&at, "Credential=", ",", ret->key_id, sizeof(ret->key_id)) || *at++ != ',')
        return false;
    if (!take_field(&at, "SignedHeaders=", ",", ret->signed_headers, sizeof(ret->signed_headers)) ||
        *at++ != ',')
        return false;
    return take_field(&at, "Signature=", ", ", ret->signature, sizeof(ret->signature)) && !*at;
}

bool verify_key_id(const struct verify_request *r, char *out, size_t out_size)
{
    struct authorization a = {0};
    const char *header = verify_header(r, "authorization");
    if (!header || !parse_authorization(header, &a) || strlen(a.key_id) >= out_size)
        return false;
    memcpy(out, a.key_id, strlen(a.key_id) + 1);
    return true;
}

/* Lower case, in byte order, each one there: otherwise the list is not a canonical one. */
static bool signed_headers_in_order(const struct authorization *a)
{
    char before[256] = "";
    for (const char *name = a->signed_headers; *name;) {
        char current[256];
        size_t len = strcspn(name, ";");
        if (len == 0 || len >= sizeof(current))
            return false;
        memcpy(current, name, len);
        current[len] = '\0';
        for (const char *c = current; *c; c++) {
            if (*c >= 'A' && *c <= 'Z')
                return false;
        }
        if (strcmp(before, current) >= 0)
            return false;
        memcpy(before, current, len + 1);
        name += len;
        if (*name == ';' && !*++name)
            return false;
    }
    return true;
}

static bool is_signed(const struct authorization *a, const char *name)
{
    size_t want = strlen(name);
    for (const char *at = a->signed_headers; *at;) {
        size_t len = strcspn(at, ";");
        if (len == want && strncasecmp(at, name, len) == 0)
            return true;
        at += len + (at[len] == ';');
    }
    return false;
}

static const struct {
    const char *header;
    const char *code;
} required[] = {
    {"host", "MissingHost"},
    {"x-acs-action", "MissingAction"},
    {"x-acs-version", "MissingVersion"},
    {"x-acs-date", "MissingDate"},
    {"x-acs-signature-nonce", "MissingSignatureNonce"},
    {"x-acs-content-sha256", "MissingContentSha256"},
};

static bool check_presence(const struct verify_request *r, struct authorization *a,
                           struct verify_verdict *v)
{
    const char *authorization = verify_header(r, "authorization");
    if (!authorization)
        return refuse(v, 400, "MissingAuthorization", "The Authorization header is missing.");
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const char *value = verify_header(r, required[i].header);
        if (value && *value)
            continue;
        refuse(v, 400, required[i].code, "");
        strbuf_addf(&v->message, "The header %s is mandatory for this action.", required[i].header);
        return false;
    }
    if (!parse_authorization(authorization, a))
        return refuse(v, 400, "IncompleteSignature",
                      "The request signature does not conform to Aliyun standards.");
    if (!signed_headers_in_order(a))
        return refuse(v, 400, "IncompleteSignature",
                      "SignedHeaders must be in lower case, sorted and without repetition.");
    return true;
}

static bool check_all_signed(const struct verify_request *r, const struct authorization *a,
                             struct verify_verdict *v)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        const char *name = r->headers[i].name;
        bool must = strncasecmp(name, "x-acs-", 6) == 0 || strcasecmp(name, "host") == 0 ||
                    strcasecmp(name, "content-type") == 0;
        if (!must || is_signed(a, name))
            continue;
        refuse(v, 400, "IncompleteSignature", "");
        strbuf_addf(&v->message, "The header %s is sent but not in SignedHeaders.", name);
        return false;
    }
    for (const char *at = a->signed_headers; *at;) {
        char name[256];
        size_t len = strcspn(at, ";");
        snprintf(name, sizeof(name), "%.*s", (int)len, at);
        if (!verify_header(r, name)) {
            refuse(v, 400, "IncompleteSignature", "");
            strbuf_addf(&v->message, "The header %s is in SignedHeaders but was not sent.", name);
            return false;
        }
        at += len + (at[len] == ';');
    }
    return true;
}

static bool check_date(const struct verify_request *r, int64_t now_unix_s, struct verify_verdict *v)
{
    const char *date = verify_header(r, "x-acs-date");
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int end = 0;
    int64_t sent;
    /* Twenty characters, so that %2d cannot hide a sign or a space. */
    if (strlen(date) != 20 || strspn(date, "0123456789-:TZ") != 20 ||
        sscanf(date, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &year, &month, &day, &hour, &minute, &second,
               &end) != 6 ||
        end != 20 || clock_unix_from_utc(year, month, day, hour, minute, second, &sent) < 0)
        return refuse(v, 400, "InvalidTimeStamp.Format",
                      "Specified time stamp or date value is not well formatted.");
    int64_t off = sent > now_unix_s ? sent - now_unix_s : now_unix_s - sent;
    if (off > VERIFY_TOLERANCE_S)
        return refuse(v, 400, "InvalidTimeStamp.Expired",
                      "Specified time stamp or date value is expired.");
    return true;
}

static bool check_token(const struct verify_request *r, const struct verify_account *account,
                        struct verify_verdict *v)
{
    const char *token = verify_header(r, "x-acs-security-token");
    if (!token)
        token = "";
    bool same = strcmp(token, account->token) == 0;
    if (same && !account->expired)
        return true;
    if (same || (*account->expired_token && strcmp(token, account->expired_token) == 0))
        return refuse(v, 400, "InvalidSecurityToken.Expired",
                      "Specified SecurityToken is expired.");
    if (!*token)
        return refuse(v, 400, "InvalidSecurityToken.Malformed",
                      "Specified SecurityToken is malformed: there is none.");
    return refuse(v, 400, "InvalidSecurityToken.MismatchWithAccessKey",
                  "Specified SecurityToken mismatch with the AccessKey.");
}

static bool check_body_hash(const struct verify_request *r, struct verify_verdict *v)
{
    char hash[VERIFY_HEX_LEN];
    if (sha256_hex(r->body, r->body_len, hash) < 0)
        return refuse(v, 500, "InternalError", "The request cannot be hashed.");
    if (strcmp(verify_header(r, "x-acs-content-sha256"), hash) == 0)
        return true;
    refuse(v, 400, "SignatureDoesNotMatch", "");
    strbuf_addf(&v->message, "x-acs-content-sha256 is not the hash of the body, which is %s.",
                hash);
    return false;
}

static bool check_signature(const struct verify_request *r, const struct authorization *a,
                            const struct verify_account *account, struct verify_verdict *v)
{
    for (int path = VERIFY_PATH_AS_RECEIVED; path < VERIFY_PATH_END; path++) {
        struct verify_texts texts;
        if (verify_compute(r, a->signed_headers, (enum verify_path)path, account->key_secret,
                           &texts) < 0)
            return refuse(v, 400, "InvalidParameter", "The request cannot be canonicalised.");
        bool same = strlen(a->signature) == strlen(texts.signature) &&
                    CRYPTO_memcmp(a->signature, texts.signature, strlen(texts.signature)) == 0;
        if (!same && path == VERIFY_PATH_AS_RECEIVED) {
            refuse(v, 400, "SignatureDoesNotMatch", "");
            strbuf_addf(&v->message,
                        "Specified signature does not match our calculation. server StringToSign "
                        "is [%s] , server CanonicalRequest is [%s]",
                        strbuf_str(&texts.string_to_sign), strbuf_str(&texts.canonical_request));
        }
        verify_texts_release(&texts);
        if (same)
            return true;
    }
    return false;
}

void verify_check(const struct verify_request *r, const struct verify_account *account,
                  int64_t now_unix_s, struct verify_verdict *ret)
{
    *ret = (struct verify_verdict){0};
    struct authorization a = {0};
    if (!check_presence(r, &a, ret) || !check_date(r, now_unix_s, ret))
        return;
    if (strcmp(a.key_id, account->key_id) != 0) {
        refuse(ret, 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
        return;
    }
    if (!check_all_signed(r, &a, ret) || !check_token(r, account, ret) ||
        !check_body_hash(r, ret) || !check_signature(r, &a, account, ret))
        return;
    strbuf_reset(&ret->message);
    ret->accepted = true;
    ret->status = 200;
    ret->code = "";
    ret->nonce = verify_header(r, "x-acs-signature-nonce");
}
