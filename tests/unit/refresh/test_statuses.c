/*
 * The lists of a status besides a listing: when they are asked for, when not, and that one which
 * cannot be read costs nothing but what it would have told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/client.h"
#include "base/log.h"
#include "fake_api.h"
#include "rig.h"
#include "statuses.h"

#define STATUS(id, name, is) \
    ",deployment_id=\"" id "\",deployment_name=\"" name "\",status=\"" is "\""
#define FIRST(is) STATUS("id-000000", "first", is)

/* One target whose deployments failed and were cancelled in the past; no list has them. */
static void begin(int64_t interval_ms)
{
    rig_init(&rig, 1);
    rig_every(&rig, interval_ms);
    fake_set_summary("n0", 0, 3, 1);
    fake_set_items("n0:FAILED", 0);
    fake_set_items("n0:CANCELLED", 0);
    fake_set_items("n0:FINISHED", 0);
}

static bool is_first(const char *more)
{
    return published_value(&rig, "deployment_status", "n0", more, "1");
}

static void test_in_a_list(void **state)
{
    (void)state;
    begin(60000);
    fake_set_items("n0", 3);
    fake_set_items("n0:FAILED", 1);
    rig_start(&rig, false);
    wait_until(is_first(FIRST("failed")));
    assert_true(is_first(STATUS("id-000001", "", "unknown")));
    assert_true(published_value(&rig, "deployment_status", "n0", FIRST("cancelled"), "0"));
    assert_int_equal(fake_seen("n0:FAILED").ended, 1);
    assert_int_equal(fake_seen("n0:CANCELLED").ended, 1);
    assert_int_equal(fake_seen("n0:FINISHED").ended, 0); /* none ever finished */
    /* What it took is told, and it is no part of the listing. */
    assert_true(published_value(&rig, "api_requests_total", "n0",
                                ",operation=\"ListDeployments\",code=\"200\"", "3"));
    assert_true(published_value(&rig, "refresh_pages", "n0", COLLECTOR, "1"));
    assert_true(published_value(&rig, "namespace_deployments", "n0", "", "3"));
    rig_stop(&rig);
}

/* Those that failed in every refresh, the others in one of ten: nothing new is open. */
static void test_how_often(void **state)
{
    unsigned refreshes;

    (void)state;
    begin(5);
    fake_set_items("n0:CANCELLED", 1);
    rig_start(&rig, false);
    wait_until(is_first(FIRST("cancelled")));
    wait_until(fake_seen("n0").ended >= 35);
    fake_set_mode("n0", FAKE_FAIL); /* the number stands still */
    wait_until(published_value(&rig, "up", "n0", "", "0"));
    refreshes = fake_seen("n0:FAILED").ended;
    assert_in_range(refreshes, 34, fake_seen("n0").ended);
    assert_int_equal(fake_seen("n0:CANCELLED").ended, 1 + (refreshes - 1) / 10);
    assert_true(is_first(FIRST("cancelled")));
    rig_stop(&rig);
}

