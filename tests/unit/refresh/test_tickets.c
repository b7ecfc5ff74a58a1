/* A refresh of tickets as a worker runs it: a real directory, a made-up control plane. */
#include "tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/clock.h"
#include "fake_api.h"
#include "spool_dir.h"

static const char *const namespaces[] = {"n"};

/* A namespace whose tickets are refreshed again and again. */
struct follower {
    struct api_client *client;
    struct target target;
    struct ticket_set *set; /* of the last refresh */
    struct job_result result;
};

static void start(struct follower *f, const char *dir, const struct target_ticket *tickets,
                  size_t n)
{
    struct err err;

    fake_reset();
    *f = (struct follower){
        .target = {.namespaces = namespaces,
                   .n_namespaces = 1,
                   .endpoint = "https://one",
                   .tickets = tickets,
                   .n_tickets = n,
                   .ticket_dir = dir,
                   .ticket_ttl_ms = 3600000,
                   .max_tickets = 100,
                   .interval_ms = 60000},
    };
    assert_int_equal(api_client_new(NULL, &f->client, &err), 0);
}

static void stop(struct follower *f)
{
    ticket_set_unref(TAKE(f->set));
    api_client_free(f->client);
}

static int refresh(struct follower *f)
{
    const struct api_request request = {
        .target = &f->target,
        .namespace_name = "n",
        .deadline_mono_ms = clock_mono_ms() + 60000,
    };
    int rc;

    f->result = (struct job_result){0};
    rc = tickets_refresh(f->client, &request, f->set, &f->result);
    if (f->result.tickets) {
        ticket_set_unref(f->set);
        f->set = TAKE(f->result.tickets);
    }
    return rc;
}

static const struct ticket *get(const struct follower *f, const char *id)
{
    const struct ticket *t = ticket_set_find(f->set, id);

    if (!t)
        fail_msg("no ticket %s", id);
    return t;
}

static void test_from_the_file_to_the_end(void **state)
{
    const char *dir = *state;
    struct follower f;

    start(&f, dir, NULL, 0);
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(f.set->n_items, 0);
    spool_dir_write(dir, "a", "n\ndraft\n");
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(get(&f, "a")->status, TICKET_EXECUTING);
    assert_string_equal(get(&f, "a")->deployment_id, "id-000000");
    assert_string_equal(get(&f, "a")->draft_id, "draft");
    assert_int_equal(f.set->asked, 1);
    fake_set_ticket("a", ERR_NONE, TICKET_FINISHED, 1);
    assert_int_equal(refresh(&f), 0);
    assert_true(get(&f, "a")->ended);
    assert_int_equal(get(&f, "a")->failure, TICKET_FAILURE_END);
    assert_int_equal(fake_ticket_asked("a"), 2);
    assert_int_equal(refresh(&f), 0); /* it is not asked for again, and stays */
    assert_int_equal(fake_ticket_asked("a"), 2);
    assert_int_equal(f.set->asked, 0);
    assert_true(spool_dir_has(dir, "a"));
    /* Past its time the file goes, and the ticket with it. */
    f.target.ticket_ttl_ms = -1;
    assert_int_equal(refresh(&f), 0);
    assert_false(spool_dir_has(dir, "a"));
    assert_int_equal(f.set->n_items, 0);
    assert_int_equal(
        f.result.stats.operations[OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT].n_codes, 0);
    stop(&f);
}

/* Nothing is lost that was written: whoever starts anew finds the files and asks again. */
static void test_starting_anew(void **state)
{
    const char *dir = *state;
    struct follower f;

    start(&f, dir, NULL, 0);
    spool_dir_write(dir, "a", "n\n");
    fake_set_ticket("a", ERR_NONE, TICKET_FAILED, -1);
    assert_int_equal(refresh(&f), 0);
    assert_true(get(&f, "a")->ended);
    ticket_set_unref(TAKE(f.set));
    assert_int_equal(refresh(&f), 0);
    assert_true(get(&f, "a")->ended);
    assert_int_equal(fake_ticket_asked("a"), 2);
    stop(&f);
}

/* A configured ticket stays in mind when its time is over, so that nobody asks for it again. */
static void test_configured(void **state)
{
    static const struct target_ticket tickets[] = {{"n", "a"}, {"other", "b"}};
    struct follower f;

    (void)state;
    start(&f, "", tickets, 2);
    fake_set_ticket("a", ERR_NONE, TICKET_FINISHED, 0);
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(f.set->n_items, 1);
    assert_int_equal(get(&f, "a")->failure, TICKET_FAILURE_VALIDATION);
    f.target.ticket_ttl_ms = -1;
    for (int i = 0; i < 3; i++)
        assert_int_equal(refresh(&f), 0);
    assert_true(get(&f, "a")->retired);
    assert_int_equal(fake_ticket_asked("a"), 1);
    stop(&f);
}

