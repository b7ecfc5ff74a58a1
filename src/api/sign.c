/*
 * ACS3-HMAC-SHA256 in the order of the page: canonical query, canonical headers, canonical request,
 * string to sign, signature, Authorization.
 *
 * The path is signed as it goes onto the wire. Because request_path encodes strictly, canonical and
 * wire form are one text, and the server has nothing to normalise. Header values and names are
 * checked here, because a line break in one of them would make a second line in the canonical
 * request and on the wire alike.
 */
#include "sign.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const char algorithm[] = "ACS3-HMAC-SHA256";

void sign_wipe(struct strbuf *b)
{
    if (b->ptr)
        OPENSSL_cleanse(b->ptr, b->cap);
    strbuf_release(b);
}

/* Not isalnum(): what it accepts depends on the locale. */
static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void sign_encode(struct strbuf *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (is_unreserved(c)) {
            strbuf_addc(out, *p);
        } else {
            strbuf_addc(out, '%');
            strbuf_addc(out, hex[c >> 4]);
            strbuf_addc(out, hex[c & 15]);
        }
    }
}

/* An encoded pair inside the buffer of all pairs. */
struct pair {
    const char *text; /* "key=value" */
    size_t offset;
    size_t key_len;
    size_t len;
};

/*
 * By the bytes of the encoded key. Comparing whole pairs would be wrong: '=' sorts behind '-' and
 * '.', so "a-b" would come before "a". Equal keys go by value, for one order on both sides.
 */
static int pair_compare(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->text, b->text, shorter);

    if (order == 0 && a->key_len != b->key_len)
        return a->key_len < b->key_len ? -1 : 1;
    if (order == 0) {
        shorter = a->len < b->len ? a->len : b->len;
        order = memcmp(a->text, b->text, shorter);
        if (order == 0 && a->len != b->len)
            return a->len < b->len ? -1 : 1;
    }
    return order;
}

int sign_canonical_query(struct strbuf *out, const struct sign_param *params, size_t n,
                         struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(freep) struct pair *pairs = NULL;

    if (n == 0)
        return 0;
    pairs = calloc(n, sizeof(*pairs));
    if (!pairs)
        return err_nomem(err, "query");
    for (size_t i = 0; i < n; i++) {
        pairs[i].offset = text.len;
        sign_encode(&text, params[i].key);
        pairs[i].key_len = text.len - pairs[i].offset;
        strbuf_addc(&text, '=');
        sign_encode(&text, params[i].value);
        pairs[i].len = text.len - pairs[i].offset;
    }
    if (!strbuf_ok(&text))
        return err_nomem(err, "query");
    /* Only now, when the buffer no longer moves. */
    for (size_t i = 0; i < n; i++)
        pairs[i].text = text.ptr + pairs[i].offset;
    qsort(pairs, n, sizeof(*pairs), pair_compare);
    for (size_t i = 0; i < n; i++) {
        if (i)
            strbuf_addc(out, '&');
        strbuf_add(out, pairs[i].text, pairs[i].len);
    }
    return strbuf_ok(out) ? 0 : err_nomem(err, "query");
}

static void hex_from_digest(const unsigned char digest[32], char out[SIGN_HEX_LEN])
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < 32; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[64] = '\0';
}

int sign_sha256_hex(const void *bytes, size_t len, char out[SIGN_HEX_LEN], struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(len ? bytes : "", len, digest, NULL, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "SHA-256 failed");
    hex_from_digest(digest, out);
    return 0;
}

/* Names the header, never its value: that may be a token. */
static int header_check(const struct sign_header *h, struct err *err)
{
    if (!*h->name)
        return err_set(err, ERR_INTERNAL, "a header without a name");
    for (const char *p = h->name; *p; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-'))
            return err_set(err, ERR_INTERNAL, "header name %s is not lower case", h->name);
    }
    for (const char *p = h->value; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return err_set(err, ERR_INTERNAL, "header %s holds a control character", h->name);
    }
    return 0;
}

static int headers_sort(const struct sign_request *request,
                        const struct sign_header *sorted[SIGN_MAX_HEADERS], struct err *err)
{
    if (request->n_headers > SIGN_MAX_HEADERS)
        return err_set(err, ERR_INTERNAL, "more than %d signed headers", SIGN_MAX_HEADERS);
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct sign_header *h = &request->headers[i];
        size_t at = i;

        if (header_check(h, err) < 0)
            return -1;
        while (at > 0 && strcmp(sorted[at - 1]->name, h->name) > 0) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        if (at > 0 && strcmp(sorted[at - 1]->name, h->name) == 0)
            return err_set(err, ERR_INTERNAL, "header %s given twice", h->name);
        sorted[at] = h;
    }
    return 0;
}

