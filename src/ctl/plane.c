#include "plane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "api/credentials.h"
#include "api/session.h"
#include "base/build_info.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "complain.h"

/* --- what was asked for --- */

static int load(struct plane *p, const struct options *options)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    struct err err = {0};

    if (conf_load(options->config_file, &p->conf, &problems, &err) == 0)
        return 0;
    complain("the configuration cannot be used");
    if (problems.len == 0 || !strbuf_ok(&problems))
        complain("%s", err.msg);
    for (const char *line = strbuf_str(&problems); *line;) {
        size_t len = strcspn(line, "\n");

        tell("%.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
    if (access(options->config_file, R_OK) < 0)
        tell("--config.file=FILE names another one");
    return -1;
}

/* "a, b and c". */
static void join(struct strbuf *out, size_t i, size_t n, const char *name)
{
    strbuf_addf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", name);
}

static enum exit_code select_target(struct plane *p, const char *name)
{
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
    const struct conf *conf = p->conf;
    struct nearest nearest = nearest_to(name ? name : "");

    for (size_t i = 0; i < conf->n_targets; i++) {
        if (name ? strcmp(conf->targets[i].name, name) == 0 : conf->n_targets == 1) {
            p->target = conf->targets[i];
            return CTL_DONE;
        }
        nearest_offer(&nearest, conf->targets[i].name);
        join(&names, i, conf->n_targets, conf->targets[i].name);
    }
    if (!name)
        complain("%zu targets are configured, say which with --target: %s", conf->n_targets,
                 strbuf_str(&names));
    else if (nearest.best)
        complain("there is no target '%s', did you mean '%s'?", name, nearest.best);
    else
        complain("there is no target '%s', only %s", name, strbuf_str(&names));
    return CTL_USAGE;
}

static enum exit_code select_namespace(struct plane *p, const char *name, bool all)
{
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;
    const struct target *t = &p->target;
    struct nearest nearest = nearest_to(name ? name : "");

    if (!name && all)
        return CTL_DONE;
    for (size_t i = 0; i < t->n_namespaces; i++) {
        if (name ? strcmp(t->namespaces[i], name) == 0 : t->n_namespaces == 1) {
            p->namespace_name = t->namespaces[i];
            return CTL_DONE;
        }
        nearest_offer(&nearest, t->namespaces[i]);
        join(&names, i, t->n_namespaces, t->namespaces[i]);
    }
    if (!name)
        complain("target '%s' has %zu namespaces, say which with --namespace: %s", t->name,
                 t->n_namespaces, strbuf_str(&names));
    else if (nearest.best)
        complain("target '%s' has no namespace '%s', did you mean '%s'?", t->name, name,
                 nearest.best);
    else
        complain("target '%s' has no namespace '%s', only %s", t->name, name, strbuf_str(&names));
    return CTL_USAGE;
}

enum exit_code plane_select(struct plane *p, const struct options *options, bool all_namespaces)
{
    enum exit_code code;

    if (load(p, options) < 0)
        return CTL_FAILED;
    code = select_target(p, options->target);
    return code != CTL_DONE ? code : select_namespace(p, options->namespace_name, all_namespaces);
}

/* --- client --- */

/* Only those of the target are made. */
static int make_credentials(struct plane *p, struct err *err)
{
    const struct conf *conf = p->conf;
    const size_t wanted = (size_t)(p->target.credentials - conf->credentials);
    CLEANUP(freep) bool *used = calloc(conf->n_credentials, sizeof(*used));

    if (!used)
        return err_nomem(err, "the credentials");
    used[wanted] = true;
    if (credentials_pool_make(conf->credentials, conf->n_credentials, used, NULL, p->session,
                              &p->pool, err) < 0)
        return -1;
    p->credentials = p->pool.items[wanted];
    return 0;
}

static int connect_parts(struct plane *p, struct err *err)
{
    char user_agent[128];

    snprintf(user_agent, sizeof(user_agent), PROGRAM_NAME "/%s", build_version);
    p->registry = registry_new();
    if (!p->registry)
        return err_nomem(err, "the client");
    /* Signals are taken by one thread: it comes before those that fetch keys. */
    if (api_session_new(p->registry, user_agent, &p->session, err) < 0 ||
        make_credentials(p, err) < 0 || api_client_new(p->session, &p->client, err) < 0)
        return -1;
    return interrupt_start(p->client, &p->pool, &p->interrupt, err);
}

enum exit_code plane_connect(struct plane *p)
{
    struct err err = {0};

    if (connect_parts(p, &err) == 0)
        return CTL_DONE;
    complain("cannot start: %s", err.msg);
    return CTL_FAILED;
}

enum exit_code plane_open(struct plane *p, const struct options *options)
{
    enum exit_code code = plane_select(p, options, false);

    return code != CTL_DONE ? code : plane_connect(p);
}

void plane_close(struct plane *p)
{
    interrupt_free(p->interrupt);
    api_client_free(p->client);
    credentials_pool_release(&p->pool);
    api_session_free(p->session);
    registry_free(p->registry);
    conf_unref(p->conf);
    *p = PLANE_INIT;
}

struct api_request plane_request(const struct plane *p)
{
    return (struct api_request){
        .target = &p->target,
        .namespace_name = p->namespace_name,
        .credentials = p->credentials,
        .deadline_mono_ms = clock_mono_ms() + p->target.deadline_ms,
    };
}

enum exit_code plane_failed(const struct plane *p, const char *what, const struct err *err)
{
    const char *advice = advice_for(err);

    if (err->kind == ERR_STOPPED) {
        complain("interrupted");
        return CTL_FAILED;
    }
    complain("%s of target '%s', namespace '%s': %s", what, p->target.name,
             p->namespace_name ? p->namespace_name : "", err->msg);
    if (advice)
        tell("%s", advice);
    return CTL_FAILED;
}
