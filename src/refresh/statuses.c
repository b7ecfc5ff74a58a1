/*
 * A list of a status is a listing like any other, with the filter "status" beside the target's own
 * selection: whole, or not read at all. Only the ids count.
 *
 * Those that failed are asked for whenever the counts of a deployment admit that its newest job
 * failed, though something else may have run since: of one that stands still its status is told by
 * that, and of one that runs that it has not failed, without which a failure that no count shows
 * could not be told later (inventory/status.c). Those that were cancelled or finished change
 * little and may be many, so the scheduler says when.
 *
 * They come out of the refresh's deadline, and of that a list gets no more than the listing itself
 * took, or one request may take: one that hangs must not keep the listing from being shown.
 */
#include "statuses.h"

#include <string.h>

#include "base/clock.h"

/* In the order in which they are read. */
static const enum deployment_status ended[] = {STATUS_FAILED, STATUS_CANCELLED, STATUS_FINISHED};

static enum job_state state_of(enum deployment_status status)
{
    switch (status) {
    case STATUS_FAILED:
        return JOB_FAILED;
    case STATUS_CANCELLED:
        return JOB_CANCELLED;
    default:
        return JOB_FINISHED;
    }
}

static bool tells_something(const struct deployment *d)
{
    for (int s = 0; s < JOB_STATE_END; s++)
        if (d->jobs[s] >= 0)
            return true;
    return false;
}

/* The lists that may have this deployment and tell something by that: STATUS_BITs. */
static unsigned lists_for(const struct deployment *d)
{
    enum deployment_status status = deployment_summary_status(d->jobs);
    bool active = status == STATUS_RUNNING || status == STATUS_TRANSITIONING;
    unsigned lists = 0;

    if ((status != STATUS_UNKNOWN && !active) || !tells_something(d))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(ended); i++)
        if (d->jobs[state_of(ended[i])] != 0)
            lists |= STATUS_BIT(ended[i]);
    return active ? lists & STATUS_BIT(STATUS_FAILED) : lists;
}

/* Both are sorted by id. */
static void mark(struct listing *listing, const struct listing *found,
                 enum deployment_status status)
{
    for (size_t i = 0, j = 0; i < listing->n_items && j < found->n_items;) {
        int order = strcmp(listing->items[i].id, found->items[j].id);

        if (order == 0)
            listing->items[i].found |= STATUS_BIT(status);
        i += order <= 0;
        j += order >= 0;
    }
    /* One that was cut says nothing about who is not in it, nor does one with objects unread. */
    if (found->over_limit > 0 || found->invalid > 0)
        return;
    listing->asked |= STATUS_BIT(status);
    if (found->pages > 1)
        listing->in_pages |= STATUS_BIT(status);
}

static int list(struct api_client *client, const struct api_request *request,
                enum deployment_status status, struct listing *listing, struct api_stats *stats,
                struct err *err)
{
    CLEANUP(listing_freep) struct listing *found = NULL;
    struct target target = *request->target;
    struct api_request filtered = *request;
    struct api_stats cost = {0};
    int rc;

    target.select.status = deployment_status_filter(status);
    target.collectors = 1u << COLLECTOR_DEPLOYMENTS; /* without drafts the content is not read */
    target.deployment_labels = (struct glob_list){0};
    filtered.target = &target;
    rc = api_client_list_deployments(client, &filtered, &found, &cost, err);
    api_stats_add(stats, &cost);
    if (rc < 0)
        return err_wrap(err, "deployments of status %s", target.select.status);
    mark(listing, found, status);
    return 0;
}

/* A listing that was selected by status is itself the list. */
static void mark_selected(const struct target *target, struct listing *listing)
{
    for (int s = STATUS_UNKNOWN + 1; s < STATUS_END; s++)
        if (strcmp(deployment_status_filter((enum deployment_status)s), target->select.status) == 0)
            mark(listing, listing, (enum deployment_status)s);
}

int statuses_ask(struct api_client *client, const struct api_request *request,
                 const struct job *job, struct job_result *ret)
{
    const struct target *target = job->target;
    int64_t took_ms = clock_mono_ms() - ret->began_mono_ms;
    int64_t budget_ms = took_ms > target->timeout_ms ? took_ms : target->timeout_ms;
    struct api_request limited = *request;
    unsigned wanted = 0;

    if (target->select.status && *target->select.status) {
        mark_selected(target, ret->listing);
        return 0;
    }
    for (size_t i = 0; i < ret->listing->n_items; i++)
        wanted |= lists_for(&ret->listing->items[i]);
    wanted &= job->status_lists;
    for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
        int64_t until_mono_ms = clock_mono_ms() + budget_ms;

        if (!(wanted & STATUS_BIT(ended[i])))
            continue;
        limited.deadline_mono_ms =
            until_mono_ms < request->deadline_mono_ms ? until_mono_ms : request->deadline_mono_ms;
        ret->lists.asked = true;
        if (list(client, &limited, ended[i], ret->listing, &ret->stats, &ret->lists.err) < 0)
            return ret->lists.err.kind == ERR_STOPPED ? -1 : 0;
    }
    return 0;
}
