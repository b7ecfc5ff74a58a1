/*
 * The families of what ListJobs tells of a deployment's active jobs: the table, and who writes a
 * deployment's sample.
 */
#ifndef JOB_FAMILIES_H
#define JOB_FAMILIES_H

#include "metrics/expo.h"
#include "metrics/family.h"
#include "model/job.h"

/*
 * Writes a deployment's sample of the family that e is set to. object has the labels that all
 * samples of deployments have.
 */
typedef void job_emit_fn(struct expo *e, const struct deployment_jobs *jobs,
                         const struct expo_object *object);

struct job_family {
    struct family family;
    job_emit_fn *emit; /* writes nothing where the jobs do not tell */
};

#define JOB_FAMILIES 4
extern const struct job_family job_families[JOB_FAMILIES];

#endif
