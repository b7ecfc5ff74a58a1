/*
 * Replacing a file so that a crash at any moment leaves the old one or the new one: write beside
 * it, fsync, rename, fsync the directory. Every step that fails leaves the old file in place, and
 * nothing beside it.
 *
 * What is written beside it has one name only, so that nothing gathers there, and is locked while
 * its writer lives: what nobody holds a lock on was left by one that was killed.
 */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* PATH with something behind it; NULL when memory is out. */
static char *beside(const char *path, const char *suffix)
{
    struct strbuf name = STRBUF_INIT;
    char *text;
    size_t len;

    strbuf_adds(&name, path);
    strbuf_adds(&name, suffix);
    text = strbuf_take(&name, &len);
    strbuf_release(&name);
    return text;
}

/* --- reading --- */

static int read_all(int fd, struct strbuf *out, struct err *err)
{
    for (;;) {
        char *room = strbuf_room(out, (size_t)1 << 16);
        ssize_t n = room ? read(fd, room, (size_t)1 << 16) : 0;

        if (!room)
            return out->over_limit ? err_set(err, ERR_PARSE, "it is larger than any state file")
                                   : err_nomem(err, "the state file");
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot read it: %s", strerror(errno));
        if (n == 0)
            return 0;
        strbuf_wrote(out, room + n);
    }
}

int state_file_read(const char *path, struct strbuf *out, bool *ret_there, struct err *err)
{
    /* Not blocking: a pipe in its place would wait for a writer. */
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    *ret_there = fd >= 0 || errno != ENOENT;
    if (!*ret_there)
        return 0;
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot open it: %s", strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, ERR_IO, "it is no regular file");
    out->limit = STATE_FILE_MAX;
    strbuf_reserve(out, (size_t)(st.st_size > 0 ? st.st_size : 0) % STATE_FILE_MAX);
    return read_all(fd, out, err);
}

/* --- writing --- */

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Removes it if it was left by a writer that is no more. */
static bool remove_abandoned(const char *path)
{
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0;
}

/* The file, locked. */
static int create(const char *path, struct err *err)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(path, flags, S_IRUSR | S_IWUSR);
    bool in_the_way = fd < 0 && errno == EEXIST;

    if (in_the_way && remove_abandoned(path)) {
        fd = open(path, flags, S_IRUSR | S_IWUSR);
        in_the_way = fd < 0 && errno == EEXIST;
    }
    if (in_the_way)
        return err_set(err, ERR_IO, "%s is there: does another exporter use the same file?", path);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot create %s: %s", path, strerror(errno));
    (void)flock(fd, LOCK_EX | LOCK_NB); /* nobody can be waiting for it */
    return fd;
}

/* Durable before it gets its name: else a crash may leave the name on an empty file. */
static int fill(const char *path, int fd, const void *bytes, size_t len, struct err *err)
{
    if (write_all(fd, bytes, len) < 0 || fsync(fd) < 0)
        return err_set(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

/* Another writer may have taken ours for abandoned in the moment before it was locked. */
static bool is_still(const char *path, int fd)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

static int replace(const char *path, const char *temporary, int fd, struct err *err)
{
    if (!is_still(temporary, fd))
        return err_set(err, ERR_IO, "another exporter uses %s, too", path);
    if (rename(temporary, path) < 0) {
        err_set(err, ERR_IO, "cannot rename %s to %s: %s", temporary, path, strerror(errno));
        (void)unlink(temporary);
        return -1;
    }
    return 0;
}

/* Makes the new name durable. */
static int sync_directory(const char *path, struct err *err)
{
    CLEANUP(fdp) int fd = -1;
    CLEANUP(freep) char *directory = strdup(path);
    char *slash;

    if (!directory)
        return err_nomem(err, "the state file");
    slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory] = '\0';
    fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL)) /* there are file systems that cannot */
        return err_set(err, ERR_IO, "cannot sync the directory of %s: %s", path, strerror(errno));
    return 0;
}

int state_file_write(const char *path, const void *bytes, size_t len, struct err *err)
{
    CLEANUP(freep) char *temporary = beside(path, ".tmp");
    CLEANUP(fdp) int fd = -1;

    if (!temporary)
        return err_nomem(err, "the state file");
    fd = create(temporary, err);
    if (fd < 0)
        return -1;
    if (fill(temporary, fd, bytes, len, err) < 0) {
        (void)unlink(temporary);
        return -1;
    }
    if (replace(path, temporary, fd, err) < 0)
        return -1;
    return sync_directory(path, err);
}

/* --- what was refused --- */

int state_file_set_aside(const char *path, struct err *err)
{
    CLEANUP(freep) char *bad = beside(path, ".bad");
    int rc = bad ? 0 : -1;

    for (int i = STATE_BAD_KEPT - 1; rc == 0 && i > 0; i--) {
        char from[16] = ".bad", to[16];

        if (i > 1)
            (void)snprintf(from, sizeof(from), ".bad.%d", i - 1);
        (void)snprintf(to, sizeof(to), ".bad.%d", i);
        CLEANUP(freep) char *older = beside(path, from);
        CLEANUP(freep) char *oldest = beside(path, to);

        if (!older || !oldest)
            rc = -1;
        else
            (void)rename(older, oldest); /* there need not be one */
    }
    if (rc < 0)
        return err_nomem(err, "the state file");
    if (rename(path, bad) < 0)
        return err_set(err, ERR_IO, "cannot rename %s to %s: %s", path, bad, strerror(errno));
    return 0;
}
