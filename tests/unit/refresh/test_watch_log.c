/* What the log says about a watch, and what it does not say again. Also: missing names. */
#include "watch_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "names.h"

/* --- what was logged --- */

static char captured[8192];

static int begin_capture(FILE **ret_file)
{
    int saved = dup(STDERR_FILENO);

    *ret_file = tmpfile();
    assert_true(saved >= 0 && *ret_file);
    assert_true(dup2(fileno(*ret_file), STDERR_FILENO) >= 0);
    return saved;
}

static const char *end_capture(int saved, FILE *file)
{
    size_t n;

    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    n = fread(captured, 1, sizeof(captured) - 1, file);
    captured[n] = '\0';
    fclose(file);
    return captured;
}

/* What a result makes the log say. */
static const char *log_of(struct watch *w, const struct job_result *r, struct ticket_set *before,
                          bool success)
{
    struct watch_news news = watch_news_of(r, before);
    FILE *file;
    int saved = begin_capture(&file);
    const char *text;

    if (success)
        watch_log_success(w, r, &news);
    watch_log_news(w, r, &news, success);
    text = end_capture(saved, file);
    watch_news_release(&news);
    w->tried = true;
    return text;
}

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in '%s'", part, text);
}

static struct target target = {.name = "prod", .max_tickets = 3, .max_deployments = 5};

static struct watch watch_of(enum collector collector)
{
    return (struct watch){.target = &target, .namespace_name = "n", .collector = collector};
}

/* --- tickets --- */

static struct ticket_set *set_of(const struct ticket_refusal *refusals, size_t n, uint64_t refused)
{
    struct arena *arena = arena_new();
    struct ticket_set *set = arena_calloc(arena, 1, sizeof(*set));

    assert_non_null(set);
    atomic_init(&set->refs, 1);
    set->arena = arena;
    set->refusals = refusals;
    set->n_refusals = n;
    set->refused = refused;
    return set;
}

static void test_refusals_are_said_once(void **state)
{
    static const struct ticket_refusal first[] = {{"a b", "is empty"}, {"c\n", "is not UTF-8"}};
    static const struct ticket_refusal second[] = {{"a b", "is not UTF-8"},
                                                   {"c\n", "is not UTF-8"}};
    struct watch w = watch_of(COLLECTOR_TICKETS);
    struct ticket_set *one = set_of(first, 2, 2), *two = set_of(second, 2, 2);
    struct ticket_set *three = set_of(second, 2, 200), *none = set_of(NULL, 0, 0);
    const char *text;

    (void)state;
    text = log_of(&w, &(struct job_result){.tickets = one}, NULL, true);
    expect(text, "first refresh done: 0 of 0 tickets asked for");
    expect(text, "collector=tickets");
    expect(text, "file=\"a b\"");
    expect(text, "a file of ticket_dir is no ticket and not followed: it is empty");
    expect(text, "file=\"c\\n\"");
    assert_string_equal(log_of(&w, &(struct job_result){.tickets = one}, one, true), "");
    text = log_of(&w, &(struct job_result){.tickets = two}, one, true); /* for another reason */
    expect(text, "file=\"a b\"");
    assert_null(strstr(text, "file=\"c"));
    expect(log_of(&w, &(struct job_result){.tickets = three}, two, true),
           "200 files of ticket_dir are no tickets, more than are told here");
    assert_string_equal(log_of(&w, &(struct job_result){.tickets = three}, three, true), "");
    assert_string_equal(log_of(&w, &(struct job_result){.tickets = none}, three, true), "");
    expect(log_of(&w, &(struct job_result){.tickets = two}, none, true), "file=\"c\\n\"");
    ticket_set_unref(one);
    ticket_set_unref(two);
    ticket_set_unref(three);
    ticket_set_unref(none);
}

