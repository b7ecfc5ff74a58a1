#include "watch_log.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "model/listing.h"

/* What all lines about a watch have; the collector only where it is not the usual one. */
#define FIELDS(w)                                                                 \
    LOG_FIELDS({"target", (w)->target->name}, {"namespace", (w)->namespace_name}, \
               {"collector", collector_field(w)})

static const char *collector_field(const struct watch *w)
{
    return w->collector == COLLECTOR_DEPLOYMENTS ? NULL : collector_name(w->collector);
}

void watch_log_withheld(struct watch *w, bool withheld)
{
    if (withheld && !w->withheld)
        log_warn(FIELDS(w),
                 "no refresh succeeded for %lld s (max_staleness): its state series are "
                 "withheld until one does",
                 (long long)(w->target->max_staleness_ms / 1000));
    else if (!withheld && w->withheld)
        log_info(FIELDS(w), "its state series are shown again");
    w->withheld = withheld;
}

struct watch_news watch_news_of(const struct job_result *r, struct ticket_set *before)
{
    struct watch_news news = {0};

    if (r->listing)
        news.numbers = *r->listing;
    news.numbers.arena = NULL;
    news.numbers.records = NULL;
    if (r->tickets) {
        news.tickets = ticket_set_ref(r->tickets);
        news.before = before ? ticket_set_ref(before) : NULL;
    }
    if (r->jobs)
        news.jobs = job_set_ref(r->jobs);
    return news;
}

void watch_news_release(struct watch_news *news)
{
    ticket_set_unref(TAKE(news->before));
    ticket_set_unref(TAKE(news->tickets));
    job_set_unref(TAKE(news->jobs));
}

void watch_log_success(const struct watch *w, const struct job_result *r,
                       const struct watch_news *news)
{
    const char *what = !w->tried ? "first refresh done" : "refresh works again";
    enum log_level level = !w->tried || w->failing ? LOG_INFO : LOG_DEBUG;
    const struct listing *numbers = &news->numbers;
    long long ms = (long long)(r->ended_mono_ms - r->began_mono_ms);

    if (w->tried && !w->failing)
        what = "refreshed";
    if (!log_enabled(level))
        return;
    if (w->collector == COLLECTOR_TICKETS)
        log_write(level, FIELDS(w), "%s: %llu of %zu ticket%s asked for in %lld ms", what,
                  (unsigned long long)news->tickets->asked, news->tickets->n_items,
                  news->tickets->n_items == 1 ? "" : "s", ms);
    else if (w->collector == COLLECTOR_JOBS)
        log_write(level, FIELDS(w), "%s: %llu of %llu deployments asked for their jobs in %lld ms",
                  what, (unsigned long long)(news->jobs ? news->jobs->answered : 0),
                  (unsigned long long)(news->jobs ? news->jobs->wanted : 0), ms);
    else
        log_write(level, FIELDS(w), "%s: %zu %s%s on %u page%s in %lld ms", what, numbers->n_items,
                  record_kind_name(numbers->kind), numbers->n_items == 1 ? "" : "s", numbers->pages,
                  numbers->pages == 1 ? "" : "s", ms);
}

/* The listing is whole all the same; who looks at refresh_objects_expected should know. */
static void log_lies(struct watch *w, const struct listing *numbers)
{
    char announced[32] = "nothing";

    if (numbers->total_size_lies == w->total_size_lies)
        return;
    w->total_size_lies = numbers->total_size_lies;
    if (numbers->expected >= 0)
        snprintf(announced, sizeof(announced), "%lld", (long long)numbers->expected);
    if (w->total_size_lies)
        log_warn(FIELDS(w),
                 "the API's totalSize is wrong (%s announced, %zu found twice alike): every "
                 "refresh lists twice until it is right",
                 announced, numbers->n_items);
    else
        log_info(FIELDS(w), "the API's totalSize is right again");
}

