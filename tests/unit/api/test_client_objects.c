/*
 * The calls beside ListDeployments: what they send, compared with the requests that the vendor's
 * own client sent (tests/fixtures/sign), and what they make of answers.
 */
#include "client_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "api/write.h"
#include "fake_plane.h"

#define DRAFT_ID  "c84d73be-40ad-4627-8bdd-fa1eba51b234"
#define TICKET_ID "88a8fc49-e090-430a-85d8-3ee8c79c0000"
#define NOT_FOUND \
    "{\"success\":false,\"errorCode\":\"990301\",\"errorMessage\":\"gone\",\"data\":null}"

static struct api_request request_as(struct credentials *credentials)
{
    return (struct api_request){.target = &target,
                                .namespace_name = "default-namespace",
                                .credentials = credentials,
                                .deadline_mono_ms = now_ms + target.deadline_ms};
}

static struct credentials *new_credentials(void)
{
    struct credentials *credentials = NULL;

    assert_int_equal(credentials_new(&spec, NULL, NULL, &credentials, &last_err), 0);
    return credentials;
}

/* --- the calls, in one line each --- */

static int get_draft(const char *id, json_value **ret)
{
    struct credentials *credentials = new_credentials();
    struct api_request request = request_as(credentials);

    last_err = (struct err){0};
    int rc = api_client_get_draft(client, &request, id, ret, &stats, &last_err);
    credentials_unref(credentials);
    return rc;
}

static int get_deployments(const char *name, unsigned without, json_value **ret)
{
    struct credentials *credentials = new_credentials();
    struct api_request request = request_as(credentials);

    last_err = (struct err){0};
    int rc = api_client_get_deployments(client, &request, name, without, ret, &stats, &last_err);
    credentials_unref(credentials);
    return rc;
}

static int get_ticket(const char *id, struct arena *arena, struct ticket_answer *ret)
{
    struct credentials *credentials = new_credentials();
    struct api_request request = request_as(credentials);

    last_err = (struct err){0};
    int rc = api_client_get_ticket(client, &request, id, arena, ret, NULL, &stats, &last_err);
    credentials_unref(credentials);
    return rc;
}

static int update_draft(const char *id, const char *text, json_value **ret)
{
    CLEANUP(json_freep) json_value *draft = NULL;
    struct credentials *credentials = new_credentials();
    struct api_request request = request_as(credentials);

    last_err = (struct err){0};
    assert_int_equal(json_parse_exact(text, strlen(text), 1 << 20, &draft, NULL), 0);
    int rc = api_client_update_draft(client, &request, id, draft, ret, &stats, &last_err);
    credentials_unref(credentials);
    return rc;
}

static struct listing *list_drafts(void)
{
    struct credentials *credentials = new_credentials();
    struct api_request request = request_as(credentials);
    struct listing *listing = NULL;

    last_err = (struct err){0};
    (void)!api_client_list_drafts(client, &request, &listing, &stats, &last_err);
    credentials_unref(credentials);
    return listing;
}

static struct listing *list_names(const char *const *names, size_t n, unsigned without)
{
    struct credentials *credentials = new_credentials();
    struct api_request request = request_as(credentials);
    struct listing *listing = NULL;

    target.deployment_names = names;
    target.n_deployment_names = n;
    last_err = (struct err){0};
    (void)!api_client_list_deployments_by_name(client, &request, without, &listing, &stats,
                                               &last_err);
    credentials_unref(credentials);
    return listing;
}

static void expect_last_err(enum err_kind kind, const char *words)
{
    if (last_err.kind != kind || !strstr(last_err.msg, words))
        fail_msg("%s: %s", err_kind_name(last_err.kind), last_err.msg);
}

/* --- as the vendor's client sends it --- */

/* What of a request a vector fixes, whatever else is signed with it. */
struct vector {
    char method[16];
    char path[512];
    char query[512];
    char action[64];
    char body[4096];
};

static struct vector read_vector(const char *id)
{
    static char text[65536];
    struct vector v = {0};
    char path[512];
    size_t body_len = 0;