static void test_trouble(void **state)
{
    struct watch w = watch_of(COLLECTOR_TICKETS);
    struct ticket_set *set = set_of(NULL, 0, 0);
    struct job_result bad = {.tickets = set, .stuck = {.n = 2}, .unread = {.n = 1}};
    struct job_result good = {.tickets = set};

    (void)state;
    w.tried = true;
    err_set(&bad.stuck.err, ERR_IO, "cannot remove \"x\"");
    err_set(&bad.unread.err, ERR_PARSE, "ticket \"y\": nonsense");
    expect(log_of(&w, &bad, NULL, true), "2 tickets ended long ago, and their files are still in "
                                         "ticket_dir: cannot remove \\\"x\\\"");
    assert_string_equal(log_of(&w, &bad, NULL, true), "");
    /* A refresh that failed did not ask for all. */
    assert_null(strstr(log_of(&w, &good, NULL, false), "asked for again"));
    expect(log_of(&w, &good, NULL, true), "all tickets can be asked for again");
    expect(log_of(&w, &bad, NULL, true),
           "1 tickets could not be asked for: ticket \\\"y\\\": nonsense");
    set->over_limit = 4;
    expect(log_of(&w, &bad, NULL, true), "4 tickets are not watched and not followed: the "
                                         "namespace has more than max_tickets (3)");
    assert_string_equal(log_of(&w, &bad, NULL, true), "");
    set->over_limit = 0; /* which is no news where the directory was not read */
    assert_string_equal(log_of(&w, &bad, NULL, false), "");
    expect(log_of(&w, &bad, NULL, true), "all tickets are watched again");
    ticket_set_unref(set);
}

/* --- names --- */

static void test_missing_names(void **state)
{
    static const char *const names[] = {"z", "b", "gone\"", "c", "d", "e"};
    struct listing *listing = listing_new();
    struct watch w = watch_of(COLLECTOR_DEPLOYMENTS);
    struct job_result r = {0};
    struct err err;

    (void)state;
    assert_non_null(listing);
    listing->items = arena_calloc(listing->arena, 3, sizeof(*listing->items));
    assert_non_null(listing->items);
    listing->items[0].name = "z";
    listing->items[1].name = "b";
    listing->items[2].name = "b";
    listing->n_items = 3;
    target.deployment_names = names;
    target.n_deployment_names = 2;
    w.tried = true;
    assert_int_equal(find_missing_names(&target, listing, &r.missing, &err), 0);
    assert_int_equal(r.missing.n, 0);
    assert_true(r.missing.hash == 0);
    assert_string_equal(log_of(&w, &r, NULL, true), "");
    target.n_deployment_names = 3;
    assert_int_equal(find_missing_names(&target, listing, &r.missing, &err), 0);
    expect(log_of(&w, &r, NULL, true), "no deployment is called \\\"gone\\\"\\\"");
    assert_string_equal(log_of(&w, &r, NULL, true), "");
    target.n_deployment_names = 6;
    assert_int_equal(find_missing_names(&target, listing, &r.missing, &err), 0);
    assert_int_equal(r.missing.n, 4);
    expect(log_of(&w, &r, NULL, true), "nor has one of 1 more names of deployment_names");
    target.n_deployment_names = 2;
    assert_int_equal(find_missing_names(&target, listing, &r.missing, &err), 0);
    expect(log_of(&w, &r, NULL, true), "all deployment_names are found again");
    target.n_deployment_names = 0;
    listing_free(listing);
}

/* The longest names, cut between characters. */
static void test_long_names(void **state)
{
    char longest[3][257];
    const char *const names[] = {longest[0], longest[1], longest[2]};
    struct listing *listing = listing_new();
    struct missing_names missing;
    struct err err;

    (void)state;
    assert_non_null(listing);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 255; k += 3)
            memcpy(longest[i] + k, "\xe8\xae\xa2", 3);
        longest[i][255] = (char)('a' + (char)i);
        longest[i][256] = '\0';
    }
    target.deployment_names = names;
    target.n_deployment_names = 3;
    assert_int_equal(find_missing_names(&target, listing, &missing, &err), 0);
    assert_int_equal(strlen(missing.names), 3 * (63 + 3 + 2) + 2 * 2);
    assert_string_equal(missing.names + strlen(missing.names) - 4, "...\"");
    target.n_deployment_names = 0;
    listing_free(listing);
}

