/*
 * Bytes of a reply -> page_reader and refusal_decode, with what must hold for whatever comes out:
 * the same verdict and the same records as cJSON's tree gives, in whatever pieces the bytes arrive.
 *
 *     clang -fsanitize=fuzzer,address,undefined ... fuzz_page.c    (libFuzzer)
 *     cc ... fuzz_page.c replay.c     (replays bodies from files, in pieces of every size)
 */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "api/json.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "page_oracle.h"
#include "page_reader.h"

static void check_text(const char *s, const char *what)
{
    require(s && strlen(s) <= LABEL_VALUE_MAX && utf8_valid(s, strlen(s)), what);
}

static void check_lower(const char *s, const char *what)
{
    check_text(s, what);
    for (; *s; s++)
        require(*s < 'A' || *s > 'Z', what);
}

static void check_labels(const struct deployment *d)
{
    for (size_t i = 0; i < d->n_labels; i++) {
        const char *name = d->labels[i].name;
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

        require(strncmp(name, "label_", 6) == 0 && name[n] == '\0', "label name");
        require(i == 0 || strcmp(d->labels[i - 1].name, name) < 0, "label names sorted, unique");
        check_text(d->labels[i].value, "label value");
    }
}

static void check_deployment(const struct deployment *d)
{
    check_text(d->id, "id");
    require(*d->id, "id empty");
    for (const char *p = d->id; *p; p++)
        require((unsigned char)*p >= ' ' && *p != 0x7f, "control byte in id");
    check_text(d->name, "name");
    check_lower(d->execution_mode, "execution_mode");
    check_text(d->engine_version, "engine_version");
    check_lower(d->artifact_kind, "artifact_kind");
    check_text(d->target, "target");
    check_lower(d->target_mode, "target_mode");
    check_lower(d->resource_setting_mode, "resource_setting_mode");
    check_text(d->draft_id, "draft_id");
    for (size_t i = 0; i < JOB_STATE_END; i++)
        require(d->jobs[i] >= -1 && d->jobs[i] < INT64_C(1) << 53, "jobs");
    require(d->created_unix_s >= 0 && d->created_unix_s < INT64_C(100000000000), "created");
    require(d->modified_unix_s >= 0 && d->modified_unix_s < INT64_C(100000000000), "modified");
    require(d->parallelism >= -1 && d->max_slots >= -1, "parallelism, max_slots");
    require(d->jobmanager_memory >= -1 && d->taskmanager_memory >= -1, "memory");
    /* Comparisons that neither NaN nor infinity passes. */
    require(d->jobmanager_cpu >= -1 && d->jobmanager_cpu <= DBL_MAX, "jobmanager_cpu");
    require(d->taskmanager_cpu >= -1 && d->taskmanager_cpu <= DBL_MAX, "taskmanager_cpu");
    require(d->has_changes >= -1 && d->has_changes <= 1, "has_changes");
    check_labels(d);
}

static void check_refusal(const struct api_refusal *refusal, const struct err *err)
{
    const char *const texts[] = {refusal->code, refusal->message, refusal->request_id, err->msg};

    require(strlen(refusal->code) < sizeof(refusal->code), "code");
    require(strlen(refusal->message) < sizeof(refusal->message), "message");
    require(strlen(refusal->request_id) < sizeof(refusal->request_id), "request_id");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        require(utf8_valid(texts[i], strlen(texts[i])), "refusal is UTF-8");
        for (const char *p = texts[i]; *p; p++)
            require((unsigned char)*p >= ' ' && *p != 0x7f, "refusal is one line");
    }
    require(*err->msg, "message of an error");
    require(!strcasestr(refusal->message, "string to sign"), "quotation of what was signed");
}

static void same_text(const char *a, const char *b, const char *what)
{
    require(strcmp(a, b) == 0, what);
}

static void same_deployment(const struct deployment *a, const struct deployment *b)
{
    same_text(a->id, b->id, "the same id");
    same_text(a->name, b->name, "the same name");
    same_text(a->execution_mode, b->execution_mode, "the same execution_mode");
    same_text(a->engine_version, b->engine_version, "the same engine_version");
    same_text(a->artifact_kind, b->artifact_kind, "the same artifact_kind");
    same_text(a->target, b->target, "the same target");
    same_text(a->target_mode, b->target_mode, "the same target_mode");
    same_text(a->resource_setting_mode, b->resource_setting_mode, "the same setting mode");
    same_text(a->draft_id, b->draft_id, "the same draft_id");
    require(memcmp(a->jobs, b->jobs, sizeof(a->jobs)) == 0, "the same jobs");
    require(a->created_unix_s == b->created_unix_s && a->modified_unix_s == b->modified_unix_s,
            "the same times");
    require(a->parallelism == b->parallelism && a->max_slots == b->max_slots, "the same sizes");
    require(memcmp(&a->jobmanager_cpu, &b->jobmanager_cpu, sizeof(double)) == 0 &&
                memcmp(&a->taskmanager_cpu, &b->taskmanager_cpu, sizeof(double)) == 0,
            "the same cores");
    require(a->jobmanager_memory == b->jobmanager_memory &&
                a->taskmanager_memory == b->taskmanager_memory,
            "the same memory");
    require(a->has_changes == b->has_changes, "the same flags");
    require(a->n_labels == b->n_labels, "as many labels");
    for (size_t i = 0; i < a->n_labels; i++) {
        same_text(a->labels[i].name, b->labels[i].name, "the same label name");
        same_text(a->labels[i].value, b->labels[i].value, "the same label value");
    }
}

