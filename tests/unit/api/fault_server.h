/*
 * Starts tests/integration/api/fault_server.py, for tests that want to be treated badly.
 *
 * One server per process, shared by all its tests; it ends with the process at the latest.
 */
#ifndef FAULT_SERVER_H
#define FAULT_SERVER_H

/* Group setup and teardown of cmocka. */
int fault_server_start(void **state);
int fault_server_stop(void **state);

/* The loopback port with this name, see fault_server.py. Fails the test if there is none. */
int fault_server_port(const char *name);

/* The file with the authority that signed most of its certificates. */
const char *fault_server_ca(void);

#endif
