/*
 * How long keys are used and when others are fetched. Pure: times in, verdicts out.
 *
 * Everything is counted on the monotonic clock. Wall time enters once, when the lifetime of new
 * keys is measured, and there the granting server's clock counts where it is known. So neither a
 * clock that is wrong nor one that jumps makes keys look older or younger than they are.
 */
#ifndef CREDENTIALS_LEASE_H
#define CREDENTIALS_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct lease {
    bool has_keys;
    bool refused; /* the keys, by who they were shown to */
    int64_t granted_mono_ms;
    int64_t renew_mono_ms;
    int64_t expires_mono_ms;
    int64_t retry_mono_ms; /* no fetch before */
    unsigned failures;     /* fetches in a row */
    unsigned refusals;     /* of keys that were fresh, in a row */
};
/* A zeroed lease has no keys and may fetch. */

enum lease_verdict {
    LEASE_USE,   /* the keys are good */
    LEASE_RENEW, /* they are, and it is time to fetch others */
    LEASE_NEED,  /* there are no good ones: fetch and wait */
    LEASE_REST,  /* neither good ones, nor time for another attempt */
};
enum lease_verdict lease_decide(const struct lease *lease, int64_t now_mono_ms);

/*
 * What is left of the keys' life at the moment they were asked for. -1 for expiration or server
 * means unknown.
 */
int64_t lease_lifetime_ms(int64_t expiration_unix_ms, int64_t server_unix_ms,
                          int64_t local_unix_ms);

/* New keys with a lifetime of more than 0, asked for at asked_mono_ms. */
void lease_granted(struct lease *lease, int64_t lifetime_ms, int64_t asked_mono_ms,
                   int64_t now_mono_ms);
/* No new keys. random_bits spread the next attempt. */
void lease_failed(struct lease *lease, int64_t now_mono_ms, uint64_t random_bits);
/* Whoever the keys were shown to takes them for bad. */
void lease_refused(struct lease *lease, int64_t now_mono_ms, uint64_t random_bits);

#endif
