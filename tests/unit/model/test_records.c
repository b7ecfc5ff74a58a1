/* Packing: nothing is lost, what did not change is shared, memory may run out. */
#include "model/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

#define N 3000

static struct listing *new_listing(size_t n)
{
    struct listing *listing = listing_new();

    assert_non_null(listing);
    listing->items = arena_calloc(listing->arena, n, sizeof(*listing->items));
    assert_non_null(listing->items);
    listing->n_items = n;
    return listing;
}

/* The word and the number behind it. */
static const char *text(struct listing *listing, const char *word, unsigned i)
{
    char out[64];
    char *copy;

    assert_in_range(snprintf(out, sizeof(out), "%s%08u", word, i), 0, sizeof(out) - 1);
    copy = arena_strdup(listing->arena, out);
    assert_non_null(copy);
    return copy;
}

/* Enough different strings that a block runs out of numbers for them. */
static void fill(struct listing *listing, struct deployment *d, unsigned i)
{
    struct deployment_label *labels = arena_calloc(listing->arena, 2, sizeof(*labels));

    assert_non_null(labels);
    labels[0] = (struct deployment_label){"label_team", text(listing, "team ", i)};
    labels[1] = (struct deployment_label){"label_tier", text(listing, "tier ", i % 3)};
    *d = (struct deployment){
        .id = text(listing, "d-", i),
        .name = text(listing, "job ", i % 1000),
        .execution_mode = i % 5 ? "streaming" : "batch",
        .engine_version = text(listing, "vvr-", i % 7),
        .artifact_kind = "jar",
        .target = text(listing, "queue-", i),
        .target_mode = "",
        .resource_setting_mode = i % 2 ? "basic" : "expert",
        .draft_id = i % 3 ? "" : text(listing, "draft ", i),
        .jobs = {i % 4, 0, -1, i, 127, 128},
        .created_unix_s = 1766000000 + i,
        .modified_unix_s = i % 9 ? 1790000000 : 0,
        .parallelism = (int64_t)i - 1,
        .max_slots = -1,
        .jobmanager_cpu = i % 2 ? 0.5 : -1,
        .taskmanager_cpu = 1.1,
        .jobmanager_memory = 4294967296,
        .taskmanager_memory = -1,
        .has_changes = (int8_t)((int)(i % 3) - 1),
        .status = (enum deployment_status)(i % STATUS_END),
        .content_hash = i % 5 ? i : 0,
        .events = {i % 3, 0, i % 7},
        .labels = i % 4 ? labels : NULL,
        .n_labels = i % 4 ? 2 : 0,
    };
}

static struct listing *listing_of(size_t n)
{
    struct listing *listing = new_listing(n);

    for (size_t i = 0; i < n; i++)
        fill(listing, &listing->items[i], (unsigned)i);
    return listing;
}

static struct records *records_of(const struct listing *listing, const struct records *previous)
{
    struct records *records;
    struct err err = {0};

    if (records_new(listing, previous, &records, &err) < 0)
        fail_msg("%s", err.msg);
    return records;
}

static void expect_same(const struct deployment *a, const struct deployment *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->execution_mode, b->execution_mode);
    assert_string_equal(a->engine_version, b->engine_version);
    assert_string_equal(a->artifact_kind, b->artifact_kind);
    assert_string_equal(a->target, b->target);
    assert_string_equal(a->target_mode, b->target_mode);
    assert_string_equal(a->resource_setting_mode, b->resource_setting_mode);
    assert_string_equal(a->draft_id, b->draft_id);
    for (int state = 0; state < JOB_STATE_END; state++)
        assert_true(a->jobs[state] == b->jobs[state]);
    assert_true(a->created_unix_s == b->created_unix_s);
    assert_true(a->modified_unix_s == b->modified_unix_s);
    assert_true(a->parallelism == b->parallelism && a->max_slots == b->max_slots);
    assert_true(a->jobmanager_cpu == b->jobmanager_cpu);
    assert_true(a->taskmanager_cpu == b->taskmanager_cpu);
    assert_true(a->jobmanager_memory == b->jobmanager_memory);
    assert_true(a->taskmanager_memory == b->taskmanager_memory);
    assert_int_equal(a->has_changes, b->has_changes);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->n_labels, b->n_labels);
    for (size_t i = 0; i < a->n_labels; i++) {
        assert_string_equal(a->labels[i].name, b->labels[i].name);
        assert_string_equal(a->labels[i].value, b->labels[i].value);
    }
    assert_int_equal(deployment_differences(a, b), 0);
}

