#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_BYTES_MAX = 4096 };

static const char *credentials_directory(void)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");

    return dir && *dir ? dir : NULL;
}

char *files_join(struct arena *arena, const char *dir, const char *path)
{
    if (path[0] == '/' || strcmp(dir, ".") == 0)
        return arena_strdup(arena, path);

    size_t dir_len = strlen(dir);
    size_t path_len = strlen(path);
    bool slash = dir[dir_len - 1] != '/';
    char *joined = arena_alloc(arena, dir_len + slash + path_len + 1);
    if (!joined)
        return NULL;
    memcpy(joined, dir, dir_len);
    if (slash)
        joined[dir_len] = '/';
    memcpy(joined + dir_len + slash, path, path_len + 1);
    return joined;
}

char *files_resolve(struct arena *arena, const char *dir, const char *path)
{
    const char *credentials = credentials_directory();

    if (credentials && path[0] != '/') {
        char *there = files_join(arena, credentials, path);

        if (!there || access(there, F_OK) == 0)
            return there;
    }
    return files_join(arena, dir, path);
}

/* By real paths: neither a link nor ".." leads out unseen. */
static bool in_credentials_directory(const char *path)
{
    char dir[PATH_MAX];
    char file[PATH_MAX];
    const char *credentials = credentials_directory();

    if (!credentials || !realpath(credentials, dir) || !realpath(path, file))
        return false;
    size_t len = strlen(dir);
    return strncmp(file, dir, len) == 0 && file[len] == '/';
}

bool files_exposed(const char *path, const struct stat *st)
{
    return (st->st_mode & S_IROTH) && !in_credentials_directory(path);
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

/* Without the newline that an editor puts at the end. */
static size_t trimmed_len(const char *s, size_t len)
{
    if (len == 0 || s[len - 1] != '\n')
        return len;
    len--;
    return len > 0 && s[len - 1] == '\r' ? len - 1 : len;
}

static const char *secret_complaint(const char *s, size_t len)
{
    if (len > SECRET_BYTES_MAX)
        return "more than 4 KiB";
    len = trimmed_len(s, len);
    for (size_t i = 0; i < len; i++)
        if (s[i] <= 0x20 || s[i] >= 0x7f)
            return "it holds a blank, a line break or another character that no secret has";
    return len == 0 ? "it is empty" : NULL;
}

/* What the file holds goes nowhere: it is read again when it is needed. */
static bool check_secret(int fd, struct strbuf *complaint)
{
    char buf[SECRET_BYTES_MAX + 1]; /* one byte to see that there is more */
    ssize_t n = read_bytes(fd, buf, sizeof(buf));
    const char *reason = n < 0 ? strerror(errno) : secret_complaint(buf, (size_t)n);

    explicit_bzero(buf, sizeof(buf));
    if (reason)
        strbuf_adds(complaint, reason);
    return !reason;
}

bool files_check(const char *path, enum files_kind kind, struct strbuf *complaint)
{
    struct stat st;
    /* O_NONBLOCK: opening a pipe must not wait for its other end. */
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0)
        strbuf_adds(complaint, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        strbuf_adds(complaint, strerror(EISDIR));
    else if (!S_ISREG(st.st_mode))
        strbuf_adds(complaint, "not a regular file");
    else if (kind != FILES_PUBLIC && files_exposed(path, &st))
        strbuf_addf(complaint, "everybody may read it (mode %04o); take the right from others",
                    (unsigned)(st.st_mode & 07777));
    else
        return kind != FILES_SECRET || check_secret(fd, complaint);
    return false;
}