static void test_not_found(void **state)
{
    const char *dir = *state;
    struct follower f;

    start(&f, dir, NULL, 0);
    spool_dir_write(dir, "a", "n\n");
    fake_set_ticket("a", ERR_NOT_FOUND, TICKET_UNKNOWN, -1);
    assert_int_equal(refresh(&f), 0); /* it may appear yet */
    assert_int_equal(get(&f, "a")->status, TICKET_UNKNOWN);
    assert_false(get(&f, "a")->ended);
    assert_int_equal(f.set->asked, 1);
    fake_set_ticket("a", ERR_NONE, TICKET_EXECUTING, -1);
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(get(&f, "a")->status, TICKET_EXECUTING);
    f.target.interval_ms = -1000000;
    fake_set_ticket("a", ERR_NOT_FOUND, TICKET_UNKNOWN, -1);
    assert_int_equal(refresh(&f), 0);
    assert_false(get(&f, "a")->ended); /* two minutes in any case */
    stop(&f);
}

/* What concerns one ticket alone leaves the others. */
static void test_one_cannot_be_read(void **state)
{
    static const enum err_kind kinds[] = {ERR_API, ERR_PARSE, ERR_LIMIT};
    const char *dir = *state;
    struct follower f;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        start(&f, dir, NULL, 0);
        spool_dir_write(dir, "a", "n\n");
        spool_dir_write(dir, "b", "n\n");
        fake_set_ticket("a", kinds[i], TICKET_UNKNOWN, -1);
        assert_int_equal(refresh(&f), 0);
        assert_int_equal(f.result.unread.n, 1);
        assert_string_equal(f.result.unread.err.msg, "ticket \"a\": as the test says");
        assert_int_equal(get(&f, "a")->status, TICKET_UNKNOWN);
        assert_int_equal(get(&f, "b")->status, TICKET_EXECUTING);
        assert_int_equal(f.set->asked, 1);
        /* Where nothing at all can be read, that is no success. */
        fake_set_ticket("b", kinds[i], TICKET_UNKNOWN, -1);
        assert_int_equal(refresh(&f), -1);
        assert_int_equal(f.result.err.kind, kinds[i]);
        assert_int_equal(fake_ticket_asked("b"), 2);
        stop(&f);
    }
}

/* What concerns all ends the asking; what was learned until then is kept. */
static void test_all_fail(void **state)
{
    static const enum err_kind kinds[] = {ERR_CONNECT,    ERR_TIMEOUT, ERR_THROTTLED,
                                          ERR_PERMISSION, ERR_HTTP,    ERR_STOPPED};
    const char *dir = *state;
    struct follower f;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        start(&f, dir, NULL, 0);
        spool_dir_write(dir, "a", "n\n");
        spool_dir_write(dir, "b", "n\n");
        spool_dir_write(dir, "c", "n\n");
        fake_set_ticket("a", ERR_NONE, TICKET_FINISHED, 1);
        fake_set_ticket("b", kinds[i], TICKET_UNKNOWN, -1);
        assert_int_equal(refresh(&f), -1);
        assert_int_equal(f.result.err.kind, kinds[i]);
        assert_true(get(&f, "a")->ended);
        assert_int_equal(f.set->n_items, 3);
        assert_int_equal(fake_ticket_asked("c"), 0);
        assert_int_equal(get(&f, "b")->asked_mono_ms == 0, kinds[i] == ERR_STOPPED);
        stop(&f);
    }
}

/* One that the control plane chokes on ends every refresh; the others are asked for all the same.
 */
static void test_one_fails_all(void **state)
{
    const char *dir = *state;
    struct follower f;

    start(&f, dir, NULL, 0);
    spool_dir_write(dir, "a", "n\n");
    spool_dir_write(dir, "b", "n\n");
    spool_dir_write(dir, "c", "n\n");
    fake_set_ticket("a", ERR_HTTP, TICKET_UNKNOWN, -1);
    fake_set_ticket("b", ERR_NONE, TICKET_FINISHED, 1);
    fake_set_ticket("c", ERR_NONE, TICKET_FINISHED, 1);
    assert_int_equal(refresh(&f), -1);
    assert_int_equal(fake_ticket_asked("b"), 0);
    assert_int_equal(refresh(&f), -1);
    assert_true(get(&f, "b")->ended && get(&f, "c")->ended);
    assert_int_equal(fake_ticket_asked("a"), 2);
    assert_false(get(&f, "a")->ended);
    stop(&f);
}

