#include "following.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- who is followed --- */

/* Somebody who might be. */
struct candidate {
    const char *id;
    const struct spool_file *file; /* NULL = none */
    const struct ticket *before;   /* NULL = new */
    size_t rank;                   /* of the configuration: its place there */
    bool configured;
};

static int by_id(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    return strcmp(a->id, b->id);
}

/* Who is admitted first. */
static int by_priority(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->configured != b->configured)
        return a->configured ? -1 : 1;
    if (a->configured)
        return (a->rank > b->rank) - (a->rank < b->rank);
    if (!a->before != !b->before)
        return a->before ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* Those of the configuration; sorted by id. */
static size_t list_configured(const struct target *target, const char *namespace_name,
                              struct candidate *list)
{
    size_t n = 0;

    for (size_t i = 0; i < target->n_tickets; i++)
        if (strcmp(target->tickets[i].namespace_name, namespace_name) == 0)
            list[n++] =
                (struct candidate){.id = target->tickets[i].id, .rank = i, .configured = true};
    if (n > 1)
        qsort(list, n, sizeof(*list), by_id);
    return n;
}

static size_t list_all(const struct target *target, const char *namespace_name,
                       const struct ticket_set *before, const struct spool *spool,
                       struct candidate *list)
{
    size_t n_configured = list_configured(target, namespace_name, list), n = n_configured;

    for (size_t i = 0; i < spool->n_files; i++) {
        const struct candidate key = {.id = spool->files[i].id};
        struct candidate *same =
            n_configured > 0 ? bsearch(&key, list, n_configured, sizeof(*list), by_id) : NULL;

        if (!same) {
            list[n] = key;
            same = &list[n++];
        }
        same->file = &spool->files[i];
    }
    for (size_t i = 0; i < n; i++)
        list[i].before = ticket_set_find(before, list[i].id);
    if (n > 1)
        qsort(list, n, sizeof(*list), by_priority);
    return n;
}

static int admit(struct arena *arena, const struct candidate *c, struct moment now,
                 struct ticket *ret)
{
    const char *draft_id = c->file ? c->file->draft_id : "", *deployment_id = "";

    *ret = (struct ticket){
        .status = TICKET_UNKNOWN,
        .validated = -1,
        .failure = TICKET_FAILURE_END,
        .tracked_unix_ms = now.unix_ms,
        .tracked_mono_ms = now.mono_ms,
    };
    if (c->before) {
        *ret = *c->before;
        deployment_id = c->before->deployment_id;
        if (!*draft_id)
            draft_id = c->before->draft_id;
    }
    ret->configured = c->configured;
    ret->spooled = c->file != NULL;
    ret->id = arena_strdup(arena, c->id);
    ret->draft_id = arena_strdup(arena, draft_id);
    ret->deployment_id = arena_strdup(arena, deployment_id);
    return ret->id && ret->draft_id && ret->deployment_id ? 0 : -1;
}

static int by_ticket_id(const void *left, const void *right)
{
    const struct ticket *a = left, *b = right;

    return strcmp(a->id, b->id);
}

static int admit_all(struct following *f, const struct target *target, const struct candidate *list,
                     size_t n, struct moment now)
{
    int64_t room = target->max_tickets;

    f->items = arena_calloc(f->set->arena, n + 1, sizeof(*f->items));
    if (!f->items)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct ticket *before = list[i].before;
        /* One that ended and has no room any more is kept in mind, or it would count again. */
        bool retired = before && before->ended &&
                       (before->retired || room <= 0 ||
                        now.mono_ms - before->ended_mono_ms > target->ticket_ttl_ms);

        if (!retired && room-- <= 0) {
            f->set->over_limit++;
            continue;
        }
        if (admit(f->set->arena, &list[i], now, &f->items[f->set->n_items]) < 0)
            return -1;
        f->items[f->set->n_items++].retired = retired;
    }
    if (f->set->n_items > 1)
        qsort(f->items, f->set->n_items, sizeof(*f->items), by_ticket_id);
    f->set->items = f->items;
    return 0;
}

static struct ticket_set *set_new(void)
{
    struct arena *arena = arena_new();
    struct ticket_set *set = arena ? arena_calloc(arena, 1, sizeof(*set)) : NULL;

    if (!set) {
        arena_free(arena);
        return NULL;
    }
    atomic_init(&set->refs, 1);
    set->arena = arena;
    return set;
}

