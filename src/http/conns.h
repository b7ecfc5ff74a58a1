/*
 * The open connections and their deadlines.
 *
 * libmicrohttpd closes a connection that is silent; one that drips a byte a second, in either
 * direction, it keeps for ever. So each connection has one deadline here, by what it is doing:
 *
 *     opened ............ header_ms for the first request's line and headers
 *     request line ...... header_ms from here at most, for its headers
 *     headers complete .. reply_ms since the request line, until the last byte is sent
 *     reply sent ........ idle_ms and header_ms for the next request's headers
 *
 * A thread of the table shuts late sockets down; whoever serves them then sees them as closed by
 * the peer. It never closes one: conns_closed() comes before close(2) and takes the same lock, so
 * a number that was given to another file meanwhile is never touched.
 *
 * Any thread may call; one connection's calls come one after the other.
 */
#ifndef HTTP_CONNS_H
#define HTTP_CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct conns;

/* Embedded in whatever serves a connection. */
struct conn {
    struct conn *prev;
    struct conn *next;
    int fd;
    bool busy; /* between request line and end of reply */
    bool cut;  /* shut down already */
    int64_t request_mono_ms;
    int64_t deadline_mono_ms;
};

struct conns_limits {
    int64_t idle_ms;
    int64_t header_ms;
    int64_t reply_ms;
};

/* Starts the thread; conns_free stops it. No connection may be left by then. */
int conns_new(const struct conns_limits *limits, struct conns **ret, struct err *err) MUST_CHECK;
void conns_free(struct conns *conns);

void conns_opened(struct conns *conns, struct conn *conn, int fd, int64_t now_mono_ms);
void conns_request(struct conns *conns, struct conn *conn, int64_t now_mono_ms);
void conns_headers(struct conns *conns, struct conn *conn);
void conns_replied(struct conns *conns, struct conn *conn, int64_t now_mono_ms);
void conns_closed(struct conns *conns, struct conn *conn);

/*
 * For stopping: shuts down the connections that have no request under way, and each of the others
 * when its reply is sent; returns when all are closed or at the given time.
 */
void conns_drain(struct conns *conns, int64_t until_mono_ms);

/* What the thread does: shuts down what is late and says when to come again, INT64_MAX = never. */
int64_t conns_cut_late(struct conns *conns, int64_t now_mono_ms);

#endif
