#include "simulator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "draft.h"

/* 100 calls a second for a quarter of an hour are 90,000. */
#define MAX_NONCES     262144

#define MAX_LOAD_BYTES ((size_t)2 << 30)

const struct settings settings_default = {
    .verify = true,
    .throttle_status = 429,
    .rate_limit = 100,
    .ticket_polls = 2,
    .ticket_time_ms = -1,
    .sources =
        {
            [SOURCE_STS] = {.lifetime_s = -1},
            [SOURCE_METADATA] = {.lifetime_s = -1},
            [SOURCE_URI] = {.lifetime_s = -1},
        },
    .metadata_role = "FlinkMonRole",
};

static int read_file(const char *path, struct strbuf *out, struct err *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    out->limit = MAX_LOAD_BYTES;
    char piece[65536];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        strbuf_add(out, piece, n);
    bool failed = ferror(f);
    fclose(f);
    if (failed || !strbuf_ok(out))
        return err_set(err, ERR_IO, "%s: cannot be read", path);
    return 0;
}

static int load(struct simulator *s, const struct simulator_conf *conf, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    if (read_file(conf->load_file, &text, err) < 0)
        return -1;
    struct world_load l = {.text = strbuf_str(&text),
                           .len = text.len,
                           .fallback = conf->namespaces[0],
                           .by_object = true};
    if (world_load(s->world, &l, err) < 0)
        return err_wrap(err, "%s", conf->load_file);
    return 0;
}

static int populate(struct simulator *s, const struct simulator_conf *conf, struct err *err)
{
    for (size_t i = 0; i < conf->n_namespaces; i++) {
        struct world_namespace *ns;
        if (world_add_namespace(s->world, conf->namespaces[i], &ns, err) < 0 ||
            world_generate(s->world, ns, conf->n_deployments, 0, err) < 0)
            return -1;
    }
    if (conf->load_file && load(s, conf, err) < 0)
        return -1;
    for (size_t i = 0; conf->n_drafts && i < s->world->n_namespaces; i++) {
        if (drafts_generate(s->world, s->world->namespaces[i], conf->n_drafts, err) < 0)
            return -1;
    }
    return fault_set_replace(s->faults, conf->faults, conf->n_faults, err);
}

int simulator_new(const struct simulator_conf *conf, struct simulator **ret, struct err *err)
{
    struct simulator *s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(err, "simulator");
    if (halt_init(&s->halt) < 0 || pthread_mutex_init(&s->mu, NULL) != 0) {
        free(s);
        return err_nomem(err, "simulator");
    }
    s->settings = conf->settings;
    s->rng.state = rng_mix(conf->world.seed, (uint64_t)clock_unix_ms());
    s->faults = fault_set_new(rng_mix(conf->world.seed, 0x6661756c74));
    s->nonces = nonces_new(MAX_NONCES, VERIFY_TOLERANCE_S * 1000);
    s->issuer = issuer_new(rng_mix(s->rng.state, 0x6b657973));
    s->throttle = throttle_new();
    s->stats = stats_new();
    if (!s->faults || !s->nonces || !s->issuer || !s->throttle || !s->stats) {
        simulator_free(s);
        return err_nomem(err, "simulator");
    }
    struct world_conf world = conf->world;
    world.drafts = conf->n_drafts > 0;
    if (world_new(&world, &s->world, err) < 0 || populate(s, conf, err) < 0) {
        simulator_free(s);
        return -1;
    }
    *ret = s;
    return 0;
}

void simulator_free(struct simulator *s)
{
    if (!s)
        return;
    world_free(s->world);
    fault_set_free(s->faults);
    nonces_free(s->nonces);
    issuer_free(s->issuer);
    throttle_free(s->throttle);
    stats_free(s->stats);
    pthread_mutex_destroy(&s->mu);
    halt_release(&s->halt);
    free(s);
}

void simulator_settings(struct simulator *s, struct settings *ret)
{
    pthread_mutex_lock(&s->mu);
    *ret = s->settings;
    pthread_mutex_unlock(&s->mu);
}

void simulator_set_settings(struct simulator *s, const struct settings *settings)
{
    pthread_mutex_lock(&s->mu);
    s->settings = *settings;
    pthread_mutex_unlock(&s->mu);
}

void simulator_request_id(struct simulator *s, char out[RNG_UUID_LEN])
{
    pthread_mutex_lock(&s->mu);
    rng_uuid(&s->rng, out, true);
    pthread_mutex_unlock(&s->mu);
}

int64_t simulator_unix_ms(const struct settings *settings)
{
    return clock_unix_ms() + settings->clock_offset_ms;
}
