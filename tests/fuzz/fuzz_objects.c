/*
 * Bytes of a reply -> drafts, jobs, tickets, and JSON that is sent back, with what must hold for
 * whatever comes out: pieces do not matter, texts are fit for labels, and what json_parse_exact
 * takes is the same after printing and parsing again.
 */
#include "fuzz.h"

#include "api/json.h"
#include "base/utf8.h"
#include "ticket_reader.h"

static void check_label(const char *s)
{
    require(s && strlen(s) <= LABEL_VALUE_MAX && utf8_valid(s, strlen(s)), "a label's text");
}

static void check_draft(const struct draft *d)
{
    check_label(d->id);
    require(*d->id, "a draft has an id");
    check_label(d->name);
    check_label(d->deployment_id);
    check_label(d->execution_mode);
    check_label(d->engine_version);
    check_label(d->artifact_kind);
    check_label(d->lock_holder);
    require(d->locked == 1 || (d->locked == 0 && !*d->lock_holder), "nobody holds what is free");
    require(d->created_unix_s >= 0 && d->modified_unix_s >= 0, "times");
}

static void same_draft(const struct draft *a, const struct draft *b)
{
    require(strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0 &&
                strcmp(a->deployment_id, b->deployment_id) == 0 &&
                strcmp(a->lock_holder, b->lock_holder) == 0 && a->locked == b->locked &&
                a->modified_unix_s == b->modified_unix_s && a->content_hash == b->content_hash,
            "the same draft in any pieces");
}

static void fuzz_drafts(const char *body, size_t len, size_t piece)
{
    const struct page_options options = {
        .kind = &page_of_drafts, .page_size = 2, .max_items = 100000};
    struct page whole, pieces;
    struct api_refusal refusal;
    struct err err = {.kind = ERR_NONE}, piece_err = {.kind = ERR_NONE};
    CLEANUP(arena_freep) struct arena *arena = arena_new();

    if (!arena || len == 0)
        return;
    int rc = fuzz_read_page(body, len, len, &options, arena, &whole, &refusal, &err);
    int piece_rc = fuzz_read_page(body, len, piece, &options, arena, &pieces, &refusal, &piece_err);
    require(rc == piece_rc && err.kind == piece_err.kind, "the same verdict in any pieces");
    if (rc < 0)
        return;
    require(whole.n_items == pieces.n_items, "as many drafts in any pieces");
    for (size_t i = 0; i < whole.n_items; i++) {
        check_draft(&whole.drafts[i]);
        same_draft(&whole.drafts[i], &pieces.drafts[i]);
    }
}

static void check_job(const struct job_record *j)
{
    check_label(j->id);
    require(*j->id, "a job has an id");
    check_label(j->deployment_id);
    check_label(j->status);
    check_label(j->reason);
    require(strlen(j->message) <= JOB_MESSAGE_MAX && utf8_valid(j->message, strlen(j->message)),
            "a failure's message");
    require(!(j->active && j->failed), "what failed is over");
    require(j->failed || (!*j->reason && !*j->message && j->failed_unix_s == 0),
            "what did not fail has no failure");
    require(j->created_unix_s >= 0 && j->started_unix_s >= 0 && j->ended_unix_s >= 0 &&
                j->failed_unix_s >= 0,
            "times of a job");
    require(j->restarts >= -1 && j->memory >= -1 && (j->cpu >= 0 || j->cpu == -1), "numbers");
}

static void fuzz_jobs(const char *body, size_t len, size_t piece)
{
    const struct page_options options = {
        .kind = &page_of_jobs, .page_size = 2, .max_items = 100000};
    struct page whole, pieces;
    struct api_refusal refusal;
    struct err err = {.kind = ERR_NONE}, piece_err = {.kind = ERR_NONE};
    struct deployment_jobs jobs = deployment_jobs_none("d");
    CLEANUP(arena_freep) struct arena *arena = arena_new();

    if (!arena || len == 0)
        return;
    int rc = fuzz_read_page(body, len, len, &options, arena, &whole, &refusal, &err);
    int piece_rc = fuzz_read_page(body, len, piece, &options, arena, &pieces, &refusal, &piece_err);
    require(rc == piece_rc && err.kind == piece_err.kind, "the same verdict in any pieces");
    if (rc < 0)
        return;
    require(whole.n_items == pieces.n_items, "as many jobs in any pieces");
    for (size_t i = 0; i < whole.n_items; i++) {
        check_job(&whole.jobs[i]);
        require(strcmp(whole.jobs[i].id, pieces.jobs[i].id) == 0 &&
                    strcmp(whole.jobs[i].message, pieces.jobs[i].message) == 0 &&
                    whole.jobs[i].restarts == pieces.jobs[i].restarts,
                "the same job in any pieces");
    }
    deployment_jobs_read(&jobs, whole.jobs, whole.n_items);
    require(jobs.n_active <= whole.n_items && (jobs.n_active > 0 || jobs.restarts == -1),
            "what is made of them");
}

static void fuzz_ticket(const char *body, size_t len)
{
    CLEANUP(json_freep) json_value *root = NULL;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct ticket_answer answer;

    if (!arena || json_parse(body, len, (size_t)64 << 20, &root, NULL) < 0)
        return;
    const json_value *data = json_get(root, "data");
    if (ticket_read(data ? data : root, arena, &answer, NULL) < 0)
        return;
    require(utf8_valid(answer.message, strlen(answer.message)), "a message");
    require(answer.success >= -1 && answer.success <= 1, "success");
    for (size_t i = 0; i < answer.n_errors; i++)
        require(answer.errors[i].line >= 0 && answer.errors[i].message, "an error's place");
    if (ticket_answer_ended(&answer))
        require((ticket_answer_failure(&answer) == TICKET_FAILURE_END) ==
                    (answer.status == TICKET_FINISHED && answer.success == 1),
                "only who says so succeeded");
}

static void fuzz_exact(const char *body, size_t len)
{
    CLEANUP(json_freep) json_value *first = NULL, *again = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT, twice = STRBUF_INIT;
    const size_t budget = (size_t)64 << 20;

    if (json_parse_exact(body, len, budget, &first, NULL) < 0)
        return;
    require(json_print(first, false, &text, NULL) == 0, "it prints");
    require(json_parse_exact(strbuf_str(&text), text.len, budget, &again, NULL) == 0,
            "what is printed is exact");
    require(json_equal(first, again), "and the same");
    require(json_print(again, false, &twice, NULL) == 0 &&
                strcmp(strbuf_str(&text), strbuf_str(&twice)) == 0,
            "and prints the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *body = (const char *)data + 1;

    fuzz_drafts(body, size - 1, fuzz_piece(*data));
    fuzz_jobs(body, size - 1, fuzz_piece(*data));
    fuzz_ticket(body, size - 1);
    fuzz_exact(body, size - 1);
    return 0;
}