/* Deployments nobody watches must not go unsaid; nor drafts, nor tickets. */
static void log_over_limit(struct watch *w, uint64_t n)
{
    static const struct {
        const char *things, *where, *limit;
    } words[COLLECTOR_END] = {
        [COLLECTOR_DEPLOYMENTS] = {"deployments", "and not in the sums", "max_deployments"},
        [COLLECTOR_DRAFTS] = {"drafts", "and not in the sums", "max_deployments"},
        [COLLECTOR_TICKETS] = {"tickets", "and not followed", "max_tickets"},
    };
    bool over_limit = n > 0;
    int64_t limit =
        w->collector == COLLECTOR_TICKETS ? w->target->max_tickets : w->target->max_deployments;

    if (over_limit && !w->over_limit)
        log_warn(FIELDS(w), "%llu %s are not watched %s: the namespace has more than %s (%lld)",
                 (unsigned long long)n, words[w->collector].things, words[w->collector].where,
                 words[w->collector].limit, (long long)limit);
    else if (!over_limit && w->over_limit)
        log_info(FIELDS(w), "all %s are watched again", words[w->collector].things);
    w->over_limit = over_limit;
}

/* Once a change: which ones they were is not known, their ids could not be read. */
static void log_invalid(struct watch *w, const struct listing *numbers)
{
    if (numbers->invalid > 0 && numbers->invalid != w->invalid)
        log_warn(FIELDS(w),
                 "%llu of %llu objects in the listing could not be read and are left out",
                 (unsigned long long)numbers->invalid,
                 (unsigned long long)(numbers->n_items + numbers->invalid));
    w->invalid = numbers->invalid;
}

/* A name that nobody has may come to be had, so it is no failure. */
static void log_missing(struct watch *w, const struct missing_names *missing)
{
    if (missing->hash == w->missing)
        return;
    if (missing->n > 3)
        log_info(FIELDS(w),
                 "no deployment is called %s, nor has one of %zu more names of "
                 "deployment_names",
                 missing->names, missing->n - 3);
    else if (missing->n > 0)
        log_info(FIELDS(w), "no deployment is called %s", missing->names);
    else
        log_info(FIELDS(w), "all deployment_names are found again");
    w->missing = missing->hash;
}

/* The refresh is none the worse for it, but the status of some deployments is. */
static void log_lists(struct watch *w, const struct status_trouble *lists)
{
    bool fail = lists->err.kind != ERR_NONE;

    if (!lists->asked || fail == w->lists_fail)
        return;
    w->lists_fail = fail;
    if (fail)
        log_warn(FIELDS(w),
                 "the status of some deployments may be unknown, and failures that no count shows "
                 "are not seen: %s",
                 lists->err.msg);
    else
        log_info(FIELDS(w), "deployments can be listed by status again");
}

static void log_listing(struct watch *w, const struct job_result *r, const struct listing *numbers)
{
    log_lies(w, numbers);
    log_over_limit(w, numbers->over_limit);
    log_invalid(w, numbers);
    log_lists(w, &r->lists);
    if (w->collector == COLLECTOR_DEPLOYMENTS && w->target->n_deployment_names > 0)
        log_missing(w, &r->missing);
}

/* --- tickets --- */

static bool was_said(const struct ticket_set *before, const struct ticket_refusal *refusal)
{
    for (size_t i = 0; before && i < before->n_refusals; i++)
        if (strcmp(before->refusals[i].name, refusal->name) == 0 &&
            strcmp(before->refusals[i].reason, refusal->reason) == 0)
            return true;
    return false;
}

