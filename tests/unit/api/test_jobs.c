/* Pages of jobs, as they come and as they should not; asking for the jobs of many deployments. */
#include "client_fixture.h"
#include "page_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/utf8.h"
#include "fake_plane.h"

/* --- pages --- */

static struct reply decode_jobs(const char *body)
{
    const struct page_options options = {.kind = &page_of_jobs, .page_size = 2, .max_items = 20};

    return decode_with(body, strlen(body), &options);
}

/* A page with one job of these members behind its id. */
static struct reply decode_job(const char *members)
{
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;

    strbuf_addf(&body, "{\"success\":true,\"data\":[{\"jobId\":\"j\"%s%s}]}", *members ? "," : "",
                members);
    struct reply r = decode_jobs(strbuf_str(&body));
    if (r.rc < 0 || r.page.n_items != 1)
        fail_msg("%s: %s", members, r.err.msg);
    return r;
}

static void test_jobs(void **state)
{
    CLEANUP(reply_release)
    struct reply r = decode_jobs(
        "{\"success\":true,\"totalSize\":2,\"data\":["
        "{\"artifact\":{\"kind\":\"SQLSCRIPT\",\"sqlArtifact\":{\"sqlScript\":\"SELECT 1\"}},"
        "\"jobId\":\"j1\",\"deploymentId\":\"d1\",\"status\":{\"currentJobStatus\":\"RUNNING\","
        "\"running\":{\"observedFlinkJobRestarts\":17,\"observedFlinkJobStatus\":\"RUNNING\"},"
        "\"healthScore\":88},\"metric\":{\"totalCpu\":2.5,\"totalMemoryByte\":4096},"
        "\"startTime\":1660190835,\"endTime\":0,\"createdAt\":\"1714058507\\n\"},"
        "{\"jobId\":\"j2\",\"status\":{\"currentJobStatus\":\"FAILED\",\"failure\":{"
        "\"reason\":\"KubernetesDeploymentNotProgressing\",\"message\":\"not \\\"progressing\\\"\","
        "\"failedAt\":1660120062}},\"startTime\":\"1660190835000\",\"endTime\":1660277235}]}");

    (void)state;
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.page.n_items, 2);
    const struct job_record *j = r.page.jobs;
    assert_string_equal(j[0].id, "j1");
    assert_string_equal(j[0].deployment_id, "d1");
    assert_string_equal(j[0].status, "running");
    assert_true(j[0].active && !j[0].failed);
    assert_int_equal(j[0].restarts, 17);
    assert_true(j[0].cpu == 2.5);
    assert_int_equal(j[0].memory, 4096);
    assert_int_equal(j[0].started_unix_s, 1660190835);
    assert_int_equal(j[0].ended_unix_s, 0);
    assert_int_equal(j[0].created_unix_s, 1714058507);
    assert_string_equal(j[0].reason, "");
    assert_true(j[1].failed && !j[1].active);
    assert_int_equal(j[1].failed_unix_s, 1660120062);
    assert_int_equal(j[1].started_unix_s, 1660190835);
    assert_string_equal(j[1].reason, "KubernetesDeploymentNotProgressing");
    assert_string_equal(j[1].message, "not \"progressing\"");
    assert_int_equal(j[1].restarts, -1);
    assert_true(j[1].cpu < 0);
}

