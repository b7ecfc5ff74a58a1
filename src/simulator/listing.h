/*
 * Which deployments a ListDeployments call means: filters, order and page. Pure over a locked
 * namespace.
 */
#ifndef SIMULATOR_LISTING_H
#define SIMULATOR_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "uri.h"
#include "world.h"

#define LISTING_MAX_PAGE_SIZE     100
#define LISTING_DEFAULT_PAGE_SIZE 10

/* The strings belong to the query they were read from; NULL or "" = no filter. */
struct listing_query {
    size_t page_index;
    size_t page_size;
    const char *name;
    const char *execution_mode;
    const char *status;
    const char *creator;
    const char *modifier;
    const char *label_key;
    const char *label_values; /* separated by ';' */
    enum world_sort sort;
};

/* -1 and a message that names the parameter if one is out of range. */
int listing_query_read(struct listing_query *q, const struct uri_query *params,
                       struct err *err) MUST_CHECK;

/* Only pageIndex and pageSize, for lists that have no filters. */
int listing_query_read_page(struct listing_query *q, const struct uri_query *params,
                            struct err *err) MUST_CHECK;

struct listing_page {
    size_t total; /* matches in the whole namespace */
    struct deployment *items[LISTING_MAX_PAGE_SIZE];
    size_t n_items;
};

/* With wrap a page behind the end starts again at the first match: the list never ends. */
int listing_select(struct world_namespace *ns, const struct listing_query *q, bool wrap,
                   struct listing_page *ret) MUST_CHECK;

#endif
