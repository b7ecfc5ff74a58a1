/*
 * Who sent this request? The account's key and all issued temporary ones are known; a nonce is
 * good once. The API's gateway and the simulator's STS ask here.
 */
#ifndef SIMULATOR_AUTHENTICATE_H
#define SIMULATOR_AUTHENTICATE_H

#include "simulator.h"
#include "verify.h"

/* True if the request is signed as it should be. Fills *ret either way; the caller releases it. */
bool authenticate(struct simulator *s, const struct verify_request *request,
                  const struct settings *settings, struct verify_verdict *ret);

#endif
