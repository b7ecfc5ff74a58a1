/* How a status is told, case by case, and what holds whatever is told; and when a failure is owed.
 */
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

enum {
    F = 1u << STATUS_FAILED,
    C = 1u << STATUS_CANCELLED,
    X = 1u << STATUS_FINISHED,
    ALL = F | C | X,
};

/* Counts in the order failed, cancelled, finished. */
struct counts {
    int64_t failed, cancelled, finished;
};

static void jobs_of(const struct counts *counts, int64_t starting, int64_t running,
                    int64_t cancelling, int64_t *ret)
{
    ret[JOB_STARTING] = starting;
    ret[JOB_RUNNING] = running;
    ret[JOB_CANCELLING] = cancelling;
    ret[JOB_FAILED] = counts->failed;
    ret[JOB_CANCELLED] = counts->cancelled;
    ret[JOB_FINISHED] = counts->finished;
}

static void before_of(const struct counts *counts, int64_t *ret)
{
    ret[JOB_EVENT_FAILURE] = counts->failed;
    ret[JOB_EVENT_CANCELLATION] = counts->cancelled;
    ret[JOB_EVENT_COMPLETION] = counts->finished;
}

#define NEVER      \
    {              \
        -1, -1, -1 \
    }

/* --- the rules --- */

static const struct {
    const char *what;
    enum deployment_status was;
    struct counts before, now;
    int64_t starting, running, cancelling;
    unsigned asked, found;
    enum deployment_status is;
} rules[] = {
    {"runs", STATUS_FAILED, {3, 0, 0}, {3, 1, 0}, 0, 1, 0, ALL, F, STATUS_RUNNING},
    {"comes", STATUS_FAILED, {3, 1, 0}, {3, 1, 0}, 1, 0, 0, F, F, STATUS_TRANSITIONING},
    {"goes", STATUS_RUNNING, {3, 1, 0}, {3, 1, 0}, 0, 0, 1, F, 0, STATUS_TRANSITIONING},
    {"one way", STATUS_UNKNOWN, NEVER, {0, 0, 5}, 0, 0, 0, 0, 0, STATUS_FINISHED},
    {"one way, whatever a later list says",
     STATUS_UNKNOWN,
     NEVER,
     {2, 0, 0},
     0,
     0,
     0,
     ALL,
     0,
     STATUS_FAILED},

    {"first sight", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, 0, 0, STATUS_UNKNOWN},
    {"in a list", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, F, F, STATUS_FAILED},
    {"in another", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, F | C, C, STATUS_CANCELLED},
    {"in a list that was cut", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, 0, F, STATUS_FAILED},
    {"in none", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, ALL, 0, STATUS_UNKNOWN},
    {"in two", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, F | C, F | C, STATUS_CANCELLED},
    {"in all", STATUS_UNKNOWN, NEVER, {6, 1, 1}, 0, 0, 0, ALL, ALL, STATUS_FINISHED},
    {"not what is left over", STATUS_UNKNOWN, NEVER, {6, 1, 0}, 0, 0, 0, C | X, 0, STATUS_UNKNOWN},
    {"the list beats what rose",
     STATUS_RUNNING,
     {1, 1, 0},
     {1, 2, 0},
     0,
     0,
     0,
     F,
     F,
     STATUS_FAILED},
    {"the list beats what was",
     STATUS_CANCELLED,
     {1, 1, 0},
     {1, 1, 0},
     0,
     0,
     0,
     F,
     F,
     STATUS_FAILED},

    {"failed", STATUS_RUNNING, {1, 1, 0}, {2, 1, 0}, 0, 0, 0, 0, 0, STATUS_FAILED},
    {"was cancelled", STATUS_RUNNING, {1, 1, 0}, {1, 2, 0}, 0, 0, 0, 0, 0, STATUS_CANCELLED},
    {"rose, others fell", STATUS_UNKNOWN, {9, 1, 9}, {1, 2, 1}, 0, 0, 0, F, 0, STATUS_CANCELLED},
    {"two rose", STATUS_RUNNING, {1, 1, 0}, {2, 2, 0}, 0, 0, 0, 0, 0, STATUS_UNKNOWN},
    {"two rose, one is out", STATUS_RUNNING, {1, 1, 0}, {2, 2, 0}, 0, 0, 0, F, 0, STATUS_UNKNOWN},
    {"failed, but not by the list",
     STATUS_RUNNING,
     {1, 1, 0},
     {2, 1, 0},
     0,
     0,
     0,
     F,
     0,
     STATUS_UNKNOWN},
    {"finished, but not by the list",
     STATUS_RUNNING,
     {0, 1, 1},
     {0, 1, 2},
     0,
     0,
     0,
     X,
     0,
     STATUS_UNKNOWN},
    {"rose from nobody knows what",
     STATUS_RUNNING,
     {-1, 1, 0},
     {2, 2, 0},
     0,
     0,
     0,
     0,
     0,
     STATUS_UNKNOWN},
    {"new, and ended in two ways",
     STATUS_UNKNOWN,
     {0, 0, 0},
     {1, 1, 0},
     0,
     0,
     0,
     0,
     0,
     STATUS_UNKNOWN},

    {"as it was", STATUS_CANCELLED, {1, 1, 0}, {1, 1, 0}, 0, 0, 0, F, 0, STATUS_CANCELLED},
    {"still failed", STATUS_FAILED, {1, 1, 0}, {1, 1, 0}, 0, 0, 0, 0, 0, STATUS_FAILED},
    {"failed no more", STATUS_FAILED, {1, 1, 0}, {1, 1, 0}, 0, 0, 0, F, 0, STATUS_UNKNOWN},
    {"cancelled no more", STATUS_CANCELLED, {1, 1, 0}, {1, 1, 0}, 0, 0, 0, ALL, 0, STATUS_UNKNOWN},
    {"ran, and now?", STATUS_RUNNING, {1, 1, 0}, {1, 1, 0}, 0, 0, 0, F, 0, STATUS_UNKNOWN},
    {"a purge of others", STATUS_CANCELLED, {5, 2, 1}, {1, 2, 0}, 0, 0, 0, F, 0, STATUS_CANCELLED},
    {"a purge of its own, some left",
     STATUS_FINISHED,
     {5, 2, 4},
     {5, 2, 1},
     0,
     0,
     0,
     F,
     0,
     STATUS_FINISHED},
    {"a purge of its own, none left",
     STATUS_FINISHED,
     {5, 2, 4},
     {5, 2, 0},
     0,
     0,
     0,
     F,
     0,
     STATUS_UNKNOWN},
    {"a purge, unasked, of one that failed",
     STATUS_FAILED,
     {5, 2, 0},
     {4, 2, 0},
     0,
     0,
     0,
     0,
     0,
     STATUS_UNKNOWN},

    {"nothing there", STATUS_FAILED, {1, 0, 0}, {0, 0, 0}, 0, 0, 0, F, 0, STATUS_UNKNOWN},
    {"nothing there, later in a list",
     STATUS_UNKNOWN,
     {0, 0, 0},
     {0, 0, 0},
     0,
     0,
     0,
     F,
     F,
     STATUS_FAILED},
    {"nothing told", STATUS_FAILED, {1, 1, 0}, NEVER, -1, -1, -1, 0, 0, STATUS_UNKNOWN},
    {"nothing told, in a list", STATUS_UNKNOWN, {1, 1, 0}, NEVER, -1, -1, -1, F, F, STATUS_FAILED},
    {"running untold", STATUS_CANCELLED, {1, 1, 0}, {1, 1, 0}, 0, -1, 0, 0, 0, STATUS_UNKNOWN},
    {"running untold, one rose",
     STATUS_RUNNING,
     {1, 1, 0},
     {2, 1, 0},
     0,
     -1,
     0,
     0,
     0,
     STATUS_UNKNOWN},
    {"failed untold", STATUS_CANCELLED, {1, 1, 0}, {-1, 1, 0}, 0, 0, 0, 0, 0, STATUS_UNKNOWN},
};

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct status_memory memory = {.status = rules[i].was};
        int64_t jobs[JOB_STATE_END], before[JOB_EVENT_END];
        const struct status_sight sight = {jobs, before, rules[i].asked, 0, rules[i].found};
        enum deployment_status is;

        jobs_of(&rules[i].now, rules[i].starting, rules[i].running, rules[i].cancelling, jobs);
        before_of(&rules[i].before, before);
        is = status_tell(&memory, &sight);
        if (is != rules[i].is)
            fail_msg("%s: %s, not %s", rules[i].what, deployment_status_name(is),
                     deployment_status_name(rules[i].is));
    }
}

