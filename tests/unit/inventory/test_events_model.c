/*
 * Events over thousands of random rounds, against a ledger that knows what really happened: jobs
 * start, end, and are purged in any order but for the newest, one at a time or several, also
 * between a listing and the lists of a status, of which some are not read or cut; deployments come,
 * go, are renamed, or are missed by a listing's pages; some summaries are untold, some refreshes
 * fail, some listings are cut; the process stops, is killed before or after it published, or loses
 * its state.
 *
 * The ledger never looks at two counts. It knows how many jobs ended (E) and were purged (P) since
 * a deployment was told of last: then max(0, E - P) of them can be seen and min(E, P) cannot, which
 * is what docs/metrics.md says. After every listing
 *
 *     what is remembered  = what could be seen, for each deployment, and in sum for the namespace;
 *                           of failures also some of those that cannot, never more, and at least
 *                           those of a job that was seen to run and then to have failed; and with
 *                           each of these a reduction
 *     what is shown      <= that, and equal once the series was there for the hold
 *     nothing that is shown goes back, or rises before its old value was there for the hold
 *
 * and a status is what it is at the listing or at the lists, as far as docs/metrics.md says so.
 */
#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "job_history.h"
#include "play.h"
#include "records.h"
#include "state_file.h"

/* ThreadSanitizer makes it many times slower, and there is one thread. */
#ifdef __SANITIZE_THREAD__
enum { ROUNDS = 500 };
#else
enum { ROUNDS = 2500 };
#endif

enum { POOL = 400, ALIVE = 12, NAME_SIZE = 16 };

/* --- what really happened --- */

struct truth {
    char id[NAME_SIZE];
    char name[NAME_SIZE];
    bool exists;
    int64_t created_unix_s;
    struct job_history record;
};

/* --- what of it could be seen --- */

struct known {
    bool known[JOB_EVENT_END]; /* something to compare with is there */
    struct job_counts at[JOB_EVENT_END];
    int64_t seen[JOB_EVENT_END];
    int64_t masked[JOB_EVENT_END];
    int64_t before[JOB_EVENT_END]; /* ended before it was known */
    int64_t paid; /* failures that could not be seen and were counted all the same */
    int64_t due;  /* at least so many must have been */
    bool ran;     /* seen to run, and the newest job had not failed */
    bool owed;    /* then it was seen to have failed, and no count shows it so far */
    enum { NEVER, IN, CUT, GONE } place;
};

struct ledger {
    struct known known[POOL];
    int64_t reductions[JOB_EVENT_END];
    int64_t added, removed;
    int64_t began_unix_ms; /* 0 = no whole listing yet */
    bool cut;
};

/* --- what is shown --- */

struct series {
    bool there; /* in the generation published last */
    char name[NAME_SIZE];
    int64_t since_ms; /* without a gap; by the world's own clock */
    int64_t value[JOB_EVENT_END];
    bool jumped; /* a value was saved that was never published */
};

struct world {
    uint64_t random;
    struct truth truths[POOL];
    size_t n_truths;
    struct truth listed[POOL];      /* as they were at the last listing */
    bool present[POOL], told[POOL]; /* in it */
    unsigned asked, found[POOL];    /* at the lists behind it */
    struct ledger ledger, saved_ledger;
    struct series series[POOL];
    struct events *events;
    struct strbuf saved; /* empty = there is no file */
    struct events_moment saved_at;
    int64_t unix_ms, mono_ms, true_ms;
    bool once;
    uint64_t listings, kills, shown_rises;
    uint64_t paid, due, known_statuses, unknown_statuses, wrong_statuses;
    int64_t masked; /* of all tellings, those lost with a process too */
};

static int64_t below(struct world *w, int64_t n)
{
    return random_below(&w->random, n);
}

static bool one_in(struct world *w, int64_t n)
{
    return below(w, n) == 0;
}

static void pass(struct world *w, int64_t ms)
{
    w->unix_ms += ms;
    w->mono_ms += ms;
    w->true_ms += ms;
}

/* --- the world --- */

static void create(struct world *w)
{
    struct truth *t = &w->truths[w->n_truths];

    if (w->n_truths == POOL)
        return;
    /* Not in the order of their ids. */
    snprintf(t->id, sizeof(t->id), "d-%04zu", w->n_truths * 7 % 1009);
    memcpy(t->name, t->id, sizeof(t->name));
    t->exists = true;
    t->record.most_active = one_in(w, 3) ? 3 : 1;
    t->created_unix_s = w->unix_ms / 1000;
    w->n_truths++;
}