static void same_page(const struct page *a, const struct page *b)
{
    require(a->n_items == b->n_items && a->n_objects == b->n_objects && a->invalid == b->invalid,
            "as many objects");
    require(a->total_size == b->total_size, "the same totalSize");
    require(a->too_long == b->too_long && a->invalid_utf8 == b->invalid_utf8, "the same repairs");
    for (size_t i = 0; i < a->n_items; i++)
        same_deployment(&a->items[i], &b->items[i]);
}

static void fuzz_page(const char *body, size_t len, size_t piece)
{
    static const char *const all[] = {"*"};
    static const struct glob_list labels = {all, 1};
    const struct page_options options = {.kind = len % 2 ? &page_of_deployments
                                                         : &page_of_deployments_with_content,
                                         .labels = &labels,
                                         .page_size = 2,
                                         .max_items = SIZE_MAX};
    struct api_refusal refusal, expected_refusal;
    struct err err = {.kind = ERR_NONE}, expected_err = {.kind = ERR_NONE};
    struct page page, expected;
    CLEANUP(arena_freep) struct arena *arena = arena_new();

    if (!arena)
        return;
    int rc = fuzz_read_page(body, len, piece, &options, arena, &page, &refusal, &err);
    int expected_rc =
        page_oracle(body, len, &options, arena, &expected, &expected_refusal, &expected_err);
    if (expected_err.kind == ERR_LIMIT || err.kind == ERR_LIMIT)
        return;
    require(rc == expected_rc && err.kind == expected_err.kind, "the verdict of cJSON");
    if (rc < 0) {
        check_refusal(&refusal, &err);
        if (err.kind != ERR_PARSE)
            same_text(err.msg, expected_err.msg, "the same message");
        return;
    }
    require(page.n_items + page.invalid == page.n_objects, "every entry is counted once");
    require(page.total_size >= -1, "total_size");
    for (size_t i = 0; i < page.n_items; i++)
        check_deployment(&page.items[i]);
    same_page(&page, &expected);
}

static int ignore_record(void *ctx, const struct json_scan *scan, struct err *err)
{
    (void)ctx;
    (void)scan;
    (void)err;
    return 0;
}

/* Strictly, a text is refused exactly if cJSON refuses it, or it is no UTF-8. */
static void fuzz_strict(const char *body, size_t len, size_t piece)
{
    static const struct json_shape nothing = {.n_members = 0};
    const struct json_scan_options options = {.shape = &nothing,
                                              .n_values = 1,
                                              .n_root_values = 1,
                                              .strict = true,
                                              .on_record = ignore_record};
    CLEANUP(json_scan_release) struct json_scan scan = {0};
    const char *end = body;
    bool sound = true;

    require(json_scan_init(&scan, &options, NULL) == 0, "memory");
    for (size_t at = 0; sound && at < len; at += piece)
        sound = json_scan_feed(&scan, body + at, len - at < piece ? len - at : piece, NULL) == 0;
    sound = sound && json_scan_finish(&scan, NULL) == 0;

    json_global_init();
    cJSON *root = cJSON_ParseWithLengthOpts(body, len, &end, 0);
    bool expected = root && utf8_valid(body, len);
    cJSON_Delete(root);
    for (; expected && end < body + len; end++)
        expected = *end == ' ' || *end == '\t' || *end == '\n' || *end == '\r';
    require(sound == expected, "the strict verdict of cJSON");
}

static void fuzz_refusal(const char *body, size_t len)
{
    static const int statuses[] = {400, 401, 403, 404, 429, 500, 302, 204};
    struct api_refusal refusal;
    struct err err = {.kind = ERR_NONE};
    int status = statuses[len % ARRAY_LEN(statuses)];

    int rc = refusal_decode(status, body, len, len % 2 ? "REQUEST-ID" : NULL, &refusal, &err);
    require(rc == -1 && err.kind != ERR_NONE, "a refusal is an error");
    check_refusal(&refusal, &err);
}

/* The first byte says in what pieces the rest arrives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *body = (const char *)data + 1;
    size_t piece = fuzz_piece(*data);

    fuzz_page(body, size - 1, piece);
    fuzz_strict(body, size - 1, piece);
    fuzz_refusal(body, size - 1);
    return 0;
}
