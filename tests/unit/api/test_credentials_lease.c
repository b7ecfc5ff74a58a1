/* When keys are used, renewed and fetched: hours of it, without a clock. */
#include "credentials_lease.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define T0     (INT64_C(1234) * HOUR)

static struct lease granted(int64_t lifetime_ms)
{
    struct lease lease = {0};

    lease_granted(&lease, lifetime_ms, T0, T0);
    return lease;
}

static void nothing_yet(void **state)
{
    struct lease lease = {0};

    (void)state;
    assert_int_equal(lease_decide(&lease, 0), LEASE_NEED);
    assert_int_equal(lease_decide(&lease, T0), LEASE_NEED);
    lease_failed(&lease, T0, 0);
    assert_int_equal(lease_decide(&lease, T0), LEASE_REST);
    assert_int_equal(lease_decide(&lease, T0 + 499), LEASE_REST);
    assert_int_equal(lease_decide(&lease, T0 + 500), LEASE_NEED);
}

static void renewed_in_time(void **state)
{
    static const struct {
        int64_t lifetime_ms;
        int64_t renew_after_ms;
    } cases[] = {
        {HOUR, 45 * MINUTE},
        {6 * HOUR, 6 * HOUR - 15 * MINUTE},
        {30 * MINUTE, 15 * MINUTE},
        {30 * MINUTE - 2, 15 * MINUTE - 1},
        {15 * MINUTE, 7 * MINUTE + 30 * SECOND},
        {4 * SECOND, 2 * SECOND},
        {SECOND + 500, SECOND}, /* not faster than once a second */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lease lease = granted(cases[i].lifetime_ms);
        assert_int_equal(lease_decide(&lease, T0), LEASE_USE);
        assert_int_equal(lease_decide(&lease, T0 + cases[i].renew_after_ms - 1), LEASE_USE);
        assert_int_equal(lease_decide(&lease, T0 + cases[i].renew_after_ms), LEASE_RENEW);
        assert_int_equal(lease_decide(&lease, T0 + cases[i].lifetime_ms - 1), LEASE_RENEW);
        assert_int_equal(lease_decide(&lease, T0 + cases[i].lifetime_ms), LEASE_NEED);
    }
}

/* Attempts of who asks every second, from one time to another, all of which fail. */
static unsigned outage(struct lease *lease, int64_t from_ms, int64_t to_ms, uint64_t random,
                       int64_t *ret_last_used_ms, int64_t *ret_widest_ms)
{
    unsigned attempts = 0;
    int64_t last_attempt_ms = from_ms;

    for (int64_t now_ms = from_ms; now_ms < to_ms; now_ms += SECOND) {
        enum lease_verdict verdict = lease_decide(lease, now_ms);
        if (verdict == LEASE_USE || verdict == LEASE_RENEW)
            *ret_last_used_ms = now_ms;
        if (verdict != LEASE_RENEW && verdict != LEASE_NEED)
            continue;
        if (attempts > 0 && now_ms - last_attempt_ms > *ret_widest_ms)
            *ret_widest_ms = now_ms - last_attempt_ms;
        last_attempt_ms = now_ms;
        attempts++;
        lease_failed(lease, now_ms, random);
    }
    return attempts;
}

/* An hour without the granting service, from a minute before renewal is due. */
static void an_hour_of_outage(void **state)
{
    static const uint64_t randoms[] = {0, 12345, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(randoms) / sizeof(randoms[0]); i++) {
        struct lease lease = granted(HOUR);
        int64_t begin_ms = T0 + 44 * MINUTE, end_ms = begin_ms + HOUR;
        int64_t last_used_ms = 0, widest_ms = 0;
        unsigned attempts = outage(&lease, begin_ms, end_ms, randoms[i], &last_used_ms, &widest_ms);

        /* The old keys were used to their very end and not a second longer. */
        assert_true(last_used_ms == T0 + HOUR - SECOND);
        /* Never given up, never hammered: at most a minute apart, at least half of it. */
        assert_in_range(attempts, 59 + 5, 2 * 59 + 8);
        assert_true(widest_ms <= MINUTE);
        /* Within a minute of the service's return there are keys again. */
        int64_t now_ms = end_ms;
        while (lease_decide(&lease, now_ms) == LEASE_REST)
            now_ms += SECOND;
        assert_true(now_ms - end_ms <= MINUTE);
        lease_granted(&lease, HOUR, now_ms, now_ms);
        assert_int_equal(lease_decide(&lease, now_ms), LEASE_USE);
        assert_int_equal(lease_decide(&lease, now_ms + 44 * MINUTE), LEASE_USE);
        assert_int_equal(lease.failures, 0);
    }
}

