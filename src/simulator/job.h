/*
 * The job instances of a deployment one by one, for ListJobs and GetJob.
 *
 * A deployment counts its instances (deployment.h); nearly no world needs more. So the list is made
 * when somebody first asks, and brought in line with the counts each time: an instance that was
 * running keeps its id when it has failed. Under the world's write lock.
 */
#ifndef SIMULATOR_JOB_H
#define SIMULATOR_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "deployment.h"
#include "rng.h"

/* Of one state, in one deployment; the counts may say more. */
#define JOB_MAX_LISTED 10000

struct job {
    uint64_t number; /* within the deployment; its id follows from it */
    enum job_state state;
    int64_t start_s;
    int64_t end_s; /* 0 = it lives */
    uint64_t restarts;
    char *reason, *message; /* of a failure, as JSON strings; NULL = the usual ones */
    int64_t failed_s;       /* 0 = when it ended */
};

struct job_list {
    struct job *jobs; /* oldest first */
    size_t n;
    uint64_t next_number;
};

void job_list_free(struct job_list *list);
void job_forget_failure(struct job *j);

/* The deployment's list as its counts say; NULL when memory is out. */
struct job_list *job_list_sync(struct deployment *d, int64_t now_s) MUST_CHECK;

void job_id(const struct deployment *d, const struct job *j, char out[RNG_UUID_LEN]);

/* The object that the API shows; deployment is that of d. */
void job_render(const struct deployment *d, const struct object *deployment, const struct job *j,
                struct strbuf *out);

#endif