/* The records say what the listing says, in its order. */
static void expect_records(const struct records *records, const struct listing *listing)
{
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
    struct err err;
    size_t n = 0;

    assert_int_equal(records->n_items, listing->n_items);
    for (size_t b = 0; b < records->n_blocks; b++) {
        assert_int_equal(records_view_load(&view, records->blocks[b], &err), 0);
        assert_int_equal(view.n_items, record_block_items(records->blocks[b]));
        assert_in_range(view.n_items, 1, RECORD_BLOCK_MAX);
        assert_string_equal(view.items[0].id, record_block_first_id(records->blocks[b]));
        for (size_t i = 0; i < view.n_items; i++) {
            expect_same(&view.items[i], &listing->items[n++]);
        }
    }
    assert_int_equal(n, listing->n_items);
}

static void test_lossless(void **state)
{
    struct listing *listing = listing_of(N);
    struct records *records = records_of(listing, NULL);

    (void)state;
    expect_records(records, listing);
    assert_in_range(records->n_blocks, N / 256, N / 64);
    assert_in_range(records_bytes(records), N * 60, N * 200);
    records_unref(records);
    listing_free(listing);
}

static void test_extremes(void **state)
{
    static const int64_t values[] = {INT64_MIN,     -2,       -1, 0, 1, 126, 127, 128,
                                     INT64_MAX - 1, INT64_MAX};
    struct listing *listing = listing_of(ARRAY_LEN(values));
    struct records *records;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct deployment *d = &listing->items[i];

        for (int job = 0; job < JOB_STATE_END; job++)
            d->jobs[job] = values[i];
        d->created_unix_s = d->modified_unix_s = d->parallelism = d->max_slots = values[i];
        d->jobmanager_memory = d->taskmanager_memory = values[i];
        d->jobmanager_cpu = (double)values[i] / 3;
        d->has_changes = (int8_t)values[i];
        d->name = "";
    }
    records = records_of(listing, NULL);
    expect_records(records, listing);
    records_unref(records);
    listing_free(listing);
}

static void test_totals(void **state)
{
    struct listing *listing = listing_of(2);
    struct records *records;

    (void)state;
    listing->pages = 7;
    listing->expected = -1;
    listing->invalid = 3;
    listing->over_limit = 4;
    listing->items[0].jobs[JOB_FAILED] = INT64_MAX;
    records = records_of(listing, NULL);
    assert_int_equal(records->pages, 7);
    assert_int_equal(records->expected, -1);
    assert_int_equal(records->invalid, 3);
    assert_int_equal(records->over_limit, 4);
    assert_true(records->jobs_known);
    assert_true(records->jobs[JOB_FAILED] == INT64_MAX); /* as far as it goes */
    assert_int_equal(records->jobs[JOB_CANCELLING], 0);  /* -1 is not counted */
    records_unref(records);
    for (size_t i = 0; i < 2; i++)
        for (int job = 0; job < JOB_STATE_END; job++)
            listing->items[i].jobs[job] = -1;
    records = records_of(listing, NULL);
    assert_false(records->jobs_known);
    records_unref(records);
    listing->n_items = 0;
    records = records_of(listing, NULL);
    assert_int_equal(records->n_blocks, 0);
    records_unref(records_ref(records));
    records_unref(records);
    records_unref(NULL);
    listing_free(listing);
}

/* Blocks in which nothing changed are the same pointer, and only those. */
static void test_sharing(void **state)
{
    struct listing *listing = listing_of(N);
    struct records *first = records_of(listing, NULL), *second;
    size_t cursor = 0, shared = 0;

    (void)state;
    second = records_of(listing, first);
    for (size_t b = 0; b < first->n_blocks; b++)
        assert_ptr_equal(second->blocks[b], first->blocks[b]);
    records_unref(second);

    listing->items[N / 2].jobs[JOB_FAILED]++;
    memmove(&listing->items[1], &listing->items[2], (N - 2) * sizeof(listing->items[0]));
    listing->n_items--;
    second = records_of(listing, first);
    for (size_t b = 0; b < second->n_blocks; b++) {
        struct record_block *old =
            records_block_at(first, record_block_first_id(second->blocks[b]), &cursor);

        shared += old == second->blocks[b];
    }
    assert_in_range(shared, second->n_blocks - 3, second->n_blocks - 1);
    records_unref(first);
    expect_records(second, listing);
    records_unref(second);
    listing_free(listing);
}

static void test_one_changed(void **state)
{
    struct listing *listing = listing_of(N);
    struct records *first = records_of(listing, NULL), *second;
    size_t cursor = 0, different = 0;

    (void)state;
    listing->items[N / 2].has_changes ^= 1;
    second = records_of(listing, first);
    assert_int_equal(second->n_blocks, first->n_blocks);
    for (size_t b = 0; b < second->n_blocks; b++) {
        const char *id = record_block_first_id(second->blocks[b]);

        assert_ptr_equal(records_block_at(first, id, &cursor), first->blocks[b]);
        different += second->blocks[b] != first->blocks[b];
    }
    assert_int_equal(different, 1);
    assert_null(records_block_at(first, "z", &cursor));
    records_unref(first);
    expect_records(second, listing); /* what was shared lives on */
    records_unref(second);
    listing_free(listing);
}

