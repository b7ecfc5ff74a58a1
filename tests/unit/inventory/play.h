/*
 * A namespace's events over a row of listings, with made-up clocks. Everything here fails the
 * running test instead of returning errors.
 */
#ifndef PLAY_H
#define PLAY_H

#include <stddef.h>
#include <stdint.h>

#include "events.h"

#define PLAY_HOLD_MS     120000
#define PLAY_INTERVAL_MS 60000
/* Wall time when a play begins, and a moment long before. */
#define PLAY_UNIX_S      INT64_C(1790000000)
#define LONG_AGO         (PLAY_UNIX_S - 1000000)

/* A deployment of a listing. Counts are -1 where nothing is told. */
struct part {
    const char *id;
    int64_t failed, cancelled, finished;
    int64_t created_unix_s;
    const char *name; /* NULL = the id */
    int64_t running;
    unsigned found; /* as in struct deployment */
};

#define FAILED(count) .failed = (count), .created_unix_s = LONG_AGO
#define PLAY_PARTS    8

struct play {
    struct events *events;
    int64_t unix_ms, mono_ms;
    unsigned asked, in_pages;            /* as in struct listing, of the listings from now on */
    uint64_t over_limit;                 /* of the listings from now on */
    bool unpublished;                    /* listings are not published */
    struct deployment shown[PLAY_PARTS]; /* as the last listing came out */
    size_t n_shown;
};

void play_begin(struct play *p);
void play_end(struct play *p);

/* Time passes on both clocks. */
void play_wait(struct play *p, int64_t ms);

/*
 * A refresh of one second that brings these, which must be sorted by id, and its publication. It
 * begins now; the clocks are at its end afterwards.
 */
void play_see(struct play *p, const struct part *parts, size_t n);
#define SEE(play, ...)                                   \
    play_see((play), (const struct part[]){__VA_ARGS__}, \
             sizeof((const struct part[]){__VA_ARGS__}) / sizeof(struct part))
/* The same listing again and again until the hold is over for all in it. */
#define SEE_LONG(play, ...)                       \
    do {                                          \
        for (int see_i = 0; see_i < 4; see_i++) { \
            SEE((play), __VA_ARGS__);             \
            play_wait((play), PLAY_INTERVAL_MS);  \
        }                                         \
    } while (0)

/* Events are written, forgotten, and read back by a process whose monotonic clock begins anew. */
void play_restart(struct play *p, bool goes_on);

/* What is shown of a deployment in the last listing; fails if it was not there. */
const struct deployment *play_shown(const struct play *p, const char *id);
void expect_failures(const struct play *p, const char *id, int64_t n);
void expect_counter(const struct play *p, int which, int64_t n);

#endif