/* --- whatever is told --- */

static const enum job_state states[] = {[STATUS_FAILED] = JOB_FAILED,
                                        [STATUS_CANCELLED] = JOB_CANCELLED,
                                        [STATUS_FINISHED] = JOB_FINISHED};

/* Nothing but what can be vouched for; one sight. */
static void expect_honest(enum deployment_status was, const struct status_sight *s,
                          enum deployment_status is)
{
    unsigned bit = STATUS_BIT(is);
    bool found = s->found & bit, absent = s->asked & ~s->found & bit;
    bool certain = deployment_summary_status(s->jobs) == is;

    if (is == STATUS_UNKNOWN)
        return;
    if (is == STATUS_RUNNING || is == STATUS_TRANSITIONING) {
        if (!certain)
            fail_msg("it runs, and no count says so");
        return;
    }
    if (s->jobs[JOB_RUNNING] > 0 || s->jobs[JOB_STARTING] > 0 || s->jobs[JOB_CANCELLING] > 0)
        if (s->jobs[JOB_RUNNING] >= 0)
            fail_msg("it ended, and something runs");
    if (certain || found)
        return;
    if (absent)
        fail_msg("%s against its own list", deployment_status_name(is));
    if (s->found)
        fail_msg("%s against another list", deployment_status_name(is));
    for (int e = 0; e < JOB_EVENT_END; e++)
        if (s->before[e] < 0 || s->jobs[job_event_state((enum job_event)e)] < 0)
            fail_msg("%s from counts that were not told", deployment_status_name(is));
    if (s->jobs[JOB_RUNNING] != 0 || s->jobs[JOB_STARTING] != 0 || s->jobs[JOB_CANCELLING] != 0)
        fail_msg("%s, and it may run", deployment_status_name(is));
    if (s->jobs[states[is]] < 1)
        fail_msg("%s, and no such job is there", deployment_status_name(is));
    for (int e = 0; e < JOB_EVENT_END; e++) {
        enum deployment_status other = job_event_status((enum job_event)e);
        int64_t rose = s->jobs[states[other]] - s->before[e];

        if (other != is && rose > 0)
            fail_msg("%s, and another count rose", deployment_status_name(is));
        if (other == is && rose <= 0 && was != is)
            fail_msg("%s from nothing", deployment_status_name(is));
        if (is == STATUS_FAILED && rose < 0 && s->jobs[JOB_FAILED] <= s->before[JOB_EVENT_FAILURE])
            fail_msg("a failure from a purge");
    }
}

