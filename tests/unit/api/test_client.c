#include "client_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/log.h"
#include "fake_plane.h"

/* --- whole listings --- */

static void test_pages_side_by_side(void **state)
{
    (void)state;
    plane.n = 1000;
    target.concurrency = 8;
    expect_items(1000);
    assert_int_equal(plane.n_received, 10);
    assert_int_equal(plane.most_in_flight, 8);
    assert_int_equal(code_count(200), 10);
    for (int kind = 0; kind < ERR_REASON_END; kind++)
        assert_int_equal(stats.operations[0].failures[kind], 0);
    assert_int_equal(stats.operations[0].retries, 0);
    assert_int_equal(stats.rate_limit_waits, 0);
    /* Page 1 alone, eight more at once, the last one as soon as there is room. */
    assert_int_equal(plane.received[0].in_flight, 1);
    assert_int_equal(plane.received[1].at_ms, START_MONO_MS + 20);
    assert_int_equal(now_ms, START_MONO_MS + 60);
    expect_metric("aliyun_flink_api_requests_in_flight 0\n");
    expect_metric(
        "aliyun_flink_api_request_duration_seconds_count{operation=\"ListDeployments\"} 10");
}

static void test_hundred_pages(void **state)
{
    (void)state;
    plane.n = 10000;
    target.concurrency = 8;
    expect_items(10000);
    assert_int_equal(plane.n_received, 100);
    /* 1 + ceil(99 / 8) rounds of 20 ms. */
    assert_int_equal(now_ms, START_MONO_MS + 14 * 20);
}

static void test_request_as_sent(void **state)
{
    static const char *const values[] = {"a b", "c;d"};

    (void)state;
    expect_items(0);
    assert_int_equal(plane.n_received, 1);
    assert_string_equal(plane.received[0].url, "https://flink.example/api/v2/namespaces/ns-1/"
                                               "deployments?pageIndex=1&pageSize=100");
    target.select = (struct target_select){.name = "x y",
                                           .execution_mode = "STREAMING",
                                           .status = "RUNNING",
                                           .creator = "1",
                                           .modifier = "2",
                                           .label_key = "team",
                                           .label_values = values,
                                           .n_label_values = 2};
    expect_items(0);
    assert_string_equal(plane.received[1].url,
                        "https://flink.example/api/v2/namespaces/ns-1/deployments?creator=1"
                        "&executionMode=STREAMING&labelKey=team&labelValueArray=a%20b%3Bc%3Bd"
                        "&modifier=2&name=x%20y&pageIndex=1&pageSize=100&status=RUNNING");
    assert_string_equal(plane.received[0].date, "2026-01-01T00:00:00Z");
    assert_int_equal(plane.received[0].timeout_ms, 30000);
}

/* --- failures --- */

static void test_retries(void **state)
{
    (void)state;
    plane.n = 1000;
    plane.rules[0] = (struct rule){.page = 3, .times = 1, .status = 503};
    plane.rules[1] = (struct rule){.page = 7, .times = 2, .kind = ERR_CONNECT};
    expect_items(1000);
    assert_int_equal(plane.n_received, 13);
    assert_int_equal(code_count(200), 10);
    assert_int_equal(code_count(503), 1);
    assert_int_equal(code_count(0), 2);
    assert_int_equal(failure_count(ERR_HTTP), 1);
    assert_int_equal(failure_count(ERR_CONNECT), 2);
    assert_int_equal(stats.operations[0].retries, 3);
    assert_int_equal(stats.operations[0].throttled, 0);
    /* Every attempt is a request of its own. */
    for (size_t i = 0; i < plane.n_received; i++) {
        assert_int_equal(strlen(plane.received[i].nonce), 32);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(plane.received[i].nonce, plane.received[k].nonce);
    }
}

