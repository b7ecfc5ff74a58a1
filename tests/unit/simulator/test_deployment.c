/* Loaded objects keep their bytes; events move counts, status and ledger together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deployment.h"

static struct deployment *from(const char *text)
{
    struct deployment *d = NULL;
    struct err err = {0};
    if (deployment_from_json(text, strlen(text), 1, &d, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return d;
}

static void renders(struct deployment *d, const char *want)
{
    struct text_body b;
    text_body_init(&b, false);
    deployment_render(d, false, &b);
    assert_true(strbuf_ok(&b.bytes));
    assert_string_equal(strbuf_str(&b.bytes), want);
    text_body_release(&b);
}

static void test_loaded_as_it_is(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *rendered;
    } cases[] = {
        {"{\"deploymentId\":\"d\"}", "{\"deploymentId\":\"d\"}"},
        {"{ \"deploymentId\" : \"d\", \"name\":\"n\", \"createdAt\": 12345678901234567890 }",
         "{\"name\":\"n\",\"deploymentId\":\"d\",\"createdAt\":12345678901234567890}"},
        {"{\"jobSummary\":{\"running\":1},\"deploymentId\":\"d\",\"labels\":{\"a\":1.50}}",
         "{\"jobSummary\":{\"running\":1},\"deploymentId\":\"d\",\"labels\":{\"a\":1.50}}"},
        {"{\"deploymentId\":\"d\",\"jobSummary\":null,\"name\":5}",
         "{\"jobSummary\":null,\"deploymentId\":\"d\",\"name\":5}"},
        {"{\"deploymentId\":\"d\",\"jobSummary\":\"odd\",\"_sim\":{\"status\":\"FAILED\"}}",
         "{\"jobSummary\":\"odd\",\"deploymentId\":\"d\"}"},
        {"{\"deploymentId\":\"d\",\"jobSummary\":{\"failed\":-1}}",
         "{\"jobSummary\":{\"failed\":-1},\"deploymentId\":\"d\"}"},
        {"{\"deploymentId\":\"d\",\"x\":\"\\ud83d\\ude00\xff\"}",
         "{\"deploymentId\":\"d\",\"x\":\"\\ud83d\\ude00\xff\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct deployment *d = from(cases[i].text);
        renders(d, cases[i].rendered);
        deployment_free(d);
    }
}

static void test_id_is_made(void **state)
{
    (void)state;
    struct deployment *d = from("{}");
    assert_int_equal(strlen(d->id), 36);
    char want[128];
    snprintf(want, sizeof(want), "{\"deploymentId\":\"%s\"}", d->id);
    renders(d, want);
    deployment_free(d);
}

static void test_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"[]", "1", "{\"a\":}", "{\"_sim\":{\"status\":\"DANCING\"}}",
                               "{\"a\":1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct deployment *d = NULL;
        struct err err = {0};
        assert_int_equal(deployment_from_json(bad[i], strlen(bad[i]), 1, &d, &err), -1);
        assert_null(d);
        assert_true(err.msg[0]);
    }
}

static void test_fields(void **state)
{
    (void)state;
    struct deployment *d =
        from("{\"deploymentId\":\"d\",\"createdAt\":\"1714058507\\n\",\"modifiedAt\":1714058843000,"
             "\"executionMode\":\"BATCH\",\"creator\":\"1\",\"labels\":{\"k\":\"v\"}}");
    assert_int_equal(d->created_s, 1714058507);
    assert_int_equal(d->modified_s, 1714058843);
    assert_string_equal(d->execution_mode, "BATCH");
    assert_int_equal(d->labels.len, strlen("{\"k\":\"v\"}"));
    assert_memory_equal(d->labels.ptr, "{\"k\":\"v\"}", d->labels.len);
    deployment_free(d);
}

static void test_newest_from_summary(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum job_state newest;
    } cases[] = {
        {"{}", JOB_NONE},
        {"{\"jobSummary\":{}}", JOB_NONE},
        {"{\"jobSummary\":{\"running\":1,\"failed\":6}}", JOB_RUNNING},
        {"{\"jobSummary\":{\"starting\":1,\"failed\":6}}", JOB_STARTING},
        {"{\"jobSummary\":{\"failed\":6,\"cancelled\":1}}", JOB_FAILED},
        {"{\"jobSummary\":{\"failed\":6,\"cancelled\":1},\"_sim\":{\"status\":\"CANCELLED\"}}",
         JOB_CANCELLED},
        {"{\"jobSummary\":{\"finished\":3}}", JOB_FINISHED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct deployment *d = from(cases[i].text);
        assert_int_equal(d->newest, cases[i].newest);
        deployment_free(d);
    }
}

static uint32_t total(const struct deployment *d)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < JOB_STATE_END; i++)
        sum += d->jobs[i];
    return sum;
}

static void test_a_life(void **state)
{
    (void)state;
    struct deployment *d =
        from("{\"deploymentId\":\"d\",\"jobSummary\":{\"starting\":0,\"running\":0,"
             "\"cancelling\":0,\"cancelled\":0,\"finished\":0,\"failed\":0}}");
    const struct {
        enum job_event event;
        enum job_state state;
        enum job_state newest;
        uint32_t n;
    } life[] = {
        {JOB_EVENT_START, JOB_STARTING, JOB_STARTING, 1},
        {JOB_EVENT_START, JOB_RUNNING, JOB_RUNNING, 1}, /* the same instance comes up */
        {JOB_EVENT_FAIL, JOB_FAILED, JOB_FAILED, 1},
        {JOB_EVENT_FAIL, JOB_FAILED, JOB_FAILED, 2}, /* starts one that fails at once */
        {JOB_EVENT_START, JOB_RUNNING, JOB_RUNNING, 3},
        {JOB_EVENT_CANCEL, JOB_CANCELLING, JOB_CANCELLING, 3},
        {JOB_EVENT_CANCEL, JOB_CANCELLED, JOB_CANCELLED, 3},
        {JOB_EVENT_PURGE, JOB_FAILED, JOB_CANCELLED, 2},
        {JOB_EVENT_FINISH, JOB_FINISHED, JOB_FINISHED, 3},
        {JOB_EVENT_PURGE, JOB_FINISHED, JOB_FAILED, 2}, /* the newest one remembered now */
        {JOB_EVENT_PURGE, JOB_FAILED, JOB_CANCELLED, 1},
        {JOB_EVENT_PURGE, JOB_CANCELLED, JOB_NONE, 0},
    };
    struct ledger all = {0};
    for (size_t i = 0; i < ARRAY_LEN(life); i++) {
        assert_true(deployment_event(d, life[i].event, life[i].state, &all));
        assert_int_equal(d->newest, life[i].newest);
        assert_int_equal(total(d), life[i].n);
    }
    assert_false(deployment_event(d, JOB_EVENT_PURGE, JOB_FAILED, &all));
    assert_memory_equal(&all, &d->ledger, sizeof(all));
    assert_int_equal(all.starts, 4);
    assert_int_equal(all.failures, 2);
    assert_int_equal(all.cancellations, 1);
    assert_int_equal(all.completions, 1);
    assert_int_equal(all.purged[JOB_FAILED], 2);
    deployment_free(d);
}

