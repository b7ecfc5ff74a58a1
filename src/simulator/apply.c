#include "apply.h"

#include <stdio.h>
#include <string.h>

#include "base/deflate.h"

static const char *error_code_of(int64_t status)
{
    switch (status) {
    case 400:
        return "InvalidParameter";
    case 401:
        return "InvalidAccessKeyId";
    case 403:
        return "Forbidden.RAM";
    case 404:
        return "InvalidApi.NotFound";
    case 429:
        return "Throttling.User";
    case 500:
        return "InternalError";
    default:
        return "ServiceUnavailable";
    }
}

static void gateway(const struct fault *f, const char *host, bool xml, struct reply *r)
{
    const struct gateway_error e = {
        .status = (int)f->code,
        .code = *f->error ? f->error : error_code_of(f->code),
        .message = "The request has failed due to a simulated fault.",
        .host = host,
        .xml = xml,
    };
    reply_gateway_error(r, &e);
    if (f->retry_after_s != FAULT_UNSET) {
        char seconds[32];
        snprintf(seconds, sizeof(seconds), "%lld", (long long)f->retry_after_s);
        reply_add_header(r, "Retry-After", seconds);
    }
}

static void throttle(const struct fault *f, const char *host, struct reply *r)
{
    const struct gateway_error e = {
        .status = (int)f->code,
        .code = "Throttling.User",
        .message = "Request was denied due to user flow control.",
        .host = host,
    };
    reply_gateway_error(r, &e);
    if (f->ms > 0) {
        char ms[32];
        snprintf(ms, sizeof(ms), "%lld", (long long)f->ms);
        reply_add_header(r, "x-acs-retry-after", ms);
    }
}

static void business(const struct fault *f, struct reply *r)
{
    if (strcmp(f->mode, "false") == 0) {
        reply_business_error(r, f->error, *f->message ? f->message : "deployment not found");
        return;
    }
    reply_reset_body(r);
    if (strcmp(f->mode, "null-data") == 0) {
        reply_envelope(&r->body, r, true, "", "");
        strbuf_adds(&r->body, ",\"pageIndex\":1,\"pageSize\":100,\"totalSize\":0,\"data\":null}");
    } else {
        strbuf_addf(&r->body, "{\"requestId\":\"%s\",\"httpCode\":200,\"data\":[]}", r->request_id);
    }
}

static void html(const struct fault *f, struct reply *r)
{
    reply_reset_body(r);
    r->status = (int)f->code;
    r->content_type = "text/html";
    strbuf_addf(&r->body,
                "<html>\r\n<head><title>%d Bad Gateway</title></head>\r\n<body>\r\n"
                "<center><h1>%d Bad Gateway</h1></center>\r\n<hr><center>Tengine</center>\r\n"
                "</body>\r\n</html>\r\n",
                r->status, r->status);
}

/* Something that no JSON reader may accept, in the middle of the text. */
static void malformed(struct reply *r)
{
    struct strbuf broken = STRBUF_INIT;
    size_t half = r->body.len / 2;
    strbuf_add(&broken, r->body.ptr, half);
    strbuf_adds(&broken, "\x01}],:{]\"");
    strbuf_add(&broken, r->body.ptr + half, r->body.len - half);
    reply_reset_body(r);
    r->body = broken;
}

static void cut(const struct fault *f, enum wire_kind kind, int64_t wait_ms, struct reply *r)
{
    int64_t len = (int64_t)r->body.len;
    int64_t bytes = f->bytes == FAULT_UNSET ? len / 2 : f->bytes;
    r->wire =
        (struct wire_plan){.kind = kind, .bytes = bytes < len ? bytes : len, .wait_ms = wait_ms};
}

static enum wire_kind cut_kind(const char *mode)
{
    if (strcmp(mode, "chunked") == 0)
        return WIRE_CUT_CHUNKED;
    return strcmp(mode, "eof") == 0 ? WIRE_CUT_EOF : WIRE_CUT_LENGTH;
}

static void hang(const struct fault *f, struct reply *r)
{
    int64_t ms = f->seconds > INT64_MAX / 1000 ? INT64_MAX / 2 : f->seconds * 1000;
    if (strcmp(f->mode, "reply") == 0)
        r->delay_ms = ms;
    else if (strcmp(f->mode, "body") == 0)
        cut(f, WIRE_STALL, ms, r);
    else
        r->wire = (struct wire_plan){.kind = WIRE_SILENCE, .wait_ms = ms};
}

#define BOMB_BLOCK ((size_t)1 << 20)

