#include "state_keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "state_file.h"

/* Saving may take this share of the time, one in ... */
#define SAVE_SHARE 20

/* --- live metrics --- */

static void collect_last_save(void *ctx, const struct family *family, struct expo *e)
{
    struct state_keeper *keeper = ctx;
    int64_t unix_ms = atomic_load_explicit(&keeper->saved_unix_ms, memory_order_relaxed);

    if (unix_ms > 0)
        expo_sample_ms(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, unix_ms);
}

static void collect_failures(void *ctx, const struct family *family, struct expo *e)
{
    struct state_keeper *keeper = ctx;

    expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS,
                    (int64_t)atomic_load_explicit(&keeper->failures, memory_order_relaxed));
}

int state_keeper_register(struct state_keeper *keeper, struct registry *registry, struct err *err)
{
    static const struct family last_save = {
        "aliyun_flink_exporter_state_last_save_timestamp_seconds",
        "Unix time at which the state file was last written. Absent without one.", METRIC_GAUGE,
        .absent = "before the first save"};
    static const struct family failures = {"aliyun_flink_exporter_state_save_failures_total",
                                           "Writes of the state file that failed.", METRIC_COUNTER,
                                           .labels = NULL};

    if (registry_add(registry, REGISTRY_EXPORTER, &last_save, collect_last_save, keeper, err) < 0 ||
        registry_add(registry, REGISTRY_EXPORTER, &failures, collect_failures, keeper, err) < 0)
        return -1;
    return 0;
}

void state_keeper_set_path(struct state_keeper *keeper, const char *path)
{
    const char *wanted = path && path[0] ? path : NULL;
    bool differs =
        (keeper->path == NULL) != (wanted == NULL) || (wanted && strcmp(keeper->path, wanted) != 0);

    keeper->path = wanted;
    if (!differs)
        return;
    atomic_store_explicit(&keeper->saved_unix_ms, 0, memory_order_relaxed);
    keeper->failing = false;
    keeper->changed = true; /* whatever it holds */
    keeper->next_mono_ms = 0;
}

/* --- restoring --- */

static struct entry *find_entry(struct entry *const *entries, size_t n,
                                const struct state_namespace *of)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(entries[i]->workspace, of->workspace) == 0 &&
            strcmp(entries[i]->namespace_name, of->namespace_name) == 0)
            return entries[i];
    return NULL;
}

/* The events of one namespace; *ret stays NULL where nobody wants them. */
static int read_namespace(const struct state_keeper *keeper, const struct state *state, size_t i,
                          const struct entry *entry, const struct events_moment *now,
                          struct events **ret, struct err *err)
{
    const struct state_namespace *n = &state->namespaces[i];
    CLEANUP(events_freep) struct events *events = NULL;

    if (events_read(n->events, n->events_len, state->version, keeper->goes_on, &state->written, now,
                    &events, err) < 0)
        return -1;
    if (!entry)
        return 0;
    if (now->unix_ms - events->began_unix_ms > STATE_MAX_AGE_MS && events->began_unix_ms != 0) {
        log_warn(LOG_FIELDS({"workspace", n->workspace}, {"namespace", n->namespace_name}),
                 "its events were saved more than 30 days ago and are not restored");
        return 0;
    }
    *ret = TAKE(events);
    return 0;
}

/* All of it is read before any of it is used: a file is good as a whole or not at all. */
static int restore(const struct state_keeper *keeper, const struct state *state,
                   struct entry *const *entries, size_t n, const struct events_moment *now,
                   size_t *ret_restored, struct err *err)
{
    size_t n_read = 0, size = state->n_namespaces ? state->n_namespaces : 1;
    struct events **read = calloc(size, sizeof(struct events *));
    int rc = read ? 0 : err_nomem(err, "the state");

    for (; rc == 0 && n_read < state->n_namespaces; n_read++)
        rc = read_namespace(keeper, state, n_read,
                            find_entry(entries, n, &state->namespaces[n_read]), now, &read[n_read],
                            err);
    for (size_t i = 0; read && i < n_read; i++) {
        struct entry *entry = find_entry(entries, n, &state->namespaces[i]);

        if (rc == 0 && read[i] && entry) {
            events_free(entry->events);
            entry->events = TAKE(read[i]);
            ++*ret_restored;
        }
        events_free(read[i]);
    }
    free(read);
    return rc;
}

