/*
 * A control-plane request as data: operation, path, query and body become the URL and the signed
 * headers of one attempt. Nonce and date are parameters, so that every attempt gets new ones and
 * tests get known ones.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "api/credentials.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "sign.h"

#define REQUEST_NONCE_LEN 33 /* 32 hex characters and a NUL */

struct request {
    const char *method;    /* "GET" */
    const char *origin;    /* "https://host[:port]" */
    const char *host;      /* host[:port], as it goes into the Host header */
    const char *action;    /* "ListDeployments" */
    const char *version;   /* of the API; NULL = that of the control plane */
    const char *path;      /* encoded; see request_path */
    const char *query;     /* canonical; "" = none */
    const char *workspace; /* header value; NULL = none */
    const char *body;      /* NULL = none */
    size_t body_len;
};

/*
 * The headers of one attempt, each "name: value", and the URL. Secrets inside: release wipes.
 * CLEANUP(request_wire_release) on a zeroed struct.
 */
struct request_wire {
    struct strbuf url;
    struct strbuf *headers; /* n_headers lines, Host and Authorization among them */
    size_t n_headers;
    /* Hash of the canonical request: what to log when the server refuses the signature. */
    char canonical_hash[SIGN_HEX_LEN];
};
void request_wire_release(struct request_wire *wire);

/*
 * Appends "/api/v2/namespaces/{namespace}", then literal as it is ("/deployments"), then, if there
 * is one, "/" and the segment. Namespace and segment are encoded: a '/' in them stays inside.
 */
void request_path(struct strbuf *out, const char *namespace_name, const char *literal,
                  const char *segment_or_null);

/* GetDeploymentsByName: the path, and the query for the parts to be left out (bits API_WITHOUT_).
 */
void request_by_name(struct strbuf *path, const char *namespace_name, const char *name);
int request_without_query(struct strbuf *query, unsigned without, struct err *err) MUST_CHECK;

/* A new random nonce. */
int request_nonce(char out[REQUEST_NONCE_LEN], struct err *err) MUST_CHECK;

/*
 * Signs one attempt at the wall time date_unix_ms: host, x-acs-action, x-acs-version, x-acs-date,
 * x-acs-signature-nonce, x-acs-content-sha256, x-acs-security-token (temporary keys only),
 * workspace and content-type (with a body) are sent and signed; Accept: application/json is sent.
 * On failure *ret is untouched. ERR_INTERNAL: a header value is empty or holds a control character
 * (the message says which header, never the value), or the URL is not encoded.
 */
int request_sign(const struct request *request, const struct credentials_keys *keys,
                 int64_t date_unix_ms, const char *nonce, struct request_wire *ret,
                 struct err *err) MUST_CHECK;

#endif
