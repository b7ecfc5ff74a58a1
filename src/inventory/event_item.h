/*
 * What is remembered of one deployment to tell its events, and the list of them in memory, which is
 * what the state file holds, too.
 *
 * A list is one run of bytes: items one behind the other, by id, each once. Per item
 *
 *     id NUL
 *     a byte with presence, shown, and which of the optional numbers follow
 *     a byte with the status and what else is remembered of it
 *     the hash of the name, four bytes, low byte first
 *     what the last summary told, one number a kind of event, 0 = never told
 *     optional: the counters; by how much those shown are behind; since; the last failure
 *
 * so a deployment of which no job ended takes its id and ten bytes. Numbers are base/varint.h's.
 * Nothing depends on the machine.
 */
#ifndef EVENT_ITEM_H
#define EVENT_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "model/deployment.h"
#include "status.h"

/* Every integer up to it is exact in Prometheus' doubles; counters stay there. */
#define EVENT_COUNT_MAX (INT64_C(1) << 53)
/* Clocks in milliseconds and seconds that a file may hold: to the year 5138. */
#define EVENT_TIME_MAX  INT64_C(100000000000000)

enum event_presence {
    EVENT_PRESENT, /* in the last whole listing */
    EVENT_CUT,     /* not, but that one was cut at max_deployments: it may well be there */
    EVENT_GONE,
    EVENT_PRESENCE_END,
};

/* How long Prometheus has been able to see a counter at its old value. */
enum event_shown {
    EVENT_SHOWN_NOT,   /* not shown by this process yet */
    EVENT_SHOWN_NOW,   /* for the first time in the generation after the last listing */
    EVENT_SHOWN_SINCE, /* since a known time, for less than the hold */
    EVENT_SHOWN_LONG,
    EVENT_SHOWN_END,
};

struct event_item {
    const char *id;     /* as it is written in the list */
    uint32_t name_hash; /* a new name is a new series */
    enum event_presence presence;
    enum event_shown shown;
    struct status_memory status;
    int64_t since; /* not present: Unix s of the first listing without it; EVENT_SHOWN_SINCE: mono
                      ms of the first publication; else 0 */
    int64_t told[JOB_EVENT_END];        /* the last count the control plane told; -1 = none yet */
    int64_t value[JOB_EVENT_END];       /* events since it was first seen */
    int64_t shown_value[JOB_EVENT_END]; /* of these, what the exposition has; never more */
    int64_t last_failure_unix_s;        /* of the refresh that saw it; 0 = none was seen */
};

uint32_t event_name_hash(const char *name);

/* Appends the item; out goes bad when memory is out. */
void event_item_write(struct strbuf *out, const struct event_item *item);

struct event_reader {
    const unsigned char *at, *end;
    const char *last_id; /* NULL = none yet */
    bool without_status; /* as version 1 of the state file wrote them */
};

/* 1 and the next item; 0 at the end; -1 where the bytes are no list. Ids lie in the bytes. */
int event_reader_next(struct event_reader *reader, struct event_item *ret);

#endif
