#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "draft.h"
#include "release.h"
#include "ticket.h"

static void namespace_free(struct world_namespace *ns)
{
    if (!ns)
        return;
    for (size_t i = 0; i < ns->n_deployments; i++)
        deployment_free(ns->deployments[i]);
    free(ns->deployments);
    for (size_t i = 0; i < ns->n_gone; i++) {
        free(ns->gone[i].id);
        free(ns->gone[i].name);
    }
    free(ns->gone);
    drafts_free(ns);
    tickets_free(ns);
    for (size_t i = 0; i < WORLD_SORT_END; i++)
        free(ns->sorted[i]);
    pthread_mutex_destroy(&ns->sorted_mu);
    free(ns->name);
    free(ns);
}

void world_free(struct world *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n_namespaces; i++)
        namespace_free(w->namespaces[i]);
    free(w->namespaces);
    if (w->course)
        ticket_course_release(w->course);
    free(w->course);
    corpus_free(w->corpus);
    free(w->workspace);
    pthread_rwlock_destroy(&w->lock);
    free(w);
}

int world_new(const struct world_conf *conf, struct world **ret, struct err *err)
{
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return err_nomem(err, "world");
    /* Listings come without end; without this a writer would wait for ever. */
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&w->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    w->workspace = strdup(conf->workspace);
    w->corpus = corpus_new(conf->profile, conf->seed);
    if (!w->workspace || !w->corpus) {
        world_free(w);
        return err_nomem(err, "world");
    }
    w->generator = (struct generator){
        .corpus = w->corpus,
        .profile = conf->profile,
        .seed = conf->seed,
        .quirks = conf->quirks,
        .duplicate_names = conf->quirks > 0 ? 0.02 : 0,
        .drafts = conf->drafts,
        .workspace = w->workspace,
    };
    w->rng.state = rng_mix(conf->seed, 0x6c61746572);
    *ret = w;
    return 0;
}

void world_lock_read(struct world *w)
{
    pthread_rwlock_rdlock(&w->lock);
}

void world_lock_write(struct world *w)
{
    pthread_rwlock_wrlock(&w->lock);
}

void world_unlock(struct world *w)
{
    pthread_rwlock_unlock(&w->lock);
}

struct world_namespace *world_find_namespace(struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_namespaces; i++) {
        if (strcmp(w->namespaces[i]->name, name) == 0)
            return w->namespaces[i];
    }
    return NULL;
}

int world_add_namespace(struct world *w, const char *name, struct world_namespace **ret,
                        struct err *err)
{
    struct world_namespace *ns = world_find_namespace(w, name);
    if (ns) {
        *ret = ns;
        return 0;
    }
    struct world_namespace **grown =
        realloc(w->namespaces, (w->n_namespaces + 1) * sizeof(struct world_namespace *));
    if (!grown)
        return err_nomem(err, "namespace");
    w->namespaces = grown;
    ns = calloc(1, sizeof(*ns));
    char *copy = strdup(name);
    if (!ns || !copy) {
        free(ns);
        free(copy);
        return err_nomem(err, "namespace");
    }
    ns->name = copy;
    pthread_mutex_init(&ns->sorted_mu, NULL);
    w->namespaces[w->n_namespaces++] = ns;
    *ret = ns;
    return 0;
}

/* --- the list --- */

void world_changed(struct world_namespace *ns)
{
    for (size_t i = 0; i < WORLD_SORT_END; i++) {
        free(ns->sorted[i]);
        ns->sorted[i] = NULL;
    }
}

int world_insert(struct world_namespace *ns, size_t at, struct deployment *d, struct err *err)
{
    if (ns->n_deployments == ns->capacity) {
        size_t capacity = ns->capacity ? 2 * ns->capacity : 64;
        struct deployment **grown =
            realloc(ns->deployments, capacity * sizeof(struct deployment *));
        if (!grown)
            return err_nomem(err, "deployments");
        ns->deployments = grown;
        ns->capacity = capacity;
    }
    if (at > ns->n_deployments)
        at = ns->n_deployments;
    memmove(ns->deployments + at + 1, ns->deployments + at,
            (ns->n_deployments - at) * sizeof(struct deployment *));
    ns->deployments[at] = d;
    ns->n_deployments++;
    world_changed(ns);
    return 0;
}

static int generate_one(struct world *w, struct world_namespace *ns, size_t at, int64_t created_s,
                        struct err *err)
{
    CLEANUP(deployment_freep) struct deployment *d = NULL;
    if (generate_deployment(&w->generator, ns->name, ns->next_number, created_s, &d, err) < 0 ||
        world_insert(ns, at, d, err) < 0)
        return -1;
    d = NULL;
    ns->next_number++;
    return 0;
}

