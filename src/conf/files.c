#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/secret_file.h"

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

static bool check_public(const char *path, struct err *err)
{
    struct stat st;
    /* O_NONBLOCK: opening a pipe must not wait for its other end. */
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0)
        err_set(err, ERR_IO, "%s", strerror(errno));
    else if (S_ISDIR(st.st_mode))
        err_set(err, ERR_IO, "%s", strerror(EISDIR));
    else if (!S_ISREG(st.st_mode))
        err_set(err, ERR_IO, "not a regular file");
    else
        return true;
    return false;
}

static bool check_key(const char *path, struct err *err)
{
    CLEANUP(fdp) int fd = -1;
    struct stat st;

    return secret_file_open(path, &fd, &st, err) == 0;
}

/* What the file holds goes nowhere: it is read again when it is needed. */
static bool check_secret(const char *path, struct err *err)
{
    char buf[SECRET_FILE_READ];
    struct stat st;
    size_t len;
    bool good = secret_file_read(path, buf, &len, &st, err) == 0;

    explicit_bzero(buf, sizeof(buf));
    return good;
}

bool files_check(const char *path, enum files_kind kind, struct strbuf *complaint)
{
    struct err err = {0};
    bool good = kind == FILES_PUBLIC ? check_public(path, &err)
                : kind == FILES_KEY  ? check_key(path, &err)
                                     : check_secret(path, &err);

    if (!good)
        strbuf_adds(complaint, err.msg);
    return good;
}