static struct truth *somebody(struct world *w)
{
    size_t first = w->n_truths ? (size_t)below(w, (int64_t)w->n_truths) : 0;

    for (size_t i = 0; i < w->n_truths; i++)
        if (w->truths[(first + i) % w->n_truths].exists)
            return &w->truths[(first + i) % w->n_truths];
    return NULL;
}

static size_t n_alive(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_truths; i++)
        n += w->truths[i].exists;
    return n;
}

static void happen_to_a_job(struct world *w)
{
    struct truth *t = somebody(w);

    if (!t)
        return;
    switch (below(w, 5)) {
    case 0:
        for (int64_t n = below(w, 5); n > 0 && job_history_purge(&t->record, &w->random); n--)
            continue;
        break;
    case 1: /* as where so many are kept */
        job_history_end(&t->record, &w->random);
        (void)job_history_purge(&t->record, &w->random);
        break;
    case 2:
        job_history_end(&t->record, &w->random);
        break;
    default:
        job_history_start(&t->record, &w->random);
    }
}

static void happen(struct world *w)
{
    struct truth *t = somebody(w);

    if (!t || (n_alive(w) < ALIVE && one_in(w, 25))) {
        create(w);
        return;
    }
    switch (below(w, 12)) {
    case 1:
        if (one_in(w, 5))
            t->exists = false;
        break;
    case 2:
        if (one_in(w, 4))
            snprintf(t->name, sizeof(t->name), "name-%lld", (long long)below(w, 1000));
        break;
    default:
        happen_to_a_job(w);
    }
}

/* --- the ledger --- */

static void tell(struct known *k, const struct truth *t, struct ledger *ledger, int64_t *ret_masked)
{
    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t ended = t->record.jobs[e].ended - k->at[e].ended;
        int64_t purged = t->record.jobs[e].purged - k->at[e].purged;

        if (!k->known[e])
            k->before[e] = t->record.jobs[e].ended;
        else if (ended > purged)
            k->seen[e] += ended - purged;
        else
            ledger->reductions[e] += purged - ended;
        if (k->known[e]) {
            k->masked[e] += ended < purged ? ended : purged;
            *ret_masked += ended < purged ? ended : purged;
        }
        k->known[e] = true;
        k->at[e] = t->record.jobs[e];
    }
}

/*
 * Nothing but failures and purges of failures, not to be seen, since it ran: then it is owed, and
 * paid with the next counts unless those show a failure. Not while others run.
 */
static void owe(struct world *w, struct known *k, const struct truth *t, unsigned found)
{
    const unsigned failed = STATUS_BIT(STATUS_FAILED);
    bool quiet = true, rose = false;

    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t ended = t->record.jobs[e].ended - k->at[e].ended;
        int64_t purged = t->record.jobs[e].purged - k->at[e].purged;

        quiet = quiet && k->known[e] &&
                (e == JOB_EVENT_FAILURE ? ended <= purged : ended == 0 && purged == 0);
        if (e == JOB_EVENT_FAILURE && k->known[e]) {
            rose = ended > purged;
            k->due += k->owed && ended <= purged;
            w->due += k->owed && ended <= purged;
            k->owed = false;
        }
    }
    k->owed = quiet && k->ran && found & failed && job_history_active(&t->record) == 0;
    k->ran = job_history_active(&t->record) > 0 && w->asked & failed && !(found & failed) && !rose;
}

static void enter(struct world *w, size_t i, bool told, bool cut)
{
    struct ledger *l = &w->ledger;
    struct known *k = &l->known[i];
    const struct truth *t = &w->listed[i];
    bool born = k->place == NEVER && l->began_unix_ms != 0 &&
                t->created_unix_s > l->began_unix_ms / 1000 - EVENTS_BORN_ALLOWANCE_S;

    if (born)
        for (int e = 0; e < JOB_EVENT_END; e++)
            k->known[e] = true; /* there was nothing */
    if (l->began_unix_ms != 0 &&
        (k->place == GONE || (k->place == NEVER && (born || (!cut && !l->cut)))))
        l->added++;
    k->place = IN;
    if (!told)
        k->ran = false;
    else
        owe(w, k, t, w->found[i]);
    if (told)
        tell(k, t, l, &w->masked);
}

