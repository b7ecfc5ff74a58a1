/*
 * The first steps of every connection, one by one: a name is looked up, a connection made. For
 * explaining only; calls go through the API client. One thread, besides one that may hang in the
 * resolver.
 */
#ifndef DIAGNOSE_NET_H
#define DIAGNOSE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "interrupt.h"
#include "model/target.h"

enum { NET_TIMEOUT_MS = 5000, NET_ADDRESSES_MAX = 16 };

/* Where the first connection goes: to the endpoint, or to a proxy. */
struct net_place {
    char host[256];
    char port[8];
    bool is_proxy;
    const char *proxy_source; /* "proxy_url" or the variable's name */
};

/* ERR_CONF for a proxy URL that cannot be understood; the URL is not shown, it may hold a password.
 */
int net_place_of(const struct target *target, struct net_place *ret, struct err *err) MUST_CHECK;

struct net_addresses;
void net_addresses_free(struct net_addresses *a);
void net_addresses_freep(struct net_addresses **a);

/* ERR_DNS with the resolver's words, ERR_STOPPED. text gets the addresses, by commas. */
int net_look_up(struct interrupt *interrupt, const struct net_place *place,
                struct net_addresses **ret, struct strbuf *text, struct err *err) MUST_CHECK;

/*
 * Connects to one after the other until one answers, and hangs up. text gets which one it was.
 * ERR_CONNECT with the reason of each, ERR_STOPPED.
 */
int net_connect(struct interrupt *interrupt, const struct net_addresses *addresses,
                struct strbuf *text, struct err *err) MUST_CHECK;

#endif
