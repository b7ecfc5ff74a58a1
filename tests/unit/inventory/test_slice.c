/* One listing rendered: blocks, what they share with the rendering before, sums, no memory. */
#include "slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "records.h"

#define N         5000
#define FEW       1500 /* where several blocks are enough */

#define BLOCK_MAX RECORD_BLOCK_MAX

/* Lines of the table: the first, and the last. */
enum {
    JOBS = 0,
    STATUS = 1,
    INFO = 2,
    LABELS = 3,
    CREATED = 4,
    LAST_FAILURE = DEPLOYMENT_FAMILIES - 1
};

static const struct glob_list no_deny;

static const struct slice_options usual = {
    .workspace = "e0f2a8c1b7d94e", .namespace_name = "prod-default", .deny = &no_deny};

/* Consumes the listing. */
static struct records *records_of(struct listing *listing, const struct slice *previous)
{
    struct records *records;
    struct err err = {0};

    if (records_new(listing, previous ? previous->records : NULL, &records, &err) < 0)
        fail_msg("%s", err.msg);
    listing_free(listing);
    return records;
}

static struct slice *slice_with(struct listing *listing, const struct slice_options *options,
                                const struct slice *previous)
{
    CLEANUP(records_unrefp) struct records *records = records_of(listing, previous);
    struct slice *slice;
    struct err err = {0};

    if (slice_new(records, options, previous, &slice, &err) < 0)
        fail_msg("%s", err.msg);
    assert_ptr_equal(slice->records, records);
    return slice;
}

static struct slice *slice_of(struct listing *listing, const struct slice *previous)
{
    return slice_with(listing, &usual, previous);
}

/* Piece k of a family in a block; NULL where there is none. */
static struct piece *piece_of(const struct slice *slice, size_t b, size_t family, size_t k)
{
    size_t n;
    struct piece *const *pieces = slice_block_pieces(slice->blocks[b], family, &n);

    return k < n ? pieces[k] : NULL;
}

static size_t pieces_in(const struct slice *slice, size_t b, size_t family)
{
    size_t n;

    (void)slice_block_pieces(slice->blocks[b], family, &n);
    return n;
}

/* A family's text over all blocks. */
static void family_text(const struct slice *slice, size_t family, struct strbuf *out)
{
    for (size_t b = 0; b < slice->n_blocks; b++)
        for (size_t k = 0; k < pieces_in(slice, b, family); k++)
            if (piece_of(slice, b, family, k)) {
                size_t len;
                const char *text = piece_text(piece_of(slice, b, family, k), &len);

                strbuf_add(out, text, len);
            }
}

static size_t first_of_block(const struct slice *slice, size_t b)
{
    size_t first = 0;

    for (size_t i = 0; i < b; i++)
        first += slice->blocks[i]->n_items;
    return first;
}

static size_t end_of_block(const struct slice *slice, size_t b)
{
    return first_of_block(slice, b) + slice->blocks[b]->n_items;
}

static size_t block_of_record(const struct slice *slice, size_t record)
{
    size_t b = 0;

    while (end_of_block(slice, b) <= record)
        b++;
    return b;
}

/* --- what is written --- */

static void test_no_records(void **state)
{
    struct slice *slice = slice_of(listing_of(NULL, 0), NULL);

    (void)state;
    assert_int_equal(slice->n_blocks, 0);
    assert_false(slice->records->jobs_known);
    for (int i = 0; i < JOB_STATE_END; i++)
        assert_int_equal(slice->records->jobs[i], 0);
    /* As what comes before a listing with records, and after one. */
    struct slice *after = slice_of(listing_of_numbers((uint32_t[]){1, 2}, 2), slice);
    struct slice *again = slice_of(listing_of(NULL, 0), after);
    assert_int_equal(after->n_blocks, 1);
    assert_int_equal(again->n_blocks, 0);
    slice_free(again);
    slice_free(after);
    slice_free(slice);
    slice_free(NULL);
}

/* A record that tells nothing has its info, a status that is unknown and nothing else: never a
 * made-up 0, but for events. */
static void test_absent_values(void **state)
{
    const struct deployment absent = record_absent("id-1", "");
    struct slice *slice = slice_of(listing_of(&absent, 1), NULL);
    CLEANUP(strbuf_release) struct strbuf info = STRBUF_INIT;

    (void)state;
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
        assert_int_equal(piece_of(slice, 0, f, 0) != NULL,
                         f == INFO || f == STATUS ||
                             deployment_families[f].family.type == METRIC_COUNTER);
    family_text(slice, INFO, &info);
    assert_string_equal(
        strbuf_str(&info),
        "aliyun_flink_deployment_info{workspace=\"e0f2a8c1b7d94e\","
        "flink_namespace=\"prod-default\",deployment_id=\"id-1\",deployment_name=\"\","
        "execution_mode=\"\",engine_version=\"\",artifact_kind=\"\",deployment_target=\"\","
        "deployment_target_mode=\"\",resource_setting_mode=\"\",deployment_draft_id=\"\"} 1\n");
    assert_false(slice->records->jobs_known);
    slice_free(slice);
}

