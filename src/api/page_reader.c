/*
 * What comes from outside is taken as it comes: a value of a type that does not fit is an absent
 * one, never 0, and costs neither its record nor the page. Two things are not forgiven. A record
 * without an id is left out, because nothing could be said about it twice in the same words. And
 * a reply without a list is an error: taken for an empty one, it would make all records vanish.
 */
#include "page_reader.h"

#include <assert.h>
#include <string.h>

#include "page_values.h"
#include "record_shape.h"
#include "refusal.h"

static const char *kind_name(const struct page_reader *r)
{
    return record_kind_name(r->options.kind->record);
}

/* Room for one more record. Pages hold what they were asked for; more costs a copy. */
static void *make_room(struct page_reader *r, struct err *err)
{
    const size_t size = record_kind_size(r->options.kind->record);
    size_t cap = r->cap_items ? r->cap_items * 2 : r->options.page_size;

    if (r->n_items >= r->options.max_items) {
        err_set(err, ERR_LIMIT, "more than %zu %ss on one page", r->options.max_items,
                kind_name(r));
        return NULL;
    }
    if (r->n_items < r->cap_items)
        return r->records + r->n_items * size;
    char *records = arena_calloc(r->text.arena, cap, size);
    if (!records) {
        err_nomem(err, "records of a page");
        return NULL;
    }
    if (r->n_items > 0)
        memcpy(records, r->records, r->n_items * size);
    r->records = records;
    r->cap_items = cap;
    return records + r->n_items * size;
}

static int on_record(void *ctx, const struct json_scan *scan, struct err *err)
{
    struct page_reader *r = ctx;

    assert(scan == &r->scan);
    (void)scan;
    if (page_type(r, r->options.kind->id) != JSON_STRING)
        return 0;
    void *record = make_room(r, err);
    if (!record || r->options.kind->read(r, record, err) < 0)
        return -1;
    if (r->text.nomem)
        return err_nomem(err, "records of a page");
    if (*(const char *const *)record)
        r->n_items++;
    return 0;
}

/* --- the page --- */

int page_reader_begin(struct page_reader *r, const struct page_options *options,
                      struct arena *arena, struct err *err)
{
    const struct json_scan_options scan = {
        .shape = options->kind->shape,
        .n_values = options->kind->n_values,
        .n_root_values = REPLY_VALUES,
        .keep_raw = options->labels && options->labels->n_patterns > 0,
        .on_record = on_record,
        .ctx = r,
    };

    assert(options->page_size > 0);
    *r = (struct page_reader){.options = *options, .text = {.arena = arena}};
    return json_scan_init(&r->scan, &scan, err);
}

void page_reader_release(struct page_reader *r)
{
    json_scan_release(&r->scan);
    text_cleaner_release(&r->text);
    strbuf_release(&r->scratch);
}

int page_reader_write(struct page_reader *r, const char *bytes, size_t len, struct err *err)
{
    return json_scan_feed(&r->scan, bytes, len, err);
}

/* What the root says of a refusal, as JSON again. */
static int decode_refusal(struct page_reader *r, struct api_refusal *refusal, struct err *err)
{
    strbuf_reset(&r->scratch);
    json_scan_print(&r->scan, r->options.kind->shape, &r->scratch);
    if (!strbuf_ok(&r->scratch))
        return err_nomem(err, "refusal");
    return refusal_of_reply(r->scratch.ptr, r->scratch.len, refusal, err);
}

int page_reader_finish(struct page_reader *r, struct page *ret, struct api_refusal *refusal,
                       struct err *err)
{
    *refusal = (struct api_refusal){.hint = RETRY_HINT_NONE};
    if (json_scan_finish(&r->scan, err) < 0)
        return -1;
    if (!json_scan_is_object(&r->scan))
        return err_set(err, ERR_PARSE, "the reply is no JSON object");
    /* The verdict is this alone: status and httpCode are 200 for refusals too. */
    if (page_type(r, REPLY_SUCCESS) != JSON_TRUE)
        return decode_refusal(r, refusal, err);
    if (page_type(r, REPLY_DATA) != JSON_ARRAY)
        return err_set(err, ERR_PARSE, "the reply has no list of %ss (data)", kind_name(r));
    int64_t total_size = page_count(r, REPLY_TOTAL_SIZE);
    if (r->text.nomem)
        return err_nomem(err, "reply");
    uint64_t n_objects = json_scan_entries(&r->scan);
    *ret = (struct page){
        .records = r->records,
        .n_items = r->n_items,
        .n_objects = (size_t)n_objects,
        .total_size = total_size,
        .invalid = n_objects - r->n_items,
        .too_long = r->text.too_long,
        .invalid_utf8 = r->text.invalid_utf8,
    };
    return 0;
}
