/*
 * What the operations have in common, and the operations themselves: one function each, called by
 * the gateway with a request that may be answered.
 */
#ifndef SIMULATOR_ANSWER_H
#define SIMULATOR_ANSWER_H

#include "listing.h"
#include "operations.h"
#include "text.h"

/* The only business error that is documented. */
#define ANSWER_NOT_FOUND "990301"
#define ANSWER_LOCKED    "990423"

/* A parameter out of range: the gateway's error or the product's, as the settings say. */
void answer_bad_parameter(const struct call *call, const char *message, struct reply *r);
void answer_internal_error(const struct call *call, struct reply *r);
/* "deployment", "job" ... */
void answer_not_found(const char *what, struct reply *r);

/* The envelope of success with this text as "data"; a bad buffer is an internal error. */
void answer_data(const struct call *call, const struct strbuf *data, struct reply *r);

/* pageIndex and pageSize; false if they were refused. */
bool answer_read_page(const struct call *call, struct listing_query *ret, struct reply *r);
/* From the envelope to "data":[ with totalSize as the faults want it. */
void answer_page_head(const struct call *call, const struct listing_query *q, size_t total,
                      const struct reply *r, struct strbuf *out);
/* Number n of a page's items, counted from its first; false where the page ends. Endless pages
 * start again at the first of `total`. */
bool answer_page_item(const struct call *call, const struct listing_query *q, size_t total,
                      size_t n, size_t *ret_index);
/* Takes the text, which may be bad, as the whole body. */
void answer_body(const struct call *call, struct strbuf *text, struct reply *r);

/* The body as an object; false if it was refused. */
bool answer_read_body(const struct call *call, struct object *ret, struct reply *r);

/* The namespace of the call, locked: unlock the world afterwards. NULL: refused, not locked. */
struct world_namespace *answer_read(const struct call *call, struct reply *r);
struct world_namespace *answer_write(const struct call *call, struct reply *r);

void answer_list_deployments(const struct call *call, struct reply *r);
void answer_get_deployment(const struct call *call, struct reply *r);
void answer_get_deployments_by_name(const struct call *call, struct reply *r);

void answer_list_jobs(const struct call *call, struct reply *r);
void answer_get_job(const struct call *call, struct reply *r);

void answer_list_drafts(const struct call *call, struct reply *r);
void answer_get_draft(const struct call *call, struct reply *r);
void answer_update_draft(const struct call *call, struct reply *r);
void answer_deploy_draft(const struct call *call, struct reply *r);
void answer_deploy_result(const struct call *call, struct reply *r);

#endif
