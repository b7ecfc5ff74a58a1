/*
 * The HTTP side: one libmicrohttpd daemon, its limits, the routes.
 *
 * Handlers read one snapshot and some atomics; they never call the control plane and never wait
 * for it. Started and stopped by the main thread.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/snapshot.h"
#include "metrics/registry.h"

struct http_server;

/* Everything is borrowed until http_server_stop. */
struct http_options {
    /* "host:port", "[v6]:port", ":port" (all addresses); port 0 = any free one */
    const char *listen_address;
    const char *telemetry_path; /* "/metrics" */
    const char *version;        /* for the status page */
    const char *revision;
    bool debug; /* serve /debug/targets, which tells anybody why jobs failed */
    struct snapshot_slot *slot;
    struct registry *registry;
    unsigned max_requests;      /* scrapes at once; more get 503; 0 = no limit */
    unsigned max_connections;   /* 0 = default 256; at the limit new ones wait to be accepted */
    unsigned max_per_ip;        /* 0 = default 64; more are closed at once */
    unsigned idle_timeout_s;    /* 0 = default 10 */
    unsigned header_deadline_s; /* 0 = default 10: request line and headers must be there */
    unsigned reply_deadline_s;  /* 0 = default 60: from request line to the reply's last byte */
    bool (*healthy)(void *ctx); /* the scheduler lives; NULL = always */
    void *healthy_ctx;
};

/*
 * Binds, registers the live HTTP families in the registry, starts serving. ERR_IO says which
 * address and why ("cannot listen on :10058: Address already in use"), ERR_CONF that it is none.
 * Signals that the program waits for are blocked beforehand: the server's threads inherit the mask.
 */
int http_server_start(const struct http_options *options, struct http_server **ret,
                      struct err *err) MUST_CHECK;

/* The port it listens on, for port 0. */
unsigned http_server_port(const struct http_server *server);
/* The address it is bound to, in numbers: "127.0.0.1:10058", "[::]:10058"; the server's. */
const char *http_server_address(const struct http_server *server);

/*
 * Whether it looks like what http_options.listen_address takes; ERR_CONF says what is wrong. Opens
 * no socket and asks no resolver, so the address may still be one that cannot be had.
 */
int http_check_address(const char *listen_address, struct err *err) MUST_CHECK;

/*
 * No new connections, then up to drain_ms for replies under way, then gone. The registry's HTTP
 * families go with it: nobody may write the registry afterwards, nor start another server on it.
 */
void http_server_stop(struct http_server *server, int64_t drain_ms);

/* libmicrohttpd's version, for the build_info metric; static. */
const char *http_library_version(void);

#endif
