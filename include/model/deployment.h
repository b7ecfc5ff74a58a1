/*
 * One deployment as the control plane listed it: a plain, frozen record.
 *
 * All pointers lead into the arena of the listing the record belongs to. Strings are valid UTF-8,
 * cut to LABEL_VALUE_MAX bytes at a character boundary, never NULL ("" = absent). Written by the
 * page decoder, read by everybody.
 */
#ifndef MODEL_DEPLOYMENT_H
#define MODEL_DEPLOYMENT_H

#include <stddef.h>
#include <stdint.h>

/* Prometheus' label_value_length_limit counts bytes; so do we. */
#define LABEL_VALUE_MAX 512

enum job_state {
    JOB_STARTING,
    JOB_RUNNING,
    JOB_CANCELLING,
    JOB_CANCELLED,
    JOB_FINISHED,
    JOB_FAILED,
    JOB_STATE_END,
};

/* The label value and the key of jobSummary, which are the same word; static. */
const char *job_state_name(enum job_state state);

/* What is counted as an event: that a job entered a state which it does not leave again. */
enum job_event {
    JOB_EVENT_FAILURE,
    JOB_EVENT_CANCELLATION,
    JOB_EVENT_COMPLETION,
    JOB_EVENT_END,
};

/* The state that the job entered. */
enum job_state job_event_state(enum job_event event);

/*
 * Where a deployment's newest job is now: what the counts above do not tell, as they count history.
 * All but the first are also what a listing can be asked for (the filter "status").
 */
enum deployment_status {
    STATUS_UNKNOWN, /* first, so that a record nobody judged says so */
    STATUS_RUNNING,
    STATUS_TRANSITIONING, /* starting or cancelling */
    STATUS_FAILED,
    STATUS_CANCELLED,
    STATUS_FINISHED,
    STATUS_END,
};

/* The label value: "unknown", "running", ...; static. */
const char *deployment_status_name(enum deployment_status status);

/* As the control plane's filter wants it: "FAILED", ...; "" for STATUS_UNKNOWN; static. */
const char *deployment_status_filter(enum deployment_status status);

/* Sets of them are bits of an unsigned. */
#define STATUS_BIT(status) (1u << (status))

/* The status in which a job is once that happened to it. */
enum deployment_status job_event_status(enum job_event event);

/* A label of the deployment that the allowlist admits, ready for exposition. */
struct deployment_label {
    const char *name;  /* "label_team", already made unique ("..._conflict1") */
    const char *value; /* unescaped */
};

struct deployment {
    const char *id; /* first, see model/listing.h */
    const char *name;

    /* Properties for the info series. Enumerations in lower case. */
    const char *execution_mode;
    const char *engine_version;
    const char *artifact_kind;
    const char *target;
    const char *target_mode;
    const char *resource_setting_mode;
    const char *draft_id;

    /*
     * jobSummary: jobs the control plane remembers, by state. -1 = not told. A summary with some
     * of the six keys means 0 for the others; a missing, null or empty summary tells nothing.
     */
    int64_t jobs[JOB_STATE_END];

    int64_t created_unix_s;  /* 0 = unknown */
    int64_t modified_unix_s; /* 0 = unknown */
    int64_t parallelism;     /* -1 = absent, as in expert resource mode */
    int64_t max_slots;       /* -1 = absent; batch only */
    double jobmanager_cpu;   /* cores; negative = absent */
    double taskmanager_cpu;
    int64_t jobmanager_memory; /* bytes; -1 = absent */
    int64_t taskmanager_memory;
    int8_t has_changes; /* deploymentHasChanged: 0, 1, or -1 = absent */

    /*
     * Of the artifact's own text: script, jar and entry class, arguments. The same text has the
     * same hash, in a draft too. 0 = not told, or not asked for.
     */
    uint64_t content_hash;

    /*
     * Not told by the control plane but worked out from listing to listing: the event counters as
     * they are to be shown, and the status. A listing comes with zeros.
     */
    int64_t events[JOB_EVENT_END];
    int64_t last_failure_unix_s; /* of the refresh that saw it, or exactly; 0 = none was seen */
    enum deployment_status status;

    unsigned found; /* STATUS_BITs: the lists of a status, beside this one, that had it, too */

    const struct deployment_label *labels;
    size_t n_labels;
};

/* Parts of a deployment that change apart from each other: bits. */
enum {
    DEPLOYMENT_IDENTITY = 1u << 0,   /* id, name */
    DEPLOYMENT_PROPERTIES = 1u << 1, /* execution_mode to draft_id */
    DEPLOYMENT_JOBS = 1u << 2,
    DEPLOYMENT_TIMES = 1u << 3,     /* created, modified */
    DEPLOYMENT_RESOURCES = 1u << 4, /* parallelism to taskmanager_memory */
    DEPLOYMENT_HAS_CHANGES = 1u << 5,
    DEPLOYMENT_LABELS = 1u << 6,
    DEPLOYMENT_CONTENT = 1u << 7, /* content_hash; no series of its own reads it */
    DEPLOYMENT_EVENTS = 1u << 8,  /* events, last_failure */
    DEPLOYMENT_STATUS = 1u << 9,  /* status; found is no part, it is gone once that is told */
};

/*
 * What the counts of a deployment (by enum job_state) say of its status by themselves:
 * STATUS_UNKNOWN where jobs ended in several ways, where there are none, and where a count that
 * would decide is not told.
 */
enum deployment_status deployment_summary_status(const int64_t *jobs);

/* The parts in which the two say different things. */
unsigned deployment_differences(const struct deployment *a, const struct deployment *b);

#endif
