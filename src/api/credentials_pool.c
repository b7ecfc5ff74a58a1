/* A configuration's credentials, made together because some take their keys from others. */
#include "api/credentials.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct making {
    const struct credentials_spec *specs;
    const struct credentials_pool *old;
    struct api_session *session;
    struct credentials_pool pool;
};

void credentials_pool_release(struct credentials_pool *pool)
{
    for (size_t i = 0; i < pool->n_items; i++)
        credentials_unref(pool->items[i]);
    free(pool->items);
    *pool = (struct credentials_pool){0};
}

static bool holds(const struct credentials_pool *pool, const struct credentials *c)
{
    for (size_t i = 0; pool && i < pool->n_items; i++)
        if (pool->items[i] == c)
            return true;
    return false;
}

void credentials_pool_stop(const struct credentials_pool *pool, const struct credentials_pool *kept)
{
    for (size_t i = 0; i < pool->n_items; i++)
        if (pool->items[i] && !holds(kept, pool->items[i]))
            credentials_stop(pool->items[i]);
}

static size_t find(const struct making *m, const char *name)
{
    for (size_t i = 0; i < m->pool.n_items; i++)
        if (m->specs[i].name && strcmp(m->specs[i].name, name) == 0)
            return i;
    assert(false); /* the configuration was checked */
    return 0;
}

/* The old provider where its settings are the same, so that it keeps what it holds. */
static struct credentials *find_old(const struct making *m, const struct credentials_spec *spec,
                                    const struct credentials *source)
{
    for (size_t i = 0; m->old && i < m->old->n_items; i++)
        if (m->old->items[i] && credentials_same(m->old->items[i], spec, source))
            return m->old->items[i];
    return NULL;
}

/* Sources first: as many steps as there are specs, for each goes one nearer to the end. */
static int make_item(struct making *m, size_t i, size_t depth, struct err *err)
{
    const struct credentials_spec *spec = &m->specs[i];
    struct credentials *source = NULL;

    if (m->pool.items[i])
        return 0;
    if (depth > m->pool.n_items)
        return err_set(err, ERR_INTERNAL, "credentials take their keys from themselves");
    if (spec->provider == CREDENTIALS_RAM_ROLE_ARN) {
        size_t from = find(m, spec->source);
        if (make_item(m, from, depth + 1, err) < 0)
            return -1;
        source = m->pool.items[from];
    }
    struct credentials *old = find_old(m, spec, source);
    if (old) {
        m->pool.items[i] = credentials_ref(old);
        return 0;
    }
    return credentials_new(spec, source, m->session, &m->pool.items[i], err);
}

int credentials_pool_make(const struct credentials_spec *specs, size_t n_specs, const bool *used,
                          const struct credentials_pool *old, struct api_session *session,
                          struct credentials_pool *ret, struct err *err)
{
    struct making m = {.specs = specs, .old = old, .session = session};

    m.pool.items = calloc(n_specs ? n_specs : 1, sizeof(struct credentials *));
    if (!m.pool.items)
        return err_nomem(err, "the credentials");
    m.pool.n_items = n_specs;
    for (size_t i = 0; i < n_specs; i++) {
        if (used[i] && make_item(&m, i, 0, err) < 0) {
            credentials_pool_release(&m.pool);
            return -1;
        }
    }
    *ret = m.pool;
    return 0;
}
