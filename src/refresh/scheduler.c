/*
 * The scheduler thread: takes results, starts what is due, publishes, sleeps.
 *
 * It alone touches the watches and the inventory. Others reach it through the bell: workers ring
 * when a result is there, the main thread when it wants a reload or the end. A turn of the loop
 * never waits for the network, so the loop's beat is what /-/healthy asks for.
 */
#include "refresh/scheduler.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "inventory/inventory.h"
#include "timetable.h"
#include "watch.h"
#include "watch_log.h"
#include "worker.h"

/* The loop turns at least this often, so that its beat is fresh. */
#define BEAT_MS         5000
/* Without a beat for this long the scheduler counts as dead. A turn renders at most seconds. */
#define BEAT_DEAD_MS    60000
/* Publishing may take this share of the time, one in ...; then changes wait for each other. */
#define PUBLISH_SHARE   20
#define PUBLISH_MAX_MS  1000
#define PUBLISH_FAIL_MS 1000

struct reload {
    struct conf *conf;
    struct err *err;
    int rc;
    bool done;
};

struct scheduler {
    struct bell bell;
    pthread_t thread;
    atomic_int_fast64_t beat_mono_ms;

    /* Under the bell's mutex. */
    bool stop;
    bool ended;            /* the scheduler thread turns no more: no reload will be answered */
    struct reload *reload; /* the main thread's, while it waits */
    pthread_cond_t answered;
    bool all_tried;

    /* The scheduler thread's own. */
    struct api_session *session;
    struct snapshot_slot *slot;
    struct inventory *inventory;
    struct watch_set set;
    uint64_t next_watch_id;
    struct worker **workers;
    bool *idle; /* by worker */
    size_t n_workers;
    const char *state_file; /* instead of the configuration's; NULL = none */
    bool once;
    bool dirty;               /* something changed since the last publish */
    int64_t publish_mono_ms;  /* not before */
    int64_t withhold_mono_ms; /* when data becomes too old to show */
};

/* --- publishing --- */

static void note_withheld(struct scheduler *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->set.n_watches; i++)
        watch_log_withheld(&s->set.watches[i],
                           inventory_withheld(s->inventory, s->set.watches[i].entry,
                                              s->set.watches[i].collector, now_ms));
}

static void tell_plans(struct scheduler *s)
{
    for (size_t i = 0; i < s->set.n_watches; i++) {
        const struct watch *w = &s->set.watches[i];
        const struct refresh_plan plan = {w->running, w->timetable.due_mono_ms,
                                          w->timetable.failures};

        inventory_refresh_planned(s->inventory, w->entry, w->collector, &plan);
    }
}

static int publish(struct scheduler *s, struct err *err)
{
    struct snapshot *snapshot;
    int64_t began_ms = clock_mono_ms(), cost_ms;

    tell_plans(s);
    if (inventory_snapshot(s->inventory, began_ms, &snapshot, err) < 0) {
        s->publish_mono_ms = began_ms + PUBLISH_FAIL_MS;
        return -1;
    }
    inventory_save_grown(s->inventory, clock_unix_ms(), began_ms);
    snapshot_publish_take(s->slot, snapshot);
    inventory_published(s->inventory, clock_mono_ms());
    (void)heap_give_back(); /* what the generation before had for itself is free now */
    note_withheld(s, began_ms);
    s->dirty = false;
    s->withhold_mono_ms = inventory_next_withhold_mono_ms(s->inventory, began_ms);
    cost_ms = (clock_mono_ms() - began_ms) * PUBLISH_SHARE;
    s->publish_mono_ms = clock_mono_ms() + (cost_ms < PUBLISH_MAX_MS ? cost_ms : PUBLISH_MAX_MS);
    return 0;
}

static void publish_if_due(struct scheduler *s)
{
    int64_t now_ms = clock_mono_ms();
    struct err err = {0};

    if (now_ms >= s->withhold_mono_ms)
        s->dirty = true;
    if (s->dirty && now_ms >= s->publish_mono_ms && publish(s, &err) < 0)
        log_error(LOG_NONE, "cannot publish, serving the generation before: %s", err.msg);
}

static void save_if_due(struct scheduler *s)
{
    int64_t now_ms = clock_mono_ms();

    if (now_ms >= inventory_save_mono_ms(s->inventory))
        inventory_save(s->inventory, clock_unix_ms(), now_ms);
}

