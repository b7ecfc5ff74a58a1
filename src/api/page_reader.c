/*
 * What comes from outside is taken as it comes: a value of a type that does not fit is an absent
 * one, never 0, and costs neither its record nor the page. Two things are not forgiven. A record
 * without an id is left out, because nothing could be said about it twice in the same words. And
 * a reply without a list is an error: taken for an empty one, it would make all deployments vanish.
 *
 * Most values are plain: text without escapes, integers of a few digits. They are read where they
 * stand; every other one is given to cJSON, so that there is one opinion about what it means.
 */
#include "page_reader.h"

#include <assert.h>
#include <string.h>

#include "base/quantity.h"
#include "deployment_shape.h"
#include "api/json.h"
#include "labels.h"
#include "refusal.h"

enum {
    PLAIN_DIGITS_MAX = 15,          /* as many always fit JSON_INTEGER_MAX */
    TIME_DIGITS_MAX = 23,           /* more than any number up to JSON_INTEGER_MAX has */
    SCALAR_BUDGET = 64 * 1024,      /* bytes for cJSON's tree of one value */
    LABELS_BUDGET = 8 * 1024 * 1024 /* for that of all labels of a deployment */
};

/* Times are seconds, except where they are this large: then they are milliseconds (API pages). */
static const int64_t MILLISECONDS_FROM = INT64_C(100000000000);

/* Text that need not end with a NUL; ptr is NULL where there is none. */
struct span {
    const char *ptr;
    size_t len;
};

static enum json_type type_of(const struct page_reader *r, size_t value)
{
    return (enum json_type)json_scan_value(&r->scan, value)->type;
}

/* JSON null counts as absent everywhere. */
static bool is_told(const struct page_reader *r, size_t value)
{
    return type_of(r, value) != JSON_ABSENT && type_of(r, value) != JSON_NULL;
}

/* --- values --- */

/* A number or string, as cJSON reads it; NULL if it does not, or without memory (then nomem). */
static json_value *parse_value(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    const char *quote = raw->type == JSON_STRING ? "\"" : "";
    struct err err = {.kind = ERR_NONE};
    json_value *root = NULL;

    strbuf_reset(&r->scratch);
    strbuf_adds(&r->scratch, quote);
    strbuf_add(&r->scratch, json_scan_text(&r->scan, value), raw->len);
    strbuf_adds(&r->scratch, quote);
    if (!strbuf_ok(&r->scratch) ||
        (json_parse(r->scratch.ptr, r->scratch.len, SCALAR_BUDGET, &root, &err) < 0 &&
         err.kind == ERR_NOMEM))
        r->text.nomem = true;
    return root;
}

/* A string, valid until the next one is read; of a long one the first bytes. */
static struct span read_string(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    struct span s = {.ptr = NULL};

    if (raw->type != JSON_STRING)
        return s;
    s = (struct span){.ptr = json_scan_text(&r->scan, value), .len = raw->len};
    if (!memchr(s.ptr, '\\', s.len) && !memchr(s.ptr, '\0', s.len))
        return s;
    CLEANUP(json_freep) json_value *root = parse_value(r, value);
    const char *text = json_string(root);
    strbuf_reset(&r->scratch);
    strbuf_adds(&r->scratch, text ? text : "");
    if (!strbuf_ok(&r->scratch))
        r->text.nomem = true;
    return (struct span){.ptr = strbuf_str(&r->scratch), .len = r->scratch.len};
}

/* Digits only, as some integers come; -1 for anything else and beyond exact integers. */
static int64_t parse_digits(struct span s)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        v = v * 10 + (uint64_t)(s.ptr[i] - '0');
        if (v > (uint64_t)JSON_INTEGER_MAX)
            return -1;
    }
    return s.len > 0 ? (int64_t)v : -1;
}

