/*
 * What a page is, and what a refusal says: what decoding gives to those who ask for pages.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/glob.h"
#include "model/job.h"
#include "model/listing.h"
#include "retry.h"

struct page_kind;

struct page_options {
    const struct page_kind *kind;
    const struct glob_list *labels; /* allowlist, matched against the key as it came */
    size_t page_size;               /* as many objects were asked for */
    size_t max_items;               /* more of them on one page is ERR_LIMIT */
};

struct page {
    union { /* as the kind says; in the arena */
        struct deployment *items;
        struct draft *drafts;
        struct job_record *jobs;
        void *records;
    };
    size_t n_items;
    size_t n_objects;   /* entries of the data array, the bad ones too: tells full from short */
    int64_t total_size; /* -1 = missing or no integer >= 0 (digits in a string count as one) */
    uint64_t invalid;   /* entries left out */
    uint64_t too_long;  /* label values cut */
    uint64_t invalid_utf8;
};

/* What a refusal said, for the log; strings are cut, cleaned and never NULL. */
struct api_refusal {
    char code[96]; /* Code or errorCode */
    char message[256];
    char request_id[64];
    enum retry_hint hint;
};

/*
 * Says what a reply with another status means: fills *refusal from JSON, XML or nothing readable
 * (HTML of a proxy), sets err to the kind and "HTTP 403, Forbidden.RAM: ... (RequestId ...)";
 * always returns -1. header_request_id (NULL = none) is used where the body names none. Messages
 * that quote what was signed are replaced: everything here may be logged.
 */
int refusal_decode(int status, const char *body, size_t len, const char *header_request_id,
                   struct api_refusal *refusal, struct err *err);

#endif
