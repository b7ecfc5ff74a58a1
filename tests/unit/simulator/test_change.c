/* What the control path changes, and that a refused POST changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "change.h"

static struct simulator *s;

static int set_up(void **state)
{
    (void)state;
    const char *const namespaces[] = {"a", "b"};
    const struct simulator_conf conf = {
        .world = {.workspace = "w", .profile = PROFILE_SMALL, .seed = 1},
        .settings = {.token = "first", .throttle_status = 429},
        .namespaces = namespaces,
        .n_namespaces = 2,
        .n_deployments = 1,
    };
    struct err err = {0};
    return simulator_new(&conf, &s, &err);
}

static int tear_down(void **state)
{
    (void)state;
    simulator_free(s);
    return 0;
}

static void change(const char *json)
{
    struct err err = {0};
    if (change_apply(s, json, strlen(json), &err) < 0)
        fail_msg("%s: %s", json, err.msg);
}

static struct deployment *d(const char *id)
{
    struct world_namespace *ns;
    size_t index;
    return world_find(s->world, id, &ns, &index);
}

static void test_world(void **state)
{
    (void)state;
    change("{\"add\":[{\"deploymentId\":\"x\",\"jobSummary\":{\"running\":1}},"
           "{\"deploymentId\":\"y\",\"namespace\":\"c\"}]}");
    assert_int_equal(world_find_namespace(s->world, "a")->added, 1);
    assert_int_equal(world_find_namespace(s->world, "c")->n_deployments, 1);
    change("{\"namespace\":\"b\",\"add\":[{\"deploymentId\":\"z\",\"namespace\":\"c\"}]}");
    assert_int_equal(world_find_namespace(s->world, "b")->n_deployments, 2);
    change("{\"event\":{\"deploymentId\":\"x\",\"kind\":\"fail\",\"count\":3}}");
    assert_int_equal(d("x")->jobs[JOB_FAILED], 3);
    assert_int_equal(d("x")->ledger.starts, 2);
    assert_int_equal(world_find_namespace(s->world, "a")->ledger.failures, 3);
    change(
        "{\"event\":[{\"deploymentId\":\"x\",\"kind\":\"purge\",\"count\":9,\"state\":\"failed\"},"
        "{\"deploymentId\":\"x\",\"kind\":\"start\",\"state\":\"starting\"}]}");
    assert_int_equal(d("x")->ledger.purged[JOB_FAILED], 3);
    assert_int_equal(d("x")->newest, JOB_STARTING);
    change("{\"set_summary\":{\"x\":{\"failed\":7}},\"rename\":{\"x\":\"new\"},"
           "\"set_status\":{\"y\":\"FINISHED\"}}");
    assert_int_equal(d("x")->jobs[JOB_FAILED], 7);
    assert_string_equal(d("x")->name, "new");
    assert_int_equal(d("y")->newest, JOB_FINISHED);
    change("{\"remove\":[\"x\",\"x\"]}");
    assert_null(d("x"));
    assert_int_equal(world_find_namespace(s->world, "a")->removed, 1);
}

static void test_settings(void **state)
{
    (void)state;
    struct settings set;
    change("{\"latency\":\"20ms\",\"rate_limit\":5,\"churn\":0,\"clock_offset\":\"-20m\","
           "\"options\":{\"access_denied_as\":\"business\",\"bad_page_as\":\"business\","
           "\"throttle_status\":400,\"verify\":true},"
           "\"credentials\":{\"security_token\":\"second\"},\"reset_counters\":true}");
    simulator_settings(s, &set);
    assert_int_equal(set.latency_ms, 20);
    assert_int_equal(set.clock_offset_ms, -20 * 60 * 1000);
    assert_true(set.access_denied_as_business && set.bad_page_as_business && set.verify);
    assert_int_equal(set.throttle_status, 400);
    assert_string_equal(set.token, "second");
    assert_string_equal(set.expired_token, "first");
    change("{\"latency\":0}");
    simulator_settings(s, &set);
    assert_int_equal(set.latency_ms, 0);
}

static void test_faults(void **state)
{
    (void)state;
    struct fault_effects e;
    change("{\"faults\":[\"html\",\"shift\"]}");
    fault_set_match(s->faults, &(struct fault_request){"ListDeployments", "a", "FAILED", 2}, &e);
    assert_true(e.replaces_reply && e.shift);
    change("{\"faults\":[]}");
    fault_set_match(s->faults, &(struct fault_request){"ListDeployments", "a", "FAILED", 2}, &e);
    assert_false(e.replaces_reply || e.shift);
}

static void test_refused_as_a_whole(void **state)
{
    (void)state;
    const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"faults\":[\"nonsense\"]}",
        "{\"faults\":5}",
        "{\"unknown\":1}",
        "{\"add\":[{\"deploymentId\":\"n\"}],\"remove\":[\"nobody\"]}",
        "{\"add\":[{\"deploymentId\":\"n\"}],\"latency\":\"soon\"}",
        "{\"add\":[5]}",
        "{\"add\":{}}",
        "{\"namespace\":\"b\"}",
        "{\"remove\":[5]}",
        "{\"set_summary\":{\"nobody\":{}}}",
        "{\"set_status\":{\"nobody\":null}}",
        "{\"rename\":[]}",
        "{\"event\":{}}",
        "{\"event\":{\"deploymentId\":\"nobody\",\"kind\":\"fail\"}}",
        "{\"event\":{\"deploymentId\":\"nobody\",\"kind\":\"explode\"}}",
        "{\"options\":{\"colour\":1}}",
        "{\"options\":{\"bad_page_as\":\"x\"}}",
        "{\"credentials\":{\"x\":\"y\"}}",
        "{\"credentials\":{\"access_key_id\":5}}",
        "{\"rate_limit\":-1}",
        "{\"churn\":\"x\"}",
        "{\"clock_offset\":5}",
        "{\"latency\":1} {}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        if (change_apply(s, bad[i], strlen(bad[i]), &err) == 0)
            fail_msg("%s was accepted", bad[i]);
        assert_true(err.msg[0]);
        assert_null(d("n"));
    }
    struct settings set;
    simulator_settings(s, &set);
    assert_int_equal(set.latency_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_world, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_as_a_whole, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
