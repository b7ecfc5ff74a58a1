#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "records.h"
#include "state_file.h"

#define SECOND 1000

void play_begin(struct play *p)
{
    *p = (struct play){
        .events = events_new(), .unix_ms = PLAY_UNIX_S * SECOND, .mono_ms = 5000 * SECOND};
    assert_non_null(p->events);
    events_published(p->events, p->mono_ms);
}

void play_end(struct play *p)
{
    events_free(p->events);
}

void play_wait(struct play *p, int64_t ms)
{
    p->unix_ms += ms;
    p->mono_ms += ms;
}

static struct deployment made_of(const struct part *part)
{
    struct deployment d = record_absent(part->id, part->name ? part->name : part->id);

    d.jobs[JOB_STARTING] = d.jobs[JOB_CANCELLING] = 0;
    d.jobs[JOB_RUNNING] = part->running;
    d.found = part->found;
    d.jobs[JOB_FAILED] = part->failed;
    d.jobs[JOB_CANCELLED] = part->cancelled;
    d.jobs[JOB_FINISHED] = part->finished;
    d.created_unix_s = part->created_unix_s;
    return d;
}

void play_see(struct play *p, const struct part *parts, size_t n)
{
    struct events_time time = {
        .began_unix_ms = p->unix_ms, .began_mono_ms = p->mono_ms, .hold_ms = PLAY_HOLD_MS};
    struct deployment items[PLAY_PARTS];
    struct listing *listing;
    struct events *after = NULL;
    struct err err;

    assert_true(n <= PLAY_PARTS);
    for (size_t i = 0; i < n; i++)
        items[i] = made_of(&parts[i]);
    listing = listing_of(items, n);
    listing->over_limit = p->over_limit;
    listing->asked = p->asked;
    listing->in_pages = p->in_pages;
    play_wait(p, SECOND);
    time.ended_unix_ms = p->unix_ms;
    time.ended_mono_ms = p->mono_ms;
    assert_int_equal(events_observe(p->events, listing, &time, &after, &err), 0);
    events_free(p->events);
    p->events = after;
    for (size_t i = 0; i < n; i++)
        p->shown[i] = listing->items[i];
    p->n_shown = n;
    if (!p->unpublished)
        events_published(p->events, p->mono_ms);
    listing_free(listing);
}

void play_restart(struct play *p, bool goes_on)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    const struct events_moment written = {p->unix_ms, p->mono_ms};
    struct err err;

    events_write(p->events, &bytes);
    assert_true(strbuf_ok(&bytes));
    events_free(p->events);
    p->events = NULL;
    p->n_shown = 0;
    p->mono_ms = 1000 * SECOND;
    const struct events_moment now = {p->unix_ms, p->mono_ms};
    assert_int_equal(
        events_read(bytes.ptr, bytes.len, STATE_VERSION, goes_on, &written, &now, &p->events, &err),
        0);
    events_published(p->events, p->mono_ms);
}

const struct deployment *play_shown(const struct play *p, const char *id)
{
    for (size_t i = 0; i < p->n_shown; i++)
        if (strcmp(p->shown[i].id, id) == 0)
            return &p->shown[i];
    fail_msg("%s is not shown", id);
    return NULL;
}

void expect_failures(const struct play *p, const char *id, int64_t n)
{
    int64_t is = play_shown(p, id)->events[JOB_EVENT_FAILURE];

    if (is != n)
        fail_msg("%s shows %lld failures, not %lld", id, (long long)is, (long long)n);
}

void expect_counter(const struct play *p, int which, int64_t n)
{
    int64_t is = events_shown(p->events, (enum event_counter)which);

    if (is != n)
        fail_msg("counter %d shows %lld, not %lld", which, (long long)is, (long long)n);
}
