/* Drafts: what a PATCH changes, who holds the lock, and that a release makes both sides equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "draft.h"
#include "release.h"
#include "ticket.h"

static struct world *w;
static struct world_namespace *ns;

static int set_up(void **state)
{
    (void)state;
    const struct world_conf conf = {
        .workspace = "w", .profile = PROFILE_SMALL, .seed = 5, .drafts = true};
    struct err err = {0};
    if (world_new(&conf, &w, &err) < 0 || world_add_namespace(w, "a", &ns, &err) < 0)
        return -1;
    return world_generate(w, ns, 8, 0, &err);
}

static int tear_down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static struct draft *draft(const char *text)
{
    struct draft *d;
    struct err err = {0};
    if (draft_from_json(text, strlen(text), 1, &d, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return d;
}

static void updates(const char *before, const char *body, bool merge, const char *want)
{
    struct draft *d = draft(before);
    struct object o;
    struct strbuf b = STRBUF_INIT;
    struct err err = {0};
    assert_int_equal(object_read(&o, body, strlen(body), &err), 0);
    assert_int_equal(draft_update(d, &o, merge, 100, &err), 0);
    object_remove(&d->object, "modifier");
    object_remove(&d->object, "modifierName");
    object_render(&d->object, &b);
    assert_string_equal(strbuf_str(&b), want);
    strbuf_release(&b);
    object_release(&o);
    draft_free(d);
}

static void test_update(void **state)
{
    (void)state;
    const char *before = "{\"deploymentDraftId\":\"d\",\"name\":\"n\",\"labels\":{},\"lock\":{},"
                         "\"engineVersion\":\"1\",\"modifiedAt\":50}";
    updates(before, "{\"labels\":{\"a\":1},\"name\":\"x\",\"deploymentDraftId\":\"y\",\"new\":1}",
            false,
            "{\"deploymentDraftId\":\"d\",\"name\":\"n\",\"labels\":{\"a\":1},\"lock\":{},"
            "\"modifiedAt\":100,\"new\":1}");
    updates(before, "{\"labels\":null}", true,
            "{\"deploymentDraftId\":\"d\",\"name\":\"n\",\"labels\":null,\"lock\":{},"
            "\"engineVersion\":\"1\",\"modifiedAt\":100}");
    /* A clock behind the last change still moves on. */
    updates("{\"deploymentDraftId\":\"d\",\"modifiedAt\":100}", "{\"modifiedAt\":7}", false,
            "{\"deploymentDraftId\":\"d\",\"modifiedAt\":101}");
    updates("{\"deploymentDraftId\":\"d\",\"modifiedAt\":500}", "{}", true,
            "{\"deploymentDraftId\":\"d\",\"modifiedAt\":501}");
}

static void holder(const char *lock, const char *want)
{
    struct strbuf text = STRBUF_INIT;
    struct strbuf b = STRBUF_INIT;
    strbuf_addf(&text, "{\"lock\":%s}", lock);
    struct draft *d = draft(strbuf_str(&text));
    assert_int_equal(draft_is_locked(d, &b), *want != '\0');
    assert_string_equal(strbuf_str(&b), want);
    draft_free(d);
    strbuf_release(&b);
    strbuf_release(&text);
}

static void test_lock(void **state)
{
    (void)state;
    holder("null", "");
    holder("{}", "");
    holder("{\"id\":\"x\",\"holderName\":\"\"}", "");
    holder("{\"holderName\":\"me\"}", "me");
    holder("{\"holderId\":\"7\"}", "(7)");
    holder("{\"holderName\":\"me\",\"holderId\":\"7\"}", "me (7)");
    struct draft *d = draft("{}");
    struct strbuf b = STRBUF_INIT;
    struct err err = {0};
    assert_int_equal(strlen(d->id), RNG_UUID_LEN - 1);
    assert_false(draft_is_locked(d, &b));
    assert_int_equal(draft_lock(d, "a", "w", "7", "m\"e", &err), 0);
    assert_true(draft_is_locked(d, &b));
    assert_string_equal(strbuf_str(&b), "m\"e (7)");
    assert_int_equal(draft_lock(d, "a", "w", NULL, "", &err), 0);
    assert_false(draft_is_locked(d, &b));
    strbuf_release(&b);
    draft_free(d);
}

static bool differs(const struct draft *d)
{
    struct object shown;
    struct err err = {0};
    char *id = draft_deployment_id(d);
    assert_non_null(id);
    struct deployment *deployment = world_find_in(ns, id);
    assert_non_null(deployment);
    assert_string_equal(deployment->draft_id, d->id);
    assert_int_equal(deployment_object(deployment, false, &shown, &err), 0);
    bool found = draft_differs(d, &shown);
    object_release(&shown);
    free(id);
    return found;
}

static void test_generated(void **state)
{
    (void)state;
    static const char want[] = "==e=-==e=-"; /* the pattern, as long as deployments last */
    struct err err = {0};
    assert_int_equal(drafts_generate(w, ns, 12, &err), 0);
    assert_int_equal(ns->n_drafts, 12);
    for (size_t i = 0; i < 12; i++) {
        char *id = draft_deployment_id(ns->drafts[i]);
        char is = id ? (differs(ns->drafts[i]) ? 'e' : '=') : '-';
        assert_int_equal(is, i < 10 ? want[i] : '-');
        assert_ptr_equal(drafts_find(ns, ns->drafts[i]->id, NULL), ns->drafts[i]);
        free(id);
    }
}

