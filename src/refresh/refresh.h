/*
 * One refresh of one namespace, from the request to the outcome, as a worker runs it.
 */
#ifndef REFRESH_H
#define REFRESH_H

#include <stdint.h>

#include "api/client.h"
#include "conf/conf.h"
#include "model/listing.h"

/* What to refresh. The job holds a reference of the conf that target belongs to. */
struct job {
    uint64_t watch_id;
    struct conf *conf;
    const struct target *target;
    const char *namespace_name;
    struct credentials *credentials; /* a reference */
};
void job_release(struct job *job);

/* How it ended. */
struct job_result {
    uint64_t watch_id;
    struct listing *listing; /* NULL = failed, see err */
    struct err err;
    struct api_stats stats;
    int64_t began_mono_ms;
    int64_t ended_mono_ms;
    int64_t ended_unix_ms;
};

/* Blocks up to the target's deadline. Always fills *ret; never touches the scheduler's state. */
void refresh_run(struct api_client *client, const struct job *job, struct job_result *ret);

#endif