/* What does not fit is absent: never 0, never a page lost. */
static void test_what_is_not_told(void **state)
{
    static const char *const nothing[] = {
        "",
        "\"status\":null,\"metric\":null",
        "\"status\":\"RUNNING\",\"metric\":[]",
        "\"status\":{},\"metric\":{}",
        "\"status\":{\"currentJobStatus\":null,\"running\":null,\"failure\":null}",
        "\"status\":{\"currentJobStatus\":7,\"running\":7,\"failure\":[1]}",
        "\"metric\":{\"totalCpu\":\"2\",\"totalMemoryByte\":-1},\"startTime\":-5,\"endTime\":null",
        "\"metric\":{\"totalCpu\":-2,\"totalMemoryByte\":1.5},\"createdAt\":\"yesterday\"",
        "\"metric\":{\"totalCpu\":1e999,\"totalMemoryByte\":1e999},\"startTime\":{}",
        /* Of a job that did not fail, a failure is none. */
        "\"status\":{\"failure\":{\"reason\":\"r\",\"message\":\"m\",\"failedAt\":1660120062}}",
        "\"status\":{\"running\":{\"observedFlinkJobRestarts\":\"many\"}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        CLEANUP(reply_release) struct reply r = decode_job(nothing[i]);
        const struct job_record *j = r.page.jobs;

        if (j->active || j->failed || j->restarts != -1 || j->cpu >= 0 || j->memory != -1 ||
            j->started_unix_s || j->ended_unix_s || j->created_unix_s || j->failed_unix_s ||
            *j->reason || *j->message || *j->status)
            fail_msg("%s", nothing[i]);
    }
}

static void test_states(void **state)
{
    static const struct {
        const char *status;
        bool active, failed;
    } cases[] = {
        {"STARTING", true, false},    {"RUNNING", true, false},      {"CANCELLING", true, false},
        {"FAILING", true, false},     {"FAILED", false, true},       {"CANCELLED", false, false},
        {"FINISHED", false, false},   {"NOT_STARTED", false, false}, {"Running", true, false},
        {"LEVITATING", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char members[128];

        snprintf(members, sizeof(members), "\"status\":{\"currentJobStatus\":\"%s\"}",
                 cases[i].status);
        CLEANUP(reply_release) struct reply r = decode_job(members);
        if (r.page.jobs->active != cases[i].active || r.page.jobs->failed != cases[i].failed)
            fail_msg("%s", cases[i].status);
    }
}

static void test_numbers_as_strings(void **state)
{
    CLEANUP(reply_release)
    struct reply r = decode_job(
        "\"status\":{\"currentJobStatus\":\"FAILED\",\"running\":{\"observedFlinkJobRestarts\":"
        "\"3\"},\"failure\":{\"failedAt\":\"1660120062123\"}},\"metric\":{\"totalMemoryByte\":"
        "\"8589934592\"},\"startTime\":\" 1660190835 \"");

    (void)state;
    assert_int_equal(r.page.jobs->restarts, 3);
    assert_int_equal(r.page.jobs->failed_unix_s, 1660120062);
    assert_int_equal(r.page.jobs->memory, INT64_C(8589934592));
    assert_int_equal(r.page.jobs->started_unix_s, 1660190835);
}

/* Any text, of any length, in any state of repair. */
static void test_messages(void **state)
{
    static char members[200000];
    static const char *const pieces[] = {"x", "\xe8\xae\xa2", "\xff", "\\n", "\\u0000", "\\ud800"};

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
        for (size_t n = 1; n < 20000; n = n * 3 + 1) {
            size_t len = (size_t)snprintf(members, sizeof(members),
                                          "\"status\":{\"currentJobStatus\":\"FAILED\",\"failure\":"
                                          "{\"message\":\"ab");
            for (size_t i = 0; i < n; i++)
                len += (size_t)snprintf(members + len, sizeof(members) - len, "%s", pieces[p]);
            snprintf(members + len, sizeof(members) - len, "\"}}");
            CLEANUP(reply_release) struct reply r = decode_job(members);
            const char *message = r.page.jobs->message;
            assert_true(strlen(message) <= JOB_MESSAGE_MAX);
            assert_true(utf8_valid(message, strlen(message)));
            assert_memory_equal(message, "ab", 2);
            if (p == 0 && n > JOB_MESSAGE_MAX)
                assert_int_equal(strlen(message), JOB_MESSAGE_MAX);
        }
    }
}

static void test_no_page(void **state)
{
    CLEANUP(reply_release) struct reply none = decode_jobs("{\"success\":true,\"data\":null}");
    CLEANUP(reply_release) struct reply no_id = decode_jobs("{\"success\":true,\"data\":[{},7]}");

    (void)state;
    assert_int_equal(none.err.kind, ERR_PARSE);
    assert_string_equal(none.err.msg, "the reply has no list of jobs (data)");
    assert_int_equal(no_id.page.n_items, 0);
    assert_int_equal(no_id.page.invalid, 2);
}

