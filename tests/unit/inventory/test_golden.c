/*
 * The whole exposition of a small inventory against tests/golden/inventory.prom and .om, byte by
 * byte. After a change that is meant to show there: AFE_UPDATE_GOLDEN=1 writes the files anew, and
 * the difference wants to be read.
 */
#include "inventory/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records.h"

#define T0_MS   INT64_C(1000000)
#define U0_MS   INT64_C(1790001200000)

#define WATCHES 6

/* --- made-up data --- */

static struct deployment batch_job(void)
{
    struct deployment d = record_full("1b0e7c52-batch", "nightly-report");

    d.execution_mode = "batch";
    d.artifact_kind = "jar";
    d.target_mode = "session";
    d.jobs[JOB_RUNNING] = 0;
    d.jobs[JOB_CANCELLED] = 0;
    d.jobs[JOB_FAILED] = 0;
    d.jobs[JOB_FINISHED] = 9007199254740992;
    d.max_slots = 16;
    d.parallelism = 256;
    d.jobmanager_cpu = 0.25;
    d.taskmanager_cpu = 1.1;
    d.jobmanager_memory = 1073741824;
    d.taskmanager_memory = 1099511627776;
    d.has_changes = 1;
    d.n_labels = 0;
    return d;
}

/* Expert mode has no parallelism; a draft that is gone; zero is a value. */
static struct deployment expert_job(void)
{
    struct deployment d = record_full("2c-expert", "orders-enrich");

    d.resource_setting_mode = "expert";
    d.parallelism = -1;
    d.taskmanager_cpu = -1;
    d.taskmanager_memory = -1;
    d.jobmanager_cpu = 0;
    d.draft_id = "";
    memset(d.jobs, 0, sizeof(d.jobs));
    d.created_unix_s = 0;
    return d;
}

static struct deployment hostile_job(void)
{
    static const struct deployment_label labels[] = {
        {"label_empty", ""},
        {"label_note", "first line\nsecond \"line\" \\ end\\"},
        {"label_note_conflict1", "{a=\"b\"} 1 # EOF"},
    };
    struct deployment d = record_absent("3d-\"quoted\"\\\n", "订单 \"enrich\"\\\n# TYPE x gauge\n");

    d.engine_version = "vvr-\xef\xbf\xbd";
    d.labels = labels;
    d.n_labels = ARRAY_LEN(labels);
    d.jobs[JOB_FAILED] = 3; /* some states told, others not */
    d.jobs[JOB_RUNNING] = 0;
    return d;
}

static struct listing *production(void)
{
    struct deployment items[] = {
        record_full("0a5b1e7d-full", "orders-enrich"), /* names are not unique */
        batch_job(),
        expert_job(),
        hostile_job(),
        record_absent("4e-silent", ""),
    };
    struct listing *listing = listing_of(items, ARRAY_LEN(items));

    listing->pages = 2;
    listing->expected = 6;
    listing->invalid = 1;
    listing->duplicates = 2;
    return listing;
}

static struct listing *one_job(void)
{
    const struct deployment d = record_full("9f-other", "other");
    struct listing *listing = listing_of(&d, 1);

    listing->expected = -1;
    return listing;
}

/* Drafts beside deployed(): one like it, one that drifted, one never deployed. */
static struct listing *some_drafts(void)
{
    struct draft drafts[] = {
        draft_full("0b7d3d0a", "orders-enrich", "5a-deployed"),
        draft_full("1c-\"odd\"", "订单\n", "5a-deployed"),
        draft_full("2d-new", "", ""),
    };
    struct listing *listing;

    drafts[0].content_hash = 1;
    drafts[1].content_hash = 2;
    drafts[1].locked = 1;
    drafts[1].lock_holder = "somebody";
    drafts[2].created_unix_s = drafts[2].modified_unix_s = 0;
    drafts[2].execution_mode = drafts[2].engine_version = drafts[2].artifact_kind = "";
    listing = listing_of_drafts(drafts, ARRAY_LEN(drafts));
    listing->duplicates = 1;
    return listing;
}

