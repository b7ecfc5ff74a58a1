/* What is written, in which order, and what is left out. */
#include "metrics/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/cleanup.h"

static const struct family requests = {"a_requests_total", "Requests.", .type = METRIC_COUNTER};
static const struct family threads = {"b_threads", "Threads.", .type = METRIC_GAUGE};
static const struct family depth = {"c_depth", "Depth.", .type = METRIC_GAUGE};

/* As many samples as ctx says. */
static void collect_n(void *ctx, const struct family *family, struct expo *e)
{
    const int *n = ctx;

    for (int i = 0; i < *n; i++)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, i + 1);
}

struct setup {
    struct registry *registry;
    int n_requests;
    int n_threads;
    int n_depth;
};

static void set_up(struct setup *s)
{
    struct err err;

    *s = (struct setup){.registry = registry_new(), .n_requests = 1, .n_threads = 1, .n_depth = 1};
    assert_non_null(s->registry);
    assert_int_equal(
        registry_add(s->registry, REGISTRY_EXPORTER, &requests, collect_n, &s->n_requests, &err),
        0);
    assert_int_equal(
        registry_add(s->registry, REGISTRY_PROCESS, &threads, collect_n, &s->n_threads, &err), 0);
    assert_int_equal(
        registry_add(s->registry, REGISTRY_EXPORTER, &depth, collect_n, &s->n_depth, &err), 0);
}

enum { BOTH = 1 << REGISTRY_EXPORTER | 1 << REGISTRY_PROCESS };

static void check(const struct setup *s, unsigned groups, const struct glob_list *deny,
                  enum expo_format format, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    strbuf_adds(&out, "before\n");
    registry_write(s->registry, groups, deny, format, &out);
    assert_true(strbuf_ok(&out));
    assert_string_equal(strbuf_str(&out) + strlen("before\n"), expected);
}

#define REQUESTS \
    "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\na_requests_total 1\n"
#define THREADS "# HELP b_threads Threads.\n# TYPE b_threads gauge\nb_threads 1\n"
#define DEPTH   "# HELP c_depth Depth.\n# TYPE c_depth gauge\nc_depth 1\n"

static void test_order_and_groups(void **state)
{
    struct setup s;

    (void)state;
    set_up(&s);
    check(&s, BOTH, NULL, EXPO_TEXT, REQUESTS THREADS DEPTH);
    check(&s, 1U << REGISTRY_PROCESS, NULL, EXPO_TEXT, THREADS);
    check(&s, 1U << REGISTRY_EXPORTER, NULL, EXPO_TEXT, REQUESTS DEPTH);
    check(&s, 0, NULL, EXPO_TEXT, "");
    check(&s, 1U << REGISTRY_EXPORTER, NULL, EXPO_OPENMETRICS,
          "# HELP a_requests Requests.\n# TYPE a_requests counter\na_requests_total 1\n" DEPTH);
    registry_free(s.registry);
}

static void test_family_without_samples_is_absent(void **state)
{
    struct setup s;

    (void)state;
    set_up(&s);
    s.n_threads = 0;
    check(&s, BOTH, NULL, EXPO_TEXT, REQUESTS DEPTH);
    s.n_depth = 0;
    check(&s, BOTH, NULL, EXPO_TEXT, REQUESTS);
    s.n_requests = 0;
    check(&s, BOTH, NULL, EXPO_OPENMETRICS, "");
    s.n_threads = 2;
    check(&s, BOTH, NULL, EXPO_TEXT, THREADS "b_threads 2\n");
    registry_free(s.registry);
}

static void test_deny(void **state)
{
    static const char *const patterns[] = {"b_*", "c_depth"};
    struct glob_list deny = {.patterns = patterns, .n_patterns = ARRAY_LEN(patterns)};
    struct glob_list none = {0};
    struct setup s;

    (void)state;
    set_up(&s);
    check(&s, BOTH, &deny, EXPO_TEXT, REQUESTS);
    check(&s, BOTH, &none, EXPO_TEXT, REQUESTS THREADS DEPTH);
    registry_free(s.registry);
}

static void test_the_same_name_twice(void **state)
{
    struct err err;
    struct setup s;

    (void)state;
    set_up(&s);
    assert_int_equal(
        registry_add(s.registry, REGISTRY_PROCESS, &threads, collect_n, &s.n_threads, &err), -1);
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_non_null(strstr(err.msg, "b_threads"));
    check(&s, BOTH, NULL, EXPO_TEXT, REQUESTS THREADS DEPTH);
    registry_free(s.registry);
}

/* More than the table holds at first. */
static void test_growth(void **state)
{
    enum { MANY = 100 };
    static char names[MANY][32];
    static struct family families[MANY];
    struct registry *registry = registry_new();
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    int one = 1;
    struct err err;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "family_%d", i);
        families[i] = (struct family){names[i], "Help.", .type = METRIC_GAUGE};
        assert_int_equal(
            registry_add(registry, REGISTRY_EXPORTER, &families[i], collect_n, &one, &err), 0);
    }
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(registry_family(registry, i), &families[i]);
    assert_null(registry_family(registry, MANY));
    registry_write(registry, BOTH, NULL, EXPO_TEXT, &out);
    assert_non_null(strstr(strbuf_str(&out), "\nfamily_0 1\n"));
    assert_non_null(strstr(strbuf_str(&out), "\nfamily_99 1\n"));
    registry_free(registry);
}

/* A buffer that went bad stays bad: nobody may send what is in it. */
static void test_buffer_over_its_limit(void **state)
{
    struct setup s;

    (void)state;
    set_up(&s);
    for (size_t limit = 1; limit < strlen(REQUESTS THREADS DEPTH); limit++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_LIMIT(limit);

        registry_write(s.registry, BOTH, NULL, EXPO_TEXT, &out);
        assert_false(strbuf_ok(&out));
    }
    registry_free(s.registry);
}

static int make(struct registry **ret)
{
    static int one = 1;
    struct err err = {0};

    *ret = registry_new();
    if (!*ret)
        return -1;
    if (registry_add(*ret, REGISTRY_EXPORTER, &requests, collect_n, &one, &err) == 0)
        return 0;
    assert_int_equal(err.kind, ERR_NOMEM);
    return -1;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct registry *registry;

        alloc_fail_at(n);
        int rc = make(&registry);
        alloc_fail_off();
        registry_free(registry);
        if (alloc_fail_count() < n)
            break;
        assert_int_equal(rc, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_groups),
        cmocka_unit_test(test_family_without_samples_is_absent),
        cmocka_unit_test(test_deny),
        cmocka_unit_test(test_the_same_name_twice),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_buffer_over_its_limit),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
