#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* First refreshes of many namespaces begin this far apart, in the mean. */
#define FIRST_SPREAD_MS 100

void watch_set_release(struct watch_set *set)
{
    credentials_pool_release(&set->credentials);
    free(set->watches);
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

/* True if a listing read for one target is what the other would read, too. */
static bool reads_the_same(const struct watch *w, const struct target *t,
                           const struct credentials *credentials)
{
    const struct target *o = w->target;

    return same_text(o->endpoint, t->endpoint) && w->credentials == credentials &&
           o->collectors == t->collectors && same_select(&o->select, &t->select) &&
           same_tls(&o->tls, &t->tls) && same_text(o->proxy_url, t->proxy_url) &&
           glob_list_equal(&o->deployment_labels, &t->deployment_labels) &&
           o->max_deployments == t->max_deployments;
}

static const struct watch *find_same(const struct watch_set *old, const struct target *target,
                                     const char *namespace_name)
{
    for (size_t i = 0; old && i < old->n_watches; i++)
        if (strcmp(old->watches[i].target->workspace, target->workspace) == 0 &&
            strcmp(old->watches[i].namespace_name, namespace_name) == 0)
            return &old->watches[i];
    return NULL;
}

static void make_watch(struct watch *w, const struct watch *old, const struct target *target,
                       const char *namespace_name, struct credentials *credentials,
                       int64_t now_mono_ms, int64_t spread_ms, uint64_t *next_id)
{
    uint64_t hash = timetable_hash(target->workspace, namespace_name);

    if (old) {
        bool same = reads_the_same(old, target, credentials);

        *w = *old;
        timetable_retime(&w->timetable, now_mono_ms, hash, target->interval_ms,
                         target->max_backoff_ms);
        if (!same) {
            w->timetable.due_mono_ms = now_mono_ms;
            w->timetable.failures = 0;
            w->outdated = w->running;
        }
    } else {
        *w = (struct watch){.id = (*next_id)++, .worker = SIZE_MAX};
        timetable_start(&w->timetable, now_mono_ms, hash, target->interval_ms,
                        target->max_backoff_ms, spread_ms);
    }
    w->target = target;
    w->namespace_name = namespace_name;
    w->credentials = credentials;
}

static int make_watches(struct watch_set *set, const struct watch_set *old, int64_t now_mono_ms,
                        uint64_t *next_id, struct err *err)
{
    const struct conf *conf = set->conf;
    size_t n = 0;
    int64_t spread_ms;

    for (size_t i = 0; i < conf->n_targets; i++)
        n += conf->targets[i].n_namespaces;
    spread_ms = n > 1 ? (int64_t)n * FIRST_SPREAD_MS : 0;
    set->watches = calloc(n ? n : 1, sizeof(*set->watches));
    if (!set->watches)
        return err_nomem(err, "the watches");
    for (size_t i = 0; i < conf->n_targets; i++) {
        const struct target *t = &conf->targets[i];
        struct credentials *credentials =
            set->credentials.items[t->credentials - conf->credentials];

        for (size_t j = 0; j < t->n_namespaces; j++)
            make_watch(&set->watches[set->n_watches++], find_same(old, t, t->namespaces[j]), t,
                       t->namespaces[j], credentials, now_mono_ms,
                       spread_ms < t->interval_ms ? spread_ms : t->interval_ms, next_id);
    }
    return 0;
}

int watch_set_make(struct conf *conf, const struct watch_set *old, struct api_session *session,
                   int64_t now_mono_ms, uint64_t *next_id, struct watch_set *ret, struct err *err)
{
    struct watch_set set = {.conf = conf_ref(conf)};

    if (make_providers(&set, old, session, err) < 0 ||
        make_watches(&set, old, now_mono_ms, next_id, err) < 0) {
        watch_set_release(&set);
        return -1;
    }
    *ret = set;
    return 0;
}

struct watch *watch_find(const struct watch_set *set, uint64_t id)
{
    for (size_t i = 0; i < set->n_watches; i++)
        if (set->watches[i].id == id)
            return &set->watches[i];
    return NULL;
}
