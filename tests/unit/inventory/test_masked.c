/*
 * A failure that no count shows, because a job that had failed was purged meanwhile: when it
 * counts, when it must not, and that it is neither forgotten nor counted twice. And what a listing
 * leaves open.
 */
#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "play.h"

enum {
    FAILURES = EVENT_COUNTER_JOBS + JOB_EVENT_FAILURE,
    PURGED_FAILED = EVENT_COUNTER_REDUCTIONS + JOB_EVENT_FAILURE,
    IN_FAILED = 1u << STATUS_FAILED,
    IN_CANCELLED = 1u << STATUS_CANCELLED,
};

/* Failed three times, cancelled once; what else is told follows. */
#define RUNS                                         \
    {                                                \
        "a", FAILED(3), .cancelled = 1, .running = 1 \
    }
#define IS_DOWN                                            \
    {                                                      \
        "a", FAILED(3), .cancelled = 1, .found = IN_FAILED \
    }

static void begin(struct play *p)
{
    play_begin(p);
    p->asked = IN_FAILED;
    SEE_LONG(p, RUNS);
}

static void expect_status(const struct play *p, const char *id, enum deployment_status status)
{
    enum deployment_status is = play_shown(p, id)->status;

    if (is != status)
        fail_msg("%s is %s, not %s", id, deployment_status_name(is),
                 deployment_status_name(status));
}

static void test_counts_with_the_next_listing(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    expect_status(&p, "a", STATUS_RUNNING);
    SEE(&p, IS_DOWN);
    expect_status(&p, "a", STATUS_FAILED);
    expect_failures(&p, "a", 0); /* the list is later than the counts */
    SEE(&p, IS_DOWN);
    expect_failures(&p, "a", 1);
    expect_counter(&p, FAILURES, 1);
    expect_counter(&p, PURGED_FAILED, 1); /* one that the new one stands for */
    assert_int_equal(play_shown(&p, "a")->last_failure_unix_s, p.unix_ms / 1000);
    SEE_LONG(&p, IS_DOWN);
    expect_failures(&p, "a", 1);
    /* Again. */
    SEE(&p, RUNS);
    SEE(&p, IS_DOWN);
    SEE(&p, RUNS); /* it was started anew meanwhile */
    expect_failures(&p, "a", 2);
    play_end(&p);
}

/* It happened between the counts and the list, and nothing hides it. */
static void test_counts_once(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, IS_DOWN);
    SEE(&p, {"a", FAILED(4), .cancelled = 1, .found = IN_FAILED});
    expect_failures(&p, "a", 1);
    SEE_LONG(&p, {"a", FAILED(4), .cancelled = 1, .found = IN_FAILED});
    expect_failures(&p, "a", 1);
    expect_counter(&p, PURGED_FAILED, 0);
    play_end(&p);
}

static void test_a_purge_of_more(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, {"a", FAILED(1), .cancelled = 1, .found = IN_FAILED});
    expect_counter(&p, PURGED_FAILED, 2);
    SEE(&p, {"a", FAILED(1), .cancelled = 1, .found = IN_FAILED});
    expect_failures(&p, "a", 1);
    expect_counter(&p, PURGED_FAILED, 3); /* 3 + 1 - 3 are left */
    play_end(&p);
}

/* The last of those is purged between the counts and the list, or later. */
static void test_purges_go_on(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, IS_DOWN);
    SEE(&p, {"a", FAILED(1), .cancelled = 1, .found = IN_FAILED});
    expect_failures(&p, "a", 1);
    expect_counter(&p, PURGED_FAILED, 3);
    play_end(&p);
}

/* Then the one that ran may have been among them, and what shows is an old failure. */
static void test_a_purge_of_others(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, {"a", FAILED(3), .cancelled = 0}); /* one way is left: no list is needed */
    expect_status(&p, "a", STATUS_FAILED);
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 0});
    expect_failures(&p, "a", 0);
    expect_counter(&p, PURGED_FAILED, 0);
    play_end(&p);
}

/* A list whose pages shifted missed it: the newest has failed all the time, and an older one runs.
 */
static void test_a_list_that_missed_it(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, {"a", FAILED(3), .cancelled = 1, .running = 1, .found = IN_FAILED});
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 1, .running = 1, .found = IN_FAILED});
    expect_failures(&p, "a", 0);
    play_end(&p);
}

/* A batch deployment: the newest job failed long ago, and an older one still ran. */
static void test_the_newest_had_failed(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.asked = IN_FAILED;
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 1, .running = 1, .found = IN_FAILED});
    SEE_LONG(&p, IS_DOWN);
    expect_failures(&p, "a", 0);
    play_end(&p);
}

/* Nothing is known of the newest job where the list could not be read. */
static void test_without_a_list(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    p.asked = 0;
    SEE(&p, RUNS);
    p.asked = IN_FAILED;
    SEE_LONG(&p, IS_DOWN);
    expect_status(&p, "a", STATUS_FAILED);
    expect_failures(&p, "a", 0);
    play_end(&p);
}

static void test_the_newest_was_deleted(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.asked = IN_FAILED | IN_CANCELLED;
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 2, .found = IN_CANCELLED});
    expect_status(&p, "a", STATUS_CANCELLED);
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 1, .found = IN_FAILED});
    expect_status(&p, "a", STATUS_FAILED);
    expect_failures(&p, "a", 0);
    play_end(&p);
}

