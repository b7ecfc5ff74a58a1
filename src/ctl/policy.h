/*
 * The least RAM policy: which actions a program needs, and the policy document that allows them.
 */
#ifndef POLICY_H
#define POLICY_H

#include "json_out.h"
#include "model/listing.h"
#include "model/target.h"

/* Bits by enum operation. What the exporter calls for the target's collectors. */
unsigned policy_of_exporter(const struct target *target);
/* What all commands of the tool call, the update included. */
unsigned policy_of_tool(const struct target *target);

/* Adds a policy document. */
void policy_put(unsigned operations, const char *key, struct json_out *o);

#endif
