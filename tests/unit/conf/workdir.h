/*
 * A directory of a test's own, which is the working directory while the test runs, so that file
 * names in messages are short and the same everywhere. Gone with all it holds when the test ends.
 */
#ifndef WORKDIR_H
#define WORKDIR_H

#include <stddef.h>
#include <sys/types.h>

#include "conf/conf.h"

/* cmocka's setup and teardown. */
int workdir_enter(void **state);
int workdir_leave(void **state);

void workdir_write_bytes(const char *name, const void *bytes, size_t len, mode_t mode);
/* A text nobody else may read. */
void workdir_write(const char *name, const char *text);
void workdir_mkdir(const char *name);

/* Writes the text to "c.cfg" and loads it; fails the test with all problems if that fails. */
struct conf *workdir_load(const char *text);

/* Writes the text to "c.cfg", which must be refused with exactly these problems. */
void workdir_expect_problems(const char *text, const char *expected);
/* The same for files that are there already. */
void workdir_expect_file_problems(const char *path, const char *expected);

/* Parts of good configurations: one line each. */
#define CREDENTIALS "credentials = ( { name = \"default\"; provider = \"env\"; } );\n"
#define TARGET_OF(name, workspace, namespaces)                                     \
    "{ name = \"" name "\"; region_id = \"cn-hangzhou\"; workspace = \"" workspace \
    "\"; namespaces = [ " namespaces " ]; "
/* rest: more settings of the target */
#define TARGET(rest) "targets = ( " TARGET_OF("t", "w", "\"n\"") rest " } );\n"

#endif
