/*
 * Version 2 of the service wants a token, so that a program that can be talked into a GET of
 * somebody's choice does not give the keys away. Old images know version 1 only.
 *
 * The service is on the machine: a second is long. A second attempt is left to whoever asks.
 */
#include "credentials_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "credentials_answer.h"
#include "credentials_environment.h"
#include "sign.h"

enum {
    CONNECT_TIMEOUT_MS = 1000,
    TIMEOUT_MS = 2000, /* one to connect, one to answer */
    STATUS_OK = 200,
    STATUS_NOT_FOUND = 404,
    TOKEN_MAX = 4096,
    ROLE_NAME_MAX = 64,
};

static const char own_address[] = "http://100.100.100.200";
static const char credentials_path[] = "/latest/meta-data/ram/security-credentials/";

struct metadata {
    struct credentials_http *http;
    const char *origin;
    struct strbuf token_header; /* empty = version 1 */
    struct strbuf role;
};

static void metadata_release(struct metadata *m)
{
    sign_wipe(&m->token_header);
    strbuf_release(&m->role);
}

static int ask(const struct metadata *m, const char *method, const struct strbuf *url,
               const struct strbuf *header, struct credentials_http_reply *ret, struct err *err)
{
    const struct credentials_http_request message = {
        .method = method,
        .url = strbuf_str(url),
        .headers = header,
        .n_headers = header->len > 0,
        .body = strcmp(method, "PUT") == 0 ? "" : NULL,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = TIMEOUT_MS,
        .direct = true,
    };

    if (!strbuf_ok(url) || !strbuf_ok(header))
        return err_nomem(err, "request");
    return m->http->ops->exchange(m->http, &message, ret, err);
}

static int token_of(const struct credentials_http_reply *reply, struct metadata *m, struct err *err)
{
    static const char name[] = "x-aliyun-ecs-metadata-token: ";
    const char *text = strbuf_str(&reply->body);
    size_t len = credentials_trimmed_len(text, reply->body.len);

    if (reply->status != STATUS_OK)
        return err_set(err, ERR_AUTHENTICATION, "HTTP %d", reply->status);
    if (len > TOKEN_MAX || memchr(text, '\0', len))
        return err_set(err, ERR_PARSE, "the answer is no token");
    if (credentials_check(text, len, "the token", err) < 0)
        return -1;
    strbuf_reserve(&m->token_header, sizeof(name) + len);
    strbuf_adds(&m->token_header, name);
    strbuf_add(&m->token_header, text, len);
    return strbuf_ok(&m->token_header) ? 0 : err_nomem(err, "token");
}

static int get_token(struct metadata *m, struct err *err)
{
    CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf header = STRBUF_INIT;

    strbuf_adds(&url, m->origin);
    strbuf_adds(&url, "/latest/api/token");
    strbuf_adds(&header, "x-aliyun-ecs-metadata-token-ttl-seconds: 21600");
    if (ask(m, "PUT", &url, &header, &reply, err) < 0 || token_of(&reply, m, err) < 0)
        return err_wrap(err, "token");
    return 0;
}

/* Where nobody listens there is no version 1 either. No answer may be a PUT lost on the way. */
static bool may_go_without(const struct err *why)
{
    if (why->kind == ERR_STOPPED || why->kind == ERR_NOMEM || why->kind == ERR_CONNECT)
        return false;
    return !credentials_variable_is_true(CREDENTIALS_VAR_IMDSV1_DISABLED);
}

static int get(const struct metadata *m, const char *role, struct credentials_http_reply *ret,
               struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT;

    strbuf_adds(&url, m->origin);
    strbuf_adds(&url, credentials_path);
    sign_encode(&url, role);
    return ask(m, "GET", &url, &m->token_header, ret, err);
}

/* The list of roles has one line: an instance has one role. */
static int discover_role(struct metadata *m, struct err *err)
{
    CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};

    if (get(m, "", &reply, err) < 0)
        return err_wrap(err, "list of roles");
    if (reply.status == STATUS_NOT_FOUND)
        return err_set(err, ERR_AUTHENTICATION, "no RAM role is attached to this instance");
    if (reply.status != STATUS_OK)
        return err_set(err, reply.status / 100 == 5 ? ERR_HTTP : ERR_AUTHENTICATION,
                       "list of roles: HTTP %d", reply.status);
    const char *text = strbuf_str(&reply.body);
    text += strspn(text, " \t\r\n");
    size_t len = strcspn(text, " \t\r\n");
    if (len == 0 || len > ROLE_NAME_MAX)
        return err_set(err, ERR_PARSE, "list of roles: the answer is no name of a role");
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f || strchr("<>{}\"/\\", text[i]))
            return err_set(err, ERR_PARSE, "list of roles: the answer is no name of a role");
    strbuf_add(&m->role, text, len);
    return strbuf_ok(&m->role) ? 0 : err_nomem(err, "role");
}

static int get_keys(struct metadata *m, struct credentials_grant *ret, struct err *err)
{
    CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};
    const char *role = strbuf_str(&m->role);

    if (get(m, role, &reply, err) < 0)
        return err_wrap(err, "role %s", role);
    if (reply.status == STATUS_NOT_FOUND)
        return err_set(err, ERR_AUTHENTICATION, "role %s is not attached to this instance", role);
    if (credentials_answer_document(&reply, ret, err) < 0)
        return err_wrap(err, "role %s", role);
    return 0;
}

static int fetch(struct metadata *m, const char *role_name, struct credentials_grant *ret,
                 struct err *err)
{
    struct err no_token = {0};

    if (get_token(m, &no_token) < 0 && !may_go_without(&no_token)) {
        *err = no_token;
        return -1;
    }
    if (role_name)
        strbuf_adds(&m->role, role_name);
    else if (discover_role(m, err) < 0)
        return -1;
    return strbuf_ok(&m->role) ? get_keys(m, ret, err) : err_nomem(err, "role");
}

int metadata_fetch(struct credentials_http *http, const char *endpoint, const char *role_name,
                   struct credentials_grant *ret, struct err *err)
{
    CLEANUP(metadata_release)
    struct metadata m = {
        .http = http,
        .origin = credentials_text(endpoint) ? endpoint : own_address,
    };

    if (fetch(&m, credentials_text(role_name), ret, err) < 0)
        return err_wrap(err, "metadata service at %s", m.origin);
    return 0;
}

/* --- the provider --- */

struct credentials_ecs {
    struct credentials_source source; /* first */
    const struct credentials_spec *spec;
    struct credentials_http *http;
};

static int ecs_get(struct credentials_source *source, struct credentials_grant *ret,
                   struct err *err)
{
    struct credentials_ecs *s = (struct credentials_ecs *)source;

    return metadata_fetch(s->http, s->spec->endpoint, s->spec->role_name, ret, err);
}

static void ecs_stop(struct credentials_source *source)
{
    struct credentials_http *http = ((struct credentials_ecs *)source)->http;

    http->ops->stop(http);
}

static void ecs_free(struct credentials_source *source)
{
    free(source);
}

struct credentials_source *credentials_ecs_new(const struct credentials_spec *spec,
                                               struct credentials_http *http)
{
    static const struct credentials_source_ops ops = {
        .get = ecs_get,
        .stop = ecs_stop,
        .free = ecs_free,
    };
    struct credentials_ecs *s = malloc(sizeof(*s));

    if (s)
        *s = (struct credentials_ecs){.source = {&ops}, .spec = spec, .http = http};
    return (struct credentials_source *)s;
}
