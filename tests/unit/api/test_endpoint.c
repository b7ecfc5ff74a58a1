/* Token buckets on a clock that is a number, clock skew, and the live families as they are written.
 */
#include "endpoint.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "alloc_fail.h"
#include "metrics/registry.h"

struct fixture {
    struct registry *registry;
    struct api_session *session;
};

static int fixture_make(void **state)
{
    static struct fixture f;
    struct err err = {0};

    f.registry = registry_new();
    if (!f.registry || api_session_new(f.registry, "afe/1", &f.session, &err) < 0)
        return -1;
    *state = &f;
    return 0;
}

static int fixture_free(void **state)
{
    struct fixture *f = *state;

    registry_free(f->registry);
    api_session_free(f->session);
    return 0;
}

/* A target with a bucket; its credentials live as long as the program. */
static struct target target_of(const char *host, const struct credentials_spec *credentials,
                               double requests_per_second, int burst)
{
    return (struct target){
        .name = "t",
        .host = host,
        .credentials = credentials,
        .requests_per_second = requests_per_second,
        .burst = burst,
    };
}

static const struct credentials_spec key_a = {.name = "a"};
static const struct credentials_spec key_b = {.name = "b"};

static struct endpoint *endpoint_of(void **state, double requests_per_second, int burst)
{
    struct fixture *f = *state;
    struct target target = target_of("h", &key_a, requests_per_second, burst);
    struct endpoint *e = session_endpoint(f->session, &target);

    assert_non_null(e);
    return e;
}

static void one_per_host_and_credentials(void **state)
{
    struct fixture *f = *state;
    struct target a = target_of("h", &key_a, 20, 20);
    struct target b = target_of("h", &key_b, 20, 20);
    struct target other = target_of("h:8443", &key_a, 20, 20);
    struct credentials_spec again = {.name = "a"}; /* another conf, the same name */
    struct target reloaded = target_of("h", &again, 20, 20);

    struct endpoint *e = session_endpoint(f->session, &a);
    assert_non_null(e);
    assert_ptr_equal(session_endpoint(f->session, &a), e);
    assert_ptr_equal(session_endpoint(f->session, &reloaded), e);
    assert_ptr_not_equal(session_endpoint(f->session, &b), e);
    assert_ptr_not_equal(session_endpoint(f->session, &other), e);
    assert_string_equal(session_user_agent(f->session), "afe/1");

    /* A bucket each. */
    for (int i = 0; i < 20; i++)
        assert_int_equal(endpoint_take_token(e, 1000), 0);
    assert_true(endpoint_take_token(e, 1000) > 0);
    assert_int_equal(endpoint_take_token(session_endpoint(f->session, &b), 1000), 0);
    assert_int_equal(endpoint_take_token(session_endpoint(f->session, &other), 1000), 0);
}

static void bucket_starts_full_and_says_how_long(void **state)
{
    struct endpoint *e = endpoint_of(state, 20, 3);

    for (int i = 0; i < 3; i++)
        assert_int_equal(endpoint_take_token(e, 5000), 0);
    assert_int_equal(endpoint_take_token(e, 5000), 50);
    assert_int_equal(endpoint_take_token(e, 5000), 50); /* being told takes nothing */
    assert_int_equal(endpoint_take_token(e, 5049), 1);
    assert_int_equal(endpoint_take_token(e, 5050), 0);
    assert_int_equal(endpoint_take_token(e, 5050), 50);
    /* A fraction of a token is kept: 75 ms are one and a half. */
    assert_int_equal(endpoint_take_token(e, 5125), 0);
    assert_int_equal(endpoint_take_token(e, 5125), 25);
}

