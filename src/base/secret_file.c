#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By real paths: neither a link nor ".." leads out unseen. */
static bool in_credentials_directory(const char *path)
{
    char dir[PATH_MAX];
    char file[PATH_MAX];
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");

    if (!credentials || !*credentials || !realpath(credentials, dir) || !realpath(path, file))
        return false;
    size_t len = strlen(dir);
    return strncmp(file, dir, len) == 0 && file[len] == '/';
}

bool secret_file_exposed(const char *path, const struct stat *st)
{
    return (st->st_mode & S_IROTH) && !in_credentials_directory(path);
}

static int fail_errno(struct err *err, int error)
{
    char reason[128];

    return err_set(err, ERR_IO, "%s", strerror_r(error, reason, sizeof(reason)));
}

static int check_state(const char *path, const struct stat *st, struct err *err)
{
    if (S_ISDIR(st->st_mode))
        return fail_errno(err, EISDIR);
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_IO, "not a regular file");
    if (secret_file_exposed(path, st))
        return err_set(err, ERR_IO, "everybody may read it (mode %04o); take the right from others",
                       (unsigned)(st->st_mode & 07777));
    return 0;
}

int secret_file_open(const char *path, int *ret_fd, struct stat *ret_st, struct err *err)
{
    /* O_NONBLOCK: opening a pipe must not wait for its other end. */
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(err, errno);
    if (check_state(path, &st, err) < 0)
        return -1;
    *ret_st = st;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Up to size bytes; -1 with errno. */
static ssize_t read_bytes(int fd, char *buf, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, buf + len, size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static size_t trimmed_len(const char *s, size_t len)
{
    if (len == 0 || s[len - 1] != '\n')
        return len;
    len--;
    return len > 0 && s[len - 1] == '\r' ? len - 1 : len;
}

static int check_content(const char *s, size_t len, struct err *err)
{
    if (len == 0)
        return err_set(err, ERR_IO, "it is empty");
    if (len > SECRET_MAX)
        return err_set(err, ERR_IO, "more than 4 KiB");
    for (size_t i = 0; i < len; i++)
        if (s[i] <= 0x20 || s[i] >= 0x7f)
            return err_set(err, ERR_IO,
                           "it holds a blank, a line break or another character that no secret "
                           "has");
    return 0;
}

int secret_file_read(const char *path, char buf[SECRET_FILE_READ], size_t *ret_len,
                     struct stat *ret_st, struct err *err)
{
    CLEANUP(fdp) int fd = -1;
    size_t len;
    ssize_t n;

    if (secret_file_open(path, &fd, ret_st, err) < 0)
        return -1;
    n = read_bytes(fd, buf, SECRET_FILE_READ);
    if (n < 0) {
        fail_errno(err, errno);
        explicit_bzero(buf, SECRET_FILE_READ);
        return -1;
    }
    len = trimmed_len(buf, (size_t)n);
    if (check_content(buf, len, err) < 0) {
        explicit_bzero(buf, SECRET_FILE_READ);
        return -1;
    }
    *ret_len = len;
    return 0;
}