static void depart(struct world *w, size_t i, bool cut)
{
    struct ledger *l = &w->ledger;
    struct known *k = &l->known[i];

    if (k->place == NEVER || k->place == GONE)
        return;
    if (cut) {
        k->place = CUT;
        return;
    }
    k->place = GONE;
    l->removed++;
    for (int e = 0; e < JOB_EVENT_END; e++)
        if (k->known[e])
            l->reductions[e] += k->at[e].ended - k->at[e].purged;
}

/* --- what must hold --- */

static void check_namespace(const struct world *w)
{
    int64_t sum[JOB_EVENT_END] = {0};

    int64_t paid = 0;

    for (size_t i = 0; i < w->n_truths; i++) {
        for (int e = 0; e < JOB_EVENT_END; e++)
            sum[e] += w->ledger.known[i].seen[e];
        paid += w->ledger.known[i].paid;
    }
    sum[JOB_EVENT_FAILURE] += paid;
    for (int e = 0; e < JOB_EVENT_END; e++) {
        assert_int_equal(w->events->counters[EVENT_COUNTER_JOBS + e].value, sum[e]);
        assert_int_equal(w->events->counters[EVENT_COUNTER_REDUCTIONS + e].value,
                         w->ledger.reductions[e] + (e == JOB_EVENT_FAILURE ? paid : 0));
    }
    assert_int_equal(w->events->counters[EVENT_COUNTER_ADDED].value, w->ledger.added);
    assert_int_equal(w->events->counters[EVENT_COUNTER_REMOVED].value, w->ledger.removed);
}

static size_t index_of(const struct world *w, const char *id)
{
    for (size_t i = 0; i < w->n_truths; i++)
        if (strcmp(w->truths[i].id, id) == 0)
            return i;
    fail_msg("%s was never created", id);
    return 0;
}

