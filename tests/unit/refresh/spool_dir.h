/*
 * A directory for one test, made in the current one and removed with all that is in it. Fails the
 * running test instead of returning errors.
 */
#ifndef SPOOL_DIR_H
#define SPOOL_DIR_H

#include <stdbool.h>

/* cmocka's setup and teardown; the path is *state. */
int spool_dir_enter(void **state);
int spool_dir_leave(void **state);

void spool_dir_write(const char *dir, const char *name, const char *text);
bool spool_dir_has(const char *dir, const char *name);
/* From here on permissions count: root, who may do anything, is somebody else until regained. */
void spool_dir_drop_root(const char *dir);
void spool_dir_regain_root(void);
/* The path of an entry, until the next call. */
const char *spool_dir_path(const char *dir, const char *name);

#endif
