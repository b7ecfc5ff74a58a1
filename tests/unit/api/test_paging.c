/*
 * A pretended server answers the pages that paging asks for, truthfully or not, and several
 * "connections" bring the answers back in the order they were asked, in reverse, or at random.
 */
#include "paging.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"

enum order { FIRST_FIRST, LAST_FIRST, AT_RANDOM };

enum { AS_IT_IS = -2, MISSING = -1, IN_FLIGHT_MAX = 16 };

static const struct ids_key key = {{1, 2}};

/* The server, its lies, and how it is asked. Zero means harmless. */
struct world {
    size_t n; /* deployments that exist */
    uint32_t page_size;
    int64_t max;
    size_t in_flight;
    enum order order;
    uint64_t seed;

    bool lies;
    int64_t total;      /* totalSize, with lies */
    uint32_t from_page; /* the lie begins here; 0 = everywhere */
    size_t cut;         /* pages hold no more than this, whatever was asked for */
    bool ignores_page;  /* every page is page 1 */
    bool repeats_last;  /* pages behind the end are the last one again */
    bool endless;
    uint32_t shift_from; /* from this page on objects moved up by shift_by (deletions) ... */
    long shift_by;       /* ... or down (insertions), if negative */
    size_t invalid_each; /* every n-th object has no id */

    size_t requests;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static size_t first_object(const struct world *w, uint32_t number, size_t page_size)
{
    size_t start = w->ignores_page ? 0 : (size_t)(number - 1) * page_size;

    if (w->shift_from && number >= w->shift_from)
        start = (size_t)((long)start + w->shift_by);
    if (w->repeats_last && w->n > 0 && start >= w->n)
        start = (w->n - 1) / page_size * page_size;
    return start;
}

static void serve(struct world *w, uint32_t number, struct arena *arena, struct page *page)
{
    size_t page_size = w->cut && w->cut < w->page_size ? w->cut : w->page_size;
    size_t start = first_object(w, number, page_size);
    size_t end = start + page_size;

    if (!w->endless && end > w->n)
        end = w->n;
    if (start > end)
        start = end;
    w->requests++;
    *page = (struct page){.total_size = (int64_t)w->n};
    if (w->lies && number >= w->from_page && w->total != AS_IT_IS)
        page->total_size = w->total;
    page->items = arena_calloc(arena, end - start, sizeof(*page->items));
    if (!page->items)
        return;
    for (size_t i = start; i < end; i++) {
        char id[24];
        page->n_objects++;
        if (w->invalid_each && i % w->invalid_each == 0) {
            page->invalid++;
            continue;
        }
        snprintf(id, sizeof(id), "id-%07zu", i);
        char *kept = arena_strdup(arena, id);
        if (!kept)
            return;
        page->items[page->n_items++] = (struct deployment){.id = kept, .name = ""};
    }
}

static size_t pick(struct world *w, size_t n)
{
    switch (w->order) {
    case FIRST_FIRST:
        return 0;
    case LAST_FIRST:
        return n - 1;
    case AT_RANDOM:
        return (size_t)(next_random(&w->seed) % n);
    }
    return 0;
}

/* One pass, as the client makes it. The records are in the arena of the listing. */
static int run_pass(struct world *w, struct paging *p, struct listing *listing, struct err *err)
{
    uint32_t in_flight[IN_FLIGHT_MAX];
    size_t n = 0;
    size_t most = w->in_flight ? w->in_flight : 1;

    w->requests = 0;
    paging_init(p, RECORD_DEPLOYMENT, w->page_size, w->max ? w->max : 100000, &key);
    while (!paging_done(p)) {
        struct page page;
        uint32_t number;

        while (n < most && paging_next(p, &number))
            in_flight[n++] = number;
        assert_true(n > 0); /* else nobody would ever be done */
        size_t i = pick(w, n);
        number = in_flight[i];
        memmove(&in_flight[i], &in_flight[i + 1], (n - i - 1) * sizeof(in_flight[0]));
        n--;
        serve(w, number, listing->arena, &page);
        if (!page.items)
            return err_nomem(err, "server");
        if (paging_add(p, number, &page, err) < 0)
            return -1;
        for (size_t k = 0; k < n;) {
            if (paging_wants(p, in_flight[k])) {
                k++;
                continue;
            }
            paging_abandon(p, in_flight[k]);
            memmove(&in_flight[k], &in_flight[k + 1], (n - k - 1) * sizeof(in_flight[0]));
            n--;
        }
    }
    return 0;
}

static void check_sorted(const struct listing *listing)
{
    for (size_t i = 1; i < listing->n_items; i++)
        assert_true(strcmp(listing->items[i - 1].id, listing->items[i].id) < 0);
}

/* Runs the world, checks what must always hold, and returns the finished listing. */
static struct listing *list(struct world *w, enum paging_verdict expected)
{
    struct err err = {0};
    struct paging p;
    struct listing *listing = listing_new();

