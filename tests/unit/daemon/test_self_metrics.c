/* What the exporter says of itself: at the start, after a good and after a refused configuration.
 */
#include "self_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/build_info.h"

#define X "aliyun_flink_exporter_"

static struct self_metrics self = {
    .curl_version = "7.88.1", .microhttpd_version = "0.9.75", .tls_backend = "Open\"SSL"};
static struct registry *registry;

static int start(void **state)
{
    struct err err;

    (void)state;
    registry = registry_new();
    return registry && self_metrics_register(&self, registry, &err) == 0 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    registry_free(registry);
    return 0;
}

/* The value behind "\nSERIES ", -1 if it is not there. */
static double value_of(const char *series)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    const char *found;

    registry_write(registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_TEXT, &text);
    strbuf_addf(&line, "\n%s ", series);
    assert_true(strbuf_ok(&text) && strbuf_ok(&line));
    found = strstr(strbuf_str(&text), strbuf_str(&line));
    return found ? strtod(found + line.len, NULL) : -1;
}

static bool is(const char *series, double value)
{
    double found = value_of(series);

    return !(found < value) && !(found > value);
}

static void test_build_info(void **state)
{
    CLEANUP(strbuf_release) struct strbuf series = STRBUF_INIT;

    (void)state;
    strbuf_addf(&series,
                X "build_info{version=\"%s\",revision=\"%s\",branch=\"%s\",compiler=\"%s\","
                  "curl_version=\"7.88.1\",microhttpd_version=\"0.9.75\","
                  "tls_backend=\"Open\\\"SSL\"}",
                build_version, build_revision, build_branch, build_compiler);
    assert_true(is(strbuf_str(&series), 1));
}

static void test_configuration(void **state)
{
    int64_t before_ms = clock_unix_ms();
    double loaded_s;

    (void)state;
    assert_true(is(X "config_last_reload_successful", 0));
    assert_true(is(X "config_last_reload_success_timestamp_seconds", 0));
    self_metrics_config_loaded(&self, (UINT64_C(1) << 48) - 1); /* exact in a double */
    assert_true(is(X "config_last_reload_successful", 1));
    assert_true(is(X "config_hash", 281474976710655.0));
    loaded_s = value_of(X "config_last_reload_success_timestamp_seconds");
    assert_true(loaded_s >= (double)before_ms / 1000);
    assert_true(loaded_s <= (double)clock_unix_ms() / 1000);
    /* A refusal changes the one, and keeps what says which configuration is in force. */
    self_metrics_config_refused(&self);
    assert_true(is(X "config_last_reload_successful", 0));
    assert_true(is(X "config_last_reload_success_timestamp_seconds", loaded_s));
    assert_true(is(X "config_hash", 281474976710655.0));
}

static void test_shards(void **state)
{
    (void)state;
    assert_true(is(X "shard_ordinal", 0));
    assert_true(is(X "total_shards", 1));
}

static void test_log_messages(void **state)
{
    double before = value_of(X "log_messages_total{level=\"error\"}");

    (void)state;
    assert_true(before >= 0);
    log_error(LOG_NONE, "a line for the counter");
    assert_true(is(X "log_messages_total{level=\"error\"}", before + 1));
    assert_true(value_of(X "log_messages_total{level=\"debug\"}") >= 0);
    assert_true(is(X "log_messages_dropped_total", 0));
}

static void test_registered_twice(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(self_metrics_register(&self, registry, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_info),       cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_shards),           cmocka_unit_test(test_log_messages),
        cmocka_unit_test(test_registered_twice),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
