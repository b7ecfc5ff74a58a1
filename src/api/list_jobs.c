/*
 * ListJobs for many deployments, some requests in flight. Each question is one page: the newest
 * jobs are asked for, and which of them is the newest is decided by what they say themselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client_inside.h"
#include "page_reader.h"
#include "refusal.h"
#include "request.h"

/* More jobs on a page than asked for are no reason to refuse it; a list without end is. */
enum { PAGE_EXCESS = 10 };

/* So many in a row without an answer of the control plane: then it is not the deployments. */
enum { SILENT_MAX = 3 };

struct asking;

/* One question on its way. */
struct fetch {
    struct call call;
    struct asking *asking;
    struct api_jobs_question *question;
    struct arena *page; /* what the reply is becoming; NULL = nothing of it came yet */
    struct page_reader reader;
};

struct asking {
    struct api_client *client;
    struct call_env env;
    struct api_jobs_question *questions;
    size_t n_questions;
    size_t next; /* question */
    size_t left; /* without an answer of any kind */
    struct arena *arena;
    struct err *first; /* why the first one was refused */
    unsigned silent;   /* questions in a row that the control plane itself gave no answer to */
    struct fetch *fetches;
    size_t n_fetches;
};

/* --- the reply of one --- */

static int fetch_begin_reading(struct fetch *fetch, struct err *err)
{
    const size_t page_size = (size_t)fetch->question->page_size;
    const struct page_options options = {
        .kind = &page_of_jobs,
        .page_size = page_size,
        .max_items = page_size * PAGE_EXCESS,
    };

    fetch->page = arena_new();
    if (!fetch->page)
        return err_nomem(err, "the jobs of a deployment");
    return page_reader_begin(&fetch->reader, &options, fetch->page, err);
}

static void fetch_end_reading(struct fetch *fetch)
{
    if (fetch->page)
        page_reader_release(&fetch->reader);
    arena_free(TAKE(fetch->page));
}

static int fetch_write(void *ctx, const char *bytes, size_t len, struct err *err)
{
    struct fetch *fetch = ctx;

    if (!fetch->page && fetch_begin_reading(fetch, err) < 0)
        return -1;
    return page_reader_write(&fetch->reader, bytes, len, err);
}

/* A server that does not know the parameter would list the jobs of all deployments. */
static int check_deployment(const struct page *page, const char *deployment_id, struct err *err)
{
    for (size_t i = 0; i < page->n_items; i++)
        if (*page->jobs[i].deployment_id && strcmp(page->jobs[i].deployment_id, deployment_id) != 0)
            return err_set(err, ERR_PARSE, "the reply is about the deployment '%s'",
                           page->jobs[i].deployment_id);
    return 0;
}

static int decode(struct fetch *fetch, const struct transport_reply *reply,
                  struct api_refusal *refusal, struct err *err)
{
    struct api_jobs_question *question = fetch->question;
    struct page page;

    if (reply->err.kind != ERR_NONE) {
        *err = reply->err;
        return -1;
    }
    if (reply->status != 200)
        return refusal_decode(reply->status, strbuf_str(&reply->body), reply->body.len,
                              reply->request_id, refusal, err);
    /* A body without a byte has not begun anything. */
    if (!fetch->page && fetch_begin_reading(fetch, err) < 0)
        return -1;
    if (page_reader_finish(&fetch->reader, &page, refusal, err) < 0) {
        if (refusal_is_not_found(refusal))
            err->kind = ERR_NOT_FOUND;
        return -1;
    }
    /* What cannot be read might be the newest. */
    if (page.invalid > 0)
        return err_set(err, ERR_PARSE, "%llu of %zu jobs cannot be read",
                       (unsigned long long)page.invalid, page.n_objects);
    if (check_deployment(&page, question->deployment_id, err) < 0)
        return -1;
    question->jobs = deployment_jobs_none(question->deployment_id);
    deployment_jobs_read(&question->jobs, page.jobs, page.n_items);
    return deployment_jobs_keep(&question->jobs, fetch->asking->arena) == 0
               ? 0
               : err_nomem(err, "the jobs of a deployment");
}

/* --- all of them --- */

