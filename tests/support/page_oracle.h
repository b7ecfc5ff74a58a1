/*
 * What a page is, by parsing all of it with cJSON: the judge of page_reader.
 */
#ifndef PAGE_ORACLE_H
#define PAGE_ORACLE_H

#include "base/arena.h"
#include "page.h"

/* Bytes of the tree; more is ERR_LIMIT, which says nothing about page_reader. */
#define PAGE_ORACLE_BUDGET ((size_t)256 << 20)

/* As page_reader_begin, _write and _finish at once, with the same results. */
int page_oracle(const char *body, size_t len, const struct page_options *options,
                struct arena *arena, struct page *ret, struct api_refusal *refusal,
                struct err *err);

#endif
