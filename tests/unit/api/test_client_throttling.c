#include "client_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "fake_plane.h"

static void test_throttling(void **state)
{
    int64_t told_ms = START_MONO_MS + 40; /* page 1, then the answers to pages 2 to 5 */
    size_t after = 0;
    size_t most = 0;

    (void)state;
    plane.n = 2000;
    plane.rules[0] = (struct rule){.page = 4,
                                   .times = 1,
                                   .status = 429,
                                   .body = "{\"Code\":\"Throttling.User\"}",
                                   .retry_after_ms = 7000};
    expect_items(2000);
    assert_int_equal(stats.operations[0].throttled, 1);
    assert_int_equal(failure_count(ERR_THROTTLED), 1);
    assert_int_equal(code_count(429), 1);
    for (size_t i = 0; i < plane.n_received; i++) {
        const struct received *r = &plane.received[i];
        if (r->at_ms <= told_ms)
            continue;
        after++;
        /* The whole refresh keeps quiet as long as told, then goes on with half as many at once. */
        assert_true(r->at_ms >= told_ms + 7000);
        assert_true(r->in_flight <= (after <= 2 ? 2 : 4));
        most = r->in_flight > most ? r->in_flight : most;
    }
    assert_true(after >= 14);
    assert_int_equal(most, 4); /* and finds back to what it may */
}

/* The next refresh begins as carefully as this one ended. */
static void test_throttling_is_remembered(void **state)
{
    (void)state;
    plane.n = 500;
    for (size_t i = 0; i < 4; i++)
        plane.rules[i] = (struct rule){.page = 5,
                                       .times = 1,
                                       .status = 429,
                                       .body = "{\"Code\":\"Throttling.User\"}",
                                       .retry_after_ms = 1000};
    target.max_retries = 5;
    expect_items(500);
    plane.most_in_flight = 0;
    expect_items(500);
    assert_in_range(plane.most_in_flight, 1, 2);
    expect_metric("aliyun_flink_api_in_flight_limit{endpoint=\"flink.example\",credentials=");
}

static void test_throttled_for_longer_than_there_is_time(void **state)
{
    (void)state;
    plane.n = 100;
    target.deadline_ms = 10000;
    plane.rules[0] = (struct rule){
        .status = 503, .body = "{\"Code\":\"Throttling.Api\"}", .retry_after_ms = 20000};
    expect_error(ERR_THROTTLED, "page 1: HTTP 503, Throttling.Api");
    assert_int_equal(plane.n_received, 1);
    assert_int_equal(now_ms, START_MONO_MS + 20); /* no use in waiting for the end */
}

/* A page that is never let through is given up, whatever happens to the others. */
static void test_one_page_always_throttled(void **state)
{
    (void)state;
    plane.n = 6000;
    plane.rules[0] =
        (struct rule){.page = 7, .status = 503, .body = "{\"Code\":\"Throttling.Api\"}"};
    expect_error(ERR_THROTTLED, "HTTP 503, Throttling.Api");
    assert_in_range(code_count(503), 3, 11);
    assert_in_range(now_ms - START_MONO_MS, 1000, 30000);
}

/* What is told to one listing keeps the next one waiting for seconds, not for minutes. */
static void test_another_listing_waits_a_little(void **state)
{
    (void)state;
    plane.n = 100;
    target.deadline_ms = 100000;
    plane.rules[0] = (struct rule){.times = 1,
                                   .status = 503,
                                   .body = "{\"Code\":\"Throttling.Api\"}",
                                   .retry_after_ms = 60000};
    plane.stop_at_ms = START_MONO_MS + 1000;
    expect_error(ERR_STOPPED, "");
    plane.stop_at_ms = 0;
    api_client_resume(client);
    int64_t began_ms = now_ms;
    expect_items(100);
    assert_in_range(now_ms - began_ms, 4900, 5200);
}

/* Nobody wants throttled requests again who wants none again. */
static void test_no_retries_at_all(void **state)
{
    (void)state;
    plane.n = 1000;
    target.max_retries = 0;
    plane.rules[0] =
        (struct rule){.page = 7, .status = 429, .body = "{\"Code\":\"Throttling.User\"}"};
    expect_error(ERR_THROTTLED, "page 7: HTTP 429");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_throttling),
        TEST(test_throttling_is_remembered),
        TEST(test_throttled_for_longer_than_there_is_time),
        TEST(test_one_page_always_throttled),
        TEST(test_another_listing_waits_a_little),
        TEST(test_no_retries_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
