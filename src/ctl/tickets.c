/*
 * Deploy tickets: what the control plane says of one, and waiting for its end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "complain.h"
#include "json_out.h"
#include "plane.h"
#include "visible.h"

enum {
    FIRST_PAUSE_MS = 2000,
    LAST_PAUSE_MS = 10000,
    TICK_MS = 1000,
    /* A new ticket may not be known everywhere yet. */
    GRACE_MS = 30000,
};

/* --- showing --- */

/* "name:  text", further lines of the text below the first. */
static void put_text(struct strbuf *out, const char *name, const char *text)
{
    enum { INDENT = 13 };

    strbuf_addf(out, "%s:", name);
    for (int i = (int)strlen(name) + 1; i < INDENT; i++)
        strbuf_addc(out, ' ');
    if (!text || !*text)
        text = "-";
    for (bool first = true; *text; first = false) {
        size_t len = strcspn(text, "\n");

        for (int i = 0; i < INDENT && !first; i++)
            strbuf_addc(out, ' ');
        visible_append_line(out, text, len);
        strbuf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static void put_errors(struct strbuf *out, const struct ticket_answer *a)
{
    for (size_t i = 0; i < a->n_errors; i++) {
        const struct ticket_error *e = &a->errors[i];

        strbuf_addf(out, "%" PRId64 ":%" PRId64 ": ", e->line, e->column);
        visible_append(out, e->message, strlen(e->message));
        strbuf_addc(out, '\n');
    }
}

static const char *yes_no(int8_t truth)
{
    return truth < 0 ? "" : truth ? "yes" : "no";
}

static void put_table(struct strbuf *out, const char *id, const struct ticket_answer *a)
{
    put_text(out, "ticket", id);
    put_text(out, "status", a->status_text);
    put_text(out, "success", yes_no(a->success));
    put_text(out, "deployment", a->deployment_id);
    if (*a->message)
        put_text(out, "message", a->message);
    if (*a->validation_result)
        put_text(out, "validation", a->validation_result);
    put_errors(out, a);
}

static void put_truth(struct json_out *o, const char *key, int8_t truth)
{
    if (truth < 0)
        json_out_null(o, key);
    else
        json_out_bool(o, key, truth);
}

static void put_number(struct json_out *o, const char *key, int64_t n)
{
    if (n > 0)
        json_out_integer(o, key, n);
    else
        json_out_null(o, key);
}

static void put_json(struct strbuf *out, const char *id, const struct ticket_answer *a)
{
    struct json_out o = {.out = out};

    json_out_open(&o, NULL, '{');
    json_out_text(&o, "ticket_id", id);
    json_out_string(&o, "status", a->status_text);
    json_out_bool(&o, "ended", ticket_answer_ended(a));
    put_truth(&o, "success", a->success);
    put_truth(&o, "validated", a->validated);
    json_out_string(&o, "deployment_id", a->deployment_id);
    json_out_string(&o, "message", a->message);
    json_out_string(&o, "validation_result", a->validation_result);
    json_out_open(&o, "errors", '[');
    for (size_t i = 0; i < a->n_errors; i++) {
        json_out_open(&o, NULL, '{');
        put_number(&o, "line", a->errors[i].line);
        put_number(&o, "column", a->errors[i].column);
        put_number(&o, "end_line", a->errors[i].end_line);
        put_number(&o, "end_column", a->errors[i].end_column);
        json_out_string(&o, "message", a->errors[i].message);
        json_out_close(&o, '}');
    }
    json_out_close(&o, ']');
    json_out_close(&o, '}');
}

static int show(const struct options *options, const struct ticket_answer *a, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    if (options->json)
        put_json(&out, options->argument, a);
    else
        put_table(&out, options->argument, a);
    return answer_write(&out, err);
}

enum exit_code run_ticket_get(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    enum exit_code code = plane_open(&p, options);
    struct ticket_answer answer;
    struct err err = {0};

    if (code != CTL_DONE)
        return code;
    if (!arena) {
        complain("out of memory");
        return CTL_FAILED;
    }
    const struct api_request request = plane_request(&p);
    if (api_client_get_ticket(p.client, &request, options->argument, arena, &answer, NULL, &p.stats,
                              &err) < 0)
        return plane_failed(&p, "cannot get the ticket", &err);
    if (show(options, &answer, &err) < 0) {
        complain("%s", err.msg);
        return CTL_FAILED;
    }
    return CTL_DONE;
}

/* --- waiting --- */

struct wait {
    const struct options *options;
    struct plane *plane;
    struct arena *arena; /* of the last answer */
    struct ticket_answer answer;
    bool answered;
    int64_t began_mono_ms;
    int64_t until_mono_ms;
    bool on_terminal;
    char state[160]; /* as it was told last */
};

static void wait_release(struct wait *w)
{
    arena_free(w->arena);
}

/* One line that is written over on a terminal, a line for each change elsewhere. */
static void tell_state(struct wait *w, const char *state)
{
    bool changed = strcmp(w->state, state) != 0;

    if (changed)
        snprintf(w->state, sizeof(w->state), "%s", state);
    if (w->on_terminal) {
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;

        visible_append(&line, w->state, strlen(w->state));
        fprintf(stderr, "\r%s: %s, %lld s\x1b[K", w->options->argument, strbuf_str(&line),
                (long long)(clock_mono_ms() - w->began_mono_ms) / 1000);
    } else if (changed) {
        tell("%s: %s", w->options->argument, state);
    }
}

static void end_state(const struct wait *w)
{
    if (w->on_terminal)
        fputs("\r\x1b[K", stderr);
}

/* False if it was interrupted. */
static bool pause_until(struct wait *w, int64_t until_mono_ms)
{
    for (;;) {
        int64_t now_mono_ms = clock_mono_ms();
        int64_t next = now_mono_ms + TICK_MS;

        if (now_mono_ms >= until_mono_ms)
            return true;
        tell_state(w, w->state);
        if (!w->on_terminal || next > until_mono_ms)
            next = until_mono_ms;
        if (interrupt_wait(w->plane->interrupt, -1, 0, next) == WAIT_INTERRUPTED)
            return false;
    }
}

/* Whether asking again may help. */
static bool may_pass(const struct wait *w, enum err_kind kind)
{
    switch (kind) {
    case ERR_DNS:
    case ERR_CONNECT:
    case ERR_TIMEOUT:
    case ERR_HTTP:
    case ERR_THROTTLED:
    case ERR_PARSE:
        return true;
    case ERR_NOT_FOUND:
    case ERR_API:
        return clock_mono_ms() - w->began_mono_ms < GRACE_MS;
    default:
        return false;
    }
}

static int ask(struct wait *w, struct err *err)
{
    struct api_request request = plane_request(w->plane);
    struct arena *arena = arena_new();
    struct ticket_answer answer;

    if (!arena)
        return err_nomem(err, "an answer");
    if (request.deadline_mono_ms > w->until_mono_ms)
        request.deadline_mono_ms = w->until_mono_ms;
    if (api_client_get_ticket(w->plane->client, &request, w->options->argument, arena, &answer,
                              NULL, &w->plane->stats, err) < 0) {
        arena_free(arena);
        return -1;
    }
    arena_free(w->arena);
    w->arena = arena;
    w->answer = answer;
    w->answered = true;
    return 0;
}

static enum exit_code timed_out(struct wait *w)
{
    struct err err = {0};

    end_state(w);
    complain("ticket '%s' did not end within %g s, last heard: %s", w->options->argument,
             (double)w->options->timeout_ms / 1000, *w->state ? w->state : "nothing");
    if (w->answered && show(w->options, &w->answer, &err) < 0)
        complain("%s", err.msg);
    return CTL_TIMED_OUT;
}

static enum exit_code ended(struct wait *w)
{
    struct err err = {0};

    end_state(w);
    if (show(w->options, &w->answer, &err) < 0) {
        complain("%s", err.msg);
        return CTL_FAILED;
    }
    return ticket_answer_failure(&w->answer) == TICKET_FAILURE_END ? CTL_DONE : CTL_FAILED;
}

static enum exit_code wait_for_end(struct wait *w)
{
    int64_t pause_ms = FIRST_PAUSE_MS;

    for (;;) {
        struct err err = {0};
        int rc = ask(w, &err);
        int64_t now_mono_ms = clock_mono_ms();

        if (rc == 0 && ticket_answer_ended(&w->answer))
            return ended(w);
        if (rc < 0 && now_mono_ms < w->until_mono_ms && !may_pass(w, err.kind)) {
            end_state(w);
            return plane_failed(w->plane, "cannot get the ticket", &err);
        }
        if (rc == 0)
            tell_state(w, w->answer.status_text);
        else if (now_mono_ms < w->until_mono_ms)
            tell_state(w, err.kind == ERR_NOT_FOUND ? "not known yet" : err.msg);
        if (now_mono_ms >= w->until_mono_ms)
            return timed_out(w);
        int64_t next = now_mono_ms + pause_ms;
        if (!pause_until(w, next < w->until_mono_ms ? next : w->until_mono_ms)) {
            end_state(w);
            complain("interrupted, the ticket goes on by itself");
            return CTL_FAILED;
        }
        pause_ms = pause_ms * 5 / 4 < LAST_PAUSE_MS ? pause_ms * 5 / 4 : LAST_PAUSE_MS;
    }
}

enum exit_code run_ticket_wait(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(wait_release) struct wait w = {.options = options, .plane = &p};
    enum exit_code code = plane_open(&p, options);

    if (code != CTL_DONE)
        return code;
    w.on_terminal = isatty(STDERR_FILENO);
    w.began_mono_ms = clock_mono_ms();
    w.until_mono_ms = w.began_mono_ms + options->timeout_ms;
    return wait_for_end(&w);
}
