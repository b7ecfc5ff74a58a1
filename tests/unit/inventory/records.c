#include "records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

struct deployment record_absent(const char *id, const char *name)
{
    struct deployment d = {
        .id = id,
        .name = name,
        .execution_mode = "",
        .engine_version = "",
        .artifact_kind = "",
        .target = "",
        .target_mode = "",
        .resource_setting_mode = "",
        .draft_id = "",
        .parallelism = -1,
        .max_slots = -1,
        .jobmanager_cpu = -1,
        .taskmanager_cpu = -1,
        .jobmanager_memory = -1,
        .taskmanager_memory = -1,
        .has_changes = -1,
    };

    for (int state = 0; state < JOB_STATE_END; state++)
        d.jobs[state] = -1;
    return d;
}

struct deployment record_full(const char *id, const char *name)
{
    static const struct deployment_label labels[] = {{"label_env", "prod"},
                                                     {"label_team", "payments"}};

    return (struct deployment){
        .id = id,
        .name = name,
        .execution_mode = "streaming",
        .engine_version = "vvr-8.0.11-flink-1.17",
        .artifact_kind = "sqlscript",
        .target = "default-queue",
        .target_mode = "per_job",
        .resource_setting_mode = "basic",
        .draft_id = "0b7d3d0a-2f7e-4d43-8a53-64ac329d5334",
        .jobs = {[JOB_RUNNING] = 1, [JOB_CANCELLED] = 4, [JOB_FAILED] = 7},
        .created_unix_s = 1766000000,
        .modified_unix_s = 1790000000,
        .parallelism = 8,
        .max_slots = -1,
        .jobmanager_cpu = 1,
        .taskmanager_cpu = 0.5,
        .jobmanager_memory = 4294967296,
        .taskmanager_memory = 2147483648,
        .has_changes = 0,
        .labels = labels,
        .n_labels = ARRAY_LEN(labels),
    };
}

static struct listing *new_listing(size_t n)
{
    struct listing *listing = listing_new();

    assert_non_null(listing);
    listing->items = arena_calloc(listing->arena, n, sizeof(*listing->items));
    assert_non_null(listing->items);
    listing->n_items = n;
    listing->expected = (int64_t)n;
    listing->pages = (uint32_t)(n / 100 + 1);
    return listing;
}

struct listing *listing_of(const struct deployment *items, size_t n)
{
    struct listing *listing = new_listing(n);

    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || strcmp(items[i - 1].id, items[i].id) < 0);
        listing->items[i] = items[i];
    }
    return listing;
}

struct listing *listing_of_numbers(const uint32_t *numbers, size_t n)
{
    struct listing *listing = new_listing(n);

    for (size_t i = 0; i < n; i++) {
        char id[32], name[32];
        struct deployment *d = &listing->items[i];

        assert_true(i == 0 || numbers[i - 1] < numbers[i]);
        snprintf(id, sizeof(id), "d-%08u", numbers[i]);
        snprintf(name, sizeof(name), "job %u", numbers[i]);
        *d = record_full(arena_strdup(listing->arena, id), arena_strdup(listing->arena, name));
        assert_true(d->id && d->name);
        d->jobs[JOB_FAILED] = numbers[i] % 5;
        d->created_unix_s += numbers[i];
    }
    return listing;
}

struct draft draft_full(const char *id, const char *name, const char *deployment_id)
{
    return (struct draft){
        .id = id,
        .name = name,
        .deployment_id = deployment_id,
        .execution_mode = "streaming",
        .engine_version = "vvr-8.0.11-flink-1.17",
        .artifact_kind = "sqlscript",
        .lock_holder = "",
        .created_unix_s = 1765990000,
        .modified_unix_s = 1790000000,
    };
}

struct listing *listing_of_drafts(const struct draft *items, size_t n)
{
    struct listing *listing = listing_new();

    assert_non_null(listing);
    listing->kind = RECORD_DRAFT;
    listing->drafts = arena_calloc(listing->arena, n, sizeof(*listing->drafts));
    assert_non_null(listing->drafts);
    listing->n_items = n;
    listing->expected = (int64_t)n;
    listing->pages = 1;
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || strcmp(items[i - 1].id, items[i].id) < 0);
        listing->drafts[i] = items[i];
    }
    return listing;
}