/* --- results --- */

static void reschedule(struct scheduler *s, struct watch *w, const struct job_result *r,
                       bool success)
{
    int64_t now_ms = clock_mono_ms();
    uint64_t missed, random;

    arc4random_buf(&random, sizeof(random));
    missed = success ? timetable_succeeded(&w->timetable, r->began_mono_ms, now_ms)
                     : timetable_failed(&w->timetable, r->began_mono_ms, now_ms, random);
    for (uint64_t i = 0; i < missed; i++)
        inventory_refresh_missed(s->inventory, w->entry, w->collector);
    if (s->once)
        w->timetable.due_mono_ms = INT64_MAX;
}

/* There is a listing, and a refresh of its jobs had none to go by: now there is something to ask.
 */
static void wake_jobs(struct scheduler *s, size_t entry)
{
    if (s->once || !inventory_records(s->inventory, entry) || inventory_jobs(s->inventory, entry))
        return;
    for (size_t i = 0; i < s->set.n_watches; i++) {
        struct watch *w = &s->set.watches[i];

        if (w->entry == entry && w->collector == COLLECTOR_JOBS && w->tried && !w->failing &&
            !w->running)
            w->timetable.due_mono_ms = clock_mono_ms();
    }
}

static void apply_result(struct scheduler *s, struct watch *w, struct job_result *r)
{
    struct inventory *inv = s->inventory;
    bool had_data = inventory_has_data(inv, w->entry, w->collector), success;
    struct err err = {0};
    struct watch_news news = watch_news_of(r, inventory_tickets(inv, w->entry));
    struct refresh_outcome outcome = {
        .listing = TAKE(r->listing),
        .tickets = TAKE(r->tickets),
        .jobs = TAKE(r->jobs),
        .kind = r->err.kind,
        .message = r->err.msg,
        .stats = &r->stats,
        .began_unix_ms = r->began_unix_ms,
        .ended_unix_ms = r->ended_unix_ms,
        .ended_mono_ms = r->ended_mono_ms,
        .duration_ms = r->ended_mono_ms - r->began_mono_ms,
    };

    success = inventory_refresh_done(inv, w->entry, w->collector, &outcome, &err) == 0;
    if (success)
        watch_log_success(w, r, &news);
    if (success && w->collector == COLLECTOR_DEPLOYMENTS)
        watch_note_lists(w, r->status_lists, r->lists.err.kind != ERR_NONE,
                         inventory_status_open(inv, w->entry));
    if (!success)
        watch_log_failure(w, &err, had_data);
    watch_log_news(w, r, &news, success);
    watch_news_release(&news);
    reschedule(s, w, r, success);
    w->tried = true;
    w->failing = !success;
    w->reason = err_reason(err.kind);
    wake_jobs(s, w->entry);
    s->dirty = true;
}

/* A result nobody waits for any more: the namespace went, or is read differently now. */
static void drop_result(struct scheduler *s, struct watch *w, struct job_result *r)
{
    job_result_release(r);
    if (!w)
        return;
    w->outdated = false;
    w->timetable.due_mono_ms = clock_mono_ms();
    inventory_add_stats(s->inventory, w->entry, &r->stats);
    s->dirty = true;
}

static void take_results(struct scheduler *s)
{
    for (size_t i = 0; i < s->n_workers; i++) {
        struct job_result result;
        struct watch *w;

        if (s->idle[i] || !worker_take_result(s->workers[i], &result))
            continue;
        s->idle[i] = true;
        w = watch_find(&s->set, result.watch_id);
        if (w)
            w->running = false;
        if (!w || w->outdated || result.err.kind == ERR_STOPPED)
            drop_result(s, w, &result);
        else
            apply_result(s, w, &result);
    }
}

/* --- starting --- */

/* The worker that may still hold the connection, else any idle one; SIZE_MAX if all are busy. */
static size_t pick_worker(const struct scheduler *s, const struct watch *w)
{
    if (w->worker < s->n_workers && s->idle[w->worker])
        return w->worker;
    for (size_t i = 0; i < s->n_workers; i++)
        if (s->idle[i])
            return i;
    return SIZE_MAX;
}