static void test_zero_is_a_value(void **state)
{
    struct deployment d = record_absent("id-1", "");
    struct slice *slice;

    (void)state;
    for (int i = 0; i < JOB_STATE_END; i++)
        d.jobs[i] = 0;
    d.has_changes = 0;
    d.parallelism = d.max_slots = 0;
    d.jobmanager_cpu = d.taskmanager_cpu = 0;
    d.jobmanager_memory = d.taskmanager_memory = 0;
    slice = slice_of(listing_of(&d, 1), NULL);
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        /* time 0 is no time */
        bool absent = f == LABELS || f == CREATED || f == CREATED + 1 || f == LAST_FAILURE;

        assert_int_equal(piece_of(slice, 0, f, 0) == NULL, absent);
    }
    assert_true(slice->records->jobs_known);
    slice_free(slice);
}

static void test_escaping(void **state)
{
    const struct deployment_label label = {"label_x", "a\"b\\c\nd"};
    struct deployment d = record_absent("\"\\\n", "b\"\\\n");
    const struct slice_options options = {
        .workspace = "w\"", .namespace_name = "n\\", .deny = &no_deny};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct slice *slice;

    (void)state;
    d.labels = &label;
    d.n_labels = 1;
    slice = slice_with(listing_of(&d, 1), &options, NULL);
    family_text(slice, LABELS, &text);
    assert_string_equal(strbuf_str(&text),
                        "aliyun_flink_deployment_labels{workspace=\"w\\\"\","
                        "flink_namespace=\"n\\\\\",deployment_id=\"\\\"\\\\\\n\","
                        "deployment_name=\"b\\\"\\\\\\n\",label_x=\"a\\\"b\\\\c\\nd\"} 1\n");
    slice_free(slice);
}

static void test_sums(void **state)
{
    struct deployment d[3] = {record_full("a", ""), record_absent("b", ""), record_full("c", "")};
    struct slice *slice;

    (void)state;
    slice = slice_of(listing_of(d, 3), NULL);
    assert_true(slice->records->jobs_known);
    assert_int_equal(slice->records->jobs[JOB_FAILED], 14);
    assert_int_equal(slice->records->jobs[JOB_RUNNING], 2);
    assert_int_equal(slice->records->jobs[JOB_STARTING], 0);
    slice_free(slice);
    /* A sum that does not fit stays at the largest, whatever follows. */
    d[0].jobs[JOB_FAILED] = INT64_MAX - 1;
    slice = slice_of(listing_of(d, 3), NULL);
    assert_true(slice->records->jobs[JOB_FAILED] == INT64_MAX);
    slice_free(slice);
}

static void test_deny(void **state)
{
    const char *patterns[] = {"aliyun_flink_deployment_*_seconds", "aliyun_flink_deployment_info"};
    const struct glob_list deny = {.patterns = patterns, .n_patterns = 2};
    struct slice_options options = usual;
    const struct deployment full = record_full("id-1", "");
    struct slice *slice;

    (void)state;
    options.deny = &deny;
    slice = slice_with(listing_of(&full, 1), &options, NULL);
    for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
        const char *name = deployment_families[f].family.name;
        bool without = f == INFO || strstr(name, "_seconds") || strstr(name, "max_slots");

        assert_int_equal(piece_of(slice, 0, f, 0) == NULL, without);
    }
    assert_int_equal(slice->records->jobs[JOB_FAILED], 7); /* sums do not care */
    slice_free(slice);
}

static void test_without_deployments(void **state)
{
    struct slice_options options = usual;
    const struct deployment full = record_full("id-1", "");
    struct slice *slice;

    (void)state;
    options.without_deployments = true;
    slice = slice_with(listing_of(&full, 1), &options, NULL);
    assert_int_equal(slice->n_blocks, 0);
    assert_int_equal(slice->records->jobs[JOB_FAILED], 7);
    assert_int_equal(slice->records->n_items, 1);
    /* And back again, with such a slice as the one before. */
    struct slice *after = slice_of(listing_of(&full, 1), slice);
    assert_int_equal(after->n_blocks, 1);
    slice_free(after);
    slice_free(slice);
}

