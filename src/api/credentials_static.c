/*
 * Credentials that the configuration gives: values, or files that hold one value each.
 *
 * A file is read when it is first needed and again when it is not the file it was: Kubernetes and
 * systemd renew a secret by renaming a new file over it (another inode), editors write in place
 * (another mtime). One stat an attempt is cheap next to the HTTP request it is for. Where secret
 * and token are renewed together but not in one step, the server refuses the mixed pair,
 * credentials_invalidate() follows, and the retry reads both again.
 */
#include "credentials_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What tells one state of a file from another. */
struct file_identity {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
    struct timespec ctime; /* a write that puts the mtime back moves it all the same */
};

struct secret_file {
    const char *path; /* borrowed; NULL = none */
    char *text;       /* NULL = must be read */
    struct file_identity identity;
};

struct credentials_static {
    struct credentials_source source;    /* first, see credentials_source.h */
    const struct credentials_spec *spec; /* borrowed */
    struct secret_file secret;
    struct secret_file token;
};

static struct file_identity identity_of(const struct stat *st)
{
    return (struct file_identity){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = st->st_size,
        .mtime = st->st_mtim,
        .ctime = st->st_ctim,
    };
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_identity(const struct file_identity *a, const struct file_identity *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           same_time(a->mtime, b->mtime) && same_time(a->ctime, b->ctime);
}

static int file_error(const char *path, int error, struct err *err)
{
    char reason[128];

    return err_set(err, ERR_AUTHENTICATION, "file %s: %s", path,
                   strerror_r(error, reason, sizeof(reason)));
}

/* Files below $CREDENTIALS_DIRECTORY are shut off by the directory, whatever their own mode. */
static bool in_credentials_directory(const char *path)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    size_t len = dir ? strlen(dir) : 0;

    return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/' && !strstr(path, "/../");
}

static int file_acceptable(const char *path, const struct stat *st, struct err *err)
{
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_AUTHENTICATION, "file %s: not a regular file", path);
    /* Readable by the group is how Kubernetes' fsGroup hands secrets out; by all is a mistake. */
    if ((st->st_mode & S_IROTH) && !in_credentials_directory(path))
        return err_set(err, ERR_AUTHENTICATION,
                       "file %s: readable by everyone (mode %04o), take the permission away", path,
                       (unsigned)(st->st_mode & 07777));
    return 0;
}

/* Reads up to size bytes; the number read or -1 with errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
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

static int text_from(const char *path, const char *buf, size_t len, char **ret, struct err *err)
{
    len = credentials_trimmed_len(buf, len);
    if (credentials_check(buf, len, "its content", err) < 0)
        return err_wrap(err, "file %s", path);
    char *text = credentials_copy(buf, len);
    if (!text)
        return err_nomem(err, path);
    *ret = text;
    return 0;
}

static int file_read(struct secret_file *file, struct err *err)
{
    /* O_NONBLOCK: opening a FIFO must not hang, it is refused below. */
    CLEANUP(fdp) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char buf[CREDENTIALS_VALUE_MAX + 3]; /* with a newline, and one byte to see that it is longer */
    struct stat st;
    char *text = NULL;

    if (fd < 0 || fstat(fd, &st) < 0)
        return file_error(file->path, errno, err);
    if (file_acceptable(file->path, &st, err) < 0)
        return -1;
    /* The identity from before the read: a write in between is then seen at the next look. */
    ssize_t n = read_all(fd, buf, sizeof(buf));
    int r = n < 0 ? file_error(file->path, errno, err)
                  : text_from(file->path, buf, (size_t)n, &text, err);
    explicit_bzero(buf, sizeof(buf));
    if (r < 0)
        return -1;
    credentials_wipe(file->text);
    file->text = text;
    file->identity = identity_of(&st);
    return 0;
}

static void file_forget(struct secret_file *file)
{
    credentials_wipe(file->text);
    file->text = NULL;
}

static int file_current(struct secret_file *file, const char **ret, struct err *err)
{
    struct stat st;

    if (file->text) {
        if (stat(file->path, &st) < 0)
            return file_error(file->path, errno, err);
        struct file_identity now = identity_of(&st);
        if (!same_identity(&now, &file->identity))
            file_forget(file);
    }
    if (!file->text && file_read(file, err) < 0)
        return -1;
    *ret = file->text;
    return 0;
}

/* From the file if there is one, else the value. *ret is NULL if there is neither ("" is none). */
static int value_or_file(const char *value, struct secret_file *file, const char *what,
                         const char **ret, struct err *err)
{
    if (file->path) {
        if (file_current(file, ret, err) < 0)
            return err_wrap(err, "%s", what);
        return 0;
    }
    if (value && !*value)
        value = NULL;
    if (value && credentials_check(value, strlen(value), what, err) < 0)
        return -1;
    *ret = value;
    return 0;
}

static int static_get(struct credentials_source *source, struct credentials_keys *ret,
                      struct err *err)
{
    struct credentials_static *s = (struct credentials_static *)source;
    const char *id = s->spec->access_key_id;
    const char *secret = NULL;
    const char *token = NULL;

    if (!id || !*id)
        return err_set(err, ERR_AUTHENTICATION, "access_key_id is not set");
    if (credentials_check(id, strlen(id), "access_key_id", err) < 0 ||
        value_or_file(s->spec->access_key_secret, &s->secret, "access_key_secret", &secret, err) <
            0 ||
        value_or_file(s->spec->security_token, &s->token, "security_token", &token, err) < 0)
        return -1;
    if (!secret)
        return err_set(err, ERR_AUTHENTICATION, "access_key_secret is not set");
    return credentials_keys_copy(id, secret, token, ret, err);
}

static void static_invalidate(struct credentials_source *source)
{
    struct credentials_static *s = (struct credentials_static *)source;

    file_forget(&s->secret);
    file_forget(&s->token);
}

static void static_free(struct credentials_source *source)
{
    static_invalidate(source);
    free(source);
}

static const char *path_or_null(const char *path)
{
    return path && *path ? path : NULL;
}

struct credentials_source *credentials_static_new(const struct credentials_spec *spec)
{
    static const struct credentials_source_ops ops = {
        .get = static_get,
        .invalidate = static_invalidate,
        .free = static_free,
    };
    struct credentials_static *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->source.ops = &ops;
    s->spec = spec;
    s->secret.path = path_or_null(spec->access_key_secret_file);
    s->token.path = path_or_null(spec->security_token_file);
    return (struct credentials_source *)s;
}