/* White space inside a valid answer; one block deflated once and repeated. */
static void gzip_bomb(const struct fault *f, struct reply *r)
{
    struct strbuf plain = STRBUF_INIT;
    struct strbuf block = STRBUF_INIT;
    strbuf_reserve(&plain, BOMB_BLOCK + 1);
    for (size_t i = 0; i < BOMB_BLOCK; i++)
        strbuf_addc(&plain, ' ');
    reply_reset_body(r);
    struct strbuf *out = &r->body;
    if (deflate_segment(strbuf_str(&plain), plain.len, 9, &block, NULL) < 0)
        out->bad = true;
    struct strbuf head = STRBUF_INIT;
    reply_envelope(&head, r, true, "", "");
    strbuf_adds(&head, ",\"pageIndex\":1,\"pageSize\":100,\"totalSize\":0,\"data\":[");

    strbuf_add(out, deflate_gzip_header, DEFLATE_GZIP_HEADER_LEN);
    if (deflate_segment(strbuf_str(&head), head.len, 9, out, NULL) < 0)
        out->bad = true;
    uint32_t crc = deflate_crc32(0, strbuf_str(&head), head.len);
    uint64_t len = head.len;
    uint32_t block_crc = deflate_crc32(0, strbuf_str(&plain), plain.len);
    for (int64_t left = f->size; left > 0 && !out->bad; left -= (int64_t)BOMB_BLOCK) {
        strbuf_add(out, strbuf_str(&block), block.len);
        crc = deflate_crc32_combine(crc, block_crc, BOMB_BLOCK);
        len += BOMB_BLOCK;
    }
    if (deflate_segment("]}", 2, 9, out, NULL) < 0)
        out->bad = true;
    crc = deflate_crc32_combine(crc, deflate_crc32(0, "]}", 2), 2);
    unsigned char trailer[DEFLATE_GZIP_TRAILER_LEN];
    deflate_gzip_trailer(trailer, crc, len + 2);
    strbuf_add(out, trailer, sizeof(trailer));
    r->gzip = true;
    strbuf_release(&plain);
    strbuf_release(&block);
    strbuf_release(&head);
}

static void deep(const struct fault *f, struct reply *r)
{
    reply_reset_body(r);
    reply_envelope(&r->body, r, true, "", "");
    strbuf_adds(&r->body, ",\"pageIndex\":1,\"pageSize\":100,\"totalSize\":1,\"data\":");
    for (int64_t i = 0; i < f->depth; i++)
        strbuf_addc(&r->body, '[');
    for (int64_t i = 0; i < f->depth; i++)
        strbuf_addc(&r->body, ']');
    strbuf_addc(&r->body, '}');
}

static void huge(const struct fault *f, struct reply *r)
{
    reply_reset_body(r);
    reply_envelope(&r->body, r, true, "", "");
    strbuf_adds(&r->body, ",\"pageIndex\":1,\"pageSize\":100,\"totalSize\":1,\"data\":[");
    r->wire = (struct wire_plan){.kind = WIRE_HUGE, .bytes = f->size};
}

static void redirect(const struct fault *f, struct reply *r)
{
    reply_reset_body(r);
    r->status = (int)f->code;
    r->content_type = NULL;
    reply_add_header(r, "Location", f->to);
}

void apply_fault(const struct fault *f, const char *host, struct reply *r)
{
    r->fault = fault_kind_name(f->kind);
    switch (f->kind) {
    case FAULT_STATUS:
        gateway(f, host, false, r);
        break;
    case FAULT_XML:
        gateway(f, host, true, r);
        break;
    case FAULT_THROTTLE:
        throttle(f, host, r);
        break;
    case FAULT_BUSINESS:
        business(f, r);
        break;
    case FAULT_HTML:
        html(f, r);
        break;
    case FAULT_EMPTY:
        reply_reset_body(r);
        r->status = (int)f->code;
        break;
    case FAULT_MALFORMED:
        malformed(r);
        break;
    case FAULT_TRUNCATE:
        cut(f, cut_kind(f->mode), 0, r);
        break;
    case FAULT_RESET:
        cut(f, WIRE_RESET, 0, r);
        break;
    case FAULT_HANG:
        hang(f, r);
        break;
    case FAULT_DRIP:
        r->wire = (struct wire_plan){WIRE_DRIP, f->bytes, f->every_ms};
        break;
    case FAULT_HUGE:
        huge(f, r);
        break;
    case FAULT_GZIP_BOMB:
        gzip_bomb(f, r);
        break;
    case FAULT_DEEP:
        deep(f, r);
        break;
    case FAULT_REDIRECT:
        redirect(f, r);
        break;
    default:
        break; /* the faults of the listing have done their work */
    }
}
