/*
 * What the simulator saw: calls by operation and method, refusals by code, faults by kind,
 * connections, and the last requests one by one. Everything is bounded; thread-safe.
 */
#ifndef SIMULATOR_STATS_H
#define SIMULATOR_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define STATS_LOG_LEN 2000

struct stats;

struct stats *stats_new(void) MUST_CHECK;
void stats_free(struct stats *s);
/* Everything to zero but the open connections. */
void stats_reset(struct stats *s);

void stats_connection(struct stats *s, int opened);

/* What a request is about. Only the API's are counted as requests, calls and in flight; the others
 * hand out credentials and are counted as exchanges. The log has all of them.
 */
enum stats_kind { STATS_API, STATS_STS, STATS_METADATA, STATS_URI };

/* A request arrives: the number under which its end is reported. */
uint64_t stats_request_begin(struct stats *s, enum stats_kind kind, const char *method,
                             const char *path, const char *query);

struct stats_end {
    enum stats_kind kind;
    const char *operation; /* NULL: none that is known */
    const char *method;
    int status;       /* 0: no status line went out */
    const char *code; /* of a refusal, or "" */
    const char *fault;
};
/* It is decided (and counted); before the reply goes out. */
void stats_request_decided(struct stats *s, uint64_t seq, const struct stats_end *end);
/* The reply goes out now, or the connection is gone. */
void stats_request_end(struct stats *s, enum stats_kind kind, uint64_t seq);

/* Members of the control path's object, without braces. */
void stats_render(struct stats *s, struct strbuf *out);
/* A JSON list of the last requests whose number is at least `since`. */
void stats_render_log(struct stats *s, uint64_t since, struct strbuf *out);

#endif