    assert_non_null(listing);
    assert_int_equal(run_pass(w, &p, listing, &err), 0);
    assert_true(w->requests <= p.max_pages);
    if (paging_verdict(&p) != expected) {
        char text[PAGING_TEXT_LEN];
        fail_msg("verdict %d, not %d: %s", (int)paging_verdict(&p), (int)expected,
                 paging_describe(&p, text));
    }
    assert_int_equal(paging_finish(&p, listing, &err), 0);
    check_sorted(listing);
    paging_release(&p);
    return listing;
}

static void expect(struct world w, enum paging_verdict verdict, size_t items, size_t requests)
{
    CLEANUP(listing_freep) struct listing *listing = list(&w, verdict);

    assert_int_equal(listing->n_items, items);
    if (requests)
        assert_int_equal(w.requests, requests);
}

static void test_sizes(void **state)
{
    static const size_t sizes[] = {0, 1, 99, 100, 101, 199, 200, 1000, 10000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t pages = sizes[i] ? (sizes[i] + 99) / 100 : 1;
        for (enum order order = FIRST_FIRST; order <= AT_RANDOM; order++)
            for (size_t in_flight = 1; in_flight <= 8; in_flight += 7)
                expect((struct world){.n = sizes[i],
                                      .page_size = 100,
                                      .in_flight = in_flight,
                                      .order = order,
                                      .seed = i + 1},
                       PAGING_WHOLE, sizes[i], pages);
    }
}

static void test_any_size_and_order(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct world w = {
            .n = next_random(&seed) % 500,
            .page_size = (uint32_t)(next_random(&seed) % 60 + 1),
            .in_flight = next_random(&seed) % IN_FLIGHT_MAX + 1,
            .order = AT_RANDOM,
            .seed = next_random(&seed),
            .invalid_each = next_random(&seed) % 4 == 0 ? 7 : 0,
        };
        size_t invalid = w.invalid_each ? (w.n + 6) / 7 : 0;
        size_t pages = w.n ? (w.n + w.page_size - 1) / w.page_size : 1;
        expect(w, PAGING_WHOLE, w.n - invalid, pages);
    }
}

static void test_page_1_comes_alone(void **state)
{
    struct paging p;
    struct err err;
    struct page page = {.n_objects = 0, .total_size = 0};
    uint32_t number = 0;

    (void)state;
    paging_init(&p, RECORD_DEPLOYMENT, 100, 1000, &key);
    assert_false(paging_done(&p));
    assert_true(paging_next(&p, &number));
    assert_int_equal(number, 1);
    assert_false(paging_next(&p, &number));
    assert_false(paging_done(&p));
    assert_int_equal(paging_add(&p, 1, &page, &err), 0);
    assert_false(paging_next(&p, &number));
    assert_true(paging_done(&p));
    assert_int_equal(paging_verdict(&p), PAGING_WHOLE);
    paging_release(&p);
}

/* totalSize missing or wrong: all objects are found all the same, and nothing is taken for whole.
 */