int world_generate(struct world *w, struct world_namespace *ns, size_t n, int64_t created_s,
                   struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (generate_one(w, ns, SIZE_MAX, created_s, err) < 0)
            return -1;
    }
    return 0;
}

int world_appear(struct world *w, struct world_namespace *ns, size_t at, struct err *err)
{
    if (generate_one(w, ns, at, clock_unix_ms() / 1000, err) < 0)
        return -1;
    struct deployment *d = ns->deployments[at < ns->n_deployments ? at : ns->n_deployments - 1];
    /* It is new: it has no history. */
    memset(d->jobs, 0, sizeof(d->jobs));
    d->newest = JOB_NONE;
    ns->added++;
    return 0;
}

static void remember(struct world_namespace *ns, const struct deployment *d)
{
    if (!ns->gone)
        ns->gone = calloc(WORLD_MAX_GONE, sizeof(ns->gone[0]));
    if (!ns->gone)
        return;
    if (ns->n_gone == WORLD_MAX_GONE) {
        free(ns->gone[0].id);
        free(ns->gone[0].name);
        memmove(ns->gone, ns->gone + 1, (WORLD_MAX_GONE - 1) * sizeof(ns->gone[0]));
        ns->n_gone--;
    }
    ns->gone[ns->n_gone++] = (struct gone){
        .id = strdup(d->id), .name = d->name ? strdup(d->name) : NULL, .ledger = d->ledger};
}

void world_remove(struct world_namespace *ns, size_t index)
{
    struct deployment *d = ns->deployments[index];
    remember(ns, d);
    memmove(ns->deployments + index, ns->deployments + index + 1,
            (ns->n_deployments - index - 1) * sizeof(struct deployment *));
    ns->n_deployments--;
    ns->removed++;
    world_changed(ns);
    deployment_free(d);
}

void world_move_to_end(struct world_namespace *ns, size_t index)
{
    struct deployment *d = ns->deployments[index];
    memmove(ns->deployments + index, ns->deployments + index + 1,
            (ns->n_deployments - index - 1) * sizeof(struct deployment *));
    ns->deployments[ns->n_deployments - 1] = d;
    world_changed(ns);
}

struct deployment *world_find(struct world *w, const char *id, struct world_namespace **ret_ns,
                              size_t *ret_index)
{
    for (size_t n = 0; n < w->n_namespaces; n++) {
        struct world_namespace *ns = w->namespaces[n];
        for (size_t k = 0; k < ns->n_deployments; k++) {
            size_t i = (ns->find_from + k) % ns->n_deployments;
            if (strcmp(ns->deployments[i]->id, id) == 0) {
                ns->find_from = i;
                *ret_ns = ns;
                *ret_index = i;
                return ns->deployments[i];
            }
        }
    }
    return NULL;
}

struct deployment *world_find_in(const struct world_namespace *ns, const char *id)
{
    for (size_t i = 0; i < ns->n_deployments; i++) {
        if (strcmp(ns->deployments[i]->id, id) == 0)
            return ns->deployments[i];
    }
    return NULL;
}

/* --- from JSON --- */

/* The list inside the text: the text itself, or its "deployments" or "data". */
static int find_list(const struct world_load *load, struct json_span *ret, struct err *err)
{
    size_t blank = 0;
    while (blank < load->len && strchr(" \t\r\n", load->text[blank]))
        blank++;
    *ret = (struct json_span){load->text, load->len};
    if (blank < load->len && load->text[blank] == '[')
        return 0;
    struct json_walk walk;
    char *key = NULL;
    struct json_span value;
    bool found = false;
    json_walk_init(&walk, load->text, load->len, '{');
    while (json_walk_member(&walk, &key, &value)) {
        CLEANUP(freep) char *owned = key;
        if (strcmp(owned, "deployments") == 0 || strcmp(owned, "data") == 0) {
            *ret = value;
            found = true;
        }
    }
    if (walk.failed || !found)
        return err_set(err, ERR_PARSE, "neither a JSON list nor an object with \"deployments\"");
    return 0;
}

struct arrival {
    struct deployment *d;
    char *ns;
};

struct arrivals {
    struct arrival *items;
    size_t n;
};

static void arrivals_release(struct arrivals *a)
{
    for (size_t i = 0; i < a->n; i++) {
        deployment_free(a->items[i].d);
        free(a->items[i].ns);
    }
    free(a->items);
}

