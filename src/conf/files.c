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
    else if (kind == FILES_SECRET && st.st_size == 0)
        strbuf_adds(complaint, "it is empty");
    else if (kind == FILES_SECRET && st.st_size > SECRET_BYTES_MAX)
        strbuf_adds(complaint, "more than 4 KiB");
    else
        return true;
    return false;
}