static void test_total_size_lies(void **state)
{
    static const struct {
        size_t n;
        int64_t total;
        uint32_t from_page;
        size_t requests; /* one at a time */
    } lies[] = {
        {250, MISSING, 0, 3},                   /* never there */
        {300, MISSING, 0, 4},                   /* the end shows only by an empty page */
        {0, MISSING, 0, 1},                     /* an empty list that does not say so */
        {250, 0, 0, 3},                         /* zero, though page 1 is full */
        {300, 0, 0, 4},                         /* */
        {50, 0, 0, 1},                          /* */
        {250, 150, 0, 3},                       /* too small */
        {250, 99, 0, 3},                        /* smaller than what page 1 holds */
        {250, 251, 0, 4},                       /* too large */
        {250, 300, 0, 4},                       /* */
        {250, 90000, 0, 4},                     /* pages that do not exist are not asked for */
        {250, INT64_C(9007199254740991), 0, 4}, /* */
        {250, MISSING, 2, 3},                   /* there at first */
        {250, 240, 3, 3},                       /* changes on the last page */
        {250, 260, 2, 3},                       /* */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct world w = {.n = lies[i].n,
                          .page_size = 100,
                          .lies = true,
                          .total = lies[i].total,
                          .from_page = lies[i].from_page};
        expect(w, PAGING_DOUBTFUL, lies[i].n, lies[i].requests);
        for (w.order = FIRST_FIRST; w.order <= AT_RANDOM; w.order++) {
            w.in_flight = 8;
            CLEANUP(listing_freep) struct listing *listing = list(&w, PAGING_DOUBTFUL);
            assert_int_equal(listing->n_items, lies[i].n);
            assert_true(w.requests <= lies[i].requests + w.in_flight);
        }
    }
    /* Not even if it is listed alike twice: an outage is better than every series gone. */
    expect((struct world){.page_size = 100, .lies = true, .total = 5}, PAGING_BROKEN, 0, 1);
}

