/* Who is asked for jobs: who is of interest, who comes first, and that nobody waits for ever. */
#include "job_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

#define MOST  600
#define SINCE INT64_C(1790000000)

/* What a listing says of one; untold = no summary at all. */
struct said {
    const char *id;
    int running, failed, cancelled;
    bool untold;
};

static struct records *records_of(const struct said *said, size_t n)
{
    CLEANUP(listing_freep) struct listing *listing = listing_new();
    struct records *records;
    struct err err;

    assert_non_null(listing);
    listing->items = arena_calloc(listing->arena, n + 1, sizeof(*listing->items));
    assert_non_null(listing->items);
    listing->n_items = n;
    for (size_t i = 0; i < n; i++) {
        struct deployment *d = &listing->items[i];

        *d = (struct deployment){.id = said[i].id, .name = said[i].id};
        d->execution_mode = d->engine_version = d->artifact_kind = d->target = "";
        d->target_mode = d->resource_setting_mode = d->draft_id = "";
        for (int state = 0; state < JOB_STATE_END; state++)
            d->jobs[state] = said[i].untold ? -1 : 0;
        if (said[i].untold)
            continue;
        d->jobs[JOB_RUNNING] = said[i].running;
        d->jobs[JOB_FAILED] = said[i].failed;
        d->jobs[JOB_CANCELLED] = said[i].cancelled;
    }
    assert_int_equal(records_new(listing, NULL, &records, &err), 0);
    return records;
}

/* One namespace, from refresh to refresh. Everybody who is asked is answered. */
struct game {
    struct job_set *set;
    int64_t mono_ms, unix_ms;
    char asked[4096];      /* ids, in order, each with a blank behind */
    unsigned since[MOST];  /* by item number of the id "dNNN": refreshes since it was asked */
    bool refuse;           /* nobody is answered */
    const char *failed_id; /* of all answers; NULL = none */
    int64_t failed_unix_s;
    bool news; /* some answer was */
};

static void refresh(struct game *g, const struct said *said, size_t n, int64_t budget)
{
    CLEANUP(records_unrefp) struct records *records = records_of(said, n);
    CLEANUP(job_plan_release) struct job_plan plan = {0};
    size_t len = 0;
    struct err err;

    g->mono_ms += 60000;
    g->unix_ms += 60000;
    assert_int_equal(job_plan_make(records, g->set, budget, g->unix_ms / 1000, &plan, &err), 0);
    assert_true(plan.n_asks <= (size_t)budget);
    assert_true(plan.n_asks == (size_t)budget || plan.n_asks == plan.set->wanted);
    g->asked[0] = '\0';
    g->news = false;
    for (size_t i = 0; i < plan.set->n_items; i++)
        assert_true(i == 0 || strcmp(plan.items[i - 1].id, plan.items[i].id) < 0);
    for (size_t i = 0; i < plan.n_asks; i++) {
        const struct job_ask *ask = &plan.asks[i];
        struct deployment_jobs answer = deployment_jobs_none("");

        if (len < sizeof(g->asked) - 64)
            len += (size_t)snprintf(g->asked + len, sizeof(g->asked) - len, "%s ",
                                    plan.items[ask->item].id);
        answer.n_active = ask->summary[JOB_RUNNING] > 0 ? (uint32_t)ask->summary[JOB_RUNNING] : 0;
        answer.failed_id = g->failed_id ? g->failed_id : "";
        answer.failed_unix_s = g->failed_unix_s;
        if (g->refuse)
            job_plan_no_answer(&plan, ask);
        else if (job_plan_learn(&plan, ask, &answer, g->mono_ms, g->unix_ms))
            g->news = true;
    }
    job_set_unref(g->set);
    g->set = TAKE(plan.set);
}
#define REFRESH(g, budget, ...)                      \
    refresh((g), (const struct said[]){__VA_ARGS__}, \
            ARRAY_LEN(((const struct said[]){__VA_ARGS__})), (budget))