static int read_arrival(const struct world_load *load, const struct json_span *item,
                        uint64_t id_seed, struct arrival *ret, struct err *err)
{
    *ret = (struct arrival){0};
    if (deployment_from_json(item->ptr, item->len, id_seed, &ret->d, err) < 0)
        return -1;
    if (load->by_object)
        ret->ns = deployment_namespace_of(item->ptr, item->len);
    if (!ret->ns)
        ret->ns = strdup(load->fallback);
    if (!ret->ns)
        return err_nomem(err, "namespace");
    return 0;
}

static int read_arrivals(struct world *w, const struct world_load *load, struct arrivals *a,
                         struct err *err)
{
    struct json_span list;
    if (find_list(load, &list, err) < 0)
        return -1;
    struct json_walk walk;
    struct json_span item;
    size_t capacity = 0;
    json_walk_init(&walk, list.ptr, list.len, '[');
    while (json_walk_item(&walk, &item)) {
        if (a->n == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            struct arrival *grown = realloc(a->items, capacity * sizeof(a->items[0]));
            if (!grown)
                return err_nomem(err, "deployments");
            a->items = grown;
        }
        uint64_t seed = rng_mix(w->generator.seed ^ 0x6c6f6164, w->n_loaded + a->n);
        struct arrival *arrival = &a->items[a->n++];
        if (read_arrival(load, &item, seed, arrival, err) < 0)
            return err_wrap(err, "deployment %zu", a->n);
    }
    if (walk.failed)
        return err_set(err, ERR_PARSE, "after deployment %zu: not valid JSON", a->n);
    return 0;
}

static int settle(struct world *w, const struct world_load *load, struct arrivals *a,
                  struct err *err)
{
    for (size_t i = 0; i < a->n; i++) {
        struct world_namespace *ns;
        if (world_add_namespace(w, a->items[i].ns, &ns, err) < 0 ||
            world_insert(ns, SIZE_MAX, a->items[i].d, err) < 0)
            return -1;
        a->items[i].d = NULL;
        ns->added += load->counts_as_added;
        w->n_loaded++;
    }
    return 0;
}

int world_load(struct world *w, const struct world_load *load, struct err *err)
{
    struct arrivals a = {0};
    int rc = read_arrivals(w, load, &a, err);
    if (rc == 0 && !load->dry_run)
        rc = settle(w, load, &a, err);
    arrivals_release(&a);
    return rc;
}

/* --- what happens --- */

bool world_event(struct world_namespace *ns, struct deployment *d, enum job_event event,
                 enum job_state state)
{
    return deployment_event(d, event, state, &ns->ledger);
}

/* A remembered ended instance that is not the newest one; JOB_NONE if there is none. */
static enum job_state something_to_purge(const struct deployment *d, struct rng *r)
{
    const enum job_state ended[] = {JOB_FAILED, JOB_CANCELLED, JOB_FINISHED};
    size_t from = rng_below(r, ARRAY_LEN(ended));
    for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
        enum job_state state = ended[(from + i) % ARRAY_LEN(ended)];
        if (d->jobs[state] > (d->newest == state ? 1U : 0U))
            return state;
    }
    return JOB_NONE;
}

static void churn_deployment(struct world_namespace *ns, struct deployment *d, struct rng *r)
{
    bool batch = d->execution_mode && strcmp(d->execution_mode, "BATCH") == 0;
    enum job_state purge = rng_chance(r, 0.25) ? something_to_purge(d, r) : JOB_NONE;
    double dice = rng_unit(r);
    if (purge != JOB_NONE)
        world_event(ns, d, JOB_EVENT_PURGE, purge);
    else if (d->newest == JOB_STARTING)
        world_event(ns, d, dice < 0.85 ? JOB_EVENT_START : JOB_EVENT_FAIL, JOB_RUNNING);
    else if (d->newest == JOB_CANCELLING)
        world_event(ns, d, JOB_EVENT_CANCEL, JOB_CANCELLED);
    else if (deployment_live_jobs(d) == 0 || (batch && dice < 0.2))
        world_event(ns, d, JOB_EVENT_START, JOB_STARTING);
    else if (dice < (batch ? 0.35 : 0.55))
        world_event(ns, d, JOB_EVENT_FAIL, JOB_FAILED);
    else if (dice < (batch ? 0.45 : 0.9))
        world_event(ns, d, JOB_EVENT_CANCEL, dice < 0.7 ? JOB_CANCELLING : JOB_CANCELLED);
    else
        world_event(ns, d, JOB_EVENT_FINISH, JOB_FINISHED);
}

