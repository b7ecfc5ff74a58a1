/* Which tickets are followed and what becomes of them, at made-up times. */
#include "following.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

#define T0     INT64_C(7000000)
#define U0     INT64_C(1790000000000)
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static struct moment at(int64_t after_ms)
{
    return (struct moment){.unix_ms = U0 + after_ms, .mono_ms = T0 + after_ms};
}

static struct target target_of(const struct target_ticket *tickets, size_t n)
{
    return (struct target){
        .tickets = tickets,
        .n_tickets = n,
        .ticket_dir = "spool",
        .ticket_ttl_ms = HOUR,
        .max_tickets = 100,
        .interval_ms = MINUTE,
    };
}

static struct following begin(const struct target *t, const struct ticket_set *before,
                              const struct spool_file *files, size_t n, int64_t after_ms)
{
    const struct spool spool = {.files = files, .n_files = n};
    struct following f;
    struct err err;

    assert_int_equal(following_begin(t, "n", before, &spool, at(after_ms), &f, &err), 0);
    return f;
}

/* As a worker does it: the next set beside the one before, which then goes. */
static void go_on(struct following *f, const struct target *t, const struct spool_file *files,
                  size_t n, int64_t after_ms)
{
    struct following next = begin(t, f->set, files, n, after_ms);

    following_release(f);
    *f = next;
}

static struct ticket *find(const struct following *f, const char *id)
{
    for (size_t i = 0; i < f->set->n_items; i++)
        if (strcmp(f->items[i].id, id) == 0)
            return &f->items[i];
    return NULL;
}

static struct ticket *get(const struct following *f, const char *id)
{
    struct ticket *t = find(f, id);

    if (!t)
        fail_msg("no ticket %s", id);
    return t;
}

static void learn(struct following *f, const char *id, const struct ticket_answer *answer,
                  int64_t after_ms)
{
    struct err err;

    assert_int_equal(
        following_learn(f, (size_t)(get(f, id) - f->items), answer, MINUTE, at(after_ms), &err), 0);
}

static struct ticket_answer answer_of(enum ticket_status status, int8_t success, int8_t validated)
{
    return (struct ticket_answer){
        .status = status,
        .status_text = "",
        .success = success,
        .validated = validated,
        .deployment_id = "",
        .message = "",
        .validation_result = "",
    };
}

/* --- who --- */

static void test_from_both(void **state)
{
    static const struct target_ticket tickets[] = {{"n", "m"}, {"other", "x"}, {"n", "b"}};
    static const struct spool_file files[] = {{"a", "draft-a"}, {"b", "draft-b"}, {"z", ""}};
    struct target t = target_of(tickets, 3);
    struct following f = begin(&t, NULL, files, 3, 0);
    static const char *const ids[] = {"a", "b", "m", "z"};

    (void)state;
    assert_int_equal(f.set->n_items, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct ticket *ticket = &f.set->items[i];

        assert_string_equal(ticket->id, ids[i]);
        assert_string_equal(ticket->deployment_id, "");
        assert_int_equal(ticket->status, TICKET_UNKNOWN);
        assert_int_equal(ticket->validated, -1);
        assert_int_equal(ticket->failure, TICKET_FAILURE_END);
        assert_true(ticket->tracked_unix_ms == U0 && ticket->tracked_mono_ms == T0);
        assert_false(ticket->ended || ticket->retired);
    }
    assert_string_equal(get(&f, "a")->draft_id, "draft-a");
    assert_string_equal(get(&f, "b")->draft_id, "draft-b");
    assert_true(get(&f, "a")->spooled && !get(&f, "a")->configured);
    assert_true(get(&f, "b")->spooled && get(&f, "b")->configured);
    assert_true(!get(&f, "m")->spooled && get(&f, "m")->configured);
    following_release(&f);
}