static void test_a_waiting_page_blocks_no_other(void **state)
{
    size_t done = 0;

    (void)state;
    plane.n = 1000;
    target.concurrency = 2;
    plane.rules[0] = (struct rule){.page = 2, .times = 1, .status = 500, .retry_after_ms = 60000};
    expect_items(1000);
    for (size_t i = 0; i < plane.n_received; i++)
        done += plane.received[i].at_ms < START_MONO_MS + 10000;
    assert_int_equal(done, 10); /* all pages and the attempt that failed */
    assert_int_equal(plane.received[10].page, 2);
    assert_true(plane.received[10].at_ms >= START_MONO_MS + 60000);
}

#define FORBIDDEN     "{\"Code\":\"Forbidden.RAM\",\"Message\":\"no\",\"RequestId\":\"F-1\"}"
#define BAD_SIGNATURE "{\"Code\":\"SignatureDoesNotMatch\"}"
#define NOT_FOUND     "{\"success\":false,\"errorCode\":\"990301\"}"

static void test_final_failures(void **state)
{
    static const struct {
        int status; /* of page 3, or the kind of its failure */
        enum err_kind broke;
        const char *body;
        enum err_kind kind;
        const char *words;
        size_t requests; /* for page 3 */
    } cases[] = {
        {503, ERR_NONE, "", ERR_HTTP, "page 3, attempt 3: HTTP 503 (RequestId R-", 3},
        {0, ERR_TIMEOUT, "", ERR_TIMEOUT, "page 3, attempt 3: it broke (RequestId R-", 3},
        {0, ERR_TLS, "", ERR_TLS, "page 3: it broke", 1},
        {302, ERR_NONE, "", ERR_HTTP, "page 3: HTTP 302", 1},
        {403, ERR_NONE, FORBIDDEN, ERR_PERMISSION, ", Forbidden.RAM: no (RequestId F-1)", 1},
        {400, ERR_NONE, BAD_SIGNATURE, ERR_AUTHENTICATION, "hash of our canonical request: ", 1},
        {200, ERR_NONE, NOT_FOUND, ERR_API, "page 3: HTTP 200, 990301", 1},
        {200, ERR_NONE, "{\"success\":true,\"da", ERR_PARSE, "page 3: ", 1},
        {200, ERR_NONE, "", ERR_PARSE, "(RequestId R-", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t requests = 0;
        plane.n = 1000;
        plane.n_received = 0;
        plane.rules[0] = (struct rule){
            .page = 3, .status = cases[i].status, .kind = cases[i].broke, .body = cases[i].body};
        expect_error(cases[i].kind, cases[i].words);
        for (size_t k = 0; k < plane.n_received; k++)
            requests += plane.received[k].page == 3;
        assert_int_equal(requests, cases[i].requests);
        assert_int_equal(failure_count(cases[i].kind), cases[i].requests);
        expect_metric("aliyun_flink_api_requests_in_flight 0\n");
    }
}

/* What was under way when a page failed for good was sent all the same. */
static void test_cancelled_requests_are_counted(void **state)
{
    (void)state;
    plane.n = 1000;
    plane.rules[0] = (struct rule){.page = 2, .status = 403, .latency_ms = 5};
    expect_error(ERR_PERMISSION, "page 2");
    assert_int_equal(plane.n_received, 5);
    assert_int_equal(code_count(200), 1);
    assert_int_equal(code_count(403), 1);
    assert_int_equal(code_count(0), 3);
    assert_int_equal(failure_count(ERR_PERMISSION), 1);
    expect_metric("aliyun_flink_api_requests_in_flight 0\n");
}

static void test_refused_token(void **state)
{
    char path[] = "/tmp/test_client.XXXXXX";
    struct credentials_spec sts = spec;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "old-token", 9), 9);
    close(fd);
    sts.security_token_file = path;
    plane.n = 100;
    plane.only_token = "new-token";
    plane.then_token_file = path;
    CLEANUP(listing_freep) struct listing *listing = list_as(&sts);
    assert_non_null(listing);
    assert_int_equal(plane.n_received, 2);
    assert_string_equal(plane.received[0].token, "old-token");
    assert_string_equal(plane.received[1].token, "new-token");
    assert_int_equal(failure_count(ERR_AUTHENTICATION), 1);

    /* Fresh credentials that are refused as well: once is enough. */
    plane.n_received = 0;
    plane.only_token = "another-token";
    plane.then_token_file = NULL;
    assert_null(list_as(&sts));
    assert_int_equal(last_err.kind, ERR_AUTHENTICATION);
    assert_non_null(strstr(last_err.msg, "InvalidSecurityToken.Expired"));
    assert_null(strstr(last_err.msg, "new-token"));
    assert_int_equal(plane.n_received, 2);
    unlink(path);
}