/* --- blocks --- */

/* 1 * step, 2 * step, ..., n * step */
static struct listing *every(uint32_t step, size_t n)
{
    uint32_t *numbers = calloc(n, sizeof(*numbers));
    struct listing *listing;

    assert_non_null(numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (uint32_t)(i + 1) * step;
    listing = listing_of_numbers(numbers, n);
    free(numbers);
    return listing;
}

/* Blocks cover all records, in order, without gaps, none too long; pieces cover their blocks. */
static void expect_whole(const struct slice *slice)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
    struct err err;
    const char *p;

    assert_int_equal(slice->n_blocks, slice->records->n_blocks);
    family_text(slice, CREATED, &text);
    assert_int_equal(count_lines(&text, ""), slice->records->n_items);
    p = strbuf_str(&text);
    for (size_t b = 0; b < slice->n_blocks; b++) {
        assert_int_equal(records_view_load(&view, slice->records->blocks[b], &err), 0);
        assert_int_equal(view.n_items, slice->blocks[b]->n_items);
        assert_in_range(view.n_items, 1, BLOCK_MAX);
        for (size_t i = 0; i < view.n_items; i++) {
            const char *end = strchr(p, '\n'), *id = view.items[i].id;

            /* All ids are of one length, so none is the beginning of another. */
            assert_non_null(memmem(p, (size_t)(end - p), id, strlen(id)));
            p = end + 1;
        }
    }
}

static void test_blocks(void **state)
{
    static const size_t sizes[] = {1, 2, 127, 128, 129, 511, 512, 513, N};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct slice *slice = slice_of(every(1, sizes[i]), NULL);

        expect_whole(slice);
        if (sizes[i] == N) /* 128 records each on average, give or take */
            assert_in_range(slice->n_blocks, N / 256, N / 64);
        slice_free(slice);
    }
}

/* Ids at which no block begins by itself: cut at the limit, so many records to a block. */
static void test_block_limit(void **state)
{
    uint32_t *numbers = calloc(N, sizeof(*numbers));
    struct slice *all = slice_of(every(1, N), NULL), *slice;
    size_t n = 0;

    (void)state;
    assert_non_null(numbers);
    for (size_t b = 0; b < all->n_blocks; b++)
        for (size_t i = first_of_block(all, b) + 1; i < end_of_block(all, b); i++)
            numbers[n++] = (uint32_t)i + 1;
    assert_true(n > 4 * BLOCK_MAX);
    slice = slice_of(listing_of_numbers(numbers, n), NULL);
    expect_whole(slice);
    assert_int_equal(slice->n_blocks, (n + BLOCK_MAX - 1) / BLOCK_MAX);
    for (size_t b = 0; b < slice->n_blocks; b++)
        assert_int_equal(first_of_block(slice, b), b * BLOCK_MAX);
    slice_free(slice);
    slice_free(all);
    free(numbers);
}

/* --- sharing --- */