static void burst_is_the_cap(void **state)
{
    struct endpoint *e = endpoint_of(state, 20, 3);

    assert_int_equal(endpoint_take_token(e, 1000), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(endpoint_take_token(e, 1000000000), 0);
    assert_int_equal(endpoint_take_token(e, 1000000000), 50);
}

static void time_that_goes_back_refills_nothing(void **state)
{
    struct endpoint *e = endpoint_of(state, 20, 1);

    assert_int_equal(endpoint_take_token(e, 10000), 0);
    assert_int_equal(endpoint_take_token(e, 9000), 50);
    assert_int_equal(endpoint_take_token(e, 10049), 1);
    assert_int_equal(endpoint_take_token(e, 9000), 1);
    assert_int_equal(endpoint_take_token(e, 10050), 0);
    assert_int_equal(endpoint_take_token(e, 0), 50);
}

/* Whoever waits as told gets a token, and the long run has the rate, whatever the fraction. */
static void no_drift(void **state)
{
    static const double rates[] = {0.001, 0.3, 1, 3, 7, 33.3, 100, 333, 999.9};

    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct fixture *f = *state;
        char host[16];
        snprintf(host, sizeof(host), "h%zu", i);
        struct target target = target_of(host, &key_a, rates[i], 1);
        struct endpoint *e = session_endpoint(f->session, &target);
        int64_t now = 12345;
        int64_t tokens = 20000;
        for (int64_t n = 0; n < tokens; n++) {
            int64_t wait = endpoint_take_token(e, now);
            while (wait > 3600000 - 1) { /* the longest that is ever told */
                now += wait;
                wait = endpoint_take_token(e, now);
            }
            if (wait > 0) {
                now += wait;
                assert_int_equal(endpoint_take_token(e, now), 0);
            }
        }
        /* The first came for nothing; the last may have waited up to a whole millisecond. */
        double expected = (double)(tokens - 1) * 1000 / rates[i];
        double took = (double)(now - 12345);
        assert_true(took >= expected - 1e-6 * expected);
        if (rates[i] < 500)
            assert_true(took <= expected + 2);
    }
}

/* Asking all the time makes no difference to asking when told. */
static void many_calls_lose_nothing(void **state)
{
    struct endpoint *e = endpoint_of(state, 33.3, 1);
    int taken = 0;

    for (int64_t now = 1; now <= 1000000; now++)
        taken += endpoint_take_token(e, now) == 0;
    assert_in_range(taken, 33299, 33301);
}

static void slow_rates_have_a_longest_wait(void **state)
{
    struct endpoint *e = endpoint_of(state, 1e-9, 1);

    assert_int_equal(endpoint_take_token(e, 1), 0);
    assert_int_equal(endpoint_take_token(e, 1), 3600000);
}

static void reload_takes_rate_and_burst_over_and_refills_nothing(void **state)
{
    struct endpoint *e = endpoint_of(state, 20, 10);

    for (int i = 0; i < 10; i++)
        assert_int_equal(endpoint_take_token(e, 1000), 0);
    assert_ptr_equal(endpoint_of(state, 20, 10), e);
    assert_int_equal(endpoint_take_token(e, 1000), 50);
    /* A larger burst fills at the rate, not at once. */
    assert_ptr_equal(endpoint_of(state, 10, 100), e);
    assert_int_equal(endpoint_take_token(e, 1000), 100);
    assert_int_equal(endpoint_take_token(e, 1100), 0);
    /* A smaller one cuts. */
    assert_ptr_equal(endpoint_of(state, 10, 2), e);
    assert_int_equal(endpoint_take_token(e, 100000), 0);
    assert_int_equal(endpoint_take_token(e, 100000), 0);
    assert_int_equal(endpoint_take_token(e, 100000), 100);
}

static void correction_belongs_to_the_host(void **state)
{
    struct fixture *f = *state;
    struct target a = target_of("h", &key_a, 20, 20);
    struct target b = target_of("h", &key_b, 20, 20);
    struct target other = target_of("h2", &key_a, 20, 20);

    struct endpoint *e = session_endpoint(f->session, &a);
    assert_int_equal(endpoint_correction_ms(e), 0);
    endpoint_set_skew_ms(e, -1200000);
    assert_int_equal(endpoint_correction_ms(e), 0); /* skew alone corrects nothing */
    endpoint_set_correction_ms(e, -1200000);
    assert_int_equal(endpoint_correction_ms(e), -1200000);
    assert_int_equal(endpoint_correction_ms(session_endpoint(f->session, &b)), -1200000);
    assert_int_equal(endpoint_correction_ms(session_endpoint(f->session, &other)), 0);
}

