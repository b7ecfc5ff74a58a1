/*
 * The scheduler with its threads, against a control plane that succeeds, fails and hangs as told.
 * Waiting is polling with a limit, so that nothing here depends on how fast the machine is.
 */
#include "refresh/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "base/log.h"
#include "fake_api.h"
#include "rig.h"

/* --- refreshing --- */

static void test_first_snapshot_is_there(void **state)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;

    (void)state;
    rig_init(&rig, 2);
    fake_set_mode(NULL, FAKE_HANG);
    rig_start(&rig, false);
    s = snapshot_acquire(rig.slot);
    assert_non_null(s);
    assert_false(snapshot_all_tried(s));
    assert_true(published(&rig, "aliyun_flink_target_info{workspace=\"w\",flink_namespace=\"n1\""));
    assert_false(published(&rig, "\naliyun_flink_up{"));
    assert_true(scheduler_healthy(rig.scheduler));
    rig_stop(&rig);
}

static void test_refreshes_all(void **state)
{
    (void)state;
    rig_init(&rig, 3);
    rig.settings.namespaces[1][1] = "n1b";
    rig.settings.targets[1].n_namespaces = 2;
    rig.settings.targets[2].deadline_ms = 7000;
    fake_set_mode("n1b", FAKE_FAIL);
    fake_set_items("n2", 5);
    rig_start(&rig, false);
    wait_until(published_value(&rig, "up", "n0", "", "1"));
    wait_until(published_value(&rig, "up", "n1", "", "1"));
    wait_until(published_value(&rig, "up", "n1b", "", "0"));
    wait_until(published_value(&rig, "namespace_deployments", "n2", "", "5"));
    assert_true(
        published_value(&rig, "refresh_failures_total", "n1b", COLLECTOR ",reason=\"http\"", "1"));
    assert_true(published_value(&rig, "api_requests_total", "n2",
                                ",operation=\"ListDeployments\",code=\"200\"", "1"));
    assert_in_range(fake_seen("n2").deadline_left_ms, 1, 7000);
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(rig.slot);
    assert_true(snapshot_all_tried(s));
    rig_stop(&rig);
}

static void test_again_and_again(void **state)
{
    (void)state;
    rig_init(&rig, 2);
    rig_every(&rig, 20);
    fake_set_mode("n1", FAKE_FAIL);
    rig_start(&rig, false);
    wait_until(fake_seen("n0").ended >= 5 && fake_seen("n1").ended >= 5);
    rig_stop(&rig);
}

/* Refreshes that take longer than the interval neither pile up nor overlap; they are missed. */
static void test_no_overlap(void **state)
{
    (void)state;
    rig_init(&rig, 3);
    rig_every(&rig, 5);
    fake_set_delay_ms(17);
    rig_start(&rig, false);
    wait_until(fake_seen("n0").ended >= 6 && fake_seen("n2").ended >= 6);
    assert_int_equal(fake_seen("n0").most_running, 1);
    assert_int_equal(fake_seen("n1").most_running, 1);
    assert_int_equal(fake_seen("n2").most_running, 1);
    wait_until(!published_value(&rig, "refreshes_missed_total", "n0", COLLECTOR, "0"));
    rig_stop(&rig);
}

static void test_a_hang_delays_nobody_else(void **state)
{
    (void)state;
    rig_init(&rig, 4);
    rig_every(&rig, 20);
    fake_set_mode("n1", FAKE_HANG);
    fake_set_mode("n3", FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen("n1").running == 1 && fake_seen("n3").running == 1);
    unsigned before = fake_seen("n0").ended;
    wait_until(fake_seen("n0").ended >= before + 6 && fake_seen("n2").ended >= 6);
    assert_int_equal(fake_seen("n1").begun, 1);
    assert_int_equal(fake_seen("n3").begun, 1);
    assert_true(scheduler_healthy(rig.scheduler));
    /* It comes back by itself. */
    fake_set_mode("n1", FAKE_SUCCEED);
    wait_until(fake_seen("n1").ended >= 3);
    wait_until(published_value(&rig, "up", "n1", "", "1"));
    assert_false(published(&rig, "\naliyun_flink_up{workspace=\"w\",flink_namespace=\"n3\"}"));
    rig_stop(&rig);
}

