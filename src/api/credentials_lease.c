/*
 * Renewal begins a quarter of an hour before the end, so that an outage of the granting service of
 * that length is not felt; half way where a life is too short for that. IMDS hands out the same
 * keys until it has others: then half of what is left is waited each time.
 */
#include "credentials_lease.h"

enum {
    RENEW_BEFORE_MS = 15 * 60 * 1000,
    RENEW_SPACING_MS = 1000,
    UNKNOWN_LIFETIME_MS = 2 * 60 * 1000,
    DOUBTFUL_LIFETIME_MS = 5 * 60 * 1000,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 60 * 1000,
    FRESH_MS = 5 * 60 * 1000, /* keys that were taken this long are no longer new */
};
static const int64_t LIFETIME_MAX_MS = INT64_C(7) * 24 * 3600 * 1000;

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t backoff_ms(unsigned n, uint64_t random_bits)
{
    int64_t most = n > 6 ? RETRY_MAX_MS : (int64_t)RETRY_FIRST_MS << (n - 1);

    if (most > RETRY_MAX_MS)
        most = RETRY_MAX_MS;
    return most / 2 + (int64_t)(random_bits % (uint64_t)(most / 2 + 1));
}

enum lease_verdict lease_decide(const struct lease *lease, int64_t now_mono_ms)
{
    bool good = lease->has_keys && now_mono_ms < lease->expires_mono_ms;
    bool may_fetch = now_mono_ms >= lease->retry_mono_ms;

    if (!good)
        return may_fetch ? LEASE_NEED : LEASE_REST;
    if (!may_fetch)
        return LEASE_USE; /* refused or not: there are no better ones now */
    if (lease->refused)
        return LEASE_NEED;
    return now_mono_ms >= lease->renew_mono_ms ? LEASE_RENEW : LEASE_USE;
}

int64_t lease_lifetime_ms(int64_t expiration_unix_ms, int64_t server_unix_ms, int64_t local_unix_ms)
{
    /* A file may change at any time, and who takes it away does not want it used any more. */
    if (expiration_unix_ms < 0)
        return UNKNOWN_LIFETIME_MS;
    int64_t lifetime_ms =
        expiration_unix_ms - (server_unix_ms >= 0 ? server_unix_ms : local_unix_ms);
    /* Our clock may be the one that is wrong: whoever they are shown to will know. */
    if (lifetime_ms <= 0 && server_unix_ms < 0)
        return DOUBTFUL_LIFETIME_MS;
    return lifetime_ms < LIFETIME_MAX_MS ? lifetime_ms : LIFETIME_MAX_MS;
}

void lease_granted(struct lease *lease, int64_t lifetime_ms, int64_t asked_mono_ms,
                   int64_t now_mono_ms)
{
    int64_t renew_after_ms =
        lifetime_ms >= 2 * RENEW_BEFORE_MS ? lifetime_ms - RENEW_BEFORE_MS : lifetime_ms / 2;

    lease->has_keys = true;
    lease->refused = false;
    lease->granted_mono_ms = now_mono_ms;
    lease->expires_mono_ms = asked_mono_ms + lifetime_ms;
    lease->renew_mono_ms = later(asked_mono_ms + renew_after_ms, now_mono_ms + RENEW_SPACING_MS);
    lease->retry_mono_ms = now_mono_ms;
    lease->failures = 0;
}

void lease_failed(struct lease *lease, int64_t now_mono_ms, uint64_t random_bits)
{
    if (lease->failures < UINT32_MAX)
        lease->failures++;
    lease->retry_mono_ms = now_mono_ms + backoff_ms(lease->failures, random_bits);
}

void lease_refused(struct lease *lease, int64_t now_mono_ms, uint64_t random_bits)
{
    if (lease->refused || !lease->has_keys)
        return;
    lease->refused = true;
    if (now_mono_ms - lease->granted_mono_ms >= FRESH_MS)
        lease->refusals = 0;
    /* The first time the keys may have been old for good reasons; then it is for us to be patient.
     */
    if (lease->refusals > 0)
        lease->retry_mono_ms =
            later(lease->retry_mono_ms,
                  lease->granted_mono_ms + backoff_ms(lease->refusals, random_bits));
    if (lease->refusals < UINT32_MAX)
        lease->refusals++;
}
