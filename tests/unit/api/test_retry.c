/* The rules as tables: every kind, every hint, the waits, the budget. */
#include "retry.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>

#include "base/cleanup.h"

static const struct retry_budget fresh = {
    .attempts_made = 1,
    .max_retries = 2,
    .remaining_ms = 60000,
};

static struct retry_outcome outcome(enum err_kind kind, int status)
{
    return (struct retry_outcome){.kind = kind, .status = status, .retry_after_ms = -1};
}

static void every_kind(void **state)
{
    (void)state;
    static const struct {
        enum err_kind kind;
        int status;
        bool retried;
    } cases[] = {
        {ERR_NONE, 200, false},
        {ERR_DNS, 0, true},
        {ERR_CONNECT, 0, true},
        {ERR_CONNECT, 200, true}, /* reset in the middle of the body */
        {ERR_TLS, 0, false},
        {ERR_TIMEOUT, 0, true},
        {ERR_TIMEOUT, 200, true},
        {ERR_HTTP, 0, true}, /* broken transfers */
        {ERR_HTTP, 200, true},
        {ERR_HTTP, 301, false},
        {ERR_HTTP, 307, false},
        {ERR_HTTP, 400, false},
        {ERR_HTTP, 404, false},
        {ERR_HTTP, 408, false},
        {ERR_HTTP, 499, false},
        {ERR_HTTP, 500, true},
        {ERR_HTTP, 502, true},
        {ERR_HTTP, 503, true},
        {ERR_HTTP, 599, true},
        {ERR_HTTP, 600, false},
        {ERR_THROTTLED, 429, true},
        {ERR_THROTTLED, 400, true}, /* the gateway throttles with 400 as well */
        {ERR_THROTTLED, 503, true},
        {ERR_THROTTLED, 200, true},
        {ERR_AUTHENTICATION, 0, false}, /* no credential */
        {ERR_AUTHENTICATION, 400, false},
        {ERR_AUTHENTICATION, 404, false},
        {ERR_PERMISSION, 403, false},
        {ERR_API, 200, false},
        {ERR_API, 400, false},
        {ERR_API, 500, true},
        {ERR_PARSE, 200, false},
        {ERR_INCOMPLETE, 200, false},
        {ERR_LIMIT, 200, false},
        {ERR_INTERNAL, 0, false},
        {ERR_CONF, 0, false},
        {ERR_IO, 0, false},
        {ERR_NOMEM, 0, false},
        {ERR_NOT_FOUND, 200, false},
        {ERR_STOPPED, 0, false},
    };
    bool seen[ERR_STOPPED + 1] = {false};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_outcome o = outcome(cases[i].kind, cases[i].status);
        seen[cases[i].kind] = true;
        if ((retry_wait_ms(&o, &fresh, 12345) >= 0) != cases[i].retried)
            fail_msg("%s with status %d", err_kind_name(cases[i].kind), cases[i].status);
        /* What is never retried is not retried because the server names a time either. */
        o.retry_after_ms = 1000;
        if ((retry_wait_ms(&o, &fresh, 12345) >= 0) != cases[i].retried)
            fail_msg("%s with status %d and a time", err_kind_name(cases[i].kind), cases[i].status);
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        assert_true(seen[i]);
}

