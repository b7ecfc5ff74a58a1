#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

/* How soon a stop or the client's departure is noticed. */
#define SLICE_MS 50

bool wire_wait(int fd, struct halt *halt, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    for (int64_t left = ms; left > 0; left = until - clock_mono_ms()) {
        struct pollfd p = {.fd = fd, .events = POLLRDHUP};
        if (poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR))
            return false;
        if (halt_pause(halt, left < SLICE_MS ? left : SLICE_MS))
            return false;
    }
    return !halt_stopped(halt);
}

/* True if all of it is with the kernel. */
static bool send_all(int fd, struct halt *halt, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, SLICE_MS) < 0 && errno != EINTR)
            return false;
        if (halt_stopped(halt))
            return false;
    }
    return true;
}

enum framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_EOF };

static bool send_head(int fd, struct halt *halt, const struct reply *r, const char *date,
                      enum framing framing)
{
    struct strbuf head = STRBUF_INIT;
    strbuf_addf(&head, "HTTP/1.1 %d Simulated\r\nDate: %s\r\nConnection: close\r\n", r->status,
                date);
    strbuf_addf(&head, "x-acs-request-id: %s\r\n", r->request_id);
    if (r->content_type)
        strbuf_addf(&head, "Content-Type: %s\r\n", r->content_type);
    for (size_t i = 0; i < r->n_headers; i++)
        strbuf_addf(&head, "%s: %s\r\n", r->headers[i].name, r->headers[i].value);
    if (framing == FRAMING_LENGTH)
        strbuf_addf(&head, "Content-Length: %zu\r\n", r->body.len);
    else if (framing == FRAMING_CHUNKED)
        strbuf_adds(&head, "Transfer-Encoding: chunked\r\n");
    strbuf_adds(&head, "\r\n");
    bool sent = strbuf_ok(&head) && send_all(fd, halt, head.ptr, head.len);
    strbuf_release(&head);
    return sent;
}

static bool send_chunk(int fd, struct halt *halt, const char *bytes, size_t len)
{
    struct strbuf size = STRBUF_INIT;
    strbuf_addf(&size, "%zx\r\n", len);
    bool sent = strbuf_ok(&size) && send_all(fd, halt, size.ptr, size.len) &&
                send_all(fd, halt, bytes, len) && send_all(fd, halt, "\r\n", 2);
    strbuf_release(&size);
    return sent;
}

static void send_cut(int fd, struct halt *halt, const struct reply *r, const char *date)
{
    size_t bytes = (size_t)r->wire.bytes;
    const char *body = r->body.ptr ? r->body.ptr : "";
    if (r->wire.kind == WIRE_CUT_CHUNKED) {
        if (send_head(fd, halt, r, date, FRAMING_CHUNKED) && bytes)
            (void)send_chunk(fd, halt, body, bytes);
        return;
    }
    enum framing framing = r->wire.kind == WIRE_CUT_EOF ? FRAMING_EOF : FRAMING_LENGTH;
    if (!send_head(fd, halt, r, date, framing) || !send_all(fd, halt, body, bytes))
        return;
    if (r->wire.kind == WIRE_STALL)
        (void)wire_wait(fd, halt, r->wire.wait_ms);
}

/* Disconnecting a connected TCP socket from its peer sends the reset at once, before any FIN. */
static void reset(int fd)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    (void)connect(fd, &nobody, sizeof(nobody));
}

static void send_drip(int fd, struct halt *halt, const struct reply *r, const char *date)
{
    if (!send_head(fd, halt, r, date, FRAMING_LENGTH))
        return;
    size_t piece = (size_t)r->wire.bytes;
    for (size_t at = 0; at < r->body.len; at += piece) {
        size_t left = r->body.len - at;
        if (!send_all(fd, halt, r->body.ptr + at, left < piece ? left : piece) ||
            !wire_wait(fd, halt, r->wire.wait_ms))
            return;
    }
}

#define HUGE_BLOCK ((size_t)1 << 16)

static void send_huge(int fd, struct halt *halt, const struct reply *r, const char *date)
{
    struct strbuf block = STRBUF_INIT;
    while (block.len < HUGE_BLOCK && !block.bad)
        strbuf_adds(&block, "{\"deploymentId\":\"00000000-0000-0000-0000-000000000000\","
                            "\"name\":\"one of far too many\",\"jobSummary\":{\"running\":1}},\n");
    bool going = strbuf_ok(&block) && send_head(fd, halt, r, date, FRAMING_CHUNKED) &&
                 send_chunk(fd, halt, r->body.ptr, r->body.len);
    for (int64_t left = r->wire.bytes; going && left > 0; left -= (int64_t)block.len)
        going = send_chunk(fd, halt, block.ptr, block.len);
    if (going && send_chunk(fd, halt, "{}]}", 4))
        (void)send_all(fd, halt, "0\r\n\r\n", 5);
    strbuf_release(&block);
}

void wire_send(int fd, struct halt *halt, const struct reply *r, const char *date)
{
    switch (r->wire.kind) {
    case WIRE_NONE:
        break;
    case WIRE_CUT_LENGTH:
    case WIRE_CUT_CHUNKED:
    case WIRE_CUT_EOF:
    case WIRE_STALL:
        send_cut(fd, halt, r, date);
        break;
    case WIRE_RESET:
        send_cut(fd, halt, r, date);
        reset(fd);
        break;
    case WIRE_SILENCE:
        (void)wire_wait(fd, halt, r->wire.wait_ms);
        break;
    case WIRE_DRIP:
        send_drip(fd, halt, r, date);
        break;
    case WIRE_HUGE:
        send_huge(fd, halt, r, date);
        break;
    }
}
