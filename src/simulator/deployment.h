/*
 * One deployment of the simulated world: its JSON text in parts, and its job instances.
 *
 * The text never changes but for the name, the job summary and the draft it came from, which are
 * rendered into each page, and as a whole when a draft is released; long bodies (SQL, plans) are
 * shared between deployments. The job instances are kept as counts by state plus the state of the
 * newest one, which is all that the API shows of them; the ledger says what really happened, for
 * tests to compare with what an observer concluded.
 *
 * A deployment belongs to the world, whose lock guards it; before it is added it belongs to
 * whoever made it.
 */
#ifndef SIMULATOR_DEPLOYMENT_H
#define SIMULATOR_DEPLOYMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "json_text.h"
#include "object.h"
#include "text.h"

enum job_state {
    JOB_STARTING,
    JOB_RUNNING,
    JOB_CANCELLING,
    JOB_CANCELLED,
    JOB_FINISHED,
    JOB_FAILED,
    JOB_STATE_END,
    JOB_NONE = JOB_STATE_END, /* never started, or nothing remembered */
};

/* "running" and "RUNNING"; "none" and NULL for JOB_NONE. */
const char *job_state_key(enum job_state s);
const char *job_state_status(enum job_state s);
/* In either case; false if it is none of the six. */
bool job_state_parse(const char *s, enum job_state *ret);
bool job_state_is_live(enum job_state s);

/* How the object shows its summary. */
enum summary_form {
    SUMMARY_FULL,
    SUMMARY_MISSING, /* no jobSummary at all */
    SUMMARY_NULL,
    SUMMARY_PARTIAL, /* only the states with a count */
    SUMMARY_EXTRA,   /* with a state nobody knows */
    SUMMARY_RAW,     /* a text given from outside that is none of the above */
};

struct ledger {
    uint64_t starts;
    uint64_t failures;
    uint64_t cancellations;
    uint64_t completions;
    uint64_t purged[JOB_STATE_END];
};
void ledger_add(struct ledger *sum, const struct ledger *l);

struct job_list;

enum part_kind { PART_OWN, PART_SHARED, PART_NAME, PART_SUMMARY, PART_DRAFT };

struct part {
    enum part_kind kind;
    struct text own;
    struct text *shared;
};

struct deployment {
    char *id;
    char *name; /* NULL: the object has none */
    char *execution_mode;
    char *creator;
    char *modifier;
    char *draft_id;  /* "" = none; NULL: the object does not say */
    bool draft_null; /* it says null */
    int64_t created_s;
    int64_t modified_s;
    struct json_span labels; /* the value's text inside own_text; empty if there is none */
    char *quirks;            /* their names, separated by commas; "" = none */

    uint32_t jobs[JOB_STATE_END];
    enum job_state newest;
    enum summary_form summary_form;
    char *summary_raw;
    struct ledger ledger;
    struct job_list *job_list; /* NULL until somebody asks: job.h */

    char *own_text;
    struct part *parts;
    size_t n_parts;
};

void deployment_free(struct deployment *d);
void deployment_freep(struct deployment **d);

/* --- making one --- */

#define DEPLOYMENT_MAX_PARTS 12

/* Own text with marks where something else comes in between. */
struct deployment_builder {
    struct strbuf text;
    struct {
        size_t at;
        enum part_kind kind;
        struct text *shared;
    } marks[DEPLOYMENT_MAX_PARTS];
    size_t n_marks;
};

void deployment_builder_release(struct deployment_builder *b);
/* The part comes after the text so far. NAME, SUMMARY and DRAFT render as members with a
 * comma behind. */
void deployment_builder_mark(struct deployment_builder *b, enum part_kind kind,
                             struct text *shared);
/* Moves the text into d and cuts it into parts; -1 when memory is out. */
int deployment_builder_finish(struct deployment_builder *b, struct deployment *d) MUST_CHECK;

/*
 * From the text of one JSON object, kept byte for byte but for name, jobSummary and _sim.
 * A missing deploymentId is made from id_seed. "_sim": {"status": "FAILED"} says what the newest
 * job is where the summary leaves it open.
 */
int deployment_from_json(const char *text, size_t len, uint64_t id_seed, struct deployment **ret,
                         struct err *err) MUST_CHECK;

/* The "namespace" member of an object's text, on the heap; NULL if it has none. */
char *deployment_namespace_of(const char *text, size_t len);

/* --- showing it --- */

/* broken_name: bytes that are not UTF-8 go into the name. */
void deployment_render(struct deployment *d, bool broken_name, struct text_body *out);
/* The jobSummary's value as the object shows it; "null" for a missing one. */
void deployment_render_summary(const struct deployment *d, struct strbuf *out);
/* What a test may know: id, name, status, jobSummary, counts, ledger ... as one JSON object. */
void deployment_render_truth(const struct deployment *d, struct strbuf *out);
void ledger_render(const struct ledger *l, struct strbuf *out);

/* --- what happens to it --- */

enum job_event {
    JOB_EVENT_START,
    JOB_EVENT_FAIL,
    JOB_EVENT_CANCEL,
    JOB_EVENT_FINISH,
    JOB_EVENT_PURGE
};
bool job_event_parse(const char *s, enum job_event *ret);

/*
 * One event. For START `state` is STARTING or RUNNING; for CANCEL CANCELLING or CANCELLED; for
 * PURGE the state of which one remembered instance goes; otherwise it is ignored. An end without a
 * live instance starts one first. Counts what happened in the deployment's ledger and in *change.
 * False if there was nothing to do (a purge of nothing).
 */
bool deployment_event(struct deployment *d, enum job_event event, enum job_state state,
                      struct ledger *change);

uint32_t deployment_live_jobs(const struct deployment *d);

/* Replaces the counts and the form by a jobSummary's value; "missing" (a string) leaves it out. */
int deployment_set_summary(struct deployment *d, const cJSON *summary, struct err *err) MUST_CHECK;
int deployment_set_draft(struct deployment *d, const char *draft_id, struct err *err) MUST_CHECK;

/* The object as it is shown. */
int deployment_object(struct deployment *d, bool broken_name, struct object *ret,
                      struct err *err) MUST_CHECK;
/* Shows o from now on; id, jobs and ledger stay. */
int deployment_replace(struct deployment *d, const struct object *o, struct err *err) MUST_CHECK;
/* NULL takes the name away. */
int deployment_set_name(struct deployment *d, const char *name, struct err *err) MUST_CHECK;

#endif