static void asking_release(struct asking *a)
{
    if (!a->fetches)
        return;
    transport_cancel_all(a->env.transport);
    for (size_t i = 0; i < a->n_fetches; i++) {
        call_drop(&a->fetches[i].call, &a->env);
        call_release(&a->fetches[i].call);
        fetch_end_reading(&a->fetches[i]);
    }
    free(TAKE(a->fetches));
}

static int asking_init(struct asking *a, struct err *err)
{
    size_t n = a->env.target->concurrency > 1 ? (size_t)a->env.target->concurrency : 1;

    a->fetches = calloc(n, sizeof(*a->fetches));
    if (!a->fetches)
        return err_nomem(err, "the jobs of deployments");
    for (size_t i = 0; i < n; i++) {
        a->fetches[i].asking = a;
        a->fetches[i].call.sink =
            (struct transport_sink){.write = fetch_write, .ctx = &a->fetches[i]};
    }
    a->n_fetches = n;
    a->left = a->n_questions;
    return 0;
}

static int begin_call(struct asking *a, struct fetch *fetch, struct err *err)
{
    char page_size[16];
    const struct sign_param params[] = {
        {"deploymentId", a->questions[a->next].deployment_id},
        {"pageIndex", "1"},
        {"pageSize", page_size},
        {"sortName", "gmt_create"},
        {"sortOrder", "desc"},
    };

    fetch->question = &a->questions[a->next++];
    snprintf(page_size, sizeof(page_size), "%d", fetch->question->page_size);
    call_begin(&fetch->call, &a->env, 1);
    return sign_canonical_query(&fetch->call.query, params, ARRAY_LEN(params), err);
}

/* Gives questions to idle calls, as many as the window admits. */
static int fill(struct asking *a, size_t window, struct err *err)
{
    size_t busy = 0;

    for (size_t i = 0; i < a->n_fetches; i++)
        busy += a->fetches[i].call.state != CALL_IDLE;
    for (size_t i = 0; i < a->n_fetches && busy < window && a->next < a->n_questions; i++) {
        if (a->fetches[i].call.state != CALL_IDLE)
            continue;
        if (begin_call(a, &a->fetches[i], err) < 0)
            return -1;
        busy++;
    }
    return 0;
}

/* The call to send next of those that are due, as pass.c has it: what was refused most often. */
static struct fetch *pick(const struct asking *a, int64_t now_mono_ms, int64_t *ret_wake_mono_ms)
{
    struct fetch *best = NULL;

    for (size_t i = 0; i < a->n_fetches; i++) {
        struct fetch *fetch = &a->fetches[i];
        int64_t due_mono_ms = call_due_mono_ms(&fetch->call, &a->env);

        if (fetch->call.state != CALL_READY)
            continue;
        if (due_mono_ms > now_mono_ms && due_mono_ms < *ret_wake_mono_ms)
            *ret_wake_mono_ms = due_mono_ms;
        if (due_mono_ms <= now_mono_ms &&
            (!best || fetch->call.budget.attempts_made > best->call.budget.attempts_made))
            best = fetch;
    }
    return best;
}

/* Sends what is due. *ret_wake is when to come here again if no reply comes before. */
static int send_due(struct asking *a, int64_t now_mono_ms, int64_t *ret_wake_mono_ms,
                    struct err *err)
{
    size_t window = endpoint_window(a->env.endpoint, a->n_fetches), in_flight = 0;
    struct fetch *fetch;

    *ret_wake_mono_ms = a->env.deadline_mono_ms;
    if (fill(a, window, err) < 0)
        return -1;
    for (size_t i = 0; i < a->n_fetches; i++)
        in_flight += a->fetches[i].call.state == CALL_IN_FLIGHT;
    while (in_flight < window && (fetch = pick(a, now_mono_ms, ret_wake_mono_ms))) {
        uintptr_t tag = (uintptr_t)(fetch - a->fetches);
        int sent = call_send(&fetch->call, &a->env, tag, now_mono_ms, err);

        if (sent < 0)
            return -1;
        in_flight += (size_t)sent; /* if not, none is due any more */
    }
    return 0;
}

/*
 * Whether the others would be answered no better. A gateway's 502 and a request that takes too long
 * may be one deployment's, with many large jobs; several in a row are not.
 */
