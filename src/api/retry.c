/*
 * The rules follow the page on error codes and what the vendor's tools do: they retry throttling
 * and 5xx a few times and nothing else. The refresh as a whole comes again after its interval, so a
 * retry only has to bridge seconds.
 */
#include "retry.h"

enum {
    WAIT_MIN_MS = 500,
    WAIT_MAX_MS = 8000, /* a power of two times the least */
};

/*
 * A refusal of something that is new in every attempt: nonce, token, date. A nonce is only ever
 * refused because the same request had come before (a proxy sent it twice), and it may have been
 * let through.
 */
static bool hint_retryable(const struct retry_outcome *outcome, const struct retry_budget *budget)
{
    if (outcome->hint == RETRY_HINT_NONCE_USED)
        return !outcome->changes_something;
    return !budget->used_hint[outcome->hint];
}

/* Before the request was sent, or by the gateway in front of what would have done it. */
static bool nothing_happened(enum err_kind kind)
{
    return kind == ERR_DNS || kind == ERR_CONNECT || kind == ERR_THROTTLED;
}

static bool kind_retryable(enum err_kind kind, int status)
{
    bool server_error = status >= 500 && status <= 599;

    switch (kind) {
    case ERR_DNS:
    case ERR_CONNECT:
    case ERR_TIMEOUT:
    case ERR_THROTTLED:
        return true;
    case ERR_HTTP:
        /* Below 300 the answer looked good and its transfer broke. */
        return status < 300 || server_error;
    case ERR_API:
        return server_error;
    case ERR_NONE:
    case ERR_TLS:
    case ERR_AUTHENTICATION:
    case ERR_PERMISSION:
    case ERR_PARSE:
    case ERR_INCOMPLETE:
    case ERR_LIMIT:
    case ERR_INTERNAL:
    case ERR_CONF:
    case ERR_IO:
    case ERR_NOMEM:
    case ERR_NOT_FOUND:
    case ERR_STOPPED:
        break;
    }
    return false;
}

/* Uniform in 0..max_ms; the bias of the remainder is one in 2^64 / max_ms. */
static int64_t jitter_ms(int64_t max_ms, uint64_t random)
{
    return (int64_t)(random % ((uint64_t)max_ms + 1));
}

static int64_t backoff_ms(int attempts_made, uint64_t random)
{
    int64_t bound = WAIT_MIN_MS;

    for (int i = 0; i < attempts_made && bound < WAIT_MAX_MS; i++)
        bound *= 2;
    return WAIT_MIN_MS + jitter_ms(bound - WAIT_MIN_MS, random);
}

int64_t retry_wait_ms(const struct retry_outcome *outcome, const struct retry_budget *budget,
                      uint64_t random)
{
    int counted = budget->attempts_made - budget->uncounted;
    int64_t wait_ms = 0;

    if (counted > budget->max_retries)
        return -1;
    if (outcome->hint != RETRY_HINT_NONE) {
        if (!hint_retryable(outcome, budget))
            return -1;
    } else {
        if (!kind_retryable(outcome->kind, outcome->status) ||
            (outcome->changes_something && !nothing_happened(outcome->kind)))
            return -1;
        wait_ms = backoff_ms(counted > 1 ? counted : 1, random);
    }
    if (outcome->retry_after_ms > 0) {
        wait_ms = outcome->retry_after_ms;
        if (wait_ms > RETRY_AFTER_MAX_MS)
            wait_ms = RETRY_AFTER_MAX_MS;
        wait_ms += jitter_ms(wait_ms / 10, random);
    }
    return wait_ms < budget->remaining_ms ? wait_ms : -1;
}
