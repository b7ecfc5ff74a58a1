/*
 * Compresses generations away from the threads that serve: the first gzip scrape of a format may
 * mean a quarter of a second's work for 21 MB of text, and whoever shares its thread would wait.
 *
 * One thread, started by the first job and gone when there is none. Later generations come
 * compressed (snapshot_publish_take), so most processes start it once.
 */
#ifndef HTTP_DEFLATER_H
#define HTTP_DEFLATER_H

#include "base/cleanup.h"
#include "base/err.h"
#include "inventory/snapshot.h"

struct deflater;

/* Embedded in whoever waits; the deflater's from deflater_start until done is called. */
struct deflater_job {
    struct deflater_job *next;
    struct snapshot *snapshot;
    enum expo_format format;
    /*
     * Called once, from the deflater's thread, and may free the job. The generation is compressed,
     * unless memory was out or it all ends.
     */
    void (*done)(struct deflater_job *job);
};

int deflater_new(struct deflater **ret, struct err *err) MUST_CHECK;
/* After deflater_stop. */
void deflater_free(struct deflater *deflater);

/*
 * Any thread. Fill format and done; takes the reference to the snapshot, on failure too. -1 without
 * a call of done if there is no thread to be had, or after deflater_stop: compress it yourself.
 */
int deflater_start(struct deflater *deflater, struct deflater_job *job,
                   struct snapshot *snapshot) MUST_CHECK;

/* Breaks off what is under way, calls done for all jobs, starts no more. */
void deflater_stop(struct deflater *deflater);

#endif
