/*
 * Asynchronous deploy tickets: what the control plane answers about one, and what is known of those
 * that are followed.
 *
 * The control plane has no list of tickets, so the set of those followed is ours: a worker makes a
 * new set out of the one before and what it learned; a set is frozen once made and counted, any
 * thread may read it.
 */
#ifndef MODEL_TICKET_H
#define MODEL_TICKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum ticket_status {
    TICKET_EXECUTING,
    TICKET_FINISHED,
    TICKET_FAILED,
    TICKET_UNKNOWN, /* not heard of yet, or a status that is none of the above */
    TICKET_STATUS_END,
};
/* The label value: "executing", ...; static. */
const char *ticket_status_name(enum ticket_status status);

/* Why a ticket ended without success. */
enum ticket_failure {
    TICKET_FAILURE_FAILED,       /* its status is failed */
    TICKET_FAILURE_VALIDATION,   /* the artifact did not pass the validation */
    TICKET_FAILURE_UNSUCCESSFUL, /* finished, and its success is not true */
    TICKET_FAILURE_NOT_FOUND,    /* the control plane does not know it, and did not begin to */
    TICKET_FAILURE_EXPIRED,      /* it was followed for a day and did not end */
    TICKET_FAILURE_END,
};
/* The label value: "failed", "validation", ...; static. */
const char *ticket_failure_name(enum ticket_failure failure);

/* One thing that the validation found. Numbers are 0 where they are not told. */
struct ticket_error {
    int64_t line;
    int64_t column;
    int64_t end_line;
    int64_t end_column;
    const char *message;
};

/* An answer of GetDeployDeploymentDraftResult. Strings are valid UTF-8, never NULL, in an arena. */
struct ticket_answer {
    enum ticket_status status;
    const char *status_text; /* as it came */
    int8_t success;          /* data.success: 1, 0, or -1 = not told; counts once it finished */
    int8_t validated;        /* the artifact validation passed: 1, 0, or -1 = not known */
    const char *deployment_id;
    const char *message;           /* up to some KB, without the quotes the API puts around it */
    const char *validation_result; /* likewise */
    const struct ticket_error *errors;
    size_t n_errors;
};

/* True once nothing more will come. */
bool ticket_answer_ended(const struct ticket_answer *answer);
/* Of an answer that ended: TICKET_FAILURE_END = it succeeded. */
enum ticket_failure ticket_answer_failure(const struct ticket_answer *answer);

/* A ticket that is followed, in one namespace. */
struct ticket {
    const char *id;
    const char *draft_id;      /* as who dropped it said; "" = not told */
    const char *deployment_id; /* as the answers said; "" = not told */
    enum ticket_status status;
    int8_t validated; /* as above */
    bool ended;
    bool retired;    /* ended longer ago than ticket_ttl: kept in mind, not shown, not asked for */
    bool configured; /* the configuration says to follow it */
    bool spooled;    /* a file of ticket_dir does */
    enum ticket_failure failure; /* of one that ended; TICKET_FAILURE_END = success */
    int64_t tracked_unix_ms;
    int64_t tracked_mono_ms;
    int64_t asked_mono_ms;   /* when it was asked for last, 0 = never */
    int64_t missing_mono_ms; /* since when the control plane does not know it, 0 = it does */
    int64_t ended_unix_ms;   /* 0 = not yet */
    int64_t ended_mono_ms;
};

/* A file of the spool that is no ticket. */
struct ticket_refusal {
    const char *name;   /* of the file: any bytes but '/' */
    const char *reason; /* completes a sentence: "is a symbolic link" */
};

/* So many refusals a set tells of; the others are counted. */
#define TICKET_REFUSALS_MAX 100

struct ticket_set {
    atomic_uint refs;
    struct arena *arena;        /* in which the set itself lies */
    const struct ticket *items; /* sorted by id, ids unique */
    size_t n_items;
    uint64_t asked;      /* tickets asked for, and answered, in this refresh */
    uint64_t refused;    /* files that are no tickets, in this scan */
    uint64_t over_limit; /* tickets left out because of max_tickets, in this scan */
    const struct ticket_refusal *refusals; /* the first ones by name */
    size_t n_refusals;
};

/* What may stand for a ticket in a path and name its file: [A-Za-z0-9][A-Za-z0-9_-]{0,127} */
#define TICKET_ID_MAX 128
bool ticket_id_valid(const char *id);

/* The ticket with that id, or NULL; set may be NULL. */
const struct ticket *ticket_set_find(const struct ticket_set *set, const char *id);

struct ticket_set *ticket_set_ref(struct ticket_set *set);
void ticket_set_unref(struct ticket_set *set);
void ticket_set_unrefp(struct ticket_set **set);

#endif