/* The directory is away: that is a failure, and nobody is forgotten for it. */
static void test_directory_away(void **state)
{
    static const struct target_ticket tickets[] = {{"n", "c"}};
    const char *dir = *state;
    CLEANUP(freep) char *sub = strdup(spool_dir_path(dir, "sub"));
    CLEANUP(freep) char *away = strdup(spool_dir_path(dir, "away"));
    struct follower f;

    assert_true(sub && away);
    start(&f, sub, tickets, 1);
    assert_int_equal(refresh(&f), -1);
    assert_int_equal(f.result.err.kind, ERR_IO);
    assert_int_equal(get(&f, "c")->status, TICKET_EXECUTING); /* configured ones are followed */
    assert_int_equal(mkdir(sub, 0700), 0);
    spool_dir_write(sub, "a", "n\n");
    spool_dir_write(sub, "no ticket", "n\n");
    fake_set_ticket("a", ERR_NONE, TICKET_FINISHED, 1);
    assert_int_equal(refresh(&f), 0);
    assert_true(get(&f, "a")->ended);
    assert_int_equal(rename(sub, away), 0);
    assert_int_equal(refresh(&f), -1);
    assert_true(get(&f, "a")->ended);
    assert_int_equal(f.set->refused, 0);
    assert_int_equal(f.set->n_refusals, 1); /* it was said already */
    assert_string_equal(f.set->refusals[0].name, "no ticket");
    assert_int_equal(rename(away, sub), 0);
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(fake_ticket_asked("a"), 1);
    stop(&f);
}

/* A file that cannot be removed: its ticket is not shown, and not followed all over again. */
static void test_file_stays(void **state)
{
    const char *dir = *state;
    struct follower f;

    start(&f, dir, NULL, 0);
    spool_dir_drop_root(dir);
    spool_dir_write(dir, "a", "n\n");
    fake_set_ticket("a", ERR_NONE, TICKET_FINISHED, 1);
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(chmod(dir, 0500), 0);
    f.target.ticket_ttl_ms = -1;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(refresh(&f), 0);
        assert_int_equal(f.result.stuck.n, 1);
        assert_non_null(strstr(f.result.stuck.err.msg, "Permission denied"));
        assert_true(get(&f, "a")->retired);
    }
    assert_int_equal(fake_ticket_asked("a"), 1);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(refresh(&f), 0);
    assert_int_equal(f.result.stuck.n, 0);
    assert_int_equal(f.set->n_items, 0);
    stop(&f);
}

static void test_refusals(void **state)
{
    const char *dir = *state;
    struct follower f;

    start(&f, dir, NULL, 0);
    spool_dir_write(dir, "a", "other\n");
    spool_dir_write(dir, "b", "n\n");
    assert_int_equal(refresh(&f), 0); /* no failure: the others go on */
    assert_int_equal(f.set->refused, 1);
    assert_string_equal(f.set->refusals[0].name, "a");
    assert_string_equal(f.set->refusals[0].reason,
                        "names a namespace that the target does not watch");
    assert_int_equal(f.set->n_items, 1);
    stop(&f);
}

static void test_no_memory(void **state)
{
    const char *dir = *state;
    struct follower f;
    size_t n = 1;

    spool_dir_write(dir, "a", "n\n");
    spool_dir_write(dir, "b", "n\n");
    for (;; n++) {
        int rc;

        start(&f, dir, NULL, 0);
        assert_int_equal(refresh(&f), 0); /* a set before */
        alloc_fail_at(n);
        rc = refresh(&f);
        alloc_fail_off();
        assert_int_equal(f.set->n_items, 2);
        stop(&f);
        if (rc == 0)
            break;
        assert_true(err_reason(f.result.err.kind) == ERR_INTERNAL);
    }
    assert_true(n > 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, spool_dir_enter, spool_dir_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_from_the_file_to_the_end),
        TEST(test_starting_anew),
        TEST(test_configured),
        TEST(test_not_found),
        TEST(test_one_cannot_be_read),
        TEST(test_all_fail),
        TEST(test_one_fails_all),
        TEST(test_directory_away),
        TEST(test_file_stays),
        TEST(test_refusals),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