/* What the refresh goes on from. */
static void give_what_is_known(const struct scheduler *s, const struct watch *w, struct job *job)
{
    struct ticket_set *tickets = inventory_tickets(s->inventory, w->entry);
    struct records *records = inventory_records(s->inventory, w->entry);
    struct job_set *jobs = inventory_jobs(s->inventory, w->entry);

    if (w->collector == COLLECTOR_TICKETS && tickets)
        job->tickets = ticket_set_ref(tickets);
    if (w->collector == COLLECTOR_JOBS && records)
        job->records = records_ref(records);
    if (w->collector == COLLECTOR_JOBS && jobs)
        job->jobs = job_set_ref(jobs);
}

static void start_refresh(struct scheduler *s, struct watch *w, size_t worker)
{
    struct job job = {
        .watch_id = w->id,
        .conf = conf_ref(s->set.conf),
        .target = w->target,
        .namespace_name = w->namespace_name,
        .collector = w->collector,
        .without = w->without,
        .status_lists = watch_status_lists(w),
        .credentials = credentials_ref(w->credentials),
    };
    give_what_is_known(s, w, &job);
    w->running = true;
    w->worker = worker;
    s->idle[worker] = false;
    inventory_refresh_begun(s->inventory, w->entry, w->collector, clock_unix_ms());
    s->dirty = true;
    worker_give(s->workers[worker], &job);
}

/*
 * Jobs are asked for by what the deployments' summaries say, so they wait for the first listing, or
 * for the end of the first attempt at one: nobody is ready before all were tried.
 */
static bool may_start(const struct scheduler *s, const struct watch *w)
{
    if (w->running)
        return false;
    for (size_t i = 0; w->collector == COLLECTOR_JOBS && !w->tried && i < s->set.n_watches; i++)
        if (s->set.watches[i].entry == w->entry &&
            s->set.watches[i].collector == COLLECTOR_DEPLOYMENTS && !s->set.watches[i].tried)
            return false;
    return true;
}

/* Those longest due first, so that with too few workers nobody starves. */
static struct watch *most_overdue(struct scheduler *s, int64_t now_ms)
{
    struct watch *found = NULL;

    for (size_t i = 0; i < s->set.n_watches; i++) {
        struct watch *w = &s->set.watches[i];

        if (w->timetable.due_mono_ms <= now_ms &&
            (!found || w->timetable.due_mono_ms < found->timetable.due_mono_ms) && may_start(s, w))
            found = w;
    }
    return found;
}

static void start_due(struct scheduler *s)
{
    int64_t now_ms = clock_mono_ms();
    struct watch *w;

    while ((w = most_overdue(s, now_ms))) {
        size_t worker = pick_worker(s, w);

        if (worker == SIZE_MAX)
            return;
        start_refresh(s, w, worker);
    }
}

/* --- workers and configuration --- */

/* As many workers as n says, up to the cap. Those that could be started stay on failure. */
static int ensure_workers(struct scheduler *s, size_t n, struct err *err)
{
    struct worker **workers;
    bool *idle;

    if (n > SCHEDULER_MAX_WORKERS)
        n = SCHEDULER_MAX_WORKERS;
    if (n <= s->n_workers)
        return 0;
    workers = reallocarray(s->workers, n, sizeof(struct worker *));
    if (workers)
        s->workers = workers;
    idle = reallocarray(s->idle, n, sizeof(*idle));
    if (idle)
        s->idle = idle;
    if (!workers || !idle)
        return err_nomem(err, "the workers");
    for (; s->n_workers < n; s->n_workers++) {
        if (worker_start(&s->bell, s->session, &s->workers[s->n_workers], err) < 0)
            return -1;
        s->idle[s->n_workers] = true;
    }
    return 0;
}

/*
 * Refreshes under way that nobody waits for any more end now: one that hangs on an endpoint which
 * the new configuration has put right would hold the new one up until its deadline.
 */
static void abort_unwanted(const struct scheduler *s, const struct watch_set *next)
{
    for (size_t i = 0; i < s->set.n_watches; i++) {
        const struct watch *old = &s->set.watches[i];
        const struct watch *w = watch_find(next, old->id);

        if (old->running && (!w || w->outdated))
            worker_abort(s->workers[old->worker]);
    }
}

