#include "tickets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "following.h"
#include "spool.h"

static struct moment moment_now(void)
{
    return (struct moment){clock_unix_ms(), clock_mono_ms()};
}

/*
 * The files of ticket_dir; scan_err tells if it could not be read. Then those that were followed
 * before are taken to be there still: a directory that is away for a minute must not make anybody
 * forget what ended.
 */
static int look_into_spool(const struct api_request *request, const struct ticket_set *before,
                           struct arena *arena, struct spool *ret, struct err *scan_err,
                           struct err *err)
{
    const struct target *target = request->target;

    *ret = (struct spool){0};
    if (!*target->ticket_dir || spool_scan(target, request->namespace_name, before,
                                           clock_unix_ms() / 1000, arena, ret, scan_err) == 0)
        return 0;
    if (scan_err->kind == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "%s", scan_err->msg);
    return spool_as_before(before, arena, ret, err);
}

/*
 * The files of retired tickets go. One that cannot be removed is kept in mind as long as it is
 * there, or it would be followed all over again.
 */
static void clean_spool(struct following *f, const char *dir, struct trouble *stuck)
{
    for (size_t i = 0; i < f->set->n_items; i++) {
        struct ticket *t = &f->items[i];
        struct err one = {0};

        if (!t->retired || !t->spooled)
            continue;
        if (spool_remove(dir, t->id, &one) == 0)
            t->spooled = false;
        else if (stuck->n++ == 0)
            stuck->err = one;
    }
    following_forget(f);
}

/* Whether the others would be answered no better. */
static bool concerns_all(enum err_kind kind)
{
    return kind != ERR_API && kind != ERR_NOT_FOUND && kind != ERR_PARSE && kind != ERR_LIMIT;
}

enum { ERRORS_LOGGED = 3, TEXT_LOGGED = 400 /* bytes of a message */ };

static void add_cut(struct strbuf *out, const char *text)
{
    strbuf_add(out, text, utf8_prefix_len(text, strlen(text), TEXT_LOGGED));
}

/* A release that failed says why here and nowhere else: no label has room for it. */
static void log_end(const struct api_request *request, const struct ticket *t,
                    const struct ticket_answer *answer)
{
    CLEANUP(strbuf_release) struct strbuf why = STRBUF_INIT;
    bool success = t->failure == TICKET_FAILURE_END;
    const char *reason = success ? NULL : ticket_failure_name(t->failure);
    const struct log_field *fields =
        LOG_FIELDS({"target", request->target->name}, {"namespace", request->namespace_name},
                   {"ticket", t->id}, {"draft", *t->draft_id ? t->draft_id : NULL},
                   {"deployment", *t->deployment_id ? t->deployment_id : NULL}, {"reason", reason});

    if (success) {
        log_info(fields, "the deploy ticket finished with success");
        return;
    }
    if (answer && *answer->message) {
        strbuf_adds(&why, ": ");
        add_cut(&why, answer->message);
    }
    for (size_t i = 0; answer && i < answer->n_errors && i < ERRORS_LOGGED; i++) {
        strbuf_addf(&why, "; %lld:%lld: ", (long long)answer->errors[i].line,
                    (long long)answer->errors[i].column);
        add_cut(&why, answer->errors[i].message);
    }
    log_warn(fields, "the deploy ticket ended without success%s", strbuf_str(&why));
}

static int learn(const struct api_request *request, struct following *f, size_t item,
                 const struct ticket_answer *answer, struct err *err)
{
    int64_t interval_ms = request->target->interval_ms;

    if (following_learn(f, item, answer, interval_ms, moment_now(), err) < 0)
        return -1;
    if (f->items[item].ended)
        log_end(request, &f->items[item], answer);
    return 0;
}

/*
 * No answer. If others got one, it is this ticket that there is something wrong with: it is not
 * waited for longer than for any other.
 */
static void give_up(const struct api_request *request, struct following *f, size_t item,
                    bool concerns_all)
{
    if (concerns_all && f->set->asked == 0)
        following_put_off(f, item, moment_now());
    else
        following_no_answer(f, item, moment_now());
    if (f->items[item].ended)
        log_end(request, &f->items[item], NULL);
}

/* -1: there is no use in asking for others. */
static int ask(struct api_client *client, const struct api_request *request, struct following *f,
               size_t item, struct job_result *ret)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct ticket_answer answer;
    struct api_stats stats = {0};
    struct err err = {0};
    int rc;

    if (!arena)
        return err_nomem(&ret->err, "the answer about a ticket");
    rc = api_client_get_ticket(client, request, f->items[item].id, arena, &answer, NULL, &stats,
                               &err);
    api_stats_add(&ret->stats, &stats);
    if (rc == 0)
        return learn(request, f, item, &answer, &ret->err);
    if (err.kind == ERR_NOT_FOUND)
        return learn(request, f, item, NULL, &ret->err);
    if (err.kind != ERR_STOPPED)
        err_wrap(&err, "ticket \"%s\"", f->items[item].id);
    if (err.kind != ERR_STOPPED)
        give_up(request, f, item, concerns_all(err.kind));
    if (concerns_all(err.kind)) {
        ret->err = err;
        return -1;
    }
    if (ret->unread.n++ == 0)
        ret->unread.err = err;
    return 0;
}

static int ask_all(struct api_client *client, const struct api_request *request,
                   struct following *f, struct job_result *ret)
{
    CLEANUP(freep) size_t *order = calloc(f->set->n_items + 1, sizeof(*order));
    size_t n;

    if (!order)
        return err_nomem(&ret->err, "the tickets");
    n = following_order(f, order);
    for (size_t i = 0; i < n; i++)
        if (ask(client, request, f, order[i], ret) < 0)
            return -1;
    if (ret->unread.n > 0 && f->set->asked == 0) {
        ret->err = ret->unread.err; /* nothing was learned of any of them */
        return -1;
    }
    return 0;
}

int tickets_refresh(struct api_client *client, const struct api_request *request,
                    const struct ticket_set *before, struct job_result *ret)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(following_release) struct following f = {0};
    struct err spool_err = {0};
    struct spool spool;
    int rc;

    if (!arena)
        return err_nomem(&ret->err, "the tickets");
    if (look_into_spool(request, before, arena, &spool, &spool_err, &ret->err) < 0 ||
        following_begin(request->target, request->namespace_name, before, &spool, moment_now(), &f,
                        &ret->err) < 0)
        return -1;
    clean_spool(&f, request->target->ticket_dir, &ret->stuck);
    rc = ask_all(client, request, &f, ret);
    ret->tickets = TAKE(f.set);
    if (rc == 0 && spool_err.kind != ERR_NONE) {
        ret->err = spool_err;
        return -1;
    }
    return rc;
}