/* What the counts tell by themselves takes no list; that none failed must be known of who runs. */
static void test_only_where_it_is_needed(void **state)
{
    static const struct {
        int64_t running, failed, cancelled;
        const char *is;
        unsigned lists;
    } cases[] = {
        {0, 0, 0, FIRST("unknown"), 0},  {1, 0, 7, FIRST("running"), 0},
        {0, 5, 0, FIRST("failed"), 0},   {0, 0, 5, FIRST("cancelled"), 0},
        {1, 5, 5, FIRST("running"), 1},  {-1, -1, -1, FIRST("unknown"), 2},
        {0, 5, -1, FIRST("unknown"), 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin(60000);
        fake_set_summary("n0", cases[i].running, cases[i].failed, cases[i].cancelled);
        rig_start(&rig, false);
        wait_until(is_first(cases[i].is));
        assert_int_equal(fake_seen("n0:FAILED").begun, cases[i].lists > 0);
        assert_int_equal(fake_seen("n0:CANCELLED").begun, cases[i].lists > 1);
        assert_int_equal(fake_seen("n0:FINISHED").begun, 0);
        rig_stop(&rig);
    }
}

static void test_not_where_nobody_reads_it(void **state)
{
    static const char *const pattern = "aliyun_flink_deployment_status";

    (void)state;
    for (int aggregate = 0; aggregate < 2; aggregate++) {
        begin(60000);
        if (aggregate)
            rig.settings.aggregation = CONF_AGGREGATION_NAMESPACE;
        else
            rig.settings.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
        rig_start(&rig, false);
        wait_until(published_value(&rig, "up", "n0", "", "1"));
        assert_int_equal(fake_seen_all().begun, 1);
        /* Somebody does from now on: at once, not with the next refresh. */
        fake_set_items("n0:FAILED", 1);
        rig.settings.aggregation = CONF_AGGREGATION_DEPLOYMENT;
        rig.settings.deny = (struct glob_list){0};
        rig_reload(&rig);
        wait_until(is_first(FIRST("failed")));
        rig_stop(&rig);
    }
}

static void test_a_list_that_fails(void **state)
{
    (void)state;
    begin(10);
    fake_set_items("n0:FAILED", 1);
    fake_set_mode("n0:FAILED", FAKE_FAIL);
    rig_start(&rig, false);
    wait_until(is_first(FIRST("unknown")));
    wait_until(fake_seen("n0:FAILED").ended >= 3);
    assert_true(published_value(&rig, "up", "n0", "", "1"));
    assert_true(published_value(&rig, "namespace_deployments", "n0", "", "1"));
    assert_int_equal(fake_seen("n0:CANCELLED").begun, 0); /* no more load on what refuses */
    fake_set_mode("n0:FAILED", FAKE_SUCCEED);
    wait_until(is_first(FIRST("failed")));
    assert_true(fake_seen("n0:CANCELLED").ended > 0); /* as at the beginning */
    /* What is known stays. */
    fake_set_mode("n0:FAILED", FAKE_FAIL);
    wait_until(fake_seen("n0:FAILED").ended >= 6);
    assert_true(is_first(FIRST("failed")));
    rig_stop(&rig);
}

/* It has its own limit, and the end does not wait for it. */
static void test_a_list_that_hangs(void **state)
{
    (void)state;
    begin(60000);
    rig.settings.targets[0].timeout_ms = 7000;
    fake_set_mode("n0:FAILED", FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen("n0:FAILED").running == 1);
    assert_in_range(fake_seen("n0:FAILED").deadline_left_ms, 6000, 7000);
    assert_in_range(fake_seen("n0").deadline_left_ms, 299000, 300000);
    rig_stop(&rig);
}

/* A refresh that nobody waits for any more is no failure, and the next one does as it is told. */
static void test_stopped_by_a_reload(void **state)
{
    (void)state;
    begin(60000);
    fake_set_items("n0:FAILED", 1);
    fake_set_mode("n0:FAILED", FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen("n0:FAILED").running == 1);
    rig.settings.targets[0].endpoint = "https://two";
    rig_reload(&rig);
    wait_until(fake_seen("n0:FAILED").ended == 1);
    fake_set_mode("n0:FAILED", FAKE_SUCCEED);
    wait_until(is_first(FIRST("failed")));
    assert_string_equal(fake_seen("n0:FAILED").endpoint, "https://two");
    assert_true(published_value(&rig, "refresh_failures_total", "n0",
                                COLLECTOR ",reason=\"internal\"", "0"));
    rig_stop(&rig);
}

/* A listing selected by status is the answer itself. */
static void test_selected(void **state)
{
    (void)state;
    begin(60000);
    rig.settings.targets[0].select.status = "CANCELLED";
    fake_set_summary("n0:CANCELLED", 0, 3, 1);
    fake_set_items("n0:CANCELLED", 1);
    rig_start(&rig, false);
    wait_until(is_first(FIRST("cancelled")));
    assert_int_equal(fake_seen_all().begun, 1);
    rig_stop(&rig);
}

static void test_by_name(void **state)
{
    static const char *const names[] = {"first"};

    (void)state;
    begin(60000);
    rig.settings.targets[0].deployment_names = names;
    rig.settings.targets[0].n_deployment_names = 1;
    fake_set_summary("n0:names", 0, 3, 1);
    fake_set_items("n0:FAILED", 1);
    rig_start(&rig, false);
    wait_until(is_first(FIRST("failed")));
    assert_int_equal(fake_seen("n0").begun, 0);
    rig_stop(&rig);
}

/* What is told of who is not in the list: nothing sure where it took several pages. */
static void test_in_pages(void **state)
{
    static const size_t sizes[] = {0, 100, 101};

    (void)state;
    begin(60000);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct target *target = &rig.settings.targets[0];
        const struct api_request request = {
            .target = target, .namespace_name = "n0", .deadline_mono_ms = INT64_MAX};
        const struct job job = {.target = target, .status_lists = 1u << STATUS_FAILED};
        struct job_result result = {0};
        struct api_client *client = NULL;
        struct err err;

        fake_set_items("n0:FAILED", sizes[i]);
        assert_int_equal(api_client_new(NULL, &client, &err), 0);
        assert_int_equal(
            api_client_list_deployments(client, &request, &result.listing, &result.stats, &err), 0);
        assert_int_equal(statuses_ask(client, &request, &job, &result), 0);
        assert_int_equal(result.listing->asked, 1u << STATUS_FAILED);
        assert_int_equal(result.listing->in_pages, sizes[i] > 100 ? 1u << STATUS_FAILED : 0);
        job_result_release(&result);
        api_client_free(client);
    }
}

static void test_once(void **state)
{
    (void)state;
    begin(60000);
    fake_set_items("n0:CANCELLED", 1);
    rig_start(&rig, true);
    assert_true(scheduler_wait_once(rig.scheduler));
    assert_true(is_first(FIRST("cancelled")));
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_in_a_list, rig_clean_up),
        cmocka_unit_test_teardown(test_how_often, rig_clean_up),
        cmocka_unit_test_teardown(test_only_where_it_is_needed, rig_clean_up),
        cmocka_unit_test_teardown(test_not_where_nobody_reads_it, rig_clean_up),
        cmocka_unit_test_teardown(test_a_list_that_fails, rig_clean_up),
        cmocka_unit_test_teardown(test_a_list_that_hangs, rig_clean_up),
        cmocka_unit_test_teardown(test_stopped_by_a_reload, rig_clean_up),
        cmocka_unit_test_teardown(test_selected, rig_clean_up),
        cmocka_unit_test_teardown(test_by_name, rig_clean_up),
        cmocka_unit_test_teardown(test_in_pages, rig_clean_up),
        cmocka_unit_test_teardown(test_once, rig_clean_up),
    };

    log_setup(LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
