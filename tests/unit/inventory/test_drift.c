/* When a draft counts as drifted, and the join of a listing of drafts with one of deployments. */
#include "drift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "records.h"

/* --- one draft --- */

static struct draft draft(void)
{
    return draft_full("draft", "d", "deployment");
}

static struct deployment deployment(void)
{
    struct deployment d = record_full("deployment", "d");

    d.modified_unix_s = draft().modified_unix_s;
    return d;
}

static void test_nothing_to_compare(void **state)
{
    struct deployment known = deployment();
    struct draft never = draft(), deployed = draft();

    (void)state;
    never.deployment_id = "";
    assert_int_equal(drift_of(&never, &known), -1);
    assert_int_equal(drift_of(&never, NULL), -1);
    assert_int_equal(drift_of(&deployed, NULL), -1);
}

static void test_content(void **state)
{
    struct deployment dep = deployment();
    struct draft d = draft();

    (void)state;
    d.content_hash = dep.content_hash = 7;
    d.modified_unix_s = dep.modified_unix_s + 1000; /* saved again, with nothing changed */
    assert_int_equal(drift_of(&d, &dep), 0);
    d.modified_unix_s = 0;
    assert_int_equal(drift_of(&d, &dep), 0);
    d.content_hash = 8;
    assert_int_equal(drift_of(&d, &dep), 1);
    dep.modified_unix_s = d.modified_unix_s + 1000; /* the deployment was edited by itself */
    assert_int_equal(drift_of(&d, &dep), 1);
}

/* Each of the three, with the same content and with none. */
static void test_properties(void **state)
{
    (void)state;
    for (int which = 0; which < 6; which++) {
        struct deployment dep = deployment();
        struct draft d = draft();
        const char **value = which % 3 == 0   ? &d.execution_mode
                             : which % 3 == 1 ? &d.engine_version
                                              : &d.artifact_kind;

        d.content_hash = dep.content_hash = which < 3 ? 7 : 0;
        assert_int_equal(drift_of(&d, &dep), 0);
        *value = "other";
        assert_int_equal(drift_of(&d, &dep), 1);
        *value = ""; /* what is not told differs from nothing */
        assert_int_equal(drift_of(&d, &dep), 0);
    }
}

static void test_times(void **state)
{
    (void)state;
    for (int who = 0; who < 3; who++) { /* one of them tells no content, or neither does */
        struct deployment dep = deployment();
        struct draft d = draft();

        d.content_hash = who == 1 ? 7 : 0;
        dep.content_hash = who == 2 ? 7 : 0;
        assert_int_equal(drift_of(&d, &dep), 0);
        d.modified_unix_s++;
        assert_int_equal(drift_of(&d, &dep), 1);
        dep.modified_unix_s += 2;
        assert_int_equal(drift_of(&d, &dep), 0);
        dep.modified_unix_s = 0;
        assert_int_equal(drift_of(&d, &dep), -1);
        dep.modified_unix_s = 1;
        d.modified_unix_s = 0;
        assert_int_equal(drift_of(&d, &dep), -1);
        d.engine_version = "other"; /* that much is known */
        assert_int_equal(drift_of(&d, &dep), 1);
    }
}

/* --- all of them --- */

#define DRAFTS      2000
#define DEPLOYMENTS 1500

struct world {
    char ids[DRAFTS][16], refs[DRAFTS][16];
    struct draft drafts[DRAFTS];
    struct records *records;
    uint32_t order[DRAFTS];
    int8_t ret[DRAFTS];
};

