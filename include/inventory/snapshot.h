/*
 * The published generation: immutable text in reference-counted pieces, ready to send.
 *
 * The scheduler thread builds a snapshot, publishes it through a slot and never writes to it
 * again; HTTP threads acquire it, send it without copying, and drop it. A slow client keeps its
 * snapshot alive, and only that. Pieces are shared between generations: what a refresh did not
 * touch is neither rendered nor compressed again.
 *
 * A snapshot lists its pieces in exposition order, once per format. The two lists share all sample
 * blocks; they differ in the pieces that hold headers of counters. The live tail and the end mark
 * ("# EOF") are not part of it.
 */
#ifndef INVENTORY_SNAPSHOT_H
#define INVENTORY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/strbuf.h"
#include "metrics/expo.h"

/* --- pieces --- */

struct piece;

/* Consumes the text of the buffer; NULL (buffer untouched) when it is bad or memory is out. */
struct piece *piece_new_take(struct strbuf *text, uint64_t n_series);
struct piece *piece_ref(struct piece *piece);
void piece_unref(struct piece *piece);

const char *piece_text(const struct piece *piece, size_t *ret_len);
/* Valid once piece_deflated succeeded. */
uint32_t piece_crc32(const struct piece *piece);

/*
 * The text as a deflate segment (base/deflate.h), made at the first call and kept. Any thread; of
 * two first callers one works and the other waits. -1 only when memory is out.
 */
int piece_deflated(struct piece *piece, const void **ret_bytes, size_t *ret_len,
                   struct err *err) MUST_CHECK;

/* --- status of the targets, for the status page and the debug page --- */

/* The refreshes of one collector. */
struct collector_status {
    const char *name;              /* "deployments", "drafts", ...; static */
    bool running;                  /* a refresh is under way */
    bool tried;                    /* at least one refresh ended */
    bool success;                  /* the last one that ended succeeded */
    bool withheld;                 /* what it brought is left out because it is too old */
    int64_t last_attempt_unix_ms;  /* 0 = never */
    int64_t last_success_unix_ms;  /* 0 = never */
    int64_t failing_since_unix_ms; /* end of the first failure in a row; 0 = not failing */
    int64_t last_failure_unix_ms;  /* 0 = never */
    const char *reason;            /* of the last failure, NULL before the first */
    const char *message;           /* of the last failure, NULL likewise */
    int64_t duration_ms;           /* of the last refresh */
    int64_t next_unix_ms;          /* when the next one is due; 0 = not known */
    uint64_t failures;             /* in a row: the more, the longer until the next refresh */
    int64_t pages;                 /* these as the last good refresh told them; -1 = it did not */
    int64_t objects;
    int64_t expected; /* objects that there should have been */
};

struct target_status {
    const char *target;
    const char *workspace;
    const char *namespace_name;
    const char *endpoint;
    const char *reason;  /* of the last failure, NULL after a success or before the first refresh */
    const char *message; /* of the last failure, NULL likewise */
    int64_t last_attempt_unix_ms; /* 0 = never */
    int64_t last_success_unix_ms; /* 0 = never */
    int64_t duration_ms;          /* of the last refresh */
    int64_t interval_ms;
    int64_t failing_since_unix_ms; /* end of the first failure in a row; 0 = not failing */
    int64_t deployments;           /* -1 = nothing to show: no listing yet, or withheld */
    int64_t jobs_running;          /* -1 likewise, or not told by any deployment */
    int64_t jobs_failed;
    uint64_t over_limit; /* deployments left out because of max_deployments */
    bool tried;          /* at least one refresh ended */
    bool success;        /* the last refresh succeeded */
    bool withheld;       /* state series are left out because they are too old */
    const struct collector_status *collectors; /* those that the target has */
    size_t n_collectors;
};

/* --- the generation --- */

struct snapshot;

struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
void snapshot_unrefp(struct snapshot **s);

/* The pieces of a format in order; borrowed from the snapshot. */
struct piece *const *snapshot_pieces(const struct snapshot *s, enum expo_format format,
                                     size_t *ret_n);
size_t snapshot_text_len(const struct snapshot *s, enum expo_format format);
/* CRC of the whole text of a format, joined from the pieces'. Valid once snapshot_deflate
 * succeeded. */
uint32_t snapshot_crc32(const struct snapshot *s, enum expo_format format);
uint64_t snapshot_series(const struct snapshot *s);
/* Bytes of all segments of a format that are compressed already; 0 if nobody asked for gzip yet. */
size_t snapshot_deflated_len(const struct snapshot *s, enum expo_format format);
/* Bytes of text of a format that snapshot_deflate would have to compress, about 10 ms a megabyte.
 */
size_t snapshot_deflate_left(const struct snapshot *s, enum expo_format format);
/* Compresses what is not compressed yet. */
int snapshot_deflate(struct snapshot *s, enum expo_format format, struct err *err) MUST_CHECK;

const struct target_status *snapshot_targets(const struct snapshot *s, size_t *ret_n);

/* A deployment's last failed job. Strings are the snapshot's. */
struct job_failure {
    const char *deployment_id;
    const char *deployment_name; /* NULL = the deployment is not listed any more */
    const char *job_id;
    int64_t failed_unix_s; /* 0 = not told */
    const char *reason;    /* "" = not told */
    const char *message;   /* likewise; cut */
    bool outdated;         /* a later one was counted, and has not been seen */
};

struct job_failures {
    bool known;                /* somebody asked for the jobs of the target's deployments */
    struct job_failure *items; /* newest first */
    size_t n_items;
    size_t n_more; /* deployments with a failed job, beyond those */
};

/*
 * The last failed jobs of the deployments of a target, by its index in snapshot_targets, at most
 * max. Costs a pass over its deployments; any thread. -1 only when memory is out; to be released.
 */
int snapshot_job_failures(const struct snapshot *s, size_t target, size_t max,
                          struct job_failures *ret, struct err *err) MUST_CHECK;
void job_failures_release(struct job_failures *failures);

/* True once every target was tried: what /-/ready says. */
bool snapshot_all_tried(const struct snapshot *s);
/* metrics.deny of the configuration this generation was rendered with, for the live tail. */
const struct glob_list *snapshot_deny(const struct snapshot *s);
/* How long the rendering took, for the exposition. */
int64_t snapshot_render_us(const struct snapshot *s);

/* --- publication --- */

struct snapshot_slot;

struct snapshot_slot *snapshot_slot_new(void);
void snapshot_slot_free(struct snapshot_slot *slot);

/* Consumes s. The slot is compressed beforehand for the formats somebody asked gzip of. */
void snapshot_publish_take(struct snapshot_slot *slot, struct snapshot *s);
/* A reference to the current generation; NULL only before the first publish. */
struct snapshot *snapshot_acquire(struct snapshot_slot *slot);
/*
 * Adds aliyun_flink_exporter_snapshot_series, _bytes and _render_duration_seconds, which speak of
 * the slot's current generation. Borrows the slot for the life of the registry.
 */
struct registry;
int snapshot_metrics_register(struct registry *registry, struct snapshot_slot *slot,
                              struct err *err) MUST_CHECK;

/* Notes that gzip of this format is wanted, so that later generations come compressed. */
void snapshot_slot_want_gzip(struct snapshot_slot *slot, enum expo_format format);

#endif