/* All that can fail comes before the first change. */
static int put_in_force(struct scheduler *s, struct conf *conf, struct err *err)
{
    struct inventory_settings settings = watch_settings(conf);
    struct watch_set set;

    if (s->state_file)
        settings.state_file = s->state_file;
    if (watch_set_make(conf, &s->set, s->session, clock_mono_ms(), &s->next_watch_id, &set, err) <
        0)
        return -1;
    if (ensure_workers(s, set.n_watches, err) < 0 ||
        inventory_configure(s->inventory, &settings, set.entries, set.n_entries, err) < 0) {
        watch_set_release(&set);
        return -1;
    }
    abort_unwanted(s, &set);
    /* Likewise fetches of keys that nobody wants any more. */
    credentials_pool_stop(&s->set.credentials, &set.credentials);
    watch_set_release(&s->set);
    s->set = set;
    s->dirty = true;
    s->publish_mono_ms = 0;
    return 0;
}

static void answer_reload(struct scheduler *s)
{
    struct reload *reload;
    int rc;

    pthread_mutex_lock(&s->bell.mu);
    reload = s->reload;
    pthread_mutex_unlock(&s->bell.mu);
    if (!reload)
        return;
    rc = put_in_force(s, reload->conf, reload->err);
    if (rc == 0)
        publish_if_due(s); /* before the answer: what went is gone from the next scrape on */
    pthread_mutex_lock(&s->bell.mu);
    reload->rc = rc;
    reload->done = true;
    s->reload = NULL;
    pthread_cond_broadcast(&s->answered);
    pthread_mutex_unlock(&s->bell.mu);
}

/* The end came before the answer; who asks later is told by ended. */
static void refuse_reload(struct scheduler *s)
{
    pthread_mutex_lock(&s->bell.mu);
    s->ended = true;
    if (s->reload) {
        s->reload->rc = err_set(s->reload->err, ERR_STOPPED, "the program is stopping");
        s->reload->done = true;
        s->reload = NULL;
    }
    pthread_cond_broadcast(&s->answered);
    pthread_mutex_unlock(&s->bell.mu);
}

/* --- the loop --- */

static int64_t next_wake(const struct scheduler *s)
{
    int64_t now_ms = clock_mono_ms(), wake = now_ms + BEAT_MS;
    bool any_idle = false;

    for (size_t i = 0; i < s->n_workers; i++)
        any_idle = any_idle || s->idle[i];
    for (size_t i = 0; any_idle && i < s->set.n_watches; i++) {
        const struct watch *w = &s->set.watches[i];

        if (w->timetable.due_mono_ms < wake && may_start(s, w))
            wake = w->timetable.due_mono_ms;
    }
    /* Once something waits to be published, data that grows too old waits with it. */
    if (s->dirty && s->publish_mono_ms < wake)
        wake = s->publish_mono_ms;
    if (!s->dirty && s->withhold_mono_ms < wake)
        wake = s->withhold_mono_ms;
    if (inventory_save_mono_ms(s->inventory) < wake)
        wake = inventory_save_mono_ms(s->inventory);
    return wake;
}

/* False once the end is asked for. */
static bool sleep_until_needed(struct scheduler *s)
{
    int64_t wake = next_wake(s);
    bool stop;

    pthread_mutex_lock(&s->bell.mu);
    while (!s->bell.rung && !s->stop &&
           clock_cond_wait_until(&s->bell.wake, &s->bell.mu, wake) == 0)
        continue;
    s->bell.rung = false;
    stop = s->stop;
    pthread_mutex_unlock(&s->bell.mu);
    return !stop;
}

static void tell_all_tried(struct scheduler *s)
{
    bool all = !s->dirty;

    for (size_t i = 0; all && i < s->set.n_watches; i++)
        all = s->set.watches[i].tried;
    if (!all)
        return;
    pthread_mutex_lock(&s->bell.mu);
    s->all_tried = true;
    pthread_cond_broadcast(&s->answered);
    pthread_mutex_unlock(&s->bell.mu);
}

static void *scheduler_main(void *arg)
{
    struct scheduler *s = arg;

    do {
        answer_reload(s);
        take_results(s);
        start_due(s);
        publish_if_due(s);
        save_if_due(s);
        if (s->once)
            tell_all_tried(s);
        atomic_store(&s->beat_mono_ms, clock_mono_ms());
    } while (sleep_until_needed(s));
    refuse_reload(s);
    inventory_save_rest(s->inventory, clock_unix_ms(), clock_mono_ms());
    return NULL;
}

/* --- life --- */

