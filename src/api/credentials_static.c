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
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret_file.h"

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

static int file_read(struct secret_file *file, struct err *err)
{
    char buf[SECRET_FILE_READ];
    struct err reason = {0};
    struct stat st;
    size_t len;
    char *text;

    if (secret_file_read(file->path, buf, &len, &st, &reason) < 0)
        return err_set(err, ERR_AUTHENTICATION, "file %s: %s", file->path, reason.msg);
    text = credentials_copy(buf, len);
    explicit_bzero(buf, sizeof(buf));
    if (!text)
        return err_nomem(err, file->path);
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

static int static_get(struct credentials_source *source, struct credentials_grant *ret,
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
    return credentials_keys_copy(id, secret, token, &ret->keys, err);
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
    s->secret.path = credentials_text(spec->access_key_secret_file);
    s->token.path = credentials_text(spec->security_token_file);
    return (struct credentials_source *)s;
}