static void expect_exposition(void **state, const char *expected)
{
    struct fixture *f = *state;
    struct strbuf out = STRBUF_INIT;

    registry_write(f->registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_TEXT, &out);
    assert_true(strbuf_ok(&out));
    assert_string_equal(strbuf_str(&out), expected);
    strbuf_release(&out);
}

/* Answers to requests that were sent at now_ms, and the window before each. */
static void expect_windows(struct endpoint *e, int64_t now_ms, const size_t *windows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(endpoint_window(e, 8), windows[i]);
        endpoint_answered(e, now_ms);
    }
}

/*
 * One after throttling, however many requests of one wave were refused; then one more for each
 * answer up to half of what it was, and from there on for each windowful of answers.
 */
static void window(void **state)
{
    static const size_t slow_start[] = {1, 2, 3, 4, 4, 4, 4, 4, 5};
    struct endpoint *e = endpoint_of(state, 20, 20);

    expect_windows(e, 50, (const size_t[]){8, 8, 8}, 3);
    endpoint_throttled(e, 8, 100, 200, 1200);
    expect_windows(e, 199, (const size_t[]){1, 1, 1}, 3); /* sent before it was closed */
    expect_windows(e, 200, (const size_t[]){1, 2}, 2);
    endpoint_throttled(e, 8, 150, 210, 900); /* the same wave */
    endpoint_throttled(e, 8, 199, 220, 0);
    assert_int_equal(endpoint_window(e, 8), 3);
    assert_int_equal(endpoint_paused_until_mono_ms(e), 1200);
    assert_int_equal(endpoint_answers(e), 8);
    for (int i = 0; i < 5000; i++)
        endpoint_answered(e, 300);
    assert_int_equal(endpoint_window(e, 64), 64);
    endpoint_throttled(e, 8, 1300, 1400, 2400);
    expect_windows(e, 1400, slow_start, ARRAY_LEN(slow_start));
    assert_int_equal(endpoint_window(e, 1), 1);
}

#define DURATION "aliyun_flink_api_request_duration_seconds"
#define DURATION_HEAD                                                       \
    "# HELP " DURATION " Duration of HTTP requests to the control plane.\n" \
    "# TYPE " DURATION " histogram\n"
#define BUCKET(le, n) DURATION "_bucket{operation=\"ListDeployments\",le=\"" le "\"} " n "\n"
#define IN_FLIGHT_HEAD                                                 \
    "# HELP aliyun_flink_api_requests_in_flight Requests under way.\n" \
    "# TYPE aliyun_flink_api_requests_in_flight gauge\n"
#define BYTES_HEAD                                                                 \
    "# HELP aliyun_flink_api_response_bytes_total Response body bytes received.\n" \
    "# TYPE aliyun_flink_api_response_bytes_total counter\n"
#define SKEW_HEAD                                                                               \
    "# HELP aliyun_flink_api_clock_skew_seconds Server time (Date header) minus local time at " \
    "the last response.\n"                                                                      \
    "# TYPE aliyun_flink_api_clock_skew_seconds gauge\n"

#define CONNECTIONS_HEAD                                                                          \
    "# HELP aliyun_flink_api_connections_opened_total Connections opened to the control plane.\n" \
    "# TYPE aliyun_flink_api_connections_opened_total counter\n"
#define CONNECTIONS(host, n) \
    "aliyun_flink_api_connections_opened_total{endpoint=\"" host "\"} " n "\n"
#define HANDSHAKES_HEAD                                                                     \
    "# HELP aliyun_flink_api_tls_handshakes_total TLS handshakes with the control plane.\n" \
    "# TYPE aliyun_flink_api_tls_handshakes_total counter\n"
