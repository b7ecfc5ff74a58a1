/*
 * Puts a file into a directory that somebody else watches: whole or not at all, and on the disk.
 */
#ifndef SPOOL_FILE_H
#define SPOOL_FILE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * Creates dir/name with the text, readable by all. ERR_IO with the reason: there is one already,
 * the directory is missing or may not be written. Killed half way it leaves nothing, or, where the
 * filesystem cannot make files without a name, a file whose name begins with a dot.
 */
int spool_file_put(const char *dir, const char *name, const char *text, size_t len,
                   struct err *err) MUST_CHECK;

#endif