struct ticket ticket_executing(const char *id)
{
    return (struct ticket){
        .id = id,
        .draft_id = "",
        .deployment_id = "",
        .status = TICKET_EXECUTING,
        .validated = -1,
        .failure = TICKET_FAILURE_END,
        .tracked_unix_ms = INT64_C(1790000000000),
        .tracked_mono_ms = 5000,
    };
}

struct ticket_set *tickets_of(const struct ticket *items, size_t n)
{
    struct arena *arena = arena_new();
    struct ticket_set *set;
    struct ticket *copies;

    assert_non_null(arena);
    set = arena_calloc(arena, 1, sizeof(*set));
    copies = arena_calloc(arena, n + 1, sizeof(*copies));
    assert_true(set && copies);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || strcmp(items[i - 1].id, items[i].id) < 0);
        copies[i] = items[i];
    }
    atomic_init(&set->refs, 1);
    set->arena = arena;
    set->items = copies;
    set->n_items = n;
    set->asked = n;
    return set;
}

struct deployment_jobs jobs_running(const char *id, int64_t restarts, int64_t mono_ms)
{
    struct deployment_jobs jobs = deployment_jobs_none(id);

    jobs.n_active = 1;
    jobs.current_id = "job";
    jobs.current_status = "running";
    jobs.restarts = restarts;
    jobs.started_unix_s = 1790000500;
    jobs.cpu = 2.5;
    jobs.memory = 4096;
    jobs.asked = 1;
    jobs.answered_mono_ms = mono_ms;
    jobs.answered_unix_ms = INT64_C(1790001200000);
    return jobs;
}

struct job_set *jobs_of(const struct deployment_jobs *items, size_t n)
{
    struct job_set *set = job_set_new();
    struct deployment_jobs *copies;

    assert_non_null(set);
    copies = arena_calloc(set->arena, n + 1, sizeof(*copies));
    assert_non_null(copies);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || strcmp(items[i - 1].id, items[i].id) < 0);
        copies[i] = items[i];
    }
    set->items = copies;
    set->n_items = n;
    set->wanted = set->answered = n;
    return set;
}

struct target target_usual(void)
{
    return (struct target){
        .name = "prod",
        .region_id = "cn-hangzhou",
        .endpoint = "https://ververica.cn-hangzhou.aliyuncs.com",
        .host = "ververica.cn-hangzhou.aliyuncs.com",
        .workspace = "e0f2a8c1b7d94e",
        .collectors = 1u << COLLECTOR_DEPLOYMENTS,
        .interval_ms = 60000,
        .max_staleness_ms = 300000,
    };
}

void snapshot_write(const struct snapshot *s, enum expo_format format, struct strbuf *out)
{
    size_t n;
    struct piece *const *pieces = snapshot_pieces(s, format, &n);

    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *text = piece_text(pieces[i], &len);

        assert_int_equal(strlen(text), len);
        strbuf_add(out, text, len);
    }
    assert_int_equal(out->len, snapshot_text_len(s, format));
    expo_end(out, format);
    assert_true(strbuf_ok(out));
}

void registry_text(const struct registry *registry, struct strbuf *out)
{
    registry_write(registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_TEXT, out);
    assert_true(strbuf_ok(out));
}

/* --- reading back --- */

struct line {
    const char *text;
    size_t len;
};

static size_t split_lines(const struct strbuf *text, struct line **ret)
{
    size_t n = 0, cap = text->len / 8 + 1;
    struct line *lines = calloc(cap, sizeof(*lines));

    assert_non_null(lines);
    for (const char *p = strbuf_str(text); *p; n++) {
        const char *end = strchr(p, '\n');

        assert_non_null(end); /* the last line ends, too */
        assert_true(n < cap);
        lines[n] = (struct line){p, (size_t)(end - p)};
        p = end + 1;
    }
    *ret = lines;
    return n;
}

