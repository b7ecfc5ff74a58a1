/*
 * Keys of a role, asked for with the keys of other credentials of the configuration. Those have a
 * cache of their own, and a token of theirs that STS refuses is refused like any other: they fetch
 * anew.
 */
#include "credentials_source.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "credentials_sts.h"

struct credentials_role {
    struct credentials_source source; /* first */
    const struct credentials_spec *spec;
    struct credentials *from;
    struct sts sts;
    atomic_bool stopped;
};

static int role_get(struct credentials_source *source, struct credentials_grant *ret,
                    struct err *err)
{
    CLEANUP(credentials_keys_release) struct credentials_keys caller = {0};
    struct credentials_role *s = (struct credentials_role *)source;
    const struct sts_role role = {
        .endpoint = s->spec->sts_endpoint,
        .role_arn = s->spec->role_arn,
        .session_name = s->spec->role_session_name,
    };

    if (credentials_get_unless(s->from, &s->stopped, &caller, err) < 0)
        return err_wrap(err, "source");
    if (sts_assume_role(&s->sts, &role, &caller, ret, err) < 0) {
        if (s->sts.token_refused)
            credentials_invalidate(s->from, caller.generation);
        return -1;
    }
    return 0;
}

static void role_stop(struct credentials_source *source)
{
    struct credentials_role *s = (struct credentials_role *)source;

    atomic_store(&s->stopped, true);
    credentials_wake(s->from);
    s->sts.http->ops->stop(s->sts.http);
}

static void role_free(struct credentials_source *source)
{
    free(source);
}

struct credentials_source *credentials_role_new(const struct credentials_spec *spec,
                                                struct credentials_http *http,
                                                struct credentials *from)
{
    static const struct credentials_source_ops ops = {
        .get = role_get,
        .stop = role_stop,
        .free = role_free,
    };
    struct credentials_role *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->source.ops = &ops;
    s->spec = spec;
    s->from = from;
    s->sts.http = http;
    atomic_init(&s->stopped, false);
    return (struct credentials_source *)s;
}
