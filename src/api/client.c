/*
 * Listing: a pass reads all pages with several requests in flight, paging.c says which and whether
 * they are all there is; a doubtful pass is repeated once. A reply above max_body_size starts the
 * listing again with smaller pages, and the client remembers what size works.
 *
 * Memory: the records of one pass; replies become records while they arrive. The first pass is
 * gone, but for the fingerprint of its ids, before the second begins.
 */
#include "client_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "pass.h"
#include "request.h"

/* Then the configured size gets another chance: the large deployments may be gone. */
static const int64_t PAGE_SIZE_MEMORY_MS = INT64_C(3600) * 1000;

int api_client_new(struct api_session *session, struct api_client **ret, struct err *err)
{
    struct api_client *client = calloc(1, sizeof(*client));

    if (!client)
        return err_nomem(err, "API client");
    client->session = session;
    client->last = (struct api_last_call){
        .date_unix_s = -1, .code = client->last_code, .request_id = client->last_request_id};
    if (getrandom(&client->ids_key, sizeof(client->ids_key), 0) !=
        (ssize_t)sizeof(client->ids_key)) {
        free(client);
        return err_set(err, ERR_INTERNAL, "no random bytes");
    }
    if (transport_new(session_user_agent(session), &client->transport, err) < 0) {
        free(client);
        return -1;
    }
    *ret = client;
    return 0;
}

void api_client_free(struct api_client *client)
{
    if (!client)
        return;
    transport_free(client->transport);
    for (size_t i = 0; i < PAGE_SIZES_REMEMBERED; i++)
        free(client->page_sizes[i].place);
    free(client);
}

void api_client_stop(struct api_client *client)
{
    transport_stop(client->transport);
}

void api_client_resume(struct api_client *client)
{
    transport_resume(client->transport);
}

int client_env(struct api_client *client, const struct api_request *request,
               enum operation operation, struct api_stats *stats, struct call_env *ret,
               struct err *err)
{
    struct endpoint *endpoint = session_endpoint(client->session, request->target);

    *stats = (struct api_stats){0};
    if (!endpoint)
        return err_nomem(err, "request");
    *ret = (struct call_env){
        .session = client->session,
        .transport = client->transport,
        .endpoint = endpoint,
        .target = request->target,
        .namespace_name = request->namespace_name,
        .credentials = request->credentials,
        .operation = operation,
        .path = "",
        .deadline_mono_ms = request->deadline_mono_ms,
        .stats = stats,
    };
    return 0;
}

void client_note_reply(struct api_client *client, const struct transport_reply *reply,
                       const struct api_refusal *refusal)
{
    const char *request_id = *reply->request_id ? reply->request_id : refusal->request_id;

    client->last = (struct api_last_call){
        .status = reply->status,
        .duration_ms = reply->duration_us / 1000,
        .date_unix_s = reply->date_unix_s,
        .connections = reply->connections,
    };
    memcpy(client->last_code, refusal->code, sizeof(client->last_code));
    snprintf(client->last_request_id, sizeof(client->last_request_id), "%s", request_id);
    client->last.code = client->last_code;
    client->last.request_id = client->last_request_id;
}

const struct api_last_call *api_client_last_call(const struct api_client *client)
{
    return &client->last;
}

/* --- page sizes --- */

/* NULL when memory is out: then nothing is remembered, and nothing worse happens. */
static char *place_of(const struct api_request *request, enum operation operation)
{
    CLEANUP(strbuf_release) struct strbuf place = STRBUF_INIT;

    strbuf_addf(&place, "%s\n%s\n%s\n%s", operation_name(operation), request->target->host,
                request->target->workspace, request->namespace_name);
    return strbuf_take(&place, NULL);
}

static struct known_page_size *find_page_size(struct api_client *client, const char *place)
{
    for (size_t i = 0; i < PAGE_SIZES_REMEMBERED; i++) {
        struct known_page_size *known = &client->page_sizes[i];
        if (known->place && strcmp(known->place, place) == 0)
            return known;
    }
    return NULL;
}

