/*
 * Listing: a pass reads all pages with several requests in flight, paging.c says which and whether
 * they are all there is; a doubtful pass is repeated once. A reply above max_body_size starts the
 * listing again with smaller pages, and the client remembers what size works.
 *
 * Memory: the records of one pass; replies become records while they arrive. The first pass is
 * gone, but for the fingerprint of its ids, before the second begins.
 */
#include "api/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "call.h"
#include "page_reader.h"
#include "paging.h"
#include "request.h"
#include "sign.h"

enum { PAGE_SIZES_REMEMBERED = 16 };

/* Then the configured size gets another chance: the large deployments may be gone. */
static const int64_t PAGE_SIZE_MEMORY_MS = INT64_C(3600) * 1000;

/* A page size below the configured one that worked, and with what configuration. */
struct known_page_size {
    char *place; /* host, workspace, namespace */
    int configured_page_size;
    int64_t max_body_size;
    int page_size;
    int64_t until_mono_ms;
};

struct api_client {
    struct api_session *session;
    struct transport *transport;
    struct ids_key ids_key;
    struct known_page_size page_sizes[PAGE_SIZES_REMEMBERED];
    size_t next_page_size; /* the one to be forgotten next */
};

int api_client_new(struct api_session *session, struct api_client **ret, struct err *err)
{
    struct api_client *client = calloc(1, sizeof(*client));

    if (!client)
        return err_nomem(err, "API client");
    client->session = session;
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

/* --- page sizes --- */

/* NULL when memory is out: then nothing is remembered, and nothing worse happens. */
static char *place_of(const struct api_request *request)
{
    CLEANUP(strbuf_release) struct strbuf place = STRBUF_INIT;

    strbuf_addf(&place, "%s\n%s\n%s", request->target->host, request->target->workspace,
                request->namespace_name);
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
static int page_size_for(struct api_client *client, const struct api_request *request)
{
    const struct target *target = request->target;
    CLEANUP(freep) char *place = place_of(request);
    const struct known_page_size *known = place ? find_page_size(client, place) : NULL;

    if (known && known->configured_page_size == target->page_size &&
        known->max_body_size == target->max_body_size && clock_mono_ms() < known->until_mono_ms)
        return known->page_size;
    return target->page_size;
}

static void remember_page_size(struct api_client *client, const struct api_request *request,
                               int page_size)
{
    CLEANUP(freep) char *place = place_of(request);
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

/* --- one pass --- */

/* What the passes of one listing share. */
struct lister {
    struct call_env env;
    const struct ids_key *ids_key;
    const char *label_values; /* of the selection, joined */
    int page_size;
    uint32_t pages_read; /* by all passes */
    bool too_large;      /* the last pass failed because of the size of a reply */
};

/* A call and what its reply is becoming. */
struct fetch {
    struct call call;
    const struct pass *pass;
    struct page_reader reader;
    bool reading; /* the reader was begun */
};

struct pass {
    struct lister *lister;
    struct paging paging;
    struct listing *listing;
    struct fetch
        *fetches; /* pages in flight, waiting for another attempt, or (one) just received */
    size_t n_fetches;
};

/* More objects on a page than asked for are no reason to refuse it; a list without end is. */
enum { PAGE_EXCESS = 10 };

static int fetch_begin_reading(struct fetch *fetch, struct err *err)
{
    const struct lister *lister = fetch->pass->lister;
    const struct page_options options = {
        .labels = &lister->env.target->deployment_labels,
        .page_size = (size_t)lister->page_size,
        .max_items = (size_t)lister->page_size * PAGE_EXCESS,
        .page = fetch->call.page,
    };

    fetch->reading = true;
    return page_reader_begin(&fetch->reader, &options, fetch->pass->listing->arena, err);
}

static int fetch_write(void *ctx, const char *bytes, size_t len, struct err *err)
{
    struct fetch *fetch = ctx;

    if (!fetch->reading && fetch_begin_reading(fetch, err) < 0)
        return -1;
    return page_reader_write(&fetch->reader, bytes, len, err);
}

/* The reply has come to its end, or will not come. */
static void fetch_end_reading(struct fetch *fetch)
{
    if (fetch->reading)
        page_reader_release(&fetch->reader);
    fetch->reading = false;
}

static void pass_release(struct pass *pass)
{
    if (!pass->lister)
        return;
    transport_cancel_all(pass->lister->env.transport);
    for (size_t i = 0; i < pass->n_fetches; i++) {
        call_drop(&pass->fetches[i].call, &pass->lister->env);
        call_release(&pass->fetches[i].call);
        fetch_end_reading(&pass->fetches[i]);
    }
    free(pass->fetches);
    paging_release(&pass->paging);
    listing_free(pass->listing);
    *pass = (struct pass){0};
}

/* On failure too, pass_release is the caller's duty. */
static int pass_init(struct pass *pass, struct lister *lister, struct err *err)
{
    const struct target *target = lister->env.target;
    size_t n = target->concurrency > 1 ? (size_t)target->concurrency : 1;

    *pass = (struct pass){.lister = lister};
    paging_init(&pass->paging, (uint32_t)lister->page_size, target->max_deployments,
                lister->ids_key);
    pass->listing = listing_new();
    pass->fetches = calloc(n, sizeof(*pass->fetches));
    if (!pass->listing || !pass->fetches)
        return err_nomem(err, "listing");
    for (size_t i = 0; i < n; i++) {
        struct fetch *fetch = &pass->fetches[i];
        fetch->pass = pass;
        fetch->call.sink = (struct transport_sink){.write = fetch_write, .ctx = fetch};
    }
    pass->n_fetches = n;
    return 0;
}

static int build_query(const struct lister *lister, uint32_t page, struct strbuf *query,
                       struct err *err)
{
    const struct target_select *select = &lister->env.target->select;
    char index[16], size[16];
    const struct sign_param all[] = {
        {"name", select->name},
        {"executionMode", select->execution_mode},
        {"status", select->status},
        {"creator", select->creator},
        {"modifier", select->modifier},
        {"labelKey", select->label_key},
        {"labelValueArray", lister->label_values},
        {"pageIndex", index},
        {"pageSize", size},
    };
    struct sign_param set[ARRAY_LEN(all)];
    size_t n = 0;

    snprintf(index, sizeof(index), "%u", (unsigned)page);
    snprintf(size, sizeof(size), "%d", lister->page_size);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].value && *all[i].value)
            set[n++] = all[i];
    return sign_canonical_query(query, set, n, err);
}

/* Gives pages to idle calls, as many as the window admits. */
static int pass_fill(struct pass *pass, struct err *err)
{
    size_t window = endpoint_window(pass->lister->env.endpoint, pass->n_fetches);
    size_t busy = 0;

    for (size_t i = 0; i < pass->n_fetches; i++)
        busy += pass->fetches[i].call.state == CALL_READY ||
                pass->fetches[i].call.state == CALL_IN_FLIGHT;
    for (size_t i = 0; i < pass->n_fetches && busy < window; i++) {
        struct call *call = &pass->fetches[i].call;
        uint32_t page;
        if (call->state != CALL_IDLE)
            continue;
        if (!paging_next(&pass->paging, &page))
            break;
        call_begin(call, &pass->lister->env, page);
        if (build_query(pass->lister, page, &call->query, err) < 0)
            return -1;
        busy++;
    }
    return 0;
}

/*
 * The call to send next of those that are due: what was refused most often goes first, so that
 * where requests are throttled one by one, none is refused until it may not try again. NULL if
 * none is due; *ret_wake is when the first one will be, if that is earlier.
 */
static struct fetch *pass_pick(const struct pass *pass, int64_t now_mono_ms,
                               int64_t *ret_wake_mono_ms)
{
    struct fetch *best = NULL;

    for (size_t i = 0; i < pass->n_fetches; i++) {
        struct fetch *fetch = &pass->fetches[i];
        if (fetch->call.state != CALL_READY)
            continue;
        int64_t due_mono_ms = call_due_mono_ms(&fetch->call, &pass->lister->env);
        if (due_mono_ms > now_mono_ms && due_mono_ms < *ret_wake_mono_ms)
            *ret_wake_mono_ms = due_mono_ms;
        if (due_mono_ms <= now_mono_ms &&
            (!best || fetch->call.budget.attempts_made > best->call.budget.attempts_made))
            best = fetch;
    }
    return best;
}

/* Sends what is due. *ret_wake is when to come here again if no reply comes before. */
static int pass_send(struct pass *pass, int64_t now_mono_ms, int64_t *ret_wake_mono_ms,
                     struct err *err)
{
    struct call_env *env = &pass->lister->env;
    size_t window = endpoint_window(env->endpoint, pass->n_fetches);
    size_t in_flight = 0;
    struct fetch *fetch;

    *ret_wake_mono_ms = env->deadline_mono_ms;
    if (pass_fill(pass, err) < 0)
        return -1;
    for (size_t i = 0; i < pass->n_fetches; i++)
        in_flight += pass->fetches[i].call.state == CALL_IN_FLIGHT;
    while (in_flight < window && (fetch = pass_pick(pass, now_mono_ms, ret_wake_mono_ms))) {
        uintptr_t tag = (uintptr_t)(fetch - pass->fetches);
        int sent = call_send(&fetch->call, env, tag, now_mono_ms, err);
        if (sent < 0)
            return -1;
        in_flight += (size_t)sent; /* if not, none is due any more */
    }
    return 0;
}

static int decode(struct fetch *fetch, const struct transport_reply *reply, struct page *page,
                  struct api_refusal *refusal, struct err *err)
{
    if (reply->err.kind != ERR_NONE) {
        *err = reply->err;
        return -1;
    }
    if (reply->status != 200)
        return refusal_decode(reply->status, strbuf_str(&reply->body), reply->body.len,
                              reply->request_id, refusal, err);
    /* A body without a byte has not begun anything. */
    if (!fetch->reading && fetch_begin_reading(fetch, err) < 0)
        return -1;
    return page_reader_finish(&fetch->reader, page, refusal, err);
}

/* Forgets pages that cannot hold anything, now that a lower one was empty. */
static void pass_abandon(struct pass *pass)
{
    for (size_t i = 0; i < pass->n_fetches; i++) {
        struct call *call = &pass->fetches[i].call;
        if (call->state != CALL_READY && call->state != CALL_IN_FLIGHT)
            continue;
        if (paging_wants(&pass->paging, call->page))
            continue;
        paging_abandon(&pass->paging, call->page);
        if (call->state == CALL_IN_FLIGHT)
            call->state = CALL_ABANDONED;
        else
            call_drop(call, &pass->lister->env);
    }
}

static int pass_receive(struct pass *pass, const struct transport_reply *reply, struct err *err)
{
    struct call_env *env = &pass->lister->env;
    struct fetch *fetch = &pass->fetches[reply->tag];
    struct call *call = &fetch->call;
    bool wanted = call->state == CALL_IN_FLIGHT;
    struct api_refusal refusal = {.hint = RETRY_HINT_NONE};
    struct err failure = {.kind = ERR_NONE};
    struct page page;

    call_received(call, env, reply);
    if (!wanted) {
        fetch_end_reading(fetch);
        call_done(call);
        return 0;
    }
    int rc = decode(fetch, reply, &page, &refusal, &failure);
    fetch_end_reading(fetch);
    call_log(call, env, reply, &refusal, failure.kind);
    if (rc == 0) {
        call_answered(call, env);
        pass->lister->pages_read++;
        rc = paging_add(&pass->paging, call->page, &page, err);
        pass_abandon(pass);
        return rc;
    }
    if (failure.kind == ERR_LIMIT && reply->body_too_large)
        pass->lister->too_large = true;
    if (call_failed(call, env, reply, &refusal, &failure) == 0)
        return 0;
    *err = failure;
    return -1;
}

/* Until all pages are there. The first page that fails for good fails the pass. */
static int pass_run(struct pass *pass, struct lister *lister, struct err *err)
{
    if (pass_init(pass, lister, err) < 0)
        return -1;
    while (!paging_done(&pass->paging)) {
        CLEANUP(transport_reply_release) struct transport_reply reply = {0};
        int64_t now_mono_ms = clock_mono_ms();
        int64_t wake_mono_ms;

        if (now_mono_ms >= lister->env.deadline_mono_ms)
            return err_set(err, ERR_TIMEOUT,
                           "the deadline of the refresh passed with %u pages read",
                           (unsigned)lister->pages_read);
        if (pass_send(pass, now_mono_ms, &wake_mono_ms, err) < 0)
            return -1;
        int rc = transport_wait(lister->env.transport, wake_mono_ms, &reply, err);
        if (rc < 0 || (rc > 0 && pass_receive(pass, &reply, err) < 0))
            return -1;
    }
    return 0;
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
        remember_page_size(client, request, lister->page_size);
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

int api_client_list_deployments(struct api_client *client, const struct api_request *request,
                                struct listing **ret, struct api_stats *stats, struct err *err)
{
    const struct target *target = request->target;
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf label_values = STRBUF_INIT;

    *stats = (struct api_stats){0};
    request_path(&path, request->namespace_name, "/deployments", NULL);
    join_label_values(&target->select, &label_values);
    struct endpoint *endpoint = session_endpoint(client->session, target);
    if (!endpoint || !strbuf_ok(&path) || !strbuf_ok(&label_values))
        return err_nomem(err, "request");

    struct lister lister = {
        .env =
            {
                .session = client->session,
                .transport = client->transport,
                .endpoint = endpoint,
                .target = target,
                .namespace_name = request->namespace_name,
                .credentials = request->credentials,
                .operation = OPERATION_LIST_DEPLOYMENTS,
                .path = strbuf_str(&path),
                .deadline_mono_ms = request->deadline_mono_ms,
                .stats = stats,
            },
        .ids_key = &client->ids_key,
        .label_values = strbuf_str(&label_values),
        .page_size = page_size_for(client, request),
    };
    return list_with_any_page_size(client, request, &lister, ret, err);
}
