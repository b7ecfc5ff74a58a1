#include "page_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static struct strbuf read_file(const char *name)
{
    struct strbuf text = STRBUF_INIT;
    char path[512];
    char block[4096];
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/pages/%s", AFE_FIXTURES, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot read %s", path);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        strbuf_add(&text, block, n);
    (void)fclose(f);
    assert_true(strbuf_ok(&text));
    return text;
}

/* Records as the .expected files write them. */

static void dump_text(struct strbuf *out, const char *key, const char *s)
{
    strbuf_addf(out, "  %s \"", key);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            strbuf_addf(out, "\\x%02x", c);
        else
            strbuf_addc(out, *s);
    }
    strbuf_adds(out, "\"\n");
}

static void dump_deployment(struct strbuf *out, const struct deployment *d)
{
    dump_text(out, "name", d->name);
    dump_text(out, "mode", d->execution_mode);
    dump_text(out, "engine", d->engine_version);
    dump_text(out, "kind", d->artifact_kind);
    dump_text(out, "target", d->target);
    dump_text(out, "target_mode", d->target_mode);
    dump_text(out, "setting", d->resource_setting_mode);
    dump_text(out, "draft", d->draft_id);
    strbuf_adds(out, "  jobs");
    for (size_t i = 0; i < JOB_STATE_END; i++)
        strbuf_addf(out, " %lld", (long long)d->jobs[i]);
    strbuf_addf(out, "\n  created %lld\n  modified %lld\n", (long long)d->created_unix_s,
                (long long)d->modified_unix_s);
    strbuf_addf(out, "  parallelism %lld\n  max_slots %lld\n", (long long)d->parallelism,
                (long long)d->max_slots);
    strbuf_addf(out, "  jobmanager %.17g %lld\n", d->jobmanager_cpu,
                (long long)d->jobmanager_memory);
    strbuf_addf(out, "  taskmanager %.17g %lld\n", d->taskmanager_cpu,
                (long long)d->taskmanager_memory);
    strbuf_addf(out, "  changed %d\n", d->has_changes);
}

static void dump_labels(struct strbuf *out, const struct deployment *d)
{
    for (size_t i = 0; i < d->n_labels; i++) {
        CLEANUP(strbuf_release) struct strbuf value = STRBUF_INIT;
        dump_text(&value, "", d->labels[i].value);
        strbuf_addf(out, "  label %s=%s", d->labels[i].name, strbuf_str(&value) + 3);
    }
}

static void dump_page(struct strbuf *out, const struct page *page)
{
    strbuf_addf(out, "total %lld objects %zu invalid %llu too_long %llu invalid_utf8 %llu\n",
                (long long)page->total_size, page->n_objects, (unsigned long long)page->invalid,
                (unsigned long long)page->too_long, (unsigned long long)page->invalid_utf8);
    for (size_t i = 0; i < page->n_items; i++) {
        CLEANUP(strbuf_release) struct strbuf id = STRBUF_INIT;
        dump_text(&id, "", page->items[i].id);
        strbuf_addf(out, "deployment %s", strbuf_str(&id) + 3);
        dump_deployment(out, &page->items[i]);
        dump_labels(out, &page->items[i]);
    }
}

static void test_fixtures(void **state)
{
    static const char *const names[] = {"documented", "observed", "generated", "quirks"};
    char file[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;
        struct page_options options = {.kind = &page_of_deployments,
                                       .labels = &all_labels,
                                       .page_size = 100,
                                       .max_items = 1000};

        (void)snprintf(file, sizeof(file), "%s.json", names[i]);
        CLEANUP(strbuf_release) struct strbuf body = read_file(file);
        (void)snprintf(file, sizeof(file), "%s.expected", names[i]);
        CLEANUP(strbuf_release) struct strbuf expected = read_file(file);

        CLEANUP(reply_release) struct reply r = decode_with(body.ptr, body.len, &options);
        assert_int_equal(r.rc, 0);
        dump_page(&got, &r.page);
        assert_string_equal(strbuf_str(&got), strbuf_str(&expected));
    }
}

