/*
 * What all workers share towards the control plane: one token bucket per endpoint and credentials,
 * the clock skew of each endpoint, and the live API metrics. Thread-safe; lives as long as the
 * program, across reloads, so that a reload does not refill a bucket.
 */
#ifndef API_SESSION_H
#define API_SESSION_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "metrics/registry.h"
#include "model/listing.h"

struct api_session;

/* Adds the live API families to the registry (borrowed). user_agent is copied. */
int api_session_new(struct registry *registry, const char *user_agent, struct api_session **ret,
                    struct err *err) MUST_CHECK;
void api_session_free(struct api_session *session);

/* For the build_info metric: "7.88.1", "OpenSSL/3.0.15". Static. */
const char *api_curl_version(void);
const char *api_tls_backend(void);

#endif