    snprintf(path, sizeof(path), "%s/sign/%s/request.txt", AFE_FIXTURES, id);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        sscanf(line, "method %15s", v.method);
        sscanf(line, "path %511s", v.path);
        sscanf(line, "query %511s", v.query);
        sscanf(line, "signed x-acs-action: %63s", v.action);
        if (sscanf(line, "body %zu", &body_len) == 1) {
            assert_true(body_len < sizeof(v.body));
            if (body_len > 0)
                memcpy(v.body, next, body_len);
            break;
        }
    }
    assert_true(*v.method && *v.path && *v.action);
    return v;
}

static void expect_sent(const struct received *r, const char *vector_id)
{
    const struct vector v = read_vector(vector_id);
    char url[1200];

    snprintf(url, sizeof(url), "%s%s%s%s", target.endpoint, v.path, *v.query ? "?" : "", v.query);
    assert_string_equal(r->url, url);
    assert_string_equal(r->method, v.method);
    assert_string_equal(r->action, v.action);
    assert_string_equal(r->body, v.body);
    assert_string_equal(r->content_type, *v.body ? "application/json; charset=utf-8" : "");
    assert_string_equal(r->workspace, target.workspace);
}

static void test_requests_as_the_vendor_sends_them(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(json_freep) json_value *draft = NULL, *updated = NULL;
    struct ticket_answer answer;

    (void)state;
    plane.object = "{\"success\":true,\"data\":{\"ticketStatus\":\"EXECUTING\"}}";
    assert_int_equal(get_draft(DRAFT_ID, &draft), 0);
    expect_sent(&plane.received[0], "e2e-09-get-draft");
    assert_int_equal(get_ticket(TICKET_ID, arena, &answer), 0);
    expect_sent(&plane.received[1], "e2e-10-deploy-result");
    assert_int_equal(update_draft(DRAFT_ID,
                                  "{\"name\":\"\\u8349\xe7\xa8\xbf\",\"labels\":{\"tier\":1}}",
                                  &updated),
                     0);
    expect_sent(&plane.received[2], "min-09-patch-json");
}

static void test_names_as_the_vendor_encodes_them(void **state)
{
    CLEANUP(json_freep) json_value *simple = NULL, *special = NULL;

    (void)state;
    plane.object = "{\"success\":true,\"data\":[]}";
    assert_int_equal(get_deployments("vvp_ds_0522", API_WITHOUT_RESOURCE_SETTING, &simple), 0);
    /* The vendor's client also sends what is the default anyway (ignoreJobSummary=false). */
    assert_string_equal(plane.received[0].url,
                        "https://flink.example/api/v2/namespaces/default-namespace/deployments/"
                        "name/vvp_ds_0522?ignoreResourceSetting=true");
    assert_string_equal(plane.received[0].action, "GetDeploymentsByName");
    assert_int_equal(get_deployments("job (1)!'x'/*\xe8\xae\xa2 ~+", 0, &special), 0);
    expect_sent(&plane.received[1], "py-02-path-segment-rfc3986");
}

/* --- deployments by name --- */

static void test_hard_names_stay_one_segment(void **state)
{
    static const char *const names[] = {"a b/c+d~e*f", "..", ".",
                                        "\xe8\xae\xa2\xe5\x8d\x95-\xe5\xae\x9e\xe6\x97\xb6"};
    static const char *const paths[] = {"/name/a%20b%2Fc%2Bd~e%2Af", "/name/..", "/name/.",
                                        "/name/%E8%AE%A2%E5%8D%95-%E5%AE%9E%E6%97%B6"};

    (void)state;
    target.concurrency = 1;
    plane.object = "{\"success\":true,\"data\":[]}";
    CLEANUP(listing_freep) struct listing *listing = list_names(names, ARRAY_LEN(names), 0);
    assert_non_null(listing);
    assert_int_equal(plane.n_received, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *url = plane.received[i].url;
        assert_string_equal(strstr(url, "/name/"), paths[i]);
    }
}

