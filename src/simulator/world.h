/*
 * What exists behind the simulated API: one workspace, its namespaces, their deployments (with the
 * ledger of all that happened to them), drafts (draft.h) and deploy tickets (ticket.h).
 *
 * One lock guards it. Whoever reads or changes it holds the lock for as long as it uses anything
 * it was given: listings take it for reading, churn and the control path for writing.
 */
#ifndef SIMULATOR_WORLD_H
#define SIMULATOR_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "deployment.h"
#include "generate.h"
#include "rng.h"

enum world_sort { WORLD_SORT_NONE, WORLD_SORT_CREATED, WORLD_SORT_MODIFIED, WORLD_SORT_END };

/* Who it is that an access key acts for. */
#define WORLD_USER_ID   "278463638774560000"
#define WORLD_USER_NAME "user@example.onaliyun.com"

struct draft;
struct ticket;
struct ticket_course;

/* What remains of a deployment that was removed. */
struct gone {
    char *id;
    char *name;
    struct ledger ledger;
};

/* The last so many removed deployments are remembered by namespace. */
#define WORLD_MAX_GONE 10000

struct world_namespace {
    char *name;
    struct deployment **deployments;
    size_t n_deployments;
    size_t capacity;
    uint64_t next_number; /* of the next generated deployment */
    struct ledger ledger; /* of all deployments, removed ones included */
    uint64_t added;       /* while running; what was there at the start is not counted */
    uint64_t removed;
    struct gone *gone;
    size_t n_gone;
    struct draft **drafts;
    size_t n_drafts;
    size_t drafts_capacity;
    uint64_t next_draft;     /* number of the next generated one */
    struct ticket **tickets; /* oldest first */
    size_t n_tickets;
    size_t find_from; /* where the last search ended: whoever names many ids does so in order */

    /* The list in another order, made when asked for; forgotten when the list changes. */
    pthread_mutex_t sorted_mu;
    struct deployment **sorted[WORLD_SORT_END];
};

struct world {
    pthread_rwlock_t lock;
    struct corpus *corpus;
    struct generator generator;
    char *workspace;
    struct world_namespace **namespaces;
    size_t n_namespaces;
    struct ticket_course *course; /* of tickets that clients make; NULL = they succeed */
    atomic_size_t n_open_tickets; /* written under the lock, read without */
    struct rng rng;               /* ids of what comes while running */
    uint64_t n_loaded; /* objects that came as JSON; gives those without an id one of their own */
};

struct world_conf {
    const char *workspace;
    enum profile profile;
    uint64_t seed;
    double quirks;
    bool drafts; /* made-up deployments refer to no drafts but those made up */
};

int world_new(const struct world_conf *conf, struct world **ret, struct err *err) MUST_CHECK;
void world_free(struct world *w);

void world_lock_read(struct world *w);
void world_lock_write(struct world *w);
void world_unlock(struct world *w);

/* NULL if there is none of that name. */
struct world_namespace *world_find_namespace(struct world *w, const char *name);
/* Finds or makes it. */
int world_add_namespace(struct world *w, const char *name, struct world_namespace **ret,
                        struct err *err) MUST_CHECK;

/* --- changing the list: the write lock, or nobody else there yet --- */

/* Takes d on success. At SIZE_MAX it goes to the end. Not counted as added. */
int world_insert(struct world_namespace *ns, size_t at, struct deployment *d,
                 struct err *err) MUST_CHECK;
/* Generates n deployments at the end; created_s 0 = in the past. */
int world_generate(struct world *w, struct world_namespace *ns, size_t n, int64_t created_s,
                   struct err *err) MUST_CHECK;
/* One more at position `at`, created now, counted as added. */
int world_appear(struct world *w, struct world_namespace *ns, size_t at,
                 struct err *err) MUST_CHECK;
/* Removes one, counts it and remembers what it was. */
void world_remove(struct world_namespace *ns, size_t index);
/* Moves one to the end of the list. */
void world_move_to_end(struct world_namespace *ns, size_t index);

/*
 * Deployments from a JSON list, {"deployments": [...]} or a ListDeployments answer. Each goes to
 * fallback, or where its "namespace" says if fallback is NULL or by_object is set; namespaces that
 * do not exist are made. All or nothing. With dry_run nothing is added, only checked.
 */
struct world_load {
    const char *text;
    size_t len;
    const char *fallback;
    bool by_object;
    bool counts_as_added;
    bool dry_run;
};
int world_load(struct world *w, const struct world_load *load, struct err *err) MUST_CHECK;

/* A deployment of that id in any namespace. For writers: the search leaves a mark behind. */
struct deployment *world_find(struct world *w, const char *id, struct world_namespace **ret_ns,
                              size_t *ret_index);

/* The same in one namespace, for readers too. */
struct deployment *world_find_in(const struct world_namespace *ns, const char *id);

/* A deployment's text has changed, and with it perhaps its place in the sorted lists. */
void world_changed(struct world_namespace *ns);

/* An event that the namespace's ledger counts too. */
bool world_event(struct world_namespace *ns, struct deployment *d, enum job_event event,
                 enum job_state state);

/* One random thing happens somewhere. */
void world_churn(struct world *w, struct rng *r);

/* --- reading --- */

/* The namespace's deployments in that order; NULL when memory is out. */
struct deployment *const *world_sorted(struct world_namespace *ns, enum world_sort sort);

/* {"name": {"deployments": n, "starts": ..., "added": ..., "removed": ...}, ...} */
void world_render_ledger(struct world *w, struct strbuf *out);
/* A JSON list: everything about each deployment; what is left of the removed ones. */
void world_render_truth(const struct world_namespace *ns, struct strbuf *out);
void world_render_gone(const struct world_namespace *ns, struct strbuf *out);

#endif
