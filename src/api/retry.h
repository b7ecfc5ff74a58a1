/*
 * Whether and when a request is sent again. Pure: outcome in, wait out.
 *
 * Retried: no connection, timeouts, broken transfers, 5xx, throttling, a used nonce; once: an
 * expired token (after fresh credentials) and an expired date (after a look at the server's clock).
 * Never: any other 4xx, redirects, TLS failures (a certificate does not heal within seconds), a
 * business refusal, an answer that cannot be read. All of them together at most max_retries times,
 * not counting a few that were throttled while other requests got through: there the quota is in
 * use, not shut. What changes something: only where it was not sent at all, was throttled, or its
 * token or date was refused.
 */
#ifndef RETRY_H
#define RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* However long a server asks to be left alone. */
#define RETRY_AFTER_MAX_MS INT64_C(300000)

/* What the error body says beyond its kind, as far as retrying cares. */
enum retry_hint {
    RETRY_HINT_NONE,
    RETRY_HINT_NONCE_USED,
    RETRY_HINT_TOKEN_REFUSED,
    RETRY_HINT_DATE_REFUSED,
    RETRY_HINT_END,
};

struct retry_outcome {
    enum err_kind kind;
    bool changes_something; /* sent again only where it is certain that nothing has happened */
    enum retry_hint hint;
    int status;             /* HTTP status, 0 = none */
    int64_t retry_after_ms; /* x-acs-retry-after or Retry-After, -1 = not given */
};

struct retry_budget {
    int attempts_made; /* 1 after the first */
    int uncounted;     /* of these: throttled while other requests got through */
    int max_retries;
    bool used_hint[RETRY_HINT_END]; /* hints that allow one retry, already used */
    int64_t remaining_ms;           /* until the deadline of the refresh */
};

/*
 * The wait in ms before the next attempt, or -1 for no further attempt. Full jitter between 0.5 s
 * and a bound that doubles from 1 s to 8 s, from random (any 64 bits); a given retry_after_ms (more
 * than 0) is obeyed exactly, up to five minutes, plus up to a tenth of jitter. A refused nonce,
 * token or date waits for nothing (0): the next request is another one. A wait that would reach the
 * deadline means -1.
 */
int64_t retry_wait_ms(const struct retry_outcome *outcome, const struct retry_budget *budget,
                      uint64_t random);

#endif