/* --- asking --- */

enum { QUESTIONS_MAX = 100 };

static struct api_jobs_question questions[QUESTIONS_MAX];
static char ids[QUESTIONS_MAX][16];
static struct err refused;
static struct arena *answers;

static int ask(size_t n)
{
    struct credentials *credentials = NULL;
    struct err err;

    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof(ids[i]), "d%zu", i % QUESTIONS_MAX);
        questions[i] = (struct api_jobs_question){.deployment_id = ids[i], .page_size = 10};
    }
    arena_free(answers);
    answers = arena_new();
    assert_non_null(answers);
    assert_int_equal(credentials_new(&spec, NULL, NULL, &credentials, &err), 0);
    const struct api_request request = {.target = &target,
                                        .namespace_name = "default-namespace",
                                        .credentials = credentials,
                                        .deadline_mono_ms = now_ms + target.deadline_ms};
    last_err = (struct err){0};
    int rc =
        api_client_list_jobs(client, &request, questions, n, answers, &refused, &stats, &last_err);
    credentials_unref(credentials);
    return rc;
}

static int tear_down_all(void **state)
{
    arena_free(answers);
    answers = NULL;
    return tear_down(state);
}

static void expect_last(enum err_kind kind, const char *words)
{
    if (last_err.kind != kind || !strstr(last_err.msg, words))
        fail_msg("%s: %s", err_kind_name(last_err.kind), last_err.msg);
}

/* All requests name a page, which the plane takes for listings: a rule answers them. */
static void answer(const char *body)
{
    plane.rules[RULES_MAX - 1] = (struct rule){.url_has = "/jobs?", .status = 200, .body = body};
}

#define RUNNING                                                                 \
    "{\"success\":true,\"totalSize\":1,\"data\":[{\"jobId\":\"j\",\"status\":{" \
    "\"currentJobStatus\":\"RUNNING\",\"running\":{\"observedFlinkJobRestarts\":5}}}]}"
#define NOT_FOUND "{\"success\":false,\"errorCode\":\"990301\",\"errorMessage\":\"gone\"}"

/* The vendor's client asks for a hundred at once and encodes alike. */
static void test_as_the_vendor_sends_it(void **state)
{
    (void)state;
    answer(RUNNING);
    assert_int_equal(ask(1), 0);
    assert_string_equal(plane.received[0].action, "ListJobs");
    assert_string_equal(plane.received[0].method, "GET");
    assert_string_equal(plane.received[0].workspace, target.workspace);
    assert_string_equal(plane.received[0].url,
                        "https://flink.example/api/v2/namespaces/default-namespace/jobs?"
                        "deploymentId=d0&pageIndex=1&pageSize=10&sortName=gmt_create&"
                        "sortOrder=desc");
    assert_int_equal(questions[0].fate, API_JOBS_ANSWERED);
    assert_string_equal(questions[0].jobs.id, "d0");
    assert_string_equal(questions[0].jobs.current_id, "j");
    assert_int_equal(questions[0].jobs.restarts, 5);
    assert_int_equal(stats.operations[OPERATION_LIST_JOBS].codes[0].requests, 1);
}

static void test_many_at_once(void **state)
{
    (void)state;
    answer(RUNNING);
    assert_int_equal(ask(QUESTIONS_MAX), 0);
    assert_int_equal(plane.n_received, QUESTIONS_MAX);
    assert_int_equal(plane.most_in_flight, 4);
    for (size_t i = 0; i < QUESTIONS_MAX; i++)
        assert_int_equal(questions[i].fate, API_JOBS_ANSWERED);
    assert_int_equal(ask(0), 0);
}

