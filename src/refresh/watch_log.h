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

/* listing: the numbers of what came; its records are not looked at. */
void watch_log_success(const struct watch *w, const struct job_result *r,
                       const struct listing *listing);
/* What is odd about it, when that changes. */
void watch_log_listing(struct watch *w, const struct listing *listing);

void watch_log_failure(const struct watch *w, const struct err *err, bool has_data);

#endif
