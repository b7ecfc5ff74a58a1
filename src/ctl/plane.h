/*
 * The control plane as a command sees it: the target that was asked for, one namespace of it, and a
 * client that Ctrl-C stops. One thread.
 */
#ifndef PLANE_H
#define PLANE_H

#include "api/client.h"
#include "command.h"
#include "conf/conf.h"
#include "interrupt.h"
#include "metrics/registry.h"
#include "options.h"

struct plane {
    struct conf *conf;
    struct registry *registry;
    struct api_session *session;
    struct credentials_pool pool;    /* the target's credentials, and what they are made of */
    struct credentials *credentials; /* in the pool */
    struct api_client *client;
    struct interrupt *interrupt;
    struct target target;       /* a copy that a command may change; its strings are of conf */
    const char *namespace_name; /* NULL = not asked for, where that is allowed */
    struct api_stats stats;     /* of the last call; nobody looks at it */
};

#define PLANE_INIT ((struct plane){0})

/*
 * Reads the configuration and selects target and namespace, but connects nowhere. What is wrong is
 * said on stderr: CTL_USAGE where flags can mend it, CTL_FAILED else. all_namespaces: a missing
 * --namespace means all of the target.
 */
enum exit_code plane_select(struct plane *p, const struct options *options, bool all_namespaces);

/* Makes the client; what is wrong is said on stderr. */
enum exit_code plane_connect(struct plane *p);

/* Both. */
enum exit_code plane_open(struct plane *p, const struct options *options);

/* CLEANUP(plane_close). */
void plane_close(struct plane *p);

/* For the next call: within the target's deadline from now. */
struct api_request plane_request(const struct plane *p);

/*
 * Says on stderr that a call failed, with what can be done about it; returns CTL_FAILED. what is
 * "cannot list the deployments" or the like.
 */
enum exit_code plane_failed(const struct plane *p, const char *what, const struct err *err);

#endif