static void test_listing_by_name(void **state)
{
    static const char *const names[] = {"one", "none", "two", "gone"};

    (void)state;
    plane.object = "{\"success\":true,\"data\":[]}";
    plane.rules[0] = (struct rule){
        .url_has = "/name/one",
        .status = 200,
        .latency_ms = 500,
        .body = "{\"success\":true,\"data\":[{\"deploymentId\":\"d9\",\"name\":\"one\","
                "\"jobSummary\":{\"failed\":3}}]}"};
    plane.rules[1] = (struct rule){
        .url_has = "/name/two",
        .status = 200,
        .body = "{\"success\":true,\"data\":[{\"deploymentId\":\"d3\",\"name\":\"two\"},"
                "{\"deploymentId\":\"d1\",\"name\":\"two\"},{\"name\":\"without an id\"}]}"};
    plane.rules[2] = (struct rule){.url_has = "/name/gone", .status = 200, .body = NOT_FOUND};
    CLEANUP(listing_freep)
    struct listing *listing =
        list_names(names, ARRAY_LEN(names), API_WITHOUT_JOB_SUMMARY | API_WITHOUT_RESOURCE_SETTING);
    if (!listing)
        fail_msg("%s", last_err.msg);
    assert_int_equal(listing->kind, RECORD_DEPLOYMENT);
    assert_int_equal(listing->n_items, 3);
    assert_string_equal(listing->items[0].id, "d1");
    assert_string_equal(listing->items[1].id, "d3");
    assert_string_equal(listing->items[2].id, "d9");
    assert_int_equal(listing->items[2].jobs[JOB_FAILED], 3);
    assert_int_equal(listing->expected, -1);
    assert_int_equal(listing->invalid, 1);
    assert_int_equal(listing->pages, 4);
    assert_int_equal(plane.n_received, 4);
    assert_int_equal(plane.most_in_flight, 4);
    assert_non_null(
        strstr(plane.received[0].url, "?ignoreJobSummary=true&ignoreResourceSetting=true"));
    /* A name that nobody has is no failure. */
    for (int kind = 0; kind < ERR_REASON_END; kind++)
        assert_int_equal(stats.operations[OPERATION_GET_DEPLOYMENTS_BY_NAME].failures[kind], 0);
}

static void test_listing_by_name_is_whole_or_fails(void **state)
{
    static const char *const names[] = {"one", "two"};

    (void)state;
    plane.object = "{\"success\":true,\"data\":[]}";
    plane.rules[0] = (struct rule){.url_has = "/name/two",
                                   .status = 403,
                                   .body = "{\"Code\":\"Forbidden.RAM\",\"Message\":\"no\"}"};
    assert_null(list_names(names, ARRAY_LEN(names), 0));
    expect_last_err(ERR_PERMISSION, "deployments named 'two': HTTP 403, Forbidden.RAM: no");
}

/* As through a proxy that takes ".." out of the path. */
static void test_an_answer_to_another_question(void **state)
{
    static const char *const names[] = {".."};

    (void)state;
    plane.object = "{\"success\":true,\"data\":[{\"deploymentId\":\"d1\",\"name\":\"orders\"}]}";
    assert_null(list_names(names, ARRAY_LEN(names), 0));
    expect_last_err(ERR_PARSE, "'..': the reply is about a deployment named 'orders'");
    plane.object = "{\"success\":true,\"data\":[{\"deploymentId\":\"d1\"}]}";
    CLEANUP(listing_freep) struct listing *listing = list_names(names, ARRAY_LEN(names), 0);
    assert_non_null(listing);
    assert_int_equal(listing->n_items, 1);
}

static void test_a_renamed_deployment_comes_once(void **state)
{
    static const char *const names[] = {"before", "after"};

    (void)state;
    target.concurrency = 1;
    plane.object = "{\"success\":true,\"data\":[{\"deploymentId\":\"d1\",\"name\":\"after\"}]}";
    plane.rules[0] = (struct rule){
        .url_has = "/name/before",
        .status = 200,
        .body = "{\"success\":true,\"data\":[{\"deploymentId\":\"d1\",\"name\":\"before\"}]}"};
    CLEANUP(listing_freep) struct listing *listing = list_names(names, ARRAY_LEN(names), 0);
    assert_non_null(listing);
    assert_int_equal(listing->n_items, 1);
    assert_int_equal(listing->duplicates, 1);
    assert_string_equal(listing->items[0].name, "after");
}