static void add_names(const struct sign_header *const *sorted, size_t n, struct strbuf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            strbuf_addc(out, ';');
        strbuf_adds(out, sorted[i]->name);
    }
}

int sign_signed_headers(const struct sign_request *request, struct strbuf *out, struct err *err)
{
    const struct sign_header *sorted[SIGN_MAX_HEADERS];

    if (headers_sort(request, sorted, err) < 0)
        return -1;
    add_names(sorted, request->n_headers, out);
    return strbuf_ok(out) ? 0 : err_nomem(err, "signed headers");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void add_trimmed(struct strbuf *out, const char *value)
{
    size_t len;

    while (is_blank(*value))
        value++;
    len = strlen(value);
    while (len > 0 && is_blank(value[len - 1]))
        len--;
    strbuf_add(out, value, len);
}

/* An upper bound, so that a token does not stay behind in memory that a growing buffer gave back.
 */
static size_t canonical_len_max(const struct sign_request *request)
{
    size_t len =
        strlen(request->method) + strlen(request->path) + strlen(request->query) + SIGN_HEX_LEN + 8;

    for (size_t i = 0; i < request->n_headers; i++)
        len += 2 * strlen(request->headers[i].name) + strlen(request->headers[i].value) + 3;
    return len;
}

int sign_canonical_request(const struct sign_request *request, struct strbuf *out, struct err *err)
{
    const struct sign_header *sorted[SIGN_MAX_HEADERS];
    char body_hash[SIGN_HEX_LEN];

    if (headers_sort(request, sorted, err) < 0 ||
        sign_sha256_hex(request->body, request->body_len, body_hash, err) < 0)
        return -1;
    strbuf_reserve(out, canonical_len_max(request));
    strbuf_adds(out, request->method);
    strbuf_addc(out, '\n');
    strbuf_adds(out, *request->path ? request->path : "/");
    strbuf_addc(out, '\n');
    strbuf_adds(out, request->query);
    strbuf_addc(out, '\n');
    for (size_t i = 0; i < request->n_headers; i++) {
        strbuf_adds(out, sorted[i]->name);
        strbuf_addc(out, ':');
        add_trimmed(out, sorted[i]->value);
        strbuf_addc(out, '\n');
    }
    strbuf_addc(out, '\n');
    add_names(sorted, request->n_headers, out);
    strbuf_addc(out, '\n');
    strbuf_adds(out, body_hash);
    return strbuf_ok(out) ? 0 : err_nomem(err, "canonical request");
}

int sign_string_to_sign(const char *canonical_request, size_t len, struct strbuf *out,
                        struct err *err)
{
    char hash[SIGN_HEX_LEN];

    if (sign_sha256_hex(canonical_request, len, hash, err) < 0)
        return -1;
    strbuf_adds(out, algorithm);
    strbuf_addc(out, '\n');
    strbuf_adds(out, hash);
    return strbuf_ok(out) ? 0 : err_nomem(err, "string to sign");
}

int sign_signature(const char *string_to_sign, size_t len, const char *secret,
                   char out[SIGN_HEX_LEN], struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t secret_len = strlen(secret);

    /* The key is the secret as it is: no prefix, no derivation, no date. */
    if (secret_len > INT32_MAX || !HMAC(EVP_sha256(), secret, (int)secret_len,
                                        (const unsigned char *)string_to_sign, len, digest, NULL))
        return err_set(err, ERR_INTERNAL, "HMAC-SHA256 failed");
    hex_from_digest(digest, out);
    return 0;
}

int sign_authorization(const struct sign_request *request, const char *access_key_id,
                       const char *access_key_secret, struct strbuf *out, char *ret_canonical_hash,
                       struct err *err)
{
    CLEANUP(sign_wipe) struct strbuf canonical = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    char signature[SIGN_HEX_LEN];

    /* The id stands in a header too, between other words. */
    for (const char *p = access_key_id; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == ',')
            return err_set(err, ERR_AUTHENTICATION,
                           "the AccessKey id holds a space, a comma or a control character");
    }
    if (sign_canonical_request(request, &canonical, err) < 0 ||
        sign_string_to_sign(canonical.ptr, canonical.len, &text, err) < 0 ||
        sign_signature(text.ptr, text.len, access_key_secret, signature, err) < 0)
        return -1;
    strbuf_adds(out, algorithm);
    strbuf_adds(out, " Credential=");
    strbuf_adds(out, access_key_id);
    strbuf_adds(out, ",SignedHeaders=");
    if (sign_signed_headers(request, out, err) < 0)
        return -1;
    strbuf_adds(out, ",Signature=");
    strbuf_adds(out, signature);
    if (!strbuf_ok(out))
        return err_nomem(err, "Authorization");
    if (ret_canonical_hash)
        memcpy(ret_canonical_hash, text.ptr + sizeof(algorithm), SIGN_HEX_LEN);
    return 0;
}
