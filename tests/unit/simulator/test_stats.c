#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "json_text.h"
#include "stats.h"

static void one(struct stats *s, const char *operation, const char *method, const char *code)
{
    uint64_t seq = stats_request_begin(s, STATS_API, method, "/p\"", "q=1");
    struct stats_end end = {.operation = operation, .method = method, .status = 200, .code = code};
    stats_request_decided(s, seq, &end);
    stats_request_end(s, STATS_API, seq);
}

static cJSON *state_of(struct stats *s)
{
    struct strbuf b = STRBUF_INIT;
    strbuf_addc(&b, '{');
    stats_render(s, &b);
    strbuf_addc(&b, '}');
    cJSON *o = json_parse(strbuf_str(&b), b.len);
    assert_non_null(o);
    strbuf_release(&b);
    return o;
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    assert_true(cJSON_IsNumber(v));
    return v->valuedouble;
}

static void test_counts(void **state)
{
    (void)state;
    struct stats *s = stats_new();
    stats_connection(s, 1);
    stats_connection(s, 1);
    stats_connection(s, 0);
    one(s, "ListDeployments", "GET", "");
    one(s, NULL, "POST", "UnsupportedHTTPMethod");
    one(s, "ListDeployments", "GET", "SignatureDoesNotMatch");
    one(s, "ListDeployments", "HEAD", "");
    uint64_t open = stats_request_begin(s, STATS_API, "GET", "/", "");
    cJSON *o = state_of(s);
    const cJSON *calls = cJSON_GetObjectItemCaseSensitive(o, "calls");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(calls, "ListDeployments");
    assert_int_equal(number(list, "GET"), 2);
    assert_int_equal(number(list, "HEAD"), 1);
    assert_int_equal(number(cJSON_GetObjectItemCaseSensitive(calls, "unknown"), "POST"), 1);
    assert_int_equal(
        number(cJSON_GetObjectItemCaseSensitive(o, "rejections"), "SignatureDoesNotMatch"), 1);
    assert_int_equal(number(o, "requests"), 5);
    assert_int_equal(number(o, "connections_opened"), 2);
    assert_int_equal(number(o, "connections_open"), 1);
    assert_int_equal(number(o, "in_flight"), 1);
    assert_int_equal(number(o, "in_flight_max"), 1);
    cJSON_Delete(o);
    stats_request_end(s, STATS_API, open);
    stats_reset(s);
    o = state_of(s);
    assert_int_equal(number(o, "requests"), 0);
    assert_int_equal(number(o, "in_flight"), 0);
    cJSON_Delete(o);
    stats_free(s);
}

static void test_log_is_bounded(void **state)
{
    (void)state;
    struct stats *s = stats_new();
    for (int i = 0; i < STATS_LOG_LEN + 500; i++)
        one(s, "ListDeployments", "GET", "");
    struct strbuf b = STRBUF_INIT;
    stats_render_log(s, 0, &b);
    cJSON *log = json_parse(strbuf_str(&b), b.len);
    assert_int_equal(cJSON_GetArraySize(log), STATS_LOG_LEN);
    assert_int_equal(number(cJSON_GetArrayItem(log, 0), "seq"), 501);
    cJSON_Delete(log);
    strbuf_reset(&b);
    stats_render_log(s, STATS_LOG_LEN + 499, &b);
    log = json_parse(strbuf_str(&b), b.len);
    assert_int_equal(cJSON_GetArraySize(log), 2);
    cJSON_Delete(log);
    strbuf_release(&b);
    stats_free(s);
}

static void test_counters_are_bounded(void **state)
{
    (void)state;
    struct stats *s = stats_new();
    char code[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(code, sizeof(code), "Code%d", i);
        one(s, "ListDeployments", "GET", code);
    }
    cJSON *o = state_of(s);
    const cJSON *rejections = cJSON_GetObjectItemCaseSensitive(o, "rejections");
    assert_int_equal(cJSON_GetArraySize(rejections), 64);
    assert_int_equal(number(rejections, "other"), 1000 - 63);
    cJSON_Delete(o);
    stats_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_log_is_bounded),
        cmocka_unit_test(test_counters_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