static bool concerns_all(struct asking *a, enum err_kind kind)
{
    if (kind == ERR_HTTP || kind == ERR_TIMEOUT)
        return ++a->silent >= SILENT_MAX;
    a->silent = 0;
    return kind != ERR_API && kind != ERR_NOT_FOUND && kind != ERR_PARSE && kind != ERR_LIMIT;
}

static int deadline_passed(const struct asking *a, struct err *err)
{
    return err_set(err, ERR_TIMEOUT,
                   "the deadline of the refresh passed with %zu of %zu deployments asked for their "
                   "jobs",
                   a->n_questions - a->left, a->n_questions);
}

/* It failed for good. -1: there is no use in asking for others. */
static int give_up(struct asking *a, struct api_jobs_question *question, const struct err *failure,
                   struct err *err)
{
    bool end = concerns_all(a, failure->kind);
    struct err why = *failure;

    question->fate = failure->kind == ERR_NOT_FOUND ? API_JOBS_ABSENT : API_JOBS_REFUSED;
    if (failure->kind == ERR_TIMEOUT && clock_mono_ms() >= a->env.deadline_mono_ms)
        return deadline_passed(a, err);
    a->left--;
    if (failure->kind == ERR_NOT_FOUND)
        return 0;
    err_wrap(&why, "jobs of the deployment '%s'", question->deployment_id);
    if (end) {
        *err = why;
        return -1;
    }
    if (a->first->kind == ERR_NONE)
        *a->first = why;
    return 0;
}

static int receive(struct asking *a, const struct transport_reply *reply, struct err *err)
{
    struct fetch *fetch = &a->fetches[reply->tag];
    struct api_refusal refusal = {.hint = RETRY_HINT_NONE};
    struct err failure = {.kind = ERR_NONE};

    call_received(&fetch->call, &a->env, reply);
    fetch->question->asked_mono_ms = fetch->call.sent_mono_ms;
    fetch->question->asked_unix_ms = clock_unix_ms() - (clock_mono_ms() - fetch->call.sent_mono_ms);
    int rc = decode(fetch, reply, &refusal, &failure);
    fetch_end_reading(fetch);
    client_note_reply(a->client, reply, &refusal);
    call_log(&fetch->call, &a->env, reply, &refusal, failure.kind);
    if (rc == 0) {
        call_answered(&fetch->call, &a->env);
        fetch->question->fate = API_JOBS_ANSWERED;
        a->silent = 0;
        a->left--;
        return 0;
    }
    if (call_failed(&fetch->call, &a->env, reply, &refusal, &failure) == 0)
        return 0;
    return give_up(a, fetch->question, &failure, err);
}

static int ask_all(struct asking *a, struct err *err)
{
    while (a->left > 0) {
        CLEANUP(transport_reply_release) struct transport_reply reply = {0};
        int64_t now_mono_ms = clock_mono_ms();
        int64_t wake_mono_ms;

        if (now_mono_ms >= a->env.deadline_mono_ms)
            return deadline_passed(a, err);
        if (send_due(a, now_mono_ms, &wake_mono_ms, err) < 0)
            return -1;
        int rc = transport_wait(a->env.transport, wake_mono_ms, &reply, err);
        if (rc < 0 || (rc > 0 && receive(a, &reply, err) < 0))
            return -1;
    }
    return 0;
}

int api_client_list_jobs(struct api_client *client, const struct api_request *request,
                         struct api_jobs_question *questions, size_t n, struct arena *arena,
                         struct err *ret_refused, struct api_stats *stats, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(asking_release)
    struct asking a = {
        .client = client,
        .questions = questions,
        .n_questions = n,
        .arena = arena,
        .first = ret_refused,
    };

    *ret_refused = (struct err){.kind = ERR_NONE};
    for (size_t i = 0; i < n; i++)
        questions[i].fate = API_JOBS_UNASKED;
    if (client_env(client, request, OPERATION_LIST_JOBS, stats, &a.env, err) < 0)
        return -1;
    request_path(&path, request->namespace_name, "/jobs", NULL);
    if (!strbuf_ok(&path))
        return err_nomem(err, "request");
    a.env.path = strbuf_str(&path);
    if (asking_init(&a, err) < 0)
        return -1;
    return ask_all(&a, err);
}
