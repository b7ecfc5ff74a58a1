/*
 * Deploy tickets: what comes of releasing a draft, and when.
 *
 * A ticket is EXECUTING for as many polls, or as long, as its course says; then it ends, and if it
 * succeeds the deployment is made or takes the draft's content at that moment. All of it belongs to
 * the world, whose lock guards it.
 */
#ifndef SIMULATOR_TICKET_H
#define SIMULATOR_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "json_text.h"
#include "rng.h"
#include "world.h"

/* The last so many tickets of a namespace are remembered. */
#define TICKET_MAX 10000

enum ticket_end {
    TICKET_SUCCEEDS, /* FINISHED with success */
    TICKET_REFUSED,  /* FINISHED without: the draft did not pass the validation */
    TICKET_FAILS,    /* FAILED */
};

/* How it goes. The texts may be NULL; what then is shown depends on the end. */
struct ticket_course {
    int64_t polls;   /* that find it executing; -1 = only time counts */
    int64_t time_ms; /* after which it ends in any case; -1 = only polls count */
    enum ticket_end end;
    bool validation_success; /* the validation was fine, whatever else was not */
    char *message;
    char *validation_result;
    char *errors; /* JSON as it is shown: an object, or a list if there are several */
};
void ticket_course_release(struct ticket_course *c);
int ticket_course_copy(struct ticket_course *ret, const struct ticket_course *c,
                       struct err *err) MUST_CHECK;

struct ticket {
    char id[RNG_UUID_LEN];
    char *draft_id;    /* NULL: of no draft that anybody knows */
    char *target_mode; /* of the deployment; NULL = as it is */
    char *target_name;
    bool skip_validate;
    bool odd; /* its texts are quoted once more, as in the published sample */
    struct ticket_course course;

    uint64_t polls;
    int64_t created_mono_ms;
    bool ended;
    enum ticket_end end;
    char *deployment_id; /* of the release; NULL = none */
    char *failure;       /* why it ended otherwise than its course says, or NULL */
};

void tickets_free(struct world_namespace *ns);
struct ticket *tickets_find(const struct world_namespace *ns, const char *id);

/*
 * Takes over t, on the heap, with its strings, and gives it an id unless it has one; on failure it
 * is freed. The oldest goes if there are too many.
 */
int tickets_add(struct world *w, struct world_namespace *ns, struct ticket *t,
                struct err *err) MUST_CHECK;
void ticket_free(struct ticket *t);

/* Counts a poll; ends the ticket if it is time. */
void ticket_poll(struct world *w, struct world_namespace *ns, struct ticket *t, int64_t now_s,
                 int64_t now_mono_ms);
/* Ends those whose time is over though nobody polls. The write lock. */
void tickets_settle(struct world *w, int64_t now_s, int64_t now_mono_ms);

/* The "data" of GetDeployDeploymentDraftResult. */
void ticket_render(const struct ticket *t, struct strbuf *out);
/* A JSON list: everything about each ticket of the namespace, oldest first. */
void tickets_render_truth(const struct world_namespace *ns, struct strbuf *out);

#endif
