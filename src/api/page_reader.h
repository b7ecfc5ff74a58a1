/*
 * One reply that holds a list of deployments, drafts or jobs, bytes -> records, as the bytes
 * arrive.
 *
 * Every quirk of the API's values ends here: what leaves is clean UTF-8, cut to size, and numbers
 * that can be shown. One bad object is left out and counted; a reply that is no page is an error.
 * Memory beside the records does not depend on the size of the reply. One thread, no network.
 */
#ifndef PAGE_READER_H
#define PAGE_READER_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "json_scan.h"
#include "page.h"
#include "text.h"

struct page_reader;

/* What is on the page. The structs below are all there are. */
struct page_kind {
    enum record_kind record;
    const struct json_shape *shape; /* of the root; see record_shape.h */
    size_t n_values;
    size_t id; /* the value without which there is no record */
    /*
     * Fills a record of the kind's struct, in the reader's arena; its id is NULL if it has none to
     * be known by.
     */
    int (*read)(struct page_reader *r, void *ret, struct err *err);
};

extern const struct page_kind page_of_deployments;
extern const struct page_kind page_of_deployments_with_content; /* content_hash is set */
extern const struct page_kind page_of_drafts;
extern const struct page_kind page_of_jobs;

struct page_reader {
    struct page_options options;
    struct json_scan scan;
    struct text_cleaner text;
    struct strbuf scratch; /* a value as cJSON takes it */
    char *records;         /* in the arena; of the kind's struct */
    size_t n_items;
    size_t cap_items;
};

/*
 * Ready for the first byte. Options are copied, what they point to and the arena are borrowed. The
 * struct may not be moved until page_reader_release(), which is due after a failure too.
 */
int page_reader_begin(struct page_reader *r, const struct page_options *options,
                      struct arena *arena, struct err *err) MUST_CHECK;
void page_reader_release(struct page_reader *r);

/* ERR_PARSE: the reply is no JSON, and no more of it need be read; ERR_LIMIT; ERR_NOMEM. */
int page_reader_write(struct page_reader *r, const char *bytes, size_t len,
                      struct err *err) MUST_CHECK;

/*
 * The body of a 200 was complete. ERR_PARSE: not a page; one whose data is null or missing is none
 * either, for an empty list makes all records vanish. ERR_API (or the kind the code speaks of)
 * with *refusal filled: success is not true. On failure *ret is untouched; what the arena has
 * grown by stays in it.
 */
int page_reader_finish(struct page_reader *r, struct page *ret, struct api_refusal *refusal,
                       struct err *err) MUST_CHECK;

#endif
