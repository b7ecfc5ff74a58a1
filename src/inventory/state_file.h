/*
 * The state file: what the events of all namespaces need to survive a restart.
 *
 * Bytes and what they mean (state_begin .. state_decode) are pure; any thread. Files are the
 * scheduler thread's. A file is replaced as a whole or not at all: it is written beside, under a
 * name of its own, made durable, and takes the old one's place.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "events.h"

/* Larger than anything this program writes: 100 namespaces of 100,000 deployments are 500 MB. */
#define STATE_FILE_MAX   ((size_t)1 << 30)
/* A namespace's events that are older than this are not restored. */
#define STATE_MAX_AGE_MS (30 * 24 * INT64_C(3600000))
/* Refused files that are kept: PATH.bad, PATH.bad.1, PATH.bad.2. */
#define STATE_BAD_KEPT   3
/* Of the format that is written. */
#define STATE_VERSION    2

/* --- bytes --- */

/*
 * state_begin, state_add for each namespace, state_end: the whole file in out, which goes bad when
 * memory is out.
 */
void state_begin(struct strbuf *out, const struct events_moment *now, size_t n_namespaces);
void state_add(struct strbuf *out, const char *workspace, const char *namespace_name,
               const struct events *events);
void state_end(struct strbuf *out);

struct state_namespace {
    const char *workspace; /* in the bytes that were decoded, as the rest */
    const char *namespace_name;
    const void *events; /* for events_read */
    size_t events_len;
};

struct state {
    int version; /* of the format; 1 did not know of statuses */
    struct events_moment written;
    struct state_namespace *namespaces;
    size_t n_namespaces;
};

#define STATE_INIT ((struct state){0})

/* Of this version or the one before. ERR_PARSE where the bytes are no whole state file, with what
 * is wrong with them. */
int state_decode(const void *bytes, size_t len, struct state *ret, struct err *err) MUST_CHECK;
void state_release(struct state *state);

/* --- files --- */

/*
 * The whole file into out. No file is no error: *ret_there says which. ERR_IO where it cannot be
 * read, or is no regular file.
 */
int state_file_read(const char *path, struct strbuf *out, bool *ret_there,
                    struct err *err) MUST_CHECK;

/* Puts the bytes in the place of what the file held. On failure that is still there. */
int state_file_write(const char *path, const void *bytes, size_t len, struct err *err) MUST_CHECK;

/* Renames the file to PATH.bad, older ones to .bad.1 and so on; the oldest goes. */
int state_file_set_aside(const char *path, struct err *err) MUST_CHECK;

#endif
