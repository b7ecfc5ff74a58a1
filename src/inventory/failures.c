/*
 * Why jobs failed, out of a generation: on demand, for a page that somebody looks at. The
 * generation holds the set of jobs and the deployments themselves, not a list of failures: nobody
 * pays for one before it is asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "inventory/snapshot.h"

/* Puts it where it belongs among the newest; of those of the same second the first id first. */
static void add(struct job_failures *failures, size_t max, const struct deployment_jobs *jobs)
{
    struct job_failure *items = failures->items;
    size_t i = failures->n_items;

    if (i < max) {
        failures->n_items++;
    } else {
        failures->n_more++;
        if (max == 0 || items[max - 1].failed_unix_s >= jobs->failed_unix_s)
            return;
        i = max - 1;
    }
    for (; i > 0 && items[i - 1].failed_unix_s < jobs->failed_unix_s; i--)
        items[i] = items[i - 1];
    items[i] = (struct job_failure){
        .deployment_id = jobs->id,
        .job_id = jobs->failed_id,
        .failed_unix_s = jobs->failed_unix_s,
        .reason = jobs->reason,
        .message = jobs->message,
        .outdated = jobs->failure_outdated,
    };
}

static const char *name_in(const struct records_view *view, const char *id)
{
    for (size_t i = 0; i < view->n_items; i++)
        if (strcmp(view->items[i].id, id) == 0)
            return view->items[i].name;
    return NULL;
}

/* True if the id is one of block b, if it is there at all. */
static bool belongs(const struct records *records, size_t b, const char *id)
{
    return strcmp(id, record_block_first_id(records->blocks[b])) >= 0 &&
           (b + 1 == records->n_blocks ||
            strcmp(id, record_block_first_id(records->blocks[b + 1])) < 0);
}

/* Only blocks that hold one of them are unpacked. Names lie in the blocks. */
static int add_names(struct job_failures *failures, const struct records *records)
{
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;

    for (size_t b = 0; b < records->n_blocks; b++) {
        bool loaded = false;

        for (size_t i = 0; i < failures->n_items; i++) {
            struct job_failure *failure = &failures->items[i];

            if (!belongs(records, b, failure->deployment_id))
                continue;
            if (!loaded && records_view_load(&view, records->blocks[b], NULL) < 0)
                return -1;
            loaded = true;
            failure->deployment_name = name_in(&view, failure->deployment_id);
        }
    }
    return 0;
}

int snapshot_job_failures(const struct snapshot *s, size_t target, size_t max,
                          struct job_failures *ret, struct err *err)
{
    const struct snapshot_jobs *jobs = snapshot_jobs(s, target);

    *ret = (struct job_failures){.known = jobs->set};
    if (!jobs->set)
        return 0;
    ret->items = calloc(max + 1, sizeof(*ret->items));
    if (!ret->items)
        return err_nomem(err, "the failed jobs");
    for (size_t i = 0; i < jobs->set->n_items; i++)
        if (*jobs->set->items[i].failed_id)
            add(ret, max, &jobs->set->items[i]);
    if (jobs->records && add_names(ret, jobs->records) < 0) {
        job_failures_release(ret);
        return err_nomem(err, "the failed jobs");
    }
    return 0;
}

void job_failures_release(struct job_failures *failures)
{
    free(failures->items);
    *failures = (struct job_failures){0};
}
