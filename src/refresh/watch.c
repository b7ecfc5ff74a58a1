#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "base/err.h"
#include "base/hash.h"

/* Those that were cancelled or finished are asked for in one refresh of so many. */
#define ENDED_EVERY     10

/* First refreshes of many watches begin this far apart, in the mean. */
#define FIRST_SPREAD_MS 100

void watch_set_release(struct watch_set *set)
{
    credentials_pool_release(&set->credentials);
    free(set->watches);
    free(set->entries);
    conf_unref(set->conf);
    *set = (struct watch_set){0};
}

static int make_providers(struct watch_set *set, const struct watch_set *old,
                          struct api_session *session, struct err *err)
{
    const struct conf *conf = set->conf;
    bool *used = calloc(conf->n_credentials ? conf->n_credentials : 1, sizeof(*used));
    int rc;

    if (!used)
        return err_nomem(err, "the credentials");
    for (size_t i = 0; i < conf->n_targets; i++)
        used[conf->targets[i].credentials - conf->credentials] = true;
    rc = credentials_pool_make(conf->credentials, conf->n_credentials, used,
                               old ? &old->credentials : NULL, session, &set->credentials, err);
    free(used);
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_select(const struct target_select *a, const struct target_select *b)
{
    if (!same_text(a->name, b->name) || !same_text(a->execution_mode, b->execution_mode) ||
        !same_text(a->status, b->status) || !same_text(a->creator, b->creator) ||
        !same_text(a->modifier, b->modifier) || !same_text(a->label_key, b->label_key) ||
        a->n_label_values != b->n_label_values)
        return false;
    for (size_t i = 0; i < a->n_label_values; i++)
        if (!same_text(a->label_values[i], b->label_values[i]))
            return false;
    return true;
}

static bool same_tls(const struct target_tls *a, const struct target_tls *b)
{
    return same_text(a->ca_file, b->ca_file) && same_text(a->cert_file, b->cert_file) &&
           same_text(a->key_file, b->key_file) && same_text(a->server_name, b->server_name) &&
           a->insecure_skip_verify == b->insecure_skip_verify;
}

static bool same_names(const struct target *a, const struct target *b)
{
    if (a->n_deployment_names != b->n_deployment_names)
        return false;
    for (size_t i = 0; i < a->n_deployment_names; i++)
        if (!same_text(a->deployment_names[i], b->deployment_names[i]))
            return false;
    return true;
}

static bool same_tickets(const struct target *a, const struct target *b)
{
    if (a->n_tickets != b->n_tickets || !same_text(a->ticket_dir, b->ticket_dir) ||
        a->ticket_ttl_ms != b->ticket_ttl_ms || a->max_tickets != b->max_tickets)
        return false;
    for (size_t i = 0; i < a->n_tickets; i++)
        if (!same_text(a->tickets[i].namespace_name, b->tickets[i].namespace_name) ||
            !same_text(a->tickets[i].id, b->tickets[i].id))
            return false;
    return true;
}

/* Of deployments only a target that collects drafts, too, needs to know the content. */
static bool needs_content(const struct target *t)
{
    return t->collectors & (1u << COLLECTOR_DRAFTS);
}

/* True if what was read for one watch is what the other would read, too. */
static bool reads_the_same(const struct watch *a, const struct watch *b)
{
    const struct target *o = a->target, *t = b->target;

    if (!same_text(o->endpoint, t->endpoint) || a->credentials != b->credentials ||
        !same_tls(&o->tls, &t->tls) || !same_text(o->proxy_url, t->proxy_url))
        return false;
    switch (a->collector) {
    case COLLECTOR_DEPLOYMENTS:
        return same_select(&o->select, &t->select) && same_names(o, t) &&
               a->without == b->without && a->asks_status == b->asks_status &&
               needs_content(o) == needs_content(t) &&
               glob_list_equal(&o->deployment_labels, &t->deployment_labels) &&
               o->max_deployments == t->max_deployments;
    case COLLECTOR_DRAFTS:
        return o->max_deployments == t->max_deployments;
    case COLLECTOR_TICKETS:
        return same_tickets(o, t);
    case COLLECTOR_JOBS: /* another selection is other deployments: they say so */
    case COLLECTOR_END:
        break;
    }
    return true;
}

static const struct watch *find_same(const struct watch_set *old, const struct watch *w)
{
    for (size_t i = 0; old && i < old->n_watches; i++) {
        const struct watch *o = &old->watches[i];

        if (o->collector == w->collector &&
            strcmp(o->target->workspace, w->target->workspace) == 0 &&
            strcmp(o->namespace_name, w->namespace_name) == 0)
            return o;
    }
    return NULL;
}

/* The collectors of a namespace take turns instead of beginning together. */
static uint64_t place_of(const struct watch *w)
{
    uint64_t h = timetable_hash(w->target->workspace, w->namespace_name);

    if (w->collector != COLLECTOR_DEPLOYMENTS)
        h = hash_fnv1a(h, collector_name(w->collector));
    return h ^ (h >> 32);
}

/* w says what is to be watched; the rest of it comes from the watch before, or begins. */
static void start_watch(struct watch *w, const struct watch *old, int64_t now_mono_ms,
                        int64_t spread_ms, uint64_t *next_id)
{
    const struct watch wanted = *w;
    const struct target *target = w->target;

    if (!old) {
        w->id = (*next_id)++;
        w->worker = SIZE_MAX;
        timetable_start(&w->timetable, now_mono_ms, place_of(w), target->interval_ms,
                        target->max_backoff_ms, spread_ms);
        return;
    }
    *w = *old;
    w->target = target;
    w->namespace_name = wanted.namespace_name;
    w->entry = wanted.entry;
    w->without = wanted.without;
    w->asks_status = wanted.asks_status;
    w->credentials = wanted.credentials;
    timetable_retime(&w->timetable, now_mono_ms, place_of(w), target->interval_ms,
                     target->max_backoff_ms);
    if (!reads_the_same(old, w)) {
        w->timetable.due_mono_ms = now_mono_ms;
        w->timetable.failures = 0;
        w->ended_in = 0;
        w->outdated = w->running;
    }
}

struct inventory_settings watch_settings(const struct conf *conf)
{
    return (struct inventory_settings){
        .deny = &conf->deny,
        .aggregate_by_namespace = conf->aggregation == CONF_AGGREGATION_NAMESPACE,
        .draft_lock_holder = conf->draft_lock_holder,
        .hold_ms = conf->hold_ms,
        .state_file = conf->state_file,
    };
}

/* What the control plane need not look for; a listing brings all parts anyway. */
static unsigned unread_parts(const struct conf *conf, const struct target *target)
{
    const struct inventory_settings settings = watch_settings(conf);
    unsigned shown = inventory_parts_shown(&settings), without = 0;

    if (target->n_deployment_names == 0)
        return 0;
    /* The collector jobs goes by the summaries. */
    if (!(shown & DEPLOYMENT_JOBS) && !(target->collectors & (1u << COLLECTOR_JOBS)))
        without |= API_WITHOUT_JOB_SUMMARY;
    if (!(shown & DEPLOYMENT_RESOURCES))
        without |= API_WITHOUT_RESOURCE_SETTING;
    return without;
}

/* Where nobody reads the status, no request is spent on it. */
static bool shows_status(const struct conf *conf)
{
    const struct inventory_settings settings = watch_settings(conf);

    return inventory_parts_shown(&settings) & DEPLOYMENT_STATUS;
}

static bool collects(const struct target *target, int collector)
{
    return target->collectors & (1u << collector);
}

/* Room for all of them, and what is to be watched by whom. */
static int list_watches(struct watch_set *set, struct err *err)
{
    const struct conf *conf = set->conf;
    size_t n = 0;

    for (size_t i = 0; i < conf->n_targets; i++)
        n += conf->targets[i].n_namespaces;
    set->entries = calloc(n ? n : 1, sizeof(*set->entries));
    set->watches = calloc(n ? n * COLLECTOR_END : 1, sizeof(*set->watches));
    if (!set->entries || !set->watches)
        return err_nomem(err, "the watches");
    for (size_t i = 0; i < conf->n_targets; i++) {
        const struct target *t = &conf->targets[i];
        struct credentials *credentials =
            set->credentials.items[t->credentials - conf->credentials];

        for (size_t j = 0; j < t->n_namespaces; j++) {
            for (int c = 0; c < COLLECTOR_END; c++)
                if (collects(t, c))
                    set->watches[set->n_watches++] = (struct watch){
                        .target = t,
                        .namespace_name = t->namespaces[j],
                        .collector = (enum collector)c,
                        .entry = set->n_entries,
                        .without = c == COLLECTOR_DEPLOYMENTS ? unread_parts(conf, t) : 0,
                        .asks_status = c == COLLECTOR_DEPLOYMENTS && shows_status(conf),
                        .credentials = credentials,
                    };
            set->entries[set->n_entries++] = (struct inventory_watch){t, t->namespaces[j]};
        }
    }
    return 0;
}

static void start_watches(struct watch_set *set, const struct watch_set *old, int64_t now_mono_ms,
                          uint64_t *next_id)
{
    int64_t spread_ms = set->n_watches > 1 ? (int64_t)set->n_watches * FIRST_SPREAD_MS : 0;

    for (size_t i = 0; i < set->n_watches; i++) {
        struct watch *w = &set->watches[i];
        int64_t interval_ms = w->target->interval_ms;

        start_watch(w, find_same(old, w), now_mono_ms,
                    spread_ms < interval_ms ? spread_ms : interval_ms, next_id);
    }
}

int watch_set_make(struct conf *conf, const struct watch_set *old, struct api_session *session,
                   int64_t now_mono_ms, uint64_t *next_id, struct watch_set *ret, struct err *err)
{
    struct watch_set set = {.conf = conf_ref(conf)};

    if (make_providers(&set, old, session, err) < 0 || list_watches(&set, err) < 0) {
        watch_set_release(&set);
        return -1;
    }
    start_watches(&set, old, now_mono_ms, next_id);
    *ret = set;
    return 0;
}

unsigned watch_status_lists(const struct watch *w)
{
    const unsigned failed = STATUS_BIT(STATUS_FAILED);
    const unsigned ended = STATUS_BIT(STATUS_CANCELLED) | STATUS_BIT(STATUS_FINISHED);

    if (!w->asks_status)
        return 0;
    return w->ended_in == 0 ? failed | ended : failed;
}

void watch_note_lists(struct watch *w, unsigned lists, bool failed, bool open)
{
    if (lists & STATUS_BIT(STATUS_CANCELLED) && !failed)
        w->ended_in = ENDED_EVERY;
    if (w->ended_in > 0)
        w->ended_in--;
    if (open)
        w->ended_in = 0;
}

struct watch *watch_find(const struct watch_set *set, uint64_t id)
{
    for (size_t i = 0; i < set->n_watches; i++)
        if (set->watches[i].id == id)
            return &set->watches[i];
    return NULL;
}
