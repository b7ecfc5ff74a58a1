/* The rules by which events are told from listings, each with what goes wrong without it. */
#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "play.h"
#include "records.h"

enum {
    FAILURES = EVENT_COUNTER_JOBS + JOB_EVENT_FAILURE,
    CANCELLATIONS = EVENT_COUNTER_JOBS + JOB_EVENT_CANCELLATION,
    COMPLETIONS = EVENT_COUNTER_JOBS + JOB_EVENT_COMPLETION,
    PURGED_FAILED = EVENT_COUNTER_REDUCTIONS + JOB_EVENT_FAILURE,
    PURGED_CANCELLED = EVENT_COUNTER_REDUCTIONS + JOB_EVENT_CANCELLATION,
    PURGED_FINISHED = EVENT_COUNTER_REDUCTIONS + JOB_EVENT_COMPLETION,
    ADDED = EVENT_COUNTER_ADDED,
    REMOVED = EVENT_COUNTER_REMOVED,
};

static int64_t now_s(const struct play *p)
{
    return p->unix_ms / 1000;
}

/* --- growth and purges --- */

static void test_old_failures_are_no_news(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(7)});
    expect_failures(&p, "a", 0);
    expect_counter(&p, FAILURES, 0);
    assert_int_equal(play_shown(&p, "a")->last_failure_unix_s, 0);
    SEE(&p, {"a", FAILED(8)});
    expect_failures(&p, "a", 1);
    expect_counter(&p, FAILURES, 1);
    assert_int_equal(play_shown(&p, "a")->last_failure_unix_s, now_s(&p));
    play_end(&p);
}

static void test_purge_is_no_failure_and_hides_none(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(8), .cancelled = 4, .finished = 2});
    SEE(&p, {"a", FAILED(9), .cancelled = 4, .finished = 2});
    SEE(&p, {"a", FAILED(4), .cancelled = 1, .finished = 0});
    expect_failures(&p, "a", 1);
    SEE(&p, {"a", FAILED(5), .cancelled = 3, .finished = 1});
    expect_failures(&p, "a", 2);
    assert_int_equal(play_shown(&p, "a")->events[JOB_EVENT_CANCELLATION], 2);
    assert_int_equal(play_shown(&p, "a")->events[JOB_EVENT_COMPLETION], 1);
    expect_counter(&p, FAILURES, 2);
    expect_counter(&p, CANCELLATIONS, 2);
    expect_counter(&p, COMPLETIONS, 1);
    expect_counter(&p, PURGED_FAILED, 5);
    expect_counter(&p, PURGED_CANCELLED, 3);
    expect_counter(&p, PURGED_FINISHED, 2);
    play_end(&p);
}

static void test_untold_counts_change_nothing(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(8)}, {"b", FAILED(-1)});
    SEE(&p, {"a", FAILED(-1)}, {"b", FAILED(5)});
    expect_failures(&p, "a", 0);
    expect_failures(&p, "b", 0); /* told for the first time: the past */
    SEE(&p, {"a", FAILED(10)}, {"b", FAILED(6)});
    expect_failures(&p, "a", 2);
    expect_failures(&p, "b", 1);
    expect_counter(&p, PURGED_FAILED, 0);
    play_end(&p);
}

static void test_counts_of_any_size(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(0)});
    for (int i = 0; i < 3; i++) {
        SEE(&p, {"a", FAILED(EVENT_COUNT_MAX - 1)});
        expect_failures(&p, "a", i == 0 ? EVENT_COUNT_MAX - 1 : EVENT_COUNT_MAX);
        SEE(&p, {"a", FAILED(0)});
    }
    expect_counter(&p, FAILURES, EVENT_COUNT_MAX);
    expect_counter(&p, PURGED_FAILED, EVENT_COUNT_MAX);
    play_restart(&p, false);
    SEE(&p, {"a", FAILED(1)});
    expect_failures(&p, "a", EVENT_COUNT_MAX);
    play_end(&p);
}

/* --- who comes and goes --- */

