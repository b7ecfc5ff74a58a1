/*
 * ACS3-HMAC-SHA256, the vendor's V3 request signature, as pure named steps: request, keys -> text.
 * Source: the public page "V3 request body and signature mechanism". Without clock, network, state.
 */
#ifndef SIGN_H
#define SIGN_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

#define SIGN_MAX_HEADERS 32 /* signed headers of one request; more is a bug of the caller */

/* Refused: a name that is not [a-z0-9-] or given twice, a value with a control character. */
struct sign_header {
    const char *name; /* lower case */
    const char *value;
};

struct sign_request {
    const char *method;
    const char *path;  /* as on the wire, encoded segment by segment; "" means "/" */
    const char *query; /* canonical: encoded, sorted, "" for none; see sign_canonical_query */
    const struct sign_header *headers; /* those to be signed, any order; values are trimmed */
    size_t n_headers;
    const void *body;
    size_t body_len;
};

#define SIGN_HEX_LEN 65 /* SHA-256 in lower-case hex with its NUL */

struct sign_param {
    const char *key;
    const char *value;
};

/* RFC 3986: A-Z a-z 0-9 - _ . ~ stay, all other bytes become %XX. */
void sign_encode(struct strbuf *out, const char *text);

/* Encoded pairs sorted by encoded key bytes, joined with "&"; an empty value gives "key=". */
int sign_canonical_query(struct strbuf *out, const struct sign_param *params, size_t n,
                         struct err *err) MUST_CHECK;

int sign_sha256_hex(const void *bytes, size_t len, char out[SIGN_HEX_LEN],
                    struct err *err) MUST_CHECK;
/* Appends "h1;h2;...;hn", sorted. */
int sign_signed_headers(const struct sign_request *request, struct strbuf *out,
                        struct err *err) MUST_CHECK;
int sign_canonical_request(const struct sign_request *request, struct strbuf *out,
                           struct err *err) MUST_CHECK;
int sign_string_to_sign(const char *canonical_request, size_t len, struct strbuf *out,
                        struct err *err) MUST_CHECK;
int sign_signature(const char *string_to_sign, size_t len, const char *secret,
                   char out[SIGN_HEX_LEN], struct err *err) MUST_CHECK;

/*
 * All of it: appends the value of the Authorization header. ret_canonical_hash (NULL = not wanted)
 * gets the hash of the canonical request, which may be logged to explain a refused signature.
 */
int sign_authorization(const struct sign_request *request, const char *access_key_id,
                       const char *access_key_secret, struct strbuf *out, char *ret_canonical_hash,
                       struct err *err) MUST_CHECK;

/* Overwrites the bytes of a buffer that holds a token, then releases it. CLEANUP(sign_wipe). */
void sign_wipe(struct strbuf *b);

#endif
