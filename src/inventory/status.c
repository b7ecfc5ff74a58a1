/*
 * The rules, the surest first:
 *
 * 1. The summary alone decides: something runs, or is on its way, or jobs ended in one way only.
 * 2. A list of a status had it. They are read after the listing, one after the other, so of several
 *    the last one is right: the deployment moved on in between.
 * 3. Nothing runs, and one count rose: so the newest job ended.
 * 4. Nothing runs, and no count rose: it is what it was. Where jobs were purged only if one is left
 *    that ended so; and then a failure is not told again unasked.
 *
 * What 3 and 4 say does not hold against a list that was read as a whole and has not got it.
 * Nothing is concluded from two lists that have not: between the listing and the lists it may have
 * been started. So a failure is told by the control plane, or by a count of failed jobs that rose
 * or did not change; it is never what is left over.
 *
 * A failure that no count shows. One job fails, another that failed is purged, and the count of
 * failed jobs is as before. But the newest job had not failed, and now it has. That is one failure,
 * provided that the newest job is not itself deleted: then an older one, counted long ago, becomes
 * the newest. Hence what else must hold: no job ended in another way, and none that ended so was
 * purged. What is left is a job that is deleted within the interval in which it ended, and leaves
 * the counts as they were; where the oldest are forgotten first that does not happen.
 *
 * And nothing runs: else "the newest has failed" may have been true all the time, of a deployment
 * with several jobs that a list missed when its pages shifted.
 *
 * That the newest job had not failed is known from a list that has it, or that a list of those that
 * failed has not got it. If that took several pages, one may have slipped by between them, so that
 * two such lists in a row must be without it. And not if the count of failed jobs just rose: the
 * list may be behind.
 *
 * The list is later than the counts: the failure may have happened in between, and then the next
 * listing counts it. So it is owed until then, and counted if the count of failed jobs does not
 * rise there. For the same reason no failure is counted twice: each time one is owed the newest job
 * turned from not failed to failed between two looks at it, and each time one is paid the counts
 * have not shown it.
 */
#include "status.h"

/* How the counts of ended jobs changed. */
struct change {
    bool comparable;           /* all are told, now and before */
    unsigned rose, fell, left; /* STATUS_BITs; left: not zero now */
};

static struct change change_of(const struct status_sight *sight)
{
    struct change change = {.comparable = true};

    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t before = sight->before[e], now = sight->jobs[job_event_state((enum job_event)e)];
        unsigned bit = STATUS_BIT(job_event_status((enum job_event)e));

        if (before < 0 || now < 0) {
            change.comparable = false;
            continue;
        }
        change.rose |= now > before ? bit : 0;
        change.fell |= now < before ? bit : 0;
        change.left |= now > 0 ? bit : 0;
    }
    return change;
}

static bool nothing_is_active(const int64_t *jobs)
{
    return jobs[JOB_STARTING] == 0 && jobs[JOB_RUNNING] == 0 && jobs[JOB_CANCELLING] == 0;
}

/* The one status of a set, STATUS_UNKNOWN if there are several or none. */
static enum deployment_status only_of(unsigned set)
{
    for (int s = STATUS_UNKNOWN + 1; s < STATUS_END; s++)
        if (set == STATUS_BIT(s))
            return (enum deployment_status)s;
    return STATUS_UNKNOWN;
}

/* They are asked in the order of the enumeration. */
static enum deployment_status last_of(unsigned set)
{
    int s = STATUS_END - 1;

    while (s > STATUS_UNKNOWN && !(set & STATUS_BIT(s)))
        s--;
    return (enum deployment_status)s;
}

static bool has_ended(enum deployment_status status)
{
    return status == STATUS_FAILED || status == STATUS_CANCELLED || status == STATUS_FINISHED;
}

static enum deployment_status by_counts(const struct status_memory *memory,
                                        const struct status_sight *sight)
{
    const struct change change = change_of(sight);
    enum deployment_status was = memory->status;

    if (!change.comparable || !nothing_is_active(sight->jobs))
        return STATUS_UNKNOWN;
    if (change.rose)
        return only_of(change.rose);
    if (!has_ended(was) || !(change.left & STATUS_BIT(was)) ||
        (change.fell && was == STATUS_FAILED))
        return STATUS_UNKNOWN;
    return was;
}

enum deployment_status status_tell(const struct status_memory *memory,
                                   const struct status_sight *sight)
{
    enum deployment_status status = deployment_summary_status(sight->jobs);

    if (status != STATUS_UNKNOWN)
        return status;
    if (sight->found)
        return last_of(sight->found);
    status = by_counts(memory, sight);
    return sight->asked & STATUS_BIT(status) ? STATUS_UNKNOWN : status;
}

/* --- the newest job --- */

/* The list of those that failed has not got it, and no count says that it should. */
static bool is_missing(const struct status_sight *sight)
{
    const unsigned failed = STATUS_BIT(STATUS_FAILED);

    return sight->asked & failed && !(sight->found & failed) && !(change_of(sight).rose & failed);
}

/* What was looked at last is known not to have failed. */
static bool ends_not_failed(const struct status_memory *memory, const struct status_sight *sight)
{
    if (sight->found & STATUS_BIT(STATUS_FAILED))
        return false;
    if (sight->found || sight->jobs[JOB_FAILED] == 0)
        return true;
    return is_missing(sight) && (!(sight->in_pages & STATUS_BIT(STATUS_FAILED)) || memory->missing);
}

static bool is_seen_failed(const struct status_sight *sight)
{
    return sight->found & STATUS_BIT(STATUS_FAILED) ||
           deployment_summary_status(sight->jobs) == STATUS_FAILED;
}

/* True if a job failed that the counts of the listing do not have. In doubt it is not. */
static bool failed_unseen(const struct status_memory *memory, const struct status_sight *sight)
{
    const unsigned others = STATUS_BIT(STATUS_CANCELLED) | STATUS_BIT(STATUS_FINISHED);
    const struct change change = change_of(sight);

    if (!memory->not_failed || memory->status == STATUS_UNKNOWN || memory->status == STATUS_FAILED)
        return false;
    return is_seen_failed(sight) && nothing_is_active(sight->jobs) && change.comparable &&
           !change.rose && !(change.fell & others);
}

/* True if the listing says too little to outdate what is remembered, and nothing against it. */
static bool says_nothing(const struct status_sight *sight)
{
    bool all_told = true;

    for (int s = 0; s < JOB_STATE_END; s++)
        all_told = all_told && sight->jobs[s] >= 0;
    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t now = sight->jobs[job_event_state((enum job_event)e)];

        if (now >= 0 && now != sight->before[e])
            return false;
    }
    return !all_told;
}

enum deployment_status status_see(struct status_memory *memory, const struct status_sight *sight)
{
    enum deployment_status status = status_tell(memory, sight);

    if (failed_unseen(memory, sight))
        memory->owed = true;
    memory->not_failed = ends_not_failed(memory, sight);
    memory->missing = is_missing(sight);
    if (status != STATUS_UNKNOWN || !says_nothing(sight))
        memory->status = status;
    return status;
}

bool status_is_open(enum deployment_status status, int64_t cancelled, int64_t finished)
{
    return status == STATUS_UNKNOWN && (cancelled > 0 || finished > 0);
}