static int64_t read_integer(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    int64_t v;

    if (raw->type != JSON_NUMBER || raw->cut)
        return -1;
    if (raw->len <= PLAIN_DIGITS_MAX) {
        v = parse_digits((struct span){json_scan_text(&r->scan, value), raw->len});
        if (v >= 0)
            return v;
    }
    CLEANUP(json_freep) json_value *root = parse_value(r, value);
    return json_integer(root, &v) == 0 && v >= 0 ? v : -1;
}

/* A whole number >= 0, as JSON number or digits in a string; -1 for anything else, null too. */
static int64_t read_count(struct page_reader *r, size_t value)
{
    if (json_scan_value(&r->scan, value)->cut)
        return -1;
    if (type_of(r, value) == JSON_STRING)
        return parse_digits(read_string(r, value));
    return read_integer(r, value);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* As read_count, with white space around: the vendor's own sample is "1714058507\n". */
static int64_t read_padded_count(struct page_reader *r, size_t value)
{
    if (type_of(r, value) != JSON_STRING || json_scan_value(&r->scan, value)->cut)
        return read_count(r, value);

    struct span s = read_string(r, value);
    while (s.len > 0 && is_space(*s.ptr)) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s.len <= TIME_DIGITS_MAX ? parse_digits(s) : -1;
}

/* Unix seconds; 0 = unknown. What is still too large in milliseconds (microseconds) is unknown. */
static int64_t read_time(struct page_reader *r, size_t value)
{
    int64_t t = read_padded_count(r, value);

    if (t < 0)
        return 0;
    if (t >= MILLISECONDS_FROM)
        t /= 1000;
    return t < MILLISECONDS_FROM ? t : 0;
}

static double read_cpu(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    double cores;

    if (raw->type != JSON_NUMBER || raw->cut)
        return -1;
    if (raw->len <= PLAIN_DIGITS_MAX) {
        int64_t whole = parse_digits((struct span){json_scan_text(&r->scan, value), raw->len});
        if (whole >= 0)
            return (double)whole;
    }
    CLEANUP(json_freep) json_value *root = parse_value(r, value);
    return json_number(root, &cores) == 0 && cores >= 0 ? cores : -1;
}

/* Text with a unit ("4 GiB", "1Gi"); a bare JSON number has none, so it says nothing. */
static int64_t read_memory(struct page_reader *r, size_t value)
{
    struct span s = read_string(r, value);
    char text[64]; /* more than any size has that is not padded with zeros */
    int64_t bytes;

    if (!s.ptr || s.len >= sizeof(text))
        return -1;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return quantity_parse_bytes(text, &bytes) == 0 ? bytes : -1;
}

static int8_t read_truth(struct page_reader *r, size_t value)
{
    switch (type_of(r, value)) {
    case JSON_TRUE:
        return 1;
    case JSON_FALSE:
        return 0;
    default:
        return -1;
    }
}

static const char *read_text(struct page_reader *r, size_t value)
{
    struct span s = read_string(r, value);

    return text_clean(&r->text, s.ptr, s.len);
}

static const char *read_lower(struct page_reader *r, size_t value)
{
    struct span s = read_string(r, value);

    return text_clean_lower(&r->text, s.ptr, s.len);
}

/* --- records --- */

/*
 * The key of all series of the record: text without control bytes that needs no cutting, for two
 * ids cut to the same length may become one. NULL if there is none.
 */
static const char *read_id(struct page_reader *r)
{
    struct span s = read_string(r, FIELD_ID);
    uint64_t too_long = r->text.too_long;
    uint64_t invalid_utf8 = r->text.invalid_utf8;

    /* Judged before it costs memory: nobody bounds how many unusable ones there are. */
    if (s.len == 0 || s.len > LABEL_VALUE_MAX)
        return NULL;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return NULL;
    const char *id = text_clean(&r->text, s.ptr, s.len);
    if (r->text.too_long == too_long)
        return id;
    r->text.too_long = too_long;
    r->text.invalid_utf8 = invalid_utf8;
    return NULL;
}

/*
 * A count that is told but cannot be read stays absent: 0 would make alerts resolve. Keys left
 * out mean 0 as soon as the summary tells anything; a summary that tells nothing leaves all absent.
 */
static void read_jobs(struct page_reader *r, int64_t jobs[JOB_STATE_END])
{
    bool any = false;

    for (size_t i = 0; i < JOB_STATE_END; i++) {
        jobs[i] = read_count(r, FIELD_JOBS + i);
        any = any || jobs[i] >= 0;
    }
    for (size_t i = 0; any && i < JOB_STATE_END; i++) {
        if (!is_told(r, FIELD_JOBS + i))
            jobs[i] = 0;
    }
}

/*
 * Page samples carry the streaming and the batch setting at once; a real deployment has the one
 * of its mode. The other one is better than none.
 */
static size_t resource_setting(const struct page_reader *r, bool is_batch)
{
    size_t preferred = is_batch ? FIELD_BATCH : FIELD_STREAMING;
    size_t other = is_batch ? FIELD_STREAMING : FIELD_BATCH;

    return type_of(r, preferred + SETTING_SELF) == JSON_OBJECT ? preferred : other;
}

static void read_resources(struct page_reader *r, struct deployment *ret)
{
    bool is_batch = strcmp(ret->execution_mode, "batch") == 0;
    size_t setting = resource_setting(r, is_batch);
    bool has_basic = type_of(r, setting + SETTING_BASIC) == JSON_OBJECT;
    bool has_expert = type_of(r, setting + SETTING_EXPERT) == JSON_OBJECT;
    const char *mode = read_lower(r, setting + SETTING_MODE);

    ret->resource_setting_mode = mode;
    ret->max_slots = is_batch ? read_count(r, setting + SETTING_MAX_SLOT) : -1;
    /* Samples in expert mode carry basic settings too, which are without effect then. */
    if (strcmp(mode, "expert") == 0 || (!has_basic && has_expert)) {
        ret->parallelism = -1;
        ret->jobmanager_cpu = read_cpu(r, setting + SETTING_EXPERT_JOBMANAGER_CPU);
        ret->jobmanager_memory = read_memory(r, setting + SETTING_EXPERT_JOBMANAGER_MEMORY);
        ret->taskmanager_cpu = -1;
        ret->taskmanager_memory = -1;
        return;
    }
    ret->parallelism = read_count(r, setting + SETTING_PARALLELISM);
    ret->jobmanager_cpu = read_cpu(r, setting + SETTING_JOBMANAGER_CPU);
    ret->jobmanager_memory = read_memory(r, setting + SETTING_JOBMANAGER_MEMORY);
    ret->taskmanager_cpu = read_cpu(r, setting + SETTING_TASKMANAGER_CPU);
    ret->taskmanager_memory = read_memory(r, setting + SETTING_TASKMANAGER_MEMORY);
}

static const char *read_execution_mode(struct page_reader *r)
{
    const char *mode = read_lower(r, FIELD_EXECUTION_MODE);

    /* The description of jobs says STREAM where all else says STREAMING. */
    return strcmp(mode, "stream") == 0 ? "streaming" : mode;
}

/* Labels beyond all measure are left out, and counted as values that were too long. */
static int read_labels(struct page_reader *r, struct deployment *d, struct err *err)
{
    const struct json_raw *raw = json_scan_value(&r->scan, FIELD_LABELS);
    CLEANUP(json_freep) json_value *root = NULL;
    struct err failure = {.kind = ERR_NONE};

    if (raw->type != JSON_OBJECT)
        return 0;
    if (raw->cut || json_parse(json_scan_text(&r->scan, FIELD_LABELS), raw->len, LABELS_BUDGET,
                               &root, &failure) < 0) {
        r->text.too_long++;
        return failure.kind == ERR_NOMEM ? err_nomem(err, "the labels of a deployment") : 0;
    }
    d->labels = labels_decode(root, r->options.labels, &r->text, &d->n_labels);
    return 0;
}

/* One record; *ret->id is NULL if it has no id to be known by. */
static int read_deployment(struct page_reader *r, struct deployment *ret, struct err *err)
{
    *ret = (struct deployment){.id = read_id(r)};
    if (!ret->id)
        return 0;
    ret->name = read_text(r, FIELD_NAME);
    ret->execution_mode = read_execution_mode(r);
    ret->engine_version = read_text(r, FIELD_ENGINE_VERSION);
    ret->artifact_kind = read_lower(r, FIELD_ARTIFACT_KIND);
    ret->target = read_text(r, FIELD_TARGET_NAME);
    ret->target_mode = read_lower(r, FIELD_TARGET_MODE);
    ret->draft_id = read_text(r, FIELD_DRAFT_ID);
    ret->created_unix_s = read_time(r, FIELD_CREATED);
    ret->modified_unix_s = read_time(r, FIELD_MODIFIED);
    ret->has_changes = read_truth(r, FIELD_HAS_CHANGED);
    ret->page = r->options.page;
    read_jobs(r, ret->jobs);
    read_resources(r, ret);
    return read_labels(r, ret, err);
}

/* Room for one more record. Pages hold what they were asked for; more costs a copy. */
static struct deployment *make_room(struct page_reader *r, struct err *err)
{
    size_t cap = r->cap_items ? r->cap_items * 2 : r->options.page_size;

    if (r->n_items >= r->options.max_items) {
        err_set(err, ERR_LIMIT, "more than %zu deployments on one page", r->options.max_items);
        return NULL;
    }
    if (r->n_items < r->cap_items)
        return &r->items[r->n_items];
    struct deployment *items = arena_calloc(r->text.arena, cap, sizeof(*items));
    if (!items) {
        err_nomem(err, "deployments of a page");
        return NULL;
    }
    if (r->n_items > 0)
        memcpy(items, r->items, r->n_items * sizeof(*items));
    r->items = items;
    r->cap_items = cap;
    return &items[r->n_items];
}

static int on_record(void *ctx, const struct json_scan *scan, struct err *err)
{
    struct page_reader *r = ctx;

    assert(scan == &r->scan);
    (void)scan;
    if (type_of(r, FIELD_ID) != JSON_STRING)
        return 0;
    struct deployment *d = make_room(r, err);
    if (!d || read_deployment(r, d, err) < 0)
        return -1;
    if (r->text.nomem)
        return err_nomem(err, "deployments of a page");
    if (d->id)
        r->n_items++;
    return 0;
}

/* --- the page --- */

int page_reader_begin(struct page_reader *r, const struct page_options *options,
                      struct arena *arena, struct err *err)
{
    const struct json_scan_options scan = {
        .shape = &reply_shape,
        .n_values = FIELD_VALUES_END,
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
    json_scan_print(&r->scan, &reply_shape, &r->scratch);
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
    if (type_of(r, REPLY_SUCCESS) != JSON_TRUE)
        return decode_refusal(r, refusal, err);
    if (type_of(r, REPLY_DATA) != JSON_ARRAY)
        return err_set(err, ERR_PARSE, "the reply has no list of deployments (data)");
    int64_t total_size = read_count(r, REPLY_TOTAL_SIZE);
    if (r->text.nomem)
        return err_nomem(err, "reply");
    uint64_t n_objects = json_scan_entries(&r->scan);
    *ret = (struct page){
        .items = r->items,
        .n_items = r->n_items,
        .n_objects = (size_t)n_objects,
        .total_size = total_size,
        .invalid = n_objects - r->n_items,
        .too_long = r->text.too_long,
        .invalid_utf8 = r->text.invalid_utf8,
    };
    return 0;
}
