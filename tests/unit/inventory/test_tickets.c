/* Deploy tickets in the exposition: what is shown of them, what is counted, what is withheld. */
#include "inventory/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define A       "aliyun_flink_"
#define T       A "deploy_ticket"
#define TICKETS ",collector=\"tickets\""

static void start(struct bench *b)
{
    bench_start(b, 1);
    b->targets[0].collectors = 1u << COLLECTOR_TICKETS;
    bench_configure(b, 1);
}

static void take(struct bench *b, struct ticket_set *set, int64_t now_ms)
{
    bench_done(b, 0, COLLECTOR_TICKETS, (struct refresh_outcome){.tickets = set}, now_ms);
}

static struct ticket ended(const char *id, enum ticket_failure failure)
{
    struct ticket t = ticket_executing(id);

    t.status = failure == TICKET_FAILURE_FAILED ? TICKET_FAILED : TICKET_FINISHED;
    t.ended = true;
    t.failure = failure;
    t.ended_unix_ms = INT64_C(1790000090500);
    t.ended_mono_ms = 95000;
    return t;
}

static void expect(const struct strbuf *text, const char *name, const char *more, const char *value)
{
    const char *what = series(name, 0, more);

    if (strcmp(value_of(text, what), value) != 0)
        fail_msg("%s is '%s', not '%s'", what, value_of(text, what), value);
}

static void test_before_the_first(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct bench b;

    (void)state;
    start(&b);
    bench_text(&b, T0_MS, &text);
    /* Counters are there from the start, state is not. */
    expect(&text, T "s_completed_total", "", "0");
    expect(&text, T "_failures_total", ",reason=\"failed\"", "0");
    expect(&text, T "_failures_total", ",reason=\"expired\"", "0");
    assert_int_equal(count_lines(&text, T "_failures_total{"), TICKET_FAILURE_END);
    assert_int_equal(count_lines(&text, T "s{"), 0);
    expect(&text, A "refresh_objects", TICKETS, "");
    expect(&text, A "api_retries_total", ",operation=\"GetDeployDeploymentDraftResult\"", "0");
    bench_stop(&b);
}

static void test_values(void **state)
{
    struct ticket items[] = {
        ticket_executing("a"),
        ended("b", TICKET_FAILURE_END),
        ended("c", TICKET_FAILURE_VALIDATION),
        ended("d", TICKET_FAILURE_FAILED),
    };
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct ticket_set *set;
    struct bench b;

    (void)state;
    items[0].draft_id = "dr\"aft";
    items[0].deployment_id = "dep";
    items[1].validated = 1;
    items[2].validated = 0;
    items[3].retired = true;
    set = tickets_of(items, 4);
    set->asked = 1;
    start(&b);
    take(&b, set, T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, T "_status", ",ticket_id=\"a\",status=\"executing\"", "1");
    expect(&text, T "_status", ",ticket_id=\"a\",status=\"finished\"", "0");
    expect(&text, T "_status", ",ticket_id=\"b\",status=\"finished\"", "1");
    expect(&text, T "_status", ",ticket_id=\"b\",status=\"unknown\"", "0");
    assert_int_equal(count_lines(&text, T "_status{"), 3 * TICKET_STATUS_END); /* d is retired */
    expect(&text, T "_info",
           ",ticket_id=\"a\",deployment_draft_id=\"dr\\\"aft\",deployment_id=\"dep\"", "1");
    expect(&text, T "_info", ",ticket_id=\"b\",deployment_draft_id=\"\",deployment_id=\"\"", "1");
    expect(&text, T "_success", ",ticket_id=\"a\"", "");
    expect(&text, T "_success", ",ticket_id=\"b\"", "1");
    expect(&text, T "_success", ",ticket_id=\"c\"", "0");
    expect(&text, T "_validation_success", ",ticket_id=\"a\"", "");
    expect(&text, T "_validation_success", ",ticket_id=\"b\"", "1");
    expect(&text, T "_validation_success", ",ticket_id=\"c\"", "0");
    expect(&text, T "_tracked_timestamp_seconds", ",ticket_id=\"a\"", "1790000000");
    expect(&text, T "_completed_timestamp_seconds", ",ticket_id=\"a\"", "");
    expect(&text, T "_completed_timestamp_seconds", ",ticket_id=\"b\"", "1790000090.5");
    expect(&text, T "s", ",status=\"executing\"", "1");
    expect(&text, T "s", ",status=\"finished\"", "2");
    expect(&text, T "s", ",status=\"failed\"", "0");
    expect(&text, T "s", ",status=\"unknown\"", "0");
    expect(&text, A "refresh_objects", TICKETS, "1");
    expect(&text, A "refresh_pages", TICKETS, "");
    expect(&text, A "refresh_objects_expected", TICKETS, "");
    expect(&text, A "up", "", "1");
    bench_stop(&b);
}

static void expect_ended(struct bench *b, const char *completed, const char *failed)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    bench_text(b, T0_MS, &text);
    expect(&text, T "s_completed_total", "", completed);
    expect(&text, T "_failures_total", ",reason=\"failed\"", failed);
}

