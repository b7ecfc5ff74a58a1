/*
 * Realistic deployments out of a seed, with the oddities of the real API at a chosen rate.
 *
 * Deployment number i of a namespace is a function of (seed, namespace, i, profile, quirks) alone.
 */
#ifndef SIMULATOR_GENERATE_H
#define SIMULATOR_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "corpus.h"
#include "deployment.h"

struct generator {
    struct corpus *corpus;
    enum profile profile;
    uint64_t seed;
    double quirks;          /* 0 .. 1: the rate of each oddity */
    double duplicate_names; /* 0 .. 1: the share that has its predecessor's name */
    bool drafts;            /* drafts are made too: a deployment refers to none but those */
    const char *workspace;
};

/* created_s: 0 = some time in the past. */
int generate_deployment(const struct generator *g, const char *ns, uint64_t number,
                        int64_t created_s, struct deployment **ret, struct err *err) MUST_CHECK;

#endif