static void test_failure_names_the_collector(void **state)
{
    struct watch w = watch_of(COLLECTOR_DRAFTS), usual = watch_of(COLLECTOR_DEPLOYMENTS);
    struct err err;
    FILE *file;
    int saved;

    (void)state;
    err_set(&err, ERR_PERMISSION, "no right");
    saved = begin_capture(&file);
    watch_log_failure(&w, &err, false);
    expect(end_capture(saved, file), "collector=drafts reason=permission");
    saved = begin_capture(&file);
    watch_log_failure(&usual, &err, false);
    assert_null(strstr(end_capture(saved, file), "collector"));
}

/* --- jobs --- */

static const char *log_of_jobs(struct watch *w, uint64_t wanted, uint64_t unread, bool success)
{
    struct job_set *set = job_set_new();
    struct job_result r = {.jobs = set, .unread = {.n = unread}};
    const char *text;

    assert_non_null(set);
    set->wanted = wanted;
    set->answered = wanted < 10 ? wanted : 10;
    err_set(&r.unread.err, ERR_PARSE, "jobs of the deployment 'd': odd");
    text = log_of(w, &r, NULL, success);
    job_set_unref(set);
    return text;
}

static void test_jobs(void **state)
{
    struct watch w = {.target = &target, .namespace_name = "n", .collector = COLLECTOR_JOBS};

    (void)state;
    target.max_job_requests = 10;
    expect(log_of_jobs(&w, 3, 0, true),
           "first refresh done: 3 of 3 deployments asked for their jobs");
    expect(log_of_jobs(&w, 11, 0, true),
           "11 deployments are to be asked for their jobs, and a refresh asks for no more than "
           "max_job_requests (10)");
    assert_string_equal(log_of_jobs(&w, 12, 0, true), "");
    assert_string_equal(log_of_jobs(&w, 10, 0, true), ""); /* not over yet */
    expect(log_of_jobs(&w, 9, 0, true), "in one refresh again");
    assert_string_equal(log_of_jobs(&w, 9, 0, true), "");
    expect(log_of_jobs(&w, 9, 2, true),
           "2 deployments could not be asked for their jobs: jobs of the deployment 'd': odd");
    assert_string_equal(log_of_jobs(&w, 9, 1, true), "");
    assert_string_equal(log_of_jobs(&w, 9, 0, false), ""); /* not all were asked */
    expect(log_of_jobs(&w, 9, 0, true), "all deployments can be asked for their jobs again");
    /* There was no listing. */
    assert_string_equal(log_of(&w, &(struct job_result){0}, NULL, true), "");
}

static void test_lists_of_a_status(void **state)
{
    struct watch w = watch_of(COLLECTOR_DEPLOYMENTS);
    struct listing *listing = listing_new();
    struct job_result fails = {
        .listing = listing, .lists = {true, {ERR_THROTTLED, "deployments of status FAILED: no"}}};
    struct job_result works = {.listing = listing, .lists = {.asked = true}};
    struct job_result needless = {.listing = listing};
    const char *text;

    (void)state;
    assert_non_null(listing);
    w.tried = true;
    assert_string_equal(log_of(&w, &works, NULL, true), "");
    text = log_of(&w, &fails, NULL, true);
    expect(text, "level=warn");
    expect(text, "the status of some deployments may be unknown");
    expect(text, "deployments of status FAILED: no");
    assert_string_equal(log_of(&w, &fails, NULL, true), "");
    assert_string_equal(log_of(&w, &needless, NULL, true), ""); /* that says nothing about them */
    assert_string_equal(log_of(&w, &fails, NULL, true), "");
    expect(log_of(&w, &works, NULL, true), "deployments can be listed by status again");
    assert_string_equal(log_of(&w, &works, NULL, true), "");
    listing_free(listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_are_said_once),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_missing_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_lists_of_a_status),
        cmocka_unit_test(test_failure_names_the_collector),
        cmocka_unit_test(test_jobs),
    };

    log_setup(LOG_INFO, LOG_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