static void test_expected_is_what_was_announced(void **state)
{
    static const struct {
        struct world w;
        int64_t expected;
        enum paging_verdict verdict;
    } cases[] = {
        {{.n = 250, .page_size = 100}, 250, PAGING_WHOLE},
        {{.n = 250, .page_size = 100, .lies = true, .total = MISSING}, -1, PAGING_DOUBTFUL},
        {{.n = 250, .page_size = 100, .lies = true, .total = 7}, 7, PAGING_DOUBTFUL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w = cases[i].w;
        CLEANUP(listing_freep) struct listing *listing = list(&w, cases[i].verdict);
        assert_int_equal(listing->expected, cases[i].expected);
    }
}

static void test_pages_shorter_than_asked_for(void **state)
{
    (void)state;
    expect((struct world){.n = 1000, .page_size = 100, .cut = 50, .in_flight = 4}, PAGING_WHOLE,
           1000, 20);
    expect((struct world){.n = 1001, .page_size = 100, .cut = 50, .in_flight = 4}, PAGING_WHOLE,
           1001, 21);
}

static void test_list_that_shifts(void **state)
{
    /* Three objects deleted while we read: three others slip through, the count says so. */
    struct world deleted = {.n = 500, .page_size = 100, .shift_from = 3, .shift_by = 3};
    /* Three inserted: three come twice, as many as the last page now holds are missing. */
    struct world inserted = {.n = 500, .page_size = 100, .shift_from = 3, .shift_by = -3};

    (void)state;
    CLEANUP(listing_freep) struct listing *without = list(&deleted, PAGING_DOUBTFUL);
    assert_int_equal(without->n_items, 497);
    CLEANUP(listing_freep) struct listing *with = list(&inserted, PAGING_WHOLE);
    /* The list went on because the last page was full and the count not reached: nothing is lost.
     */
    assert_int_equal(with->n_items, 500);
    assert_int_equal(with->duplicates, 3);
    assert_int_equal(inserted.requests, 6);
}

/* Page `number` holds the deployments "a" and "b", whose name says where they were seen. */
static void add_a_and_b(struct paging *p, uint32_t number, struct arena *arena)
{
    struct err err;
    struct page page = {.n_items = 2, .n_objects = 2, .total_size = 6};
    char name[16];

    snprintf(name, sizeof(name), "page %u", (unsigned)number);
    page.items = arena_calloc(arena, 2, sizeof(*page.items));
    assert_non_null(page.items);
    for (size_t i = 0; i < 2; i++)
        page.items[i] =
            (struct deployment){.id = i == 0 ? "a" : "b", .name = arena_strdup(arena, name)};
    assert_int_equal(paging_add(p, number, &page, &err), 0);
}

static void test_the_later_page_wins(void **state)
{
    static const uint32_t orders[][3] = {{1, 2, 3}, {1, 3, 2}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct paging p;
        uint32_t number;
        struct err err;
        CLEANUP(listing_freep) struct listing *listing = listing_new();

        paging_init(&p, RECORD_DEPLOYMENT, 2, 100, &key);
        assert_true(paging_next(&p, &number));
        for (size_t k = 0; k < 3; k++) {
            add_a_and_b(&p, orders[i][k], listing->arena);
            while (paging_next(&p, &number))
                ;
        }
        assert_int_equal(paging_finish(&p, listing, &err), 0);
        assert_int_equal(listing->n_items, 2);
        assert_int_equal(listing->duplicates, 4);
        assert_string_equal(listing->items[0].name, "page 3");
        assert_string_equal(listing->items[1].name, "page 3");
        paging_release(&p);
    }
}

static void test_pages_that_repeat(void **state)
{
    (void)state;
    /* The page number is ignored, and totalSize knows better: never whole. */
    expect((struct world){.n = 1000, .page_size = 100, .ignores_page = true}, PAGING_BROKEN, 100,
           2);
    CLEANUP(listing_freep)
    struct listing *wide = list(
        &(struct world){
            .n = 1000, .page_size = 100, .ignores_page = true, .in_flight = 8, .order = LAST_FIRST},
        PAGING_BROKEN);
    assert_int_equal(wide->n_items, 100);
    /* Pages behind the end repeat the last one: the way some APIs mean "no more". */
    expect(
        (struct world){
            .n = 300, .page_size = 100, .repeats_last = true, .lies = true, .total = MISSING},
        PAGING_DOUBTFUL, 300, 4);
    expect((struct world){.n = 300, .page_size = 100, .repeats_last = true}, PAGING_WHOLE, 300, 3);
}

static void test_endless(void **state)
{
    struct world w = {.n = 10, .page_size = 100, .max = 1000, .endless = true, .in_flight = 4};

    (void)state;
    w.lies = true;
    w.total = MISSING;
    expect(w, PAGING_ENDLESS, 1000, 11);
    w.total = 0;
    expect(w, PAGING_ENDLESS, 1000, 11);
    w.total = 950;
    expect(w, PAGING_ENDLESS, 1000, 11);
    /* Said to be larger than the limit, by every page: limited, and no page beyond the cap. */
    w.total = 1001;
    expect(w, PAGING_LIMITED, 1000, 11);
}

static void test_max_deployments(void **state)
{
    static const struct {
        struct world w;
        enum paging_verdict verdict;
        size_t items;
        uint64_t over_limit;
    } cases[] = {
        {{.n = 1000, .page_size = 100, .max = 1000}, PAGING_WHOLE, 1000, 0},
        {{.n = 1001, .page_size = 100, .max = 1000}, PAGING_WHOLE, 1000, 1},
        {{.n = 1050, .page_size = 100, .max = 1000}, PAGING_WHOLE, 1000, 50},
        {{.n = 1100, .page_size = 100, .max = 1000}, PAGING_WHOLE, 1000, 100},
        {{.n = 5000, .page_size = 100, .max = 1000}, PAGING_LIMITED, 1000, 4000},
        {{.n = 5000, .page_size = 100, .max = 1}, PAGING_LIMITED, 1, 4999},
        {{.n = 5000, .page_size = 1, .max = 1}, PAGING_LIMITED, 1, 4999},
        {{.n = 5000, .page_size = 100, .max = 950}, PAGING_LIMITED, 950, 4050},
        /* Ended by itself below the cap: nothing is known but what came. */
        {{.n = 1050, .page_size = 100, .max = 1000, .lies = true, .total = MISSING},
         PAGING_DOUBTFUL,
         1000,
         50},
        /* More came than was announced: never fewer than those seen and left out. */
        {{.n = 5000, .page_size = 100, .max = 1000, .lies = true, .total = 1050},
         PAGING_LIMITED,
         1000,
         100},
        /* Some come twice: they count once, and what is not kept is over the limit. */
        {{.n = 5000, .page_size = 100, .max = 990, .shift_from = 3, .shift_by = -99},
         PAGING_LIMITED,
         990,
         4010},
        {{.n = 5000, .page_size = 100, .max = 1100, .cut = 90, .shift_from = 3, .shift_by = -80},
         PAGING_LIMITED,
         1000,
         4000},
        /* totalSize says 2000 on some pages, 5000 on others. */
        {{.n = 5000, .page_size = 100, .max = 1000, .lies = true, .total = 2000, .from_page = 4},
         PAGING_SHIFTING,
         1000,
         100},
        /* And here one of them says that everything fits. */
        {{.n = 5000, .page_size = 100, .max = 1000, .lies = true, .total = 900, .from_page = 4},
         PAGING_ENDLESS,
         1000,
         100},
        /* Unreadable objects count towards totalSize, but are not over the limit. */
        {{.n = 5000, .page_size = 100, .max = 500, .invalid_each = 10}, PAGING_LIMITED, 500, 4440},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w = cases[i].w;
        CLEANUP(listing_freep) struct listing *listing = list(&w, cases[i].verdict);
        assert_int_equal(listing->n_items, cases[i].items);
        assert_int_equal(listing->over_limit, cases[i].over_limit);
    }
}

/* Which objects are kept must not depend on which reply was faster. */
static void test_limit_keeps_the_same(void **state)
{
    struct world w = {.n = 5000, .page_size = 100, .max = 950, .in_flight = 8};

    (void)state;
    for (w.order = FIRST_FIRST; w.order <= AT_RANDOM; w.order++) {
        CLEANUP(listing_freep) struct listing *listing = list(&w, PAGING_LIMITED);
        assert_int_equal(listing->n_items, 950);
        assert_string_equal(listing->items[0].id, "id-0000000");
        assert_string_equal(listing->items[949].id, "id-0000949");
    }
}

static void test_more_per_page_than_asked_for(void **state)
{
    struct arena *arena = arena_new();
    struct world w = {.n = 100000, .page_size = 1000};
    struct paging p;
    struct page page;
    struct err err;
    uint32_t number;

    (void)state;
    serve(&w, 1, arena, &page);
    /* Asked for pages of 2 and at most 10 objects, 1000 come: room for 6 pages of 2 is made. */
    for (int lie = 0; lie < 2; lie++) {
        struct listing *listing = listing_new();
        paging_init(&p, RECORD_DEPLOYMENT, 2, 10, &key);
        assert_true(paging_next(&p, &number));
        page.total_size = lie ? MISSING : 100000;
        assert_int_equal(paging_add(&p, 1, &page, &err), 0);
        assert_true(paging_done(&p));
        assert_int_equal(p.ids.n_entries, 12);
        assert_int_equal(paging_verdict(&p), lie ? PAGING_ENDLESS : PAGING_LIMITED);
        assert_int_equal(paging_finish(&p, listing, &err), 0);
        assert_int_equal(listing->n_items, 10);
        assert_int_equal(listing->over_limit, lie ? 2 : 99990);
        listing_free(listing);
        paging_release(&p);
    }
    arena_free(arena);
}

/* Every page holds far more than asked for, and but one of them is known: records that are kept. */
static void test_memory_of_known_objects_is_bounded(void **state)
{
    enum { PER_PAGE = 500 };
    struct arena *arena = arena_new();
    uint32_t number;

    (void)state;
    for (int lie = 0; lie < 2; lie++) {
        struct paging p;
        struct page page;
        struct err err;
        size_t records = 0;

        paging_init(&p, RECORD_DEPLOYMENT, 100, 1000, &key);
        while (paging_next(&p, &number)) {
            struct world w = {.n = 100000, .page_size = PER_PAGE};
            serve(&w, 1, arena, &page);
            page.total_size = lie ? MISSING : 100000;
            page.items[0].id = arena_strdup(arena, (char[]){(char)('a' + number), '\0'});
            records += page.n_items;
            assert_int_equal(paging_add(&p, number, &page, &err), 0);
        }
        assert_true(paging_done(&p));
        /* Room for 1,100, and the page that passes it. */
        assert_true(records <= 1100 + PER_PAGE);
        /* Not a listing cut at max_deployments: that many never came. */
        assert_int_equal(paging_verdict(&p), PAGING_ENDLESS);
        paging_release(&p);
    }
    arena_free(arena);
}

static void test_unreadable_objects(void **state)
{
    struct world w = {.n = 250, .page_size = 100, .invalid_each = 5};

    (void)state;
    CLEANUP(listing_freep) struct listing *listing = list(&w, PAGING_WHOLE);
    assert_int_equal(listing->n_items, 200);
    assert_int_equal(listing->invalid, 50);
    assert_int_equal(listing->duplicates, 0);
    /* None of them readable: not a page that repeats, and not a list that is over. */
    expect((struct world){.n = 250, .page_size = 100, .invalid_each = 1}, PAGING_WHOLE, 0, 3);
}

static void test_outcomes_compare(void **state)
{
    static const struct world worlds[] = {
        {.n = 250, .page_size = 100, .lies = true, .total = MISSING},
        {.n = 250, .page_size = 50, .lies = true, .total = 7, .in_flight = 8, .order = LAST_FIRST},
        {.n = 251, .page_size = 100, .lies = true, .total = MISSING},
        {.n = 250, .page_size = 100, .lies = true, .total = MISSING, .invalid_each = 100},
        {.n = 1250, .page_size = 100, .lies = true, .total = 3, .shift_from = 1, .shift_by = 1000},
        /* The same 250 objects, but what is broken does not vouch for what is doubtful. */
        {.n = 250, .page_size = 100, .repeats_last = true, .lies = true, .total = 1000},
    };
    struct paging_outcome outcomes[ARRAY_LEN(worlds)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
        struct world w = worlds[i];
        struct paging p;
        struct err err;
        CLEANUP(listing_freep) struct listing *listing = listing_new();
        assert_int_equal(run_pass(&w, &p, listing, &err), 0);
        outcomes[i] = paging_outcome(&p);
        paging_release(&p);
    }
    assert_true(paging_outcome_equal(&outcomes[0], &outcomes[1]));
    for (size_t i = 2; i < ARRAY_LEN(worlds); i++)
        assert_false(paging_outcome_equal(&outcomes[0], &outcomes[i]));
}

static void test_ids(void **state)
{
    enum { N = 100000 };
    struct arena *arena = arena_new();
    struct ids ids;
    size_t number = 0;
    bool is_new = false;

    (void)state;
    ids_init(&ids, &key);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < N; i++) {
            char id[64];
            snprintf(id, sizeof(id), "%.*s%zu", (int)(i % 40),
                     "0123456789012345678901234567890123456789", i * 7919);
            assert_int_equal(ids_add(&ids, arena_strdup(arena, id), &number, &is_new), 0);
            assert_int_equal(is_new, round == 0);
            assert_int_equal(number, i);
        }
        assert_int_equal(ids.n_entries, N);
    }
    assert_int_equal(ids_add(&ids, "", &number, &is_new), 0);
    assert_true(is_new);
    ids_release(&ids);
    arena_free(arena);
}

