/*
 * One transport for each who fetches credentials: its connections are used every half hour or so,
 * and what hangs there must hang nowhere else.
 */
#include "credentials_http.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sign.h"
#include "transport.h"

/* The transport keeps to the timeouts itself; this is for the case that it cannot. */
enum { GRACE_MS = 2000 };

/* Date headers have whole seconds, cut off: on average the server's clock is half a second on. */
enum { DATE_MIDDLE_MS = 500 };

struct real_http {
    struct credentials_http http; /* first */
    struct transport *transport;
};

void credentials_http_reply_release(struct credentials_http_reply *reply)
{
    sign_wipe(&reply->body);
    *reply = (struct credentials_http_reply){0};
}

void credentials_http_freep(struct credentials_http **http)
{
    if (*http)
        (*http)->ops->free(*http);
}

static void take_reply(struct transport_reply *from, struct credentials_http_reply *ret)
{
    *ret = (struct credentials_http_reply){
        .status = from->status,
        .body = from->body,
        .server_unix_ms = from->date_unix_s < 0 ? -1 : from->date_unix_s * 1000 + DATE_MIDDLE_MS,
    };
    memcpy(ret->request_id, from->request_id, sizeof(ret->request_id));
}

static int real_exchange(struct credentials_http *http,
                         const struct credentials_http_request *request,
                         struct credentials_http_reply *ret, struct err *err)
{
    struct transport *t = ((struct real_http *)http)->transport;
    const struct transport_request message = {
        .method = request->method,
        .url = request->url,
        .headers = request->headers,
        .n_headers = request->n_headers,
        .body = request->body,
        .body_len = request->body_len,
        .proxy_url = request->direct ? "none" : "",
        .timeout_ms = request->timeout_ms,
        .connect_timeout_ms = request->connect_timeout_ms,
        .secret_reply = true,
        .max_body_size = CREDENTIALS_HTTP_REPLY_MAX,
    };
    struct transport_reply reply;

    if (transport_submit(t, &message, err) < 0)
        return -1;
    int r = transport_wait(t, clock_mono_ms() + request->timeout_ms + GRACE_MS, &reply, err);
    if (r <= 0) {
        transport_cancel_all(t);
        return r < 0 ? -1 : err_set(err, ERR_TIMEOUT, "no reply");
    }
    if (reply.err.kind != ERR_NONE) {
        transport_reply_release(&reply); /* after a failure it has no body */
        *err = reply.err;
        return -1;
    }
    take_reply(&reply, ret);
    return 0;
}

static void real_stop(struct credentials_http *http)
{
    transport_stop(((struct real_http *)http)->transport);
}

static void real_free(struct credentials_http *http)
{
    transport_free(((struct real_http *)http)->transport);
    free(http);
}

int credentials_http_new(const char *user_agent, struct credentials_http **ret, struct err *err)
{
    static const struct credentials_http_ops ops = {
        .exchange = real_exchange,
        .stop = real_stop,
        .free = real_free,
    };
    CLEANUP(freep) struct real_http *http = calloc(1, sizeof(*http));

    if (!http)
        return err_nomem(err, "credentials");
    http->http.ops = &ops;
    if (transport_new(user_agent, &http->transport, err) < 0)
        return -1;
    *ret = (struct credentials_http *)TAKE(http);
    return 0;
}