/* Deployments 0, 2, 4, ...; drafts that refer to any of them, or to one that is not there. */
static void make_world(struct world *w)
{
    static uint32_t numbers[DEPLOYMENTS];
    struct listing *listing;
    struct err err;

    for (uint32_t i = 0; i < DEPLOYMENTS; i++)
        numbers[i] = 2 * i;
    listing = listing_of_numbers(numbers, DEPLOYMENTS);
    for (size_t i = 0; i < DEPLOYMENTS; i++)
        listing->items[i].content_hash = i + 1;
    assert_int_equal(records_new(listing, NULL, &w->records, &err), 0);
    listing_free(listing);
    for (size_t i = 0; i < DRAFTS; i++) {
        uint32_t number = (uint32_t)(i * 7919 % (2 * DEPLOYMENTS + 100));

        snprintf(w->ids[i], sizeof(w->ids[i]), "draft-%06zu", i);
        snprintf(w->refs[i], sizeof(w->refs[i]), i % 10 ? "d-%08u" : "", number);
        w->drafts[i] = draft_full(w->ids[i], "", w->refs[i]);
        w->drafts[i].content_hash = number / 2 + 1 + (i % 3 == 0);
    }
}

/* The slow way: each draft looks through all. */
static int8_t expected_of(const struct world *w, size_t i)
{
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
    struct err err;

    for (size_t b = 0; b < w->records->n_blocks; b++) {
        assert_int_equal(records_view_load(&view, w->records->blocks[b], &err), 0);
        for (size_t k = 0; k < view.n_items; k++)
            if (strcmp(view.items[k].id, w->drafts[i].deployment_id) == 0)
                return drift_of(&w->drafts[i], &view.items[k]);
    }
    return -1;
}

static void test_join(void **state)
{
    static struct world w;
    size_t n_order, counts[3] = {0};
    struct err err;

    (void)state;
    make_world(&w);
    n_order = drift_order(w.drafts, DRAFTS, w.order);
    assert_int_equal(n_order, DRAFTS - DRAFTS / 10);
    assert_int_equal(drift_find(w.drafts, DRAFTS, w.order, n_order, w.records, w.ret, &err), 0);
    for (size_t i = 0; i < DRAFTS; i++) {
        if (i % 17 == 0)
            assert_int_equal(w.ret[i], expected_of(&w, i));
        counts[w.ret[i] + 1]++;
    }
    assert_true(counts[0] > 500 && counts[1] > 300 && counts[2] > 200);
    /* Without deployments nobody can tell. */
    assert_int_equal(drift_find(w.drafts, DRAFTS, w.order, n_order, NULL, w.ret, &err), 0);
    for (size_t i = 0; i < DRAFTS; i++)
        assert_int_equal(w.ret[i], -1);
    records_unref(w.records);
}

/* Several drafts may refer to one deployment, the first or the last. */
static void test_ends(void **state)
{
    static const uint32_t numbers[] = {1, 5, 9};
    struct listing *listing = listing_of_numbers(numbers, 3);
    struct records *records;
    struct draft drafts[] = {
        draft_full("a", "", "d-00000009"), draft_full("b", "", "d-00000001"),
        draft_full("c", "", "d-00000000"), draft_full("d", "", "d-00000009"),
        draft_full("e", "", "d-00000003"), draft_full("f", "", "e"),
        draft_full("g", "", "d-00000001"),
    };
    const int8_t expected[] = {0, 0, -1, 1, -1, -1, 0};
    uint32_t order[ARRAY_LEN(drafts)];
    int8_t ret[ARRAY_LEN(drafts)];
    struct err err;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        listing->items[i].content_hash = 3;
    assert_int_equal(records_new(listing, NULL, &records, &err), 0);
    listing_free(listing);
    for (size_t i = 0; i < ARRAY_LEN(drafts); i++)
        drafts[i].content_hash = i == 3 ? 4 : 3;
    assert_int_equal(drift_order(drafts, ARRAY_LEN(drafts), order), ARRAY_LEN(drafts));
    assert_int_equal(
        drift_find(drafts, ARRAY_LEN(drafts), order, ARRAY_LEN(drafts), records, ret, &err), 0);
    assert_memory_equal(ret, expected, sizeof(expected));
    alloc_fail_at(1);
    assert_int_equal(
        drift_find(drafts, ARRAY_LEN(drafts), order, ARRAY_LEN(drafts), records, ret, &err), -1);
    alloc_fail_off();
    assert_int_equal(err.kind, ERR_NOMEM);
    assert_int_equal(drift_find(drafts, 0, order, 0, records, ret, &err), 0);
    records_unref(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_compare),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