static bool has_piece(const struct slice *slice, const struct piece *piece)
{
    for (size_t b = 0; b < slice->n_blocks; b++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
            for (size_t k = 0; k < pieces_in(slice, b, f); k++)
                if (piece_of(slice, b, f, k) == piece)
                    return true;
    return false;
}

struct share {
    size_t pieces;
    size_t shared;
};

static struct share share_of(const struct slice *slice, const struct slice *previous)
{
    struct share share = {0};

    for (size_t b = 0; b < slice->n_blocks; b++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
            for (size_t k = 0; k < pieces_in(slice, b, f); k++) {
                const struct piece *piece = piece_of(slice, b, f, k);

                share.pieces += piece != NULL;
                share.shared += piece && has_piece(previous, piece);
            }
    return share;
}

static void test_nothing_changed(void **state)
{
    struct slice *first = slice_of(every(1, FEW), NULL);
    struct slice *second = slice_of(every(1, FEW), first);
    struct share share = share_of(second, first);
    size_t len;

    (void)state;
    assert_int_equal(share.shared, share.pieces);
    assert_int_equal(second->n_blocks, first->n_blocks);
    for (size_t b = 0; b < first->n_blocks; b++)
        assert_ptr_equal(piece_of(second, b, JOBS, 0), piece_of(first, b, JOBS, 0));
    slice_free(first);
    /* The pieces live on. */
    expect_whole(second);
    assert_non_null(piece_text(piece_of(second, 0, JOBS, 0), &len));
    slice_free(second);
}

/* One value of one record: the piece of that family that holds the record, and no other. */
static void test_one_value_changed(void **state)
{
    static const size_t records[] = {0, 1, 100, FEW / 2, FEW - 1};
    struct slice *first = slice_of(every(1, FEW), NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct listing *listing = every(1, FEW);
        struct slice *second;
        size_t changed = block_of_record(first, records[i]);
        size_t piece = (records[i] - first_of_block(first, changed)) /
                       deployment_families[JOBS].records_per_piece;

        listing->items[records[i]].jobs[JOB_FAILED] += 1;
        second = slice_of(listing, first);
        assert_int_equal(second->n_blocks, first->n_blocks);
        for (size_t b = 0; b < first->n_blocks; b++)
            for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
                for (size_t k = 0; k < pieces_in(first, b, f); k++)
                    assert_int_equal(piece_of(second, b, f, k) == piece_of(first, b, f, k),
                                     !(b == changed && f == JOBS && k == piece));
        slice_free(second);
    }
    slice_free(first);
}

static void test_one_record_renamed(void **state)
{
    struct slice *first = slice_of(every(1, FEW), NULL), *second;
    struct listing *listing = every(1, FEW);
    size_t changed = block_of_record(first, 1234);
    size_t at = 1234 - first_of_block(first, changed);

    (void)state;
    listing->items[1234].name = "renamed";
    second = slice_of(listing, first);
    for (size_t b = 0; b < first->n_blocks; b++)
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++)
            for (size_t k = 0; k < pieces_in(first, b, f); k++)
                if (piece_of(first, b, f, k))
                    assert_int_equal(
                        piece_of(second, b, f, k) == piece_of(first, b, f, k),
                        !(b == changed && k == at / deployment_families[f].records_per_piece));
    slice_free(second);
    slice_free(first);
}

/*
 * Whatever changes in a record: what is rendered beside the slice before is what is rendered from
 * nothing. A family whose line forgets what it reads fails here.
 */
static void test_every_value(void **state)
{
    static const struct deployment_label labels[] = {{"label_env", "test"},
                                                     {"label_team", "payments"}};
    struct slice *first = slice_of(every(1, 300), NULL);

    (void)state;
    for (int change = 0; change < 25; change++) {
        struct listing *listing = every(1, 300);
        struct deployment *d = &listing->items[137];
        const char **strings[] = {
            &d->name,   &d->execution_mode, &d->engine_version,        &d->artifact_kind,
            &d->target, &d->target_mode,    &d->resource_setting_mode, &d->draft_id};
        int64_t *numbers[] = {&d->jobs[0],        &d->jobs[1],           &d->jobs[2],
                              &d->jobs[3],        &d->jobs[4],           &d->jobs[5],
                              &d->created_unix_s, &d->modified_unix_s,   &d->parallelism,
                              &d->max_slots,      &d->jobmanager_memory, &d->taskmanager_memory};

        if (change < 8)
            *strings[change] = "changed";
        else if (change < 20)
            *numbers[change - 8] += 17;
        else if (change == 20)
            d->jobmanager_cpu = 0.75;
        else if (change == 21)
            d->taskmanager_cpu = -1;
        else if (change == 22)
            d->has_changes = 1;
        else if (change == 23)
            d->status = STATUS_FAILED;
        else
            d->labels = labels;

        struct records *records = records_of(listing, first);
        struct slice *beside, *anew;
        struct err err;
        size_t differing = 0;

        assert_int_equal(slice_new(records, &usual, first, &beside, &err), 0);
        assert_int_equal(slice_new(records, &usual, NULL, &anew, &err), 0);
        records_unref(records);
        for (size_t f = 0; f < DEPLOYMENT_FAMILIES; f++) {
            CLEANUP(strbuf_release) struct strbuf a = STRBUF_INIT;
            CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
            CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;

            family_text(beside, f, &a);
            family_text(anew, f, &b);
            family_text(first, f, &before);
            assert_string_equal(strbuf_str(&a), strbuf_str(&b));
            differing += strcmp(strbuf_str(&a), strbuf_str(&before)) != 0;
        }
        assert_true(differing > 0);
        slice_free(beside);
        slice_free(anew);
    }
    slice_free(first);
}

/* The same on every run. */
static uint32_t next_random(uint32_t *x)
{
    *x = *x * 1103515245 + 12345;
    return *x >> 8;
}

/* The even numbers of every(2, N), with one odd number more or one number less. */
static struct listing *with_change(bool insert, size_t at)
{
    uint32_t *numbers = calloc(N + 1, sizeof(*numbers));
    struct listing *listing;
    size_t n = 0;

    assert_non_null(numbers);
    for (size_t i = 0; i < N; i++) {
        if (i != at || insert)
            numbers[n++] = (uint32_t)(i + 1) * 2;
        if (i == at && insert)
            numbers[n++] = (uint32_t)(i + 1) * 2 + 1;
    }
    listing = listing_of_numbers(numbers, n);
    free(numbers);
    return listing;
}

static void test_one_record_more_or_less(void **state)
{
    struct slice *first = slice_of(every(2, N), NULL);
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 6; round++) {
        bool insert = round % 2;
        size_t at = round < 2 ? 0 : round < 4 ? N - 1 : next_random(&seed) % N;
        struct slice *second = slice_of(with_change(insert, at), first);
        struct share share = share_of(second, first);

        if (round < 2)
            expect_whole(second);
        assert_int_equal(second->records->n_items, insert ? N + 1 : N - 1);
        assert_true(share.pieces > 300);
        assert_true(share.shared * 10 > share.pieces * 9);
        assert_true(share.shared < share.pieces);
        slice_free(second);
    }
    slice_free(first);
}