static struct game begin(void)
{
    return (struct game){.unix_ms = SINCE * 1000, .mono_ms = 1000000};
}

static void end(struct game *g)
{
    job_set_unref(g->set);
}

static void test_who_is_of_interest(void **state)
{
    struct game g = begin();

    (void)state;
    REFRESH(&g, 10, {"a", .running = 1}, {"b", .cancelled = 1}, {"c", .failed = 1},
            {"d", .untold = true}, {"e", .running = 0});
    assert_string_equal(g.asked, "a d c ");
    assert_int_equal(g.set->wanted, 3);
    /* Again: who runs, and who does not tell. */
    REFRESH(&g, 10, {"a", .running = 1}, {"b", .cancelled = 1}, {"c", .failed = 1},
            {"d", .untold = true}, {"e", .running = 0});
    assert_string_equal(g.asked, "a d ");
    /* Changed: c's failures; b, which never failed, is of no interest; e began to run. */
    REFRESH(&g, 10, {"a", .running = 1}, {"b", .cancelled = 2}, {"c", .failed = 2},
            {"d", .untold = true}, {"e", .running = 1});
    assert_string_equal(g.asked, "e a c d ");
    /* A purge beside a failure leaves the count; that a stopped is enough. */
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .cancelled = 2}, {"c", .failed = 1, .cancelled = 1});
    assert_string_equal(g.asked, "a c ");
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .cancelled = 2}, {"c", .failed = 1, .cancelled = 1});
    assert_string_equal(g.asked, "");
    /* Who leaves is forgotten, and is new when it is back. */
    REFRESH(&g, 10, {"b", .cancelled = 2});
    assert_int_equal(g.set->n_items, 0);
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .cancelled = 2});
    assert_string_equal(g.asked, "a ");
    end(&g);
}

static void test_stopped_jobs_are_forgotten(void **state)
{
    struct game g = begin();

    (void)state;
    g.failed_id = "f";
    REFRESH(&g, 10, {"a", .running = 2, .failed = 1});
    assert_int_equal(job_set_find(g.set, "a")->n_active, 2);
    g.refuse = true; /* the listing says it all the same */
    REFRESH(&g, 10, {"a", .failed = 1, .cancelled = 2});
    assert_int_equal(job_set_find(g.set, "a")->n_active, 0);
    assert_string_equal(job_set_find(g.set, "a")->failed_id, "f");
    end(&g);
}

static void test_news(void **state)
{
    struct game g = begin();

    (void)state;
    g.failed_id = "f1";
    g.failed_unix_s = SINCE - 5000;
    REFRESH(&g, 10, {"a", .failed = 1});
    assert_false(g.news); /* the past */
    g.failed_id = "f2";
    g.failed_unix_s = g.unix_ms / 1000 + 30;
    REFRESH(&g, 10, {"a", .failed = 2});
    assert_true(g.news);
    REFRESH(&g, 10, {"a", .failed = 2, .cancelled = 1});
    assert_false(g.news); /* told */
    /* One that came since the watch began. */
    g.failed_id = "f3";
    g.failed_unix_s = g.unix_ms / 1000 + 30;
    REFRESH(&g, 10, {"a", .failed = 2, .cancelled = 1}, {"b", .failed = 1});
    assert_true(g.news);
    assert_string_equal(g.asked, "b ");
    /* An old one comes to light where newer ones were purged. */
    g.failed_id = "f0";
    g.failed_unix_s = SINCE - 9000;
    REFRESH(&g, 10, {"a", .failed = 1, .cancelled = 1}, {"b", .failed = 1});
    assert_false(g.news);
    assert_string_equal(job_set_find(g.set, "a")->failed_id, "f2");
    assert_false(job_set_find(g.set, "a")->failure_outdated);
    /* A count rose, and the failure cannot be seen: the last one known is not the last. */
    REFRESH(&g, 10, {"a", .failed = 4, .cancelled = 1}, {"b", .failed = 1});
    assert_false(g.news);
    assert_true(job_set_find(g.set, "a")->failure_outdated);
    g.failed_id = "f5";
    g.failed_unix_s = g.unix_ms / 1000 + 30;
    REFRESH(&g, 10, {"a", .failed = 5, .cancelled = 1}, {"b", .failed = 1});
    assert_true(g.news);
    assert_false(job_set_find(g.set, "a")->failure_outdated);
    /* Without a time: it is the count that says whether it is later. */
    g.failed_id = "f6";
    g.failed_unix_s = 0;
    REFRESH(&g, 10, {"a", .failed = 5, .cancelled = 2}, {"b", .failed = 1});
    assert_false(g.news);
    assert_string_equal(job_set_find(g.set, "a")->failed_id, "f5");
    REFRESH(&g, 10, {"a", .failed = 6, .cancelled = 2}, {"b", .failed = 1});
    assert_true(g.news);
    assert_string_equal(job_set_find(g.set, "a")->failed_id, "f6");
    REFRESH(&g, 10, {"c", .failed = 1});
    assert_false(g.news);
    /* Our clock is ten minutes ahead. */
    g.failed_id = "f7";
    g.failed_unix_s = g.unix_ms / 1000 - 570;
    REFRESH(&g, 10, {"c", .failed = 2});
    assert_true(g.news);
    end(&g);
}

