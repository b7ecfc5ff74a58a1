/*
 * Whether drafts still are what their deployments are. Pure functions.
 */
#ifndef DRIFT_H
#define DRIFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "model/deployment.h"
#include "model/draft.h"
#include "model/records.h"

/*
 * 1 if the draft differs from the deployment it refers to, 0 if not, -1 if nobody can tell: it was
 * never deployed, or nothing is known of the deployment (NULL), or too little is.
 *
 * Where both tell their content, that and execution mode, engine version and artifact kind decide;
 * where not both do, the latter three, and if they are alike, which of the two was modified last.
 * Of the three only what both tell counts.
 */
int8_t drift_of(const struct draft *draft, const struct deployment *deployment);

/*
 * The same for a whole listing of drafts: ret[i] is about drafts[i]. order has the n_order indexes
 * of those with a deployment_id, by that id (drift_order). deployments may be NULL. -1 when memory
 * is out.
 */
int drift_find(const struct draft *drafts, size_t n, const uint32_t *order, size_t n_order,
               const struct records *deployments, int8_t *ret, struct err *err) MUST_CHECK;

/* Fills order, which has room for n; returns how many there are. */
size_t drift_order(const struct draft *drafts, size_t n, uint32_t *order);

#endif