static void test_refused_date(void **state)
{
    (void)state;
    plane.n = 100;
    plane.tells_time = true;
    plane.ahead_ms = 20 * 60 * 1000;
    plane.rules[0] =
        (struct rule){.times = 1, .status = 400, .body = "{\"Code\":\"InvalidTimeStamp.Expired\"}"};
    expect_items(100);
    assert_int_equal(plane.n_received, 2);
    assert_string_equal(plane.received[0].date, "2026-01-01T00:00:00Z");
    assert_string_equal(plane.received[1].date, "2026-01-01T00:20:00Z");
    /* The next refresh knows. */
    expect_items(100);
    assert_string_equal(plane.received[2].date, "2026-01-01T00:20:00Z");
    expect_metric("aliyun_flink_api_clock_skew_seconds{endpoint=\"flink.example\"} 1200");

    /* Refused again though it is the server's own time: not more than once. */
    plane.n_received = 0;
    plane.rules[0].times = 0;
    expect_error(ERR_AUTHENTICATION, "InvalidTimeStamp.Expired");
    assert_int_equal(plane.n_received, 2);
    /* Without a Date there is nothing to learn, and the same again is of no use. */
    plane.n_received = 0;
    plane.tells_time = false;
    expect_error(ERR_AUTHENTICATION, "InvalidTimeStamp.Expired");
    assert_int_equal(plane.n_received, 1);
}

static void test_missing_credentials(void **state)
{
    struct credentials_spec nothing = spec;

    (void)state;
    nothing.access_key_secret = NULL;
    nothing.access_key_secret_file = "/nonexistent/secret";
    assert_null(list_as(&nothing));
    assert_int_equal(last_err.kind, ERR_AUTHENTICATION);
    assert_int_equal(plane.n_received, 0);
    assert_int_equal(stats.operations[0].n_codes, 0);
}

/* --- time --- */

static void test_rate_limit(void **state)
{
    (void)state;
    plane.n = 500;
    target.requests_per_second = 2;
    target.burst = 1;
    expect_items(500);
    for (size_t i = 1; i < plane.n_received; i++)
        assert_true(plane.received[i].at_ms - plane.received[i - 1].at_ms >= 500);
    /* Pages 2 to 5 waited, one after the other: each counts once, and the time is time that passed.
     */
    assert_int_equal(stats.rate_limit_waits, 4);
    assert_int_equal(stats.rate_limit_wait_ms, now_ms - START_MONO_MS - 40);
}

static void test_deadline(void **state)
{
    (void)state;
    plane.n = 100;
    plane.latency_ms = 1000000;
    target.deadline_ms = 45000;
    /* 30 s for the first attempt, what is left for the second, then nothing. */
    expect_error(ERR_TIMEOUT, "page 1");
    assert_int_equal(plane.received[0].timeout_ms, 30000);
    assert_in_range(plane.received[1].timeout_ms, 7000, 14500);
    assert_int_equal(now_ms, START_MONO_MS + 45000);

    plane.latency_ms = 20;
    plane.n = 1000;
    target.requests_per_second = 0.1;
    target.burst = 1;
    expect_error(ERR_TIMEOUT, "the deadline of the refresh passed with");
    assert_int_equal(now_ms, START_MONO_MS + 90000);
}