/* More namespaces than workers: as many at once as there are workers, and all get their turn. */
static void test_more_namespaces_than_workers(void **state)
{
    (void)state;
    rig_init(&rig, 100);
    for (size_t i = 0; i < 100; i++)
        rig.settings.targets[i].interval_ms = 1000; /* this is how long the first ones spread */
    fake_set_mode(NULL, FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen_all().running == SCHEDULER_MAX_WORKERS);
    pause_ms(20);
    assert_int_equal(fake_seen_all().most_running, SCHEDULER_MAX_WORKERS);
    fake_set_mode(NULL, FAKE_SUCCEED);
    for (size_t i = 0; i < 100; i++) {
        char name[32];

        snprintf(name, sizeof(name), "n%zu", i);
        wait_until(fake_seen(name).ended > 0);
        assert_int_equal(fake_seen(name).most_running, 1);
    }
    assert_int_equal(fake_seen_all().most_running, SCHEDULER_MAX_WORKERS);
    rig_stop(&rig);
}

/* Data that grows too old goes without any refresh to announce it. */
static void test_withholding_by_time(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].max_staleness_ms = 50;
    rig_start(&rig, false);
    wait_until(published_value(&rig, "data_withheld", "n0", COLLECTOR, "1"));
    assert_false(published(&rig, "aliyun_flink_deployment_info{"));
    assert_true(published_value(&rig, "up", "n0", "", "1"));
    assert_int_equal(fake_seen("n0").begun, 1);
    rig_stop(&rig);
}