static void test_get_deployments(void **state)
{
    CLEANUP(json_freep) json_value *found = NULL, *none = NULL;

    (void)state;
    plane.object =
        "{\"success\":true,\"data\":[{\"deploymentId\":\"d2\"},{\"deploymentId\":\"d1\"}]}";
    assert_int_equal(get_deployments("x", 0, &found), 0);
    assert_string_equal(json_string(json_get(json_first(found), "deploymentId")), "d2");
    plane.object = NOT_FOUND;
    assert_int_equal(get_deployments("x", 0, &none), 0);
    assert_true(json_is_array(none));
    assert_null(json_first(none));
}

/* --- drafts --- */

static void test_drafts_are_listed_like_deployments(void **state)
{
    (void)state;
    plane.n = 250;
    plane.id_key = "deploymentDraftId";
    /* Filters of deployments mean nothing here. */
    target.select.name = "x";
    CLEANUP(listing_freep) struct listing *listing = list_drafts();
    if (!listing)
        fail_msg("%s", last_err.msg);
    assert_int_equal(listing->kind, RECORD_DRAFT);
    assert_int_equal(listing->n_items, 250);
    assert_int_equal(listing->expected, 250);
    for (size_t i = 1; i < 250; i++)
        assert_true(strcmp(listing->drafts[i - 1].id, listing->drafts[i].id) < 0);
    assert_string_equal(plane.received[0].url,
                        "https://flink.example/api/v2/namespaces/default-namespace/"
                        "deployment-drafts?pageIndex=1&pageSize=100");
    assert_string_equal(plane.received[0].action, "ListDeploymentDrafts");
    assert_int_equal(stats.operations[OPERATION_LIST_DEPLOYMENT_DRAFTS].codes[0].requests, 3);
}

static void test_drafts_in_doubt_are_named(void **state)
{
    (void)state;
    plane.id_key = "deploymentDraftId";
    plane.lies = true;
    plane.total = 7;
    assert_null(list_drafts());
    expect_last_err(ERR_INCOMPLETE, "totalSize 7, but 0 drafts on");
    plane.object = "{}";
    plane.rules[0] = (struct rule){.status = 200, .body = "{\"success\":true,\"data\":null}"};
    assert_null(list_drafts());
    expect_last_err(ERR_PARSE, "page 1: the reply has no list of drafts (data)");
}

static void test_get_draft(void **state)
{
    static const char text[] =
        "{\"success\":true,\"data\":{\"deploymentDraftId\":\"" DRAFT_ID
        "\",\"labels\":{\"n\":1.0,\"deep\":[null,{}]},\"createdAt\":1723537978}}";
    CLEANUP(json_freep) json_value *draft = NULL;
    CLEANUP(strbuf_release) struct strbuf printed = STRBUF_INIT;

    (void)state;
    plane.object = text;
    plane.rules[0] = (struct rule){.times = 1, .status = 500, .body = "{}"};
    assert_int_equal(get_draft(DRAFT_ID, &draft), 0);
    assert_int_equal(plane.n_received, 2);
    assert_int_equal(json_print(draft, false, &printed, NULL), 0);
    assert_string_equal(strbuf_str(&printed),
                        "{\"deploymentDraftId\":\"" DRAFT_ID
                        "\",\"labels\":{\"n\":1.0,\"deep\":[null,{}]},\"createdAt\":1723537978}");
}

