#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "json_text.h"

void reply_release(struct reply *r)
{
    strbuf_release(&r->body);
}

void reply_reset_body(struct reply *r)
{
    strbuf_release(&r->body);
    r->gzip = false;
}

void reply_add_header(struct reply *r, const char *name, const char *value)
{
    if (r->n_headers == REPLY_MAX_HEADERS)
        return;
    r->headers[r->n_headers].name = name;
    snprintf(r->headers[r->n_headers].value, sizeof(r->headers[0].value), "%s", value);
    r->n_headers++;
}

static void add_xml_escaped(struct strbuf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            strbuf_adds(out, "&lt;");
        else if (*s == '>')
            strbuf_adds(out, "&gt;");
        else if (*s == '&')
            strbuf_adds(out, "&amp;");
        else
            strbuf_addc(out, *s);
    }
}

static void gateway_xml(struct strbuf *out, const struct reply *r, const struct gateway_error *e)
{
    strbuf_addf(out,
                "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>%s</RequestId><HostId>",
                r->request_id);
    add_xml_escaped(out, e->host);
    strbuf_adds(out, "</HostId><Code>");
    add_xml_escaped(out, e->code);
    strbuf_adds(out, "</Code><Message>");
    add_xml_escaped(out, e->message);
    strbuf_adds(out, "</Message></Error>");
}

static void gateway_json(struct strbuf *out, const struct reply *r, const struct gateway_error *e)
{
    strbuf_addf(out, "{\"RequestId\":\"%s\",\"HostId\":", r->request_id);
    json_add_cstring(out, e->host);
    strbuf_adds(out, ",\"Code\":");
    json_add_cstring(out, e->code);
    strbuf_adds(out, ",\"Message\":");
    json_add_cstring(out, e->message);
    strbuf_adds(out, ",\"Recommend\":\"https://api.aliyun.com/troubleshoot?q=");
    json_add_escaped(out, e->code, strlen(e->code));
    strbuf_addf(out, "&product=%s&requestId=%s\"", r->sts ? "Sts" : "ververica", r->request_id);
    if (e->status == 403)
        strbuf_addf(out,
                    ",\"AccessDeniedDetail\":{\"PolicyType\":\"AccountLevelIdentityBasedPolicy\","
                    "\"AuthAction\":\"%s:%s\",\"NoPermissionType\":\"ImplicitDeny\"}",
                    r->sts ? "sts" : "stream", r->operation ? r->operation : "");
    strbuf_addc(out, '}');
}

void reply_gateway_error(struct reply *r, const struct gateway_error *e)
{
    reply_reset_body(r);
    r->status = e->status;
    snprintf(r->code, sizeof(r->code), "%s", e->code);
    if (e->xml) {
        r->content_type = "text/xml;charset=utf-8";
        gateway_xml(&r->body, r, e);
    } else {
        r->content_type = "application/json;charset=utf-8";
        gateway_json(&r->body, r, e);
    }
}

void reply_envelope(struct strbuf *out, const struct reply *r, bool success, const char *code,
                    const char *message)
{
    strbuf_addf(out, "{\"requestId\":\"%s\",\"success\":%s,\"httpCode\":200,\"errorCode\":",
                r->request_id, success ? "true" : "false");
    json_add_cstring(out, code);
    strbuf_adds(out, ",\"errorMessage\":");
    json_add_cstring(out, message);
}

void reply_business_error(struct reply *r, const char *code, const char *message)
{
    reply_reset_body(r);
    r->status = 200;
    r->content_type = "application/json;charset=utf-8";
    snprintf(r->code, sizeof(r->code), "%s", code);
    reply_envelope(&r->body, r, false, code, message);
    strbuf_adds(&r->body, ",\"data\":null}");
}