static int64_t cpu_ms(void)
{
    struct timespec ts;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void test_idle(void **state)
{
    int64_t before;

    (void)state;
    rig_init(&rig, 3);
    rig_start(&rig, false);
    wait_until(fake_seen_all().ended == 3);
    wait_until(published_value(&rig, "up", "n0", "", "1"));
    pause_ms(50);
    before = cpu_ms();
    pause_ms(200);
    assert_true(cpu_ms() - before < 50);
    rig_stop(&rig);
}

/* A generation that cannot be made is tried again a second later, and until then nobody spins. */
static void test_publishing_without_memory(void **state)
{
    int64_t before;

    (void)state;
    rig_init(&rig, 1);
    rig.settings.targets[0].max_staleness_ms = 1000;
    rig_start(&rig, false);
    wait_until(published_value(&rig, "up", "n0", "", "1"));
    alloc_fail_at(1); /* the next to allocate is the generation that withholds */
    wait_until(alloc_fail_count() > 0);
    before = cpu_ms();
    pause_ms(300);
    alloc_fail_off();
    assert_true(cpu_ms() - before < 100);
    assert_true(published_value(&rig, "data_withheld", "n0", COLLECTOR, "0"));
    wait_until(published_value(&rig, "data_withheld", "n0", COLLECTOR, "1"));
    rig_stop(&rig);
}

/* --- reload --- */

/* What stays is not fetched again; what went is gone and what came is there when it returns. */
static void test_reload(void **state)
{
    (void)state;
    rig_init(&rig, 3);
    fake_set_items("n0", 7);
    rig_start(&rig, false);
    wait_until(published_value(&rig, "up", "n0", "", "1") &&
               published_value(&rig, "up", "n1", "", "1"));
    wait_until(published_value(&rig, "up", "n2", "", "1"));
    /* n1 goes, n9 comes. */
    rig.settings.namespaces[1][0] = "n9";
    fake_set_mode("n9", FAKE_HANG);
    rig_reload(&rig);
    assert_false(published(&rig, "\"n1\""));
    assert_true(published_value(&rig, "refreshes_missed_total", "n9", COLLECTOR, "0"));
    assert_true(published_value(&rig, "namespace_deployments", "n0", "", "7"));
    assert_true(published_value(&rig, "up", "n2", "", "1"));
    wait_until(fake_seen("n9").running == 1);
    fake_set_mode("n9", FAKE_SUCCEED);
    wait_until(published_value(&rig, "up", "n9", "", "1"));
    assert_int_equal(fake_seen("n0").begun, 1);
    assert_int_equal(fake_seen("n1").begun, 1);
    assert_int_equal(fake_seen("n2").begun, 1);
    wait_until(fake_confs_alive() == 1);
    /* Everything goes. */
    rig.settings.n_targets = 0;
    rig_reload(&rig);
    assert_false(published(&rig, "aliyun_flink"));
    rig_stop(&rig);
}

static void test_reload_of_what_reads_differently(void **state)
{
    (void)state;
    rig_init(&rig, 2);
    rig_start(&rig, false);
    wait_until(published_value(&rig, "up", "n0", "", "1") &&
               published_value(&rig, "up", "n1", "", "1"));
    rig.settings.targets[1].endpoint = "https://two";
    fake_set_items("n1", 4);
    rig_reload(&rig);
    /* The old data stays until there is new. */
    assert_true(published(&rig,
                          "aliyun_flink_namespace_deployments{workspace=\"w\",flink_namespace="
                          "\"n1\"}"));
    wait_until(published_value(&rig, "namespace_deployments", "n1", "", "4"));
    assert_string_equal(fake_seen("n1").endpoint, "https://two");
    assert_int_equal(fake_seen("n1").begun, 2);
    assert_int_equal(fake_seen("n0").begun, 1);
    rig_stop(&rig);
}

/* What a refresh under way brings home from the old endpoint is not shown under the new one. */
static void test_outdated_result_is_dropped(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    fake_set_mode("n0", FAKE_HANG);
    fake_set_items("n0", 3);
    rig_start(&rig, false);
    wait_until(fake_seen("n0").running == 1);
    rig.settings.targets[0].endpoint = "https://two";
    fake_set_items("n0", 5);
    rig_reload(&rig);
    /* The one that hangs is ended, not waited for; and the two do not overlap. */
    wait_until(fake_seen("n0").begun == 2);
    assert_int_equal(fake_seen("n0").ended, 1);
    fake_set_mode("n0", FAKE_SUCCEED);
    wait_until(published(&rig, "\naliyun_flink_namespace_deployments{"));
    assert_true(published_value(&rig, "namespace_deployments", "n0", "", "5"));
    assert_string_equal(fake_seen("n0").endpoint, "https://two");
    assert_int_equal(fake_seen("n0").most_running, 1);
    /* What both cost is counted. */
    assert_true(published_value(&rig, "api_requests_total", "n0",
                                ",operation=\"ListDeployments\",code=\"200\"", "2"));
    rig_stop(&rig);
}

static void test_removed_while_it_runs(void **state)
{
    (void)state;
    rig_init(&rig, 2);
    fake_set_mode("n0", FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen("n0").running == 1);
    rig.settings.namespaces[0][0] = "n7";
    rig_reload(&rig);
    assert_false(published(&rig, "\"n0\""));
    wait_until(published_value(&rig, "up", "n7", "", "1"));
    fake_set_mode("n0", FAKE_SUCCEED);
    wait_until(fake_seen("n0").ended == 1);
    /* It is nobody's any more, also when a namespace of its name is back. */
    rig.settings.namespaces[1][0] = "n0";
    fake_set_items("n0", 6);
    rig_reload(&rig);
    wait_until(published_value(&rig, "namespace_deployments", "n0", "", "6"));
    wait_until(fake_confs_alive() == 1);
    rig_stop(&rig);
}

/* No memory at any point, or no more workers: all or nothing. */
static void test_reload_that_fails(void **state)
{
    struct err err = {0};
    size_t n = 1;

    (void)state;
    rig_init(&rig, 2);
    rig_start(&rig, false);
    wait_until(published_value(&rig, "up", "n0", "", "1") &&
               published_value(&rig, "up", "n1", "", "1"));
    rig.settings.n_targets = 1;
    rig.settings.namespaces[0][0] = "n1";
    rig.settings.namespaces[0][1] = "n2";
    rig.settings.namespaces[0][2] = "n3";
    rig.settings.targets[0].n_namespaces = 3;
    fake_refuse_clients(true);
    assert_int_equal(rig_try_reload(&rig, &err), -1);
    assert_string_equal(err.msg, "no more clients");
    fake_refuse_clients(false);
    for (;; n++) {
        CLEANUP(conf_unrefp) struct conf *conf = fake_conf_new(&rig.settings);
        int rc;

        fake_set_mode(NULL, FAKE_HANG); /* nothing else allocates meanwhile */
        alloc_fail_at(n);
        rc = scheduler_reload(rig.scheduler, conf, &err);
        alloc_fail_off();
        if (rc == 0)
            break;
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_true(published_value(&rig, "up", "n0", "", "1"));
        assert_false(published(&rig, "\"n2\""));
        assert_true(n < 1000);
    }
    assert_true(n > 10);
    wait_until(!published(&rig, "\"n0\"") && published(&rig, "\"n3\""));
    assert_true(published_value(&rig, "up", "n1", "", "1"));
    assert_int_equal(fake_seen("n0").begun, 1);
    assert_int_equal(fake_seen("n1").begun, 1);
    rig_stop(&rig);
}

/* --- the end --- */

static void test_stop_in_the_midst(void **state)
{
    int64_t began_ms;

    (void)state;
    rig_init(&rig, 10);
    fake_set_mode(NULL, FAKE_HANG);
    rig_start(&rig, false);
    wait_until(fake_seen_all().running >= 5);
    began_ms = clock_mono_ms();
    rig_stop(&rig);
    assert_true(clock_mono_ms() - began_ms < 1000);
    scheduler_stop(NULL);
}

static void test_stop_at_once(void **state)
{
    (void)state;
    /* Some workers have not begun what they were given. */
    for (int i = 0; i < 20; i++) {
        rig_init(&rig, 60);
        rig_start(&rig, true);
        while (i % 2 && fake_seen_all().begun == 0)
            continue;
        rig_stop(&rig);
    }
}

/* Who asks for a reload when the end has come is told so and does not wait for ever. */
static void test_reload_after_the_end(void **state)
{
    struct err err = {0};

    (void)state;
    rig_init(&rig, 1);
    rig_start(&rig, false);
    scheduler_interrupt(rig.scheduler);
    wait_until(rig_try_reload(&rig, &err) < 0); /* the last turn may still take one */
    assert_int_equal(err.kind, ERR_STOPPED);
    rig_stop(&rig);
}

static void test_start_without_memory(void **state)
{
    size_t n = 1;

    (void)state;
    for (;; n++) {
        CLEANUP(conf_unrefp) struct conf *conf = NULL;
        struct scheduler_options options;
        struct err err = {0};
        bool done;
        int rc;

        rig_init(&rig, 3);
        fake_set_mode(NULL, FAKE_HANG);
        conf = fake_conf_new(&rig.settings);
        options =
            (struct scheduler_options){.conf = conf, .registry = rig.registry, .slot = rig.slot};
        alloc_fail_at(n);
        rc = scheduler_start(&options, &rig.scheduler, &err);
        alloc_fail_off();
        done = rc == 0;
        if (rc < 0)
            assert_int_equal(err.kind, ERR_NOMEM);
        conf_unref(TAKE(conf));
        rig_stop(&rig);
        if (done)
            break;
    }
    assert_true(n > 40);
}

/* --- once --- */

static void test_once(void **state)
{
    (void)state;
    rig_init(&rig, 3);
    rig_every(&rig, 10);
    rig_start(&rig, true);
    assert_true(scheduler_wait_once(rig.scheduler));
    /* What is published when it returns is complete. */
    for (size_t i = 0; i < 3; i++)
        assert_true(published_value(&rig, "up", rig.settings.namespaces[i][0], "", "1"));
    pause_ms(50);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fake_seen(rig.settings.namespaces[i][0]).begun, 1);
    assert_true(scheduler_wait_once(rig.scheduler));
    rig_stop(&rig);
}

