/*
 * One pass over a paged list: which page next, when it ends, and whether what came is all there is.
 *
 * Pure: pages in, decisions out; no network, no clock. Pages are handed out from 1 upwards and may
 * come back in any order. The API has page numbers and a totalSize, but no cursor and no snapshot
 * (page ListDeployments): objects move while we read, and totalSize is a claim to be checked.
 *
 * The records are borrowed: they live in the arena of the listing that paging_finish() fills.
 */
#ifndef PAGING_H
#define PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "ids.h"
#include "model/listing.h"
#include "page.h"

enum paging_verdict {
    PAGING_WHOLE,    /* every page announced the same totalSize, and so many objects came */
    PAGING_LIMITED,  /* there are more than max_deployments, as every page announced */
    PAGING_DOUBTFUL, /* totalSize and the objects disagree: whole only if listed alike twice */
    PAGING_BROKEN, /* pages repeat, or none has anything, while totalSize says more: never whole */
    PAGING_SHIFTING, /* more than max_deployments, but totalSize changed: worth a second pass */
    PAGING_ENDLESS,  /* the page cap was reached and nobody can say how much is missing */
};

struct paging_record {
    const void *record; /* begins with its id, see model/listing.h */
    uint64_t id_begin;  /* the first bytes of its id, as a number that sorts like them */
    uint32_t page;      /* that it came on */
    uint32_t position;  /* on its page */
};

struct paging {
    enum record_kind kind;
    uint32_t n_parts; /* see paging_init_parts; 0 = a paged list */
    uint32_t page_size;
    size_t max_records;
    uint32_t max_pages; /* never asked for more: the guard against a list without end */

    uint32_t next;        /* the page to hand out next */
    uint32_t outstanding; /* handed out, neither added nor abandoned */
    uint32_t planned;     /* pages that page 1 spoke of */
    uint32_t last;        /* no page above this matters; UINT32_MAX until one held nothing new */
    uint32_t top;         /* highest page added; 0 = none yet */
    bool top_full;
    bool top_empty;
    bool repeats;  /* some page had objects, but none that was new */
    bool overflow; /* more records came, known ones too, than max_pages pages can hold */

    int64_t total; /* totalSize as announced last; -1 = never */
    int64_t total_min;
    bool total_varies; /* or was missing on some page */

    struct ids ids;
    struct paging_record *records; /* by the number of their id */
    size_t cap_records;
    uint64_t duplicates;
    uint64_t invalid;
    uint64_t too_long;
    uint64_t invalid_utf8;
};

/* page_size and max_records are at least 1. Copies the key. */
void paging_init(struct paging *p, enum record_kind kind, uint32_t page_size, int64_t max_records,
                 const struct ids_key *key);
/*
 * Instead of a paged list: n_parts answers that have nothing to do with each other, one for each
 * "page" from 1 on. All are asked for, and what they hold together is the whole.
 */
void paging_init_parts(struct paging *p, enum record_kind kind, uint32_t n_parts,
                       int64_t max_records, const struct ids_key *key);
void paging_release(struct paging *p);

/* Hands out the next page; false if there is none (now, or for good: see paging_done). */
bool paging_next(struct paging *p, uint32_t *ret_page);

/* A page that was handed out has come. -1 when memory is out. */
int paging_add(struct paging *p, uint32_t number, const struct page *page,
               struct err *err) MUST_CHECK;

/* False once a lower page has shown that this one cannot hold anything: abandon it, do not wait. */
bool paging_wants(const struct paging *p, uint32_t number);
void paging_abandon(struct paging *p, uint32_t number);

/* Nothing is outstanding and nothing left to ask for. */
bool paging_done(const struct paging *p);

/* What the pages amount to. Only when done. */
enum paging_verdict paging_verdict(const struct paging *p);

/* "totalSize 250, but 249 deployments on 3 pages (1 duplicate)", for messages. Returns buf. */
#define PAGING_TEXT_LEN 224
char *paging_describe(const struct paging *p, char buf[PAGING_TEXT_LEN]);

/*
 * What to compare with the other pass: ids and unreadable objects, and the verdict, for a pass that
 * broke cannot vouch for another one. Only when done.
 */
struct paging_outcome {
    enum paging_verdict verdict;
    struct ids_fingerprint ids;
    uint64_t invalid;
};
struct paging_outcome paging_outcome(const struct paging *p);
bool paging_outcome_equal(const struct paging_outcome *a, const struct paging_outcome *b);

/*
 * Fills the listing: the items sorted by id in its arena, at most max_records (the first ones
 * in page order), and the counts, except pages. -1 when memory is out.
 */
int paging_finish(const struct paging *p, struct listing *listing, struct err *err) MUST_CHECK;

#endif
