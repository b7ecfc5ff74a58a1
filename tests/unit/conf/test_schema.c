/* The table itself: names, ranges and initial values that fit together. */
#include "schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/quantity.h"
#include "block.h"

static bool is_quantity(const struct option *o)
{
    return o->type == OPTION_DURATION || o->type == OPTION_SIZE;
}

static bool is_numeric(const struct option *o)
{
    return o->type == OPTION_INT || o->type == OPTION_COUNT || o->type == OPTION_NUMBER;
}

static bool has_choices(const struct option *o)
{
    return o->type == OPTION_WORD || o->type == OPTION_CHOICE || o->type == OPTION_CHOICES;
}

static void test_keys_are_unique(void **state)
{
    size_t n;
    const struct option *options = schema_options(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            bool together =
                options[i].scope == options[k].scope ||
                (options[k].scope == SCOPE_DEFAULTS && options[i].scope == SCOPE_TARGETS);

            if (together && strcmp(options[i].key, options[k].key) == 0)
                fail_msg("%s is there twice", options[i].key);
        }
    }
}

static int64_t quantity(const struct option *o, const char *s)
{
    int64_t v = -1;
    int rc =
        o->type == OPTION_SIZE ? quantity_parse_bytes(s, &v) : quantity_parse_duration_ms(s, &v);

    assert_int_equal(rc, 0);
    return v;
}

static void test_ranges(void **state)
{
    size_t n;
    const struct option *options = schema_options(&n);

    (void)state;
    for (const struct option *o = options; o < options + n; o++) {
        if (o->later)
            continue;
        if (is_quantity(o)) {
            assert_true(quantity(o, o->min) <= quantity(o, o->initial));
            assert_true(quantity(o, o->initial) <= quantity(o, o->max));
        } else if (is_numeric(o)) {
            assert_true(strtod(o->min, NULL) <= strtod(o->initial, NULL));
            assert_true(strtod(o->initial, NULL) <= strtod(o->max, NULL));
        } else {
            assert_null(o->min);
            assert_null(o->max);
        }
        assert_true(has_choices(o) == !!o->choices);
    }
}

static void test_initial_values(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct target_block block;
    struct metrics_block metrics = {.aggregation = -1, .draft_lock_holder = true};
    struct state_block state_block = {0};
    const struct target *t = &block.target;

    (void)state;
    memset(&block, 0xff, sizeof(block));
    assert_int_equal(schema_set_initial(SCOPE_DEFAULTS, arena, &block), 0);
    assert_int_equal(schema_set_initial(SCOPE_RATE_LIMIT, arena, &block), 0);
    assert_int_equal(schema_set_initial(SCOPE_TARGETS, arena, &block), 0);
    assert_int_equal(schema_set_initial(SCOPE_METRICS, arena, &metrics), 0);
    assert_int_equal(schema_set_initial(SCOPE_STATE, arena, &state_block), 0);
    assert_string_equal(state_block.file, "");
    assert_int_equal(state_block.hold_ms, 120000);
    assert_int_equal(t->interval_ms, 60000);
    assert_int_equal(t->timeout_ms, 30000);
    assert_int_equal(t->deadline_ms, 300000);
    assert_int_equal(t->max_staleness_ms, 300000);
    assert_int_equal(t->max_backoff_ms, 300000);
    assert_int_equal(t->max_body_size, 64 * 1024 * 1024);
    assert_int_equal(t->max_deployments, 100000);
    assert_int_equal(t->max_job_requests, 100);
    assert_int_equal(t->concurrency, 4);
    assert_int_equal(t->page_size, 100);
    assert_int_equal(t->max_retries, 2);
    assert_true(t->requests_per_second == 20.0);
    assert_int_equal(t->burst, 20);
    assert_int_equal(t->collectors, 1u << COLLECTOR_DEPLOYMENTS);
    assert_int_equal(block.network, NETWORK_PUBLIC);
    assert_string_equal(block.credentials, "default");
    assert_string_equal(t->region_id, "");
    assert_string_equal(t->endpoint, "");
    assert_string_equal(t->proxy_url, "");
    assert_string_equal(t->select.label_key, "");
    assert_string_equal(t->tls.key_file, "");
    assert_false(t->tls.insecure_skip_verify);
    assert_string_equal(t->ticket_dir, "");
    assert_int_equal(t->ticket_ttl_ms, 3600000);
    assert_int_equal(t->max_tickets, 100);
    assert_int_equal(metrics.aggregation, 0);
    assert_false(metrics.draft_lock_holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_unique),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_initial_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
