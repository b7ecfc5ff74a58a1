/*
 * Replies that no HTTP library would send: written to the socket by hand, from the thread that
 * serves the connection, until they are done, the client leaves or the program stops.
 */
#ifndef SIMULATOR_WIRE_H
#define SIMULATOR_WIRE_H

#include "halt.h"
#include "reply.h"

/* For a plan other than WIRE_NONE. The connection must be closed afterwards. date as in the header.
 */
void wire_send(int fd, struct halt *halt, const struct reply *r, const char *date);

/* Waits for ms, or until the client closes or the program stops; true if it may go on. */
bool wire_wait(int fd, struct halt *halt, int64_t ms);

#endif
