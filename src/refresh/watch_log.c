#include "watch_log.h"

#include <stdio.h>

#include "base/log.h"

void watch_log_withheld(struct watch *w, bool withheld)
{
    const struct log_field *fields =
        LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name});

    if (withheld && !w->withheld)
        log_warn(fields,
                 "no refresh succeeded for %lld s (max_staleness): its state series are "
                 "withheld until one does",
                 (long long)(w->target->max_staleness_ms / 1000));
    else if (!withheld && w->withheld)
        log_info(fields, "its state series are shown again");
    w->withheld = withheld;
}

void watch_log_success(const struct watch *w, const struct job_result *r,
                       const struct listing *listing)
{
    const struct log_field *fields =
        LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name});
    const char *what = !w->tried ? "first refresh done" : "refresh works again";
    enum log_level level = !w->tried || w->failing ? LOG_INFO : LOG_DEBUG;

    if (w->tried && !w->failing)
        what = "refreshed";
    if (log_enabled(level))
        log_write(level, fields, "%s: %zu deployment%s on %u page%s in %lld ms", what,
                  listing->n_items, listing->n_items == 1 ? "" : "s", listing->pages,
                  listing->pages == 1 ? "" : "s", (long long)(r->ended_mono_ms - r->began_mono_ms));
}

/* The listing is whole all the same; who looks at refresh_objects_expected should know. */
static void log_lies(struct watch *w, const struct listing *listing)
{
    const struct log_field *fields =
        LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name});
    char announced[32] = "nothing";

    if (listing->total_size_lies == w->total_size_lies)
        return;
    w->total_size_lies = listing->total_size_lies;
    if (listing->expected >= 0)
        snprintf(announced, sizeof(announced), "%lld", (long long)listing->expected);
    if (w->total_size_lies)
        log_warn(fields,
                 "the API's totalSize is wrong (%s announced, %zu found twice alike): every "
                 "refresh lists twice until it is right",
                 announced, listing->n_items);
    else
        log_info(fields, "the API's totalSize is right again");
}

/* Deployments nobody watches must not go unsaid. */
static void log_over_limit(struct watch *w, const struct listing *listing)
{
    const struct log_field *fields =
        LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name});
    bool over_limit = listing->over_limit > 0;

    if (over_limit && !w->over_limit)
        log_warn(fields,
                 "%llu deployments are not watched and not in the sums: the namespace has more "
                 "than max_deployments (%lld)",
                 (unsigned long long)listing->over_limit, (long long)w->target->max_deployments);
    else if (!over_limit && w->over_limit)
        log_info(fields, "all deployments are watched again");
    w->over_limit = over_limit;
}

/* Once a change: which ones they were is not known, their ids could not be read. */
static void log_invalid(struct watch *w, const struct listing *listing)
{
    if (listing->invalid > 0 && listing->invalid != w->invalid)
        log_warn(LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name}),
                 "%llu of %llu objects in the listing could not be read and are left out",
                 (unsigned long long)listing->invalid,
                 (unsigned long long)(listing->n_items + listing->invalid));
    w->invalid = listing->invalid;
}

void watch_log_listing(struct watch *w, const struct listing *listing)
{
    log_lies(w, listing);
    log_over_limit(w, listing);
    log_invalid(w, listing);
}

/* A failure that repeats is logged when its reason changes; the log tells the consequence. */
void watch_log_failure(const struct watch *w, const struct err *err, bool has_data)
{
    bool news = !w->failing || w->reason != err_reason(err->kind);
    const struct log_field *fields =
        LOG_FIELDS({"target", w->target->name}, {"namespace", w->namespace_name},
                   {"reason", err_kind_name(err_reason(err->kind))});
    const char *consequence = w->withheld ? "its data stays withheld"
                              : has_data  ? "keeping the last data"
                                          : "there is no data yet";

    if (news)
        log_warn(fields, "refresh failed, %s: %s", consequence, err->msg);
    else
        log_debug(fields, "refresh failed again, %s: %s", consequence, err->msg);
}
