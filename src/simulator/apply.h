/* A fault that replaces the reply, applied to the reply that would have been sent. */
#ifndef SIMULATOR_APPLY_H
#define SIMULATOR_APPLY_H

#include "faults.h"
#include "reply.h"

/* host goes into gateway errors. The body of *r is plain, not gzip. */
void apply_fault(const struct fault *f, const char *host, struct reply *r);

#endif