/* A refresh takes minutes: each answer is as old as its own request, at the last attempt. */
static void test_when_each_was_asked(void **state)
{
    (void)state;
    answer(RUNNING);
    plane.rules[RULES_MAX - 1].latency_ms = 1000;
    plane.rules[0] =
        (struct rule){.url_has = "=d1&", .times = 1, .status = 503, .body = "", .latency_ms = 700};
    target.concurrency = 1;
    assert_int_equal(ask(3), 0);
    assert_int_equal(plane.n_received, 4);
    assert_int_equal(questions[0].asked_mono_ms, plane.received[0].at_ms);
    assert_int_equal(questions[1].asked_mono_ms, plane.received[2].at_ms);
    assert_int_equal(questions[2].asked_mono_ms, plane.received[3].at_ms);
    assert_int_equal(questions[2].asked_unix_ms - questions[0].asked_unix_ms,
                     questions[2].asked_mono_ms - questions[0].asked_mono_ms);
}

static void test_fates(void **state)
{
    (void)state;
    answer(RUNNING);
    plane.rules[0] = (struct rule){.url_has = "=d1&", .status = 200, .body = NOT_FOUND};
    plane.rules[1] = (struct rule){
        .url_has = "=d2&", .status = 200, .body = "{\"success\":false,\"errorCode\":\"1\"}"};
    plane.rules[2] = (struct rule){
        .url_has = "=d3&",
        .status = 200,
        .body = "{\"success\":true,\"data\":[{\"jobId\":\"j\",\"deploymentId\":\"other\"}]}"};
    plane.rules[3] = (struct rule){
        .url_has = "=d4&", .status = 200, .body = "{\"success\":true,\"data\":[{\"jobId\":7}]}"};
    plane.rules[4] = (struct rule){.url_has = "=d5&", .times = 1, .status = 503, .body = ""};
    plane.rules[5] =
        (struct rule){.url_has = "=d6&", .status = 200, .body = "{\"success\":true,\"data\":[]}"};
    target.concurrency = 1;
    assert_int_equal(ask(8), 0);
    assert_int_equal(questions[0].fate, API_JOBS_ANSWERED);
    assert_int_equal(questions[1].fate, API_JOBS_ABSENT);
    assert_int_equal(questions[2].fate, API_JOBS_REFUSED);
    assert_int_equal(questions[3].fate, API_JOBS_REFUSED);
    assert_int_equal(questions[4].fate, API_JOBS_REFUSED);
    assert_int_equal(questions[5].fate, API_JOBS_ANSWERED); /* at the second attempt */
    assert_int_equal(questions[6].fate, API_JOBS_ANSWERED);
    assert_int_equal(questions[6].jobs.n_active, 0);
    assert_int_equal(questions[7].fate, API_JOBS_ANSWERED);
    assert_int_equal(refused.kind, ERR_API);
    assert_non_null(strstr(refused.msg, "jobs of the deployment 'd2'"));
}

static void test_what_ends_it(void **state)
{
    (void)state;
    answer(RUNNING);
    target.concurrency = 1;
    plane.rules[0] = (struct rule){.url_has = "=d2&",
                                   .status = 403,
                                   .body = "{\"Code\":\"Forbidden.RAM\",\"Message\":\"no\"}"};
    assert_int_equal(ask(5), -1);
    expect_last(ERR_PERMISSION, "jobs of the deployment 'd2'");
    assert_int_equal(questions[1].fate, API_JOBS_ANSWERED);
    assert_int_equal(questions[2].fate, API_JOBS_REFUSED);
    assert_int_equal(questions[3].fate, API_JOBS_UNASKED);
    assert_int_equal(plane.n_received, 3);
}

