/*
 * The page as cJSON has it: the whole text parsed into a tree, every value looked up in it. Slow,
 * simple, and the judge of what src/api/page_reader.c makes of the same bytes.
 */
#include "page_oracle.h"

#include <string.h>

#include "base/quantity.h"
#include "api/json.h"
#include "labels.h"
#include "refusal.h"
#include "text.h"

/* Times are seconds, except where they are this large: then they are milliseconds (API pages). */
static const int64_t MILLISECONDS_FROM = INT64_C(100000000000);

struct decoder {
    const struct page_options *options;
    struct text_cleaner text;
};

static void decoder_release(struct decoder *d)
{
    text_cleaner_release(&d->text);
}

static const char *clean(struct decoder *d, const char *s)
{
    return text_clean(&d->text, s, s ? strlen(s) : 0);
}

static const char *lower(struct decoder *d, const char *s)
{
    return text_clean_lower(&d->text, s, s ? strlen(s) : 0);
}

/* Digits only, as some integers come; -1 for anything else and beyond exact integers. */
static int64_t parse_digits(const char *s)
{
    uint64_t v;

    if (quantity_parse_u64(s, &v) < 0 || v > (uint64_t)JSON_INTEGER_MAX)
        return -1;
    return (int64_t)v;
}

/* A whole number >= 0, as JSON number or digits in a string; -1 for anything else, null too. */
static int64_t decode_count(const json_value *v)
{
    const char *s = json_string(v);
    int64_t count;

    if (s)
        return parse_digits(s);
    return json_integer(v, &count) == 0 && count >= 0 ? count : -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* As decode_count, with white space around: the vendor's own sample is "1714058507\n". */
static int64_t decode_padded_count(const json_value *v)
{
    const char *s = json_string(v);
    char digits[24]; /* more than any number up to JSON_INTEGER_MAX has */

    if (!s)
        return decode_count(v);
    while (is_space(*s))
        s++;
    size_t len = strlen(s);
    while (len > 0 && is_space(s[len - 1]))
        len--;
    if (len >= sizeof(digits))
        return -1;
    memcpy(digits, s, len);
    digits[len] = '\0';
    return parse_digits(digits);
}

/* Unix seconds; 0 = unknown. What is still too large in milliseconds (microseconds) is unknown. */
static int64_t decode_time(const json_value *v)
{
    int64_t t = decode_padded_count(v);

    if (t < 0)
        return 0;
    if (t >= MILLISECONDS_FROM)
        t /= 1000;
    return t < MILLISECONDS_FROM ? t : 0;
}

/*
 * The key of all series of the record: text without control bytes that needs no cutting, for two
 * ids cut to the same length may become one. NULL if there is none.
 */
static const char *decode_id(struct decoder *d, const json_value *v)
{
    const char *s = json_string(v);
    uint64_t too_long = d->text.too_long;
    uint64_t invalid_utf8 = d->text.invalid_utf8;

    if (!s || !*s)
        return NULL;
    const char *id = clean(d, s);
    bool usable = d->text.too_long == too_long;
    for (const char *p = id; usable && *p; p++)
        usable = (unsigned char)*p >= ' ' && *p != 0x7f;
    if (usable)
        return id;
    d->text.too_long = too_long;
    d->text.invalid_utf8 = invalid_utf8;
    return NULL;
}

/*
 * A count that is told but cannot be read stays absent: 0 would make alerts resolve. Keys left
 * out mean 0 as soon as the summary tells anything; a summary that tells nothing leaves all absent.
 */
static void decode_jobs(const json_value *summary, int64_t jobs[JOB_STATE_END])
{
    const json_value *counts[JOB_STATE_END];
    bool told = false;

    for (enum job_state i = 0; i < JOB_STATE_END; i++) {
        counts[i] = json_get(summary, job_state_name(i));
        jobs[i] = decode_count(counts[i]);
        told = told || jobs[i] >= 0;
    }
    for (size_t i = 0; told && i < JOB_STATE_END; i++) {
        if (!counts[i])
            jobs[i] = 0;
    }
}

static double decode_cpu(const json_value *spec)
{
    double cores;

    return json_number(json_get(spec, "cpu"), &cores) == 0 && cores >= 0 ? cores : -1;
}

/* Text with a unit ("4 GiB", "1Gi"); a bare JSON number has none, so it says nothing. */
static int64_t decode_memory(const json_value *spec)
{
    const char *s = json_string(json_get(spec, "memory"));
    int64_t bytes;

    return s && quantity_parse_bytes(s, &bytes) == 0 ? bytes : -1;
}

/*
 * Page samples carry the streaming and the batch setting at once; a real deployment has the one
 * of its mode. The other one is better than none.
 */
static const json_value *resource_setting(const json_value *v, bool is_batch)
{
    const json_value *streaming = json_get(v, "streamingResourceSetting");
    const json_value *batch = json_get(v, "batchResourceSetting");
    const json_value *preferred = is_batch ? batch : streaming;
    const json_value *other = is_batch ? streaming : batch;

    return json_is_object(preferred) ? preferred : other;
}

static void decode_resources(struct decoder *d, const json_value *v, struct deployment *ret)
{
    bool is_batch = strcmp(ret->execution_mode, "batch") == 0;
    const json_value *setting = resource_setting(v, is_batch);
    const json_value *basic = json_get(setting, "basicResourceSetting");
    const json_value *expert = json_get(setting, "expertResourceSetting");
    const char *mode = lower(d, json_string(json_get(setting, "resourceSettingMode")));

    /* Samples in expert mode carry basic settings too, which are without effect then. */
    bool is_expert =
        strcmp(mode, "expert") == 0 || (!json_is_object(basic) && json_is_object(expert));
    const json_value *jobmanager =
        json_get(is_expert ? expert : basic, "jobmanagerResourceSettingSpec");
    const json_value *taskmanager =
        is_expert ? NULL : json_get(basic, "taskmanagerResourceSettingSpec");

    ret->resource_setting_mode = mode;
    ret->parallelism = is_expert ? -1 : decode_count(json_get(basic, "parallelism"));
    ret->max_slots = is_batch ? decode_count(json_get(setting, "maxSlot")) : -1;
    ret->jobmanager_cpu = decode_cpu(jobmanager);
    ret->jobmanager_memory = decode_memory(jobmanager);
    ret->taskmanager_cpu = decode_cpu(taskmanager);
    ret->taskmanager_memory = decode_memory(taskmanager);
}

static const char *decode_execution_mode(struct decoder *d, const json_value *v)
{
    const char *mode = lower(d, json_string(v));

    /* The description of jobs says STREAM where all else says STREAMING. */
    return strcmp(mode, "stream") == 0 ? "streaming" : mode;
}

static int8_t decode_truth(const json_value *v)
{
    bool truth;

    if (json_bool(v, &truth) < 0)
        return -1;
    return truth ? 1 : 0;
}

/* One record; false if it has no id to be known by. Lack of memory is in d->text.nomem. */
static bool decode_deployment(struct decoder *d, const json_value *v, struct deployment *ret)
{
    const json_value *target = json_get(v, "deploymentTarget");

    const char *id = decode_id(d, json_get(v, "deploymentId"));
    if (!id)
        return false;
    *ret = (struct deployment){
        .id = id,
        .name = clean(d, json_string(json_get(v, "name"))),
        .execution_mode = decode_execution_mode(d, json_get(v, "executionMode")),
        .engine_version = clean(d, json_string(json_get(v, "engineVersion"))),
        .artifact_kind = lower(d, json_string(json_get(json_get(v, "artifact"), "kind"))),
        .target = clean(d, json_string(json_get(target, "name"))),
        .target_mode = lower(d, json_string(json_get(target, "mode"))),
        .draft_id = clean(d, json_string(json_get(v, "referencedDeploymentDraftId"))),
        .created_unix_s = decode_time(json_get(v, "createdAt")),
        .modified_unix_s = decode_time(json_get(v, "modifiedAt")),
        .has_changes = decode_truth(json_get(v, "deploymentHasChanged")),
    };
    decode_jobs(json_get(v, "jobSummary"), ret->jobs);
    decode_resources(d, v, ret);
    ret->labels =
        labels_decode(json_get(v, "labels"), d->options->labels, &d->text, &ret->n_labels);
    return true;
}

/* Entries that may become records: room is taken for these alone, not for millions of "1,1,1". */
static size_t count_candidates(const json_value *data, size_t *ret_objects)
{
    size_t n = 0;
    size_t n_objects = 0;

    for (const json_value *v = json_first(data); v; v = json_next(v)) {
        n_objects++;
        if (json_string(json_get(v, "deploymentId")))
            n++;
    }
    *ret_objects = n_objects;
    return n;
}

static int decode_data(struct decoder *d, const json_value *data, struct page *page,
                       struct err *err)
{
    size_t n_candidates = count_candidates(data, &page->n_objects);

    page->items = arena_calloc(d->text.arena, n_candidates, sizeof(*page->items));
    if (!page->items)
        return err_nomem(err, "deployments of a page");
    for (const json_value *v = json_first(data); v && page->n_items < n_candidates;
         v = json_next(v)) {
        if (decode_deployment(d, v, &page->items[page->n_items]))
            page->n_items++;
        if (d->text.nomem)
            return err_nomem(err, "deployments of a page");
    }
    page->invalid = page->n_objects - page->n_items;
    page->too_long = d->text.too_long;
    page->invalid_utf8 = d->text.invalid_utf8;
    return 0;
}

int page_oracle(const char *body, size_t len, const struct page_options *options,
                struct arena *arena, struct page *ret, struct api_refusal *refusal, struct err *err)
{
    CLEANUP(json_freep) json_value *root = NULL;
    CLEANUP(decoder_release) struct decoder d = {.options = options, .text = {.arena = arena}};
    bool success = false;

    *refusal = (struct api_refusal){.hint = RETRY_HINT_NONE};
    if (json_parse(body, len, PAGE_ORACLE_BUDGET, &root, err) < 0)
        return -1;
    if (!json_is_object(root))
        return err_set(err, ERR_PARSE, "the reply is no JSON object");
    /* The verdict is this alone: status and httpCode are 200 for refusals too. */
    if (json_bool(json_get(root, "success"), &success) < 0 || !success)
        return refusal_of_reply(body, len, refusal, err);
    const json_value *data = json_get(root, "data");
    if (!json_is_array(data))
        return err_set(err, ERR_PARSE, "the reply has no list of deployments (data)");

    struct page page = {.total_size = decode_count(json_get(root, "totalSize"))};
    if (decode_data(&d, data, &page, err) < 0)
        return -1;
    *ret = page;
    return 0;
}