static void test_description(void **state)
{
    struct world w = {.n = 250, .page_size = 100, .lies = true, .total = 240, .from_page = 3};
    struct paging p;
    struct err err;
    char text[PAGING_TEXT_LEN];
    CLEANUP(listing_freep) struct listing *listing = listing_new();

    (void)state;
    assert_int_equal(run_pass(&w, &p, listing, &err), 0);
    assert_string_equal(paging_describe(&p, text),
                        "totalSize 240 (not on every page), but 250 deployments on 3 pages of 100 "
                        "(0 duplicates, 0 unreadable)");
    paging_release(&p);
}

/* The wrapped allocators are malloc, calloc and realloc; this leads the fourth one to them. */
void *__wrap_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return realloc(old, n * size);
}

static void test_memory_runs_out(void **state)
{
    size_t n = 1;

    (void)state;
    for (;; n++) {
        struct world w = {.n = 1000, .page_size = 100, .in_flight = 4};
        struct err err = {0};
        struct paging p;
        struct listing *listing = listing_new();

        alloc_fail_at(n);
        int rc = run_pass(&w, &p, listing, &err);
        if (rc == 0)
            rc = paging_finish(&p, listing, &err);
        alloc_fail_off();
        paging_release(&p);
        listing_free(listing);
        if (alloc_fail_count() < n)
            break;
        /* A server of this test that has no memory serves fewer objects, which is no error. */
        assert_true(rc == 0 || err.kind == ERR_NOMEM);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_any_size_and_order),
        cmocka_unit_test(test_page_1_comes_alone),
        cmocka_unit_test(test_total_size_lies),
        cmocka_unit_test(test_expected_is_what_was_announced),
        cmocka_unit_test(test_pages_shorter_than_asked_for),
        cmocka_unit_test(test_list_that_shifts),
        cmocka_unit_test(test_the_later_page_wins),
        cmocka_unit_test(test_pages_that_repeat),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_max_deployments),
        cmocka_unit_test(test_limit_keeps_the_same),
        cmocka_unit_test(test_more_per_page_than_asked_for),
        cmocka_unit_test(test_memory_of_known_objects_is_bounded),
        cmocka_unit_test(test_unreadable_objects),
        cmocka_unit_test(test_outcomes_compare),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
