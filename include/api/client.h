/*
 * The control plane's operations, as one worker thread uses them.
 *
 * A client owns its connections (kept alive between refreshes) and belongs to one thread; only
 * api_client_stop may be called from another. Calls are straight-line and block up to their
 * deadline. API pages: api-ververica-2022-07-18-listdeployments and the pages on the V3 signature.
 */
#ifndef API_CLIENT_H
#define API_CLIENT_H

#include <stdint.h>

#include "api/credentials.h"
#include "api/session.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "model/listing.h"
#include "model/target.h"

struct api_client;

int api_client_new(struct api_session *session, struct api_client **ret,
                   struct err *err) MUST_CHECK;
void api_client_free(struct api_client *client);

/*
 * Makes the call under way, and all later ones, return ERR_STOPPED at once (milliseconds, even
 * when the peer is silent or DNS hangs). Any thread; idempotent.
 */
void api_client_stop(struct api_client *client);

/* Undoes api_client_stop, for a client that is wanted again. Only while no call is under way. */
void api_client_resume(struct api_client *client);

/* One listing of one namespace. */
struct api_list_request {
    const struct target *target;
    const char *namespace_name;
    struct credentials *credentials;
    int64_t deadline_mono_ms;
};

/*
 * Lists all deployments of a namespace: pages until the end, up to target->concurrency requests in
 * flight, retried, deduplicated, checked to be whole (twice listed where totalSize and the count
 * disagree). Where a reply passes max_body_size the listing begins again with smaller pages.
 *
 * On success *ret is a whole listing, sorted by id, or as much of it as max_deployments admits
 * (over_limit says how much is missing). On failure *ret is untouched and err says which page and
 * why, with the RequestId where there was one: ERR_INCOMPLETE if the list would not hold still,
 * ERR_LIMIT if it does not end, ERR_TIMEOUT at the deadline, ERR_STOPPED. stats is filled in both
 * cases.
 */
int api_client_list_deployments(struct api_client *client, const struct api_list_request *request,
                                struct listing **ret, struct api_stats *stats,
                                struct err *err) MUST_CHECK;

#endif
