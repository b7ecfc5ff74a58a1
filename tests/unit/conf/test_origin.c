/* Endpoints and proxies: what they become, and what is said of those that are none. */
#include "origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_good(void **state)
{
    static const struct {
        const char *url;
        const char *origin;
        const char *host;
    } cases[] = {
        {"https://ververica.cn-hangzhou.aliyuncs.com", "https://ververica.cn-hangzhou.aliyuncs.com",
         "ververica.cn-hangzhou.aliyuncs.com"},
        {"https://a.example/", "https://a.example", "a.example"},
        {"HTTPS://A.Example:443/", "https://a.example", "a.example"},
        {"https://a.example:8443", "https://a.example:8443", "a.example:8443"},
        {"https://a.example:0443", "https://a.example", "a.example"},
        {"https://a.example:80", "https://a.example:80", "a.example:80"},
        {"https://192.0.2.1", "https://192.0.2.1", "192.0.2.1"},
        {"https://[2001:DB8:0:0::1]:65535", "https://[2001:db8::1]:65535", "[2001:db8::1]:65535"},
        {"http://localhost:18080", "http://localhost:18080", "localhost:18080"},
        {"http://LOCALHOST:80/", "http://localhost", "localhost"},
        {"http://127.0.0.1:443", "http://127.0.0.1:443", "127.0.0.1:443"},
        {"http://127.255.0.9", "http://127.255.0.9", "127.255.0.9"},
        {"http://[::1]:18080", "http://[::1]:18080", "[::1]:18080"},
        {"http://[0:0:0:0:0:0:0:1]", "http://[::1]", "[::1]"},
        {"https://a_b.internal", "https://a_b.internal", "a_b.internal"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct origin o;
        const char *complaint = origin_parse(cases[i].url, &o);

        if (complaint)
            fail_msg("%s %s", cases[i].url, complaint);
        assert_string_equal(o.url, cases[i].origin);
        assert_string_equal(o.host, cases[i].host);
    }
}

static void test_bad(void **state)
{
    static const char https[] = "must start with https://";
    static const char loopback[] =
        "must start with https://; plain http is for loopback hosts only";
    static const char user[] = "must not hold a user name or password";
    static const char rest[] = "must not have a path, query or fragment";
    static const char port[] = "must have a port from 1 to 65535, or none";
    static const char host[] = "must name a host by letters, digits, '-' and '.'";
    static const char none[] = "must name a host";
    static const char ipv4[] = "must name a host; this is no IPv4 address";
    static const char ipv6[] = "must name a host; this is no IPv6 address";
    static const struct {
        const char *url;
        const char *complaint;
    } cases[] = {
        {"", https},
        {"a.example", https},
        {"a.example:443", https},
        {"ftp://a.example", https},
        {"://a.example", https},
        {"socks5://a.example", https},
        {" https://a.example", https},
        {"http://a.example", loopback},
        {"http://localhost.example", loopback},
        {"http://128.0.0.1", loopback},
        {"http://0.0.0.0", loopback},
        {"http://[::]", loopback},
        {"http://[::ffff:127.0.0.1]", loopback},
        {"https://u:p@a.example", user},
        {"https://u@a.example", user},
        {"https://@a.example", user},
        {"http://localhost@a.example", user},
        {"https://a.example/x", rest},
        {"https://a.example//", rest},
        {"https://a.example?x", rest},
        {"https://a.example/?x", rest},
        {"https://a.example#x", rest},
        {"https://a.example:", port},
        {"https://a.example:0", port},
        {"https://a.example:65536", port},
        {"https://a.example:999999999999", port},
        {"https://a.example:44x", port},
        {"https://a.example:443:443", port},
        {"https://[::1]:", port},
        {"https://", none},
        {"https:///", none},
        {"https://:443", none},
        {"https://a..example", host},
        {"https://.a.example", host},
        {"https://a.example.", host},
        {"https://-a.example", host},
        {"https://a b.example", host},
        {"https://a\\b.example", host},
        {"https://a%41.example", host},
        {"https://\xc3\xa4.example", host},
        {"https://[::1]x", ipv6},
        {"https://[::1", ipv6},
        {"https://[]", ipv6},
        {"https://[fe80::1%25lo]", ipv6},
        {"https://[127.0.0.1]", ipv6},
        {"http://127.1", ipv4},
        {"http://2130706433", ipv4},
        {"http://0x7f.0.0.0x1", ipv4},
        {"http://127.0.0.256", ipv4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct origin o;
        const char *complaint = origin_parse(cases[i].url, &o);

        if (!complaint || strcmp(complaint, cases[i].complaint) != 0)
            fail_msg("%s: %s", cases[i].url, complaint ? complaint : o.url);
    }
}

static void test_long_hosts(void **state)
{
    char url[600] = "https://";
    struct origin o;
    size_t len = strlen(url);

    (void)state;
    /* 126 labels of one letter and one of two: 126 * 2 + 2 - 1 = 253 bytes. */
    for (int i = 0; i < 125; i++, len += 2)
        memcpy(url + len, "a.", 3);
    memcpy(url + len, "abc:65535", 10);
    assert_null(origin_parse(url, &o));
    assert_int_equal(strlen(o.host), 253 + 6);
    assert_string_equal(o.url, url);
    memcpy(url + len, "abcd", 5);
    assert_non_null(origin_parse(url, &o));
    memset(url + 8, 'a', sizeof(url) - 9);
    assert_non_null(origin_parse(url, &o));
    memcpy(url + 8 + 64, ".com", 5);
    assert_non_null(origin_parse(url, &o));
    memcpy(url + 8 + 63, ".com", 5);
    assert_null(origin_parse(url, &o));
}

static void test_regions(void **state)
{
    struct origin o;

    (void)state;
    origin_of_region("cn-hangzhou", false, &o);
    assert_string_equal(o.url, "https://ververica.cn-hangzhou.aliyuncs.com");
    assert_string_equal(o.host, "ververica.cn-hangzhou.aliyuncs.com");
    origin_of_region("mars-north-1", true, &o);
    assert_string_equal(o.url, "https://ververica-vpc.mars-north-1.aliyuncs.com");
    assert_string_equal(o.host, "ververica-vpc.mars-north-1.aliyuncs.com");
}

static void test_proxies(void **state)
{
    static const struct {
        const char *url;
        const char *complaint;
    } cases[] = {
        {"", NULL},
        {"none", NULL},
        {"http://proxy:3128", NULL},
        {"http://proxy:3128/", NULL},
        {"https://user:pa%20ss@proxy.example:3128", NULL},
        {"http://user:p@ss@proxy.example", NULL},
        {"socks5://127.0.0.1:1080", NULL},
        {"socks5h://[::1]:1080", NULL},
        {"None", "must be \"\", \"none\" or a URL that starts with http://, https://, socks5:// or "
                 "socks5h://"},
        {"proxy:3128",
         "must be \"\", \"none\" or a URL that starts with http://, https://, socks5:// or "
         "socks5h://"},
        {"ftp://proxy",
         "must be \"\", \"none\" or a URL that starts with http://, https://, socks5:// or "
         "socks5h://"},
        {"http://user:password@", "must name a host"},
        {"http://user:password@proxy/path", "must not have a path, query or fragment"},
        {"http://user:pass/word@proxy", "must have a port from 1 to 65535, or none"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *complaint = proxy_complaint(cases[i].url);

        assert_string_equal(complaint ? complaint : "",
                            cases[i].complaint ? cases[i].complaint : "");
        assert_true(!complaint || !strstr(complaint, "password"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long_hosts), cmocka_unit_test(test_regions),
        cmocka_unit_test(test_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
