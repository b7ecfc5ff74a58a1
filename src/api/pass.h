/*
 * One pass over a list: its pages, or the answers to several names, with some requests in flight,
 * until all are there. paging.c says which page is next and what they amount to.
 */
#ifndef PASS_H
#define PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client_inside.h"
#include "page_reader.h"
#include "paging.h"

/* What the passes of one listing share. */
struct lister {
    struct api_client *client;
    struct call_env env;
    const struct page_kind *kind;
    const struct target_select *select; /* NULL = the operation has no filters */
    const char *label_values;           /* of the selection, joined */
    const char *const *names;           /* not NULL: GetDeploymentsByName for each */
    size_t n_names;
    unsigned without; /* bits API_WITHOUT_, with names */
    int page_size;
    uint32_t pages_read; /* by all passes */
    bool too_large;      /* the last pass failed because of the size of a reply */
};

struct fetch;

struct pass {
    struct lister *lister;
    struct paging paging;
    struct listing *listing;
    struct fetch
        *fetches; /* pages in flight, waiting for another attempt, or (one) just received */
    size_t n_fetches;
};

/*
 * Until all pages are there. The first page that fails for good fails the pass. pass_release is the
 * caller's duty on failure too. CLEANUP(pass_release) on a zeroed struct.
 */
int pass_run(struct pass *pass, struct lister *lister, struct err *err) MUST_CHECK;
void pass_release(struct pass *pass);

#endif