static struct listing *deployed(void)
{
    struct deployment d = record_full("5a-deployed", "orders-enrich");

    d.content_hash = 1;
    return listing_of(&d, 1);
}

static struct ticket_set *some_tickets(void)
{
    struct ticket items[] = {ticket_executing("A1_executing"),
                             ticket_executing("b3dcdb25-bf36-457d-92ba-a36077e8d99a"),
                             ticket_executing("c-refused"), ticket_executing("d-retired")};

    for (size_t i = 1; i < ARRAY_LEN(items); i++) {
        items[i].status = TICKET_FINISHED;
        items[i].ended = true;
        items[i].ended_unix_ms = INT64_C(1790000090000) + (int64_t)i * 250;
        items[i].validated = i != 2;
        items[i].draft_id = "0b7d3d0a";
        items[i].deployment_id = "5a-deployed";
    }
    items[2].failure = TICKET_FAILURE_VALIDATION;
    items[3].retired = true;
    return tickets_of(items, ARRAY_LEN(items));
}

/* --- made-up events --- */

static void configure(struct inventory *inventory, struct target *targets)
{
    static const struct glob_list nothing;
    const struct inventory_settings settings = {.deny = &nothing, .draft_lock_holder = true};
    struct inventory_watch watches[WATCHES] = {
        {&targets[0], "prod-default"}, {&targets[0], "odd \"name\"\\"}, {&targets[1], "default"},
        {&targets[2], "default"},      {&targets[2], "untried"},        {&targets[3], "release"},
    };
    struct err err;

    targets[0] = targets[1] = targets[2] = targets[3] = target_usual();
    targets[1].name = "staging \\ \"b\"";
    targets[1].workspace = "a14bd5d90a4f4e";
    targets[1].region_id = "";
    targets[1].host = "127.0.0.1:18080";
    targets[2].name = "stale";
    targets[2].workspace = "ffffffffffffff";
    targets[2].max_staleness_ms = 61000;
    targets[2].interval_ms = 500;
    targets[3].name = "release";
    targets[3].workspace = "0123456789abcd";
    targets[3].collectors =
        1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_DRAFTS | 1u << COLLECTOR_TICKETS;
    assert_int_equal(inventory_configure(inventory, &settings, watches, WATCHES, &err), 0);
}

static void done_by(struct inventory *inventory, size_t entry, enum collector collector,
                    struct refresh_outcome outcome, int64_t now_ms)
{
    struct err err = {0};
    bool success = outcome.kind == ERR_NONE;

    outcome.ended_mono_ms = now_ms;
    outcome.ended_unix_ms = U0_MS + (now_ms - T0_MS);
    outcome.duration_ms = 1000 + (int64_t)entry * 205;
    inventory_refresh_begun(inventory, entry, collector,
                            outcome.ended_unix_ms - outcome.duration_ms);
    assert_int_equal(inventory_refresh_done(inventory, entry, collector, &outcome, &err),
                     success ? 0 : -1);
}

static void done(struct inventory *inventory, size_t entry, struct refresh_outcome outcome,
                 int64_t now_ms)
{
    done_by(inventory, entry, COLLECTOR_DEPLOYMENTS, outcome, now_ms);
}

