/* What real clients send, what the grammar allows, and what breaks it. */
#include "negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
    const char *accept;
    enum expo_format format;
} formats[] = {
    /* real clients */
    {NULL, EXPO_TEXT},
    {"", EXPO_TEXT},
    {"*/*", EXPO_TEXT}, /* curl */
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
     EXPO_TEXT}, /* a browser */
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
     "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     EXPO_OPENMETRICS}, /* Prometheus 2.42 */
    {"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     EXPO_TEXT}, /* Prometheus 2.5: its OpenMetrics is not the one we have */
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
     "application/openmetrics-text;version=0.0.1;q=0.4,"
     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
     "*/*;q=0.1",
     EXPO_OPENMETRICS},                                                  /* Prometheus 3 */
    {"text/plain;version=0.0.4;q=1,*/*;q=0.1", EXPO_TEXT},               /* vmagent and others */
    {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", EXPO_TEXT}, /* Java */
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
     "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
     EXPO_TEXT},
    /* types */
    {"text/html", EXPO_TEXT},
    {"text/plain", EXPO_TEXT},
    {"application/json", EXPO_TEXT},
    {"application/openmetrics-text", EXPO_OPENMETRICS},
    {"application/openmetrics-text; version=1.0.0; charset=utf-8", EXPO_OPENMETRICS},
    {"application/openmetrics-text;version=\"1.0.0\"", EXPO_OPENMETRICS},
    {"application/openmetrics-text;version=2.0.0", EXPO_TEXT},
    {"application/openmetrics-text;version=", EXPO_TEXT},
    {"application/openmetrics-textual", EXPO_TEXT},
    {"application/openmetrics", EXPO_TEXT},
    {"APPLICATION/OpenMetrics-Text;VERSION=1.0.0;Q=0.9,TEXT/Plain;Q=0.1", EXPO_OPENMETRICS},
    /* wildcards and which range decides */
    {"application/*", EXPO_OPENMETRICS},
    {"text/*", EXPO_TEXT},
    {"text/*;q=0.3, application/*;q=0.4", EXPO_OPENMETRICS},
    {"text/plain;q=0.1, */*;q=0.9", EXPO_OPENMETRICS},
    {"application/openmetrics-text;q=0.1, application/*;q=1, text/plain;q=0.5", EXPO_TEXT},
    {"application/openmetrics-text;version=1.0.0;q=0.1, application/openmetrics-text;q=1, "
     "text/plain;q=0.5",
     EXPO_TEXT},
    {"*/*;q=0.9, application/openmetrics-text;q=0.8", EXPO_TEXT},
    /* weights */
    {"text/plain, application/openmetrics-text", EXPO_TEXT}, /* a tie */
    {"application/openmetrics-text, text/plain", EXPO_TEXT},
    {"text/plain;q=0.999, application/openmetrics-text;q=1.000", EXPO_OPENMETRICS},
    {"text/plain;q=0.5, application/openmetrics-text;q=0.500", EXPO_TEXT},
    {"text/plain;q=0.5, application/openmetrics-text;q=0.5001", EXPO_TEXT},
    {"text/plain;q=0, */*", EXPO_OPENMETRICS},
    {"text/plain;q=0, application/openmetrics-text;q=0", EXPO_TEXT},
    {"application/openmetrics-text;q=0, */*;q=0.1", EXPO_TEXT},
    {"application/openmetrics-text;q=0", EXPO_TEXT},
    {"application/openmetrics-text;q=0.0", EXPO_TEXT},
    {"application/openmetrics-text;q=0.", EXPO_TEXT},
    {"application/openmetrics-text;q=1.", EXPO_OPENMETRICS},
    {"text/plain;q=0.2,application/openmetrics-text;q=0.3;level=1", EXPO_OPENMETRICS},
    /* spaces and empty elements */
    {" ,, application/openmetrics-text\t; version=1.0.0 ; q=0.9 , ,text/plain;q=0.8,",
     EXPO_OPENMETRICS},
    {"application/openmetrics-text;;q=0.9;,text/plain;q=0.8", EXPO_OPENMETRICS},
    {"application/openmetrics-text ; q = 0.9, text/plain;q=0.8", EXPO_OPENMETRICS},
    /* malformed elements count for nothing, those around them do */
    {"application/openmetrics-text;q=2, text/plain;q=0.1", EXPO_TEXT},
    {"application/openmetrics-text;q=-1", EXPO_TEXT},
    {"application/openmetrics-text;q=abc", EXPO_TEXT},
    {"application/openmetrics-text;q=", EXPO_TEXT},
    {"application/openmetrics-text;q=0.5x", EXPO_TEXT},
    {"application/openmetrics-text;q=.5", EXPO_TEXT},
    {"application/openmetrics-text;q=1.001", EXPO_TEXT},
    {"application/openmetrics-text;q=1e0", EXPO_TEXT},
    {"application/openmetrics-text/x", EXPO_TEXT},
    {"application /openmetrics-text", EXPO_TEXT},
    {"application/openmetrics-text q=1", EXPO_TEXT},
    {"text/plain;q=x, application/openmetrics-text;q=0.1", EXPO_OPENMETRICS},
    {"(, application/openmetrics-text", EXPO_OPENMETRICS},
    {";q=1, application/openmetrics-text", EXPO_OPENMETRICS},
    {"/, */, /*, application/openmetrics-text", EXPO_OPENMETRICS},
    {"\x80\xff, application/openmetrics-text", EXPO_OPENMETRICS},
    /* quoted strings */
    {"text/plain;x=\"a,b;q=0\";q=0.1, application/openmetrics-text;q=0.2", EXPO_OPENMETRICS},
    {"a/b;x=\", application/openmetrics-text, \"", EXPO_TEXT},
    {"a/b;x=\"\\\", application/openmetrics-text\"", EXPO_TEXT},
    {"a/b;x=\"\\\\\", application/openmetrics-text", EXPO_OPENMETRICS},
    {"a/b;x=\"never ends, application/openmetrics-text", EXPO_TEXT},
    {"application/openmetrics-text;version=\"\"", EXPO_OPENMETRICS},
};