static void test_over_time(void **state)
{
    static const struct spool_file files[] = {{"a", ""}, {"b", "draft"}};
    struct target t = target_of(NULL, 0);
    struct following f = begin(&t, NULL, files, 2, 0);
    struct ticket_answer answer = answer_of(TICKET_EXECUTING, -1, -1);

    (void)state;
    answer.deployment_id = "dep";
    learn(&f, "b", &answer, 500);
    go_on(&f, &t, files, 2, MINUTE);
    assert_true(get(&f, "b")->tracked_mono_ms == T0);
    assert_true(get(&f, "b")->asked_mono_ms == T0 + 500);
    assert_int_equal(get(&f, "b")->status, TICKET_EXECUTING);
    assert_string_equal(get(&f, "b")->deployment_id, "dep");
    assert_string_equal(get(&f, "b")->draft_id, "draft");
    /* Whose file goes is followed no longer. */
    go_on(&f, &t, files, 1, 2 * MINUTE);
    assert_int_equal(f.set->n_items, 1);
    assert_null(find(&f, "b"));
    go_on(&f, &t, files, 2, 3 * MINUTE);
    assert_true(get(&f, "b")->tracked_mono_ms == T0 + 3 * MINUTE);
    following_release(&f);
}

static void test_limit(void **state)
{
    static const struct target_ticket tickets[] = {{"n", "z"}, {"n", "y"}};
    static const struct spool_file files[] = {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}};
    struct target t = target_of(tickets, 2);
    struct following f;
    struct ticket_answer done = answer_of(TICKET_FINISHED, 1, 1);

    (void)state;
    t.max_tickets = 1; /* in the order of the configuration */
    f = begin(&t, NULL, files, 4, 0);
    assert_int_equal(f.set->n_items, 1);
    assert_non_null(find(&f, "z"));
    assert_int_equal(f.set->over_limit, 5);
    following_release(&f);

    t.max_tickets = 4; /* then files by name */
    f = begin(&t, NULL, files + 1, 3, 0);
    assert_int_equal(f.set->n_items, 4);
    assert_true(find(&f, "b") && find(&f, "c") && !find(&f, "d"));
    assert_int_equal(f.set->over_limit, 1);
    /* Who is followed is not pushed out by a file that comes later and stands before it. */
    go_on(&f, &t, files, 4, MINUTE);
    assert_true(find(&f, "b") && find(&f, "c") && !find(&f, "a"));
    assert_int_equal(f.set->over_limit, 2);
    /* One that ended counts as long as it is shown. */
    learn(&f, "b", &done, MINUTE);
    go_on(&f, &t, files, 4, MINUTE + HOUR);
    assert_null(find(&f, "a"));
    go_on(&f, &t, files, 4, MINUTE + HOUR + 1);
    assert_non_null(find(&f, "a"));
    assert_true(get(&f, "b")->retired);
    assert_int_equal(f.set->over_limit, 1);
    /* A smaller limit loses no end. */
    learn(&f, "c", &done, 2 * HOUR);
    t.max_tickets = 1;
    go_on(&f, &t, files, 4, 2 * HOUR);
    assert_true(get(&f, "c")->ended && get(&f, "c")->retired);
    assert_null(find(&f, "a"));
    assert_int_equal(f.set->over_limit, 3);
    following_release(&f);
}

static void test_ttl(void **state)
{
    static const struct target_ticket tickets[] = {{"n", "c"}};
    static const struct spool_file files[] = {{"f", ""}};
    struct target t = target_of(tickets, 1), without = target_of(NULL, 0);
    struct following f = begin(&t, NULL, files, 1, 0);
    struct ticket_answer done = answer_of(TICKET_FINISHED, 1, 1);
    size_t order[4];

    (void)state;
    learn(&f, "c", &done, 0);
    learn(&f, "f", &done, 0);
    go_on(&f, &t, files, 1, HOUR);
    assert_false(get(&f, "c")->retired || get(&f, "f")->retired);
    assert_int_equal(following_order(&f, order), 0);
    go_on(&f, &t, files, 1, HOUR + 1);
    assert_true(get(&f, "c")->retired && get(&f, "f")->retired);
    assert_int_equal(following_order(&f, order), 0);
    /* Held by its file as long as that is there; then it goes. */
    following_forget(&f);
    assert_non_null(find(&f, "f"));
    get(&f, "f")->spooled = false;
    following_forget(&f);
    assert_null(find(&f, "f"));
    assert_int_equal(f.set->n_items, 1);
    /* The configuration's stays in mind until that drops it, and a longer ttl does not wake it. */
    t.ticket_ttl_ms = 10 * HOUR;
    go_on(&f, &t, NULL, 0, 2 * HOUR);
    assert_true(get(&f, "c")->retired);
    go_on(&f, &without, NULL, 0, 3 * HOUR);
    assert_int_equal(f.set->n_items, 0);
    following_release(&f);
}