/* The failed job is purged, and one fails anew: the counts are those of the last answer. */
static void test_news_after_a_purge(void **state)
{
    struct game g = begin();

    (void)state;
    g.failed_id = "f1";
    g.failed_unix_s = SINCE - 5000;
    REFRESH(&g, 10, {"a", .failed = 1});
    REFRESH(&g, 10, {"a", .failed = 0});
    assert_string_equal(g.asked, "");
    assert_string_equal(job_set_find(g.set, "a")->failed_id, "f1");
    g.failed_id = "f2";
    g.failed_unix_s = g.unix_ms / 1000 + 30;
    REFRESH(&g, 10, {"a", .failed = 1});
    assert_string_equal(g.asked, "a ");
    assert_true(g.news);
    end(&g);
}

/* ListJobs tells of a failure before the next listing counts it: then that is the one counted. */
static void test_seen_before_it_is_counted(void **state)
{
    struct game g = begin();

    (void)state;
    REFRESH(&g, 10, {"a", .running = 1, .failed = 1});
    g.failed_id = "f1";
    g.failed_unix_s = g.unix_ms / 1000 + 30;
    REFRESH(&g, 10, {"a", .running = 1, .failed = 1});
    assert_true(g.news);
    REFRESH(&g, 10, {"a", .failed = 2});
    assert_false(g.news);
    assert_false(job_set_find(g.set, "a")->failure_outdated);
    /* And at the first answer. */
    REFRESH(&g, 10, {"a", .failed = 2}, {"b", .running = 1});
    REFRESH(&g, 10, {"a", .failed = 2}, {"b", .failed = 1});
    assert_false(job_set_find(g.set, "b")->failure_outdated);
    /* The next one is another. */
    REFRESH(&g, 10, {"a", .failed = 3}, {"b", .failed = 1});
    assert_true(job_set_find(g.set, "a")->failure_outdated);
    end(&g);
}

/* Whoever is refused is still wanted, and the others come first. */
static void test_refused(void **state)
{
    struct game g = begin();

    (void)state;
    g.refuse = true;
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .failed = 1});
    assert_string_equal(g.asked, "a b ");
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .failed = 1}, {"c", .failed = 1});
    assert_string_equal(g.asked, "c a b ");
    g.refuse = false;
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .failed = 1}, {"c", .failed = 1});
    assert_string_equal(g.asked, "c a b ");
    REFRESH(&g, 10, {"a", .failed = 1}, {"b", .failed = 1}, {"c", .failed = 1});
    assert_string_equal(g.asked, "");
    end(&g);
}

