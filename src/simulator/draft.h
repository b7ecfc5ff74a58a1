/*
 * Drafts: what a user edits before it is released as a deployment.
 *
 * A draft is the JSON object it is shown as. Each namespace has a list of them, newest last. All of
 * it belongs to the world, whose lock guards it: the read lock for what takes a const draft or
 * namespace, the write lock for the rest.
 */
#ifndef SIMULATOR_DRAFT_H
#define SIMULATOR_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "object.h"
#include "world.h"

struct draft {
    char *id;
    struct object object;
};

void draft_free(struct draft *d);
void draft_freep(struct draft **d);

/* --- one draft --- */

/* The object as it is but for "_sim", which goes; a missing id is made from id_seed. */
int draft_from_json(const char *text, size_t len, uint64_t id_seed, struct draft **ret,
                    struct err *err) MUST_CHECK;

/* Who holds the lock, "name (id)"; false if nobody does. */
bool draft_is_locked(const struct draft *d, struct strbuf *ret_holder);
/* holder_id NULL takes the lock away. */
int draft_lock(struct draft *d, const char *ns, const char *workspace, const char *holder_id,
               const char *holder_name, struct err *err) MUST_CHECK;

/*
 * What a PATCH does. Members that body leaves out are cleared, or kept with `merge`; identity,
 * owner, lock and the deployment it refers to are the server's and stay in any case.
 * modifiedAt becomes now_s, or later if that would not be later than before.
 */
int draft_update(struct draft *d, const struct object *body, bool merge, int64_t now_s,
                 struct err *err) MUST_CHECK;

/* The members that a release carries over differ between the two. */
bool draft_differs(const struct draft *d, const struct object *deployment);
/* Those members, and how many. */
#define DRAFT_N_CONTENT 5
extern const char *const draft_content[DRAFT_N_CONTENT];

/* The deployment it refers to, on the heap; NULL for none. */
char *draft_deployment_id(const struct draft *d);

/* --- a namespace's list --- */

void drafts_free(struct world_namespace *ns);

struct draft *drafts_find(const struct world_namespace *ns, const char *id, size_t *ret_index);
/* Takes d on success. At SIZE_MAX it goes to the end. */
int drafts_insert(struct world_namespace *ns, size_t at, struct draft *d,
                  struct err *err) MUST_CHECK;
void drafts_remove(struct world_namespace *ns, size_t index);

/*
 * n drafts at the end: of every ten eight refer to a deployment that has none yet, and equal it but
 * for two that were edited later; one of those two and one of the others are locked. Two were never
 * released, nor is any that comes when the deployments have run out.
 */
int drafts_generate(struct world *w, struct world_namespace *ns, size_t n,
                    struct err *err) MUST_CHECK;
/* One that was never released. */
int drafts_make(struct world *w, struct world_namespace *ns, uint64_t number, struct draft **ret,
                struct err *err) MUST_CHECK;
/* Changes the script, the arguments or whatever there is, as a user would. */
int draft_edit(struct draft *d, int64_t now_s, struct err *err) MUST_CHECK;

/* A JSON list: each object with "_sim": {"locked", "deployed", "differs"}; differs is null where
 * there is no deployment to compare with. */
void drafts_render_truth(const struct world_namespace *ns, struct strbuf *out);

#endif