/* What every deployment's events are, whether it is there or not. */
static void check_remembered(struct world *w)
{
    struct event_reader r = {(const unsigned char *)w->events->items,
                             (const unsigned char *)w->events->items + w->events->len, NULL, false};
    struct event_item item;
    size_t n = 0;
    int rc;

    while ((rc = w->events->len ? event_reader_next(&r, &item) : 0) > 0) {
        size_t i = index_of(w, item.id);
        struct known *k = &w->ledger.known[i];
        const struct truth *t = &w->listed[i];
        int64_t paid = item.value[JOB_EVENT_FAILURE] - k->seen[JOB_EVENT_FAILURE];

        assert_in_range(paid, k->due > k->paid ? k->due : k->paid, k->masked[JOB_EVENT_FAILURE]);
        w->paid += (uint64_t)(paid - k->paid);
        k->paid = paid;
        for (int e = 0; e < JOB_EVENT_END; e++) {
            assert_int_equal(item.value[e], k->seen[e] + (e == JOB_EVENT_FAILURE ? paid : 0));
            if (k->known[e]) /* nothing is lost, but what happened since */
                assert_int_equal(k->seen[e] + k->masked[e] + k->before[e] +
                                     (t->record.jobs[e].ended - k->at[e].ended),
                                 t->record.jobs[e].ended);
        }
        n++;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(n, w->events->n_items);
}

/* One deployment of the generation that is about to be published, in the place of the one before.
 */
static void check_shown(struct world *w, const struct deployment *d)
{
    size_t i = index_of(w, d->id);
    struct series *s = &w->series[i];
    const struct known *k = &w->ledger.known[i];
    bool goes_on = s->there && strcmp(s->name, d->name) == 0;
    bool long_there = goes_on && w->true_ms - s->since_ms >= PLAY_HOLD_MS;

    for (int e = 0; e < JOB_EVENT_END; e++) {
        int64_t known = k->seen[e] + (e == JOB_EVENT_FAILURE ? k->paid : 0);

        assert_in_range(d->events[e], s->value[e], known);
        if (long_there)
            assert_int_equal(d->events[e], known);
        else if (!s->jumped)
            assert_int_equal(d->events[e], s->value[e]);
        w->shown_rises += d->events[e] > s->value[e];
        s->value[e] = d->events[e];
    }
    if (!goes_on) {
        s->since_ms = w->true_ms;
        snprintf(s->name, sizeof(s->name), "%s", d->name);
    }
    s->there = true;
    s->jumped = false;
}

static bool ever_masked(const struct known *k)
{
    int64_t n = 0;

    for (int e = 0; e < JOB_EVENT_END; e++)
        n += k->masked[e];
    return n > 0;
}

/* The status of a listing's deployment against what it was at the listing, and at the lists. */
static void check_status(struct world *w, const struct deployment *d)
{
    size_t i = index_of(w, d->id);
    const struct truth *t = &w->listed[i];
    bool runs = job_history_active(&t->record) > 0, asked = w->asked & STATUS_BIT(STATUS_FAILED);
    bool failed = w->found[i] & STATUS_BIT(STATUS_FAILED);
    enum deployment_status then = runs ? STATUS_RUNNING : job_history_newest(&t->record);

    if (!w->told[i] && !w->found[i])
        assert_int_equal(d->status, STATUS_UNKNOWN);
    if (w->told[i])
        assert_int_equal(d->status == STATUS_RUNNING, runs);
    w->unknown_statuses += d->status == STATUS_UNKNOWN;
    if (d->status == STATUS_UNKNOWN)
        return;
    w->known_statuses++;
    if (d->status == STATUS_FAILED && asked)
        assert_true(then == STATUS_FAILED || failed);
    if (then == d->status || w->found[i] & STATUS_BIT(d->status))
        return;
    /* It is neither: no lists told, and what is remembered was outdated by what no count shows. */
    assert_false(failed);
    assert_true(t->record.most_active > 1 || ever_masked(&w->ledger.known[i]));
    assert_false(w->asked & STATUS_BIT(d->status));
    w->wrong_statuses++;
}

/* --- the process --- */

static void save(struct world *w)
{
    strbuf_reset(&w->saved);
    events_write(w->events, &w->saved);
    assert_true(strbuf_ok(&w->saved));
    w->saved_at = (struct events_moment){w->unix_ms, w->mono_ms};
    w->saved_ledger = w->ledger;
}

static void forget_everything(struct world *w)
{
    memset(w->series, 0, sizeof(w->series));
    memset(&w->ledger, 0, sizeof(w->ledger));
    w->events = events_new();
    assert_non_null(w->events);
}

static void start(struct world *w)
{
    struct err err;

    events_free(w->events);
    w->events = NULL;
    pass(w, one_in(w, 3) ? below(w, 3600000) : 100);
    w->mono_ms = 1000000 + below(w, 1000000);
    for (size_t i = 0; !w->once && i < w->n_truths; i++)
        w->series[i].there = false;
    if (w->saved.len == 0) {
        forget_everything(w);
    } else {
        const struct events_moment now = {w->unix_ms, w->mono_ms};

        assert_int_equal(events_read(w->saved.ptr, w->saved.len, STATE_VERSION, w->once,
                                     &w->saved_at, &now, &w->events, &err),
                         0);
        w->ledger = w->saved_ledger;
    }
    events_published(w->events, w->mono_ms);
}

static void stop_or_die(struct world *w)
{
    if (one_in(w, 10))
        strbuf_reset(&w->saved);
    else if (one_in(w, 2))
        save(w);
    else
        w->kills++;
    start(w);
}

/* --- a listing --- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct deployment *)a)->id, ((const struct deployment *)b)->id);
}

static struct deployment told(const struct truth *t, bool is_told)
{
    struct deployment d = record_absent(t->id, t->name);

    d.created_unix_s = t->created_unix_s;
    if (is_told) {
        d.jobs[JOB_STARTING] = d.jobs[JOB_CANCELLING] = 0;
        d.jobs[JOB_RUNNING] = (int64_t)job_history_active(&t->record);
    }
    for (int e = 0; is_told && e < JOB_EVENT_END; e++)
        d.jobs[job_event_state((enum job_event)e)] =
            t->record.jobs[e].ended - t->record.jobs[e].purged;
    return d;
}

/* Lists of a status behind the listing, while jobs go on. */
static void ask(struct world *w, struct listing *listing)
{
    static const int64_t odds[STATUS_END] = {
        [STATUS_FAILED] = 4, [STATUS_CANCELLED] = 2, [STATUS_FINISHED] = 2};

    w->asked = 0;
    memset(w->found, 0, sizeof(w->found));
    for (int s = STATUS_FAILED; s < STATUS_END; s++) {
        unsigned bit = STATUS_BIT(s);
        bool whole = !one_in(w, 10);

        for (int64_t n = below(w, 3); n > 0; n--)
            happen_to_a_job(w);
        if (one_in(w, odds[s]))
            continue;
        w->asked |= whole ? bit : 0;
        for (size_t i = 0; i < w->n_truths; i++)
            w->found[i] |=
                (int)job_history_newest(&w->truths[i].record) == s && (whole || one_in(w, 2)) ? bit
                                                                                              : 0;
    }
    listing->asked = w->asked;
    for (size_t i = 0; i < listing->n_items; i++)
        listing->items[i].found = w->found[index_of(w, listing->items[i].id)];
}

static struct listing *list(struct world *w, bool cut)
{
    struct deployment items[POOL];
    struct listing *listing;
    size_t n = 0;
    int64_t missed_in = one_in(w, 4) ? 3 : 1000000;

    memcpy(w->listed, w->truths, sizeof(w->listed));
    for (size_t i = 0; i < w->n_truths; i++) {
        w->told[i] = !one_in(w, 10);
        w->present[i] = w->truths[i].exists && !one_in(w, missed_in);
        if (w->present[i])
            items[n++] = told(&w->truths[i], w->told[i]);
    }
    qsort(items, n, sizeof(items[0]), by_id);
    listing = listing_of(items, n);
    listing->over_limit = cut;
    ask(w, listing);
    for (size_t i = 0; i < w->n_truths; i++)
        if (w->present[i])
            enter(w, i, w->told[i], cut);
        else
            depart(w, i, cut);
    return listing;
}

static void publish(struct world *w, const struct listing *listing)
{
    bool seen[POOL] = {false};

    for (size_t i = 0; i < listing->n_items; i++) {
        check_shown(w, &listing->items[i]);
        check_status(w, &listing->items[i]);
        seen[index_of(w, listing->items[i].id)] = true;
    }
    for (size_t i = 0; i < w->n_truths; i++)
        w->series[i].there = seen[i];
    events_published(w->events, w->mono_ms);
}

/* Killed between the save and the publication: what was saved is what goes on. */
static void die_unpublished(struct world *w, const struct listing *listing)
{
    for (size_t i = 0; i < listing->n_items; i++)
        w->series[index_of(w, listing->items[i].id)].jumped = true;
    w->kills++;
    start(w);
}

static void refresh(struct world *w)
{
    struct events_time time = {
        .began_unix_ms = w->unix_ms, .began_mono_ms = w->mono_ms, .hold_ms = PLAY_HOLD_MS};
    struct events *after = NULL;
    struct listing *listing;
    bool cut = one_in(w, 8), saved;
    struct err err;

    for (int64_t n = below(w, 3); n > 0; n--)
        happen(w);
    pass(w, 1000);
    listing = list(w, cut);
    time.ended_unix_ms = w->unix_ms;
    time.ended_mono_ms = w->mono_ms;
    assert_int_equal(events_observe(w->events, listing, &time, &after, &err), 0);
    events_free(w->events);
    w->events = after;
    w->ledger.began_unix_ms = time.began_unix_ms;
    w->ledger.cut = cut;
    w->listings++;
    check_remembered(w);
    check_namespace(w);
    saved = w->events->grew || w->once || one_in(w, 3);
    if (saved)
        save(w);
    if (saved && !w->once && one_in(w, 40)) {
        die_unpublished(w, listing);
    } else {
        publish(w, listing);
        if (w->once) {
            save(w);
            start(w);
        }
    }
    listing_free(listing);
}

static void play(uint64_t seed, bool once)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    w->unix_ms = PLAY_UNIX_S * 1000;
    w->once = once;
    start(w);
    for (int round = 0; round < ROUNDS; round++) {
        for (int64_t n = below(w, 12); n > 0; n--)
            happen(w);
        pass(w, 1000 + below(w, 90000));
        if (!one_in(w, 8)) /* else the refresh fails, and nothing is seen of it */
            refresh(w);
        if (!once && one_in(w, 60))
            stop_or_die(w);
    }
    /* It did put things to the test. */
    assert_true(w->listings > ROUNDS / 2 && w->shown_rises > ROUNDS / 25);
    assert_true(w->paid > 0 && (int64_t)w->paid < w->masked && w->due > 0);
    assert_true(w->known_statuses > w->unknown_statuses && w->unknown_statuses > 0);
    assert_true(w->masked > 0 && (once || w->kills > ROUNDS / 250));
    events_free(w->events);
    strbuf_release(&w->saved);
    free(w);
}

static void test_daemon(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++)
        play(seed, false);
}

static void test_once(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 102; seed++)
        play(seed, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daemon),
        cmocka_unit_test(test_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
