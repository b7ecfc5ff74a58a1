/*
 * HTTP: the only user of libmicrohttpd. One thread per connection, so that a slow or broken reply
 * holds up nobody but its client.
 */
#ifndef SIMULATOR_SERVER_H
#define SIMULATOR_SERVER_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "simulator.h"

struct server;

/* listen: "127.0.0.1:18080", "[::1]:0", "localhost:0"; anything that is not loopback is refused. */
int server_start(struct simulator *s, const char *listen, struct server **ret,
                 struct err *err) MUST_CHECK;

/* "127.0.0.1:18080", as clients reach it. */
const char *server_address(const struct server *server);

/* Ends every connection, within a fraction of a second. After halt_stop. */
void server_stop(struct server *server);

#endif
