/*
 * Files that a configuration names: where they are and whether they may be used. Only secrets are
 * read, and nothing of them is kept. $CREDENTIALS_DIRECTORY is where systemd puts a unit's
 * credentials.
 */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

/* dir/path, or path alone if it is absolute or dir is ".". NULL when memory is out. */
char *files_join(struct arena *arena, const char *dir, const char *path) MUST_CHECK;

/* An absolute path as it is; a relative one from $CREDENTIALS_DIRECTORY if it is there, else dir.
 */
char *files_resolve(struct arena *arena, const char *dir, const char *path) MUST_CHECK;

enum files_kind {
    FILES_PUBLIC, /* a certificate */
    FILES_KEY,    /* as secret files must be, see base/secret_file.h, whatever it holds */
    FILES_SECRET, /* a secret file */
};

/* True if the file can be opened and is as its kind must be; else complaint says why not. */
bool files_check(const char *path, enum files_kind kind, struct strbuf *complaint) MUST_CHECK;

#endif
