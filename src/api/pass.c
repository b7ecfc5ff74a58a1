#include "pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "call.h"
#include "refusal.h"
#include "request.h"
#include "sign.h"

/* A call and what its reply is becoming. */
struct fetch {
    struct call call;
    const struct pass *pass;
    struct page_reader reader;
    bool reading; /* the reader was begun */
};

/* More objects on a page than asked for are no reason to refuse it; a list without end is. */
enum {
    PAGE_EXCESS = 10,
    SAME_NAME_MAX = 10000, /* deployments of one name: the reply has no pages */
};

static int fetch_begin_reading(struct fetch *fetch, struct err *err)
{
    const struct lister *lister = fetch->pass->lister;
    const struct page_options options = {
        .kind = lister->kind,
        .labels = &lister->env.target->deployment_labels,
        .page_size = lister->names ? 1 : (size_t)lister->page_size,
        .max_items = lister->names ? SAME_NAME_MAX : (size_t)lister->page_size * PAGE_EXCESS,
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

void pass_release(struct pass *pass)
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
    if (lister->names)
        paging_init_parts(&pass->paging, lister->kind->record, (uint32_t)lister->n_names,
                          target->max_deployments, &lister->client->ids_key);
    else
        paging_init(&pass->paging, lister->kind->record, (uint32_t)lister->page_size,
                    target->max_deployments, &lister->client->ids_key);
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

/* A page of the list: the path is the same for all of them. */
static int build_page(const struct lister *lister, struct call *call, struct err *err)
{
    static const struct target_select none;
    const struct target_select *select = lister->select ? lister->select : &none;
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

    snprintf(index, sizeof(index), "%u", (unsigned)call->page);
    snprintf(size, sizeof(size), "%d", lister->page_size);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].value && *all[i].value)
            set[n++] = all[i];
    return sign_canonical_query(&call->query, set, n, err);
}

/* The deployments of a name. */
static int build_name(const struct lister *lister, struct call *call, struct err *err)
{
    request_by_name(&call->path, lister->env.namespace_name, lister->names[call->page - 1]);
    return request_without_query(&call->query, lister->without, err);
}

static int begin_call(const struct lister *lister, struct call *call, uint32_t page,
                      struct err *err)
{
    call_begin(call, &lister->env, page);
    return lister->names ? build_name(lister, call, err) : build_page(lister, call, err);
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
        if (begin_call(pass->lister, call, page, err) < 0)
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

/*
 * A proxy that tidies paths up turns the deployment named ".." into another question, whose answer
 * looks good. What has no name, or one that was cut, says nothing.
 */
static int names_check(const struct fetch *fetch, const struct page *page, struct err *err)
{
    const struct lister *lister = fetch->pass->lister;
    const char *wanted = lister->names ? lister->names[fetch->call.page - 1] : NULL;

    for (size_t i = 0; wanted && i < page->n_items; i++) {
        const char *name = page->items[i].name;
        if (*name && strlen(name) < LABEL_VALUE_MAX - 3 && strcmp(name, wanted) != 0)
            return err_set(err, ERR_PARSE, "the reply is about a deployment named '%s'", name);
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
    if (page_reader_finish(&fetch->reader, page, refusal, err) == 0)
        return names_check(fetch, page, err);
    /* That nobody has the name may come as a refusal: it is a fact, as an empty list is. */
    if (!fetch->pass->lister->names || !refusal_is_not_found(refusal))
        return -1;
    *refusal = (struct api_refusal){.hint = RETRY_HINT_NONE};
    *page = (struct page){.total_size = -1};
    return 0;
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
    client_note_reply(pass->lister->client, reply, &refusal);
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
    if (pass->lister->names)
        return err_wrap(err, "deployments named '%s'", pass->lister->names[call->page - 1]);
    return -1;
}

int pass_run(struct pass *pass, struct lister *lister, struct err *err)
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