static void test_once_with_a_failure(void **state)
{
    (void)state;
    rig_init(&rig, 2);
    rig_every(&rig, 10);
    fake_set_mode("n1", FAKE_FAIL);
    rig_start(&rig, true);
    assert_false(scheduler_wait_once(rig.scheduler));
    assert_true(published_value(&rig, "up", "n0", "", "1"));
    assert_true(published_value(&rig, "up", "n1", "", "0"));
    pause_ms(50);
    assert_int_equal(fake_seen("n1").begun, 1);
    rig_stop(&rig);
}

/* Nobody waits to spread the load: a hundred namespaces would take ten seconds to begin. */
static void test_once_begins_at_once(void **state)
{
    int64_t began_ms;

    (void)state;
    rig_init(&rig, 60);
    fake_set_mode(NULL, FAKE_HANG);
    began_ms = clock_mono_ms();
    rig_start(&rig, true);
    wait_until(fake_seen_all().running == 60);
    assert_true(clock_mono_ms() - began_ms < 3000);
    fake_set_mode(NULL, FAKE_SUCCEED);
    assert_true(scheduler_wait_once(rig.scheduler));
    rig_stop(&rig);
}

static void *interrupt_when_it_hangs(void *arg)
{
    struct rig *r = arg;

    while (fake_seen("n1").running == 0)
        pause_ms(1);
    scheduler_interrupt(r->scheduler);
    return NULL;
}

