/*
 * One refresh of the jobs of a namespace's deployments: which are asked for (job_plan.h), what the
 * control plane says of them, which failures are worth a line of the log.
 */
#ifndef JOBS_H
#define JOBS_H

#include "api/client.h"
#include "base/cleanup.h"
#include "model/records.h"
#include "refresh.h"

/*
 * Fills jobs, stats, err and unread of ret. records are those of the last whole listing; NULL =
 * there was none yet, then there is nothing to ask and that is no failure. before (NULL = none) is
 * the set before. On failure ret->jobs has what was learned until then, and is NULL only if memory
 * is out.
 */
int jobs_refresh(struct api_client *client, const struct api_request *request,
                 const struct records *records, const struct job_set *before,
                 struct job_result *ret) MUST_CHECK;

#endif
