#include "listing.h"

#include <string.h>

#include "base/quantity.h"

static int read_number(const struct uri_query *params, const char *key, size_t lo, size_t hi,
                       size_t *ret, struct err *err)
{
    const char *text = uri_query_get(params, key);
    uint64_t v;
    if (!text)
        return 0;
    if (quantity_parse_u64(text, &v) < 0 || v < lo || v > hi)
        return err_set(err, ERR_PARSE, "The specified parameter %s is not valid.", key);
    *ret = (size_t)v;
    return 0;
}

static int read_choice(const struct uri_query *params, const char *key, const char *const *choices,
                       const char **ret, struct err *err)
{
    const char *text = uri_query_get(params, key);
    if (!text || !*text)
        return 0;
    for (; *choices; choices++) {
        if (strcmp(text, *choices) == 0) {
            *ret = *choices;
            return 0;
        }
    }
    return err_set(err, ERR_PARSE, "The specified parameter %s is not valid.", key);
}

int listing_query_read_page(struct listing_query *q, const struct uri_query *params,
                            struct err *err)
{
    *q = (struct listing_query){.page_index = 1, .page_size = LISTING_DEFAULT_PAGE_SIZE};
    if (read_number(params, "pageIndex", 1, INT32_MAX, &q->page_index, err) < 0)
        return -1;
    return read_number(params, "pageSize", 1, LISTING_MAX_PAGE_SIZE, &q->page_size, err);
}

int listing_query_read(struct listing_query *q, const struct uri_query *params, struct err *err)
{
    static const char *const modes[] = {"STREAMING", "BATCH", NULL};
    static const char *const statuses[] = {"RUNNING",  "FAILED",        "CANCELLED",
                                           "FINISHED", "TRANSITIONING", NULL};
    static const char *const orders[] = {"gmt_create", "gmt_modified", NULL};
    const char *order = NULL;
    if (listing_query_read_page(q, params, err) < 0 ||
        read_choice(params, "executionMode", modes, &q->execution_mode, err) < 0 ||
        read_choice(params, "status", statuses, &q->status, err) < 0 ||
        read_choice(params, "sortName", orders, &order, err) < 0)
        return -1;
    if (order)
        q->sort = order == orders[0] ? WORLD_SORT_CREATED : WORLD_SORT_MODIFIED;
    q->name = uri_query_get(params, "name");
    q->creator = uri_query_get(params, "creator");
    q->modifier = uri_query_get(params, "modifier");
    q->label_key = uri_query_get(params, "labelKey");
    q->label_values = uri_query_get(params, "labelValueArray");
    return 0;
}

static bool given(const char *filter)
{
    return filter && *filter;
}

static bool same(const char *filter, const char *value)
{
    return !given(filter) || (value && strcmp(filter, value) == 0);
}

static bool status_matches(const char *status, enum job_state newest)
{
    if (!given(status))
        return true;
    if (strcmp(status, "TRANSITIONING") == 0)
        return newest == JOB_STARTING || newest == JOB_CANCELLING;
    const char *is = job_state_status(newest);
    return is && strcmp(status, is) == 0;
}

static bool value_listed(const char *list, const char *value)
{
    size_t want = strlen(value);
    for (;;) {
        size_t len = strcspn(list, ";");
        if (len == want && strncmp(list, value, len) == 0)
            return true;
        if (!list[len])
            return false;
        list += len + 1;
    }
}

static bool label_matches(const struct listing_query *q, const struct deployment *d)
{
    if (!given(q->label_key))
        return true;
    CLEANUP(cjson_deletep) cJSON *labels = json_parse(d->labels.ptr, d->labels.len);
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(labels, q->label_key);
    if (!v || !given(q->label_values))
        return v;
    struct strbuf text = STRBUF_INIT;
    if (cJSON_IsString(v))
        strbuf_adds(&text, v->valuestring);
    else if (cJSON_IsNumber(v))
        strbuf_add_double(&text, v->valuedouble);
    else if (cJSON_IsBool(v))
        strbuf_adds(&text, cJSON_IsTrue(v) ? "true" : "false");
    bool listed =
        (cJSON_IsString(v) || text.len) && value_listed(q->label_values, strbuf_str(&text));
    strbuf_release(&text);
    return listed;
}

static bool matches(const struct listing_query *q, const struct deployment *d)
{
    if (given(q->name) && !(d->name && strstr(d->name, q->name)))
        return false;
    return status_matches(q->status, d->newest) && same(q->execution_mode, d->execution_mode) &&
           same(q->creator, d->creator) && same(q->modifier, d->modifier) && label_matches(q, d);
}

static bool has_filter(const struct listing_query *q)
{
    return given(q->name) || given(q->status) || given(q->execution_mode) || given(q->creator) ||
           given(q->modifier) || given(q->label_key);
}

/* One walk: counts the matches and keeps those from `first` on. */
static void collect(struct deployment *const *all, size_t n_all, const struct listing_query *q,
                    size_t first, struct listing_page *ret)
{
    ret->total = 0;
    ret->n_items = 0;
    for (size_t i = 0; i < n_all; i++) {
        if (!matches(q, all[i]))
            continue;
        if (ret->total >= first && ret->n_items < q->page_size)
            ret->items[ret->n_items++] = all[i];
        ret->total++;
    }
}

static void select_page(struct deployment *const *all, size_t n_all, const struct listing_query *q,
                        size_t first, struct listing_page *ret)
{
    if (has_filter(q)) {
        collect(all, n_all, q, first, ret);
        return;
    }
    ret->total = n_all;
    ret->n_items = 0;
    for (size_t i = first; i < n_all && ret->n_items < q->page_size; i++)
        ret->items[ret->n_items++] = all[i];
}

int listing_select(struct world_namespace *ns, const struct listing_query *q, bool wrap,
                   struct listing_page *ret)
{
    struct deployment *const *all = world_sorted(ns, q->sort);
    if (!all && ns->n_deployments)
        return -1;
    size_t first = (q->page_index - 1) * q->page_size;
    select_page(all, ns->n_deployments, q, first, ret);
    if (!wrap || !ret->total)
        return 0;
    for (size_t i = ret->n_items; i < q->page_size; i++) {
        struct listing_page one;
        struct listing_query next = *q;
        next.page_size = 1;
        select_page(all, ns->n_deployments, &next, (first + i) % ret->total, &one);
        if (!one.n_items)
            break;
        ret->items[ret->n_items++] = one.items[0];
    }
    return 0;
}
