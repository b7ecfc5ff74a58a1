/*
 * Secret files: who may be able to read them and what they may hold. One rule for all that use
 * them, when a configuration is checked and when the secret is needed.
 *
 * A secret file is a regular file that not everybody may read (readable by the group is how
 * Kubernetes' fsGroup hands secrets out), or one below $CREDENTIALS_DIRECTORY, which systemd shuts
 * off itself. It holds one line of visible ASCII. Any thread, as long as nobody changes the
 * environment.
 */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"

/* Bytes of a secret; and of a buffer for its file: "\r\n", and one to see that there is more. */
#define SECRET_MAX       4096
#define SECRET_FILE_READ (SECRET_MAX + 3)

/* Everybody may read the file, and it lies outside of $CREDENTIALS_DIRECTORY. */
bool secret_file_exposed(const char *path, const struct stat *st);

/*
 * Opens a file as secret files must be, whatever it holds (a private key, say). ERR_IO with the
 * reason, without the path; never waits, not even for the other end of a pipe.
 */
int secret_file_open(const char *path, int *ret_fd, struct stat *ret_st,
                     struct err *err) MUST_CHECK;

/*
 * The same, and reads the secret into buf: ret_len bytes, not terminated, without the newline that
 * an editor puts at the end. The caller wipes buf; on failure nothing is left in it. ret_st is of
 * before the read, so that a write in between shows at the next look.
 */
int secret_file_read(const char *path, char buf[SECRET_FILE_READ], size_t *ret_len,
                     struct stat *ret_st, struct err *err) MUST_CHECK;

#endif
