/*
 * The vendor's default chain: the first provider that works is kept, so that keys do not change
 * their identity because one of the earlier ones appears. A failure of the kept one alone changes
 * nothing while its keys are good; once they are not, the chain is walked again from its start.
 */
#include "credentials_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "credentials_environment.h"
#include "credentials_metadata.h"
#include "credentials_oidc.h"
#include "credentials_profile.h"

/* Bytes of all reasons together: an err holds 512, and the name of the credentials comes before. */
enum { REASONS_MAX = 380, N_LINKS = 6 };

struct credentials_auto {
    struct credentials_source source; /* first */
    struct credentials_http *http;
    struct credentials_source *env;
    struct credentials_source *uri;
    struct sts sts;
    int kept; /* index of the link that worked; -1 = none */
};

struct link {
    const char *name;
    /* Why it is not even tried, NULL = try it. path is of profiles. */
    const char *(*skip)(void);
    int (*get)(struct credentials_auto *s, struct credentials_grant *ret, struct err *err);
};

/* --- the links --- */

static const char *env_skip(void)
{
    return credentials_variable(CREDENTIALS_VAR_ACCESS_KEY_ID) ||
                   credentials_variable(CREDENTIALS_VAR_ACCESS_KEY_SECRET)
               ? NULL
               : "not set";
}

static int env_get(struct credentials_auto *s, struct credentials_grant *ret, struct err *err)
{
    return s->env->ops->get(s->env, ret, err);
}

static const char *oidc_skip(void)
{
    return credentials_variable(CREDENTIALS_VAR_ROLE_ARN) &&
                   credentials_variable(CREDENTIALS_VAR_OIDC_PROVIDER_ARN) &&
                   credentials_variable(CREDENTIALS_VAR_OIDC_TOKEN_FILE)
               ? NULL
               : "not set";
}

static int oidc_get(struct credentials_auto *s, struct credentials_grant *ret, struct err *err)
{
    const struct sts_role role = {0};

    return oidc_fetch(&s->sts, &role, NULL, NULL, ret, err);
}

static int profile_get(struct credentials_auto *s, const char *below_home, const char *path,
                       struct credentials_grant *ret, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT;

    if (path)
        strbuf_adds(&whole, path);
    else
        strbuf_addf(&whole, "%s/%s", credentials_variable(CREDENTIALS_VAR_HOME), below_home);
    if (!strbuf_ok(&whole))
        return err_nomem(err, "path");
    if (access(whole.ptr, F_OK) < 0 && errno == ENOENT)
        return err_set(err, ERR_AUTHENTICATION, "no file");
    return profile_fetch(whole.ptr, credentials_variable(CREDENTIALS_VAR_PROFILE), &s->sts, ret,
                         err);
}

static const char *cli_skip(void)
{
    if (credentials_variable_is_true(CREDENTIALS_VAR_CLI_PROFILE_DISABLED))
        return "off";
    return credentials_variable(CREDENTIALS_VAR_HOME) ? NULL : "no HOME";
}

static int cli_get(struct credentials_auto *s, struct credentials_grant *ret, struct err *err)
{
    return profile_get(s, ".aliyun/config.json", NULL, ret, err);
}

static const char *ini_skip(void)
{
    return credentials_variable(CREDENTIALS_VAR_FILE) || credentials_variable(CREDENTIALS_VAR_HOME)
               ? NULL
               : "no HOME";
}

static int ini_get(struct credentials_auto *s, struct credentials_grant *ret, struct err *err)
{
    return profile_get(s, ".alibabacloud/credentials", credentials_variable(CREDENTIALS_VAR_FILE),
                       ret, err);
}

static const char *ecs_skip(void)
{
    return credentials_variable_is_true(CREDENTIALS_VAR_ECS_DISABLED) ? "off" : NULL;
}

static int ecs_get(struct credentials_auto *s, struct credentials_grant *ret, struct err *err)
{
    return metadata_fetch(s->http, NULL, credentials_variable(CREDENTIALS_VAR_ECS_ROLE), ret, err);
}

