#include "tickets.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
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
static void clean_spool(struct following *f, const char *dir, struct ticket_trouble *stuck)
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

/* -1: there is no use in asking for others. */
static int ask(struct api_client *client, const struct api_request *request, struct following *f,
               size_t item, struct job_result *ret)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    int64_t interval_ms = request->target->interval_ms;
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
        return following_learn(f, item, &answer, interval_ms, moment_now(), &ret->err);
    if (err.kind == ERR_NOT_FOUND)
        return following_learn(f, item, NULL, interval_ms, moment_now(), &ret->err);
    if (err.kind != ERR_STOPPED)
        err_wrap(&err, "ticket \"%s\"", f->items[item].id);
    if (concerns_all(err.kind)) {
        ret->err = err;
        return -1;
    }
    following_no_answer(f, item, moment_now());
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