static void test_envelope(void **state)
{
    static const struct {
        const char *body;
        enum err_kind kind;
        size_t n_items;
        int64_t total_size;
    } cases[] = {
        {"{\"success\":true,\"data\":[]}", ERR_NONE, 0, -1},
        {"{\"success\":true,\"data\":[],\"totalSize\":0}", ERR_NONE, 0, 0},
        {"{\"success\":true,\"data\":[],\"totalSize\":\"250\"}", ERR_NONE, 0, 250},
        {"{\"success\":true,\"data\":[],\"totalSize\":-1}", ERR_NONE, 0, -1},
        {"{\"success\":true,\"data\":[],\"totalSize\":1.5}", ERR_NONE, 0, -1},
        {"{\"success\":true,\"data\":[],\"totalSize\":1e309}", ERR_NONE, 0, -1},
        {"{\"success\":true,\"data\":[],\"TotalSize\":7}", ERR_NONE, 0, -1},
        {"{\"success\":true,\"httpCode\":500,\"errorCode\":\"5\",\"data\":[]}", ERR_NONE, 0, -1},
        {"\xef\xbb\xbf{\"success\":true,\"data\":[{\"deploymentId\":\"a\"}]}", ERR_NONE, 1, -1},
        /* No list is no empty list. */
        {"{\"success\":true}", ERR_PARSE, 0, 0},
        {"{\"success\":true,\"data\":null}", ERR_PARSE, 0, 0},
        {"{\"success\":true,\"data\":{}}", ERR_PARSE, 0, 0},
        {"{\"success\":true,\"data\":\"[]\"}", ERR_PARSE, 0, 0},
        {"{\"success\":true,\"Data\":[]}", ERR_PARSE, 0, 0},
        {"{\"success\":true,\"data\":[]} trailing", ERR_PARSE, 0, 0},
        {"[]", ERR_PARSE, 0, 0},
        {"null", ERR_PARSE, 0, 0},
        {"true", ERR_PARSE, 0, 0},
        {"", ERR_PARSE, 0, 0},
        {"<html></html>", ERR_PARSE, 0, 0},
        /* The verdict is `success === true`. */
        {"{}", ERR_API, 0, 0},
        {"{\"data\":[]}", ERR_API, 0, 0},
        {"{\"success\":\"true\",\"data\":[]}", ERR_API, 0, 0},
        {"{\"success\":1,\"data\":[]}", ERR_API, 0, 0},
        {"{\"success\":null,\"data\":[]}", ERR_API, 0, 0},
        {"{\"success\":false,\"httpCode\":200,\"data\":[]}", ERR_API, 0, 0},
        {"{\"Success\":true,\"data\":[]}", ERR_API, 0, 0},
        {"{\"success\":false,\"errorCode\":\"Throttling.User\"}", ERR_THROTTLED, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(reply_release) struct reply r = decode(cases[i].body);

        if (r.err.kind != cases[i].kind)
            fail_msg("%s: kind %d, %s", cases[i].body, (int)r.err.kind, r.err.msg);
        assert_int_equal(r.page.n_items, cases[i].n_items);
        assert_int_equal(r.page.total_size, cases[i].total_size);
    }
}

static void test_refused_by_success(void **state)
{
    CLEANUP(reply_release)
    struct reply r =
        decode("{\"requestId\":\"R-1\",\"success\":false,\"httpCode\":200,"
               "\"errorCode\":\"990301\",\"errorMessage\":\"not\\nfound\",\"data\":null}");

    (void)state;
    assert_int_equal(r.err.kind, ERR_API);
    assert_string_equal(r.refusal.code, "990301");
    assert_string_equal(r.refusal.message, "not found");
    assert_string_equal(r.refusal.request_id, "R-1");
    assert_string_equal(r.err.msg, "HTTP 200, 990301: not found (RequestId R-1)");
}

/* RELIABILITY A4-A6: no part of a reply that was cut is ever used. */
static void test_cut_anywhere(void **state)
{
    CLEANUP(strbuf_release) struct strbuf body = read_file("documented.json");
    struct page_options options = {
        .kind = &page_of_deployments, .labels = &all_labels, .page_size = 100, .max_items = 1000};

    (void)state;
    for (size_t len = 0; len < body.len - 2; len += len < 200 ? 1 : 7) {
        CLEANUP(reply_release) struct reply r = decode_with(body.ptr, len, &options);
        assert_int_equal(r.err.kind, ERR_PARSE);
        assert_null(r.page.items);
    }
}

static void test_ids(void **state)
{
    static const struct {
        const char *entry;
        const char *id; /* NULL = left out */
    } cases[] = {
        {"{\"deploymentId\":\"a\"}", "a"},
        {"{\"deploymentId\":\"a b\\u00e4\"}", "a b\xc3\xa4"},
        {"{\"deploymentId\":\"a\\u0000b\"}", "a"},
        {"{\"deploymentId\":\"bad\xff\"}", "bad\xef\xbf\xbd"},
        {"{\"deploymentId\":\"\\u0000b\"}", NULL},
        {"{\"deploymentId\":\"\"}", NULL},
        {"{\"deploymentId\":\"a\\nb\"}", NULL},
        {"{\"deploymentId\":\"a\\u007f\"}", NULL},
        {"{\"deploymentId\":null}", NULL},
        {"{\"deploymentId\":1}", NULL},
        {"{\"deploymentId\":{}}", NULL},
        {"{}", NULL},
        {"null", NULL},
        {"[]", NULL},
        {"\"deploymentId\"", NULL},
    };
    char body[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(body, sizeof(body),
                       "{\"success\":true,\"data\":[{\"deploymentId\":\"before\"},%s]}",
                       cases[i].entry);
        CLEANUP(reply_release) struct reply r = decode(body);

        assert_int_equal(r.rc, 0);
        assert_int_equal(r.page.n_objects, 2);
        assert_int_equal(r.page.n_items, cases[i].id ? 2 : 1);
        assert_int_equal(r.page.invalid, cases[i].id ? 0 : 1);
        if (cases[i].id)
            assert_string_equal(r.page.items[1].id, cases[i].id);
    }
}

/* An id that would have to be cut is none; what it would have counted is not counted either. */
static void test_long_ids(void **state)
{
    (void)state;
    for (int fill = 509; fill <= 514; fill++) {
        CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

        strbuf_addf(&body, "{\"success\":true,\"data\":[{\"deploymentId\":\"%0*d\xff\"}]}", fill,
                    0);
        CLEANUP(reply_release) struct reply r = decode(strbuf_str(&body));
        size_t n = fill + 3 <= LABEL_VALUE_MAX ? 1 : 0;
        assert_int_equal(r.page.n_items, n);
        assert_int_equal(r.page.invalid_utf8, n);
        assert_int_equal(r.page.too_long, 0);
    }
}

static void test_minimal_record(void **state)
{
    CLEANUP(reply_release) struct reply r = decode_members("");
    CLEANUP(strbuf_release) struct strbuf got = STRBUF_INIT;

    (void)state;
    dump_deployment(&got, r.page.items);
    assert_string_equal(strbuf_str(&got),
                        "  name \"\"\n  mode \"\"\n  engine \"\"\n  kind \"\"\n"
                        "  target \"\"\n  target_mode \"\"\n  setting \"\"\n"
                        "  draft \"\"\n  jobs -1 -1 -1 -1 -1 -1\n  created 0\n"
                        "  modified 0\n  parallelism -1\n  max_slots -1\n"
                        "  jobmanager -1 -1\n  taskmanager -1 -1\n  changed -1\n");
    assert_int_equal(r.page.items->n_labels, 0);
}

static void test_times(void **state)
{
    static const struct {
        const char *json;
        int64_t unix_s;
    } cases[] = {
        {"1714058507", 1714058507},
        {"\"1714058507\\n\"", 1714058507},
        {"\" \\t\\r\\n1714058507\\u000b\\f \"", 1714058507},
        {"1714058507123", 1714058507},
        {"\"1714058507123\"", 1714058507},
        {"1.714058507e9", 1714058507},
        {"99999999999", 99999999999},
        {"100000000000", 100000000},
        {"1714058507123456", 0},
        {"0", 0},
        {"\"0\"", 0},
        {"\"\"", 0},
        {"\" \"", 0},
        {"null", 0},
        {"-1", 0},
        {"\"-1\"", 0},
        {"\"+1\"", 0},
        {"\"1e9\"", 0},
        {"\"0x10\"", 0},
        {"\"1 2\"", 0},
        {"\"12a\"", 0},
        {"1.5", 0},
        {"1e309", 0},
        {"9007199254740993", 0},
        {"\"00000000000000000000000000001714058507\"", 0},
        {"\"99999999999999999999999999\"", 0},
        {"true", 0},
        {"[1714058507]", 0},
    };
    char members[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(members, sizeof(members), "\"createdAt\":%s,\"modifiedAt\":%s",
                       cases[i].json, cases[i].json);
        CLEANUP(reply_release) struct reply r = decode_members(members);
        if (r.page.items->created_unix_s != cases[i].unix_s)
            fail_msg("%s: %lld", cases[i].json, (long long)r.page.items->created_unix_s);
        assert_int_equal(r.page.items->modified_unix_s, cases[i].unix_s);
    }
}

static void test_jobs(void **state)
{
    static const struct {
        const char *json;
        int64_t jobs[JOB_STATE_END]; /* starting running cancelling cancelled finished failed */
    } cases[] = {
        {"null", {-1, -1, -1, -1, -1, -1}},
        {"{}", {-1, -1, -1, -1, -1, -1}},
        {"[1]", {-1, -1, -1, -1, -1, -1}},
        {"\"6\"", {-1, -1, -1, -1, -1, -1}},
        {"{\"suspended\":3}", {-1, -1, -1, -1, -1, -1}},
        {"{\"FAILED\":3}", {-1, -1, -1, -1, -1, -1}},
        {"{\"failed\":null}", {-1, -1, -1, -1, -1, -1}},
        {"{\"failed\":\"x\",\"running\":-1}", {-1, -1, -1, -1, -1, -1}},
        {"{\"failed\":0}", {0, 0, 0, 0, 0, 0}},
        {"{\"failed\":6}", {0, 0, 0, 0, 0, 6}},
        {"{\"failed\":6,\"suspended\":\"x\"}", {0, 0, 0, 0, 0, 6}},
        {"{\"failed\":\"6\",\"running\":null}", {0, 0, 0, 0, 0, 6}},
        {"{\"failed\":-1,\"running\":2}", {0, 2, 0, 0, 0, -1}},
        {"{\"failed\":1.5,\"running\":2}", {0, 2, 0, 0, 0, -1}},
        {"{\"failed\":1e309,\"running\":2}", {0, 2, 0, 0, 0, -1}},
        {"{\"failed\":9007199254740993,\"running\":2}", {0, 2, 0, 0, 0, -1}},
        {"{\"failed\":9007199254740991,\"running\":2}", {0, 2, 0, 0, 0, 9007199254740991}},
        {"{\"failed\":\"1e9\",\"running\":2}", {0, 2, 0, 0, 0, -1}},
        {"{\"failed\":\"\",\"running\":2}", {0, 2, 0, 0, 0, -1}},
        {"{\"failed\":{},\"running\":[],\"starting\":1}", {1, -1, 0, 0, 0, -1}},
        {"{\"failed\":true,\"starting\":1}", {1, 0, 0, 0, 0, -1}},
        {"{\"starting\":1,\"running\":2,\"cancelling\":3,\"cancelled\":4,\"finished\":5,"
         "\"failed\":6}",
         {1, 2, 3, 4, 5, 6}},
    };
    char members[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(members, sizeof(members), "\"jobSummary\":%s", cases[i].json);
        CLEANUP(reply_release) struct reply r = decode_members(members);
        if (memcmp(r.page.items->jobs, cases[i].jobs, sizeof(cases[i].jobs)) != 0)
            fail_msg("%s", cases[i].json);
    }
}

static void test_enumerations(void **state)
{
    static const char *const cases[][2] = {
        {"\"STREAMING\"", "streaming"},
        {"\"STREAM\"", "streaming"},
        {"\"stream\"", "streaming"},
        {"\"BATCH\"", "batch"},
        {"\"CDC_YAML\"", "cdc_yaml"},
        {"\"\\u00c4B\"", "\xc3\x84"
                         "b"},
        {"null", ""},
        {"7", ""},
        {"{}", ""},
    };
    char members[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *v = cases[i][0];
        (void)snprintf(members, sizeof(members),
                       "\"executionMode\":%s,\"artifact\":{\"kind\":%s},"
                       "\"deploymentTarget\":{\"mode\":%s,\"name\":\"Q\"},"
                       "\"streamingResourceSetting\":{\"resourceSettingMode\":%s}",
                       v, v, v, v);
        CLEANUP(reply_release) struct reply r = decode_members(members);
        const struct deployment *d = r.page.items;

        assert_string_equal(d->execution_mode, cases[i][1]);
        const char *other =
            strcmp(v, "\"STREAM\"") == 0 || strcmp(v, "\"stream\"") == 0 ? "stream" : cases[i][1];
        assert_string_equal(d->artifact_kind, other);
        assert_string_equal(d->target_mode, other);
        if (strcmp(other, "batch") != 0)
            assert_string_equal(d->resource_setting_mode, other);
        assert_string_equal(d->target, "Q");
    }
}

/* Two label values that are too long or no UTF-8, at every distance from the limit. */
static void test_cleaning(void **state)
{
    static const char *const tails[] = {"",
                                        "z",
                                        "\xc3\xa4",
                                        "\xe4\xb8\xad",
                                        "\xf0\x9f\x98\x80",
                                        "\xff",
                                        "\xe4\xb8",
                                        "\xf0\x9f\x98\x80\xff"};

    (void)state;
    for (int fill = 505; fill <= 520; fill++) {
        for (size_t k = 0; k < ARRAY_LEN(tails); k++) {
            CLEANUP(strbuf_release) struct strbuf members = STRBUF_INIT;
            bool cut;
            bool bad = !utf8_valid(tails[k], strlen(tails[k]));

            strbuf_addf(&members, "\"name\":\"%0*d%s\"", fill, 0, tails[k]);
            CLEANUP(reply_release) struct reply r = decode_members(strbuf_str(&members));
            const char *name = r.page.items->name;
            size_t len = strlen(name);
            size_t n_bad = !bad ? 0 : k == 6 ? 2 : 1;
            size_t full = (size_t)fill + strlen(tails[k]) + 2 * n_bad;

            cut = full > LABEL_VALUE_MAX;
            assert_true(utf8_valid(name, len));
            assert_in_range(len, cut ? LABEL_VALUE_MAX - 3 : full, cut ? LABEL_VALUE_MAX : full);
            assert_int_equal(r.page.too_long, cut ? 1 : 0);
            /* Far behind the cut nobody looks. */
            if (fill < LABEL_VALUE_MAX)
                assert_int_equal(r.page.invalid_utf8, bad ? 1 : 0);
        }
    }
}

/*
 * RELIABILITY A14, A15: every value of a normal deployment, at any depth, is replaced by what it
 * should not be.
 */
static const char normal[] =
    "{\"success\":true,\"totalSize\":1,\"data\":[{\"deploymentId\":\"id\",\"name\":\"n\","
    "\"engineVersion\":\"vvr-8\",\"executionMode\":\"BATCH\",\"deploymentTarget\":{\"mode\":"
    "\"PER_JOB\",\"name\":\"q\"},\"artifact\":{\"kind\":\"JAR\",\"jarArtifact\":{\"jarUri\":\"u\"}}"
    ","
    "\"jobSummary\":{\"starting\":1,\"running\":2,\"cancelling\":3,\"cancelled\":4,\"finished\":5,"
    "\"failed\":6},\"batchResourceSetting\":{\"maxSlot\":4,\"basicResourceSetting\":{"
    "\"parallelism\":4,\"jobmanagerResourceSettingSpec\":{\"cpu\":1,\"memory\":\"1Gi\"},"
    "\"taskmanagerResourceSettingSpec\":{\"cpu\":2,\"memory\":\"2Gi\"}}},"
    "\"streamingResourceSetting\":{\"resourceSettingMode\":\"EXPERT\",\"expertResourceSetting\":{"
    "\"jobmanagerResourceSettingSpec\":{\"cpu\":1,\"memory\":\"1Gi\"},\"resourcePlan\":\"{}\"}},"
    "\"labels\":{\"team\":\"t\"},\"deploymentHasChanged\":true,\"referencedDeploymentDraftId\":"
    "\"r\",\"createdAt\":1714058507,\"modifiedAt\":\"1714058843\\n\"}]}";

/* The end of the value at s: of a text without blanks and without brackets in its strings. */
static const char *value_end(const char *s)
{
    int depth = 0;

    for (;; s++) {
        if (*s == '"')
            s = strchr(s + 1, '"');
        else if (*s == '{' || *s == '[')
            depth++;
        else if (*s == '}' || *s == ']')
            depth--;
        if (depth < 0 || (depth == 0 && (s[1] == ',' || s[1] == '}' || s[1] == ']')))
            return s + 1;
    }
}

static void check_mutant(const char *key, const char *value, const struct reply *r)
{
    bool summary = strncmp(key, "jobSummary\"", 11) == 0;

    assert_int_equal(r->rc, 0);
    assert_int_equal(r->page.n_objects, 1);
    if (strncmp(key, "deploymentId\"", 13) == 0 && strcmp(value, "\"x\"") != 0) {
        assert_int_equal(r->page.invalid, 1);
        return;
    }
    assert_int_equal(r->page.n_items, 1);
    for (enum job_state i = 0; i < JOB_STATE_END; i++) {
        const char *name = job_state_name(i);
        size_t len = strlen(name);
        bool mutated = strncmp(key, name, len) == 0 && key[len] == '"';
        /* null is a key left out, so the one honest 0 here. */
        int64_t expected = summary ? -1 : !mutated ? (int64_t)i + 1 : *value == 'n' ? 0 : -1;

        if (r->page.items->jobs[i] != expected)
            fail_msg("%.20s = %s: %s is %lld", key, value, name, (long long)r->page.items->jobs[i]);
    }
}

static void test_mutants(void **state)
{
    static const char *const values[] = {"null",  "true", "-1", "1e309", "9007199254740993",
                                         "\"x\"", "\"\"", "[]", "{}",    "1.5"};
    const char *key = strstr(normal, "\"deploymentId\"");
    size_t n_fields = 0;

    (void)state;
    for (; key; key = strchr(key, '"')) {
        const char *start = strchr(key + 1, '"') + 1;

        if (*start != ':') { /* the text of a value */
            key = start;
            continue;
        }
        start++;
        const char *end = value_end(start);
        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
            CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

            strbuf_add(&body, normal, (size_t)(start - normal));
            strbuf_adds(&body, values[i]);
            strbuf_adds(&body, end);
            CLEANUP(reply_release) struct reply r = decode(strbuf_str(&body));
            check_mutant(key + 1, values[i], &r);
        }
        n_fields++;
        key = start;
    }
    assert_int_equal(n_fields, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_refused_by_success),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_long_ids),
        cmocka_unit_test(test_minimal_record),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_enumerations),
        cmocka_unit_test(test_cleaning),
        cmocka_unit_test(test_mutants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
