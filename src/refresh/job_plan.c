#include "job_plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum interest {
    INTEREST_NEWS,
    INTEREST_RUNNING,
    INTEREST_PAST,
    INTEREST_END, /* nothing to ask */
};

/* Who has the turn, again and again. */
static const enum interest turns[] = {
    INTEREST_NEWS,    INTEREST_RUNNING, INTEREST_NEWS,    INTEREST_RUNNING, INTEREST_NEWS,
    INTEREST_RUNNING, INTEREST_NEWS,    INTEREST_RUNNING, INTEREST_NEWS,    INTEREST_PAST};

/* A failure may have been stamped by a clock that is so much behind ours. */
enum { CLOCKS_DIFFER_S = 60 };

/* Those of one kind of interest, waiting. */
struct queue {
    struct job_ask *asks;
    size_t n, cap;
    size_t next; /* whose turn it is */
};

struct planning {
    const struct job_set *before;
    struct job_plan *plan;
    struct queue queues[INTEREST_END];
};

/* --- who is of interest --- */

/* A summary that tells nothing may hide anything: then it counts as running. */
static enum interest interest_of(const struct deployment *d, const struct deployment_jobs *known,
                                 bool first)
{
    bool active = deployment_jobs_active(d->jobs) != 0, failed = d->jobs[JOB_FAILED] > 0;

    if (!active && !failed)
        return INTEREST_END;
    if (known ? memcmp(known->summary, d->jobs, sizeof(d->jobs)) != 0 : !first)
        return INTEREST_NEWS;
    if (active)
        return INTEREST_RUNNING;
    return !known || known->answered_unix_ms == 0 ? INTEREST_PAST : INTEREST_END;
}

static int page_size_of(const struct deployment *d)
{
    int64_t active = deployment_jobs_active(d->jobs);

    if (active < 0)
        active = JOB_PLAN_PAGE;
    return active < JOB_PLAN_PAGE_MAX - JOB_PLAN_PAGE ? JOB_PLAN_PAGE + (int)active
                                                      : JOB_PLAN_PAGE_MAX;
}

static int add_ask(struct queue *q, const struct deployment *d, size_t item)
{
    if (q->n == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 64;
        struct job_ask *asks = reallocarray(q->asks, cap, sizeof(*asks));

        if (!asks)
            return -1;
        q->asks = asks;
        q->cap = cap;
    }
    struct job_ask *ask = &q->asks[q->n++];
    *ask = (struct job_ask){.item = item, .name = d->name, .page_size = page_size_of(d)};
    memcpy(ask->summary, d->jobs, sizeof(ask->summary));
    return 0;
}

static int add_item(struct planning *p, const struct deployment *d,
                    const struct deployment_jobs *known, size_t *ret_item)
{
    struct job_set *set = p->plan->set;
    struct deployment_jobs *item = &p->plan->items[set->n_items];

    *item = known ? *known : deployment_jobs_none(d->id);
    if (!known)
        memcpy(item->summary, d->jobs, sizeof(item->summary));
    if (deployment_jobs_active(d->jobs) == 0)
        deployment_jobs_end(item);
    if (deployment_jobs_keep(item, set->arena) < 0)
        return -1;
    *ret_item = set->n_items++;
    return 0;
}

static int add_deployment(struct planning *p, const struct deployment *d, size_t *cursor)
{
    const struct deployment_jobs *known = job_set_next(p->before, cursor, d->id);
    enum interest interest = interest_of(d, known, !p->before);
    size_t item;

    /* Kept in mind is who was answered for and has failed jobs, or it would be asked for anew. */
    if (interest == INTEREST_END && (!known || (d->jobs[JOB_FAILED] == 0 && !*known->failed_id)))
        return 0;
    if (add_item(p, d, known, &item) < 0)
        return -1;
    if (interest == INTEREST_END) {
        /* What is purged meanwhile and fails anew is news, though the counts are those of before.
         */
        memcpy(p->plan->items[item].summary, d->jobs, sizeof(d->jobs));
        return 0;
    }
    p->plan->set->wanted++;
    return add_ask(&p->queues[interest], d, item);
}

static int add_all(struct planning *p, const struct records *records, struct err *err)
{
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
    size_t cursor = 0;

    p->plan->items =
        arena_calloc(p->plan->set->arena, records->n_items + 1, sizeof(*p->plan->items));
    if (!p->plan->items)
        return err_nomem(err, "the jobs of deployments");
    for (size_t b = 0; b < records->n_blocks; b++) {
        if (records_view_load(&view, records->blocks[b], err) < 0)
            return -1;
        for (size_t i = 0; i < view.n_items; i++)
            if (add_deployment(p, &view.items[i], &cursor) < 0)
                return err_nomem(err, "the jobs of deployments");
    }
    p->plan->set->items = p->plan->items;
    return 0;
}

/* --- who comes first --- */

