/*
 * Where credentials come from, beside the API on the same port:
 *
 *   POST /                          STS: Action=AssumeRole, signed; AssumeRoleWithOIDC, unsigned
 *   PUT  /latest/api/token          the metadata service of an ECS instance: its token,
 *   GET  /latest/meta-data/ram/security-credentials/[ROLE]   its role, and that role's keys
 *   GET  /credentials               a credentials URI
 *
 * What each answers is a switch of the settings (control.h). Every success issues a fresh key that
 * the API accepts until it expires. Knows nothing of the HTTP library; any thread.
 */
#ifndef SIMULATOR_ENDPOINTS_H
#define SIMULATOR_ENDPOINTS_H

#include <stdbool.h>

#include "reply.h"
#include "simulator.h"
#include "verify.h"

/* Which of them is asked; SOURCE_NONE for any other path, and for "/" without POST. */
enum source_kind endpoints_kind(const char *method, const char *raw_path);

/* Fills *r, which the caller zeroed but for the request id; r->operation names the exchange. */
void endpoints_answer(struct simulator *s, const struct verify_request *request,
                      const struct settings *settings, struct reply *r);

#endif
