/*
 * The transport against a server on loopback that misbehaves on purpose. Ceilings are generous:
 * they tell "bounded" from "hangs", nothing finer.
 */
#include "transport.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "fault_server.h"

#define MAX_BODY   (1 << 20)
#define CEILING_MS 10000
#define BODY_LEN   8029 /* of fault_server.py's BODY */
#define SECRET     "hunter2"

static struct transport *transport;

static const char *url_of(const char *scheme, const char *port, const char *path)
{
    static char url[256];

    snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, fault_server_port(port), path);
    return url;
}

static int new_transport(void **state)
{
    struct err err;

    (void)state;
    return transport_new("test/1.0", &transport, &err);
}

static int free_transport(void **state)
{
    (void)state;
    transport_free(transport);
    transport = NULL;
    return 0;
}

/* --- one request --- */

static struct transport_request request_to(const char *url)
{
    return (struct transport_request){.method = "GET",
                                      .url = url,
                                      .proxy_url = "none",
                                      .timeout_ms = 5000,
                                      .max_body_size = MAX_BODY,
                                      .tag = 42};
}

/* Sends it and returns the reply, which the caller releases. */
static struct transport_reply fetch(const struct transport_request *request)
{
    struct transport_reply reply = {0};
    struct err err = {0};

    if (transport_submit(transport, request, &err) < 0)
        fail_msg("submit: %s", err.msg);
    assert_int_equal(transport_in_flight(transport), 1);
    assert_int_equal(transport_wait(transport, clock_mono_ms() + CEILING_MS, &reply, &err), 1);
    assert_int_equal(transport_in_flight(transport), 0);
    assert_int_equal(reply.tag, request->tag);
    return reply;
}

static struct transport_reply get(const char *path)
{
    const struct transport_request request = request_to(url_of("http", "http", path));

    return fetch(&request);
}

static void expect_failure(struct transport_reply reply, enum err_kind kind, const char *words)
{
    if (reply.err.kind != kind)
        fail_msg("%s, not %s: %s", err_kind_name(reply.err.kind), err_kind_name(kind),
                 reply.err.msg);
    if (!strstr(reply.err.msg, words))
        fail_msg("\"%s\" is not in \"%s\"", words, reply.err.msg);
    assert_null(strstr(reply.err.msg, SECRET));
    /* Nothing of a reply that failed may be taken for one. */
    assert_int_equal(reply.body.len, 0);
    assert_null(reply.body.ptr);
    transport_reply_release(&reply);
}

static void expect_success(struct transport_reply reply, int status)
{
    if (reply.err.kind != ERR_NONE)
        fail_msg("%s: %s", err_kind_name(reply.err.kind), reply.err.msg);
    assert_int_equal(reply.status, status);
    transport_reply_release(&reply);
}

/* A number of the server's own books. */
static long server_count(const char *name)
{
    struct transport_reply reply = get("/counts");
    const char *at = strstr(strbuf_str(&reply.body), name);

    assert_non_null(at);
    long value = strtol(at + strlen(name) + 1, NULL, 10);
    transport_reply_release(&reply);
    return value;
}

/* --- good replies --- */

static void test_whole_reply(void **state)
{
    (void)state;
    struct transport_reply reply = get("/ok");
    assert_int_equal(reply.err.kind, ERR_NONE);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, BODY_LEN);
    assert_int_equal(reply.body_bytes, BODY_LEN);
    assert_string_equal(reply.request_id, "REQUEST-1");
    assert_int_equal(reply.retry_after_ms, -1);
    assert_true(llabs(reply.date_unix_s - clock_unix_ms() / 1000) <= 60);
    assert_true(reply.duration_us > 0);
    assert_false(reply.body_too_large);
    transport_reply_release(&reply);
}