static void test_born_and_failed_between_two_listings(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(1)});
    SEE(&p, {"a", FAILED(1)}, {"new", .failed = 2, .created_unix_s = now_s(&p) - 30});
    expect_failures(&p, "new", 0);   /* zero first */
    expect_counter(&p, FAILURES, 2); /* which has been there all the time */
    expect_counter(&p, ADDED, 1);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(1)}, {"new", .failed = 2, .created_unix_s = now_s(&p) - 30});
    expect_failures(&p, "new", 2);
    expect_counter(&p, FAILURES, 2);
    play_end(&p);
}

static void test_who_was_only_not_seen_is_not_new(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(1)});
    SEE_LONG(&p, {"a", FAILED(1)}, {"b", FAILED(9)});
    expect_failures(&p, "b", 0);
    expect_counter(&p, FAILURES, 0);
    SEE(&p, {"a", FAILED(1)}, {"b", FAILED(10)});
    expect_failures(&p, "b", 1);
    /* Of one without a date nothing is known. */
    SEE(&p, {"a", FAILED(1)}, {"b", FAILED(10)}, {"c", .failed = 4});
    expect_counter(&p, FAILURES, 1);
    expect_counter(&p, ADDED, 2);
    play_end(&p);
}

/* What happened while it was away is news, what was counted before is not. */
static void test_who_comes_back_goes_on(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)}, {"b", FAILED(7)});
    SEE(&p, {"a", FAILED(3)}, {"b", FAILED(8)});
    expect_failures(&p, "b", 1);
    SEE(&p, {"a", FAILED(3)});
    expect_counter(&p, REMOVED, 1);
    expect_counter(&p, PURGED_FAILED, 8);
    SEE(&p, {"a", FAILED(3)}, {"b", FAILED(10)});
    expect_failures(&p, "b", 1); /* there was a gap: the old value first */
    expect_counter(&p, FAILURES, 3);
    expect_counter(&p, ADDED, 1);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(3)}, {"b", FAILED(10)});
    expect_failures(&p, "b", 3);
    /* Even if it says that it was created just now. */
    SEE(&p, {"a", FAILED(3)});
    SEE(&p, {"a", FAILED(3)}, {"b", .failed = 10, .created_unix_s = now_s(&p)});
    expect_counter(&p, FAILURES, 3);
    play_end(&p);
}

static void test_deletion_loses_nothing(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)}, {"b", FAILED(7)});
    SEE(&p, {"a", FAILED(4)}, {"b", FAILED(9)});
    play_see(&p, NULL, 0);
    expect_counter(&p, FAILURES, 3);
    expect_counter(&p, REMOVED, 2);
    expect_counter(&p, PURGED_FAILED, 13);
    play_see(&p, NULL, 0);
    expect_counter(&p, REMOVED, 2);
    expect_counter(&p, PURGED_FAILED, 13);
    play_end(&p);
}

static void test_rename_goes_on_in_a_new_series(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)});
    SEE(&p, {"a", FAILED(4)});
    expect_failures(&p, "a", 1);
    SEE(&p, {"a", FAILED(5), .name = "renamed"});
    expect_failures(&p, "a", 1);
    expect_counter(&p, FAILURES, 2);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(5), .name = "renamed"});
    expect_failures(&p, "a", 2);
    play_end(&p);
}

static void test_cut_listing_removes_nobody(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)}, {"b", FAILED(7)});
    p.over_limit = 1;
    SEE(&p, {"a", FAILED(3)}, {"c", FAILED(1)});
    expect_counter(&p, REMOVED, 0);
    expect_counter(&p, ADDED, 0); /* it may have been there: it is not known to be new */
    expect_counter(&p, PURGED_FAILED, 0);
    SEE(&p, {"b", FAILED(8)}, {"d", .failed = 1, .created_unix_s = now_s(&p)});
    expect_counter(&p, FAILURES, 2);
    expect_counter(&p, ADDED, 1);
    p.over_limit = 0;
    SEE(&p, {"b", FAILED(8)});
    expect_counter(&p, REMOVED, 3);
    expect_counter(&p, PURGED_FAILED, 3 + 1 + 1);
    SEE(&p, {"b", FAILED(8)});
    expect_counter(&p, REMOVED, 3);
    play_end(&p);
}