static void test_page_sizes(void **state)
{
    static const struct said said[] = {
        {"a", .running = 1},      {"b", .running = 50},  {"c", .running = 90},
        {"d", .running = 100000}, {"e", .untold = true}, {"f", .failed = 1000},
    };
    static const int sizes[] = {11, 60, 100, 100, 20, 10};
    CLEANUP(records_unrefp) struct records *records = records_of(said, ARRAY_LEN(said));
    CLEANUP(job_plan_release) struct job_plan plan = {0};
    struct err err;

    (void)state;
    assert_int_equal(job_plan_make(records, NULL, 100, SINCE, &plan, &err), 0);
    for (size_t i = 0; i < plan.n_asks; i++)
        assert_int_equal(plan.asks[i].page_size, sizes[plan.asks[i].item]);
    assert_int_equal(plan.n_asks, ARRAY_LEN(said));
}

/* --- fairness --- */

static uint32_t seed = 1;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/*
 * Some run, some change in every refresh, some failed long ago; the budget is too small. No running
 * one waits for longer than its class's share says, nor does the past.
 */
static void play(size_t n_running, size_t n_changing, size_t n_past, int64_t budget)
{
    static char ids[MOST][24];
    struct said said[MOST];
    struct game g = begin();
    size_t n = n_running + n_changing + n_past;
    size_t tens = (size_t)budget / 10;
    unsigned longest = (unsigned)(n_running / (4 * tens)) + 2;
    unsigned past = (unsigned)(n_past / tens) + 2;

    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof(ids[i]), "d%03zu", i);
        said[i] = (struct said){.id = ids[i], .running = i < n_running, .failed = 1};
    }
    for (unsigned turn = 0; turn < 3 * (longest + past); turn++) {
        for (size_t i = n_running; i < n_running + n_changing; i++)
            said[i].failed += chance(4) != 0;
        refresh(&g, said, n, budget);
        for (size_t i = 0; i < n; i++) {
            char needle[32];

            snprintf(needle, sizeof(needle), "%s ", ids[i]);
            g.since[i] = strstr(g.asked, needle) ? 0 : g.since[i] + 1;
            if (i < n_running && g.since[i] > longest)
                fail_msg("%s waits for %u refreshes, of %zu running, %zu changing, %zu past, "
                         "budget %lld",
                         ids[i], g.since[i], n_running, n_changing, n_past, (long long)budget);
        }
        for (size_t i = n_running + n_changing; turn > past && i < n; i++)
            if (job_set_find(g.set, ids[i])->answered_unix_ms == 0)
                fail_msg("%s was never asked for", ids[i]);
    }
    end(&g);
}

static void test_nobody_starves(void **state)
{
    (void)state;
    play(25, 0, 0, 10);
    play(100, 200, 50, 10);
    play(3, 500, 0, 10);
    play(50, 50, 50, 100);
    for (int i = 0; i < 30; i++)
        play(chance(150), chance(150), chance(150), 10 + chance(60));
}

static void test_no_memory(void **state)
{
    static char ids[200][24];
    struct said said[200];
    CLEANUP(records_unrefp) struct records *records = NULL;
    size_t n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        snprintf(ids[i], sizeof(ids[i]), "d%03zu", i);
        said[i] = (struct said){.id = ids[i], .running = 1};
    }
    records = records_of(said, ARRAY_LEN(said));
    for (n = 1;; n++) {
        CLEANUP(job_plan_release) struct job_plan plan = {0};
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = job_plan_make(records, NULL, 100, SINCE, &plan, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(plan.set);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_of_interest),
        cmocka_unit_test(test_stopped_jobs_are_forgotten),
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_news_after_a_purge),
        cmocka_unit_test(test_seen_before_it_is_counted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_page_sizes),
        cmocka_unit_test(test_nobody_starves),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
