/* The files that are installed: they load, and exporter.cfg shows every option at its default. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parse.h"
#include "schema.h"
#include "source.h"
#include "workdir.h"

#define EXPORTER_CFG AFE_SOURCE_DIR "/etc/exporter.cfg"
#define MINIMAL_CFG  AFE_SOURCE_DIR "/etc/exporter-minimal.cfg"

static struct conf *load(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    struct conf *conf = NULL;

    if (conf_load(path, &conf, &problems, NULL) < 0)
        fail_msg("%s", strbuf_str(&problems));
    return conf;
}

/* What exporter-minimal.cfg does not say has its built-in default. */
static void test_same_as_defaults(void **state)
{
    CLEANUP(conf_unrefp) struct conf *full = load(EXPORTER_CFG);
    CLEANUP(conf_unrefp) struct conf *minimal = load(MINIMAL_CFG);
    const struct target *a = &full->targets[0];
    const struct target *b = &minimal->targets[0];

    (void)state;
    assert_int_equal(full->n_targets, 1);
    assert_int_equal(minimal->n_targets, 1);
    assert_int_equal(full->deny.n_patterns, minimal->deny.n_patterns);
    assert_int_equal(full->aggregation, minimal->aggregation);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->endpoint, b->endpoint);
    assert_string_equal(a->workspace, b->workspace);
    assert_string_equal(a->namespaces[0], b->namespaces[0]);
    assert_string_equal(a->proxy_url, b->proxy_url);
    assert_int_equal(a->collectors, b->collectors);
    assert_int_equal(a->interval_ms, b->interval_ms);
    assert_int_equal(a->timeout_ms, b->timeout_ms);
    assert_int_equal(a->deadline_ms, b->deadline_ms);
    assert_int_equal(a->max_staleness_ms, b->max_staleness_ms);
    assert_int_equal(a->max_backoff_ms, b->max_backoff_ms);
    assert_int_equal(a->max_body_size, b->max_body_size);
    assert_int_equal(a->max_deployments, b->max_deployments);
    assert_int_equal(a->max_job_requests, b->max_job_requests);
    assert_int_equal(a->concurrency, b->concurrency);
    assert_int_equal(a->page_size, b->page_size);
    assert_int_equal(a->max_retries, b->max_retries);
    assert_int_equal(a->deployment_labels.n_patterns, b->deployment_labels.n_patterns);
    assert_true(a->requests_per_second == b->requests_per_second);
    assert_int_equal(a->burst, b->burst);
}

static struct value *first_of(const struct value *root, const char *list)
{
    struct value *v = value_member(root, list);

    assert_non_null(v);
    assert_true(v->n_items > 0);
    return &v->items[0];
}

/* The group of exporter.cfg where a scope's options stand. */
static struct value *group_of(const struct value *root, enum scope scope)
{
    switch (scope) {
    case SCOPE_DEFAULTS:
        return value_member(root, "defaults");
    case SCOPE_RATE_LIMIT:
        return value_member(root, "rate_limit");
    case SCOPE_METRICS:
        return value_member(root, "metrics");
    case SCOPE_STATE:
        return value_member(root, "state");
    case SCOPE_CREDENTIALS:
        return first_of(root, "credentials");
    case SCOPE_TARGETS:
        return first_of(root, "targets");
    case SCOPE_SELECT:
        return value_member(first_of(root, "targets"), "select");
    case SCOPE_TLS_CONFIG:
        return value_member(first_of(root, "targets"), "tls_config");
    default:
        return NULL;
    }
}

static void expect_initial(const struct option *o, const struct value *v)
{
    switch (o->type) {
    case OPTION_INT:
    case OPTION_COUNT:
        assert_int_equal(v->integer, strtoll(o->initial, NULL, 10));
        break;
    case OPTION_NUMBER:
        assert_true(v->number == strtod(o->initial, NULL));
        break;
    case OPTION_BOOL:
        assert_int_equal(v->boolean, strcmp(o->initial, "true") == 0);
        break;
    case OPTION_CHOICES:
        assert_int_equal(v->n_items, 1);
        assert_string_equal(v->items[0].string, o->initial);
        break;
    default:
        assert_string_equal(v->string, o->initial);
        break;
    }
}

/* Examples: they must have a value, but there is no default to show. */
static bool is_example(const struct option *o)
{
    return o->scope == SCOPE_TARGETS && strcmp(o->key, "region_id") == 0;
}

/* "key = " on some line, maybe in a comment. */
static bool is_shown(const char *text, const char *key)
{
    CLEANUP(strbuf_release) struct strbuf blank = STRBUF_INIT;

    strbuf_addf(&blank, " %s = ", key);
    return strstr(text, strbuf_str(&blank)) != NULL;
}

struct parsed {
    struct arena *arena;
    struct problems problems;
    struct source source;
    struct value *root;
};

static void parsed_release(struct parsed *p)
{
    source_release(&p->source);
    problems_release(&p->problems);
    arena_free(p->arena);
}

static void test_every_option_is_shown(void **state)
{
    CLEANUP(parsed_release) struct parsed p = {.arena = arena_new()};
    size_t n;
    const struct option *options = schema_options(&n);

    (void)state;
    assert_int_equal(source_load(&p.source, EXPORTER_CFG, p.arena, &p.problems), 0);
    assert_int_equal(parse_source(&p.source, p.arena, &p.problems, &p.root), 0);
    assert_non_null(p.root);
    for (const struct option *o = options; o < options + n; o++) {
        const char *text = strbuf_str(&p.source.text);

        if (o->scope == SCOPE_ROOT)
            continue;
        const struct value *v = value_member(group_of(p.root, o->scope), o->key);
        if (o->later) {
            assert_null(v);
            /* in the comment about what is not supported yet */
            assert_non_null(strstr(text, o->key));
        } else if (o->initial && !is_example(o)) {
            if (!v)
                fail_msg("%s is not in exporter.cfg", o->key);
            expect_initial(o, v);
        } else if (!is_shown(text, o->key)) {
            fail_msg("%s is not in exporter.cfg", o->key);
        }
    }
}

static void test_ranges_are_told(void **state)
{
    CLEANUP(parsed_release) struct parsed p = {.arena = arena_new()};
    size_t n;
    const struct option *options = schema_options(&n);

    (void)state;
    assert_int_equal(source_load(&p.source, EXPORTER_CFG, p.arena, &p.problems), 0);
    for (const struct option *o = options; o < options + n; o++) {
        CLEANUP(strbuf_release) struct strbuf start = STRBUF_INIT;

        if (!o->max)
            continue;
        strbuf_addf(&start, "  %s = ", o->key);
        const char *line = strstr(strbuf_str(&p.source.text), strbuf_str(&start));
        assert_non_null(line);
        CLEANUP(freep) char *text = strndup(line, strcspn(line, "\n"));
        assert_non_null(text);
        if (!strstr(text, o->max))
            fail_msg("the range of %s is not in exporter.cfg", o->key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_defaults),
        cmocka_unit_test(test_every_option_is_shown),
        cmocka_unit_test(test_ranges_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