static void test_who_is_away_for_long_is_forgotten(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)}, {"b", FAILED(7)});
    SEE(&p, {"a", FAILED(3)});
    play_wait(&p, EVENTS_KEEP_ABSENT_S * 1000 - 10000);
    SEE(&p, {"a", FAILED(3)});
    assert_int_equal(p.events->n_items, 2);
    play_wait(&p, 20000);
    SEE(&p, {"a", FAILED(3)});
    assert_int_equal(p.events->n_items, 1);
    SEE(&p, {"a", FAILED(3)}, {"b", FAILED(9)});
    expect_counter(&p, FAILURES, 0); /* the past again */
    play_end(&p);
}

/* --- when a listing began --- */

static void test_allowance(void **state)
{
    struct play p;
    int64_t began_s;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(0)});
    began_s = p.events->began_unix_ms / 1000;
    SEE(&p, {"a", FAILED(0)},
        {"b", .failed = 1, .created_unix_s = began_s - EVENTS_BORN_ALLOWANCE_S},
        {"c", .failed = 10, .created_unix_s = began_s - EVENTS_BORN_ALLOWANCE_S + 1});
    expect_counter(&p, FAILURES, 10);
    play_end(&p);
}

/* Neither a clock that is put right nor a machine that slept makes the new look old. */
static void test_clocks_that_jump(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(0)});
    p.unix_ms -= 86400000; /* it was a day ahead */
    SEE(&p, {"a", FAILED(0)}, {"b", .failed = 1, .created_unix_s = now_s(&p) - 5});
    expect_counter(&p, FAILURES, 1);
    p.unix_ms += 3600000; /* it slept for an hour: only wall time went on */
    SEE(&p, {"a", FAILED(0)}, {"b", FAILED(1)},
        {"c", .failed = 10, .created_unix_s = now_s(&p) - 3000});
    expect_counter(&p, FAILURES, 11);
    play_end(&p);
}

/* --- zero first --- */

static void test_hold_runs_from_the_publication(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    p.unpublished = true;
    SEE(&p, {"a", FAILED(0)});
    play_wait(&p, 10 * PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(1)});
    expect_failures(&p, "a", 0);
    expect_counter(&p, FAILURES, 1); /* shown since start-up */
    play_wait(&p, PLAY_HOLD_MS);
    events_published(p.events, p.mono_ms);
    play_wait(&p, PLAY_HOLD_MS - 1001);
    SEE(&p, {"a", FAILED(2)});
    expect_failures(&p, "a", 0);
    play_wait(&p, 1);
    SEE(&p, {"a", FAILED(3)});
    expect_failures(&p, "a", 3);
    /* From now on at once. */
    SEE(&p, {"a", FAILED(4)});
    expect_failures(&p, "a", 4);
    play_end(&p);
}

static void test_namespace_counters_hold_from_start_up(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE(&p, {"a", FAILED(0)});
    SEE(&p, {"a", FAILED(1)});
    expect_counter(&p, FAILURES, 0);
    assert_false(p.events->grew);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(1)});
    expect_counter(&p, FAILURES, 1);
    assert_true(p.events->grew);
    SEE(&p, {"a", FAILED(1)});
    assert_false(p.events->grew);
    play_end(&p);
}

static void test_what_is_shown_anew_shows_the_old_value_first(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(0)});
    SEE(&p, {"a", FAILED(1)});
    events_show_anew(p.events);
    events_published(p.events, p.mono_ms);
    SEE(&p, {"a", FAILED(2)});
    expect_failures(&p, "a", 1);
    expect_counter(&p, FAILURES, 1);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(2)});
    expect_failures(&p, "a", 2);
    expect_counter(&p, FAILURES, 2);
    play_end(&p);
}

