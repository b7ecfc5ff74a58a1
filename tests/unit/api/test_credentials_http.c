/* The real network of credentials, against a server on loopback that misbehaves on purpose. */
#include "credentials_http.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fault_server.h"

static struct credentials_http *http;

static int begin(void **state)
{
    (void)state;
    return credentials_http_new("test/1.0", &http, NULL);
}

static int end(void **state)
{
    (void)state;
    credentials_http_freep(&http);
    return 0;
}

static int ask(const char *method, const char *path, bool direct,
               struct credentials_http_reply *ret, struct err *err)
{
    char url[256];
    const struct credentials_http_request request = {
        .method = method,
        .url = url,
        .body = strcmp(method, "GET") == 0 ? NULL : "",
        .connect_timeout_ms = 1000,
        .timeout_ms = 10000,
        .direct = direct,
    };

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", fault_server_port("http"), path);
    return http->ops->exchange(http, &request, ret, err);
}

/* No body is not an empty one: that is announced, and not taken for a form. */
static void empty_bodies(void **state)
{
    static const char *const methods[] = {"PUT", "POST"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};
        struct err err = {0};
        char line[64];

        if (ask(methods[i], "/echo-body", true, &reply, &err) < 0)
            fail_msg("%s", err.msg);
        const char *sent = strbuf_str(&reply.body);
        snprintf(line, sizeof(line), "%s /echo-body HTTP/1.1\r\n", methods[i]);
        assert_ptr_equal(strstr(sent, line), sent);
        assert_non_null(strcasestr(sent, "\r\nContent-Length: 0\r\n"));
        assert_null(strcasestr(sent, "content-type"));
        assert_ptr_equal(strstr(sent, "\r\n\r\n") + 4, sent + reply.body.len);
    }
}

static void never_by_a_proxy(void **state)
{
    CLEANUP(credentials_http_reply_release) struct credentials_http_reply reply = {0};
    struct err err = {0};
    char proxy[64];

    (void)state;
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", fault_server_port("refused"));
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    setenv("http_proxy", proxy, 1);
    assert_int_equal(ask("GET", "/ok", false, &reply, &err), -1);
    assert_int_equal(err.kind, ERR_CONNECT);
    assert_int_equal(ask("GET", "/ok", true, &reply, &err), 0);
    unsetenv("http_proxy");
    assert_int_equal(reply.status, 200);
}

static void bounded(void **state)
{
    struct credentials_http_reply reply = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(ask("GET", "/huge-chunked", true, &reply, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void *ask_silence(void *arg)
{
    struct credentials_http_reply reply = {0};

    return (void *)(intptr_t)ask("GET", "/silent", true, &reply, arg);
}

static void stopped(void **state)
{
    struct credentials_http_reply reply = {0};
    struct err err = {0};
    pthread_t thread;
    int64_t began_ms = clock_mono_ms();
    void *r;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, ask_silence, &err), 0);
    http->ops->stop(http);
    pthread_join(thread, &r);
    assert_int_equal((intptr_t)r, -1);
    assert_int_equal(err.kind, ERR_STOPPED);
    assert_true(clock_mono_ms() - began_ms < 5000);
    /* For good. */
    assert_int_equal(ask("GET", "/ok", true, &reply, &err), -1);
    assert_int_equal(err.kind, ERR_STOPPED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(empty_bodies),
        TEST(never_by_a_proxy),
        TEST(bounded),
        TEST(stopped),
    };

    return cmocka_run_group_tests(tests, fault_server_start, fault_server_stop);
}
