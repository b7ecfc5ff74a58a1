/*
 * What the log says about the refreshes of a watch: news, not every refresh. The watch remembers
 * what was said last. Scheduler thread only.
 */
#ifndef WATCH_LOG_H
#define WATCH_LOG_H

#include <stdbool.h>

#include "base/err.h"
#include "refresh.h"
#include "watch.h"

/* What a dashboard shows as a gap is said once, and its end too. */
void watch_log_withheld(struct watch *w, bool withheld);

/* What is worth a word about a result that the inventory consumes. */
struct watch_news {
    struct listing numbers;    /* its numbers only; zeros where there is no listing */
    struct ticket_set *before; /* references; NULL = none */
    struct ticket_set *tickets;
    struct job_set *jobs;
};

/* before: the tickets that the inventory had. */
struct watch_news watch_news_of(const struct job_result *r, struct ticket_set *before);
void watch_news_release(struct watch_news *news);

void watch_log_success(const struct watch *w, const struct job_result *r,
                       const struct watch_news *news);
/* What is odd about it, when that changes. */
void watch_log_news(struct watch *w, const struct job_result *r, const struct watch_news *news,
                    bool success);

void watch_log_failure(const struct watch *w, const struct err *err, bool has_data);

#endif
