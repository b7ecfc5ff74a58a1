/*
 * The values of a record, as the readers of all kinds of records take them: a value of a type that
 * does not fit is an absent one. Private to the decoder. When memory is out, r->text.nomem says so.
 */
#ifndef PAGE_VALUES_H
#define PAGE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "page_reader.h"

/* Text that need not end with a NUL; ptr is NULL where there is none. */
struct page_span {
    const char *ptr;
    size_t len;
};

enum json_type page_type(const struct page_reader *r, size_t value);
/* JSON null counts as absent everywhere. */
bool page_is_told(const struct page_reader *r, size_t value);

/*
 * The key of all series of the record: text without control bytes that needs no cutting, for two
 * ids cut to the same length may become one. NULL if there is none.
 */
const char *page_id(struct page_reader *r);

/* A string, valid until the next one is read; of a long one the first bytes. */
struct page_span page_string(struct page_reader *r, size_t value);
/* Clean, cut to LABEL_VALUE_MAX, in the arena; "" if there is none. */
const char *page_text(struct page_reader *r, size_t value);
const char *page_lower(struct page_reader *r, size_t value);
/* An execution mode: as page_lower, with one word for streaming. */
const char *page_execution_mode(struct page_reader *r, size_t value);

/* A whole number >= 0, as JSON number or digits in a string; -1 for anything else, null too. */
int64_t page_count(struct page_reader *r, size_t value);
/* Unix seconds; 0 = unknown. What is still too large in milliseconds (microseconds) is unknown. */
int64_t page_time(struct page_reader *r, size_t value);
/* A number >= 0, or -1. */
double page_cores(struct page_reader *r, size_t value);
/* Bytes, from text with a unit ("4 GiB", "1Gi"), or -1. */
int64_t page_memory(struct page_reader *r, size_t value);
/* 1, 0, or -1 for anything that is no boolean. */
int8_t page_truth(struct page_reader *r, size_t value);

/* Of the CONTENT_VALUES values from first on, which are JSON_HASHED: 0 = none of them is told. */
uint64_t page_content_hash(const struct page_reader *r, size_t first);

#endif