static void test_order(void **state)
{
    static const struct spool_file files[] = {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}};
    struct target t = target_of(NULL, 0);
    struct following f = begin(&t, NULL, files, 4, 0);
    struct ticket_answer executing = answer_of(TICKET_EXECUTING, -1, -1);
    struct ticket_answer done = answer_of(TICKET_FAILED, -1, -1);
    size_t order[4];

    (void)state;
    assert_int_equal(following_order(&f, order), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(order[i], i);
    learn(&f, "a", &executing, 1);
    learn(&f, "c", &done, 2);
    following_no_answer(&f, 1, at(3)); /* b had its turn, too */
    assert_int_equal(following_order(&f, order), 3);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 1);
    following_release(&f);
}

/* --- what becomes of them --- */

static void test_ends(void **state)
{
    static const struct {
        enum ticket_status status;
        int8_t success, validated;
        bool ended;
        enum ticket_failure failure;
    } cases[] = {
        {TICKET_EXECUTING, 1, -1, false, TICKET_FAILURE_END},
        {TICKET_UNKNOWN, -1, -1, false, TICKET_FAILURE_END},
        {TICKET_FINISHED, 1, 1, true, TICKET_FAILURE_END},
        {TICKET_FINISHED, 0, 1, true, TICKET_FAILURE_UNSUCCESSFUL},
        {TICKET_FINISHED, -1, -1, true, TICKET_FAILURE_UNSUCCESSFUL},
        {TICKET_FINISHED, 0, 0, true, TICKET_FAILURE_VALIDATION},
        {TICKET_FAILED, -1, -1, true, TICKET_FAILURE_FAILED},
        {TICKET_FAILED, -1, 0, true, TICKET_FAILURE_VALIDATION},
    };
    static const struct spool_file files[] = {{"a", ""}};
    struct target t = target_of(NULL, 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct following f = begin(&t, NULL, files, 1, 0);
        struct ticket_answer answer =
            answer_of(cases[i].status, cases[i].success, cases[i].validated);
        const struct ticket *a = get(&f, "a");

        learn(&f, "a", &answer, 90 * MINUTE);
        assert_int_equal(a->status, cases[i].status);
        assert_int_equal(a->validated, cases[i].validated);
        assert_int_equal(a->ended, cases[i].ended);
        assert_int_equal(a->failure, cases[i].failure);
        assert_true(a->ended_unix_ms == (cases[i].ended ? U0 + 90 * MINUTE : 0));
        assert_int_equal(f.set->asked, 1);
        following_release(&f);
    }
}

/* What was told once stays known when a later answer leaves it out. */
static void test_what_is_known_stays(void **state)
{
    static const struct spool_file files[] = {{"a", ""}};
    struct target t = target_of(NULL, 0);
    struct following f = begin(&t, NULL, files, 1, 0);
    struct ticket_answer first = answer_of(TICKET_EXECUTING, -1, 1);
    struct ticket_answer second = answer_of(TICKET_EXECUTING, -1, -1);

    (void)state;
    first.deployment_id = "dep";
    learn(&f, "a", &first, 0);
    learn(&f, "a", &second, 1);
    assert_int_equal(get(&f, "a")->validated, 1);
    assert_string_equal(get(&f, "a")->deployment_id, "dep");
    following_release(&f);
}

static void test_not_found(void **state)
{
    static const struct {
        int64_t interval_ms, patience_ms;
    } cases[] = {{1000, 120000}, {60000, 120000}, {60001, 120002}, {600000, 1200000}};
    static const struct spool_file files[] = {{"a", ""}};
    struct target t = target_of(NULL, 0);
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct following f = begin(&t, NULL, files, 1, 0);
        const struct ticket *a = get(&f, "a");

        /* Time counts from the first such answer, not from when the file was found. */
        int64_t begin_ms = HOUR, end_ms = begin_ms + cases[i].patience_ms;

        for (int64_t ms = begin_ms; ms < end_ms; ms += cases[i].patience_ms - 1) {
            assert_int_equal(following_learn(&f, 0, NULL, cases[i].interval_ms, at(ms), &err), 0);
            assert_false(a->ended);
            assert_int_equal(a->status, TICKET_UNKNOWN);
        }
        assert_int_equal(following_learn(&f, 0, NULL, cases[i].interval_ms, at(end_ms), &err), 0);
        assert_true(a->ended);
        assert_int_equal(a->failure, TICKET_FAILURE_NOT_FOUND);
        assert_int_equal(a->status, TICKET_UNKNOWN);
        assert_int_equal(f.set->asked, 3); /* that there is none is an answer */
        following_release(&f);
    }
}

