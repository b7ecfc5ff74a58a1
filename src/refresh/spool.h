/*
 * The spool of deploy tickets: a directory in which each file stands for a ticket to follow.
 *
 * The file's name is the ticket id (ticket_id_valid). Its first line is the namespace, its second,
 * which may be left out, the id of the draft. Whoever writes there may be careless or hostile:
 * nothing but small regular files is opened, links are not followed, nothing is waited for. Files
 * are to be written under a name that begins with a dot and renamed: those are not looked at.
 *
 * Worker threads; several may look at one directory.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "model/target.h"
#include "model/ticket.h"

#define SPOOL_FILE_MAX    4096
/* The rest of a directory with more entries than these is not looked at. */
#define SPOOL_ENTRIES_MAX 100000
/* An empty file as young as this is just being written. */
#define SPOOL_YOUNG_S     5

struct spool_file {
    const char *id;
    const char *draft_id; /* "" = not told */
};

struct spool {
    const struct spool_file *files; /* of the namespace, by id */
    size_t n_files;
    uint64_t refused;
    const struct ticket_refusal *refusals; /* the first TICKET_REFUSALS_MAX by name */
    size_t n_refusals;
};

/*
 * Reads the target's ticket_dir. Everything in *ret lives in the arena. Files of other namespaces
 * of the target are left to those; what is nobody's is refused by the target's first namespace.
 * Where there are too many entries, those of before (NULL = none) are looked for by name, so that
 * nothing that is followed gets lost; nor does it because its file is being written anew. -1: the
 * directory cannot be read (ERR_IO), or memory is out.
 */
int spool_scan(const struct target *target, const char *namespace_name,
               const struct ticket_set *before, int64_t now_unix_s, struct arena *arena,
               struct spool *ret, struct err *err) MUST_CHECK;

/* What a scan would have found if nothing had changed since before (NULL = none). */
int spool_as_before(const struct ticket_set *before, struct arena *arena, struct spool *ret,
                    struct err *err) MUST_CHECK;

/* Removes a ticket's file; one that is gone already is as good. ERR_IO */
int spool_remove(const char *dir, const char *id, struct err *err) MUST_CHECK;

#endif
