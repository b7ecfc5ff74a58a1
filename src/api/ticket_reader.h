/*
 * The data of GetDeployDeploymentDraftResult, JSON -> struct ticket_answer. Pure.
 */
#ifndef TICKET_READER_H
#define TICKET_READER_H

#include "api/json.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "model/ticket.h"

/* ERR_PARSE: the answer has no ticketStatus. ERR_NOMEM. On failure *ret is untouched. */
int ticket_read(const json_value *data, struct arena *arena, struct ticket_answer *ret,
                struct err *err) MUST_CHECK;

#endif
