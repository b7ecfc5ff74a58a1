/*
 * A client with everything real but time and the wire, which are fake_plane.h, and one listing by
 * it. Fails the cmocka test it is called in.
 */
#ifndef CLIENT_FIXTURE_H
#define CLIENT_FIXTURE_H

#include "api/client.h"
#include "metrics/registry.h"

extern const struct credentials_spec spec;

/* Of the test that runs; the target may be changed before a listing. */
extern struct registry *registry;
extern struct api_session *session;
extern struct api_client *client;
extern struct target target;
extern struct api_stats stats; /* of the last listing */
extern struct err last_err;

int set_up(void **state);
int tear_down(void **state);

/* NULL and last_err on failure. */
struct listing *list_as(const struct credentials_spec *who);
int list_with(struct credentials *credentials, struct listing **ret);

void expect_items(size_t n);
void expect_error(enum err_kind kind, const char *words);

/* Of the last listing: responses with this status, and failed requests. */
uint64_t code_count(int code);
uint64_t failure_count(enum err_kind kind);

/* The line is among the live metrics. */
void expect_metric(const char *line);

#endif
