/* The list, its filters and pages, and that churn never loses count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "listing.h"
#include "world.h"

static struct world *world(size_t n, double quirks)
{
    struct world_conf conf = {
        .workspace = "w", .profile = PROFILE_SMALL, .seed = 11, .quirks = quirks};
    struct world *w;
    struct world_namespace *ns;
    struct err err = {0};
    assert_int_equal(world_new(&conf, &w, &err), 0);
    assert_int_equal(world_add_namespace(w, "a", &ns, &err), 0);
    assert_int_equal(world_generate(w, ns, n, 0, &err), 0);
    return w;
}

static int load(struct world *w, const char *text, bool dry, struct err *err)
{
    struct world_load l = {
        .text = text, .len = strlen(text), .fallback = "a", .by_object = true, .dry_run = dry};
    return world_load(w, &l, err);
}

static const char sample[] =
    "[{\"deploymentId\":\"1\",\"name\":\"orders_job\",\"executionMode\":\"STREAMING\","
    "\"creator\":\"10\",\"createdAt\":100,\"modifiedAt\":900,\"labels\":{\"team\":\"risk\",\"n\":1}"
    ","
    "\"jobSummary\":{\"running\":1}},"
    "{\"deploymentId\":\"2\",\"name\":\"orders_batch\",\"executionMode\":\"BATCH\",\"creator\":"
    "\"11\","
    "\"modifier\":\"12\",\"createdAt\":300,\"modifiedAt\":300,\"labels\":{\"team\":\"ads\",\"n\":"
    "\"1\"},"
    "\"jobSummary\":{\"failed\":2}},"
    "{\"deploymentId\":\"3\",\"createdAt\":200,\"modifiedAt\":400,\"labels\":{\"on\":true,\"e\":"
    "\"\"},"
    "\"jobSummary\":{\"starting\":1}},"
    "{\"deploymentId\":\"4\",\"name\":\"x\",\"labels\":null,\"jobSummary\":{\"finished\":1}}]";

/* The ids a query selects, joined. */
static void selects(struct world *w, const char *raw, const char *want)
{
    struct uri_query params;
    struct listing_query q;
    struct listing_page page;
    struct err err = {0};
    struct strbuf got = STRBUF_INIT;
    assert_int_equal(uri_query_init(&params, raw), 0);
    if (listing_query_read(&q, &params, &err) < 0)
        fail_msg("%s: %s", raw, err.msg);
    assert_int_equal(listing_select(world_find_namespace(w, "a"), &q, false, &page), 0);
    for (size_t i = 0; i < page.n_items; i++)
        strbuf_adds(&got, page.items[i]->id);
    if (strcmp(strbuf_str(&got), want) != 0)
        fail_msg("%s: selects %s, not %s", raw, strbuf_str(&got), want);
    strbuf_release(&got);
    uri_query_release(&params);
}

