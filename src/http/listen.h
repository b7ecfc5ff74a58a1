/* The listening socket: an address as the user writes it, made into a file descriptor. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

/* "[v6%interface]:port" and the end of the string. */
enum { LISTEN_ADDRESS_LEN = 80 };

/* Whether it is an address as listen_open takes them, judged by its looks alone; else ERR_CONF. */
int listen_check(const char *address, struct err *err) MUST_CHECK;

/*
 * "host:port", "[v6]:port" or ":port"; port 0 takes any free one. ":port" and "[::]:port" take
 * IPv6 and IPv4 with one socket; ":port" takes IPv4 alone on a machine without IPv6. ERR_CONF for
 * what is no address, ERR_IO for what cannot be bound. May ask the resolver for a host name.
 */
int listen_open(const char *address, int *ret_fd, unsigned *ret_port, struct err *err) MUST_CHECK;

/* What a listening socket is bound to, in numbers: "127.0.0.1:10058", "[::]:10058". */
int listen_describe(int fd, char *ret, size_t size, struct err *err) MUST_CHECK;

#endif