static void test_what_is_sent(void **state)
{
    struct strbuf headers[2] = {STRBUF_INIT, STRBUF_INIT};
    char url[256];

    (void)state;
    snprintf(url, sizeof(url), "%s", url_of("http", "http", "/echo/a/../%2e%2e/b?x=%2F&y="));
    strbuf_adds(&headers[0], "host: signed.example:1");
    strbuf_adds(&headers[1], "accept: application/json");
    struct transport_request request = request_to(url);
    request.headers = headers;
    request.n_headers = 2;
    struct transport_reply reply = fetch(&request);
    const char *sent = strbuf_str(&reply.body);
    assert_non_null(strstr(sent, "GET /echo/a/../%2e%2e/b?x=%2F&y= HTTP/1.1\r\n"));
    assert_non_null(strstr(sent, "\r\nHost: signed.example:1\r\n"));
    assert_null(strstr(sent, "127.0.0.1"));
    assert_non_null(strstr(sent, "accept: application/json\r\n"));
    assert_null(strstr(sent, "Accept: "));
    assert_non_null(strstr(sent, "User-Agent: test/1.0\r\n"));
    assert_non_null(strstr(sent, "Accept-Encoding: gzip\r\n"));
    assert_null(strstr(sent, "Expect"));
    transport_reply_release(&reply);
    for (size_t i = 0; i < 2; i++)
        strbuf_release(&headers[i]);
}

static void test_body_is_sent(void **state)
{
    enum { LEN = 100000 };
    char *body = test_malloc(LEN);
    struct strbuf type = STRBUF_INIT;

    (void)state;
    memset(body, 'b', LEN);
    body[7] = '\0';
    strbuf_adds(&type, "content-type: application/json; charset=utf-8");
    struct transport_request request = request_to(url_of("http", "http", "/echo-body"));
    request.method = "PATCH";
    request.headers = &type;
    request.n_headers = 1;
    request.body = body;
    request.body_len = LEN;
    struct transport_reply reply = fetch(&request);
    const char *sent = strbuf_str(&reply.body);
    assert_ptr_equal(strstr(sent, "PATCH /echo-body HTTP/1.1\r\n"), sent);
    assert_null(strstr(sent, "Expect"));
    assert_null(strstr(sent, "urlencoded"));
    const char *end = strstr(sent, "\r\n\r\n");
    assert_non_null(end);
    assert_int_equal(reply.body.len - (size_t)(end + 4 - sent), LEN);
    assert_memory_equal(end + 4, body, LEN);
    transport_reply_release(&reply);
    strbuf_release(&type);
    test_free(body);
}

static void test_gzip(void **state)
{
    (void)state;
    struct transport_reply reply = get("/gzip");
    assert_int_equal(reply.err.kind, ERR_NONE);
    assert_int_equal(reply.body.len, BODY_LEN);
    assert_true(reply.body_bytes > 0 && reply.body_bytes < BODY_LEN / 10);
    transport_reply_release(&reply);
}

static void test_every_status_is_a_reply(void **state)
{
    static const int statuses[] = {201, 404, 429, 500, 503};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        char path[32];
        snprintf(path, sizeof(path), "/status/%d", statuses[i]);
        struct transport_reply reply = get(path);
        assert_string_equal(strbuf_str(&reply.body), "{}");
        expect_success(reply, statuses[i]);
    }
}