/* Where a block's first record goes, its rest joins the block before. */
static void test_first_record_of_a_block_goes(void **state)
{
    struct slice *first = slice_of(every(2, N), NULL);
    struct slice *second = slice_of(with_change(false, first_of_block(first, 3)), first);
    struct share share = share_of(second, first);

    (void)state;
    expect_whole(second);
    assert_int_equal(second->n_blocks, first->n_blocks - 1);
    assert_ptr_equal(piece_of(second, 4, JOBS, 0), piece_of(first, 5, JOBS, 0));
    assert_true(share.shared * 10 > share.pieces * 9);
    slice_free(second);
    slice_free(first);
}

/* Other options: what is still shown is shared, what was not there is rendered. */
static void test_other_options(void **state)
{
    struct slice *first = slice_of(every(1, 300), NULL), *second, *third;
    struct slice_options options = usual;
    const char *patterns[] = {"aliyun_flink_deployment_info"};
    const struct glob_list deny = {.patterns = patterns, .n_patterns = 1};
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf after = STRBUF_INIT;
    struct err err;

    (void)state;
    options.deny = &deny;
    assert_int_equal(slice_new(first->records, &options, first, &second, &err), 0);
    assert_null(piece_of(second, 0, INFO, 0));
    assert_ptr_equal(piece_of(second, 0, JOBS, 0), piece_of(first, 0, JOBS, 0));
    assert_int_equal(slice_new(first->records, &usual, second, &third, &err), 0);
    assert_ptr_equal(piece_of(third, 0, JOBS, 0), piece_of(first, 0, JOBS, 0));
    family_text(first, INFO, &before);
    family_text(third, INFO, &after);
    assert_true(after.len > 0);
    assert_string_equal(strbuf_str(&after), strbuf_str(&before));
    slice_free(third);
    slice_free(second);
    slice_free(first);
}

/* --- no memory --- */

/* Fails every allocation in turn. The records stay ours, the slice before is as it was. */
static size_t sweep(const struct slice *previous, const struct slice_options *options)
{
    for (size_t n = 1;; n++) {
        struct records *records = records_of(every(1, 100), previous);
        struct slice *slice = NULL;
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = slice_new(records, options, previous, &slice, &err);
        alloc_fail_off();
        assert_int_equal(records->n_items, 100);
        records_unref(records);
        if (rc == 0) { /* or what failed was only giving memory back */
            slice_free(slice);
            if (alloc_fail_count() < n)
                return n;
            continue;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(slice);
    }
}

static void test_no_memory(void **state)
{
    struct slice *same = slice_of(every(1, 100), NULL);
    struct listing *changed = every(1, 100);
    struct slice_options sums_only = usual;

    (void)state;
    changed->items[0].name = "other";
    struct slice *other = slice_of(changed, NULL);
    sums_only.without_deployments = true;
    assert_true(sweep(NULL, &usual) > 20);
    assert_true(sweep(same, &usual) > 5);
    assert_true(sweep(other, &usual) > 10);
    assert_int_equal(sweep(same, &sums_only), 2);
    expect_whole(same);
    slice_free(same);
    slice_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_records),
        cmocka_unit_test(test_absent_values),
        cmocka_unit_test(test_zero_is_a_value),
        cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_deny),
        cmocka_unit_test(test_without_deployments),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_block_limit),
        cmocka_unit_test(test_nothing_changed),
        cmocka_unit_test(test_one_value_changed),
        cmocka_unit_test(test_one_record_renamed),
        cmocka_unit_test(test_every_value),
        cmocka_unit_test(test_one_record_more_or_less),
        cmocka_unit_test(test_first_record_of_a_block_goes),
        cmocka_unit_test(test_other_options),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