static int by_patience(const void *left, const void *right, void *items)
{
    const struct job_ask *a = left, *b = right;
    const struct deployment_jobs *jobs = items;
    uint64_t x = jobs[a->item].asked, y = jobs[b->item].asked;

    if (x != y)
        return x < y ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static int take_turns(struct planning *p, size_t budget)
{
    struct job_plan *plan = p->plan;
    size_t n = plan->set->wanted < budget ? (size_t)plan->set->wanted : budget;

    plan->asks = calloc(n + 1, sizeof(*plan->asks));
    if (!plan->asks)
        return -1;
    for (int c = 0; c < INTEREST_END; c++) {
        struct queue *q = &p->queues[c];

        if (q->n > 1)
            qsort_r(q->asks, q->n, sizeof(*q->asks), by_patience, plan->items);
    }
    for (size_t turn = 0; plan->n_asks < n; turn = (turn + 1) % ARRAY_LEN(turns)) {
        struct queue *q = &p->queues[turns[turn]];

        if (q->next < q->n)
            plan->asks[plan->n_asks++] = q->asks[q->next++];
    }
    return 0;
}

int job_plan_make(const struct records *records, const struct job_set *before, int64_t budget,
                  int64_t now_unix_s, struct job_plan *ret, struct err *err)
{
    CLEANUP(job_plan_release) struct job_plan plan = {.set = job_set_new()};
    struct planning p = {.before = before, .plan = &plan};
    int rc = -1;

    if (!plan.set)
        return err_nomem(err, "the jobs of deployments");
    plan.set->requests = before ? before->requests : 0;
    plan.set->since_unix_s = before ? before->since_unix_s : now_unix_s;
    if (add_all(&p, records, err) == 0)
        rc = take_turns(&p, (size_t)budget) < 0 ? err_nomem(err, "the jobs of deployments") : 0;
    for (int c = 0; c < INTEREST_END; c++)
        free(p.queues[c].asks);
    if (rc < 0)
        return -1;
    *ret = plan;
    plan = (struct job_plan){0};
    return 0;
}

void job_plan_release(struct job_plan *plan)
{
    job_set_unref(TAKE(plan->set));
    free(TAKE(plan->asks));
}

/* --- what becomes of them --- */

/*
 * Which is the last failure: the one of the answer, unless that is older than one that was seen
 * before and has been purged since. Of one without a time the count says it: it rose.
 */
static bool answer_has_later(const struct deployment_jobs *known,
                             const struct deployment_jobs *answer, bool rose)
{
    return *answer->failed_id &&
           (answer->failed_unix_s >= known->failed_unix_s || (answer->failed_unix_s == 0 && rose) ||
            strcmp(answer->failed_id, known->failed_id) == 0);
}

/*
 * Of one that was not seen before. Where the count rose it is news, whatever the clocks say.
 * Otherwise, what failed before the watch began, or before the last answer, is the past that a page
 * had no room for. Without a time it is news where the deployment was answered for before.
 */
static bool is_news(const struct job_plan *plan, const struct deployment_jobs *known,
                    const struct deployment_jobs *answer, bool rose)
{
    int64_t since_s = plan->set->since_unix_s;

    if (rose)
        return true;
    if (answer->failed_unix_s == 0)
        return known->answered_unix_ms > 0;
    if (known->answered_unix_ms / 1000 > since_s)
        since_s = known->answered_unix_ms / 1000;
    return answer->failed_unix_s >= since_s - CLOCKS_DIFFER_S;
}

/*
 * What the answer told is the last failure, so far. Running deployments are asked whatever their
 * summary says, so a failure may be seen here first and be counted by the next listing.
 */
static void note_failure(struct deployment_jobs *item, const struct deployment_jobs *known,
                         bool rose, bool news)
{
    item->failure_outdated = false;
    item->failure_uncounted =
        !rose && (news || known->answered_unix_ms > 0 || item->summary[JOB_FAILED] == 0);
}

/* The answer told nothing new: if the count rose, then for the one known or for another. */
static void keep_failure(struct deployment_jobs *item, const struct deployment_jobs *known,
                         bool rose)
{
    item->failure_outdated = known->failure_outdated || (rose && !known->failure_uncounted);
    item->failure_uncounted = known->failure_uncounted && !rose;
}

bool job_plan_learn(struct job_plan *plan, const struct job_ask *ask,
                    const struct deployment_jobs *jobs, int64_t asked_mono_ms,
                    int64_t asked_unix_ms)
{
    struct deployment_jobs *item = &plan->items[ask->item];
    const struct deployment_jobs none = deployment_jobs_none(item->id);
    const struct deployment_jobs known = *item, *answer = jobs ? jobs : &none;
    bool rose =
        known.summary[JOB_FAILED] >= 0 && ask->summary[JOB_FAILED] > known.summary[JOB_FAILED];
    bool later = answer_has_later(&known, answer, rose), news = false;

    *item = *answer;
    item->id = known.id;
    memcpy(item->summary, ask->summary, sizeof(item->summary));
    item->asked = ++plan->set->requests;
    item->answered_mono_ms = asked_mono_ms;
    item->answered_unix_ms = asked_unix_ms;
    if (later && strcmp(answer->failed_id, known.failed_id) != 0) {
        news = is_news(plan, &known, answer, rose);
        note_failure(item, &known, rose, news);
    } else {
        if (!later) {
            item->failed_id = known.failed_id;
            item->failed_unix_s = known.failed_unix_s;
            item->reason = known.reason;
            item->message = known.message;
        }
        keep_failure(item, &known, rose);
    }
    plan->set->answered++;
    return news;
}

void job_plan_no_answer(struct job_plan *plan, const struct job_ask *ask)
{
    plan->items[ask->item].asked = ++plan->set->requests;
}