static void release_it(const struct draft *d, char **ret_id)
{
    const struct release release = {.draft_id = d->id, .now_s = 5000000000};
    struct err err = {0};
    if (release_draft(w, ns, &release, ret_id, &err) < 0)
        fail_msg("%s", err.msg);
}

static void test_release(void **state)
{
    (void)state;
    struct err err = {0};
    char *id;
    assert_int_equal(drafts_generate(w, ns, 5, &err), 0);
    struct draft *edited = ns->drafts[2];
    assert_true(differs(edited));
    struct deployment *deployment = ns->deployments[2];
    uint32_t jobs[JOB_STATE_END];
    memcpy(jobs, deployment->jobs, sizeof(jobs));
    release_it(edited, &id);
    assert_string_equal(id, deployment->id);
    assert_false(differs(edited));
    assert_int_equal(deployment->modified_s, 5000000000);
    assert_memory_equal(deployment->jobs, jobs, sizeof(jobs));
    assert_ptr_equal(world_sorted(ns, WORLD_SORT_MODIFIED)[0], deployment);
    free(id);
    /* Again, at the same second: later all the same. */
    release_it(edited, &id);
    assert_int_equal(deployment->modified_s, 5000000001);
    free(id);

    release_it(ns->drafts[4], &id);
    assert_int_equal(ns->n_deployments, 9);
    assert_string_equal(id, ns->deployments[8]->id);
    assert_false(differs(ns->drafts[4]));
    free(id);
    const struct release nobody = {.draft_id = "nobody"};
    assert_int_equal(release_draft(w, ns, &nobody, &id, &err), -1);
    assert_non_null(strstr(err.msg, "nobody"));
}

static struct ticket *ticket(const char *draft_id, int64_t polls, int64_t time_ms)
{
    struct err err = {0};
    struct ticket *t = calloc(1, sizeof(*t));
    t->draft_id = strdup(draft_id);
    t->course = (struct ticket_course){.polls = polls, .time_ms = time_ms};
    assert_int_equal(tickets_add(w, ns, t, &err), 0);
    return t;
}

static void test_ticket(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(drafts_generate(w, ns, 3, &err), 0);
    struct ticket *by_polls = ticket(ns->drafts[2]->id, 1, -1);
    struct ticket *by_time = ticket(ns->drafts[2]->id, -1, 1000);
    int64_t start = by_time->created_mono_ms;
    assert_int_equal(w->n_open_tickets, 2);
    ticket_poll(w, ns, by_polls, 1, start);
    assert_false(by_polls->ended);
    ticket_poll(w, ns, by_polls, 1, start);
    assert_true(by_polls->ended);
    assert_false(differs(ns->drafts[2]));
    ticket_poll(w, ns, by_time, 1, start + 999);
    tickets_settle(w, 1, start + 999);
    assert_false(by_time->ended);
    tickets_settle(w, 1, start + 1000);
    assert_true(by_time->ended);
    assert_int_equal(w->n_open_tickets, 0);
    assert_ptr_equal(tickets_find(ns, by_time->id), by_time);
    assert_string_not_equal(by_time->id, by_polls->id);

    struct ticket *lost = ticket("nobody", 0, -1);
    ticket_poll(w, ns, lost, 1, start);
    assert_int_equal(lost->end, TICKET_FAILS);
    assert_non_null(strstr(lost->failure, "nobody"));
}

static void test_tickets_are_bounded(void **state)
{
    (void)state;
    struct ticket *first = ticket("x", -1, -1);
    char id[RNG_UUID_LEN];
    memcpy(id, first->id, sizeof(id));
    for (int i = 1; i < TICKET_MAX; i++)
        (void)ticket("x", -1, -1);
    assert_non_null(tickets_find(ns, id));
    (void)ticket("x", -1, -1);
    assert_null(tickets_find(ns, id));
    assert_int_equal(ns->n_tickets, TICKET_MAX);
    assert_int_equal(w->n_open_tickets, TICKET_MAX);
}

/* What the draft and the world show, as one text. */
static char *everything(void)
{
    struct strbuf b = STRBUF_INIT;
    drafts_render_truth(ns, &b);
    world_render_truth(ns, &b);
    assert_true(strbuf_ok(&b));
    return strbuf_take(&b, NULL);
}

static int release_again(void *arg)
{
    const struct draft *d = arg;
    const struct release release = {.draft_id = d->id, .now_s = 5000000000};
    struct err err = {0};
    char *id = NULL;
    int rc = release_draft(w, ns, &release, &id, &err);
    free(id);
    return rc;
}

static int update_again(void *arg)
{
    struct draft *d = arg;
    struct object body = {0};
    struct err err = {0};
    int rc = object_set(&body, "labels", "{\"k\":1}");
    if (rc == 0)
        rc = draft_update(d, &body, false, 100, &err);
    object_release(&body);
    return rc;
}

/* Where memory is out, nothing has changed; some can be done without. */
static void sweep(int (*fn)(void *), void *arg)
{
    size_t n_refused = 0;
    for (size_t n = 1;; n++) {
        char *before = everything();
        alloc_fail_at(n);
        int rc = fn(arg);
        alloc_fail_off();
        char *after = everything();
        if (rc < 0)
            assert_string_equal(before, after);
        n_refused += rc < 0;
        free(before);
        free(after);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
    }
    assert_true(n_refused > 5);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(drafts_generate(w, ns, 5, &err), 0);
    sweep(update_again, ns->drafts[1]);
    sweep(release_again, ns->drafts[2]);
    sweep(release_again, ns->drafts[4]);
    assert_int_equal(ns->n_deployments, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_generated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_release, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tickets_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
