/*
 * What the tests of the inventory are made of: made-up records, listings and targets, and reading
 * an exposition back. Everything here fails the running test instead of returning errors.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "inventory/snapshot.h"
#include "metrics/registry.h"
#include "model/job.h"
#include "model/listing.h"
#include "model/target.h"
#include "model/ticket.h"

/* A record that tells nothing but its id and name. */
struct deployment record_absent(const char *id, const char *name);
/* A record that tells everything. */
struct deployment record_full(const char *id, const char *name);

/* A listing of copies of the records, which must be sorted by id; their strings are borrowed. */
struct listing *listing_of(const struct deployment *items, size_t n);
/* A listing of records with ids "d-00000012" and so on; the same number gives the same record. */
struct listing *listing_of_numbers(const uint32_t *numbers, size_t n);

/* A draft that tells all but a content. deployment_id may be "". */
struct draft draft_full(const char *id, const char *name, const char *deployment_id);
/* As listing_of, of drafts. */
struct listing *listing_of_drafts(const struct draft *items, size_t n);

/* A ticket that is followed and executing; all strings borrowed. */
struct ticket ticket_executing(const char *id);
/* A set of copies of the tickets, which must be sorted by id; strings are borrowed. */
struct ticket_set *tickets_of(const struct ticket *items, size_t n);

/* As ListJobs tells it of a deployment with one running job; strings borrowed, answered at mono_ms.
 */
struct deployment_jobs jobs_running(const char *id, int64_t restarts, int64_t mono_ms);
/* A set of copies of these, which must be sorted by id; strings are borrowed. */
struct job_set *jobs_of(const struct deployment_jobs *items, size_t n);

/* A target named "prod" with one namespace's usual settings; strings are static. */
struct target target_usual(void);

/* The text of a format, the end mark included. */
void snapshot_write(const struct snapshot *s, enum expo_format format, struct strbuf *out);
/* The families of the registry's exporter group as text. */
void registry_text(const struct registry *registry, struct strbuf *out);

/*
 * Fails the test unless the text keeps to the grammar's rules between lines: a family has one HELP,
 * then one TYPE, then all its samples and no others, no series comes twice. Returns the number of
 * series.
 */
size_t expect_exposition(const struct strbuf *text, enum expo_format format);

/* The value of a series written exactly so, "" if it is not there. Good until the next call. */
const char *value_of(const struct strbuf *text, const char *series);
/* Lines that begin so. */
size_t count_lines(const struct strbuf *text, const char *prefix);

/* What a gzip member holds. Fails the test if it is not one whole member. */
void gunzip(const void *bytes, size_t len, struct strbuf *out);

#endif
