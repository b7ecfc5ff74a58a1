/*
 * The token is a file that the kubelet renews by a new link: it is read at every fetch, never kept.
 * Everybody may read it as far as we are concerned: in its container that is how it is mounted.
 */
#include "credentials_oidc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credentials_environment.h"

enum {
    TOKEN_MIN = 4,
    TOKEN_MAX = 20000,
    FILE_MAX = TOKEN_MAX + 1024, /* blanks around it */
};

static int fail_errno(int error, struct err *err)
{
    char reason[128];

    return err_set(err, ERR_AUTHENTICATION, "%s", strerror_r(error, reason, sizeof(reason)));
}

/* Up to size bytes of a regular file; -1 with err. */
static ssize_t read_file(const char *path, char *buf, size_t size, struct err *err)
{
    /* O_NONBLOCK: opening a pipe must not wait for its other end. */
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    size_t len = 0;

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(errno, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_AUTHENTICATION, "not a regular file");
    while (len < size) {
        ssize_t n = read(fd, buf + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(errno, err);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int check_token(const char *token, size_t len, struct err *err)
{
    if (len < TOKEN_MIN || len > TOKEN_MAX)
        return err_set(err, ERR_AUTHENTICATION,
                       "it holds %zu characters, a token has from %d to %d", len, (int)TOKEN_MIN,
                       (int)TOKEN_MAX);
    for (size_t i = 0; i < len; i++)
        if (token[i] <= ' ' || token[i] >= 0x7f)
            return err_set(err, ERR_AUTHENTICATION, "it holds characters that no token has");
    return 0;
}

static int token_read(const char *path, char **ret, struct err *err)
{
    char buf[FILE_MAX];
    ssize_t n = read_file(path, buf, sizeof(buf), err);
    size_t start = 0, end = n < 0 ? 0 : (size_t)n;

    while (start < end && is_blank(buf[start]))
        start++;
    while (end > start && is_blank(buf[end - 1]))
        end--;
    int r = n < 0 ? -1 : check_token(buf + start, end - start, err);
    if (r == 0 && !(*ret = credentials_copy(buf + start, end - start)))
        r = err_nomem(err, "token");
    explicit_bzero(buf, sizeof(buf));
    return r < 0 ? err_wrap(err, "token file %s", path) : 0;
}

/* The option, or else the variable. */
static int need(const char *given, const char *option, enum credentials_variable variable,
                const char **ret, struct err *err)
{
    *ret = credentials_text(given);
    if (!*ret)
        *ret = credentials_variable(variable);
    if (!*ret)
        return err_set(err, ERR_AUTHENTICATION, "%s is not set, nor is %s", option,
                       credentials_variable_name(variable));
    return 0;
}

int oidc_fetch(struct sts *sts, const struct sts_role *role, const char *oidc_provider_arn,
               const char *oidc_token_file, struct credentials_grant *ret, struct err *err)
{
    CLEANUP(credentials_wipep) char *token = NULL;
    struct sts_role whole = *role;
    const char *path;

    if (need(role->role_arn, "role_arn", CREDENTIALS_VAR_ROLE_ARN, &whole.role_arn, err) < 0 ||
        need(oidc_provider_arn, "oidc_provider_arn", CREDENTIALS_VAR_OIDC_PROVIDER_ARN,
             &oidc_provider_arn, err) < 0 ||
        need(oidc_token_file, "oidc_token_file", CREDENTIALS_VAR_OIDC_TOKEN_FILE, &path, err) < 0 ||
        token_read(path, &token, err) < 0)
        return -1;
    return sts_assume_role_with_oidc(sts, &whole, oidc_provider_arn, token, ret, err);
}

/* --- the provider --- */

struct credentials_oidc {
    struct credentials_source source; /* first */
    const struct credentials_spec *spec;
    struct sts sts;
};

static int oidc_get(struct credentials_source *source, struct credentials_grant *ret,
                    struct err *err)
{
    struct credentials_oidc *s = (struct credentials_oidc *)source;
    const struct sts_role role = {
        .endpoint = s->spec->sts_endpoint,
        .role_arn = s->spec->role_arn,
        .session_name = s->spec->role_session_name,
    };

    return oidc_fetch(&s->sts, &role, s->spec->oidc_provider_arn, s->spec->oidc_token_file, ret,
                      err);
}

static void oidc_stop(struct credentials_source *source)
{
    struct credentials_http *http = ((struct credentials_oidc *)source)->sts.http;

    http->ops->stop(http);
}

static void oidc_free(struct credentials_source *source)
{
    free(source);
}

struct credentials_source *credentials_oidc_new(const struct credentials_spec *spec,
                                                struct credentials_http *http)
{
    static const struct credentials_source_ops ops = {
        .get = oidc_get,
        .stop = oidc_stop,
        .free = oidc_free,
    };
    struct credentials_oidc *s = malloc(sizeof(*s));

    if (s)
        *s = (struct credentials_oidc){.source = {&ops}, .spec = spec, .sts = {.http = http}};
    return (struct credentials_source *)s;
}