/* What the target says, unless a smaller size was needed lately under the same settings. */
static int page_size_for(struct api_client *client, const struct api_request *request,
                         enum operation operation)
{
    const struct target *target = request->target;
    CLEANUP(freep) char *place = place_of(request, operation);
    const struct known_page_size *known = place ? find_page_size(client, place) : NULL;

    if (known && known->configured_page_size == target->page_size &&
        known->max_body_size == target->max_body_size && clock_mono_ms() < known->until_mono_ms)
        return known->page_size;
    return target->page_size;
}

static void remember_page_size(struct api_client *client, const struct api_request *request,
                               enum operation operation, int page_size)
{
    CLEANUP(freep) char *place = place_of(request, operation);
    struct known_page_size *known = place ? find_page_size(client, place) : NULL;

    if (!place)
        return;
    if (!known) {
        known = &client->page_sizes[client->next_page_size];
        client->next_page_size = (client->next_page_size + 1) % PAGE_SIZES_REMEMBERED;
        free(known->place);
        known->place = TAKE(place);
    }
    known->configured_page_size = request->target->page_size;
    known->max_body_size = request->target->max_body_size;
    known->page_size = page_size;
    known->until_mono_ms = clock_mono_ms() + PAGE_SIZE_MEMORY_MS;
}

static int smaller_page_size(int page_size)
{
    return page_size > 10 ? 10 : 1;
}

/* --- the listing --- */

static int publish(struct pass *pass, bool total_size_lies, struct listing **ret, struct err *err)
{
    if (paging_finish(&pass->paging, pass->listing, err) < 0)
        return -1;
    pass->listing->pages = pass->lister->pages_read;
    pass->listing->total_size_lies = total_size_lies;
    *ret = TAKE(pass->listing);
    return 0;
}

static int endless(const struct pass *pass, struct err *err)
{
    char text[PAGING_TEXT_LEN];

    return err_set(err, ERR_LIMIT, "the list goes on beyond max_deployments (%lld): %s",
                   (long long)pass->lister->env.target->max_deployments,
                   paging_describe(&pass->paging, text));
}

/* A second look, when the first one left doubts. Whole if it leaves none or finds the same. */
static int list_again(struct lister *lister, const struct paging_outcome *first,
                      const char *first_text, struct listing **ret, struct err *err)
{
    CLEANUP(pass_release) struct pass pass = {0};
    char text[PAGING_TEXT_LEN];

    if (pass_run(&pass, lister, err) < 0) {
        if (err->kind == ERR_TIMEOUT && clock_mono_ms() >= lister->env.deadline_mono_ms)
            return err_set(err, ERR_INCOMPLETE, "%s; no time to list again", first_text);
        return err_wrap(err, "second listing");
    }
    struct paging_outcome second = paging_outcome(&pass.paging);
    switch (paging_verdict(&pass.paging)) {
    case PAGING_WHOLE:
    case PAGING_LIMITED:
        return publish(&pass, false, ret, err);
    case PAGING_DOUBTFUL:
        if (paging_outcome_equal(first, &second))
            return publish(&pass, true, ret, err);
        break;
    case PAGING_BROKEN:
        break;
    case PAGING_SHIFTING:
    case PAGING_ENDLESS:
        return endless(&pass, err);
    }
    return err_set(err, ERR_INCOMPLETE, "%s; listed again: %s", first_text,
                   paging_describe(&pass.paging, text));
}

static int list_all(struct lister *lister, struct listing **ret, struct err *err)
{
    CLEANUP(pass_release) struct pass pass = {0};
    char text[PAGING_TEXT_LEN];

    lister->too_large = false;
    if (pass_run(&pass, lister, err) < 0)
        return -1;
    switch (paging_verdict(&pass.paging)) {
    case PAGING_WHOLE:
    case PAGING_LIMITED:
        return publish(&pass, false, ret, err);
    case PAGING_ENDLESS:
        return endless(&pass, err);
    case PAGING_DOUBTFUL:
    case PAGING_BROKEN:
    case PAGING_SHIFTING:
        break;
    }
    struct paging_outcome first = paging_outcome(&pass.paging);
    paging_describe(&pass.paging, text);
    pass_release(&pass);
    return list_again(lister, &first, text, ret, err);
}

