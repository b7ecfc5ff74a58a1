/*
 * Faults: what goes wrong, for which requests, how often. The kinds and their keys are described
 * in fault_help, which --help prints.
 */
#ifndef SIMULATOR_FAULTS_H
#define SIMULATOR_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

enum fault_kind {
    FAULT_STATUS,
    FAULT_THROTTLE,
    FAULT_BUSINESS,
    FAULT_HTML,
    FAULT_XML,
    FAULT_EMPTY,
    FAULT_MALFORMED,
    FAULT_TRUNCATE,
    FAULT_RESET,
    FAULT_HANG,
    FAULT_DRIP,
    FAULT_HUGE,
    FAULT_GZIP_BOMB,
    FAULT_DEEP,
    FAULT_REDIRECT,
    FAULT_TOTAL_SIZE, /* from here on: faults of the listing */
    FAULT_ENDLESS,
    FAULT_SHIFT,
    FAULT_INVALID_UTF8,
    FAULT_KIND_END,
};

extern const char fault_help[];

const char *fault_kind_name(enum fault_kind kind);
bool fault_kind_replaces_reply(enum fault_kind kind);

#define FAULT_TEXT_LEN 256
#define FAULT_UNSET    INT64_MIN

struct fault {
    enum fault_kind kind;
    char spec[2 * FAULT_TEXT_LEN]; /* as it was written */

    int64_t page;
    int64_t count;
    int64_t after;
    double rate;
    char ns[FAULT_TEXT_LEN];
    char operation[FAULT_TEXT_LEN];
    char status[FAULT_TEXT_LEN];

    int64_t code;
    int64_t retry_after_s;
    int64_t ms;
    int64_t bytes;
    int64_t seconds;
    int64_t every_ms;
    int64_t size;
    int64_t depth;
    int64_t value;
    int64_t delta;
    const char *mode; /* static, "" for none */
    char error[FAULT_TEXT_LEN];
    char message[FAULT_TEXT_LEN];
    char to[FAULT_TEXT_LEN];

    uint64_t n_matched; /* requests it was about, whether or not it struck */
    uint64_t n_applied;
};

/* It breaks the reply that there is; the others are said by somebody before the operation. */
bool fault_needs_reply(enum fault_kind kind);

int fault_parse(const char *spec, struct fault *ret, struct err *err) MUST_CHECK;

/* What one request gets. Copies, so that the set may change meanwhile. */
struct fault_effects {
    bool replaces_reply;
    struct fault reply;

    bool total_size;
    struct fault total;
    bool endless;
    bool endless_fresh;
    bool shift;
    const char *shift_mode;
    uint64_t shift_number;
    bool invalid_utf8;
};

struct fault_set;

struct fault_set *fault_set_new(uint64_t seed) MUST_CHECK;
void fault_set_free(struct fault_set *s);

/* Takes the n faults in place of all there were; thread-safe like the rest below. */
int fault_set_replace(struct fault_set *s, const struct fault *faults, size_t n,
                      struct err *err) MUST_CHECK;
int fault_set_add(struct fault_set *s, const struct fault *fault, struct err *err) MUST_CHECK;

/* What faults choose a request by. */
struct fault_request {
    const char *operation;
    const char *ns;
    const char *status; /* of the query; NULL = not given */
    int64_t page;
};

/* Decides for one request, and counts. */
void fault_set_match(struct fault_set *s, const struct fault_request *request,
                     struct fault_effects *ret);

/* [{"spec": "...", "matched": n, "applied": n}, ...] */
void fault_set_render(struct fault_set *s, struct strbuf *out);

#endif
