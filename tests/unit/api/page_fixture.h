/*
 * Pages for cmocka tests: decoded in pieces of a size that changes from call to call, for none of
 * them may matter.
 */
#ifndef PAGE_FIXTURE_H
#define PAGE_FIXTURE_H

#include "page_reader.h"

/* Admits every label. */
extern const struct glob_list all_labels;

/* One decoded reply and everything it lives on. */
struct reply {
    struct arena *arena;
    struct page page;
    struct api_refusal refusal;
    struct err err;
    int rc;
};

void reply_release(struct reply *r);

int read_page(const char *body, size_t len, size_t piece, const struct page_options *options,
              struct arena *arena, struct page *page, struct api_refusal *refusal, struct err *err);
struct reply decode_with(const char *body, size_t len, const struct page_options *options);
struct reply decode(const char *body);

/* A page of one deployment with these members behind its id; it must survive. */
struct reply decode_members(const char *members);

#endif
