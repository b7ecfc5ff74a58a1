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
#include "api/json.h"
#include "api/session.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "model/job.h"
#include "model/listing.h"
#include "model/target.h"
#include "model/ticket.h"

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

/* What every call needs to know. All of it is borrowed while the call lasts. */
struct api_request {
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
 * cases. content_hash of the records is set if the target collects drafts, too.
 */
int api_client_list_deployments(struct api_client *client, const struct api_request *request,
                                struct listing **ret, struct api_stats *stats,
                                struct err *err) MUST_CHECK;

/* The same for drafts, of which the target's selection means nothing. */
int api_client_list_drafts(struct api_client *client, const struct api_request *request,
                           struct listing **ret, struct api_stats *stats,
                           struct err *err) MUST_CHECK;

/* Parts of a deployment that GetDeploymentsByName leaves out when asked to: bits. */
enum {
    API_WITHOUT_JOB_SUMMARY = 1u << 0,
    API_WITHOUT_RESOURCE_SETTING = 1u << 1,
};

/*
 * The deployments that have one of target->deployment_names, as one listing: a name that nobody has
 * gives none, one that several have gives all. Either all names were asked for, or it fails as a
 * listing does. expected is -1.
 */
int api_client_list_deployments_by_name(struct api_client *client,
                                        const struct api_request *request, unsigned without,
                                        struct listing **ret, struct api_stats *stats,
                                        struct err *err) MUST_CHECK;

/*
 * The result of a deploy ticket so far. Strings of *ret live in the arena. data gets the reply's
 * data as it came, to be freed by the caller (NULL = not wanted). ERR_NOT_FOUND: there is no such
 * ticket.
 */
int api_client_get_ticket(struct api_client *client, const struct api_request *request,
                          const char *ticket_id, struct arena *arena, struct ticket_answer *ret,
                          json_value **data, struct api_stats *stats, struct err *err) MUST_CHECK;

/* What is asked about one deployment, and how that ended. */
struct api_jobs_question {
    const char *deployment_id;
    int page_size; /* 1..100: so many of its jobs, the newest */
    enum {
        API_JOBS_UNASKED,
        API_JOBS_ANSWERED,
        API_JOBS_ABSENT,  /* there is no such deployment */
        API_JOBS_REFUSED, /* nothing can be told from the answer, or there is none */
    } fate;
    struct deployment_jobs jobs; /* of one that was answered; strings in the arena */
    /* When it was asked, at the last attempt: the answer need not know of what happened later. */
    int64_t asked_mono_ms;
    int64_t asked_unix_ms;
};

/*
 * Asks for the jobs of these deployments, one request each in their order, up to
 * target->concurrency in flight. A failure that would repeat with the others (whatever is no
 * ERR_API, ERR_NOT_FOUND, ERR_PARSE or ERR_LIMIT; ERR_HTTP and ERR_TIMEOUT only if three in a row
 * fail so) ends it with -1; what was answered until then is good. *ret_refused says why the first
 * was refused that ended nothing; its kind is ERR_NONE where none was.
 */
int api_client_list_jobs(struct api_client *client, const struct api_request *request,
                         struct api_jobs_question *questions, size_t n, struct arena *arena,
                         struct err *ret_refused, struct api_stats *stats,
                         struct err *err) MUST_CHECK;

/*
 * Whole objects, exactly as they came (json_parse_exact): an array of deployments, newest first,
 * empty if nobody has the name; one draft, ERR_NOT_FOUND if there is none.
 */
int api_client_get_deployments(struct api_client *client, const struct api_request *request,
                               const char *name, unsigned without, json_value **ret,
                               struct api_stats *stats, struct err *err) MUST_CHECK;
int api_client_get_draft(struct api_client *client, const struct api_request *request,
                         const char *draft_id, json_value **ret, struct api_stats *stats,
                         struct err *err) MUST_CHECK;

/*
 * How the last call of this client went, for whoever explains one to a person. Valid until the
 * next call.
 */
struct api_last_call {
    int status;          /* HTTP status, 0 = no reply */
    int64_t duration_ms; /* of the last attempt */
    int64_t date_unix_s; /* its Date header, -1 = none */
    const char *code;    /* of a refusal, "" = none */
    const char *request_id;
    unsigned connections; /* opened for it */
};
const struct api_last_call *api_client_last_call(const struct api_client *client);

#endif