static void test_retry_after(void **state)
{
    static const struct {
        const char *path;
        int64_t ms;
    } cases[] = {
        {"/retry-ms", 7000},
        {"/retry-s", 7000},
        {"/retry-date", 30000},
        {"/retry-nonsense", -1},
        {"/retry-far", INT64_C(86400000)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct transport_reply reply = get(cases[i].path);
        assert_int_equal(reply.retry_after_ms, cases[i].ms);
        transport_reply_release(&reply);
    }
}

static void test_redirect_is_not_followed(void **state)
{
    (void)state;
    expect_success(get("/redirect"), 302);
    assert_int_equal(server_count("other"), 0);
}

static void test_connections_are_kept(void **state)
{
    (void)state;
    long before = server_count("connections");
    for (int i = 0; i < 20; i++)
        expect_success(get("/ok"), 200);
    assert_int_equal(server_count("connections"), before);
    /* Not for what changes something: where an open one does not answer, libcurl sends it again. */
    struct transport_request request = request_to(url_of("http", "http", "/swallow"));
    request.method = "PATCH";
    request.body = "{}";
    request.body_len = 2;
    expect_failure(fetch(&request), ERR_HTTP, "closed the connection without a reply");
    assert_int_equal(server_count("swallowed"), 1);
}

static void test_many_at_once(void **state)
{
    enum { N = 8 };
    struct err err;

    (void)state;
    long before = server_count("connections");
    for (int round = 0; round < 4; round++) {
        bool seen[N] = {false};
        for (size_t i = 0; i < N; i++) {
            struct transport_request request = request_to(url_of("http", "http", "/ok"));
            request.tag = i;
            assert_int_equal(transport_submit(transport, &request, &err), 0);
        }
        assert_int_equal(transport_in_flight(transport), N);
        for (size_t i = 0; i < N; i++) {
            struct transport_reply reply;
            assert_int_equal(transport_wait(transport, clock_mono_ms() + CEILING_MS, &reply, &err),
                             1);
            assert_false(seen[reply.tag]);
            seen[reply.tag] = true;
            expect_success(reply, 200);
        }
    }
    /* However many rounds: no more connections than requests were ever in flight. */
    assert_true(server_count("connections") < before + N);
}

/* --- bad replies --- */

static void test_broken_replies(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *words;
    } cases[] = {
        {"/reset", 200, "broke off"},        {"/short", 200, "broke off"},
        {"/chunk-cut", 200, "broke off"},    {"/bad-gzip", 200, "not HTTP"},
        {"/garbage", 0, "not HTTP"},         {"/http09", 0, "not HTTP"},
        {"/no-reply", 0, "without a reply"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct transport_reply reply = get(cases[i].path);
        assert_int_equal(reply.status, cases[i].status);
        expect_failure(reply, ERR_HTTP, cases[i].words);
        /* The transport is none the worse for it. */
        expect_success(get("/ok"), 200);
    }
}

static void test_request_id_of_a_broken_reply(void **state)
{
    (void)state;
    struct transport_reply reply = get("/short");
    assert_string_equal(reply.request_id, "CUT-1");
    transport_reply_release(&reply);
}

/* Only the decoder can see that this one is cut: the server never said how long it would be. */
static void test_body_to_the_end(void **state)
{
    (void)state;
    struct transport_reply reply = get("/to-the-end");
    assert_int_equal(reply.err.kind, ERR_NONE);
    assert_string_equal(strbuf_str(&reply.body), "{\"dat");
    transport_reply_release(&reply);
}

static void test_bodies_too_large(void **state)
{
    static const char *const paths[] = {"/huge-chunked", "/huge-length", "/bomb"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct transport_reply reply = get(paths[i]);
        assert_true(reply.body_too_large);
        /* The wire is cut off soon after the limit, too. */
        assert_true(reply.body_bytes < 3 * MAX_BODY);
        expect_failure(reply, ERR_LIMIT, "the body of the reply is larger than 1048576 bytes");
    }
}

static void test_body_of_exactly_the_limit(void **state)
{
    struct transport_request request = request_to(url_of("http", "http", "/gzip"));

    (void)state;
    request.max_body_size = BODY_LEN;
    expect_success(fetch(&request), 200);
    request.max_body_size = BODY_LEN - 1;
    expect_failure(fetch(&request), ERR_LIMIT, "larger than 8028 bytes");
}

static void test_headers_too_large(void **state)
{
    static const char *const paths[] = {"/many-headers", "/large-header", "/continues"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct transport_reply reply = get(paths[i]);
        assert_false(reply.body_too_large);
        expect_failure(reply, ERR_LIMIT, "header");
    }
}

/* --- time --- */

static void test_timeouts(void **state)
{
    static const struct {
        const char *scheme;
        const char *port;
        const char *path;
        enum err_kind kind;
        const char *words;
    } cases[] = {
        {"http", "http", "/silent", ERR_TIMEOUT, "no whole reply within 300 ms, 0 bytes"},
        {"http", "http", "/drip", ERR_TIMEOUT, "no whole reply within 300 ms"},
        {"http", "backlog", "/ok", ERR_CONNECT, "no connection within 300 ms"},
        {"http", "mute", "/ok", ERR_TIMEOUT, "no whole reply within 300 ms"},
        {"https", "mute", "/ok", ERR_TIMEOUT, "no TLS handshake within 300 ms"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct transport_request request =
            request_to(url_of(cases[i].scheme, cases[i].port, cases[i].path));
        request.timeout_ms = 300;
        int64_t start_ms = clock_mono_ms();
        expect_failure(fetch(&request), cases[i].kind, cases[i].words);
        assert_in_range(clock_mono_ms() - start_ms, 290, 5000);
    }
    expect_success(get("/ok"), 200);
}

static void test_wait_ends_in_time(void **state)
{
    struct transport_reply reply;
    struct err err;
    const struct transport_request request = request_to(url_of("http", "http", "/silent"));

    (void)state;
    /* With nothing in flight it is a sleep. */
    int64_t start_ms = clock_mono_ms();
    assert_int_equal(transport_wait(transport, start_ms + 50, &reply, &err), 0);
    assert_in_range(clock_mono_ms() - start_ms, 50, 5000);

    assert_int_equal(transport_submit(transport, &request, &err), 0);
    start_ms = clock_mono_ms();
    assert_int_equal(transport_wait(transport, start_ms + 50, &reply, &err), 0);
    assert_in_range(clock_mono_ms() - start_ms, 50, 5000);
    assert_int_equal(transport_wait(transport, 0, &reply, &err), 0);
    assert_int_equal(transport_in_flight(transport), 1);
    transport_cancel_all(transport);
    assert_int_equal(transport_in_flight(transport), 0);
    expect_success(get("/ok"), 200);
}

static void *stop_soon(void *ret_stopped_at_ms)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    *(int64_t *)ret_stopped_at_ms = clock_mono_ms();
    transport_stop(transport);
    return NULL;
}

static void test_stop(void **state)
{
    static const char *const ports[] = {"http", "backlog", "mute", NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        struct transport_reply reply;
        struct err err;
        pthread_t thread;
        int64_t stopped_at_ms = 0;

        free_transport(NULL);
        assert_int_equal(new_transport(NULL), 0);
        struct transport_request request =
            request_to(url_of("http", ports[i] ? ports[i] : "http", "/silent"));
        if (ports[i])
            assert_int_equal(transport_submit(transport, &request, &err), 0);
        assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stopped_at_ms), 0);
        assert_int_equal(transport_wait(transport, clock_mono_ms() + CEILING_MS, &reply, &err), -1);
        int64_t now_ms = clock_mono_ms();
        pthread_join(thread, NULL);
        assert_int_equal(err.kind, ERR_STOPPED);
        /* Measured: a tenth of a millisecond; the rest is for machines that are busy. */
        assert_in_range(now_ms - stopped_at_ms, 0, 1000);
        /* And ever after. */
        assert_int_equal(transport_wait(transport, clock_mono_ms() + CEILING_MS, &reply, &err), -1);
        assert_int_equal(err.kind, ERR_STOPPED);
        assert_int_equal(transport_submit(transport, &request, &err), -1);
        assert_int_equal(err.kind, ERR_STOPPED);
    }
}

