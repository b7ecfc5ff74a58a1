/*
 * The lists of a status, read after a listing whose counts leave open how some deployments ended.
 * As a worker runs it.
 */
#ifndef STATUSES_H
#define STATUSES_H

#include "refresh.h"

/*
 * Reads the lists that job->status_lists admits and ret->listing needs, and marks the deployments
 * found in them. A list that cannot be read costs what it would have told: ret->lists says so, the
 * listing stays and none is asked for after it. -1 only when the refresh was stopped.
 */
int statuses_ask(struct api_client *client, const struct api_request *request,
                 const struct job *job, struct job_result *ret) MUST_CHECK;

#endif
