/*
 * One refresh of a namespace's deploy tickets: which there are (following.h, spool.h), what the
 * control plane says of each, whose files may go.
 */
#ifndef TICKETS_H
#define TICKETS_H

#include "api/client.h"
#include "base/cleanup.h"
#include "refresh.h"

/*
 * Fills tickets, stats, err and unread of ret. before (NULL = none) is the set before. On failure
 * ret->tickets has what was learned until then, and is NULL only if memory is out.
 */
int tickets_refresh(struct api_client *client, const struct api_request *request,
                    const struct ticket_set *before, struct job_result *ret) MUST_CHECK;

#endif