static const char *uri_skip(void)
{
    return credentials_variable(CREDENTIALS_VAR_URI) ? NULL : "not set";
}

static int uri_get(struct credentials_auto *s, struct credentials_grant *ret, struct err *err)
{
    return s->uri->ops->get(s->uri, ret, err);
}

static const struct link links[N_LINKS] = {
    {"env", env_skip, env_get},          {"oidc_role_arn", oidc_skip, oidc_get},
    {"CLI profile", cli_skip, cli_get},  {"SDK profile", ini_skip, ini_get},
    {"ecs_ram_role", ecs_skip, ecs_get}, {"credentials_uri", uri_skip, uri_get},
};

/* --- the chain --- */

/* Every link is named; those with much to say share what the others leave. */
static int tell_all(char reasons[N_LINKS][sizeof(((struct err *)0)->msg)], struct err *err)
{
    enum { SHORT = 24 };
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    size_t room = REASONS_MAX, n_long = 0;

    for (size_t i = 0; i < N_LINKS; i++) {
        size_t len = strlen(reasons[i]);

        n_long += len > SHORT;
        room -= strlen(links[i].name) + 4 + (len > SHORT ? 0 : len);
    }
    for (size_t i = 0; i < N_LINKS; i++) {
        size_t len = strlen(reasons[i]);
        size_t most = len > SHORT ? room / n_long : len;

        strbuf_addf(&text, "%s%s: %.*s%s", i ? "; " : "", links[i].name, (int)most, reasons[i],
                    len > most ? ".." : "");
    }
    if (!strbuf_ok(&text))
        return err_nomem(err, "credentials");
    return err_set(err, ERR_AUTHENTICATION, "no provider of the chain works: %s", text.ptr);
}

static int try_link(struct credentials_auto *s, size_t i, struct credentials_grant *ret,
                    struct err *err)
{
    const char *skip = links[i].skip();

    if (skip)
        return err_set(err, ERR_AUTHENTICATION, "%s", skip);
    return links[i].get(s, ret, err);
}

static int auto_get(struct credentials_source *source, struct credentials_grant *ret,
                    struct err *err)
{
    struct credentials_auto *s = (struct credentials_auto *)source;
    char reasons[N_LINKS][sizeof(err->msg)];

    if (s->kept >= 0) {
        if (try_link(s, (size_t)s->kept, ret, err) < 0)
            return err_wrap(err, "%s", links[s->kept].name);
        return 0;
    }
    for (size_t i = 0; i < N_LINKS; i++) {
        struct err reason = {0};

        if (try_link(s, i, ret, &reason) == 0) {
            s->kept = (int)i;
            return 0;
        }
        if (reason.kind == ERR_STOPPED || reason.kind == ERR_NOMEM) {
            *err = reason;
            return -1;
        }
        memcpy(reasons[i], reason.msg, sizeof(reasons[i]));
    }
    return tell_all(reasons, err);
}

static void auto_exhausted(struct credentials_source *source)
{
    ((struct credentials_auto *)source)->kept = -1;
}

static void auto_stop(struct credentials_source *source)
{
    struct credentials_http *http = ((struct credentials_auto *)source)->http;

    http->ops->stop(http);
}

static void auto_free(struct credentials_source *source)
{
    struct credentials_auto *s = (struct credentials_auto *)source;

    if (s->env)
        s->env->ops->free(s->env);
    if (s->uri)
        s->uri->ops->free(s->uri);
    free(s);
}

struct credentials_source *credentials_auto_new(struct credentials_http *http)
{
    static const struct credentials_source_ops ops = {
        .get = auto_get,
        .exhausted = auto_exhausted,
        .stop = auto_stop,
        .free = auto_free,
    };
    static const struct credentials_spec nothing_given = {.provider = CREDENTIALS_URI};
    struct credentials_auto *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->source.ops = &ops;
    s->http = http;
    s->sts.http = http;
    s->kept = -1;
    s->env = credentials_env_new();
    s->uri = credentials_uri_new(&nothing_given, http);
    if (!s->env || !s->uri) {
        auto_free((struct credentials_source *)s);
        return NULL;
    }
    return (struct credentials_source *)s;
}
