/*
 * The rules, with T = totalSize of page 1 and P = page size:
 *
 *   - Page 1 comes alone. Then pages 2..ceil(T/P) may be fetched side by side.
 *   - After those, one page at a time: while the highest page was full (T may be missing, zero or
 *     too small), or while a T that never wavered says there is more (the server may cut pages
 *     shorter than asked for). Not if the count equals such a T.
 *   - A page without objects, or with none that is new, ends the list: a T that is too large costs
 *     one request, not millions. So does a server that repeats its last page for ever.
 *   - ceil(max_records/P) + 1 pages at most. The one more tells "exactly full" from "too many".
 *
 * An object that cannot be read still counts towards T: the count is distinct ids + unreadable
 * ones.
 */
#include "paging.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t pages_for(uint64_t objects, uint32_t page_size)
{
    uint64_t pages = objects / page_size + (objects % page_size != 0);

    /* Room for one more, and UINT32_MAX means "no end known". */
    return pages > UINT32_MAX - 2 ? UINT32_MAX - 2 : (uint32_t)pages;
}

void paging_init(struct paging *p, enum record_kind kind, uint32_t page_size, int64_t max_records,
                 const struct ids_key *key)
{
    assert(page_size >= 1 && max_records >= 1);
    *p = (struct paging){
        .kind = kind,
        .page_size = page_size,
        .max_records = (size_t)max_records,
        .max_pages = pages_for((uint64_t)max_records, page_size) + 1,
        .next = 1,
        .last = UINT32_MAX,
        .total = -1,
        .total_min = -1,
    };
    ids_init(&p->ids, key);
}

void paging_init_parts(struct paging *p, enum record_kind kind, uint32_t n_parts,
                       int64_t max_records, const struct ids_key *key)
{
    assert(n_parts >= 1);
    paging_init(p, kind, 1, max_records, key);
    p->n_parts = n_parts;
}

void paging_release(struct paging *p)
{
    ids_release(&p->ids);
    free(p->records);
    p->records = NULL;
    p->cap_records = 0;
}

static size_t distinct(const struct paging *p)
{
    return p->ids.n_entries;
}

/* What came, in the terms of totalSize. */
static uint64_t count(const struct paging *p)
{
    return distinct(p) + p->invalid;
}

/* Every page announced the same T. */
static bool total_agreed(const struct paging *p)
{
    return p->total >= 0 && !p->total_varies;
}

static bool complete(const struct paging *p)
{
    return total_agreed(p) && (uint64_t)p->total == count(p);
}

/* Whether the list goes on behind the highest page, as far as its pages tell. */
static bool goes_on(const struct paging *p)
{
    if (p->overflow)
        return true;
    if (p->next > p->last || complete(p))
        return false;
    return p->top_full || (!p->top_empty && total_agreed(p) && (uint64_t)p->total > count(p));
}

static bool has_next(const struct paging *p)
{
    if (p->n_parts > 0)
        return p->next <= p->n_parts;
    if (p->next == 1)
        return true;
    if (p->top == 0 || p->overflow || p->next > p->last || p->next > p->max_pages)
        return false;
    if (p->next <= p->planned)
        return !complete(p);
    return p->outstanding == 0 && goes_on(p);
}

bool paging_next(struct paging *p, uint32_t *ret_page)
{
    if (!has_next(p))
        return false;
    *ret_page = p->next++;
    p->outstanding++;
    return true;
}

bool paging_wants(const struct paging *p, uint32_t number)
{
    return number <= p->last && !p->overflow;
}

void paging_abandon(struct paging *p, uint32_t number)
{
    assert(p->outstanding > 0 && !paging_wants(p, number));
    (void)number;
    p->outstanding--;
}

bool paging_done(const struct paging *p)
{
    return p->outstanding == 0 && !has_next(p);
}