/* --- restarts --- */

static void test_failures_while_it_was_down(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)}, {"b", FAILED(0)}, {"c", FAILED(5)});
    SEE(&p, {"a", FAILED(4)}, {"b", FAILED(0)}, {"c", FAILED(5)});
    play_restart(&p, false);
    expect_counter(&p, FAILURES, 1);
    play_wait(&p, 1800000);
    SEE(&p, {"a", FAILED(5)}, {"b", FAILED(0)},
        {"new", .failed = 10, .created_unix_s = now_s(&p) - 900});
    expect_failures(&p, "a", 1);
    expect_failures(&p, "new", 0);
    expect_counter(&p, FAILURES, 12); /* the old value was there for half an hour */
    expect_counter(&p, REMOVED, 1);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(5)}, {"b", FAILED(0)}, {"new", .failed = 10});
    expect_failures(&p, "a", 2);
    expect_failures(&p, "new", 10);
    play_end(&p);
}

/* What was not shown yet when the process ended is not shown by the next one at once. */
static void test_what_was_behind_stays_behind(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(0)});
    SEE(&p, {"a", FAILED(0)}, {"new", .failed = 2, .created_unix_s = now_s(&p)});
    play_restart(&p, false);
    SEE(&p, {"a", FAILED(0)}, {"new", .failed = 2, .created_unix_s = now_s(&p)});
    expect_failures(&p, "new", 0);
    play_wait(&p, PLAY_HOLD_MS);
    SEE(&p, {"a", FAILED(0)}, {"new", .failed = 2, .created_unix_s = now_s(&p)});
    expect_failures(&p, "new", 2);
    play_end(&p);
}

/* --once: each run is the next listing of the same exposition. */
static void test_runs_that_go_on(void **state)
{
    struct play p;

    (void)state;
    play_begin(&p);
    SEE(&p, {"a", FAILED(0)});
    play_wait(&p, PLAY_INTERVAL_MS);
    play_restart(&p, true);
    SEE(&p, {"a", FAILED(1)});
    expect_failures(&p, "a", 0);
    play_wait(&p, PLAY_HOLD_MS);
    play_restart(&p, true);
    SEE(&p, {"a", FAILED(1)}, {"new", .failed = 1, .created_unix_s = now_s(&p)});
    expect_failures(&p, "a", 1);
    expect_failures(&p, "new", 0);
    expect_counter(&p, FAILURES, 2);
    play_wait(&p, PLAY_INTERVAL_MS);
    play_restart(&p, true);
    SEE(&p, {"a", FAILED(2)}, {"new", FAILED(1)});
    expect_failures(&p, "a", 2);
    expect_failures(&p, "new", 0);
    play_wait(&p, PLAY_INTERVAL_MS);
    play_restart(&p, true);
    SEE(&p, {"a", FAILED(2)}, {"new", FAILED(1)});
    expect_failures(&p, "new", 1);
    play_end(&p);
}

/* --- many --- */

static struct events *observe_numbers(struct events *before, uint32_t first, uint32_t n, int round)
{
    struct events_time time = {
        .began_unix_ms = (PLAY_UNIX_S + 60 * round) * 1000,
        .began_mono_ms = 60000 * round,
        .ended_unix_ms = (PLAY_UNIX_S + 60 * round) * 1000 + 1,
        .ended_mono_ms = 60000 * round + 1,
        .hold_ms = PLAY_HOLD_MS,
    };
    uint32_t *numbers = calloc(n + 1, sizeof(*numbers));
    struct listing *listing;
    struct events *after = NULL;
    struct err err;

    assert_non_null(numbers);
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = first + i;
    listing = listing_of_numbers(numbers, n);
    assert_int_equal(events_observe(before, listing, &time, &after, &err), 0);
    events_published(after, time.ended_mono_ms);
    events_free(before);
    listing_free(listing);
    free(numbers);
    return after;
}