/* Each that ends counts once, and whatever goes or is retired takes nothing away. */
static void test_counters(void **state)
{
    struct ticket before[] = {ticket_executing("a"), ticket_executing("b")};
    struct ticket after[] = {ended("a", TICKET_FAILURE_END), ended("b", TICKET_FAILURE_FAILED),
                             ended("c", TICKET_FAILURE_EXPIRED)};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct bench b;

    (void)state;
    start(&b);
    take(&b, tickets_of(before, 2), T0_MS);
    expect_ended(&b, "0", "0");
    take(&b, tickets_of(after, 2), T0_MS);
    expect_ended(&b, "2", "1");
    take(&b, tickets_of(after, 3), T0_MS); /* one that came and ended in between */
    expect_ended(&b, "3", "1");
    after[0].retired = after[1].retired = true;
    take(&b, tickets_of(after, 3), T0_MS);
    expect_ended(&b, "3", "1");
    bench_configure(&b, 1); /* a reload */
    take(&b, tickets_of(after, 3), T0_MS);
    expect_ended(&b, "3", "1");
    /* The collector goes and comes back: those that ended are still known. */
    b.targets[0].collectors = 1u << COLLECTOR_DEPLOYMENTS;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, T), 0);
    b.targets[0].collectors = 1u << COLLECTOR_TICKETS;
    bench_configure(&b, 1);
    /* Nothing is too old that was not asked for since. */
    bench_text(&b, T0_MS + 300000, &text);
    expect(&text, A "data_withheld", TICKETS, "0");
    expect(&text, T "s", ",status=\"executing\"", "");
    take(&b, tickets_of(after, 3), T0_MS);
    expect_ended(&b, "3", "1");
    take(&b, tickets_of(after, 0), T0_MS);
    expect_ended(&b, "3", "1");
    bench_stop(&b);
}

/* A refresh that failed half way brings what it learned. */
static void test_half_a_refresh(void **state)
{
    struct ticket items[] = {ended("a", TICKET_FAILURE_FAILED), ticket_executing("b")};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct bench b;

    (void)state;
    start(&b);
    bench_done(&b, 0, COLLECTOR_TICKETS,
               (struct refresh_outcome){
                   .tickets = tickets_of(items, 2), .kind = ERR_TIMEOUT, .message = "ticket b"},
               T0_MS);
    bench_text(&b, T0_MS, &text);
    expect(&text, T "_success", ",ticket_id=\"a\"", "0");
    expect(&text, T "s_completed_total", "", "1");
    expect(&text, A "refresh_success", TICKETS, "0");
    expect(&text, A "refresh_failures_total", TICKETS ",reason=\"timeout\"", "1");
    expect(&text, A "refresh_last_success_timestamp_seconds", TICKETS, "0");
    expect(&text, A "up", "", "0");
    /* It grows old like other state: nothing later succeeded. */
    bench_text(&b, T0_MS + 300000, &text);
    expect(&text, T "s", ",status=\"executing\"", "");
    /* A failure that learned nothing leaves what there is. */
    bench_done(&b, 0, COLLECTOR_TICKETS,
               (struct refresh_outcome){.kind = ERR_NOMEM, .message = "memory"}, T0_MS);
    expect_ended(&b, "1", "1");
    assert_int_equal(inventory_tickets(b.inventory, 0)->n_items, 2);
    bench_stop(&b);
}

static void test_withholding(void **state)
{
    struct ticket items[] = {ended("a", TICKET_FAILURE_FAILED)};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct bench b;

    (void)state;
    start(&b);
    take(&b, tickets_of(items, 1), T0_MS);
    assert_true(inventory_next_withhold_mono_ms(b.inventory, T0_MS) == T0_MS + 300000);
    bench_text(&b, T0_MS + 300000, &text);
    expect(&text, A "data_withheld", TICKETS, "1");
    assert_int_equal(count_lines(&text, T "_status{"), 0);
    assert_int_equal(count_lines(&text, T "s{"), 0);
    expect(&text, T "s_completed_total", "", "1"); /* never */
    expect(&text, T "_failures_total", ",reason=\"failed\"", "1");
    bench_stop(&b);
}

static void test_dropped(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct ticket_set *set = tickets_of(NULL, 0);
    struct bench b;

    (void)state;
    set->refused = 3;
    set->over_limit = 4;
    start(&b);
    take(&b, set, T0_MS);
    registry_text(b.registry, &text);
    assert_string_equal(
        value_of(&text, A "exporter_objects_dropped_total{reason=\"object_limit\"}"), "4");
    assert_string_equal(value_of(&text, A "exporter_objects_dropped_total{reason=\"invalid\"}"),
                        "3");
    bench_stop(&b);
}

/* metrics.deny applies; aggregation by namespace leaves tickets alone. */
static void test_settings(void **state)
{
    const char *pattern = T "_*";
    struct ticket items[] = {ended("a", TICKET_FAILURE_FAILED)};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct bench b;

    (void)state;
    start(&b);
    take(&b, tickets_of(items, 1), T0_MS);
    b.aggregate = true;
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, T "_status{"), TICKET_STATUS_END);
    b.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    bench_configure(&b, 1);
    bench_text(&b, T0_MS, &text);
    assert_int_equal(count_lines(&text, T "_"), 0);
    expect(&text, T "s", ",status=\"failed\"", "1");
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_first), cmocka_unit_test(test_values),
        cmocka_unit_test(test_counters),         cmocka_unit_test(test_half_a_refresh),
        cmocka_unit_test(test_withholding),      cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
