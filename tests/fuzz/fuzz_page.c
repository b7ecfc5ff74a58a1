/*
 * Bytes of a reply -> page_decode and refusal_decode, with what must hold for whatever comes out.
 *
 *     clang -fsanitize=fuzzer,address,undefined ... fuzz_page.c    (libFuzzer)
 *     cc -DFUZZ_MAIN ... fuzz_page.c                               (replays the files it is given)
 */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: it must hold in every build. */
static void require(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

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

static void fuzz_page(const char *body, size_t len)
{
    static const char *const all[] = {"*"};
    static const struct glob_list labels = {all, 1};
    struct page_options options = {.labels = &labels, .json_budget = 16 << 20, .page = 1};
    struct api_refusal refusal;
    struct err err = {.kind = ERR_NONE};
    struct page page;
    CLEANUP(arena_freep) struct arena *arena = arena_new();

    if (!arena)
        return;
    if (page_decode(body, len, &options, arena, &page, &refusal, &err) < 0) {
        require(err.kind != ERR_NONE, "an error has a kind");
        check_refusal(&refusal, &err);
        return;
    }
    require(page.n_items + page.invalid == page.n_objects, "every entry is counted once");
    require(page.total_size >= -1, "total_size");
    for (size_t i = 0; i < page.n_items; i++)
        check_deployment(&page.items[i]);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_page((const char *)data, size);
    fuzz_refusal((const char *)data, size);
    return 0;
}

#ifdef FUZZ_MAIN
static int replay(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    char block[4096];
    size_t n;

    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        strbuf_add(&text, block, n);
    (void)fclose(f);
    /* A copy of exactly this size: a read too far is seen. */
    CLEANUP(freep) uint8_t *exact = malloc(text.len ? text.len : 1);
    if (!exact || !strbuf_ok(&text))
        return -1;
    memcpy(exact, strbuf_str(&text), text.len);
    (void)LLVMFuzzerTestOneInput(exact, text.len);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i]) < 0)
            return 1;
    }
    (void)printf("%d inputs replayed\n", argc - 1);
    return 0;
}
#endif
