/*
 * Drafts come sorted by their own ids, and refer to deployments by others. Once put in the order of
 * those, one pass over them and the packed deployments joins the two; blocks that nobody refers to
 * are not unpacked.
 */
#include "drift.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool both_told_and_differ(const char *a, const char *b)
{
    return *a && *b && strcmp(a, b) != 0;
}

int8_t drift_of(const struct draft *draft, const struct deployment *deployment)
{
    if (!*draft->deployment_id || !deployment)
        return -1;
    if (both_told_and_differ(draft->execution_mode, deployment->execution_mode) ||
        both_told_and_differ(draft->engine_version, deployment->engine_version) ||
        both_told_and_differ(draft->artifact_kind, deployment->artifact_kind))
        return 1;
    if (draft->content_hash != 0 && deployment->content_hash != 0)
        return draft->content_hash != deployment->content_hash;
    if (draft->modified_unix_s <= 0 || deployment->modified_unix_s <= 0)
        return -1;
    return draft->modified_unix_s > deployment->modified_unix_s;
}

static int by_deployment(const void *left, const void *right, void *drafts)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    const struct draft *d = drafts;
    int order = strcmp(d[a].deployment_id, d[b].deployment_id);

    return order ? order : (a > b) - (a < b);
}

size_t drift_order(const struct draft *drafts, size_t n, uint32_t *order)
{
    size_t n_order = 0;

    for (size_t i = 0; i < n; i++)
        if (*drafts[i].deployment_id)
            order[n_order++] = (uint32_t)i;
    if (n_order > 1)
        qsort_r(order, n_order, sizeof(*order), by_deployment, (void *)(uintptr_t)drafts);
    return n_order;
}

/* The drafts, in order, whose deployments are still to be looked for. */
struct seekers {
    const struct draft *drafts;
    const uint32_t *order;
    size_t n;
    int8_t *ret;
};

static const char *sought(const struct seekers *s)
{
    return s->drafts[s->order[0]].deployment_id;
}

static void go_on(struct seekers *s, int8_t drift)
{
    s->ret[s->order[0]] = drift;
    s->order++;
    s->n--;
}

/* Those that refer to a deployment of the view, or to none up to its last. */
static void join(struct seekers *s, const struct records_view *view)
{
    for (size_t i = 0; i < view->n_items; i++) {
        int order = -1;

        while (s->n > 0 && (order = strcmp(sought(s), view->items[i].id)) < 0)
            go_on(s, -1);
        for (; s->n > 0 && order == 0; order = s->n > 0 ? strcmp(sought(s), view->items[i].id) : 1)
            go_on(s, drift_of(&s->drafts[s->order[0]], &view->items[i]));
    }
}

int drift_find(const struct draft *drafts, size_t n, const uint32_t *order, size_t n_order,
               const struct records *deployments, int8_t *ret, struct err *err)
{
    CLEANUP(records_view_release) struct records_view view = RECORDS_VIEW_INIT;
    struct seekers s = {drafts, order, n_order, ret};

    memset(ret, -1, n);
    for (size_t b = 0; deployments && b < deployments->n_blocks && s.n > 0; b++) {
        const struct record_block *block = deployments->blocks[b];
        bool is_last = b + 1 == deployments->n_blocks;

        if (!is_last && strcmp(sought(&s), record_block_first_id(deployments->blocks[b + 1])) >= 0)
            continue; /* all of this block comes before it */
        if (records_view_load(&view, block, err) < 0)
            return -1;
        join(&s, &view);
    }
    return 0;
}
