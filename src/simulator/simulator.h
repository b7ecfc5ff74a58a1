/*
 * The simulator's parts, and the settings that may change while it runs.
 *
 * Each part guards itself; the settings are copied under their lock, once per request.
 */
#ifndef SIMULATOR_SIMULATOR_H
#define SIMULATOR_SIMULATOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "faults.h"
#include "halt.h"
#include "issuer.h"
#include "nonces.h"
#include "rng.h"
#include "stats.h"
#include "throttle.h"
#include "verify.h"
#include "world.h"

/* Who hands out temporary keys; NONE is the API, which does not. */
enum source_kind { SOURCE_NONE, SOURCE_STS, SOURCE_METADATA, SOURCE_URI, SOURCE_END };

/* What it answers. */
enum source_mode {
    SOURCE_OK,
    SOURCE_FAIL,      /* 503 */
    SOURCE_DENY,      /* STS: no permission; the others: a "Code" that is not Success */
    SOURCE_MALFORMED, /* half of the JSON */
    SOURCE_HANG,
    SOURCE_V1_ONLY, /* metadata: no tokens, and none needed */
    SOURCE_NO_ROLE, /* metadata: 404 */
};

struct source_settings {
    enum source_mode mode;
    int64_t lifetime_s; /* of what it issues; -1 = what was asked for, or an hour */
};

struct settings {
    char key_id[128];
    char key_secret[256];
    char token[4096];         /* "" = a plain access key */
    char expired_token[4096]; /* the one before, if it was changed */
    bool verify;
    bool access_denied_as_business; /* else 403 from the gateway */
    bool bad_page_as_business;      /* else 400 */
    int throttle_status;            /* 429 or 400 */
    double rate_limit;              /* calls per second, operation and account; 0 = none */
    int64_t latency_ms;
    int64_t clock_offset_ms;    /* how far the server's clock is ahead of the real one */
    double churn;               /* events per second */
    bool missing_name_is_error; /* GetDeploymentsByName finds nothing: 990301 instead of [] */
    bool patch_merges;          /* members left out of a PATCH stay */
    bool ignore_locks;
    int64_t ticket_polls;   /* that find a new ticket executing; -1 = only time counts */
    int64_t ticket_time_ms; /* after which it ends; -1 = only polls count */
    struct source_settings sources[SOURCE_END];
    char metadata_role[128];
};

struct simulator {
    struct world *world;
    struct fault_set *faults;
    struct nonces *nonces;
    struct issuer *issuer;
    struct throttle *throttle;
    struct stats *stats;
    struct halt halt;

    pthread_mutex_t mu; /* the settings and the numbers of request ids */
    struct settings settings;
    struct rng rng;
};

/* Everything as it is before any flag: plain keys, no faults, each source at work. */
extern const struct settings settings_default;

struct simulator_conf {
    struct world_conf world;
    struct settings settings;
    const char *const *namespaces;
    size_t n_namespaces;
    size_t n_deployments;  /* generated in each namespace */
    size_t n_drafts;       /* likewise */
    const char *load_file; /* NULL = none */
    const struct fault *faults;
    size_t n_faults;
};

int simulator_new(const struct simulator_conf *conf, struct simulator **ret,
                  struct err *err) MUST_CHECK;
void simulator_free(struct simulator *s);

void simulator_settings(struct simulator *s, struct settings *ret);
void simulator_set_settings(struct simulator *s, const struct settings *settings);

/* An upper-case UUID that no other request has. */
void simulator_request_id(struct simulator *s, char out[RNG_UUID_LEN]);

/* The server's idea of now. */
int64_t simulator_unix_ms(const struct settings *settings);

#endif