static void test_once_interrupted(void **state)
{
    pthread_t thread;

    (void)state;
    rig_init(&rig, 2);
    fake_set_mode("n1", FAKE_HANG);
    rig_start(&rig, true);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_when_it_hangs, &rig), 0);
    assert_false(scheduler_wait_once(rig.scheduler));
    pthread_join(thread, NULL);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_first_snapshot_is_there, rig_clean_up),
        cmocka_unit_test_teardown(test_refreshes_all, rig_clean_up),
        cmocka_unit_test_teardown(test_again_and_again, rig_clean_up),
        cmocka_unit_test_teardown(test_no_overlap, rig_clean_up),
        cmocka_unit_test_teardown(test_a_hang_delays_nobody_else, rig_clean_up),
        cmocka_unit_test_teardown(test_more_namespaces_than_workers, rig_clean_up),
        cmocka_unit_test_teardown(test_withholding_by_time, rig_clean_up),
        cmocka_unit_test_teardown(test_idle, rig_clean_up),
        cmocka_unit_test_teardown(test_publishing_without_memory, rig_clean_up),
        cmocka_unit_test_teardown(test_reload, rig_clean_up),
        cmocka_unit_test_teardown(test_reload_of_what_reads_differently, rig_clean_up),
        cmocka_unit_test_teardown(test_outdated_result_is_dropped, rig_clean_up),
        cmocka_unit_test_teardown(test_removed_while_it_runs, rig_clean_up),
        cmocka_unit_test_teardown(test_reload_that_fails, rig_clean_up),
        cmocka_unit_test_teardown(test_stop_in_the_midst, rig_clean_up),
        cmocka_unit_test_teardown(test_stop_at_once, rig_clean_up),
        cmocka_unit_test_teardown(test_reload_after_the_end, rig_clean_up),
        cmocka_unit_test_teardown(test_start_without_memory, rig_clean_up),
        cmocka_unit_test_teardown(test_once, rig_clean_up),
        cmocka_unit_test_teardown(test_once_with_a_failure, rig_clean_up),
        cmocka_unit_test_teardown(test_once_begins_at_once, rig_clean_up),
        cmocka_unit_test_teardown(test_once_interrupted, rig_clean_up),
    };

    log_setup(LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