static void add_total(struct paging *p, int64_t total)
{
    if (total < 0 || (p->top != 0 && total != p->total))
        p->total_varies = true;
    if (total < 0)
        return;
    if (p->total_min < 0 || total < p->total_min)
        p->total_min = total;
    p->total = total;
}

static int make_room(struct paging *p)
{
    if (distinct(p) < p->cap_records)
        return 0;
    size_t cap = p->cap_records ? p->cap_records * 2 : 128;
    struct paging_record *records = reallocarray(p->records, cap, sizeof(*records));
    if (!records)
        return -1;
    p->records = records;
    p->cap_records = cap;
    return 0;
}

static const char *id_of(const void *record)
{
    _Static_assert(offsetof(struct deployment, id) == 0 && offsetof(struct draft, id) == 0,
                   "records begin with their id");
    return *(const char *const *)record;
}

/* Of two records of one object the one from the later page is the fresher guess. */
static bool is_later(const struct paging_record *r, const struct paging_record *than)
{
    if (r->page != than->page)
        return r->page > than->page;
    return r->position > than->position;
}

/* Bytes behind the end count as 0, as in strcmp(). */
static uint64_t id_begin(const char *id)
{
    uint64_t begin = 0;
    unsigned shift = 64;

    while (*id && shift > 0) {
        shift -= 8;
        begin |= (uint64_t)(unsigned char)*id++ << shift;
    }
    return begin;
}

static int add_record(struct paging *p, const struct paging_record *r)
{
    size_t number;
    bool is_new;

    if (make_room(p) < 0 || ids_add(&p->ids, id_of(r->record), &number, &is_new) < 0)
        return -1;
    if (!is_new)
        p->duplicates++;
    if (is_new || is_later(r, &p->records[number]))
        p->records[number] = *r;
    return 0;
}

static int add_records(struct paging *p, uint32_t number, const struct page *page)
{
    const char *at = page->records;

    for (size_t i = 0; i < page->n_items; i++, at += record_kind_size(p->kind)) {
        const struct paging_record r = {
            .record = at, .id_begin = id_begin(id_of(at)), .page = number, .position = (uint32_t)i};
        /*
         * More per page than asked for: the bound on pages would not bound the memory. Those that
         * come again count, for their records stay in the arena all the same.
         */
        if (p->n_parts == 0 &&
            distinct(p) + p->duplicates >= (uint64_t)p->max_pages * p->page_size) {
            p->overflow = true;
            break;
        }
        if (add_record(p, &r) < 0)
            return -1;
    }
    return 0;
}

int paging_add(struct paging *p, uint32_t number, const struct page *page, struct err *err)
{
    uint64_t before = count(p);

    assert(p->outstanding > 0 && number >= 1 && number < p->next);
    p->outstanding--;
    add_total(p, page->total_size);
    if (p->top == 0) {
        uint32_t planned =
            page->total_size > 0 ? pages_for((uint64_t)page->total_size, p->page_size) : 1;
        p->planned = planned < p->max_pages ? planned : p->max_pages;
    }
    if (number > p->top) {
        p->top = number;
        p->top_full = page->n_objects >= p->page_size;
        p->top_empty = page->n_objects == 0;
    }
    if (add_records(p, number, page) < 0)
        return err_nomem(err, "list of records");
    p->invalid += page->invalid;
    p->too_long += page->too_long;
    p->invalid_utf8 += page->invalid_utf8;
    if (p->n_parts > 0)
        return 0;
    if (count(p) == before && number < p->last)
        p->last = number;
    if (count(p) == before && page->n_objects > 0)
        p->repeats = true;
    return 0;
}