static void test_no_more_than_so_many_are_remembered(void **state)
{
    struct events *events = events_new();

    (void)state;
    assert_non_null(events);
    events = observe_numbers(events, 0, EVENTS_KEEP_ABSENT + 500, 1);
    events = observe_numbers(events, 100000, 100, 2);
    assert_int_equal(events->n_items, EVENTS_KEEP_ABSENT + 100);
    assert_int_equal(events->n_absent, EVENTS_KEEP_ABSENT);
    assert_int_equal(events->counters[REMOVED].value, EVENTS_KEEP_ABSENT + 500);
    assert_int_equal(events->forgotten_unix_s, PLAY_UNIX_S + 120);
    /* Those who left later stay. */
    events = observe_numbers(events, 200000, 1, 3);
    assert_int_equal(events->n_absent, EVENTS_KEEP_ABSENT);
    events = observe_numbers(events, 100000, 100, 4);
    assert_int_equal(events->counters[ADDED].value, 100 + 1 + 100);
    assert_int_equal(events->n_absent, EVENTS_KEEP_ABSENT - 100 + 1);
    /* Who was forgotten and comes back is not new, however the clocks stand. */
    events = observe_numbers(events, 0, EVENTS_KEEP_ABSENT + 500, 5);
    assert_int_equal(events->counters[FAILURES].value, 0);
    events_free(events);
}

static void test_bytes_of_a_deployment(void **state)
{
    struct events *events = events_new();

    (void)state;
    assert_non_null(events);
    for (int round = 1; round < 6; round++)
        events = observe_numbers(events, 0, 1000, round);
    /* "d-00000000" and its NUL are eleven bytes. */
    assert_in_range(events_bytes(events), 1000, 1000 * (11 + 10) + 1024);
    events_free(events);
}

/* --- lack of memory --- */

static void test_no_memory(void **state)
{
    struct events_time time = {.began_unix_ms = 1790000000000,
                               .began_mono_ms = 1,
                               .ended_unix_ms = 1790000000001,
                               .ended_mono_ms = 2,
                               .hold_ms = 1};
    const struct deployment items[] = {record_full("a", "a"), record_full("b", "b")};
    struct events *before = events_new();

    (void)state;
    assert_non_null(before);
    for (size_t n = 1;; n++) {
        struct listing *listing = listing_of(items, 2);
        struct events *after = NULL;
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = events_observe(before, listing, &time, &after, &err);
        alloc_fail_off();
        listing_free(listing);
        events_free(after);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        if (rc < 0)
            assert_int_equal(err.kind, ERR_NOMEM);
        assert_int_equal(before->n_items, 0);
    }
    events_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_failures_are_no_news),
        cmocka_unit_test(test_purge_is_no_failure_and_hides_none),
        cmocka_unit_test(test_untold_counts_change_nothing),
        cmocka_unit_test(test_counts_of_any_size),
        cmocka_unit_test(test_born_and_failed_between_two_listings),
        cmocka_unit_test(test_who_was_only_not_seen_is_not_new),
        cmocka_unit_test(test_who_comes_back_goes_on),
        cmocka_unit_test(test_deletion_loses_nothing),
        cmocka_unit_test(test_rename_goes_on_in_a_new_series),
        cmocka_unit_test(test_cut_listing_removes_nobody),
        cmocka_unit_test(test_who_is_away_for_long_is_forgotten),
        cmocka_unit_test(test_allowance),
        cmocka_unit_test(test_clocks_that_jump),
        cmocka_unit_test(test_hold_runs_from_the_publication),
        cmocka_unit_test(test_namespace_counters_hold_from_start_up),
        cmocka_unit_test(test_what_is_shown_anew_shows_the_old_value_first),
        cmocka_unit_test(test_failures_while_it_was_down),
        cmocka_unit_test(test_what_was_behind_stays_behind),
        cmocka_unit_test(test_runs_that_go_on),
        cmocka_unit_test(test_no_more_than_so_many_are_remembered),
        cmocka_unit_test(test_bytes_of_a_deployment),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