static void test_stop(void **state)
{
    (void)state;
    plane.n = 1000;
    plane.stop_at_ms = START_MONO_MS + 25;
    expect_error(ERR_STOPPED, "");
    assert_int_equal(code_count(200), 1);
    assert_int_equal(code_count(0), 4);
    assert_int_equal(failure_count(ERR_INTERNAL), 0);
    expect_metric("aliyun_flink_api_requests_in_flight 0\n");
    api_client_stop(client);
    expect_error(ERR_STOPPED, "");
}

/* --- size --- */

static void expect_page_size(size_t request, uint32_t page_size)
{
    assert_int_equal(plane.received[request].page_size, page_size);
}

static void test_smaller_pages(void **state)
{
    (void)state;
    plane.n = 35;
    plane.largest_page = 10;
    expect_items(35);
    expect_page_size(0, 100);
    expect_page_size(1, 10);
    assert_int_equal(plane.n_received, 1 + 4);
    assert_int_equal(failure_count(ERR_LIMIT), 1);
    /* Remembered. */
    expect_items(35);
    assert_int_equal(plane.n_received, 5 + 4);
    expect_page_size(5, 10);
    /* Not for ever, and not for other settings. */
    now_ms += 3600 * 1000;
    expect_items(35);
    expect_page_size(9, 100);
    target.max_body_size *= 2;
    expect_items(35);
    expect_page_size(14, 100);
    /* Down to single deployments, and no further. */
    plane.largest_page = 1;
    plane.n_received = 0;
    expect_items(35);
    assert_int_equal(plane.n_received, 1 + 35);
}

static void test_no_page_size_works(void **state)
{
    (void)state;
    plane.rules[0] = (struct rule){.status = 200, .kind = ERR_LIMIT, .body_too_large = true};
    expect_error(ERR_LIMIT, "pages of 1: page 1: it broke");
    assert_int_equal(plane.n_received, 3);
    /* It was the server's fault and is over: nothing is held against it. */
    memset(plane.rules, 0, sizeof(plane.rules));
    plane.n = 35;
    expect_items(35);
    expect_page_size(3, 100);
}

/* A header too large will not become smaller. */
static void test_other_limits_do_not_shrink_pages(void **state)
{
    (void)state;
    plane.rules[0] = (struct rule){.status = 200, .kind = ERR_LIMIT};
    expect_error(ERR_LIMIT, "page 1: it broke");
    assert_int_equal(plane.n_received, 1);
}

/* More places than are remembered: the oldest is forgotten, and nothing leaks. */
static void test_page_sizes_of_many_places(void **state)
{
    (void)state;
    plane.n = 5;
    plane.largest_page = 10;
    for (int i = 0; i < 100; i++) {
        char workspace[16];
        snprintf(workspace, sizeof(workspace), "w%d", i);
        target.workspace = workspace;
        expect_items(5);
    }
    assert_int_equal(plane.n_received, 200);
}

static void test_over_limit(void **state)
{
    (void)state;
    plane.n = 5000;
    target.max_deployments = 1000;
    CLEANUP(listing_freep) struct listing *listing = list_as(&spec);
    assert_non_null(listing);
    assert_int_equal(listing->n_items, 1000);
    assert_int_equal(listing->over_limit, 4000);
    assert_int_equal(listing->expected, 5000);
    assert_int_equal(plane.n_received, 11);
    plane.lies = true;
    plane.total = 950;
    expect_error(ERR_LIMIT, "beyond max_deployments (1000): totalSize 950, but 1100 deployments");
}

/* --- what is whole --- */

static void test_total_size_lies(void **state)
{
    static const int64_t totals[] = {0, 7, 251, 100000};

    (void)state;
    plane.n = 250;
    plane.lies = true;
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        plane.total = totals[i];
        plane.n_received = 0;
        CLEANUP(listing_freep) struct listing *listing = list_as(&spec);
        assert_non_null(listing);
        assert_int_equal(listing->n_items, 250);
        assert_true(listing->total_size_lies);
        assert_int_equal(listing->expected, totals[i]);
        assert_true(plane.n_received <= 2 * (4 + 4));
        assert_int_equal(listing->pages % 2, 0);
    }
    plane.lies = false;
    CLEANUP(listing_freep) struct listing *listing = list_as(&spec);
    assert_non_null(listing);
    assert_false(listing->total_size_lies);
    assert_int_equal(listing->pages, 3);
}