static void next_counts(unsigned *n, struct counts *ret)
{
    ret->failed = (int64_t)(*n % 4) - 1;
    ret->cancelled = (int64_t)(*n / 4 % 4) - 1;
    ret->finished = (int64_t)(*n / 16 % 4) - 1;
    *n /= 64;
}

/* Every combination of small counts, told or not, of lists, and of what was known. */
static void test_nothing_is_made_up(void **state)
{
    static const int64_t active[][3] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {0, -1, 0}, {-1, 0, 1}};
    size_t told[STATUS_END] = {0};

    (void)state;
    for (unsigned n = 0; n < 64 * 64; n++) {
        struct counts before, now;
        int64_t jobs[JOB_STATE_END], was_told[JOB_EVENT_END];
        unsigned rest = n;

        next_counts(&rest, &before);
        next_counts(&rest, &now);
        before_of(&before, was_told);
        for (size_t a = 0; a < ARRAY_LEN(active); a++) {
            jobs_of(&now, active[a][0], active[a][1], active[a][2], jobs);
            for (unsigned lists = 0; lists < 64; lists++)
                for (int was = 0; was < STATUS_END; was++) {
                    const struct status_memory memory = {.status = (enum deployment_status)was};
                    const struct status_sight sight = {jobs, was_told, (lists & 7) * F, 0,
                                                       (lists >> 3) * F};
                    enum deployment_status is = status_tell(&memory, &sight);

                    expect_honest(memory.status, &sight, is);
                    told[is]++;
                }
        }
    }
    for (int s = 0; s < STATUS_END; s++)
        assert_true(told[s] > 1000);
}

/* --- what is remembered --- */

static void test_memory(void **state)
{
    struct status_memory memory = {STATUS_CANCELLED, true, false, false};
    int64_t jobs[JOB_STATE_END], before[JOB_EVENT_END];
    struct status_sight sight = {jobs, before, 0, 0, 0};

    (void)state;
    /* A listing that tells nothing, or nothing new, does not outdate it. */
    before_of(&(struct counts){1, 1, 0}, before);
    jobs_of(&(struct counts)NEVER, -1, -1, -1, jobs);
    assert_int_equal(status_see(&memory, &sight), STATUS_UNKNOWN);
    assert_int_equal(memory.status, STATUS_CANCELLED);
    assert_false(memory.not_failed);
    jobs_of(&(struct counts){1, -1, 0}, 0, 0, 0, jobs);
    assert_int_equal(status_see(&memory, &sight), STATUS_UNKNOWN);
    assert_int_equal(memory.status, STATUS_CANCELLED);
    jobs_of(&(struct counts){1, 1, 0}, 0, 0, 0, jobs);
    assert_int_equal(status_see(&memory, &sight), STATUS_CANCELLED);
    /* One that tells a little that is new does. */
    jobs_of(&(struct counts){2, -1, 0}, 0, 0, 0, jobs);
    assert_int_equal(status_see(&memory, &sight), STATUS_UNKNOWN);
    assert_int_equal(memory.status, STATUS_UNKNOWN);
    /* So does one that is contradicted. */
    memory.status = STATUS_FAILED;
    jobs_of(&(struct counts){1, 1, 0}, 0, 0, 0, jobs);
    sight.asked = F;
    assert_int_equal(status_see(&memory, &sight), STATUS_UNKNOWN);
    assert_int_equal(memory.status, STATUS_UNKNOWN);
    assert_true(memory.not_failed);
    assert_false(memory.owed);
}

