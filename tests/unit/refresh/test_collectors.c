/* The scheduler with several collectors of a namespace: apart from each other, together in up. */
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
#include "spool_dir.h"

#define DRAFTS  ",collector=\"drafts\""
#define TICKETS ",collector=\"tickets\""
#define ALL     (1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_DRAFTS | 1u << COLLECTOR_TICKETS)

static bool all_tried(const struct rig *r)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(r->slot);

    return snapshot_all_tried(s);
}

/* One that hangs or fails holds up no other of its namespace; ready is who tried them all. */
static void test_collectors_apart(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig_every(&rig, 20);
    rig.settings.targets[0].collectors = ALL;
    fake_set_mode("n0:drafts", FAKE_HANG);
    fake_set_items("n0:drafts", 4);
    rig_start(&rig, false);
    wait_until(fake_seen("n0").ended >= 5 && fake_seen("n0:drafts").running == 1);
    wait_until(published_value(&rig, "refresh_success", "n0", TICKETS, "1"));
    assert_true(published_value(&rig, "up", "n0", "", "1")); /* of those tried */
    assert_false(all_tried(&rig));
    fake_set_mode("n0:drafts", FAKE_FAIL);
    wait_until(published_value(&rig, "up", "n0", "", "0"));
    assert_true(all_tried(&rig));
    assert_true(published_value(&rig, "refresh_success", "n0", DRAFTS, "0"));
    assert_true(published_value(&rig, "refresh_success", "n0", COLLECTOR, "1"));
    assert_false(published(&rig, "\naliyun_flink_namespace_drafts{"));
    fake_set_mode("n0:drafts", FAKE_SUCCEED);
    wait_until(published_value(&rig, "namespace_drafts", "n0", "", "4"));
    wait_until(published_value(&rig, "up", "n0", "", "1"));
    rig_stop(&rig);
}

static void test_reload_adds_and_removes_a_collector(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_TICKETS;
    rig_start(&rig, false);
    wait_until(published_value(&rig, "refresh_success", "n0", TICKETS, "1") &&
               published_value(&rig, "refresh_success", "n0", COLLECTOR, "1"));
    /* Deployments read differently beside drafts; tickets do not. */
    rig.settings.targets[0].collectors = ALL;
    rig_reload(&rig);
    wait_until(published_value(&rig, "namespace_drafts", "n0", "", "1"));
    wait_until(published_value(&rig, "refreshes_total", "n0", COLLECTOR, "2"));
    assert_true(published_value(&rig, "refreshes_total", "n0", TICKETS, "1"));
    /* While drafts are fetched they go: nobody waits for the result. */
    rig.settings.targets[0].endpoint = "https://two";
    fake_set_mode("n0:drafts", FAKE_HANG);
    rig_reload(&rig);
    wait_until(fake_seen("n0:drafts").running == 1);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    rig_reload(&rig);
    assert_false(published(&rig, "_drafts"));
    assert_false(published(&rig, "_ticket"));
    wait_until(fake_seen("n0:drafts").running == 0);
    wait_until(fake_confs_alive() == 1);
    rig_stop(&rig);
}

static void test_once_with_collectors(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        rig_init(&rig, 2);
        rig.settings.targets[1].collectors = ALL;
        if (fails)
            fake_set_mode("n1:drafts", FAKE_FAIL);
        rig_start(&rig, true);
        assert_int_equal(scheduler_wait_once(rig.scheduler), !fails);
        assert_true(published_value(&rig, "up", "n0", "", "1"));
        assert_true(published_value(&rig, "up", "n1", "", fails ? "0" : "1"));
        assert_true(published_value(&rig, "refresh_success", "n1", TICKETS, "1"));
        rig_stop(&rig);
    }
}

/* By name, and without what nobody shows; a name that nobody has is no failure. */
static void test_by_name(void **state)
{
    static const char *const names[] = {"first", "missing"};

    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].deployment_names = names;
    rig.settings.targets[0].n_deployment_names = 2;
    rig_start(&rig, false);
    wait_until(published_value(&rig, "namespace_deployments", "n0", "", "1"));
    assert_int_equal(fake_seen("n0:names").without, 0);
    assert_int_equal(fake_seen("n0").begun, 0);
    assert_true(published_value(&rig, "up", "n0", "", "1"));
    assert_true(published_value(&rig, "api_requests_total", "n0",
                                ",operation=\"GetDeploymentsByName\",code=\"200\"", "1"));
    /* Less is shown: the parts are not asked for any more, from now on. */
    rig.settings.aggregation = CONF_AGGREGATION_NAMESPACE;
    rig_reload(&rig);
    wait_until(fake_seen("n0:names").ended == 2);
    assert_int_equal(fake_seen("n0:names").without, API_WITHOUT_RESOURCE_SETTING);
    /* And more again: without them there would be gaps. */
    rig.settings.aggregation = CONF_AGGREGATION_DEPLOYMENT;
    rig_reload(&rig);
    wait_until(fake_seen("n0:names").ended == 3);
    assert_int_equal(fake_seen("n0:names").without, 0);
    rig_stop(&rig);
}

