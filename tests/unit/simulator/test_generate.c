/* Generated deployments: valid JSON, repeatable, as large as their profile, as odd as asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"

#define N 400

static struct generator generator(enum profile profile, uint64_t seed, double quirks)
{
    struct generator g = {.corpus = corpus_new(profile, seed),
                          .profile = profile,
                          .seed = seed,
                          .quirks = quirks,
                          .duplicate_names = 0.02,
                          .workspace = "w"};
    assert_non_null(g.corpus);
    return g;
}

static void render_one(const struct generator *g, uint64_t number, struct strbuf *out)
{
    struct deployment *d;
    struct err err;
    assert_int_equal(generate_deployment(g, "ns", number, 0, &d, &err), 0);
    struct text_body b;
    text_body_init(&b, false);
    deployment_render(d, false, &b);
    assert_true(strbuf_ok(&b.bytes));
    strbuf_add(out, b.bytes.ptr, b.bytes.len);
    text_body_release(&b);
    deployment_free(d);
}

static int by_size(const void *a, const void *b)
{
    const size_t *x = a;
    const size_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void sizes(enum profile profile, size_t n, size_t ret[])
{
    struct generator g = generator(profile, 1, 0);
    for (size_t i = 0; i < n; i++) {
        struct strbuf b = STRBUF_INIT;
        render_one(&g, i, &b);
        ret[i] = b.len;
        strbuf_release(&b);
    }
    qsort(ret, n, sizeof(ret[0]), by_size);
    corpus_free(g.corpus);
}

static void test_sizes(void **state)
{
    (void)state;
    static size_t got[N];
    sizes(PROFILE_SMALL, N, got);
    assert_in_range(got[N / 2], 2000, 4500);
    assert_in_range(got[N * 9 / 10], 3500, 8000);
    sizes(PROFILE_TYPICAL, N, got);
    assert_in_range(got[N / 2], 6000, 15000);
    assert_in_range(got[N * 9 / 10], 25000, 60000);
    assert_in_range(got[N * 99 / 100], 60000, 250000);
    sizes(PROFILE_HEAVY, 15, got);
    assert_in_range(got[7], 100000, 600000);
}

static void test_repeatable(void **state)
{
    (void)state;
    struct generator a = generator(PROFILE_SMALL, 7, 0.5);
    struct generator b = generator(PROFILE_SMALL, 7, 0.5);
    struct generator c = generator(PROFILE_SMALL, 8, 0.5);
    struct strbuf x = STRBUF_INIT;
    struct strbuf y = STRBUF_INIT;
    struct strbuf z = STRBUF_INIT;
    for (uint64_t i = 0; i < 50; i++) {
        render_one(&a, i, &x);
        render_one(&b, 49 - i, &z); /* the order does not matter, either */
        strbuf_reset(&z);
    }
    for (uint64_t i = 0; i < 50; i++) {
        render_one(&b, i, &y);
        render_one(&c, i, &z);
    }
    assert_string_equal(strbuf_str(&x), strbuf_str(&y));
    assert_string_not_equal(strbuf_str(&x), strbuf_str(&z));
    strbuf_release(&x);
    strbuf_release(&y);
    strbuf_release(&z);
    corpus_free(a.corpus);
    corpus_free(b.corpus);
    corpus_free(c.corpus);
}

static void check_object(const cJSON *o, const struct deployment *d)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(o, "deploymentId");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(o, "name");
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(o, "labels");
    const cJSON *kind =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "artifact"), "kind");
    assert_string_equal(id->valuestring, d->id);
    assert_true(d->name ? strcmp(name->valuestring, d->name) == 0 : !name);
    assert_true(cJSON_IsString(kind));
    cJSON *kept = json_parse(d->labels.ptr, d->labels.len);
    assert_true(cJSON_Compare(kept, labels, true));
    cJSON_Delete(kept);
    assert_true(cJSON_GetObjectItemCaseSensitive(o, "batchResourceSetting") ||
                cJSON_GetObjectItemCaseSensitive(o, "streamingResourceSetting"));
}

static void test_valid_json_whatever_the_quirks(void **state)
{
    (void)state;
    const double rates[] = {0, 0.05, 1};
    for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
        struct generator g = generator(PROFILE_SMALL, 3, rates[r]);
        size_t odd = 0;
        for (uint64_t i = 0; i < 200; i++) {
            struct deployment *d;
            struct err err;
            assert_int_equal(generate_deployment(&g, "ns", i, 0, &d, &err), 0);
            struct text_body b;
            text_body_init(&b, false);
            deployment_render(d, false, &b);
            cJSON *o = json_parse(b.bytes.ptr, b.bytes.len);
            assert_non_null(o);
            check_object(o, d);
            odd += *d->quirks && strcmp(d->quirks, "name-duplicate") != 0;
            cJSON_Delete(o);
            text_body_release(&b);
            deployment_free(d);
        }
        assert_in_range(odd, rates[r] > 0 ? 40 : 0, rates[r] > 0.9 ? 200 : rates[r] > 0 ? 160 : 0);
        corpus_free(g.corpus);
    }
}

/* The newest job is one that the counts have. */
static void test_status_is_possible(void **state)
{
    (void)state;
    struct generator g = generator(PROFILE_SMALL, 5, 0);
    size_t running = 0;
    for (uint64_t i = 0; i < N; i++) {
        struct deployment *d;
        struct err err;
        assert_int_equal(generate_deployment(&g, "ns", i, 0, &d, &err), 0);
        assert_true(d->newest == JOB_NONE || d->jobs[d->newest] > 0);
        if (d->newest == JOB_NONE)
            assert_int_equal(d->jobs[JOB_FAILED] + d->jobs[JOB_CANCELLED] + d->jobs[JOB_FINISHED],
                             0);
        running += d->newest == JOB_RUNNING;
        deployment_free(d);
    }
    assert_in_range(running, N / 2, N * 8 / 10);
    corpus_free(g.corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_valid_json_whatever_the_quirks),
        cmocka_unit_test(test_status_is_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