/* Edited, or released as it is. */
static void churn_draft(struct world *w, struct world_namespace *ns, struct rng *r)
{
    struct err ignored = {0};
    struct draft *d = ns->drafts[rng_below(r, ns->n_drafts)];
    CLEANUP(strbuf_release) struct strbuf holder = STRBUF_INIT;
    CLEANUP(freep) char *deployment_id = NULL;
    int64_t now_s = clock_unix_ms() / 1000;
    if (draft_is_locked(d, &holder))
        return;
    const struct release release = {.draft_id = d->id, .now_s = now_s};
    int rc = rng_chance(r, 0.6) ? draft_edit(d, now_s, &ignored)
                                : release_draft(w, ns, &release, &deployment_id, &ignored);
    (void)rc; /* memory is out: nothing happened */
}

void world_churn(struct world *w, struct rng *r)
{
    if (!w->n_namespaces)
        return;
    struct world_namespace *ns = w->namespaces[rng_below(r, w->n_namespaces)];
    double dice = rng_unit(r);
    if (dice < 0.01 || !ns->n_deployments) {
        struct err ignored;
        if (world_appear(w, ns, SIZE_MAX, &ignored) < 0)
            return;
    } else if (dice < 0.02 && ns->n_deployments > 1) {
        world_remove(ns, rng_below(r, ns->n_deployments));
    } else if (dice < 0.05 && ns->n_drafts) {
        churn_draft(w, ns, r);
    } else {
        churn_deployment(ns, ns->deployments[rng_below(r, ns->n_deployments)], r);
    }
}

/* --- reading --- */

static int by_created(const void *a, const void *b)
{
    const struct deployment *x = *(struct deployment *const *)a;
    const struct deployment *y = *(struct deployment *const *)b;
    if (x->created_s != y->created_s)
        return x->created_s > y->created_s ? -1 : 1;
    return strcmp(x->id, y->id);
}

static int by_modified(const void *a, const void *b)
{
    const struct deployment *x = *(struct deployment *const *)a;
    const struct deployment *y = *(struct deployment *const *)b;
    if (x->modified_s != y->modified_s)
        return x->modified_s > y->modified_s ? -1 : 1;
    return strcmp(x->id, y->id);
}

struct deployment *const *world_sorted(struct world_namespace *ns, enum world_sort sort)
{
    if (sort == WORLD_SORT_NONE || !ns->n_deployments)
        return ns->deployments;
    pthread_mutex_lock(&ns->sorted_mu);
    if (!ns->sorted[sort]) {
        struct deployment **order = malloc(ns->n_deployments * sizeof(struct deployment *));
        if (order) {
            memcpy(order, ns->deployments, ns->n_deployments * sizeof(struct deployment *));
            qsort(order, ns->n_deployments, sizeof(struct deployment *),
                  sort == WORLD_SORT_CREATED ? by_created : by_modified);
        }
        ns->sorted[sort] = order;
    }
    struct deployment *const *order = ns->sorted[sort];
    pthread_mutex_unlock(&ns->sorted_mu);
    return order;
}

void world_render_ledger(struct world *w, struct strbuf *out)
{
    strbuf_addc(out, '{');
    for (size_t i = 0; i < w->n_namespaces; i++) {
        const struct world_namespace *ns = w->namespaces[i];
        strbuf_adds(out, i ? "," : "");
        json_add_cstring(out, ns->name);
        strbuf_addf(out, ":{\"deployments\":%zu,", ns->n_deployments);
        ledger_render(&ns->ledger, out);
        strbuf_addf(out, ",\"added\":%llu,\"removed\":%llu}", (unsigned long long)ns->added,
                    (unsigned long long)ns->removed);
    }
    strbuf_addc(out, '}');
}

void world_render_truth(const struct world_namespace *ns, struct strbuf *out)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; i < ns->n_deployments; i++) {
        strbuf_adds(out, i ? ",\n" : "");
        deployment_render_truth(ns->deployments[i], out);
    }
    strbuf_addc(out, ']');
}

void world_render_gone(const struct world_namespace *ns, struct strbuf *out)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; i < ns->n_gone; i++) {
        const struct gone *g = &ns->gone[i];
        strbuf_adds(out, i ? ",\n{\"deploymentId\":" : "{\"deploymentId\":");
        json_add_cstring(out, g->id ? g->id : "");
        strbuf_adds(out, ",\"name\":");
        if (g->name)
            json_add_cstring(out, g->name);
        else
            strbuf_adds(out, "null");
        strbuf_adds(out, ",\"ledger\":{");
        ledger_render(&g->ledger, out);
        strbuf_adds(out, "}}");
    }
    strbuf_addc(out, ']');
}
