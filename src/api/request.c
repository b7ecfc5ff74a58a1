/*
 * From a request as data to the bytes of one attempt.
 *
 * Which headers: the public page "V3 request body and signature mechanism" demands that host,
 * content-type and every x-acs-* be signed. workspace is signed as well, so that nobody on the way
 * can point an answer at another workspace. Names go out in lower case, as they were signed.
 */
#include "request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/client.h"
#include "base/clock.h"

static const char api_version[] = "2022-07-18";
static const char json_type[] = "application/json; charset=utf-8";

void request_wire_release(struct request_wire *wire)
{
    for (size_t i = 0; i < wire->n_headers; i++)
        sign_wipe(&wire->headers[i]);
    free(wire->headers);
    strbuf_release(&wire->url);
    *wire = (struct request_wire){0};
}

void request_path(struct strbuf *out, const char *namespace_name, const char *literal,
                  const char *segment_or_null)
{
    strbuf_adds(out, "/api/v2/namespaces/");
    sign_encode(out, namespace_name);
    strbuf_adds(out, literal);
    if (segment_or_null) {
        strbuf_addc(out, '/');
        sign_encode(out, segment_or_null);
    }
}

void request_by_name(struct strbuf *path, const char *namespace_name, const char *name)
{
    request_path(path, namespace_name, "/deployments/name", name);
}

int request_without_query(struct strbuf *query, unsigned without, struct err *err)
{
    struct sign_param params[2];
    size_t n = 0;

    if (without & API_WITHOUT_JOB_SUMMARY)
        params[n++] = (struct sign_param){"ignoreJobSummary", "true"};
    if (without & API_WITHOUT_RESOURCE_SETTING)
        params[n++] = (struct sign_param){"ignoreResourceSetting", "true"};
    return sign_canonical_query(query, params, n, err);
}

int request_nonce(char out[REQUEST_NONCE_LEN], struct err *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[(REQUEST_NONCE_LEN - 1) / 2];
    ssize_t got;

    /* Up to 256 bytes come whole once the kernel's pool is ready, see getrandom(2). */
    do
        got = getrandom(bytes, sizeof(bytes), 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(bytes))
        return err_set(err, ERR_INTERNAL, "no random bytes for a nonce");
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[REQUEST_NONCE_LEN - 1] = '\0';
    return 0;
}

/*
 * What is signed must be what is sent: libcurl and proxies rewrite or cut a URL with spaces, "#"
 * and the like, and the answer would be a signature mismatch that nobody can explain.
 */
static int encoded_check(const char *text, const char *also, const char *what, struct err *err)
{
    for (const char *p = text; *p; p++) {
        bool good = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
                    (*p >= '0' && *p <= '9') || strchr("-_.~%", *p) || strchr(also, *p);
        if (!good)
            return err_set(err, ERR_INTERNAL, "the %s of the URL is not encoded", what);
    }
    return 0;
}

/* An empty header would be signed by us and left out by libcurl. */
static int values_check(const struct sign_header *headers, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (headers[i].value[strspn(headers[i].value, " \t")] == '\0')
            return err_set(err, ERR_INTERNAL, "header %s is empty", headers[i].name);
    }
    return 0;
}

static int add_url(const struct request *request, struct strbuf *url, struct err *err)
{
    if (*request->path != '/')
        return err_set(err, ERR_INTERNAL, "the path of the URL does not begin with a slash");
    if (encoded_check(request->origin, ":/[]", "origin", err) < 0 ||
        encoded_check(request->path, "/", "path", err) < 0 ||
        encoded_check(request->query, "=&", "query", err) < 0)
        return -1;
    strbuf_adds(url, request->origin);
    strbuf_adds(url, request->path);
    if (*request->query) {
        strbuf_addc(url, '?');
        strbuf_adds(url, request->query);
    }
    return strbuf_ok(url) ? 0 : err_nomem(err, "URL");
}

/* One allocation of the right size: a token must not stay behind in a buffer that has grown. */
static int add_line(struct request_wire *wire, const char *name, const char *value, struct err *err)
{
    struct strbuf *line = &wire->headers[wire->n_headers++];

    strbuf_reserve(line, strlen(name) + strlen(value) + 3);
    strbuf_adds(line, name);
    strbuf_adds(line, ": ");
    strbuf_adds(line, value);
    return strbuf_ok(line) ? 0 : err_nomem(err, "headers");
}

static int add_lines(const struct sign_request *signed_part, const char *authorization,
                     struct request_wire *wire, struct err *err)
{
    wire->headers = calloc(signed_part->n_headers + 2, sizeof(*wire->headers));
    if (!wire->headers)
        return err_nomem(err, "headers");
    for (size_t i = 0; i < signed_part->n_headers; i++) {
        const struct sign_header *h = &signed_part->headers[i];
        if (add_line(wire, h->name, h->value, err) < 0)
            return -1;
    }
    /* Without it some gateways answer in XML. */
    if (add_line(wire, "accept", "application/json", err) < 0)
        return -1;
    return add_line(wire, "authorization", authorization, err);
}

int request_sign(const struct request *request, const struct credentials_keys *keys,
                 int64_t date_unix_ms, const char *nonce, struct request_wire *ret, struct err *err)
{
    CLEANUP(request_wire_release) struct request_wire wire = {0};
    CLEANUP(strbuf_release) struct strbuf authorization = STRBUF_INIT;
    struct sign_header headers[9];
    size_t n = 0;
    char date[CLOCK_ISO8601_LEN];
    char body_hash[SIGN_HEX_LEN];

    if (add_url(request, &wire.url, err) < 0 ||
        sign_sha256_hex(request->body, request->body_len, body_hash, err) < 0)
        return -1;
    clock_format_iso8601(date, date_unix_ms, 0);
    headers[n++] = (struct sign_header){"host", request->host};
    headers[n++] = (struct sign_header){"x-acs-action", request->action};
    headers[n++] =
        (struct sign_header){"x-acs-version", request->version ? request->version : api_version};
    headers[n++] = (struct sign_header){"x-acs-date", date};
    headers[n++] = (struct sign_header){"x-acs-signature-nonce", nonce};
    headers[n++] = (struct sign_header){"x-acs-content-sha256", body_hash};
    if (keys->security_token)
        headers[n++] = (struct sign_header){"x-acs-security-token", keys->security_token};
    if (request->workspace)
        headers[n++] = (struct sign_header){"workspace", request->workspace};
    if (request->body)
        headers[n++] = (struct sign_header){"content-type", json_type};

    struct sign_request part = {
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .headers = headers,
        .n_headers = n,
        .body = request->body,
        .body_len = request->body_len,
    };
    if (values_check(headers, n, err) < 0 ||
        sign_authorization(&part, keys->access_key_id, keys->access_key_secret, &authorization,
                           wire.canonical_hash, err) < 0 ||
        add_lines(&part, authorization.ptr, &wire, err) < 0)
        return -1;
    *ret = wire;
    wire = (struct request_wire){0};
    return 0;
}
