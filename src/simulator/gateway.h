/*
 * The way of one API request: route, signature, permission, quota, faults, operation.
 * Knows nothing of the HTTP library; may be called from any thread.
 */
#ifndef SIMULATOR_GATEWAY_H
#define SIMULATOR_GATEWAY_H

#include "reply.h"
#include "simulator.h"
#include "verify.h"

/* Fills *r, which the caller zeroed but for the request id. */
void gateway_answer(struct simulator *s, const struct verify_request *request,
                    const struct settings *settings, struct reply *r);

#endif