static void hints(void **state)
{
    (void)state;
    static const struct {
        enum retry_hint hint;
        bool used;
        int64_t expected_ms;
    } cases[] = {
        {RETRY_HINT_NONCE_USED, false, 0},    {RETRY_HINT_NONCE_USED, true, 0},
        {RETRY_HINT_TOKEN_REFUSED, false, 0}, {RETRY_HINT_TOKEN_REFUSED, true, -1},
        {RETRY_HINT_DATE_REFUSED, false, 0},  {RETRY_HINT_DATE_REFUSED, true, -1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_outcome o = outcome(ERR_AUTHENTICATION, 400);
        struct retry_budget budget = fresh;
        o.hint = cases[i].hint;
        budget.used_hint[cases[i].hint] = cases[i].used;
        assert_int_equal(retry_wait_ms(&o, &budget, UINT64_MAX), cases[i].expected_ms);
        /* Another hint that was used does not matter, the number of attempts does. */
        budget = fresh;
        budget.used_hint[RETRY_HINT_NONE] = true;
        assert_int_equal(retry_wait_ms(&o, &budget, UINT64_MAX), 0);
        budget.attempts_made = 3;
        assert_int_equal(retry_wait_ms(&o, &budget, UINT64_MAX), -1);
        /* No time left for another request. */
        budget = fresh;
        budget.remaining_ms = 0;
        assert_int_equal(retry_wait_ms(&o, &budget, UINT64_MAX), -1);
    }
}

/* Not sent at all, or refused before it could do anything. */
static void what_changes_something(void **state)
{
    (void)state;
    static const struct {
        enum err_kind kind;
        int status;
        enum retry_hint hint;
        bool retried;
    } cases[] = {
        {ERR_DNS, 0, RETRY_HINT_NONE, true},
        {ERR_CONNECT, 0, RETRY_HINT_NONE, true},
        {ERR_THROTTLED, 429, RETRY_HINT_NONE, true},
        {ERR_AUTHENTICATION, 400, RETRY_HINT_TOKEN_REFUSED, true},
        {ERR_AUTHENTICATION, 400, RETRY_HINT_DATE_REFUSED, true},
        {ERR_AUTHENTICATION, 400, RETRY_HINT_NONCE_USED, false},
        {ERR_TIMEOUT, 0, RETRY_HINT_NONE, false},
        {ERR_HTTP, 0, RETRY_HINT_NONE, false},
        {ERR_HTTP, 200, RETRY_HINT_NONE, false},
        {ERR_HTTP, 503, RETRY_HINT_NONE, false},
        {ERR_API, 500, RETRY_HINT_NONE, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_outcome o = outcome(cases[i].kind, cases[i].status);
        o.hint = cases[i].hint;
        assert_true(retry_wait_ms(&o, &fresh, 0) >= 0);
        o.changes_something = true;
        if ((retry_wait_ms(&o, &fresh, 0) >= 0) != cases[i].retried)
            fail_msg("%s with status %d", err_kind_name(cases[i].kind), cases[i].status);
    }
}

static void number_of_attempts(void **state)
{
    (void)state;
    static const struct {
        int attempts_made;
        int max_retries;
        bool retried;
    } cases[] = {
        {1, 0, false}, {1, 1, true}, {2, 1, false},  {2, 2, true},
        {3, 2, false}, {9, 9, true}, {10, 9, false}, {1000000, 1000000, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_outcome o = outcome(ERR_CONNECT, 0);
        struct retry_budget budget = fresh;
        budget.attempts_made = cases[i].attempts_made;
        budget.max_retries = cases[i].max_retries;
        assert_int_equal(retry_wait_ms(&o, &budget, 0) >= 0, cases[i].retried);
    }
}

static void backoff_doubles_with_full_jitter(void **state)
{
    (void)state;
    static const int64_t bounds_ms[] = {1000, 2000, 4000, 8000, 8000, 8000};

    for (size_t i = 0; i < ARRAY_LEN(bounds_ms); i++) {
        struct retry_outcome o = outcome(ERR_HTTP, 503);
        struct retry_budget budget = {
            .attempts_made = (int)i + 1,
            .max_retries = 100,
            .remaining_ms = 60000,
        };
        uint64_t range = (uint64_t)bounds_ms[i] - 500;
        int64_t lowest = INT64_MAX;
        int64_t highest = 0;
        for (uint64_t random = 0; random <= range; random++) {
            int64_t wait = retry_wait_ms(&o, &budget, random);
            lowest = wait < lowest ? wait : lowest;
            highest = wait > highest ? wait : highest;
        }
        assert_int_equal(lowest, 500);
        assert_int_equal(highest, bounds_ms[i]);
        int64_t wait = retry_wait_ms(&o, &budget, UINT64_MAX);
        assert_true(wait >= 500 && wait <= bounds_ms[i]);
    }
}

static void obeys_retry_after(void **state)
{
    (void)state;
    static const struct {
        int64_t retry_after_ms;
        int64_t lowest_ms;
        int64_t highest_ms;
    } cases[] = {
        {1, 1, 1},
        {7000, 7000, 7700},
        {299999, 299999, 329998},
        {300000, 300000, 330000},
        {300001, 300000, 330000}, /* five minutes are the most */
        {INT64_MAX, 300000, 330000},
    };
    static const uint64_t randoms[] = {0, 1, 700, 701, 30000, 30001, UINT64_MAX / 3, UINT64_MAX};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_outcome o = outcome(ERR_THROTTLED, 429);
        struct retry_budget budget = fresh;
        o.retry_after_ms = cases[i].retry_after_ms;
        budget.remaining_ms = 1000000;
        assert_int_equal(retry_wait_ms(&o, &budget, 0), cases[i].lowest_ms);
        for (size_t j = 0; j < ARRAY_LEN(randoms); j++) {
            int64_t wait = retry_wait_ms(&o, &budget, randoms[j]);
            assert_in_range(wait, cases[i].lowest_ms, cases[i].highest_ms);
        }
    }
    /* The whole of the tenth is used. */
    struct retry_outcome o = outcome(ERR_THROTTLED, 429);
    o.retry_after_ms = 7000;
    assert_int_equal(retry_wait_ms(&o, &fresh, 700), 7700);
    /* With a hint as with a kind, and with 5xx as with throttling. */
    o = outcome(ERR_AUTHENTICATION, 400);
    o.hint = RETRY_HINT_NONCE_USED;
    o.retry_after_ms = 7000;
    assert_int_equal(retry_wait_ms(&o, &fresh, 0), 7000);
    o = outcome(ERR_HTTP, 503);
    o.retry_after_ms = 7000;
    assert_int_equal(retry_wait_ms(&o, &fresh, 0), 7000);
}

/* Zero and negative times say nothing, as in the vendor's clients. */
static void ignores_bad_retry_after(void **state)
{
    (void)state;
    static const int64_t times_ms[] = {0, -1, -7000, INT64_MIN};

    for (size_t i = 0; i < ARRAY_LEN(times_ms); i++) {
        struct retry_outcome o = outcome(ERR_THROTTLED, 429);
        o.retry_after_ms = times_ms[i];
        assert_int_equal(retry_wait_ms(&o, &fresh, 7), 507);
    }
}

static void keeps_the_deadline(void **state)
{
    (void)state;
    static const struct {
        int64_t retry_after_ms;
        uint64_t random;
        int64_t remaining_ms;
        int64_t expected_ms;
    } cases[] = {
        {-1, 0, 501, 500},       {-1, 0, 500, -1}, /* nothing would be left for the request */
        {-1, 0, 0, -1},          {-1, 0, -5, -1},
        {7000, 0, 7001, 7000},   {7000, 0, 7000, -1},
        {7000, 0, 6999, -1},     {7000, 700, 7700, -1},
        {7000, 700, 7701, 7700}, {400000, 0, 300001, 300000},
        {400000, 0, 300000, -1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_outcome o = outcome(ERR_THROTTLED, 429);
        struct retry_budget budget = fresh;
        o.retry_after_ms = cases[i].retry_after_ms;
        budget.remaining_ms = cases[i].remaining_ms;
        assert_int_equal(retry_wait_ms(&o, &budget, cases[i].random), cases[i].expected_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(hints),
        cmocka_unit_test(what_changes_something),
        cmocka_unit_test(number_of_attempts),
        cmocka_unit_test(backoff_doubles_with_full_jitter),
        cmocka_unit_test(obeys_retry_after),
        cmocka_unit_test(ignores_bad_retry_after),
        cmocka_unit_test(keeps_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
