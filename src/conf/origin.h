/*
 * Where requests go: the origin of the control plane and the proxy on the way. Pure functions.
 * What they return completes "endpoint ..." like text.h, and never repeats the URL: a proxy's may
 * hold a password.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>

#include "base/cleanup.h"

enum { ORIGIN_HOST_SIZE = 264 }; /* a DNS name, ':', a port, NUL */

struct origin {
    char url[ORIGIN_HOST_SIZE + sizeof("https://")];
    char host[ORIGIN_HOST_SIZE];
};

/*
 * "https://Host:443/" is the origin "https://host": lower case, no default port, no slash. Plain
 * http is for loopback, where the simulator lives; elsewhere it would show the requests, and who
 * holds one may replay it for a quarter of an hour.
 */
const char *origin_parse(const char *url, struct origin *ret) MUST_CHECK;

/*
 * The same for the metadata service of an ECS instance, which speaks plain http: to loopback, to
 * link-local addresses and to those of the cloud's own services (100.64.0.0/10).
 */
const char *origin_parse_metadata(const char *url, struct origin *ret) MUST_CHECK;

/* The whole URL of a service that hands out keys; plain http is how sidecars do it. */
const char *uri_complaint(const char *url) MUST_CHECK;

/* The vendor's name for the control plane of a region; any region, also one not yet known. */
void origin_of_region(const char *region_id, bool vpc, struct origin *ret);

/* "", "none", or the URL of an HTTP or SOCKS5 proxy. */
const char *proxy_complaint(const char *url) MUST_CHECK;

#endif