static void test_filters(void **state)
{
    (void)state;
    struct world *w = world(0, 0);
    struct err err = {0};
    assert_int_equal(load(w, sample, false, &err), 0);
    const struct {
        const char *query;
        const char *ids;
    } cases[] = {
        {"", "1234"},
        {"name=orders", "12"},
        {"name=job", "1"},
        {"name=", "1234"},
        {"name=nothing", ""},
        {"executionMode=BATCH", "2"},
        {"executionMode=STREAMING", "1"},
        {"status=RUNNING", "1"},
        {"status=FAILED", "2"},
        {"status=TRANSITIONING", "3"},
        {"status=FINISHED", "4"},
        {"status=CANCELLED", ""},
        {"creator=10", "1"},
        {"modifier=12", "2"},
        {"labelKey=team", "12"},
        {"labelKey=team&labelValueArray=risk", "1"},
        {"labelKey=team&labelValueArray=risk%3Bads", "12"},
        {"labelKey=team&labelValueArray=risk,ads", ""},
        {"labelKey=n&labelValueArray=1", "12"},
        {"labelKey=on&labelValueArray=true", "3"},
        {"labelKey=Team", ""},
        {"labelValueArray=risk", "1234"},
        {"name=orders&status=FAILED", "2"},
        {"sortName=gmt_create", "2314"},
        {"sortName=gmt_modified", "1324"},
        {"pageSize=3", "123"},
        {"pageSize=3&pageIndex=2", "4"},
        {"pageSize=3&pageIndex=3", ""},
        {"pageSize=1&pageIndex=2&name=orders", "2"},
        {"pageSize=2&pageIndex=2&sortName=gmt_create", "14"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        selects(w, cases[i].query, cases[i].ids);
    world_free(w);
}

static void test_parameters_are_checked(void **state)
{
    (void)state;
    const char *const bad[] = {"pageSize=0",
                               "pageSize=101",
                               "pageSize=x",
                               "pageSize=",
                               "pageIndex=0",
                               "pageIndex=-1",
                               "pageIndex=1.5",
                               "status=BROKEN",
                               "executionMode=FAST",
                               "sortName=name",
                               "pageIndex=99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct uri_query params;
        struct listing_query q;
        struct err err = {0};
        assert_int_equal(uri_query_init(&params, bad[i]), 0);
        assert_int_equal(listing_query_read(&q, &params, &err), -1);
        uri_query_release(&params);
    }
    struct uri_query none;
    struct listing_query q;
    struct err err = {0};
    assert_int_equal(uri_query_init(&none, ""), 0);
    assert_int_equal(listing_query_read(&q, &none, &err), 0);
    assert_int_equal(q.page_size, 10);
    assert_int_equal(q.page_index, 1);
    uri_query_release(&none);
}

static void test_endless(void **state)
{
    (void)state;
    struct world *w = world(7, 0);
    struct listing_query q = {.page_index = 4, .page_size = 5};
    struct listing_page page;
    assert_int_equal(listing_select(world_find_namespace(w, "a"), &q, true, &page), 0);
    assert_int_equal(page.n_items, 5);
    assert_ptr_equal(page.items[0], world_find_namespace(w, "a")->deployments[15 % 7]);
    world_free(w);
}

static void test_load_is_all_or_nothing(void **state)
{
    (void)state;
    const char *const bad[] = {
        "[{\"deploymentId\":\"1\"}, 5]", "[{\"deploymentId\":\"1\"}",  "{}", "",
        "{\"deployments\":5}",           "[{\"deploymentId\":\"1\"},]"};
    struct world *w = world(3, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        assert_int_equal(load(w, bad[i], false, &err), -1);
        assert_int_equal(world_find_namespace(w, "a")->n_deployments, 3);
    }
    struct err err = {0};
    assert_int_equal(load(w, sample, true, &err), 0);
    assert_int_equal(world_find_namespace(w, "a")->n_deployments, 3);
    assert_int_equal(
        load(w, "{\"requestId\":\"x\",\"data\":[{\"namespace\":\"b\"},{}]}", false, &err), 0);
    assert_int_equal(world_find_namespace(w, "a")->n_deployments, 4);
    assert_int_equal(world_find_namespace(w, "b")->n_deployments, 1);
    world_free(w);
}

static void test_list_changes(void **state)
{
    (void)state;
    struct world *w = world(5, 0);
    struct world_namespace *ns = world_find_namespace(w, "a");
    struct world_namespace *found;
    struct err err = {0};
    size_t index;
    char *first = strdup(ns->deployments[0]->id);
    assert_non_null(world_sorted(ns, WORLD_SORT_CREATED));
    world_move_to_end(ns, 0);
    assert_string_equal(ns->deployments[4]->id, first);
    assert_ptr_equal(world_find(w, first, &found, &index), ns->deployments[4]);
    world_remove(ns, index);
    assert_null(world_find(w, first, &found, &index));
    assert_string_equal(ns->gone[0].id, first);
    assert_int_equal(world_appear(w, ns, 0, &err), 0);
    assert_int_equal(ns->deployments[0]->newest, JOB_NONE);
    assert_int_equal(ns->n_deployments, 5);
    assert_int_equal(ns->added, 1);
    assert_int_equal(ns->removed, 1);
    free(first);
    world_free(w);
}

/* Counts now = counts at the start + starts - purges, for each state, through any churn. */
static void test_churn_keeps_the_books(void **state)
{
    (void)state;
    struct world *w = world(40, 0.1);
    struct world_namespace *ns = world_find_namespace(w, "a");
    uint32_t before[40][JOB_STATE_END];
    char ids[40][RNG_UUID_LEN];
    for (size_t i = 0; i < 40; i++) {
        memcpy(before[i], ns->deployments[i]->jobs, sizeof(before[i]));
        memcpy(ids[i], ns->deployments[i]->id, RNG_UUID_LEN);
    }
    struct rng r = {99};
    for (int i = 0; i < 20000; i++)
        world_churn(w, &r);
    assert_int_equal(ns->n_deployments, 40 + ns->added - ns->removed);
    assert_true(ns->added && ns->removed && ns->ledger.failures && ns->ledger.cancellations);

    size_t survivors = 0;
    struct ledger sum = {0};
    for (size_t i = 0; i < ns->n_gone; i++)
        ledger_add(&sum, &ns->gone[i].ledger);
    for (size_t i = 0; i < ns->n_deployments; i++)
        ledger_add(&sum, &ns->deployments[i]->ledger);
    assert_memory_equal(&sum, &ns->ledger, sizeof(sum));
    for (size_t i = 0; i < 40; i++) {
        struct world_namespace *found;
        size_t index;
        const struct deployment *d = world_find(w, ids[i], &found, &index);
        if (!d)
            continue;
        survivors++;
        const struct ledger *l = &d->ledger;
        assert_int_equal(d->jobs[JOB_FAILED],
                         before[i][JOB_FAILED] + l->failures - l->purged[JOB_FAILED]);
        assert_int_equal(d->jobs[JOB_CANCELLED],
                         before[i][JOB_CANCELLED] + l->cancellations - l->purged[JOB_CANCELLED]);
        assert_int_equal(d->jobs[JOB_FINISHED],
                         before[i][JOB_FINISHED] + l->completions - l->purged[JOB_FINISHED]);
        uint64_t ended = l->failures + l->cancellations + l->completions;
        uint32_t live_before =
            before[i][JOB_STARTING] + before[i][JOB_RUNNING] + before[i][JOB_CANCELLING];
        assert_int_equal(deployment_live_jobs(d), live_before + l->starts - ended);
        assert_true(d->newest == JOB_NONE || d->jobs[d->newest] > 0);
    }
    (void)survivors;
    world_free(w);
}

static void test_truth_is_json(void **state)
{
    (void)state;
    struct world *w = world(50, 1);
    struct strbuf b = STRBUF_INIT;
    world_render_truth(world_find_namespace(w, "a"), &b);
    cJSON *list = json_parse(strbuf_str(&b), b.len);
    assert_int_equal(cJSON_GetArraySize(list), 50);
    cJSON_Delete(list);
    strbuf_reset(&b);
    world_render_ledger(w, &b);
    cJSON *ledger = json_parse(strbuf_str(&b), b.len);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(ledger, "a"));
    cJSON_Delete(ledger);
    strbuf_release(&b);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),       cmocka_unit_test(test_parameters_are_checked),
        cmocka_unit_test(test_endless),       cmocka_unit_test(test_load_is_all_or_nothing),
        cmocka_unit_test(test_list_changes),  cmocka_unit_test(test_churn_keeps_the_books),
        cmocka_unit_test(test_truth_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
