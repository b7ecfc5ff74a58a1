/*
 * O_TMPFILE makes a file without a name, which the kernel frees if we die, and linkat gives it one,
 * refusing where there is one already. Filesystems without (NFS, some FUSE) get a dot file, which
 * watchers ignore, and link(2), which refuses likewise.
 */
#include "spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* The exporter runs as another user. */
enum { FILE_MODE = 0644 };

static int io_failed(struct err *err, const char *what)
{
    return err_set(err, ERR_IO, "%s: %s", what, strerror(errno));
}

static int write_all(int fd, const char *text, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_failed(err, "cannot write the file");
        text += n;
        len -= (size_t)n;
    }
    if (fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0)
        return io_failed(err, "cannot write the file to the disk");
    return 0;
}

static int link_failed(struct err *err)
{
    return errno == EEXIST ? err_set(err, ERR_IO, "it is there already")
                           : io_failed(err, "cannot name the file");
}

/* *tried is false where files without a name cannot be made, or not be named. */
static int put_nameless(int dir, const char *name, const char *text, size_t len, bool *tried,
                        struct err *err)
{
    CLEANUP(fdp) int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    char self[64];

    *tried = fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT);
    if (fd < 0)
        return io_failed(err, "cannot create a file there");
    if (write_all(fd, text, len, err) < 0)
        return -1;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    /* Where it cannot be named (no /proc, a filesystem or a filter against it) is another way. */
    *tried = errno == EEXIST;
    return link_failed(err);
}

static int put_named(int dir, const char *name, const char *text, size_t len, struct err *err)
{
    uint64_t random = 0;
    char dot[64];
    int rc;

    /* Not the process's number: others may share the directory over a network. */
    if (getrandom(&random, sizeof(random), 0) < 0)
        return io_failed(err, "no random numbers");
    snprintf(dot, sizeof(dot), ".flinkctl-%016llx", (unsigned long long)random);
    CLEANUP(fdp) int fd = openat(dir, dot, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return io_failed(err, "cannot create a file there");
    rc = write_all(fd, text, len, err);
    if (rc == 0 && linkat(dir, dot, dir, name, 0) < 0)
        rc = link_failed(err);
    (void)unlinkat(dir, dot, 0);
    return rc;
}

int spool_file_put(const char *dir, const char *name, const char *text, size_t len, struct err *err)
{
    CLEANUP(fdp) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool tried = true;

    if (fd < 0)
        return io_failed(err, "cannot open the directory");
    if (put_nameless(fd, name, text, len, &tried, err) < 0 &&
        (tried || put_named(fd, name, text, len, err) < 0))
        return -1;
    /* The name is on the disk only then. */
    if (fsync(fd) < 0 && errno != EINVAL)
        return io_failed(err, "cannot write the directory to the disk");
    return 0;
}