/* One answer that knows nothing of a ticket that was there a minute ago ends nothing. */
static void test_not_found_for_a_moment(void **state)
{
    static const struct spool_file files[] = {{"a", ""}};
    struct target t = target_of(NULL, 0);
    struct following f = begin(&t, NULL, files, 1, 0);
    struct ticket_answer executing = answer_of(TICKET_EXECUTING, -1, -1);
    struct err err;

    (void)state;
    for (int64_t ms = 10 * MINUTE; ms < 20 * MINUTE; ms += 2 * MINUTE) {
        learn(&f, "a", &executing, ms);
        go_on(&f, &t, files, 1, ms + MINUTE);
        assert_int_equal(following_learn(&f, 0, NULL, MINUTE, at(ms + MINUTE), &err), 0);
        assert_false(get(&f, "a")->ended);
    }
    /* It is remembered from set to set. */
    go_on(&f, &t, files, 1, 21 * MINUTE);
    assert_int_equal(following_learn(&f, 0, NULL, MINUTE, at(21 * MINUTE), &err), 0);
    assert_true(get(&f, "a")->ended);
    following_release(&f);
}

static void test_expires(void **state)
{
    static const struct spool_file files[] = {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}};
    struct target t = target_of(NULL, 0);
    struct following f = begin(&t, NULL, files, 4, 0);
    struct ticket_answer executing = answer_of(TICKET_EXECUTING, -1, -1);
    struct ticket_answer done = answer_of(TICKET_FINISHED, 1, 1);

    (void)state;
    learn(&f, "a", &executing, 24 * HOUR - 1);
    following_no_answer(&f, 1, at(24 * HOUR - 1));
    assert_false(get(&f, "a")->ended || get(&f, "b")->ended);
    learn(&f, "a", &executing, 24 * HOUR);
    following_no_answer(&f, 1, at(24 * HOUR));
    learn(&f, "c", &done, 24 * HOUR); /* at the last moment */
    assert_int_equal(get(&f, "a")->failure, TICKET_FAILURE_EXPIRED);
    assert_true(get(&f, "a")->ended && get(&f, "b")->ended);
    assert_int_equal(get(&f, "a")->status, TICKET_EXECUTING);
    assert_int_equal(get(&f, "c")->failure, TICKET_FAILURE_END);
    /* Who could not be asked for because nobody answers does not end by that. */
    following_put_off(&f, 3, at(24 * HOUR));
    go_on(&f, &t, files, 4, 24 * HOUR);
    assert_false(get(&f, "d")->ended);
    following_release(&f);
}

/* --- no memory --- */

static void test_no_memory(void **state)
{
    static const struct target_ticket tickets[] = {{"n", "m"}};
    static const struct spool_file files[] = {{"a", "draft-a"}, {"b", "draft-b"}};
    static const struct ticket_refusal refusals[] = {{"x y", "is empty"}};
    const struct spool spool = {
        .files = files, .n_files = 2, .refused = 1, .refusals = refusals, .n_refusals = 1};
    struct target t = target_of(tickets, 1);
    struct following f;
    size_t n = 1;

    (void)state;
    for (;; n++) {
        struct err err = {0};
        int rc;

        f = (struct following){0};
        alloc_fail_at(n);
        rc = following_begin(&t, "n", NULL, &spool, at(0), &f, &err);
        alloc_fail_off();
        if (rc == 0)
            break;
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(f.set);
    }
    assert_true(n > 3);
    assert_int_equal(f.set->n_items, 3);
    assert_int_equal(f.set->refused, 1);
    assert_string_equal(f.set->refusals[0].name, "x y");
    following_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_both),
        cmocka_unit_test(test_over_time),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_what_is_known_stays),
        cmocka_unit_test(test_not_found),
        cmocka_unit_test(test_not_found_for_a_moment),
        cmocka_unit_test(test_expires),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
