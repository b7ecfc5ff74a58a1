#include "model/listing.h"

#include <assert.h>
#include <stdlib.h>

#include "model/job.h"

size_t record_kind_size(enum record_kind kind)
{
    static const size_t sizes[RECORD_KIND_END] = {
        [RECORD_DEPLOYMENT] = sizeof(struct deployment),
        [RECORD_DRAFT] = sizeof(struct draft),
        [RECORD_JOB] = sizeof(struct job_record),
    };
    assert(kind < RECORD_KIND_END);
    return sizes[kind];
}

struct listing *listing_new(void)
{
    CLEANUP(listing_freep) struct listing *listing = calloc(1, sizeof(*listing));
    if (!listing)
        return NULL;
    listing->arena = arena_new();
    if (!listing->arena)
        return NULL;
    listing->expected = -1;
    return TAKE(listing);
}

void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    arena_free(listing->arena);
    free(listing);
}

void listing_freep(struct listing **listing)
{
    listing_free(*listing);
}

/* Adds n requests under one code; a code that finds no slot of its own is counted as other. */
static void count_code(struct api_stats *stats, enum operation operation, int code, uint64_t n)
{
    const size_t other = API_STATS_CODES - 1;
    size_t used = stats->operations[operation].n_codes;
    size_t slot = 0;

    while (slot < used && stats->operations[operation].codes[slot].code != code)
        slot++;
    if (slot == used) {
        if (slot >= other) {
            slot = other;
            code = -1;
        }
        stats->operations[operation].codes[slot].code = code;
        if (slot >= used)
            stats->operations[operation].n_codes = slot + 1;
    }
    stats->operations[operation].codes[slot].requests += n;
}

void api_stats_count(struct api_stats *stats, enum operation operation, int code)
{
    assert(operation < OPERATION_END);
    count_code(stats, operation, code, 1);
}

void api_stats_add(struct api_stats *sum, const struct api_stats *more)
{
    for (int op = 0; op < OPERATION_END; op++) {
        for (size_t i = 0; i < more->operations[op].n_codes; i++)
            count_code(sum, (enum operation)op, more->operations[op].codes[i].code,
                       more->operations[op].codes[i].requests);
        for (int reason = 0; reason < ERR_REASON_END; reason++)
            sum->operations[op].failures[reason] += more->operations[op].failures[reason];
        sum->operations[op].retries += more->operations[op].retries;
        sum->operations[op].throttled += more->operations[op].throttled;
    }
    sum->rate_limit_waits += more->rate_limit_waits;
    sum->rate_limit_wait_ms += more->rate_limit_wait_ms;
}
