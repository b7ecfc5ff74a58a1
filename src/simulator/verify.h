/*
 * The server's side of ACS3-HMAC-SHA256: is this request signed by that account?
 *
 * Written from the published algorithm and from nothing else in this tree, so that a mistake in
 * the client's signer cannot hide here. Pure: the request, the account and the time go in, a
 * verdict comes out. Nonces are remembered elsewhere (nonces.h), because that needs state.
 */
#ifndef SIMULATOR_VERIFY_H
#define SIMULATOR_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* The server accepts a clock this far from its own, and remembers nonces as long. */
#define VERIFY_TOLERANCE_S (15 * 60)

struct verify_header {
    const char *name; /* in any case */
    const char *value;
};

struct verify_request {
    const char *method;
    const char *raw_path;  /* as received, still percent-encoded, without the query */
    const char *raw_query; /* as received, without '?'; NULL or "" if none */
    const struct verify_header *headers;
    size_t n_headers;
    const void *body;
    size_t body_len;
};

struct verify_account {
    const char *key_id;
    const char *key_secret;
    const char *token;         /* "" = a plain access key, no token expected */
    const char *expired_token; /* one that was good earlier, or "" */
    bool expired;              /* the key's time is over: even its own token is refused */
};

/*
 * Which canonical URI to compute. Clients sign what they send; some SDKs send one text and sign
 * another, and the real server knows because it decodes and encodes again.
 */
enum verify_path {
    VERIFY_PATH_AS_RECEIVED,
    VERIFY_PATH_STRICT,  /* decoded and encoded again by RFC 3986 */
    VERIFY_PATH_LENIENT, /* the same, but ! ' ( ) stay raw, as JavaScript leaves them */
    VERIFY_PATH_END,
};

#define VERIFY_HEX_LEN 65

struct verify_texts {
    struct strbuf canonical_request;
    struct strbuf string_to_sign;
    char signature[VERIFY_HEX_LEN];
};
void verify_texts_release(struct verify_texts *t);

/* Computes all three for a list of signed headers ("a;b;c"). -1 only when memory is out. */
int verify_compute(const struct verify_request *r, const char *signed_headers,
                   enum verify_path path, const char *key_secret,
                   struct verify_texts *ret) MUST_CHECK;

struct verify_verdict {
    bool accepted;
    int status;       /* HTTP status of the refusal */
    const char *code; /* static, such as "SignatureDoesNotMatch" */
    struct strbuf message;
    const char *nonce; /* points into the request's headers; NULL unless accepted */
};
void verify_verdict_release(struct verify_verdict *v);

/* The key that the Authorization header names; false if it names none that fits. */
bool verify_key_id(const struct verify_request *r, char *out, size_t out_size);

/* The value of a header or NULL; names compare without case. */
const char *verify_header(const struct verify_request *r, const char *name);

/* Fills the verdict whatever happens; the caller releases it. */
void verify_check(const struct verify_request *r, const struct verify_account *account,
                  int64_t now_unix_s, struct verify_verdict *ret);

#endif