/*
 * The listing, with smaller pages if need be. Only a size that brought home a whole listing is
 * remembered: a server that sends nonsense without end is no reason for a request per deployment.
 */
static int list_with_any_page_size(struct api_client *client, const struct api_request *request,
                                   struct lister *lister, struct listing **ret, struct err *err)
{
    const int configured = request->target->page_size;
    struct err reason = {.kind = ERR_NONE};
    int rc;

    while ((rc = list_all(lister, ret, err)) < 0 && lister->too_large && lister->page_size > 1) {
        reason = *err;
        *err = (struct err){.kind = ERR_NONE};
        lister->page_size = smaller_page_size(lister->page_size);
    }
    if (rc < 0)
        return lister->page_size < configured ? err_wrap(err, "pages of %d", lister->page_size)
                                              : -1;
    if (reason.kind != ERR_NONE) {
        log_warn(
            LOG_FIELDS({"target", request->target->name}, {"namespace", request->namespace_name}),
            "listing with pages of %d instead of %d for the next hour: %s", lister->page_size,
            configured, reason.msg);
        remember_page_size(client, request, lister->env.operation, lister->page_size);
    }
    return 0;
}

static void join_label_values(const struct target_select *select, struct strbuf *out)
{
    /* The page's example has commas, but its text says ';', and only that is documented. */
    for (size_t i = 0; i < select->n_label_values; i++) {
        if (i > 0)
            strbuf_addc(out, ';');
        strbuf_adds(out, select->label_values[i]);
    }
}

/* Lists with what the caller has filled in beside the env. */
static int list(struct api_client *client, const struct api_request *request,
                enum operation operation, const char *collection, struct lister *lister,
                struct listing **ret, struct api_stats *stats, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;

    if (client_env(client, request, operation, stats, &lister->env, err) < 0)
        return -1;
    request_path(&path, request->namespace_name, collection, NULL);
    if (!strbuf_ok(&path))
        return err_nomem(err, "request");
    lister->client = client;
    lister->env.path = strbuf_str(&path);
    lister->env.paged = true;
    lister->page_size = page_size_for(client, request, operation);
    return list_with_any_page_size(client, request, lister, ret, err);
}

/* Whether a draft differs from its deployment is decided by what both would run. */
static const struct page_kind *kind_of_deployments(const struct target *target)
{
    return target->collectors & (1u << COLLECTOR_DRAFTS) ? &page_of_deployments_with_content
                                                         : &page_of_deployments;
}

int api_client_list_deployments(struct api_client *client, const struct api_request *request,
                                struct listing **ret, struct api_stats *stats, struct err *err)
{
    const struct target *target = request->target;
    CLEANUP(strbuf_release) struct strbuf label_values = STRBUF_INIT;

    join_label_values(&target->select, &label_values);
    if (!strbuf_ok(&label_values)) {
        *stats = (struct api_stats){0};
        return err_nomem(err, "request");
    }
    struct lister lister = {
        .kind = kind_of_deployments(target),
        .select = &target->select,
        .label_values = strbuf_str(&label_values),
    };
    return list(client, request, OPERATION_LIST_DEPLOYMENTS, "/deployments", &lister, ret, stats,
                err);
}

int api_client_list_drafts(struct api_client *client, const struct api_request *request,
                           struct listing **ret, struct api_stats *stats, struct err *err)
{
    struct lister lister = {.kind = &page_of_drafts};

    return list(client, request, OPERATION_LIST_DEPLOYMENT_DRAFTS, "/deployment-drafts", &lister,
                ret, stats, err);
}

int api_client_list_deployments_by_name(struct api_client *client,
                                        const struct api_request *request, unsigned without,
                                        struct listing **ret, struct api_stats *stats,
                                        struct err *err)
{
    const struct target *target = request->target;
    struct lister lister = {
        .client = client,
        .kind = kind_of_deployments(target),
        .names = target->deployment_names,
        .n_names = target->n_deployment_names,
        .without = without,
        .page_size = 1,
    };

    assert(target->n_deployment_names > 0);
    if (client_env(client, request, OPERATION_GET_DEPLOYMENTS_BY_NAME, stats, &lister.env, err) < 0)
        return -1;
    return list_all(&lister, ret, err);
}
