/*
 * A call whose answer is one object or a list without pages, as JSON.
 */
#ifndef SINGLE_H
#define SINGLE_H

#include <stdbool.h>
#include <stddef.h>

#include "client_inside.h"

struct single {
    enum operation operation;
    const struct strbuf *path;  /* encoded */
    const struct strbuf *query; /* canonical; NULL = none */
    const struct call_write *write;
    bool exact;         /* the answer will be sent back: json_parse_exact */
    bool array;         /* data is an array, else an object */
    size_t tree_budget; /* bytes for the JSON tree of the reply */
    bool *in_doubt;     /* set where it failed and may have been done all the same; NULL = a GET */
};

/*
 * Sends it until it is answered or failed for good. *ret is the data of the reply, to be freed.
 * ERR_NOT_FOUND: there is no such object.
 */
int single_call(struct api_client *client, const struct api_request *request,
                const struct single *single, json_value **ret, struct api_stats *stats,
                struct err *err) MUST_CHECK;

#endif
