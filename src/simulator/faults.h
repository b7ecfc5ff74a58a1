/*
 * Faults: what goes wrong, for which requests, how often.
 *
 * A fault is written KIND[:key=value,...]. Keys of every kind choose the requests:
 *
 *   page=N          only requests for that page (default: all)
 *   count=N         only the first N of them
 *   after=N         not the first N of them
 *   rate=0.1        each with that probability
 *   namespace=NAME  only that namespace
 *   operation=NAME  only that operation
 *
 * Kinds and their own keys (defaults in brackets). Those of the first group replace the reply, and
 * the first one that matches wins; those of the second change the listing and may come together.
 *
 *   status       code=[503], retry_after=SECONDS, error=CODE: a gateway error; the error code follows
 *                the status if it is not given
 *   throttle     ms=[1000], code=[429]: Throttling.User with x-acs-retry-after; ms=0 leaves it out
 *   business     code=[990301], message=TEXT, mode=[false]|no-success|null-data: HTTP 200 with
 *                success false, without success, or with success and null as data
 *   html         code=[502]: a proxy's page
 *   xml          code=[503], error=CODE: a gateway error in XML
 *   empty        code=[200]: no body
 *   malformed    the body is no JSON
 *   truncate     bytes=[half of it], mode=[length]|chunked|eof: the body is cut: Content-Length says
 *                more, the last chunk is missing, or only the end of the connection ends it
 *   reset        bytes=[half of it]: the connection is reset in the middle of the body
 *   hang         seconds=[3600], mode=[close]|reply|body: nothing is sent for so long, then the
 *                connection closes, or the reply comes after all (a slow first byte); body: the
 *                headers and half of the body come before
 *   drip         bytes=[1], every_ms=[500]: the reply in small pieces
 *   huge         size=[1GiB]: a body that goes on and on, in chunks
 *   gzip-bomb    size=[300MiB]: as much, compressed
 *   deep         depth=[100000]: nested arrays
 *   redirect     to=URL, code=[307]
 *
 *   total-size   value=N | delta=N | mode=missing|negative|string|null|varying (also bare:
 *                total-size:missing)
 *   endless      mode=[repeat]|fresh: pages never end; behind the end the same deployments come
 *                again, or others that do not exist
 *   shift        mode=[alternate]|remove|insert|move: before each page but the first the world's
 *                list loses its first deployment, gets a new one in front, or has its first one
 *                moved to the end
 *   invalid-utf8 names hold bytes that are not UTF-8
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
    char mode[32];
    char error[FAULT_TEXT_LEN];
    char message[FAULT_TEXT_LEN];
    char to[FAULT_TEXT_LEN];

    uint64_t n_matched; /* requests it was about, whether or not it struck */
    uint64_t n_applied;
};

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
    char shift_mode[32];
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

/* Decides for one request, and counts. */
void fault_set_match(struct fault_set *s, const char *operation, const char *ns, int64_t page,
                     struct fault_effects *ret);

/* [{"spec": "...", "matched": n, "applied": n}, ...] */
void fault_set_render(struct fault_set *s, struct strbuf *out);

#endif