/* An older instance ends while the newest one has ended already: the status stays. */
static void test_batch_of_several(void **state)
{
    (void)state;
    struct deployment *d = from("{\"jobSummary\":{\"running\":2}}");
    struct ledger l = {0};
    deployment_event(d, JOB_EVENT_FAIL, JOB_FAILED, &l);
    assert_int_equal(d->newest, JOB_FAILED);
    deployment_event(d, JOB_EVENT_FINISH, JOB_FINISHED, &l);
    assert_int_equal(d->newest, JOB_FAILED);
    assert_int_equal(deployment_live_jobs(d), 0);
    assert_int_equal(l.starts, 0);
    deployment_free(d);
}

static void set(struct deployment *d, const char *summary)
{
    struct err err = {0};
    cJSON *v = json_parse(summary, strlen(summary));
    assert_non_null(v);
    assert_int_equal(deployment_set_summary(d, v, &err), 0);
    cJSON_Delete(v);
}

static void test_set_summary(void **state)
{
    (void)state;
    struct deployment *d =
        from("{\"deploymentId\":\"d\",\"jobSummary\":{\"running\":1,\"failed\":2}}");
    set(d, "{\"failed\":2,\"cancelled\":1}");
    assert_int_equal(d->newest, JOB_CANCELLED); /* the one that rose */
    set(d, "\"missing\"");
    renders(d, "{\"deploymentId\":\"d\"}");
    set(d, "null");
    renders(d, "{\"jobSummary\":null,\"deploymentId\":\"d\"}");
    assert_int_equal(d->jobs[JOB_FAILED], 2);
    set(d, "{\"failed\":3}");
    renders(d, "{\"jobSummary\":{\"failed\":3},\"deploymentId\":\"d\"}");
    assert_int_equal(d->newest, JOB_FAILED);
    set(d, "{\"failed\":\"3\"}");
    renders(d, "{\"jobSummary\":{\"failed\":\"3\"},\"deploymentId\":\"d\"}");
    struct ledger l = {0};
    deployment_event(d, JOB_EVENT_START, JOB_RUNNING, &l); /* an event needs counts to show */
    assert_int_equal(d->summary_form, SUMMARY_FULL);
    assert_int_equal(d->ledger.failures, 0);
    deployment_free(d);
}

static void test_names(void **state)
{
    (void)state;
    struct err err;
    struct deployment *d = from("{\"deploymentId\":\"d\",\"name\":\"old\"}");
    assert_int_equal(deployment_set_name(d, "new \"one\"", &err), 0);
    renders(d, "{\"name\":\"new \\\"one\\\"\",\"deploymentId\":\"d\"}");
    struct text_body b;
    text_body_init(&b, false);
    deployment_render(d, true, &b);
    assert_non_null(memchr(b.bytes.ptr, 0xc0, b.bytes.len));
    text_body_release(&b);
    assert_int_equal(deployment_set_name(d, NULL, &err), 0);
    renders(d, "{\"deploymentId\":\"d\"}");
    deployment_free(d);
}

static void test_namespace_of(void **state)
{
    (void)state;
    const char *text = "{\"a\":{\"namespace\":\"x\"},\"namespace\":\"y\"}";
    char *ns = deployment_namespace_of(text, strlen(text));
    assert_string_equal(ns, "y");
    free(ns);
    assert_null(deployment_namespace_of("{}", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded_as_it_is),
        cmocka_unit_test(test_id_is_made),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_newest_from_summary),
        cmocka_unit_test(test_a_life),
        cmocka_unit_test(test_batch_of_several),
        cmocka_unit_test(test_set_summary),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_namespace_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