/* --- connections --- */

static void test_no_connection(void **state)
{
    struct transport_request request = request_to(url_of("http", "refused", "/ok"));

    (void)state;
    expect_failure(fetch(&request), ERR_CONNECT, "no connection");
    request.url = "http://nosuch.invalid/ok";
    request.timeout_ms = 3000;
    expect_failure(fetch(&request), ERR_DNS, "");
    request.url = "file:///etc/passwd";
    expect_failure(fetch(&request), ERR_INTERNAL, "rotocol");
}

static void test_proxy(void **state)
{
    char url[256] = "", proxy[256];
    struct transport_request request = request_to(url);

    (void)state;
    request.proxy_url = proxy;
    request.timeout_ms = 3000;
    snprintf(url, sizeof(url), "%s", url_of("https", "tls_good", "/ok"));

    snprintf(proxy, sizeof(proxy), "http://me:%s@127.0.0.1:%d", SECRET, fault_server_port("proxy"));
    expect_failure(fetch(&request), ERR_CONNECT,
                   "the proxy refused the connection with status 407");
    snprintf(proxy, sizeof(proxy), "http://me:%s@127.0.0.1:%d", SECRET,
             fault_server_port("refused"));
    expect_failure(fetch(&request), ERR_CONNECT, "no connection");
    snprintf(proxy, sizeof(proxy), "http://me:%s@nosuch.invalid:1", SECRET);
    expect_failure(fetch(&request), ERR_DNS, "");
    snprintf(proxy, sizeof(proxy), "nonsense://me:%s@127.0.0.1:1", SECRET);
    expect_failure(fetch(&request), ERR_CONNECT, "no connection");
    snprintf(proxy, sizeof(proxy), "http://me:%s@[127.0.0.1:1", SECRET);
    expect_failure(fetch(&request), ERR_DNS, "proxy");

    /* A proxy that answers plain requests itself: our request reached it, in whole. */
    snprintf(url, sizeof(url), "%s", url_of("http", "refused", "/ok"));
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", fault_server_port("http"));
    expect_success(fetch(&request), 200);
}