/* One that cannot be served costs the others nothing; a control plane that is down ends it. */
static void test_the_sick(void **state)
{
    (void)state;
    answer(RUNNING);
    target.concurrency = 1;
    target.max_retries = 0;
    plane.rules[0] = (struct rule){.url_has = "=d0&", .status = 504, .body = ""};
    plane.rules[1] = (struct rule){.url_has = "=d1&", .status = 0, .kind = ERR_TIMEOUT};
    assert_int_equal(ask(5), 0);
    assert_int_equal(questions[0].fate, API_JOBS_REFUSED);
    assert_int_equal(questions[1].fate, API_JOBS_REFUSED);
    assert_int_equal(questions[4].fate, API_JOBS_ANSWERED);
    assert_int_equal(refused.kind, ERR_HTTP);
    plane.rules[2] = (struct rule){.url_has = "=d3&", .status = 502, .body = ""};
    plane.rules[3] = (struct rule){.url_has = "=d4&", .status = 502, .body = ""};
    assert_int_equal(ask(5), 0); /* not in a row */
    plane.rules[4] = (struct rule){.url_has = "=d2&", .status = 502, .body = ""};
    assert_int_equal(ask(5), -1);
    expect_last(ERR_HTTP, "jobs of the deployment 'd2'");
    assert_int_equal(questions[3].fate, API_JOBS_UNASKED);
}

static void test_the_deadline(void **state)
{
    (void)state;
    answer(RUNNING);
    plane.rules[RULES_MAX - 1].latency_ms = 1000;
    target.concurrency = 2;
    target.deadline_ms = 3500;
    assert_int_equal(ask(100), -1);
    expect_last(ERR_TIMEOUT, "with 6 of 100 deployments asked for their jobs");
    assert_int_equal(questions[5].fate, API_JOBS_ANSWERED);
    assert_int_equal(questions[6].fate,
                     API_JOBS_REFUSED); /* it was on its way: others come first */
    assert_int_equal(questions[8].fate, API_JOBS_UNASKED);
}

static void test_being_stopped(void **state)
{
    (void)state;
    answer(RUNNING);
    plane.stop_at_ms = START_MONO_MS + 30;
    assert_int_equal(ask(100), -1);
    assert_int_equal(last_err.kind, ERR_STOPPED);
    assert_int_equal(questions[0].fate, API_JOBS_ANSWERED);
    assert_int_equal(questions[99].fate, API_JOBS_UNASKED);
}

/* One at a time until the control plane has had enough, and everybody is answered in the end. */
static void test_throttled(void **state)
{
    (void)state;
    answer(RUNNING);
    plane.rules[0] = (struct rule){.url_has = "/jobs?",
                                   .times = 3,
                                   .status = 429,
                                   .retry_after_ms = 200,
                                   .body = "{\"Code\":\"Throttling.User\",\"Message\":\"x\"}"};
    if (ask(20) < 0)
        fail_msg("%s", last_err.msg);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(questions[i].fate, API_JOBS_ANSWERED);
    assert_int_equal(stats.operations[OPERATION_LIST_JOBS].throttled, 3);
    assert_true(now_ms >= START_MONO_MS + 200);
}

static void test_no_memory(void **state)
{
    size_t n;

    (void)state;
    answer(RUNNING);
    for (n = 1;; n++) {
        struct credentials *credentials = NULL;
        struct err err;

        questions[0] = (struct api_jobs_question){.deployment_id = "d0", .page_size = 10};
        assert_int_equal(credentials_new(&spec, NULL, NULL, &credentials, &err), 0);
        const struct api_request request = {.target = &target,
                                            .namespace_name = "n",
                                            .credentials = credentials,
                                            .deadline_mono_ms = now_ms + target.deadline_ms};
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        err = (struct err){0};
        plane.n_received = 0;
        alloc_fail_at(n);
        int rc =
            api_client_list_jobs(client, &request, questions, 1, arena, &refused, &stats, &err);
        alloc_fail_off();
        credentials_unref(credentials);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
        if (rc < 0)
            assert_int_equal(err.kind, ERR_NOMEM);
    }
    assert_true(n > 10);
}

int main(void)
{
#define ASKING(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_all)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_what_is_not_told),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_numbers_as_strings),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_no_page),
        ASKING(test_as_the_vendor_sends_it),
        ASKING(test_many_at_once),
        ASKING(test_when_each_was_asked),
        ASKING(test_fates),
        ASKING(test_what_ends_it),
        ASKING(test_the_sick),
        ASKING(test_the_deadline),
        ASKING(test_being_stopped),
        ASKING(test_throttled),
        ASKING(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
