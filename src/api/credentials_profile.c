/*
 * Keys of a profile. The file is read at every fetch, and keys that do not expire are fetched anew
 * every minute or two: a login with the CLI is noticed, and so is a logout.
 */
#include "credentials_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "credentials_environment.h"
#include "credentials_metadata.h"
#include "credentials_oidc.h"

enum { DEPTH_MAX = 8 };

/* The names on the way, so that a loop can be told. */
struct walk {
    const char *text;
    size_t len;
    struct sts *sts;
    const char *names[DEPTH_MAX];
    size_t n_names;
};

static int fetch_profile(struct walk *walk, const char *name_or_null, struct credentials_grant *ret,
                         struct err *err);

static int check_way(const struct walk *walk, const char *name, struct err *err)
{
    for (size_t i = 0; i < walk->n_names; i++)
        if (strcmp(walk->names[i], name) == 0)
            return err_set(err, ERR_AUTHENTICATION,
                           "profile \"%.64s\" takes its keys from itself, by source_profile", name);
    if (walk->n_names == DEPTH_MAX)
        return err_set(err, ERR_AUTHENTICATION, "more than %d profiles behind each other",
                       (int)DEPTH_MAX);
    return 0;
}

static int fetch_source(struct walk *walk, const struct profile *profile,
                        struct credentials_grant *ret, struct err *err)
{
    if (check_way(walk, profile->source, err) < 0)
        return -1;
    walk->names[walk->n_names++] = profile->source;
    return fetch_profile(walk, profile->source, ret, err);
}

static int fetch_role(struct walk *walk, const struct profile *profile, const struct sts_role *role,
                      struct credentials_grant *ret, struct err *err)
{
    CLEANUP(credentials_grant_release) struct credentials_grant caller = CREDENTIALS_GRANT_INIT;

    if (profile->mode == PROFILE_CHAINED_ROLE_ARN) {
        if (fetch_source(walk, profile, &caller, err) < 0)
            return -1;
    } else if (credentials_keys_copy(profile->access_key_id, profile->access_key_secret,
                                     profile->security_token, &caller.keys, err) < 0) {
        return -1;
    }
    return sts_assume_role(walk->sts, role, &caller.keys, ret, err);
}

static int check_keys(const struct profile *p, struct err *err)
{
    if (credentials_check(p->access_key_id, strlen(p->access_key_id), "access_key_id", err) < 0 ||
        credentials_check(p->access_key_secret, strlen(p->access_key_secret), "access_key_secret",
                          err) < 0)
        return -1;
    return p->security_token ? credentials_check(p->security_token, strlen(p->security_token),
                                                 "security_token", err)
                             : 0;
}

static int fetch_mode(struct walk *walk, const struct profile *p, struct credentials_grant *ret,
                      struct err *err)
{
    const struct sts_role role = {
        .region = p->sts_region,
        .vpc = p->vpc,
        .role_arn = p->role_arn,
        .session_name = p->session_name,
        .policy = p->policy,
        .external_id = p->external_id,
        .duration_s = p->duration_s,
    };

    switch (p->mode) {
    case PROFILE_KEYS:
        if (check_keys(p, err) < 0)
            return -1;
        return credentials_keys_copy(p->access_key_id, p->access_key_secret, p->security_token,
                                     &ret->keys, err);
    case PROFILE_RAM_ROLE_ARN:
        if (check_keys(p, err) < 0)
            return -1;
        return fetch_role(walk, p, &role, ret, err);
    case PROFILE_CHAINED_ROLE_ARN:
        return fetch_role(walk, p, &role, ret, err);
    case PROFILE_ECS_RAM_ROLE:
        return metadata_fetch(walk->sts->http, NULL, p->role_name, ret, err);
    case PROFILE_OIDC:
        break;
    }
    return oidc_fetch(walk->sts, &role, p->oidc_provider_arn, p->oidc_token_file, ret, err);
}

static int fetch_profile(struct walk *walk, const char *name_or_null, struct credentials_grant *ret,
                         struct err *err)
{
    CLEANUP(profile_release) struct profile profile = {.mode = PROFILE_KEYS};

    if (profile_decode(walk->text, walk->len, name_or_null, &profile, err) < 0)
        return -1;
    return fetch_mode(walk, &profile, ret, err);
}

int profile_fetch(const char *path, const char *name_or_null, struct sts *sts,
                  struct credentials_grant *ret, struct err *err)
{
    char *text = NULL;
    size_t len = 0;

    if (profile_file_read(path, &text, &len, err) < 0)
        return err_wrap(err, "file %s", path);
    struct walk walk = {.text = text, .len = len, .sts = sts};
    if (name_or_null)
        walk.names[walk.n_names++] = name_or_null;
    int r = fetch_profile(&walk, name_or_null, ret, err);
    explicit_bzero(text, len);
    free(text);
    return r < 0 ? err_wrap(err, "file %s", path) : 0;
}

/* --- the provider --- */

struct credentials_profile {
    struct credentials_source source; /* first */
    const struct credentials_spec *spec;
    struct sts sts;
};

/* The file of the SDKs: by variable, or below HOME. */
static void add_sdk_path(struct strbuf *out)
{
    const char *path = credentials_variable(CREDENTIALS_VAR_FILE);
    const char *home = credentials_variable(CREDENTIALS_VAR_HOME);

    if (path)
        strbuf_adds(out, path);
    else if (home)
        strbuf_addf(out, "%s/.alibabacloud/credentials", home);
}

/* The configured file, or that of the CLI, or where there is none that of the SDKs. */
static int find_file(const struct credentials_spec *spec, struct strbuf *ret, struct err *err)
{
    const char *home = credentials_variable(CREDENTIALS_VAR_HOME);

    if (credentials_text(spec->file)) {
        strbuf_adds(ret, spec->file);
    } else {
        if (home)
            strbuf_addf(ret, "%s/.aliyun/config.json", home);
        if (!strbuf_ok(ret))
            return err_nomem(err, "path");
        if (!home || (access(ret->ptr, F_OK) < 0 && errno == ENOENT)) {
            strbuf_reset(ret);
            add_sdk_path(ret);
        }
    }
    if (!strbuf_ok(ret))
        return err_nomem(err, "path");
    if (ret->len == 0)
        return err_set(err, ERR_AUTHENTICATION,
                       "file is not set, and neither is HOME for its default");
    return 0;
}

static int profile_get(struct credentials_source *source, struct credentials_grant *ret,
                       struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    struct credentials_profile *s = (struct credentials_profile *)source;
    const char *name = credentials_text(s->spec->profile);

    if (!name)
        name = credentials_variable(CREDENTIALS_VAR_PROFILE);
    if (find_file(s->spec, &path, err) < 0)
        return -1;
    return profile_fetch(path.ptr, name, &s->sts, ret, err);
}

static void profile_stop(struct credentials_source *source)
{
    struct credentials_http *http = ((struct credentials_profile *)source)->sts.http;

    http->ops->stop(http);
}

static void profile_free(struct credentials_source *source)
{
    free(source);
}

struct credentials_source *credentials_profile_new(const struct credentials_spec *spec,
                                                   struct credentials_http *http)
{
    static const struct credentials_source_ops ops = {
        .get = profile_get,
        .stop = profile_stop,
        .free = profile_free,
    };
    struct credentials_profile *s = malloc(sizeof(*s));

    if (s)
        *s = (struct credentials_profile){.source = {&ops}, .spec = spec, .sts = {.http = http}};
    return (struct credentials_source *)s;
}
