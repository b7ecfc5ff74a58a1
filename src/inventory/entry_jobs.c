#include "entry_jobs.h"

#include <string.h>

void entry_jobs_refine(const struct job_set *set, struct listing *listing)
{
    size_t cursor = 0;

    for (size_t i = 0; set && i < listing->n_items; i++) {
        struct deployment *d = &listing->items[i];

        d->last_failure_unix_s = deployment_jobs_failure_unix_s(job_set_next(set, &cursor, d->id),
                                                                d->last_failure_unix_s);
    }
}

static int64_t oldest_mono_ms(const struct entry *entry, int64_t now_mono_ms)
{
    return now_mono_ms - entry->target->max_staleness_ms;
}

int entry_jobs_render(const struct entry *entry, struct records *records,
                      const struct slice_options *options, int64_t now_mono_ms,
                      struct job_slice **ret, struct err *err)
{
    if (!entry->jobs)
        return 0;
    return job_slice_new(entry->jobs->set, records, options, oldest_mono_ms(entry, now_mono_ms),
                         entry->jobs, ret, err);
}

/* --- the last failures of deployments that are there already --- */

/* Two lists in the order of ids, beside the records. */
struct refining {
    const struct job_set *set;
    size_t cursor;
    struct event_reader events;
    struct event_item item;
    bool more;
};

static bool refine(void *ctx, struct deployment *d)
{
    struct refining *r = ctx;
    int64_t listed_unix_s = 0, unix_s;

    while (r->more && strcmp(r->item.id, d->id) < 0)
        r->more = event_reader_next(&r->events, &r->item) > 0;
    if (r->more && strcmp(r->item.id, d->id) == 0)
        listed_unix_s = r->item.last_failure_unix_s;
    unix_s = deployment_jobs_failure_unix_s(job_set_next(r->set, &r->cursor, d->id), listed_unix_s);
    if (unix_s == d->last_failure_unix_s)
        return false;
    d->last_failure_unix_s = unix_s;
    return true;
}

/* *ret is a slice of its own only if something differs. */
static int refine_slice(const struct entry *entry, const struct job_set *set,
                        const struct slice_options *options, struct slice **ret, struct err *err)
{
    const struct events *events = entry->events;
    struct refining r = {
        .set = set,
        .events = {(const unsigned char *)events->items,
                   (const unsigned char *)events->items + events->len, NULL},
    };
    CLEANUP(records_unrefp) struct records *records = NULL;

    if (!entry->slice)
        return 0;
    r.more = events->len > 0 && event_reader_next(&r.events, &r.item) > 0;
    if (records_revise(entry->slice->records, refine, &r, &records, err) < 0)
        return -1;
    return records == entry->slice->records ? 0
                                            : slice_new(records, options, entry->slice, ret, err);
}

int entry_jobs_take(struct entry *entry, struct job_set *set, const struct slice_options *options,
                    int64_t now_mono_ms, struct err *err)
{
    struct records *records = entry->slice ? entry->slice->records : NULL;
    struct job_slice *jobs;
    struct slice *slice = NULL;

    if (job_slice_new(set, records, options, oldest_mono_ms(entry, now_mono_ms), entry->jobs, &jobs,
                      err) < 0)
        return -1;
    if (refine_slice(entry, set, options, &slice, err) < 0) {
        job_slice_free(jobs);
        return -1;
    }
    job_slice_free(entry->jobs);
    entry->jobs = jobs;
    if (slice) {
        slice_free(entry->slice);
        entry->slice = slice;
    }
    return 0;
}