static void refuse(const char *path, const struct err *why)
{
    struct err err = {0};

    if (state_file_set_aside(path, &err) < 0)
        log_error(
            LOG_FIELDS({"file", path}),
            "the state file cannot be used, events are counted from now on: %s; nor can it be "
            "set aside: %s",
            why->msg, err.msg);
    else
        log_error(LOG_FIELDS({"file", path}),
                  "the state file cannot be used, events are counted from now on and it is kept "
                  "with .bad behind its name: %s",
                  why->msg);
}

void state_keeper_restore(struct state_keeper *keeper, struct entry *const *entries, size_t n,
                          const struct events_moment *now)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(state_release) struct state state = STATE_INIT;
    struct err err = {0};
    bool there = false;
    size_t restored = 0;

    if (!keeper->path)
        return;
    if (state_file_read(keeper->path, &bytes, &there, &err) < 0 ||
        (there && (state_decode(strbuf_str(&bytes), bytes.len, &state, &err) < 0 ||
                   restore(keeper, &state, entries, n, now, &restored, &err) < 0))) {
        refuse(keeper->path, &err);
        return;
    }
    if (!there)
        log_info(LOG_FIELDS({"file", keeper->path}),
                 "there is no state file yet: events are counted from now on");
    else
        log_info(LOG_FIELDS({"file", keeper->path}),
                 "events of %zu of %zu namespaces restored, %zu in the file", restored, n,
                 state.n_namespaces);
}

/* --- saving --- */

void state_keeper_note(struct state_keeper *keeper, const struct events *before,
                       const struct events *after)
{
    keeper->grew = keeper->grew || after->grew;
    keeper->changed = keeper->changed || events_differ(before, after);
}

int64_t state_keeper_due_mono_ms(const struct state_keeper *keeper)
{
    if (!keeper->path)
        return INT64_MAX;
    if (keeper->changed || keeper->grew || keeper->failing)
        return keeper->next_mono_ms;
    return keeper->saved_mono_ms + STATE_SAVE_IDLE_MS;
}

static int save(const struct state_keeper *keeper, struct entry *const *entries, size_t n,
                const struct events_moment *now, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    state_begin(&bytes, now, n);
    for (size_t i = 0; i < n; i++)
        state_add(&bytes, entries[i]->workspace, entries[i]->namespace_name, entries[i]->events);
    state_end(&bytes);
    if (!strbuf_ok(&bytes))
        return err_nomem(err, "the state");
    return state_file_write(keeper->path, bytes.ptr, bytes.len, err);
}

/* Once when it begins, once when it ends. */
static void note_failure(struct state_keeper *keeper, const struct err *err)
{
    atomic_fetch_add_explicit(&keeper->failures, 1, memory_order_relaxed);
    if (!keeper->failing)
        log_error(LOG_FIELDS({"file", keeper->path}),
                  "cannot save the event counters, a restart would lose what was counted since the "
                  "last save: %s",
                  err->msg);
    keeper->failing = true;
}

static void note_success(struct state_keeper *keeper, const struct events_moment *now)
{
    atomic_store_explicit(&keeper->saved_unix_ms, now->unix_ms, memory_order_relaxed);
    if (keeper->failing)
        log_info(LOG_FIELDS({"file", keeper->path}), "the event counters are saved again");
    keeper->failing = keeper->changed = keeper->grew = false;
    keeper->saved_mono_ms = now->mono_ms;
}

void state_keeper_save(struct state_keeper *keeper, struct entry *const *entries, size_t n,
                       const struct events_moment *now)
{
    int64_t began_ms = clock_mono_ms(), wait_ms;
    struct err err = {0};

    if (!keeper->path)
        return;
    if (save(keeper, entries, n, now, &err) < 0)
        note_failure(keeper, &err);
    else
        note_success(keeper, now);
    wait_ms = (clock_mono_ms() - began_ms) * SAVE_SHARE;
    keeper->next_mono_ms =
        now->mono_ms + (wait_ms > STATE_SAVE_EVERY_MS ? wait_ms : STATE_SAVE_EVERY_MS);
}