#define HANDSHAKES(host, n) "aliyun_flink_api_tls_handshakes_total{endpoint=\"" host "\"} " n "\n"

/* Everything at 0 from the start, so that the first increase is seen; no skew before it is known.
 */
static void families_at_the_start(void **state)
{
    (void)endpoint_of(state, 20, 20);
    expect_exposition(
        state, DURATION_HEAD BUCKET("0.05", "0") BUCKET("0.1", "0") BUCKET("0.25", "0")
                   BUCKET("0.5", "0") BUCKET("1.0", "0") BUCKET("2.5", "0") BUCKET("5.0", "0")
                       BUCKET("10.0", "0") BUCKET("30.0", "0") BUCKET("+Inf", "0") DURATION
        "_sum{operation=\"ListDeployments\"} 0\n" DURATION
        "_count{operation=\"ListDeployments\"} 0\n" IN_FLIGHT_HEAD
        "aliyun_flink_api_requests_in_flight 0\n" BYTES_HEAD
        "aliyun_flink_api_response_bytes_total{operation=\"ListDeployments\"} 0\n" CONNECTIONS_HEAD
            CONNECTIONS("h", "0") HANDSHAKES_HEAD HANDSHAKES("h", "0"));
}

static void families_after_requests(void **state)
{
    /* On both sides of bounds, which belong to their bucket. */
    static const int64_t durations_us[] = {-5,      0,       50000,   50001,    100000,  250001,
                                           1000000, 1000001, 5000000, 30000000, 30000001};
    struct fixture *f = *state;
    struct target first = target_of("h1", &key_a, 20, 20);
    struct target silent = target_of("h\"2", &key_a, 20, 20);
    struct target third = target_of("h3:8443", &key_b, 20, 20);

    for (size_t i = 0; i < ARRAY_LEN(durations_us); i++) {
        session_request_begun(f->session);
        session_request_ended(f->session, OPERATION_LIST_DEPLOYMENTS, durations_us[i], 1000);
    }
    for (int i = 0; i < 3; i++)
        session_request_begun(f->session);
    session_request_dropped(f->session);
    endpoint_set_skew_ms(session_endpoint(f->session, &first), -400);
    (void)session_endpoint(f->session, &silent);
    endpoint_set_skew_ms(session_endpoint(f->session, &third), 1);
    endpoint_set_skew_ms(session_endpoint(f->session, &third), 1200000);
    endpoint_count_connections(session_endpoint(f->session, &first), 2, 1);
    endpoint_count_connections(session_endpoint(f->session, &first), 1, 1);

    expect_exposition(
        state, DURATION_HEAD BUCKET("0.05", "3") BUCKET("0.1", "5") BUCKET("0.25", "5")
                   BUCKET("0.5", "6") BUCKET("1.0", "7") BUCKET("2.5", "8") BUCKET("5.0", "9")
                       BUCKET("10.0", "9") BUCKET("30.0", "10") BUCKET("+Inf", "11") DURATION
        "_sum{operation=\"ListDeployments\"} 67.450004\n" DURATION
        "_count{operation=\"ListDeployments\"} 11\n" IN_FLIGHT_HEAD
        "aliyun_flink_api_requests_in_flight 2\n" BYTES_HEAD
        "aliyun_flink_api_response_bytes_total{operation=\"ListDeployments\"} 11000\n" SKEW_HEAD
        "aliyun_flink_api_clock_skew_seconds{endpoint=\"h1\"} -0.4\n"
        "aliyun_flink_api_clock_skew_seconds{endpoint=\"h3:8443\"} 1200\n" CONNECTIONS_HEAD
            CONNECTIONS("h1", "3") CONNECTIONS("h\\\"2", "0") CONNECTIONS("h3:8443", "0")
                HANDSHAKES_HEAD HANDSHAKES("h1", "2") HANDSHAKES("h\\\"2", "0")
                    HANDSHAKES("h3:8443", "0"));

    /* The other format differs in the name of the counter's header alone. */
    struct strbuf out = STRBUF_INIT;
    registry_write(f->registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_OPENMETRICS, &out);
    assert_non_null(strstr(strbuf_str(&out), "# TYPE aliyun_flink_api_response_bytes counter\n"));
    assert_non_null(strstr(strbuf_str(&out), "# TYPE " DURATION " histogram\n"));
    strbuf_release(&out);
}