static void test_ticket_to_its_end(void **state)
{
    void *dir;

    (void)state;
    assert_int_equal(spool_dir_enter(&dir), 0);
    rig_init(&rig, 1);
    rig_every(&rig, 10);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_TICKETS;
    rig.settings.targets[0].ticket_dir = dir;
    rig.settings.targets[0].ticket_ttl_ms = 200;
    rig_start(&rig, false);
    wait_until(published_value(&rig, "deploy_tickets", "n0", ",status=\"executing\"", "0"));
    spool_dir_write(dir, "t1", "n0\n");
    wait_until(published_value(&rig, "deploy_ticket_status", "n0",
                               ",ticket_id=\"t1\",status=\"executing\"", "1"));
    fake_set_ticket("t1", ERR_NONE, TICKET_FAILED, -1);
    wait_until(published_value(&rig, "deploy_ticket_success", "n0", ",ticket_id=\"t1\"", "0"));
    assert_true(spool_dir_has(dir, "t1"));
    wait_until(!spool_dir_has(dir, "t1"));
    wait_until(!published(&rig, "ticket_id=\"t1\""));
    assert_true(published_value(&rig, "deploy_tickets_completed_total", "n0", "", "1"));
    assert_true(
        published_value(&rig, "deploy_ticket_failures_total", "n0", ",reason=\"failed\"", "1"));
    rig_stop(&rig);
    assert_int_equal(spool_dir_leave(&dir), 0);
}

#define JOBS     ",collector=\"jobs\""
#define RESTARTS "deployment_job_flink_restarts"
#define FIRST    ",deployment_id=\"id-000000\",deployment_name=\"first\""

/* There is nothing to ask for before the deployments are known. */
static void test_jobs_wait_for_the_listing(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_JOBS;
    fake_set_running(1);
    fake_set_mode("n0", FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen("n0").begun == 1);
    pause_ms(50);
    assert_false(published_value(&rig, "refreshes_total", "n0", JOBS, "1"));
    fake_set_mode("n0", FAKE_SUCCEED);
    wait_until(published_value(&rig, RESTARTS, "n0", FIRST, "0"));
    assert_int_equal(fake_jobs_asked("id-000000"), 1);
    assert_true(published_value(&rig, "up", "n0", "", "1"));
    rig_stop(&rig);
}

/* No listing: jobs are tried, and nothing is wrong with them; with the first they are due. */
static void test_jobs_without_a_listing(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_JOBS;
    rig.settings.targets[0].max_backoff_ms = 50;
    fake_set_running(1);
    fake_set_mode("n0", FAKE_FAIL);
    rig_start(&rig, false);
    wait_until(published_value(&rig, "refresh_success", "n0", JOBS, "1"));
    assert_true(published_value(&rig, "up", "n0", "", "0"));
    fake_set_mode("n0", FAKE_SUCCEED);
    rig.settings.targets[0].endpoint = "https://two"; /* all are due */
    rig_reload(&rig);
    wait_until(published_value(&rig, RESTARTS, "n0", FIRST, "0"));
    rig_stop(&rig);
}

static void test_jobs_once(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_JOBS;
    fake_set_running(1);
    fake_set_delay_ms(20);
    rig_start(&rig, true);
    assert_true(scheduler_wait_once(rig.scheduler));
    assert_true(published_value(&rig, RESTARTS, "n0", FIRST, "0"));
    assert_int_equal(fake_jobs_asked("id-000000"), 1);
    rig_stop(&rig);
}

/* A refresh of jobs that hangs is ended by a reload without them, and what they told goes. */
static void test_jobs_come_and_go(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig_every(&rig, 20);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_JOBS;
    fake_set_running(1);
    rig_start(&rig, false);
    wait_until(published_value(&rig, RESTARTS, "n0", FIRST, "0"));
    fake_set_mode("n0:jobs", FAKE_HANG);
    wait_until(fake_seen("n0:jobs").running == 1);
    rig.settings.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    rig_reload(&rig);
    wait_until(!published(&rig, RESTARTS));
    wait_until(fake_seen("n0:jobs").running == 0);
    fake_set_mode("n0:jobs", FAKE_SUCCEED);
    rig.settings.targets[0].collectors |= 1u << COLLECTOR_JOBS;
    rig_reload(&rig);
    wait_until(published_value(&rig, RESTARTS, "n0", FIRST, "0"));
    /* They fail, and the deployments do not. */
    fake_set_jobs("id-000000", ERR_PERMISSION, NULL);
    wait_until(published_value(&rig, "refresh_success", "n0", JOBS, "0"));
    assert_true(published_value(&rig, "refresh_success", "n0", ",collector=\"deployments\"", "1"));
    assert_true(published_value(&rig, RESTARTS, "n0", FIRST, "0"));
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_collectors_apart, rig_clean_up),
        cmocka_unit_test_teardown(test_reload_adds_and_removes_a_collector, rig_clean_up),
        cmocka_unit_test_teardown(test_once_with_collectors, rig_clean_up),
        cmocka_unit_test_teardown(test_by_name, rig_clean_up),
        cmocka_unit_test_teardown(test_ticket_to_its_end, rig_clean_up),
        cmocka_unit_test_teardown(test_jobs_wait_for_the_listing, rig_clean_up),
        cmocka_unit_test_teardown(test_jobs_without_a_listing, rig_clean_up),
        cmocka_unit_test_teardown(test_jobs_once, rig_clean_up),
        cmocka_unit_test_teardown(test_jobs_come_and_go, rig_clean_up),
    };

    log_setup(LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