static void test_differences(void **state)
{
    static const struct deployment_label label = {"label_x", "y"};
    struct listing *listing = listing_of(2);
    struct deployment *a = &listing->items[0], b = *a;
    const struct deployment same = *a;

    (void)state;
    b.content_hash = 77;
    assert_int_equal(deployment_differences(a, &b), DEPLOYMENT_CONTENT);
    b = same;
    assert_int_equal(deployment_differences(a, &b), 0);
    b.name = "other";
    b.jobs[JOB_RUNNING]++;
    assert_int_equal(deployment_differences(a, &b), DEPLOYMENT_IDENTITY | DEPLOYMENT_JOBS);
    b = same;
    b.labels = &label;
    b.n_labels = 1;
    assert_int_equal(deployment_differences(a, &b), DEPLOYMENT_LABELS);
    b = same;
    b.modified_unix_s++;
    b.draft_id = "other";
    b.max_slots = 3;
    b.has_changes = 1;
    assert_int_equal(deployment_differences(a, &b), DEPLOYMENT_TIMES | DEPLOYMENT_PROPERTIES |
                                                        DEPLOYMENT_RESOURCES |
                                                        DEPLOYMENT_HAS_CHANGES);
    listing_free(listing);
}

static void test_no_memory(void **state)
{
    struct listing *listing = listing_of(400);
    struct records *first = records_of(listing, NULL);
    size_t n = 1;

    (void)state;
    listing->items[200].name = "other";
    for (;; n++) {
        struct records *records = NULL;
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = records_new(listing, first, &records, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            expect_records(records, listing);
            records_unref(records);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(records);
    }
    assert_true(n > 4);
    for (n = 1; n <= 2; n++) {
        CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
        struct err err = {0};

        alloc_fail_at(n);
        assert_int_equal(records_view_load(&view, first->blocks[0], &err), -1);
        alloc_fail_off();
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_int_equal(view.n_items, 0);
    }
    records_unref(first);
    listing_free(listing);
}

/* --- revising --- */

struct revision {
    unsigned every; /* one in so many; 0 = none */
    unsigned seen;
};

static bool set_failure(void *ctx, struct deployment *d)
{
    struct revision *r = ctx;

    if (r->every == 0 || r->seen++ % r->every != 0)
        return false;
    d->last_failure_unix_s = 1700000000 + r->seen;
    return true;
}

static void test_revise(void **state)
{
    CLEANUP(listing_freep) struct listing *listing = new_listing(N);
    CLEANUP(records_unrefp) struct records *records = NULL, *same = NULL, *revised = NULL;
    CLEANUP(records_unrefp) struct records *direct = NULL;
    struct revision none = {0}, one = {.every = N}, some = {.every = 7};
    size_t differ = 0, n;
    struct err err;

    (void)state;
    for (unsigned i = 0; i < N; i++)
        fill(listing, &listing->items[i], i);
    assert_int_equal(records_new(listing, NULL, &records, &err), 0);
    assert_int_equal(records_revise(records, set_failure, &none, &same, &err), 0);
    assert_ptr_equal(same, records);
    assert_true(records_same(records, same));
    /* One block differs, the others are shared. */
    assert_int_equal(records_revise(records, set_failure, &one, &revised, &err), 0);
    assert_false(records_same(records, revised));
    assert_int_equal(records->n_blocks, revised->n_blocks);
    for (size_t b = 0; b < records->n_blocks; b++)
        differ += records->blocks[b] != revised->blocks[b];
    assert_int_equal(differ, 1);
    /* It is what would have come of the listing. */
    records_unref(TAKE(revised));
    assert_int_equal(records_revise(records, set_failure, &some, &revised, &err), 0);
    some.seen = 0;
    for (unsigned i = 0; i < N; i++)
        (void)set_failure(&some, &listing->items[i]);
    assert_int_equal(records_new(listing, revised, &direct, &err), 0);
    assert_true(records_same(direct, revised));
    assert_int_equal(revised->n_items, N);
    for (n = 1;; n++) {
        CLEANUP(records_unrefp) struct records *made = NULL;
        struct revision all = {.every = 1};
        int rc;

        alloc_fail_at(n);
        rc = records_revise(records, set_failure, &all, &made, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        if (rc == 0)
            continue;
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lossless),    cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_totals),      cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_one_changed), cmocka_unit_test(test_differences),
        cmocka_unit_test(test_no_memory),   cmocka_unit_test(test_revise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
