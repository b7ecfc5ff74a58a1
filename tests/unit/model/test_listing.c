/* Life of a listing, and the counts of requests: a slot per code until there are none left. */
#include "model/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc_fail.h"

#define OP OPERATION_LIST_DEPLOYMENTS

static void test_new_listing(void **state)
{
    struct listing *listing = listing_new();

    (void)state;
    assert_non_null(listing);
    assert_non_null(listing->arena);
    assert_int_equal(listing->n_items, 0);
    assert_int_equal(listing->expected, -1);
    listing_freep(&listing);
    listing_free(NULL);
}

static void test_no_memory(void **state)
{
    size_t n = 1;

    (void)state;
    for (;; n++) {
        alloc_fail_at(n);
        struct listing *listing = listing_new();
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_non_null(listing);
            listing_free(listing);
            break;
        }
        assert_null(listing);
    }
    assert_int_equal(n, 3);
}

/* Requests under a code; fails the test if the code has more than one slot. */
static uint64_t requests(const struct api_stats *stats, int code)
{
    uint64_t found = 0;
    int slots = 0;

    for (size_t i = 0; i < stats->operations[OP].n_codes; i++)
        if (stats->operations[OP].codes[i].code == code) {
            found = stats->operations[OP].codes[i].requests;
            slots++;
        }
    assert_in_range(slots, 0, 1);
    return found;
}

static void count(struct api_stats *stats, int code, unsigned times)
{
    while (times--)
        api_stats_count(stats, OP, code);
}

static void test_codes_get_slots(void **state)
{
    struct api_stats stats = {0};

    (void)state;
    assert_int_equal(requests(&stats, 0), 0);
    count(&stats, 200, 3);
    count(&stats, 0, 1); /* no response is a code, too */
    count(&stats, 503, 2);
    count(&stats, 200, 1);
    assert_int_equal(stats.operations[OP].n_codes, 3);
    assert_int_equal(requests(&stats, 200), 4);
    assert_int_equal(requests(&stats, 0), 1);
    assert_int_equal(requests(&stats, 503), 2);
    /* In the order in which they came: series keep their places. */
    assert_int_equal(stats.operations[OP].codes[0].code, 200);
    assert_int_equal(stats.operations[OP].codes[1].code, 0);
}

/* 15 codes have their own slot; whatever else comes shares the last one. */
static void test_other(void **state)
{
    const int own = API_STATS_CODES - 1;
    struct api_stats stats = {0};

    (void)state;
    for (int i = 0; i < own; i++)
        count(&stats, 400 + i, 1);
    assert_int_equal(stats.operations[OP].n_codes, own);
    assert_int_equal(requests(&stats, -1), 0);
    count(&stats, 500, 2);
    assert_int_equal(requests(&stats, -1), 2);
    for (int i = 1; i < 40; i++)
        count(&stats, 500 + i, 2);
    assert_int_equal(stats.operations[OP].n_codes, API_STATS_CODES);
    assert_int_equal(stats.operations[OP].codes[own].code, -1);
    assert_int_equal(requests(&stats, -1), 80);
    assert_int_equal(requests(&stats, 500), 0);
    /* Those that have a slot still count there. */
    count(&stats, 400, 1);
    count(&stats, 414, 1);
    assert_int_equal(requests(&stats, 400), 2);
    assert_int_equal(requests(&stats, 414), 2);
    assert_int_equal(requests(&stats, -1), 80);
}

static uint64_t all_requests(const struct api_stats *stats)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < stats->operations[OP].n_codes; i++)
        sum += stats->operations[OP].codes[i].requests;
    return sum;
}

static void test_add(void **state)
{
    struct api_stats sum = {0}, more = {0};

    (void)state;
    count(&sum, 200, 1);
    count(&more, 503, 2);
    count(&more, 200, 10);
    more.operations[OP].failures[ERR_DNS] = 1;
    more.operations[OP].failures[ERR_INTERNAL] = 7;
    more.operations[OP].retries = 3;
    more.operations[OP].throttled = 2;
    more.rate_limit_waits = 4;
    more.rate_limit_wait_ms = 1500;
    api_stats_add(&sum, &more);
    api_stats_add(&sum, &more);
    assert_int_equal(requests(&sum, 200), 21);
    assert_int_equal(requests(&sum, 503), 4);
    assert_int_equal(sum.operations[OP].failures[ERR_DNS], 2);
    assert_int_equal(sum.operations[OP].failures[ERR_INTERNAL], 14);
    assert_int_equal(sum.operations[OP].failures[ERR_TLS], 0);
    assert_int_equal(sum.operations[OP].retries, 6);
    assert_int_equal(sum.operations[OP].throttled, 4);
    assert_int_equal(sum.rate_limit_waits, 8);
    assert_int_equal(sum.rate_limit_wait_ms, 3000);
}

/*
 * Full ones are added to what is empty, to what is nearly full and to what is full with other
 * codes: nothing is lost, and "other" has one slot, the last.
 */
static void test_add_full(void **state)
{
    struct api_stats full = {0};

    (void)state;
    for (int i = 0; i < 20; i++)
        count(&full, 500 + i, 1);
    for (int own = 0; own <= 20; own++) {
        struct api_stats sum = {0};

        for (int i = 0; i < own; i++)
            count(&sum, 400 + i, 1);
        api_stats_add(&sum, &full);
        api_stats_add(&sum, &full);
        assert_int_equal(all_requests(&sum), own + 40);
        assert_int_equal(sum.operations[OP].n_codes, API_STATS_CODES);
        assert_int_equal(sum.operations[OP].codes[API_STATS_CODES - 1].code, -1);
        assert_true(requests(&sum, -1) >= 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_listing),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_codes_get_slots),
        cmocka_unit_test(test_other),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_add_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