static void let_things_happen(struct inventory *inventory)
{
    struct api_stats good = {.rate_limit_waits = 12, .rate_limit_wait_ms = 3205};
    struct api_stats bad = {0};

    api_stats_count(&good, OPERATION_LIST_DEPLOYMENTS, 200);
    api_stats_count(&good, OPERATION_LIST_DEPLOYMENTS, 503);
    api_stats_count(&good, OPERATION_LIST_DEPLOYMENTS, 200);
    good.operations[0].retries = 1;
    good.operations[0].throttled = 1;
    good.operations[0].failures[ERR_THROTTLED] = 1;
    for (int code = 400; code < 417; code++)
        api_stats_count(&bad, OPERATION_LIST_DEPLOYMENTS, code);
    api_stats_count(&bad, OPERATION_LIST_DEPLOYMENTS, 0);
    bad.operations[0].failures[ERR_TIMEOUT] = 1;

    done(inventory, 0, (struct refresh_outcome){.listing = production(), .stats = &good}, T0_MS);
    done(inventory, 1, (struct refresh_outcome){.listing = one_job(), .stats = &good}, T0_MS);
    done(inventory, 1,
         (struct refresh_outcome){.kind = ERR_TIMEOUT, .message = "page 1", .stats = &good},
         T0_MS + 60000);
    done(inventory, 2,
         (struct refresh_outcome){.kind = ERR_NOMEM, .message = "memory", .stats = &bad}, T0_MS);
    done(inventory, 2, (struct refresh_outcome){.kind = ERR_AUTHENTICATION, .message = "key"},
         T0_MS + 60007);
    inventory_refresh_missed(inventory, 2, COLLECTOR_DEPLOYMENTS);
    done(inventory, 3, (struct refresh_outcome){.listing = one_job()}, T0_MS);
    done(inventory, 5, (struct refresh_outcome){.listing = deployed()}, T0_MS);
    done_by(inventory, 5, COLLECTOR_DRAFTS, (struct refresh_outcome){.listing = some_drafts()},
            T0_MS);
    done_by(inventory, 5, COLLECTOR_TICKETS, (struct refresh_outcome){.tickets = some_tickets()},
            T0_MS);
}

/* --- comparison --- */

static void read_file(const char *path, struct strbuf *out)
{
    char chunk[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    if (!f)
        fail_msg("cannot read %s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        strbuf_add(out, chunk, n);
    fclose(f);
}

static void write_file(const char *path, const struct strbuf *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fwrite(text->ptr, 1, text->len, f) != text->len || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

static void expect_golden(const struct strbuf *text, const char *path)
{
    CLEANUP(strbuf_release) struct strbuf golden = STRBUF_INIT;
    const char *update = getenv("AFE_UPDATE_GOLDEN");
    const char *is, *should;

    if (update && strcmp(update, "1") == 0)
        write_file(path, text);
    read_file(path, &golden);
    is = strbuf_str(text);
    should = strbuf_str(&golden);
    for (int line = 1; *is || *should; line++) {
        size_t is_len = strcspn(is, "\n"), should_len = strcspn(should, "\n");

        if (is_len != should_len || memcmp(is, should, is_len) != 0)
            fail_msg("%s:%d: is\n%.*s\nand not\n%.*s", path, line, (int)is_len, is, (int)should_len,
                     should);
        is += is_len + (is[is_len] == '\n');
        should += should_len + (should[should_len] == '\n');
    }
    assert_int_equal(text->len, golden.len);
}

static void test_golden(void **state)
{
    struct registry *registry = registry_new();
    struct inventory *inventory;
    struct target targets[4];
    CLEANUP(snapshot_unrefp) struct snapshot *s = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf openmetrics = STRBUF_INIT;
    struct err err;

    (void)state;
    assert_non_null(registry);
    assert_int_equal(inventory_new(registry, &inventory, &err), 0);
    configure(inventory, targets);
    let_things_happen(inventory);
    assert_int_equal(inventory_snapshot(inventory, T0_MS + 61000, &s, &err), 0);
    snapshot_write(s, EXPO_TEXT, &text);
    snapshot_write(s, EXPO_OPENMETRICS, &openmetrics);
    assert_int_equal(expect_exposition(&text, EXPO_TEXT), snapshot_series(s));
    assert_int_equal(expect_exposition(&openmetrics, EXPO_OPENMETRICS), snapshot_series(s));
    expect_golden(&text, AFE_GOLDEN "/inventory.prom");
    expect_golden(&openmetrics, AFE_GOLDEN "/inventory.om");
    inventory_free(inventory);
    registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