/* A day: the back-off neither overflows nor ends. */
static void a_day_of_outage(void **state)
{
    struct lease lease = {0};
    int64_t last_used_ms = 0, widest_ms = 0;

    (void)state;
    assert_in_range(outage(&lease, T0, T0 + 24 * HOUR, 7, &last_used_ms, &widest_ms), 1400, 2900);
    assert_true(widest_ms <= MINUTE);
    assert_true(last_used_ms == 0);
    lease.failures = UINT32_MAX;
    lease_failed(&lease, T0, 0);
    assert_int_equal(lease.failures, UINT32_MAX);
    assert_true(lease.retry_mono_ms == T0 + 30 * SECOND);
}

static void lifetimes(void **state)
{
    const int64_t server = INT64_C(1795290867500), expiration = server + HOUR;
    static const int64_t wrong[] = {0,         20 * MINUTE, -20 * MINUTE,
                                    24 * HOUR, -24 * HOUR,  INT64_C(1000000) * HOUR};

    (void)state;
    /* Where the server shows its clock, ours does not matter at all. */
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_true(lease_lifetime_ms(expiration, server, server + wrong[i]) == HOUR);
    assert_true(lease_lifetime_ms(server - 1, server, server) == -1);
    /* Where it does not, ours has to do, but does not make new keys useless. */
    assert_true(lease_lifetime_ms(expiration, -1, server) == HOUR);
    assert_true(lease_lifetime_ms(expiration, -1, server + 20 * MINUTE) == 40 * MINUTE);
    assert_true(lease_lifetime_ms(expiration, -1, server + 2 * HOUR) == 5 * MINUTE);
    /* Bounded, and keys that do not say. */
    assert_true(lease_lifetime_ms(INT64_C(253402300799000), 0, 0) == 7 * 24 * HOUR);
    assert_true(lease_lifetime_ms(-1, server, server) == 2 * MINUTE);
}

/* Wall time is no parameter of any decision: what is left is the time that asking takes. */
static void a_slow_answer_costs_its_time(void **state)
{
    struct lease lease = {0};

    (void)state;
    lease_granted(&lease, MINUTE, T0, T0 + 50 * SECOND);
    assert_int_equal(lease_decide(&lease, T0 + 50 * SECOND), LEASE_USE);
    assert_int_equal(lease_decide(&lease, T0 + 51 * SECOND), LEASE_RENEW);
    assert_int_equal(lease_decide(&lease, T0 + MINUTE), LEASE_NEED);
}

static void refused_keys(void **state)
{
    struct lease lease = granted(HOUR);
    int64_t now_ms = T0 + 10 * MINUTE;

    (void)state;
    lease_refused(&lease, now_ms, 0);
    assert_int_equal(lease_decide(&lease, now_ms), LEASE_NEED); /* at once */
    lease_failed(&lease, now_ms, 0);
    assert_int_equal(lease_decide(&lease, now_ms), LEASE_USE); /* better than none */
    assert_int_equal(lease_decide(&lease, now_ms + 500), LEASE_NEED);
    now_ms += 500;
    lease_granted(&lease, HOUR, now_ms, now_ms);
    assert_int_equal(lease_decide(&lease, now_ms), LEASE_USE);
    lease_refused(&(struct lease){0}, now_ms, 0); /* nothing to refuse */
}

/* A server that refuses whatever is shown to it, asked every second for an hour. */
static void fresh_keys_refused(void **state)
{
    struct lease lease = granted(HOUR);
    unsigned fetches = 0;

    (void)state;
    for (int64_t now_ms = T0; now_ms < T0 + HOUR; now_ms += SECOND) {
        if (lease_decide(&lease, now_ms) == LEASE_NEED) {
            fetches++;
            lease_granted(&lease, HOUR, now_ms, now_ms);
        }
        lease_refused(&lease, now_ms, 3);
        lease_refused(&lease, now_ms, 3); /* several requests were under way */
    }
    assert_in_range(fetches, 60, 130);
    /* Once they are taken for a while, a refusal is news again. */
    lease_granted(&lease, HOUR, T0, T0);
    lease_refused(&lease, T0 + 6 * MINUTE, 3);
    assert_int_equal(lease_decide(&lease, T0 + 6 * MINUTE), LEASE_NEED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_yet),       cmocka_unit_test(renewed_in_time),
        cmocka_unit_test(an_hour_of_outage), cmocka_unit_test(a_day_of_outage),
        cmocka_unit_test(lifetimes),         cmocka_unit_test(a_slow_answer_costs_its_time),
        cmocka_unit_test(refused_keys),      cmocka_unit_test(fresh_keys_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
