#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alloc_fail.h"

void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

struct rig rig;

int rig_try_start(struct rig *r, bool once, struct err *err)
{
    CLEANUP(conf_unrefp) struct conf *conf = fake_conf_new(&r->settings);
    const struct scheduler_options options = {
        .conf = conf, .registry = r->registry, .slot = r->slot, .once = once};

    return conf ? scheduler_start(&options, &r->scheduler, err) : err_nomem(err, "");
}

void rig_init(struct rig *r, size_t n)
{
    *r = (struct rig){.registry = registry_new(), .slot = snapshot_slot_new()};
    assert_true(r->registry && r->slot);
    fake_reset();
    fake_settings_init(&r->settings, n);
}

void rig_start(struct rig *r, bool once)
{
    struct err err;

    if (rig_try_start(r, once, &err) < 0)
        fail_msg("%s", err.msg);
}

void rig_stop(struct rig *r)
{
    scheduler_stop(TAKE(r->scheduler));
    registry_free(TAKE(r->registry));
    snapshot_slot_free(TAKE(r->slot));
    assert_int_equal(fake_confs_alive(), 0);
    assert_int_equal(fake_credentials_alive(), 0);
}

int rig_clean_up(void **state)
{
    (void)state;
    alloc_fail_off();
    rig_stop(&rig);
    return 0;
}

int rig_try_reload(struct rig *r, struct err *err)
{
    CLEANUP(conf_unrefp) struct conf *conf = fake_conf_new(&r->settings);

    assert_non_null(conf);
    return scheduler_reload(r->scheduler, conf, err);
}

void rig_reload(struct rig *r)
{
    struct err err;

    if (rig_try_reload(r, &err) < 0)
        fail_msg("%s", err.msg);
}

bool published(const struct rig *r, const char *text)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(r->slot);
    CLEANUP(strbuf_release) struct strbuf all = STRBUF_INIT;
    struct piece *const *pieces;
    size_t n;

    assert_non_null(s);
    pieces = snapshot_pieces(s, EXPO_TEXT, &n);
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *piece = piece_text(pieces[i], &len);

        strbuf_add(&all, piece, len);
    }
    return strstr(strbuf_str(&all), text) != NULL;
}

bool published_value(const struct rig *r, const char *name, const char *ns, const char *more,
                     const char *value)
{
    char line[256];

    snprintf(line, sizeof(line), "\naliyun_flink_%s{workspace=\"w\",flink_namespace=\"%s\"%s} %s\n",
             name, ns, more, value);
    return published(r, line);
}

void rig_every(struct rig *r, int64_t interval_ms)
{
    for (size_t i = 0; i < r->settings.n_targets; i++) {
        r->settings.targets[i].interval_ms = interval_ms;
        r->settings.targets[i].max_backoff_ms = interval_ms;
    }
}