/* What docs/metrics.md says of it: the one assumption there is. */
static void test_deleted_in_the_interval_in_which_it_ended(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE_LONG(&p, IS_DOWN); /* the job that ran was cancelled and deleted: an old failure shows */
    expect_failures(&p, "a", 1);
    play_end(&p);
}

static void test_who_is_away_is_owed(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, IS_DOWN);
    play_see(&p, NULL, 0);
    expect_counter(&p, FAILURES, 0);
    SEE(&p, {"a", FAILED(-1), .cancelled = -1, .finished = -1, .running = -1});
    expect_status(&p, "a", STATUS_UNKNOWN);
    expect_counter(&p, FAILURES, 0);
    SEE(&p, IS_DOWN);
    expect_counter(&p, FAILURES, 1);
    play_end(&p);
}

/* Neither what is owed nor what it takes to owe is lost with a process. */
static void test_restarts(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, IS_DOWN);
    play_restart(&p, false);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, IS_DOWN);
    expect_counter(&p, FAILURES, 1);
    SEE(&p, RUNS);
    play_restart(&p, false);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, IS_DOWN);
    SEE(&p, IS_DOWN);
    expect_counter(&p, FAILURES, 2);
    play_end(&p);
}

static void test_status_is_remembered(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.asked = IN_FAILED | IN_CANCELLED;
    SEE(&p, {"a", FAILED(3), .cancelled = 1, .found = IN_CANCELLED});
    assert_false(p.events->open);
    p.asked = IN_FAILED;
    SEE(&p, {"a", FAILED(2), .cancelled = 1});
    expect_status(&p, "a", STATUS_CANCELLED);
    play_restart(&p, false);
    SEE(&p, {"a", FAILED(2), .cancelled = 1});
    expect_status(&p, "a", STATUS_CANCELLED);
    SEE(&p, {"a", FAILED(2), .cancelled = 1, .found = IN_FAILED});
    expect_status(&p, "a", STATUS_FAILED);
    play_end(&p);
}

static void test_what_is_left_open(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.asked = IN_FAILED;
    SEE(&p, {"a", FAILED(3), .cancelled = 1});
    assert_true(p.events->open);
    SEE(&p, {"a", FAILED(3), .cancelled = 1});
    expect_status(&p, "a", STATUS_UNKNOWN);
    assert_false(p.events->open); /* as before: asking again would not help */
    SEE(&p, {"a", FAILED(3), .cancelled = 1}, {"b", FAILED(1), .finished = 2});
    assert_true(p.events->open);
    SEE(&p, {"a", FAILED(3), .cancelled = 1, .running = 1}, {"b", FAILED(1), .finished = 2});
    assert_false(p.events->open);
    SEE(&p, {"a", FAILED(3), .cancelled = 1}, {"b", FAILED(1), .finished = 2});
    assert_true(p.events->open); /* it ended, and no count says how */
    play_end(&p);
}

/*
 * The newest job failed long ago, and an older one runs until it is cancelled; right then a list of
 * several pages misses the deployment.
 */
static void test_missed_between_two_pages(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.asked = p.in_pages = IN_FAILED;
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 1, .running = 1, .found = IN_FAILED});
    SEE(&p, {"a", FAILED(3), .cancelled = 2});
    expect_status(&p, "a", STATUS_CANCELLED);
    SEE_LONG(&p, {"a", FAILED(3), .cancelled = 2, .found = IN_FAILED});
    expect_status(&p, "a", STATUS_FAILED);
    expect_failures(&p, "a", 0);
    play_end(&p);
}

/* Two of them in a row are as good as one of one page, over a restart, too. */
static void test_two_lists_of_several_pages(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.asked = p.in_pages = IN_FAILED;
    SEE_LONG(&p, IS_DOWN);
    SEE(&p, RUNS);
    SEE(&p, IS_DOWN); /* the first one might have missed it */
    SEE(&p, IS_DOWN);
    expect_failures(&p, "a", 0);
    SEE(&p, RUNS);
    play_restart(&p, true);
    SEE(&p, RUNS);
    SEE(&p, IS_DOWN);
    SEE(&p, IS_DOWN);
    expect_failures(&p, "a", 1);
    play_end(&p);
}

/* The counts have the failure and the list has not yet: it is the same one when the list has it. */
static void test_a_list_that_lags(void **state)
{
    struct play p;

    (void)state;
    begin(&p);
    SEE(&p, {"a", FAILED(4), .cancelled = 1, .running = 1});
    expect_failures(&p, "a", 1);
    SEE_LONG(&p, {"a", FAILED(4), .cancelled = 1, .running = 1, .found = IN_FAILED});
    expect_failures(&p, "a", 1);
    play_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_with_the_next_listing),
        cmocka_unit_test(test_counts_once),
        cmocka_unit_test(test_a_purge_of_more),
        cmocka_unit_test(test_purges_go_on),
        cmocka_unit_test(test_a_purge_of_others),
        cmocka_unit_test(test_a_list_that_missed_it),
        cmocka_unit_test(test_the_newest_had_failed),
        cmocka_unit_test(test_without_a_list),
        cmocka_unit_test(test_the_newest_was_deleted),
        cmocka_unit_test(test_deleted_in_the_interval_in_which_it_ended),
        cmocka_unit_test(test_who_is_away_is_owed),
        cmocka_unit_test(test_missed_between_two_pages),
        cmocka_unit_test(test_two_lists_of_several_pages),
        cmocka_unit_test(test_a_list_that_lags),
        cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_status_is_remembered),
        cmocka_unit_test(test_what_is_left_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