static void test_list_changes_while_read(void **state)
{
    (void)state;
    plane.n = 250;
    target.concurrency = 1;
    plane.shrink_after = 2; /* the third page of the first pass, and all of the second */
    CLEANUP(listing_freep) struct listing *listing = list_as(&spec);
    assert_non_null(listing);
    assert_int_equal(listing->n_items, 249);
    assert_false(listing->total_size_lies);
    assert_int_equal(listing->pages, 6);

    /* It changes again in the second pass. */
    plane.n_received = 0;
    plane.lies = true;
    plane.total = 300;
    plane.shrink_after = 4;
    expect_error(ERR_INCOMPLETE, "totalSize 300, but 250 deployments on 4 pages");
    assert_non_null(strstr(last_err.msg, "listed again: totalSize 300, but 249 deployments"));
}

static void test_no_time_for_a_second_pass(void **state)
{
    (void)state;
    plane.n = 250;
    plane.lies = true;
    plane.total = 240;
    plane.latency_ms = 1000;
    target.concurrency = 1;
    target.deadline_ms = 4500;
    target.max_retries = 0;
    expect_error(ERR_INCOMPLETE, "no time to list again");
}

/* A totalSize that is too large sends requests behind the end; how they fare is of no interest. */
static void test_pages_behind_the_end_do_not_matter(void **state)
{
    (void)state;
    plane.n = 100;
    plane.lies = true;
    plane.total = 5000;
    target.concurrency = 8;
    plane.rules[0] = (struct rule){.page = 3, .status = 400, .latency_ms = 50};
    plane.rules[1] = (struct rule){.page = 4, .status = 503, .latency_ms = 15};
    expect_items(100);
    expect_metric("aliyun_flink_api_requests_in_flight 0\n");
}

/* --- memory --- */

/* Every allocation of a listing fails once. A body that the plane could not build is a cut one. */
static void test_memory_runs_out(void **state)
{
    struct credentials *credentials = NULL;
    size_t n = 1;

    (void)state;
    assert_int_equal(credentials_new(&spec, NULL, NULL, &credentials, NULL), 0);
    target.concurrency = 2;
    target.page_size = 10;
    plane.n = 25;
    for (;; n++) {
        struct listing *listing = NULL;
        plane.n_received = 0;
        alloc_fail_at(n);
        int rc = list_with(credentials, &listing);
        alloc_fail_off();
        assert_int_equal(rc == 0, listing != NULL);
        if (rc < 0)
            assert_true(last_err.kind == ERR_NOMEM || last_err.kind == ERR_PARSE);
        listing_free(listing);
        if (alloc_fail_count() < n)
            break;
    }
    assert_true(n > 100);
    credentials_unref(credentials);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pages_side_by_side),
        TEST(test_hundred_pages),
        TEST(test_request_as_sent),
        TEST(test_retries),
        TEST(test_a_waiting_page_blocks_no_other),
        TEST(test_final_failures),
        TEST(test_cancelled_requests_are_counted),
        TEST(test_refused_token),
        TEST(test_refused_date),
        TEST(test_missing_credentials),
        TEST(test_rate_limit),
        TEST(test_deadline),
        TEST(test_stop),
        TEST(test_smaller_pages),
        TEST(test_no_page_size_works),
        TEST(test_other_limits_do_not_shrink_pages),
        TEST(test_page_sizes_of_many_places),
        TEST(test_over_limit),
        TEST(test_total_size_lies),
        TEST(test_list_changes_while_read),
        TEST(test_no_time_for_a_second_pass),
        TEST(test_pages_behind_the_end_do_not_matter),
        TEST(test_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
