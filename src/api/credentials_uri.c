/*
 * Keys from a URL: what sidecars serve. Plain http is how they do it, so it is allowed here; it
 * never goes through a proxy, which would see the keys.
 */
#include "credentials_source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "credentials_answer.h"
#include "credentials_environment.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 10000,
};

struct credentials_by_uri {
    struct credentials_source source; /* first */
    const struct credentials_spec *spec;
    struct credentials_http *http;
};

/* The URL may hold a secret, so it is not told: credentials_uri names the option and the variable.
 */
static int check_uri(const char *uri, struct err *err)
{
    if (strncasecmp(uri, "http://", 7) != 0 && strncasecmp(uri, "https://", 8) != 0)
        return err_set(err, ERR_AUTHENTICATION, "the URI must start with http:// or https://");
    for (const char *p = uri; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return err_set(err, ERR_AUTHENTICATION,
                           "the URI holds a blank or another character that must be encoded");
    return 0;
}

static int uri_get(struct credentials_source *source, struct credentials_grant *ret,
                   struct err *err)
{
    CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};
    struct credentials_by_uri *s = (struct credentials_by_uri *)source;
    const char *uri = credentials_text(s->spec->uri);

    if (!uri)
        uri = credentials_variable(CREDENTIALS_VAR_URI);
    if (!uri)
        return err_set(err, ERR_AUTHENTICATION, "uri is not set, nor is %s",
                       credentials_variable_name(CREDENTIALS_VAR_URI));
    if (check_uri(uri, err) < 0)
        return -1;
    const struct credentials_http_request message = {
        .method = "GET",
        .url = uri,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = TIMEOUT_MS,
        .direct = strncasecmp(uri, "http://", 7) == 0,
    };
    if (s->http->ops->exchange(s->http, &message, &reply, err) < 0 ||
        credentials_answer_document(&reply, ret, err) < 0)
        return err_wrap(err, "credentials URI");
    return 0;
}

static void uri_stop(struct credentials_source *source)
{
    struct credentials_http *http = ((struct credentials_by_uri *)source)->http;

    http->ops->stop(http);
}

static void uri_free(struct credentials_source *source)
{
    free(source);
}

struct credentials_source *credentials_uri_new(const struct credentials_spec *spec,
                                               struct credentials_http *http)
{
    static const struct credentials_source_ops ops = {
        .get = uri_get,
        .stop = uri_stop,
        .free = uri_free,
    };
    struct credentials_by_uri *s = malloc(sizeof(*s));

    if (s)
        *s = (struct credentials_by_uri){.source = {&ops}, .spec = spec, .http = http};
    return (struct credentials_source *)s;
}