static void scheduler_free(struct scheduler *s)
{
    for (size_t i = 0; i < s->n_workers; i++)
        worker_ask_to_stop(s->workers[i]);
    /* Workers may wait for keys, too. */
    credentials_pool_stop(&s->set.credentials, NULL);
    for (size_t i = 0; i < s->n_workers; i++)
        worker_join(s->workers[i]);
    free(s->workers);
    free(s->idle);
    watch_set_release(&s->set);
    inventory_free(s->inventory);
    pthread_cond_destroy(&s->answered);
    pthread_cond_destroy(&s->bell.wake);
    pthread_mutex_destroy(&s->bell.mu);
    free(s);
}

static struct scheduler *scheduler_new(const struct scheduler_options *options)
{
    struct scheduler *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    if (clock_cond_init(&s->bell.wake) < 0) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->bell.mu, NULL);
    pthread_cond_init(&s->answered, NULL);
    atomic_init(&s->beat_mono_ms, clock_mono_ms());
    s->session = options->session;
    s->slot = options->slot;
    s->state_file = options->state_file;
    s->once = options->once;
    s->withhold_mono_ms = INT64_MAX;
    s->next_watch_id = 1;
    return s;
}

/* For once: somebody waits for the end, so nobody waits to spread the load. */
static void make_all_due(struct scheduler *s)
{
    int64_t now_ms = clock_mono_ms();

    for (size_t i = 0; i < s->set.n_watches; i++)
        s->set.watches[i].timetable.due_mono_ms = now_ms;
}

int scheduler_start(const struct scheduler_options *options, struct scheduler **ret,
                    struct err *err)
{
    struct scheduler *s = scheduler_new(options);

    if (!s)
        return err_nomem(err, "the scheduler");
    if (inventory_new(options->registry, &s->inventory, err) < 0 ||
        put_in_force(s, options->conf, err) < 0) {
        scheduler_free(s);
        return -1;
    }
    inventory_restore(s->inventory, s->once, clock_unix_ms(), clock_mono_ms());
    if (publish(s, err) < 0) {
        scheduler_free(s);
        return -1;
    }
    if (s->once)
        make_all_due(s);
    if (pthread_create(&s->thread, NULL, scheduler_main, s) != 0) {
        scheduler_free(s);
        return err_set(err, ERR_INTERNAL, "cannot start the scheduler thread");
    }
    *ret = s;
    return 0;
}

int scheduler_reload(struct scheduler *scheduler, struct conf *conf, struct err *err)
{
    struct reload reload = {.conf = conf, .err = err};

    pthread_mutex_lock(&scheduler->bell.mu);
    if (scheduler->ended) {
        pthread_mutex_unlock(&scheduler->bell.mu);
        return err_set(err, ERR_STOPPED, "the program is stopping");
    }
    scheduler->reload = &reload;
    scheduler->bell.rung = true;
    pthread_cond_signal(&scheduler->bell.wake);
    while (!reload.done)
        pthread_cond_wait(&scheduler->answered, &scheduler->bell.mu);
    pthread_mutex_unlock(&scheduler->bell.mu);
    return reload.rc;
}

bool scheduler_wait_once(struct scheduler *scheduler)
{
    bool all_tried, all_succeeded = true;

    pthread_mutex_lock(&scheduler->bell.mu);
    while (!scheduler->all_tried && !scheduler->stop)
        pthread_cond_wait(&scheduler->answered, &scheduler->bell.mu);
    all_tried = scheduler->all_tried;
    pthread_mutex_unlock(&scheduler->bell.mu);
    if (!all_tried)
        return false;
    /* Nothing is due any more, so the scheduler thread changes none of what is read here. */
    for (size_t i = 0; i < scheduler->set.n_entries; i++)
        all_succeeded = all_succeeded && inventory_succeeded(scheduler->inventory, i);
    return all_succeeded;
}

void scheduler_interrupt(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->bell.mu);
    scheduler->stop = true;
    pthread_cond_signal(&scheduler->bell.wake);
    pthread_cond_broadcast(&scheduler->answered);
    pthread_mutex_unlock(&scheduler->bell.mu);
}

bool scheduler_healthy(const struct scheduler *scheduler)
{
    return clock_mono_ms() - atomic_load(&scheduler->beat_mono_ms) < BEAT_DEAD_MS;
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    scheduler_interrupt(scheduler);
    pthread_join(scheduler->thread, NULL);
    scheduler_free(scheduler);
}