enum paging_verdict paging_verdict(const struct paging *p)
{
    assert(paging_done(p));
    if (p->n_parts > 0)
        return PAGING_WHOLE;
    if (complete(p) && !p->overflow)
        return PAGING_WHOLE;
    if (p->overflow || (p->next > p->max_pages && goes_on(p))) {
        bool beyond = p->total_min > 0 && (uint64_t)p->total_min > p->max_records;
        bool always_the_same = p->overflow && distinct(p) < p->max_records;
        if (!beyond || always_the_same)
            return PAGING_ENDLESS;
        return total_agreed(p) ? PAGING_LIMITED : PAGING_SHIFTING;
    }
    /* Nothing at all although something is announced: to believe it would end every series. */
    if (count(p) == 0 && p->total_min > 0)
        return PAGING_BROKEN;
    /* A server that takes no notice of the page number would otherwise pass: it lists alike twice.
     */
    if (p->repeats && total_agreed(p) && (uint64_t)p->total > count(p))
        return PAGING_BROKEN;
    return PAGING_DOUBTFUL;
}

char *paging_describe(const struct paging *p, char buf[PAGING_TEXT_LEN])
{
    char total[64];

    if (p->total < 0)
        snprintf(total, sizeof(total), "no totalSize");
    else
        snprintf(total, sizeof(total), "totalSize %lld%s", (long long)p->total,
                 p->total_varies ? " (not on every page)" : "");
    snprintf(buf, PAGING_TEXT_LEN,
             "%s, but %zu %ss on %u pages of %u (%llu duplicates, %llu unreadable)", total,
             distinct(p), record_kind_name(p->kind), (unsigned)p->top, (unsigned)p->page_size,
             (unsigned long long)p->duplicates, (unsigned long long)p->invalid);
    return buf;
}

struct paging_outcome paging_outcome(const struct paging *p)
{
    return (struct paging_outcome){
        .verdict = paging_verdict(p),
        .ids = ids_fingerprint(&p->ids),
        .invalid = p->invalid,
    };
}

bool paging_outcome_equal(const struct paging_outcome *a, const struct paging_outcome *b)
{
    return a->verdict == b->verdict && ids_fingerprint_equal(a->ids, b->ids) &&
           a->invalid == b->invalid;
}

static int by_page(const void *left, const void *right)
{
    const struct paging_record *a = left;
    const struct paging_record *b = right;

    if (a->page != b->page)
        return a->page < b->page ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

static int by_id(const void *left, const void *right)
{
    const struct paging_record *a = left;
    const struct paging_record *b = right;

    if (a->id_begin != b->id_begin)
        return a->id_begin < b->id_begin ? -1 : 1;
    return strcmp(id_of(a->record), id_of(b->record));
}

int paging_finish(const struct paging *p, struct listing *listing, struct err *err)
{
    size_t n = distinct(p);
    size_t kept = n < p->max_records ? n : p->max_records;
    uint64_t left_out = n - kept;

    /* What was announced and never fetched, or fetched and left out: whichever is more. */
    if (paging_verdict(p) == PAGING_LIMITED && (uint64_t)p->total > count(p))
        left_out += (uint64_t)p->total - count(p);
    const size_t size = record_kind_size(p->kind);
    char *items = arena_calloc(listing->arena, kept, size);
    if (!items)
        return err_nomem(err, "listing");
    if (n > 0) {
        CLEANUP(freep) struct paging_record *sorted = reallocarray(NULL, n, sizeof(*sorted));
        if (!sorted)
            return err_nomem(err, "listing");
        memcpy(sorted, p->records, n * sizeof(*sorted));
        /* In page order, so that the choice does not depend on which reply was fastest. */
        if (kept < n)
            qsort(sorted, n, sizeof(*sorted), by_page);
        qsort(sorted, kept, sizeof(*sorted), by_id);
        for (size_t i = 0; i < kept; i++)
            memcpy(items + i * size, sorted[i].record, size);
    }
    listing->kind = p->kind;
    listing->records = items;
    listing->n_items = kept;
    listing->expected = p->n_parts > 0 ? -1 : p->total;
    listing->duplicates = p->duplicates;
    listing->invalid = p->invalid;
    listing->over_limit = left_out;
    listing->too_long = p->too_long;
    listing->invalid_utf8 = p->invalid_utf8;
    return 0;
}