static void test_proxy_of_the_environment(void **state)
{
    char proxy[64];
    struct transport_request request = request_to(url_of("http", "http", "/ok"));

    (void)state;
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", fault_server_port("refused"));
    setenv("http_proxy", proxy, 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    request.proxy_url = "";
    expect_failure(fetch(&request), ERR_CONNECT, "no connection");
    setenv("no_proxy", "127.0.0.1", 1);
    expect_success(fetch(&request), 200);
    /* What is configured is used, no_proxy or not. */
    request.proxy_url = proxy;
    expect_failure(fetch(&request), ERR_CONNECT, "no connection");
    unsetenv("no_proxy");
    request.proxy_url = "none";
    expect_success(fetch(&request), 200);
    unsetenv("http_proxy");
}

/* --- TLS --- */

static void test_tls(void **state)
{
    const struct target_tls tls = {.ca_file = fault_server_ca()};
    struct transport_request request = request_to(url_of("https", "tls_good", "/ok"));

    (void)state;
    request.tls = &tls;
    expect_success(fetch(&request), 200);
    long before = server_count("connections");
    expect_success(fetch(&request), 200);
    assert_int_equal(server_count("connections"), before);
}

static void test_tls_failures(void **state)
{
    static const struct {
        const char *port;
        const char *words;
    } cases[] = {
        {"tls_expired", "has expired"},
        {"tls_future", "not yet valid: check the clock"},
        {"tls_other", "is for another host"},
        {"tls_self", "not signed by a trusted authority"},
        {"tls_old", "does not speak TLS 1.2 or newer"},
        {"plain", "TLS handshake failed"},
    };
    const struct target_tls tls = {.ca_file = fault_server_ca()};
    const struct target_tls careless = {.insecure_skip_verify = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct transport_request request = request_to(url_of("https", cases[i].port, "/ok"));
        request.tls = &tls;
        expect_failure(fetch(&request), ERR_TLS, cases[i].words);
        if (i < 4) {
            request.tls = &careless;
            expect_success(fetch(&request), 200);
        }
    }
    /* The system's authorities do not know ours. */
    struct transport_request request = request_to(url_of("https", "tls_good", "/ok"));
    expect_failure(fetch(&request), ERR_TLS, "not signed by a trusted authority");
}

static void test_tls_files_that_cannot_be_used(void **state)
{
    const struct target_tls no_ca = {.ca_file = "/nonexistent/ca.pem"};
    const struct target_tls no_cert = {.ca_file = fault_server_ca(),
                                       .cert_file = "/nonexistent/cert.pem"};
    struct transport_request request = request_to(url_of("https", "tls_good", "/ok"));

    (void)state;
    request.tls = &no_ca;
    expect_failure(fetch(&request), ERR_TLS, "CA certificates cannot be used");
    request.tls = &no_cert;
    expect_failure(fetch(&request), ERR_TLS, "client certificate");
}

static void test_server_name(void **state)
{
    struct target_tls tls = {.ca_file = fault_server_ca(), .server_name = "flink.example"};
    struct strbuf host = STRBUF_INIT;
    struct transport_request request = request_to(url_of("https", "tls_good", "/echo?a=b://c"));

    (void)state;
    strbuf_addf(&host, "Host: 127.0.0.1:%d", fault_server_port("tls_good"));
    request.headers = &host;
    request.n_headers = 1;
    request.tls = &tls;
    struct transport_reply reply = fetch(&request);
    assert_int_equal(reply.err.kind, ERR_NONE);
    assert_non_null(strstr(strbuf_str(&reply.body), "GET /echo?a=b://c HTTP/1.1\r\n"));
    assert_non_null(strstr(strbuf_str(&reply.body), strbuf_str(&host)));
    transport_reply_release(&reply);

    tls.server_name = "stranger.example";
    expect_failure(fetch(&request), ERR_TLS, "is for another host");
    /* The certificate for another name is good if that name is asked for. */
    request.url = url_of("https", "tls_other", "/ok");
    tls.server_name = "somebody.else";
    expect_success(fetch(&request), 200);
    strbuf_release(&host);
}

/* --- memory --- */

/* Only our own allocations are seen, not those inside libcurl. */
static void test_memory_runs_out(void **state)
{
    const struct target_tls tls = {.server_name = "flink.example"};
    struct strbuf header = STRBUF_INIT;
    size_t n = 1;

    (void)state;
    strbuf_adds(&header, "host: flink.example");
    for (;; n++) {
        struct transport *t = NULL;
        struct transport_reply reply = {0};
        struct err err = {0};
        struct transport_request request = request_to(url_of("http", "http", "/echo-body"));
        request.method = "POST";
        request.headers = &header;
        request.n_headers = 1;
        request.body = "{}";
        request.body_len = 2;
        request.tls = &tls;

        alloc_fail_at(n);
        int rc = transport_new("test/1.0", &t, &err);
        if (rc == 0)
            rc = transport_submit(t, &request, &err);
        if (rc == 0)
            rc = transport_wait(t, clock_mono_ms() + CEILING_MS, &reply, &err);
        alloc_fail_off();
        transport_reply_release(&reply);
        transport_free(t);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 1);
            assert_int_equal(reply.status, 200);
            break;
        }
        assert_int_equal(rc < 0 ? err.kind : reply.err.kind, ERR_NOMEM);
    }
    assert_true(n > 5);
    strbuf_release(&header);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_transport, free_transport)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole_reply),
        TEST(test_what_is_sent),
        TEST(test_body_is_sent),
        TEST(test_gzip),
        TEST(test_every_status_is_a_reply),
        TEST(test_retry_after),
        TEST(test_redirect_is_not_followed),
        TEST(test_connections_are_kept),
        TEST(test_many_at_once),
        TEST(test_broken_replies),
        TEST(test_request_id_of_a_broken_reply),
        TEST(test_body_to_the_end),
        TEST(test_bodies_too_large),
        TEST(test_body_of_exactly_the_limit),
        TEST(test_headers_too_large),
        TEST(test_timeouts),
        TEST(test_wait_ends_in_time),
        TEST(test_stop),
        TEST(test_no_connection),
        TEST(test_proxy),
        TEST(test_proxy_of_the_environment),
        TEST(test_tls),
        TEST(test_tls_failures),
        TEST(test_tls_files_that_cannot_be_used),
        TEST(test_server_name),
        TEST(test_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, fault_server_start, fault_server_stop);
}