static void test_what_is_no_draft(void **state)
{
    static const struct {
        const char *body;
        enum err_kind kind;
        const char *words;
    } cases[] = {
        {NOT_FOUND, ERR_NOT_FOUND, "HTTP 200, 990301: gone"},
        {"{\"success\":false,\"errorCode\":\"990302\"}", ERR_API, "990302"},
        {"{\"success\":true,\"data\":null}", ERR_PARSE, "the reply has no object (data)"},
        {"{\"success\":true,\"data\":[]}", ERR_PARSE, "the reply has no object (data)"},
        {"{\"success\":true}", ERR_PARSE, "the reply has no object (data)"},
        {"{\"success\":\"true\",\"data\":{}}", ERR_API, "success is not true"},
        {"[]", ERR_PARSE, "the reply is no JSON object"},
        {"<html>", ERR_PARSE, ""},
        {"", ERR_PARSE, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_value *draft = NULL;

        plane.object = cases[i].body;
        assert_int_equal(get_draft("d", &draft), -1);
        expect_last_err(cases[i].kind, cases[i].words);
        assert_null(draft);
    }
    /* Counted under the reasons there are. */
    assert_int_equal(stats.operations[OPERATION_GET_DEPLOYMENT_DRAFT].failures[ERR_PARSE], 1);
}

/* --- the update --- */

static void test_update_is_sent_again_only_where_nothing_happened(void **state)
{
    static const struct {
        struct rule rule;
        size_t requests;
        enum err_kind kind; /* of the failure, ERR_NONE = it succeeds in the end */
        const char *words;
    } cases[] = {
        {{.times = 1, .status = 429, .body = "{\"Code\":\"Throttling.User\"}"}, 2, ERR_NONE, ""},
        {{.times = 1, .kind = ERR_DNS}, 2, ERR_NONE, ""},
        {{.times = 1, .kind = ERR_CONNECT}, 2, ERR_NONE, ""},
        {{.times = 1, .status = 400, .body = "{\"Code\":\"InvalidSecurityToken.Expired\"}"},
         2,
         ERR_NONE,
         ""},
        {{.status = 400, .body = "{\"Code\":\"SignatureNonceUsed\"}"},
         1,
         ERR_AUTHENTICATION,
         "the draft may have been changed: HTTP 400, SignatureNonceUsed"},
        {{.kind = ERR_TIMEOUT}, 1, ERR_TIMEOUT, "the draft may have been changed: it broke"},
        {{.kind = ERR_HTTP}, 1, ERR_HTTP, "the draft may have been changed: it broke"},
        {{.kind = ERR_CONNECT}, 3, ERR_CONNECT, "it broke"},
        {{.status = 429, .body = "{\"Code\":\"Throttling.User\"}"}, 3, ERR_THROTTLED, "HTTP 429"},
        {{.status = 502, .body = "<html>"},
         1,
         ERR_HTTP,
         "the draft may have been changed: HTTP 502"},
        {{.status = 500, .body = "{\"Code\":\"InternalError\"}"},
         1,
         ERR_HTTP,
         "the draft may have been changed: HTTP 500, InternalError"},
        {{.status = 200, .body = "{\"succ"}, 1, ERR_PARSE, "the draft may have been changed"},
        {{.status = 200, .body = "{\"data\":{}}"}, 1, ERR_API, "the draft may have been changed"},
        {{.status = 200, .body = "{\"success\":true,\"data\":null}"},
         1,
         ERR_PARSE,
         "the draft may have been changed"},
        {{.status = 200, .body = "{\"success\":false,\"errorCode\":\"990302\"}"},
         1,
         ERR_API,
         "HTTP 200, 990302"},
        {{.status = 403, .body = "{\"Code\":\"NoPermission\"}"}, 1, ERR_PERMISSION, "HTTP 403"},
        {{.status = 200, .body = NOT_FOUND}, 1, ERR_NOT_FOUND, "HTTP 200, 990301"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_value *updated = NULL;

        plane_reset();
        plane.object = "{\"success\":true,\"data\":{\"name\":\"n\"}}";
        plane.rules[0] = cases[i].rule;
        int rc = update_draft("d", "{\"name\":\"n\"}", &updated);
        assert_int_equal(plane.n_received, cases[i].requests);
        for (size_t k = 0; k < plane.n_received; k++) {
            assert_string_equal(plane.received[k].method, "PATCH");
            assert_string_equal(plane.received[k].body, "{\"name\":\"n\"}");
        }
        assert_int_equal(rc, cases[i].kind == ERR_NONE ? 0 : -1);
        if (rc < 0)
            expect_last_err(cases[i].kind, cases[i].words);
        if (rc < 0 && !strstr(cases[i].words, "may have been"))
            assert_null(strstr(last_err.msg, "may have been"));
    }
}

/* Given up before an attempt went out, and while one was under way. */
static void test_what_is_said_of_an_update_given_up(void **state)
{
    json_value *updated = NULL;

    (void)state;
    plane.object = "{}";
    target.deadline_ms = 0;
    assert_int_equal(update_draft("d", "{}", &updated), -1);
    assert_int_equal(plane.n_received, 0);
    expect_last_err(ERR_TIMEOUT, "no answer before the deadline");
    assert_null(strstr(last_err.msg, "may have been"));
    target.deadline_ms = 5000;
    target.timeout_ms = 60000;
    plane.rules[0] = (struct rule){.status = 200, .body = "{}", .latency_ms = 1000000};
    assert_int_equal(update_draft("d", "{}", &updated), -1);
    expect_last_err(ERR_TIMEOUT, "the draft may have been changed");
    plane.stop_at_ms = now_ms + 100;
    assert_int_equal(update_draft("d", "{}", &updated), -1);
    expect_last_err(ERR_STOPPED, "the draft may have been changed");
    assert_int_equal(plane.n_received, 2);
}

/* --- how a call ends --- */

static void test_deadline_and_stop(void **state)
{
    json_value *draft = NULL;

    (void)state;
    plane.object = "{}";
    plane.rules[0] = (struct rule){.status = 200, .body = "{}", .latency_ms = 1000000};
    target.deadline_ms = 5000;
    target.timeout_ms = 3000;
    assert_int_equal(get_draft("d", &draft), -1);
    expect_last_err(ERR_TIMEOUT, "");
    assert_true(now_ms <= START_MONO_MS + 5000);
    plane.stop_at_ms = now_ms + 100;
    assert_int_equal(get_draft("d", &draft), -1);
    assert_int_equal(last_err.kind, ERR_STOPPED);
}

static void test_last_call(void **state)
{
    const struct api_last_call *last = api_client_last_call(client);
    json_value *draft = NULL;

    (void)state;
    assert_int_equal(last->status, 0);
    assert_string_equal(last->code, "");
    plane.tells_time = true;
    plane.object = NOT_FOUND;
    assert_int_equal(get_draft("d", &draft), -1);
    last = api_client_last_call(client);
    assert_int_equal(last->status, 200);
    assert_int_equal(last->duration_ms, 20);
    assert_string_equal(last->code, "990301");
    assert_string_equal(last->request_id, "R-1");
    assert_int_equal(last->date_unix_s, START_UNIX_MS / 1000);
}

static void test_without_memory(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        CLEANUP(json_freep) json_value *draft = NULL, *updated = NULL;
        struct ticket_answer answer;
        struct credentials *credentials = new_credentials();
        struct api_request request = request_as(credentials);
        int rc;

        plane_reset();
        plane.object =
            "{\"success\":true,\"data\":{\"ticketStatus\":\"FINISHED\",\"message\":\"m\","
            "\"artifactValidationDetail\":{\"errorDetails\":{\"lineNumber\":\"3\"}}}}";
        alloc_fail_at(n);
        rc = api_client_get_draft(client, &request, "d", &draft, &stats, &last_err);
        if (rc == 0)
            rc = api_client_get_ticket(client, &request, "t", arena, &answer, NULL, &stats,
                                       &last_err);
        if (rc == 0)
            rc = api_client_update_draft(client, &request, "d", draft, &updated, &stats, &last_err);
        alloc_fail_off();
        credentials_unref(credentials);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_requests_as_the_vendor_sends_them),
        TEST(test_names_as_the_vendor_encodes_them),
        TEST(test_hard_names_stay_one_segment),
        TEST(test_listing_by_name),
        TEST(test_listing_by_name_is_whole_or_fails),
        TEST(test_an_answer_to_another_question),
        TEST(test_a_renamed_deployment_comes_once),
        TEST(test_get_deployments),
        TEST(test_drafts_are_listed_like_deployments),
        TEST(test_drafts_in_doubt_are_named),
        TEST(test_get_draft),
        TEST(test_what_is_no_draft),
        TEST(test_update_is_sent_again_only_where_nothing_happened),
        TEST(test_what_is_said_of_an_update_given_up),
        TEST(test_deadline_and_stop),
        TEST(test_last_call),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