static int keep_refusals(struct ticket_set *set, const struct spool *spool)
{
    struct ticket_refusal *refusals =
        arena_calloc(set->arena, spool->n_refusals + 1, sizeof(*refusals));

    if (!refusals)
        return -1;
    for (size_t i = 0; i < spool->n_refusals; i++) {
        refusals[i] = spool->refusals[i];
        refusals[i].name = arena_strdup(set->arena, spool->refusals[i].name);
        if (!refusals[i].name)
            return -1;
    }
    set->refusals = refusals;
    set->n_refusals = spool->n_refusals;
    set->refused = spool->refused;
    return 0;
}

int following_begin(const struct target *target, const char *namespace_name,
                    const struct ticket_set *before, const struct spool *spool, struct moment now,
                    struct following *ret, struct err *err)
{
    CLEANUP(freep)
    struct candidate *list = calloc(target->n_tickets + spool->n_files + 1, sizeof(*list));
    CLEANUP(following_release) struct following f = {.set = set_new()};
    size_t n;

    if (!list || !f.set)
        return err_nomem(err, "the tickets");
    n = list_all(target, namespace_name, before, spool, list);
    if (admit_all(&f, target, list, n, now) < 0 || keep_refusals(f.set, spool) < 0)
        return err_nomem(err, "the tickets");
    ret->items = f.items;
    ret->set = TAKE(f.set);
    return 0;
}

void following_release(struct following *f)
{
    ticket_set_unref(TAKE(f->set));
}

void following_forget(struct following *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->set->n_items; i++)
        if (!f->items[i].retired || f->items[i].configured || f->items[i].spooled)
            f->items[n++] = f->items[i];
    f->set->n_items = n;
}

/* --- what becomes of them --- */

static int by_patience(const void *left, const void *right, void *items)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    const struct ticket *t = items;

    if (t[a].asked_mono_ms != t[b].asked_mono_ms)
        return t[a].asked_mono_ms < t[b].asked_mono_ms ? -1 : 1;
    return (a > b) - (a < b);
}

size_t following_order(const struct following *f, size_t *order)
{
    size_t n = 0;

    for (size_t i = 0; i < f->set->n_items; i++)
        if (!f->items[i].ended)
            order[n++] = i;
    if (n > 1)
        qsort_r(order, n, sizeof(*order), by_patience, f->items);
    return n;
}

static void end(struct ticket *t, enum ticket_failure failure, struct moment now)
{
    t->ended = true;
    t->failure = failure;
    t->ended_unix_ms = now.unix_ms;
    t->ended_mono_ms = now.mono_ms;
}

static void end_if_too_long(struct ticket *t, struct moment now)
{
    if (now.mono_ms - t->tracked_mono_ms >= FOLLOWING_LONGEST_MS)
        end(t, TICKET_FAILURE_EXPIRED, now);
}

/* It may not be known yet to the one that was asked, or not to that one among several. */
static void learn_of_none(struct ticket *t, int64_t interval_ms, struct moment now)
{
    int64_t patience_ms =
        2 * interval_ms > FOLLOWING_APPEARS_MS ? 2 * interval_ms : FOLLOWING_APPEARS_MS;

    t->status = TICKET_UNKNOWN;
    if (t->missing_mono_ms == 0)
        t->missing_mono_ms = now.mono_ms;
    if (now.mono_ms - t->missing_mono_ms >= patience_ms)
        end(t, TICKET_FAILURE_NOT_FOUND, now);
}

int following_learn(struct following *f, size_t item, const struct ticket_answer *answer,
                    int64_t interval_ms, struct moment now, struct err *err)
{
    struct ticket *t = &f->items[item];

    assert(!t->ended);
    if (answer && *answer->deployment_id && strcmp(t->deployment_id, answer->deployment_id) != 0) {
        const char *copy = arena_strdup(f->set->arena, answer->deployment_id);

        if (!copy)
            return err_nomem(err, "the tickets");
        t->deployment_id = copy;
    }
    f->set->asked++;
    t->asked_mono_ms = now.mono_ms;
    if (!answer) {
        learn_of_none(t, interval_ms, now);
        return 0;
    }
    t->missing_mono_ms = 0;
    t->status = answer->status;
    if (answer->validated >= 0)
        t->validated = answer->validated;
    if (ticket_answer_ended(answer))
        end(t, ticket_answer_failure(answer), now);
    else
        end_if_too_long(t, now);
    return 0;
}

void following_put_off(struct following *f, size_t item, struct moment now)
{
    f->items[item].asked_mono_ms = now.mono_ms;
}

void following_no_answer(struct following *f, size_t item, struct moment now)
{
    following_put_off(f, item, now);
    end_if_too_long(&f->items[item], now);
}