static int by_text(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void expect_distinct(struct line *lines, size_t n, const char *what)
{
    qsort(lines, n, sizeof(*lines), by_text);
    for (size_t i = 1; i < n; i++)
        if (by_text(&lines[i - 1], &lines[i]) == 0)
            fail_msg("%s twice: %.*s", what, (int)lines[i].len, lines[i].text);
}

/* The word behind "# HELP " or "# TYPE ", which must be what the line begins with. */
static struct line word_behind(const struct line *line, const char *lead)
{
    size_t lead_len = strlen(lead);

    if (line->len <= lead_len || memcmp(line->text, lead, lead_len) != 0)
        fail_msg("no %slike this: %.*s", lead, (int)line->len, line->text);
    return (struct line){line->text + lead_len, strcspn(line->text + lead_len, " \n")};
}

/* From the name to the last brace or the blank in front of the value. */
static struct line series_of(const struct line *line)
{
    size_t len = line->len;

    while (len > 0 && line->text[len - 1] != ' ')
        len--;
    assert_in_range(len, 2, line->len - 1); /* a name in front, a value behind */
    return (struct line){line->text, len - 1};
}

/* True if the line is a sample of the family. */
static bool belongs(const struct line *line, const struct line *family, enum expo_format format,
                    bool counter)
{
    size_t len = strcspn(line->text, "{ ");
    size_t suffix = counter && format == EXPO_OPENMETRICS ? strlen("_total") : 0;

    return len == family->len + suffix && memcmp(line->text, family->text, family->len) == 0 &&
           memcmp(line->text + family->len, "_total", suffix) == 0;
}

size_t expect_exposition(const struct strbuf *text, enum expo_format format)
{
    struct line *lines, *families, *series;
    size_t n = split_lines(text, &lines), n_families = 0, n_series = 0, i = 0;

    families = calloc(n + 1, sizeof(*families));
    series = calloc(n + 1, sizeof(*series));
    assert_true(families && series);
    if (format == EXPO_OPENMETRICS) {
        assert_true(n > 0 && lines[n - 1].len == 5 && memcmp(lines[n - 1].text, "# EOF", 5) == 0);
        n--;
    }
    while (i < n) {
        struct line family = word_behind(&lines[i++], "# HELP ");
        struct line again = i < n ? word_behind(&lines[i], "# TYPE ") : (struct line){"", 0};
        bool counter;
        size_t before = n_series;

        assert_int_equal(by_text(&family, &again), 0);
        counter = strncmp(again.text + again.len, " counter\n", 9) == 0;
        for (i++; i < n && lines[i].text[0] != '#'; i++) {
            if (!belongs(&lines[i], &family, format, counter))
                fail_msg("below %.*s: %.*s", (int)family.len, family.text, (int)lines[i].len,
                         lines[i].text);
            series[n_series++] = series_of(&lines[i]);
        }
        assert_true(n_series > before); /* no header without samples */
        families[n_families++] = family;
    }
    expect_distinct(families, n_families, "family");
    expect_distinct(series, n_series, "series");
    free(lines);
    free(families);
    free(series);
    return n_series;
}

const char *value_of(const struct strbuf *text, const char *series)
{
    static char value[64];
    size_t series_len = strlen(series);

    value[0] = '\0';
    for (const char *p = strbuf_str(text); p && *p; p = strchr(p, '\n') + 1)
        if (strncmp(p, series, series_len) == 0 && p[series_len] == ' ') {
            size_t len = strcspn(p + series_len + 1, "\n");

            assert_true(len < sizeof(value));
            memcpy(value, p + series_len + 1, len);
            value[len] = '\0';
            break;
        }
    return value;
}

size_t count_lines(const struct strbuf *text, const char *prefix)
{
    size_t n = 0;

    for (const char *p = strbuf_str(text); *p; p = strchr(p, '\n') + 1)
        n += strncmp(p, prefix, strlen(prefix)) == 0;
    return n;
}

void gunzip(const void *bytes, size_t len, struct strbuf *out)
{
    unsigned char chunk[4096];
    z_stream z = {0};
    CLEANUP(freep) unsigned char *copy = malloc(len + 1);
    int rc;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    assert_int_equal(inflateInit2(&z, 16 + 15), Z_OK);
    z.next_in = copy;
    z.avail_in = (uInt)len;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = inflate(&z, Z_NO_FLUSH);
        strbuf_add(out, chunk, sizeof(chunk) - z.avail_out);
    } while (rc == Z_OK);
    assert_int_equal(rc, Z_STREAM_END); /* CRC and length were right */
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
    assert_true(strbuf_ok(out));
}
