/*
 * The operations of the API: a table of methods and paths, and what each answers.
 */
#ifndef SIMULATOR_OPERATIONS_H
#define SIMULATOR_OPERATIONS_H

#include <stdbool.h>

#include "faults.h"
#include "reply.h"
#include "simulator.h"
#include "uri.h"

#define OPERATION_MAX_PATH_PARAMS 3

/* A request that has passed the gateway. */
struct call {
    struct simulator *sim;
    const struct settings *settings;
    const char *path_params[OPERATION_MAX_PATH_PARAMS]; /* decoded, in their order */
    const struct uri_query *query;
    const char *body;
    size_t body_len;
    int64_t now_s; /* by the server's clock */
    const char *host;
    bool wants_gzip;
    bool wants_xml; /* for gateway errors */
    const struct fault_effects *effects;
};

struct operation {
    const char *name;
    const char *method;
    const char *path; /* "{}" stands for a parameter; the first one is the namespace */
    void (*answer)(const struct call *call, struct reply *r);
    bool changes; /* something, if only a count: a fault in the gateway comes before it */
};

/* The operation at that path, or NULL; *ret_allowed is then not empty if the path is known with
 * other methods. */
const struct operation *operation_find(const char *method, const char *raw_path,
                                       char *ret_params[OPERATION_MAX_PATH_PARAMS],
                                       struct strbuf *ret_allowed);

#endif
