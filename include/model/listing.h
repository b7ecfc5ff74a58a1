/*
 * What one refresh brought home: the records of a whole listing, and what the requests cost.
 *
 * A listing owns one arena with everything its records point to. The refresh worker builds it,
 * hands it over by pointer and never touches it again.
 */
#ifndef MODEL_LISTING_H
#define MODEL_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/deployment.h"
#include "model/draft.h"

/*
 * What is listed. Each kind's struct begins with `const char *id`: the code between the wire and
 * the inventory needs to know no more of it.
 */
enum record_kind {
    RECORD_DEPLOYMENT,
    RECORD_DRAFT,
    RECORD_JOB, /* on pages only: no listing is made of these */
    RECORD_KIND_END,
};
/* "deployment", "draft", for messages; static. */
const char *record_kind_name(enum record_kind kind);
/* sizeof the kind's struct. */
size_t record_kind_size(enum record_kind kind);

struct listing {
    struct arena *arena;
    enum record_kind kind;
    union { /* as kind says; sorted by id, ids unique */
        struct deployment *items;
        struct draft *drafts;
        void *records;
    };
    size_t n_items;
    uint32_t pages;        /* pages read, of all passes */
    int64_t expected;      /* totalSize as announced; -1 = never announced */
    uint64_t duplicates;   /* objects left out because their id came twice */
    uint64_t invalid;      /* objects left out because they could not be read */
    uint64_t over_limit;   /* objects left out because of max_deployments */
    uint64_t too_long;     /* label values cut */
    uint64_t invalid_utf8; /* label values repaired */
    unsigned
        asked; /* STATUS_BITs: lists of a status that were read as a whole besides, see found */
    unsigned in_pages;    /* of these: in several requests, between which one may have slipped by */
    bool total_size_lies; /* totalSize disagrees or is missing; whole by being listed alike twice */
};

struct listing *listing_new(void);
void listing_free(struct listing *listing);
void listing_freep(struct listing **listing);

/* Operations of the control plane; the label value is the vendor's name. */
enum operation {
    OPERATION_LIST_DEPLOYMENTS,
    OPERATION_GET_DEPLOYMENTS_BY_NAME,
    OPERATION_LIST_DEPLOYMENT_DRAFTS,
    OPERATION_GET_DEPLOYMENT_DRAFT,
    OPERATION_UPDATE_DEPLOYMENT_DRAFT, /* the only one that is no GET; never sent by the daemon */
    OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT,
    OPERATION_LIST_JOBS,
    OPERATION_END,
};
const char *operation_name(enum operation operation);

/* HTTP status codes counted apart per operation; the rest goes to the last slot as "other". */
#define API_STATS_CODES 16

/*
 * Counts of one refresh (or sums of them). Plain numbers: the worker fills one per refresh, the
 * inventory adds it to the target's totals.
 */
struct api_stats {
    struct {
        struct {
            int code; /* HTTP status; 0 = no response; -1 = other, in the last slot only */
            uint64_t requests;
        } codes[API_STATS_CODES];
        size_t n_codes;
        uint64_t failures[ERR_REASON_END];
        uint64_t retries;
        uint64_t throttled;
    } operations[OPERATION_END];
    uint64_t rate_limit_waits;
    uint64_t rate_limit_wait_ms;
};

/* Counts one request that ended with this status (0 = none). */
void api_stats_count(struct api_stats *stats, enum operation operation, int code);
void api_stats_add(struct api_stats *sum, const struct api_stats *more);

#endif
