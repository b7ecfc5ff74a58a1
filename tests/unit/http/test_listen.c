/* Addresses as users write them, on loopback and any free port. */
#include "listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server.h"

static void test_bad_addresses(void **state)
{
    static const char *const bad[] = {
        "",           "10058",    "localhost",  "localhost:", ":",          ":x",
        ":65536",     ":-1",      ":123456",    ": 80",       "::1:10058",  "[::1]",
        "[::1:10058", "[]:10058", "::1]:10058", "a:b:c",      "unix:/path", ":+1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        unsigned port = 7;
        int fd = -7;

        if (listen_open(bad[i], &fd, &port, &err) == 0)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.kind, ERR_CONF);
        assert_int_equal(fd, -7);
        assert_int_equal(port, 7);
        /* The check alone says the same. */
        struct err checked = {0};
        assert_int_equal(http_check_address(bad[i], &checked), -1);
        assert_int_equal(checked.kind, ERR_CONF);
        assert_string_equal(checked.msg, err.msg);
    }
}

static void test_check_messages(void **state)
{
    static const char range[] = "the port must be from 0 to 65535";
    static const char scheme[] = "an address is host:port without a scheme";
    static const char want[] = "want host:port or :port";
    static const struct {
        const char *address;
        const char *why;
    } cases[] = {
        {":65536", range},
        {"localhost:99999", range},
        {"[::1]:123456", range},
        {":99999999999999999999999", range},
        {":-1", range},
        {"http://localhost:10058", scheme},
        {"http://localhost", scheme},
        {"https://:99999/metrics", scheme},
        {"", want},
        {"10058", want},
        {"localhost:", want},
        {":-", want},
        {":+1", want},
        {":1x", want},
        {":010058", want},
        {"[]:1", "want [v6]:port"},
        {"::1:10058", "an IPv6 address stands in brackets"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[256];
        struct err err = {0};

        (void)snprintf(expected, sizeof(expected), "'%s' is no listen address: %s",
                       cases[i].address, cases[i].why);
        assert_int_equal(http_check_address(cases[i].address, &err), -1);
        assert_int_equal(err.kind, ERR_CONF);
        assert_string_equal(err.msg, expected);
    }
}

/* What cannot be had is not the check's business. */
static void test_check_takes(void **state)
{
    static const char *const good[] = {":0",         ":65535",         "0.0.0.0:10058",
                                       "[::]:10058", "192.0.2.1:1",    "no.such.host.invalid:80",
                                       "[::1]:0",    "localhost:00080"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err err = {0};

        if (http_check_address(good[i], &err) < 0)
            fail_msg("%s", err.msg);
    }
}

/* 0, or the errno of connecting to a loopback address. */
static int try_connect(int family, unsigned port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback};
    CLEANUP(fdp) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return errno;
    if (family == AF_INET6)
        rc = connect(fd, (struct sockaddr *)&sin6, sizeof(sin6));
    else
        rc = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
    return rc == 0 ? 0 : errno;
}

static bool have_ipv6(void)
{
    struct err err;
    unsigned port;
    int fd;

    if (listen_open("[::1]:0", &fd, &port, &err) < 0)
        return false;
    (void)close(fd);
    return true;
}

static void test_who_reaches_it(void **state)
{
    static const struct {
        const char *address;
        bool ipv4;
        bool ipv6;
    } cases[] = {
        {":0", true, true},           {"[::]:0", true, true},   {"0.0.0.0:0", true, false},
        {"127.0.0.1:0", true, false}, {"[::1]:0", false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        unsigned port;
        int fd;

        if (!have_ipv6() && cases[i].address[0] == '[')
            continue;
        if (listen_open(cases[i].address, &fd, &port, &err) < 0)
            fail_msg("%s", err.msg);
        assert_true(port > 0);
        assert_int_equal(try_connect(AF_INET, port) == 0, cases[i].ipv4);
        if (have_ipv6())
            assert_int_equal(try_connect(AF_INET6, port) == 0, cases[i].ipv6);
        (void)close(fd);
    }
}

static void test_describe(void **state)
{
    static const struct {
        const char *address;
        const char *described;
    } cases[] = {{"127.0.0.1:0", "127.0.0.1:"},
                 {"0.0.0.0:0", "0.0.0.0:"},
                 {"[::1]:0", "[::1]:"},
                 {"[::]:0", "[::]:"},
                 {":0", "[::]:"}};
    struct err err = {0};
    char text[LISTEN_ADDRESS_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[LISTEN_ADDRESS_LEN];
        unsigned port;
        int fd;

        if (!have_ipv6() && cases[i].described[0] == '[')
            continue;
        assert_int_equal(listen_open(cases[i].address, &fd, &port, &err), 0);
        assert_int_equal(listen_describe(fd, text, sizeof(text), &err), 0);
        (void)snprintf(expected, sizeof(expected), "%s%u", cases[i].described, port);
        assert_string_equal(text, expected);
        (void)close(fd);
    }
    assert_int_equal(listen_describe(-1, text, sizeof(text), &err), -1);
    assert_int_equal(err.kind, ERR_IO);
}

static void test_port_in_use(void **state)
{
    struct err err;
    char again[32];
    char expected[128];
    unsigned port;
    int fd;
    int other;

    (void)state;
    assert_int_equal(listen_open("127.0.0.1:0", &fd, &port, &err), 0);
    (void)snprintf(again, sizeof(again), "127.0.0.1:%u", port);
    assert_int_equal(listen_open(again, &other, &port, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    (void)snprintf(expected, sizeof(expected), "cannot listen on %s: Address already in use",
                   again);
    assert_string_equal(err.msg, expected);
    /* All addresses means this one too; it does not fall back to IPv4 for that reason. */
    (void)snprintf(again, sizeof(again), ":%u", port);
    assert_int_equal(listen_open(again, &other, &port, &err), -1);
    assert_non_null(strstr(err.msg, "Address already in use"));
    (void)close(fd);
}

static void test_not_ours(void **state)
{
    struct err err;
    unsigned port;
    int fd;

    (void)state;
    assert_int_equal(listen_open("192.0.2.1:0", &fd, &port, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.msg, "cannot listen on 192.0.2.1:0: Cannot assign requested address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_addresses),  cmocka_unit_test(test_check_messages),
        cmocka_unit_test(test_check_takes),    cmocka_unit_test(test_describe),
        cmocka_unit_test(test_who_reaches_it), cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
