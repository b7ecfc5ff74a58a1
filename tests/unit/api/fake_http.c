#include "fake_http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void keep(struct fake_question *q, const struct credentials_http_request *r)
{
    size_t len = 0;

    *q = (struct fake_question){0};
    snprintf(q->method, sizeof(q->method), "%s", r->method);
    snprintf(q->url, sizeof(q->url), "%s", r->url);
    for (size_t i = 0; i < r->n_headers; i++)
        len += (size_t)snprintf(q->headers + len, sizeof(q->headers) - len, "%s\n",
                                strbuf_str(&r->headers[i]));
    q->has_body = r->body != NULL;
    if (r->body)
        snprintf(q->body, sizeof(q->body), "%.*s", (int)r->body_len, r->body);
    q->direct = r->direct;
    q->connect_timeout_ms = r->connect_timeout_ms;
    q->timeout_ms = r->timeout_ms;
}

static int fake_exchange(struct credentials_http *http, const struct credentials_http_request *r,
                         struct credentials_http_reply *ret, struct err *err)
{
    struct fake_http *fake = (struct fake_http *)http;

    if (fake->stopped)
        return err_set(err, ERR_STOPPED, "stopped");
    if (fake->n_asked >= fake->n_answers) {
        fprintf(stderr, "not expected: %s %s\n", r->method, r->url);
        abort();
    }
    const struct fake_answer *a = &fake->answers[fake->n_asked];
    keep(&fake->asked[fake->n_asked++], r);
    if (a->status == 0)
        return err_set(err, a->kind, "fails as told");
    struct strbuf body = STRBUF_INIT;
    strbuf_reserve(&body, CREDENTIALS_HTTP_REPLY_MAX);
    strbuf_adds(&body, a->body ? a->body : "");
    if (!strbuf_ok(&body))
        return err_nomem(err, "reply");
    *ret = (struct credentials_http_reply){
        .status = a->status,
        .body = body,
        .server_unix_ms = a->server_unix_ms ? a->server_unix_ms : -1,
    };
    return 0;
}

static void fake_stop(struct credentials_http *http)
{
    ((struct fake_http *)http)->stopped = true;
}

void fake_http_init(struct fake_http *fake)
{
    static const struct credentials_http_ops ops = {.exchange = fake_exchange, .stop = fake_stop};

    *fake = (struct fake_http){.http = {&ops}};
    fake->asked = calloc(FAKE_EXCHANGES, sizeof(*fake->asked));
    assert(fake->asked);
}

void fake_http_release(struct fake_http *fake)
{
    free(fake->asked);
}

void fake_http_reset(struct fake_http *fake)
{
    fake->n_answers = 0;
    fake->n_asked = 0;
}

void fake_http_answer(struct fake_http *fake, int status, const char *body)
{
    assert(fake->n_answers < FAKE_EXCHANGES);
    fake->answers[fake->n_answers++] = (struct fake_answer){.status = status, .body = body};
}

void fake_http_fail(struct fake_http *fake, enum err_kind kind)
{
    assert(fake->n_answers < FAKE_EXCHANGES);
    fake->answers[fake->n_answers++] = (struct fake_answer){.kind = kind};
}

const char *fake_http_header(const struct fake_question *q, const char *name, char *buf,
                             size_t size)
{
    size_t name_len = strlen(name);

    for (const char *line = q->headers; *line; line = strchr(line, '\n') + 1) {
        if (strncasecmp(line, name, name_len) != 0 || strncmp(line + name_len, ": ", 2) != 0)
            continue;
        const char *value = line + name_len + 2;
        snprintf(buf, size, "%.*s", (int)strcspn(value, "\n"), value);
        return buf;
    }
    return NULL;
}