static void test_open(void **state)
{
    (void)state;
    assert_true(status_is_open(STATUS_UNKNOWN, 1, 0) && status_is_open(STATUS_UNKNOWN, -1, 1));
    assert_false(status_is_open(STATUS_UNKNOWN, 0, 0) || status_is_open(STATUS_UNKNOWN, -1, -1));
    assert_false(status_is_open(STATUS_CANCELLED, 1, 1));
}

/* --- failures that no count shows --- */

static const struct {
    const char *what;
    enum deployment_status was;
    bool not_failed;
    struct counts before, now;
    int64_t running;
    unsigned asked, found;
    bool owed, not_failed_after;
} debts[] = {
    {"ran, a list has it", STATUS_RUNNING, true, {3, 1, 0}, {3, 1, 0}, 0, F, F, true, false},
    {"no others were there", STATUS_RUNNING, true, {3, 0, 0}, {1, 0, 0}, 0, 0, 0, true, false},
    {"came", STATUS_TRANSITIONING, true, {3, 1, 0}, {2, 1, 0}, 0, F, F, true, false},
    {"had been cancelled", STATUS_CANCELLED, true, {3, 2, 0}, {2, 2, 0}, 0, F, F, true, false},
    {"failed by the counts, runs by the list",
     STATUS_RUNNING,
     true,
     {3, 0, 0},
     {3, 0, 0},
     0,
     F,
     0,
     true,
     true},

    {"others run on", STATUS_RUNNING, true, {3, 1, 0}, {3, 1, 0}, 2, F, F, false, false},
    {"purged with its kind", STATUS_RUNNING, true, {3, 2, 0}, {3, 0, 0}, 0, F, F, false, false},
    {"others were purged", STATUS_TRANSITIONING, true, {3, 2, 4}, {3, 2, 3}, 0, F, F, false, false},
    {"the counts have it", STATUS_RUNNING, true, {3, 1, 0}, {4, 1, 0}, 0, F, F, false, false},
    {"another count rose", STATUS_RUNNING, true, {3, 1, 0}, {3, 2, 0}, 0, F, F, false, false},
    {"it may be the old one", STATUS_RUNNING, false, {3, 1, 0}, {3, 1, 0}, 0, F, F, false, false},
    {"in no list", STATUS_RUNNING, true, {3, 1, 0}, {3, 1, 0}, 0, F, 0, false, true},
    {"no list", STATUS_RUNNING, true, {3, 1, 0}, {3, 1, 0}, 0, 0, 0, false, false},
    {"the newest was deleted", STATUS_CANCELLED, true, {3, 1, 0}, {3, 0, 0}, 0, 0, 0, false, false},
    {"an older one shows", STATUS_FINISHED, true, {3, 1, 2}, {3, 1, 1}, 0, F, F, false, false},
    {"nobody knew how it was", STATUS_UNKNOWN, true, {3, 1, 1}, {3, 1, 1}, 0, F, F, false, false},
    {"untold", STATUS_RUNNING, true, {3, 1, 1}, {-1, 1, 1}, 0, F, F, false, false},
    {"never told", STATUS_RUNNING, true, {3, -1, 1}, {3, 1, 1}, 0, F, F, false, false},
    {"none failed", STATUS_RUNNING, true, {0, 1, 0}, {0, 2, 0}, 0, 0, 0, false, true},
    {"another list has it", STATUS_RUNNING, true, {3, 1, 0}, {3, 1, 0}, 0, 0, C, false, true},
};

static void test_owed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(debts); i++)
        for (int owes = 0; owes < 2; owes++) { /* what is owed already stays */
            struct status_memory memory = {debts[i].was, debts[i].not_failed, false, owes};
            int64_t jobs[JOB_STATE_END], before[JOB_EVENT_END];
            const struct status_sight sight = {jobs, before, debts[i].asked, 0, debts[i].found};

            jobs_of(&debts[i].now, 0, debts[i].running, 0, jobs);
            before_of(&debts[i].before, before);
            (void)status_see(&memory, &sight);
            if (memory.owed != (debts[i].owed || owes))
                fail_msg("%s: owed is %d", debts[i].what, memory.owed);
            if (memory.not_failed != debts[i].not_failed_after)
                fail_msg("%s: not_failed is %d", debts[i].what, memory.not_failed);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),  cmocka_unit_test(test_nothing_is_made_up),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_open),
        cmocka_unit_test(test_owed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