/* What was refused before, for the same reason, was said then. */
static void log_refusals(const struct watch *w, const struct watch_news *news)
{
    const struct ticket_set *tickets = news->tickets;

    for (size_t i = 0; i < tickets->n_refusals; i++) {
        const struct ticket_refusal *refusal = &tickets->refusals[i];

        if (!was_said(news->before, refusal))
            log_warn(LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name},
                                {"collector", collector_field(w)}, {"file", refusal->name}),
                     "a file of ticket_dir is no ticket and not followed: it %s", refusal->reason);
    }
    if (tickets->refused > tickets->n_refusals &&
        (!news->before || news->before->refused <= news->before->n_refusals))
        log_warn(FIELDS(w), "%llu files of ticket_dir are no tickets, more than are told here",
                 (unsigned long long)tickets->refused);
}

static void log_trouble(const struct watch *w, const struct trouble *trouble, uint64_t *said,
                        const char *what, const char *over)
{
    if (trouble->n > 0 && *said == 0)
        log_warn(FIELDS(w), "%llu %s: %s", (unsigned long long)trouble->n, what, trouble->err.msg);
    else if (trouble->n == 0 && *said > 0)
        log_info(FIELDS(w), "%s", over);
    *said = trouble->n;
}

static void log_tickets(struct watch *w, const struct job_result *r, const struct watch_news *news,
                        bool success)
{
    log_refusals(w, news);
    if (success || news->tickets->over_limit > 0) /* else ticket_dir may not have been read */
        log_over_limit(w, news->tickets->over_limit);
    log_trouble(w, &r->stuck, &w->stuck,
                "tickets ended long ago, and their files are still in ticket_dir",
                "the files of tickets that ended are removed again");
    if (success) /* else not all were asked for */
        log_trouble(w, &r->unread, &w->unread, "tickets could not be asked for",
                    "all tickets can be asked for again");
}

/* --- jobs --- */

/*
 * The first refreshes ask for what failed before, which may take several: only what goes on is
 * worth a line, and an end of it only with room to spare, or it would be said again and again.
 */
static void log_budget(struct watch *w, const struct job_set *jobs)
{
    uint64_t budget = (uint64_t)w->target->max_job_requests;

    if (jobs->wanted > budget && !w->over_limit) {
        log_warn(FIELDS(w),
                 "%llu deployments are to be asked for their jobs, and a refresh asks for no more "
                 "than max_job_requests (%llu): they take turns",
                 (unsigned long long)jobs->wanted, (unsigned long long)budget);
        w->over_limit = true;
    } else if (jobs->wanted <= budget - budget / 10 && w->over_limit) {
        log_info(FIELDS(w), "all deployments can be asked for their jobs in one refresh again");
        w->over_limit = false;
    }
}

static void log_jobs(struct watch *w, const struct job_result *r, const struct watch_news *news,
                     bool success)
{
    if (news->jobs)
        log_budget(w, news->jobs);
    if (success) /* else not all were asked for */
        log_trouble(w, &r->unread, &w->unread, "deployments could not be asked for their jobs",
                    "all deployments can be asked for their jobs again");
}

void watch_log_news(struct watch *w, const struct job_result *r, const struct watch_news *news,
                    bool success)
{
    if (w->collector == COLLECTOR_JOBS)
        log_jobs(w, r, news, success);
    else if (news->tickets)
        log_tickets(w, r, news, success);
    else if (success)
        log_listing(w, r, &news->numbers);
}

/* A failure that repeats is logged when its reason changes; the log tells the consequence. */
void watch_log_failure(const struct watch *w, const struct err *err, bool has_data)
{
    bool news = !w->failing || w->reason != err_reason(err->kind);
    const struct log_field *fields = LOG_FIELDS(
        {"target", w->target->name}, {"namespace", w->namespace_name},
        {"collector", collector_field(w)}, {"reason", err_kind_name(err_reason(err->kind))});
    const char *consequence = w->withheld ? "its data stays withheld"
                              : has_data  ? "keeping the last data"
                                          : "there is no data yet";

    if (news)
        log_warn(fields, "refresh failed, %s: %s", consequence, err->msg);
    else
        log_debug(fields, "refresh failed again, %s: %s", consequence, err->msg);
}