static void *work(void *arg)
{
    struct api_session *session = arg;
    char host[16];

    for (int i = 0; i < 500; i++) {
        snprintf(host, sizeof(host), "h%d", i % 20);
        struct target target = target_of(host, i % 2 ? &key_a : &key_b, 1000, 10 + i % 3);
        struct endpoint *e = session_endpoint(session, &target);
        session_request_begun(session);
        (void)endpoint_take_token(e, i);
        endpoint_set_skew_ms(e, i);
        endpoint_set_correction_ms(e, endpoint_correction_ms(e) + 1);
        session_request_ended(session, OPERATION_LIST_DEPLOYMENTS, i * 1000, 7);
    }
    return NULL;
}

/* Scrapes while workers add hosts and count: every text is a consistent histogram. */
static void scrapes_while_others_work(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, f->session), 0);
    for (int i = 0; i < 200; i++) {
        struct strbuf out = STRBUF_INIT;
        long long inf = -1;
        long long count = -2;
        registry_write(f->registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_TEXT, &out);
        const char *at = strstr(strbuf_str(&out), "le=\"+Inf\"} ");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "le=\"+Inf\"} %lld", &inf), 1);
        at = strstr(at, "_count{operation=\"ListDeployments\"} ");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "_count{operation=\"ListDeployments\"} %lld", &count), 1);
        assert_int_equal(inf, count);
        strbuf_release(&out);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);

    struct strbuf out = STRBUF_INIT;
    registry_write(f->registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_TEXT, &out);
    const char *text = strbuf_str(&out);
    assert_non_null(strstr(text, "_count{operation=\"ListDeployments\"} 2000\n"));
    assert_non_null(strstr(text, "in_flight 0\n"));
    assert_non_null(strstr(text, "bytes_total{operation=\"ListDeployments\"} 14000\n"));
    int samples = 0;
    for (const char *at = text; (at = strstr(at, "skew_seconds{")) != NULL; at++)
        samples++;
    assert_int_equal(samples, 20); /* one a host, though each has two credentials */
    strbuf_release(&out);
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct target target = target_of("h", &key_a, 20, 20);

    for (size_t n = 1;; n++) {
        struct registry *registry = registry_new();
        struct api_session *session = NULL;
        struct endpoint *e = NULL;
        struct err err = {0};
        assert_non_null(registry);
        alloc_fail_at(n);
        int r = api_session_new(registry, "afe/1", &session, &err);
        if (r == 0)
            e = session_endpoint(session, &target);
        alloc_fail_off();
        if (r < 0)
            assert_int_equal(err.kind, ERR_NOMEM);
        else if (!e)
            assert_non_null(session_endpoint(session, &target)); /* and the next one is good */
        registry_free(registry);
        api_session_free(session);
        if (alloc_fail_count() < n) {
            assert_int_equal(r, 0);
            assert_non_null(e);
            assert_true(n > 4);
            break;
        }
        assert_true(r < 0 || !e);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_per_host_and_credentials),
        TEST(bucket_starts_full_and_says_how_long),
        TEST(burst_is_the_cap),
        TEST(time_that_goes_back_refills_nothing),
        TEST(no_drift),
        TEST(many_calls_lose_nothing),
        TEST(slow_rates_have_a_longest_wait),
        TEST(reload_takes_rate_and_burst_over_and_refills_nothing),
        TEST(correction_belongs_to_the_host),
        TEST(window),
        TEST(families_at_the_start),
        TEST(families_after_requests),
        TEST(scrapes_while_others_work),
        cmocka_unit_test(survives_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
