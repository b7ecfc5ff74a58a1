/*
 * What both formats share: the record, its checks, the file.
 */
#include "credentials_profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret_file.h"
#include "base/utf8.h"

enum { FILE_MAX = 1024 * 1024 };

/* Of a string of struct profile: as text for a message, "" if it holds what does not belong there.
 */
enum { NAME_MAX_SHOWN = 64 };

static const size_t strings[] = {
    offsetof(struct profile, access_key_id),   offsetof(struct profile, access_key_secret),
    offsetof(struct profile, security_token),  offsetof(struct profile, role_arn),
    offsetof(struct profile, session_name),    offsetof(struct profile, policy),
    offsetof(struct profile, external_id),     offsetof(struct profile, sts_region),
    offsetof(struct profile, role_name),       offsetof(struct profile, oidc_provider_arn),
    offsetof(struct profile, oidc_token_file), offsetof(struct profile, source),
};

static char **string_at(struct profile *profile, size_t offset)
{
    return (char **)(void *)((char *)profile + offset);
}

void profile_release(struct profile *profile)
{
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        credentials_wipe(*string_at(profile, strings[i]));
    *profile = (struct profile){0};
}

int profile_set(struct profile *profile, size_t offset, const char *value, size_t len,
                struct err *err)
{
    char *copy = credentials_copy(value, len);

    if (!copy)
        return err_nomem(err, "profile");
    credentials_wipe(*string_at(profile, offset));
    *string_at(profile, offset) = copy;
    return 0;
}

static const char *key_at(const struct profile_key *keys, size_t offset)
{
    while (keys->key && keys->offset != offset)
        keys++;
    return keys->key ? keys->key : "";
}

/* A mode is a word. What is none may be a secret that stands in the wrong place. */
static bool is_word(const char *s)
{
    size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return len > 0 && len <= 32 && s[len] == '\0';
}

int profile_set_kind(struct profile *profile, const struct profile_kind *kinds,
                     const struct profile_key *keys, const char *what, const char *name,
                     struct err *err)
{
    const struct profile_kind *kind = kinds;
    char known[256] = "";
    size_t len = 0;

    for (; kind->name && strcmp(kind->name, name) != 0; kind++)
        len +=
            (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", len ? ", " : "", kind->name);
    if (!kind->name)
        return err_set(err, ERR_AUTHENTICATION,
                       "%s %s is not one that a daemon can use by itself (%s)", what,
                       is_word(name) ? name : "(unreadable)", known);
    for (size_t i = 0; i < ARRAY_LEN(kind->needs) && kind->needs[i]; i++) {
        const char *text = *string_at(profile, kind->needs[i]);

        if (!text || !*text)
            return err_set(err, ERR_AUTHENTICATION, "%s %s needs %s", what, name,
                           key_at(keys, kind->needs[i]));
    }
    profile->mode = kind->mode;
    return 0;
}

bool profile_is_json(const char *text, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t i = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n'))
        i++;
    return i < len && text[i] == '{';
}

int profile_decode(const char *text, size_t len, const char *name_or_null, struct profile *ret,
                   struct err *err)
{
    if (name_or_null && (!utf8_valid(name_or_null, strlen(name_or_null)) ||
                         strlen(name_or_null) > 4 * NAME_MAX_SHOWN))
        return err_set(err, ERR_AUTHENTICATION, "the name of the profile is too long or not UTF-8");
    return profile_is_json(text, len) ? profile_decode_json(text, len, name_or_null, ret, err)
                                      : profile_decode_ini(text, len, name_or_null, ret, err);
}

/* Reads to the end; more than size bytes are -1 with EFBIG. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
    size_t len = 0;

    for (;;) {
        ssize_t n = read(fd, buf + len, size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            return (ssize_t)len;
        len += (size_t)n;
        if (len == size) {
            errno = EFBIG;
            return -1;
        }
    }
}

int profile_file_read(const char *path, char **ret, size_t *ret_len, struct err *err)
{
    CLEANUP(fdp) int fd = -1;
    struct err reason = {0};
    char why[128];
    struct stat st;

    if (secret_file_open(path, &fd, &st, &reason) < 0)
        return err_set(err, ERR_AUTHENTICATION, "%s", reason.msg);
    if (st.st_size > FILE_MAX)
        return err_set(err, ERR_AUTHENTICATION, "it is larger than 1 MiB");
    size_t size = (size_t)st.st_size + 2; /* one to see that it has grown, one for a NUL */
    char *buf = malloc(size);
    if (!buf)
        return err_nomem(err, "profile");
    ssize_t n = read_all(fd, buf, size - 1);
    if (n < 0) {
        err_set(err, ERR_AUTHENTICATION, "%s", strerror_r(errno, why, sizeof(why)));
        explicit_bzero(buf, size);
        free(buf);
        return -1;
    }
    buf[n] = '\0';
    *ret = buf;
    *ret_len = (size_t)n;
    return 0;
}
