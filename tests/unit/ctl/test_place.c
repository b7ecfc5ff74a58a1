/* Where the first connection goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "diagnose_net.h"

static const char *const variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    return 0;
}

static void expect(const char *endpoint, const char *proxy_url, const char *expected)
{
    struct target t = {
        .endpoint = endpoint, .host = strstr(endpoint, "://") + 3, .proxy_url = proxy_url};
    struct net_place place;
    struct err err = {0};
    char text[600];

    if (net_place_of(&t, &place, &err) < 0)
        snprintf(text, sizeof(text), "%s", err.msg);
    else
        snprintf(text, sizeof(text), "%s %s%s%s", place.host, place.port,
                 place.is_proxy ? " by " : "", place.is_proxy ? place.proxy_source : "");
    assert_string_equal(text, expected);
}

static void test_endpoint(void **state)
{
    (void)state;
    expect("https://ververica.cn-hangzhou.aliyuncs.com", "",
           "ververica.cn-hangzhou.aliyuncs.com 443");
    expect("https://a:8443", "", "a 8443");
    expect("http://127.0.0.1:80", "", "127.0.0.1 80");
    expect("http://[::1]:18080", "", "::1 18080");
    expect("http://[::1]", "", "::1 80");
}

static void test_configured_proxy(void **state)
{
    (void)state;
    setenv("https_proxy", "http://env:1", 1);
    setenv("no_proxy", "*", 1);
    expect("https://a", "none", "a 443");
    expect("https://a", "http://proxy:3128", "proxy 3128 by proxy_url");
    expect("https://a", "http://user:p%40ss@proxy:3128/", "proxy 3128 by proxy_url");
    expect("https://a", "http://u:p@ss@proxy", "proxy 1080 by proxy_url");
    expect("https://a", "https://proxy", "proxy 443 by proxy_url");
    expect("https://a", "socks5h://proxy", "proxy 1080 by proxy_url");
    expect("https://a", "proxy:8080", "proxy 8080 by proxy_url");
    expect("https://a", "http://[fe80::1]:1", "fe80::1 1 by proxy_url");
    /* Never the URL, which may hold a password. */
    expect("https://a", "http://user:secret@", "the proxy of proxy_url names no host");
    expect("https://a", "http://user:secret@:80", "the proxy of proxy_url names no host");
    expect("https://a", "http://[::1", "the proxy of proxy_url names no host");
    expect("https://a", "http://p:", "the proxy of proxy_url names no host");
}

static void test_environment(void **state)
{
    (void)state;
    setenv("HTTP_PROXY", "http://never:1", 1); /* CGI: not for http */
    expect("http://a", "", "a 80");
    unsetenv("HTTP_PROXY");
    setenv("all_proxy", "http://all:1", 1);
    expect("http://a", "", "all 1 by all_proxy");
    setenv("HTTPS_PROXY", "http://upper:1", 1);
    expect("https://a", "", "upper 1 by HTTPS_PROXY");
    setenv("https_proxy", "http://lower:1", 1);
    expect("https://a", "", "lower 1 by https_proxy");
    setenv("http_proxy", "http://plain:1", 1);
    expect("http://a", "", "plain 1 by http_proxy");
}

static void test_no_proxy(void **state)
{
    (void)state;
    setenv("https_proxy", "http://p:1", 1);
    setenv("NO_PROXY", "x.com, .aliyuncs.com,b", 1);
    expect("https://ververica.cn-hangzhou.aliyuncs.com", "",
           "ververica.cn-hangzhou.aliyuncs.com 443");
    expect("https://b", "", "b 443");
    expect("https://ab", "", "p 1 by https_proxy");
    expect("https://notx.com", "", "p 1 by https_proxy");
    expect("https://y.X.com", "", "y.X.com 443");
    setenv("no_proxy", "*", 1);
    expect("https://ab", "", "ab 443");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_endpoint, clear),
        cmocka_unit_test_setup(test_configured_proxy, clear),
        cmocka_unit_test_setup(test_environment, clear),
        cmocka_unit_test_setup(test_no_proxy, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