static void test_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (negotiate_format(formats[i].accept) != formats[i].format)
            fail_msg("Accept: %s", formats[i].accept ? formats[i].accept : "(none)");
    }
}

static void test_gzip(void **state)
{
    static const struct {
        const char *accept_encoding;
        bool gzip;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"gzip", true}, /* Prometheus */
        {"deflate, gzip, br, zstd", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"gzip;q=1.0, identity; q=0.5, *;q=0", true},
        {"deflate", false},
        {"identity", false},
        {"br, zstd", false},
        {"gzipped", false},
        {"*", true},
        {"*;q=0", false},
        {"*;q=0.1", true},
        {"gzip;q=0", false},
        {"gzip;q=0.0, *", false},
        {"gzip;q=0.001", true},
        {"x-gzip;q=0, gzip", true},
        {"gzip;q=0.5, identity", false},
        {"gzip;q=0.5, identity;q=0.5", true},
        {"gzip;q=0.5, identity;q=0.6", false},
        {"identity;q=0", false},
        {"identity;q=0, gzip", true},
        {"identity, *", true},
        {"identity, *;q=0.5", false},
        {"gzip;q=bad", false},
        {"gzip;q=bad, x-gzip", true},
        {"gzip;q=1;q=0", false}, /* the last one, for want of a rule */
        {" , gzip ,", true},
        {"gzip deflate", false},
        {"\"gzip\"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (negotiate_gzip(cases[i].accept_encoding) != cases[i].gzip)
            fail_msg("Accept-Encoding: %s",
                     cases[i].accept_encoding ? cases[i].accept_encoding : "(none)");
    }
}

/* Every header of a few characters out of those that mean something: ends, and reads no further. */
static void test_any_text(void **state)
{
    static const char alphabet[] = "*/;,=\"\\q1. a";
    enum { BASE = sizeof(alphabet) - 1, LEN = 5 };
    size_t n = 1;

    (void)state;
    for (size_t i = 0; i < LEN; i++)
        n *= BASE;
    for (size_t i = 0; i < n; i++) {
        /* On the heap and exactly as long as needed: the sanitizer sees a byte too many. */
        char *s = malloc(LEN + 1);
        size_t rest = i;

        for (size_t k = 0; k < LEN; k++, rest /= BASE)
            s[k] = alphabet[rest % BASE];
        s[LEN] = '\0';
        (void)negotiate_format(s);
        (void)negotiate_gzip(s);
        free(s);
    }
}

/* As long as a request may be, of what costs most: linear. */
static void test_long(void **state)
{
    static const char *const pieces[] = {",",    "\"",       "\"\\", ";",
                                         ";q=0", "a/b;x=\"", "a/b,", "\\\""};
    static char text[16 * 1024 + 16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t len = strlen(pieces[i]);
        size_t n = 0;

        for (; n + len < 16 * 1024; n += len)
            memcpy(text + n, pieces[i], len);
        text[n] = '\0';
        assert_int_equal(negotiate_format(text), EXPO_TEXT);
        assert_false(negotiate_gzip(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_any_text),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
