/* Many clients at once through the gateway, readers and writers: what one sees is always whole. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change.h"
#include "draft.h"
#include "endpoints.h"
#include "gateway.h"
#include "json_text.h"

#define N_THREADS 6
#define N_ROUNDS  60

static struct simulator *s;
static char draft_id[RNG_UUID_LEN];

static int set_up(void **state)
{
    (void)state;
    const char *const namespaces[] = {"a"};
    struct simulator_conf conf = {
        .world = {.workspace = "w", .profile = PROFILE_SMALL, .seed = 3},
        .settings = settings_default,
        .namespaces = namespaces,
        .n_namespaces = 1,
        .n_deployments = 12,
        .n_drafts = 6,
    };
    struct err err = {0};
    conf.settings.verify = false;
    conf.settings.rate_limit = 0;
    if (simulator_new(&conf, &s, &err) < 0)
        return -1;
    snprintf(draft_id, sizeof(draft_id), "%s", s->world->namespaces[0]->drafts[2]->id);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    simulator_free(s);
    return 0;
}

/* The parsed answer; *ret_status may be NULL. */
static cJSON *ask(const char *method, const char *path, const char *body, int *ret_status)
{
    static const struct verify_header headers[] = {
        {"host", "h"}, {"accept", "application/json"}, {"workspace", "w"}};
    const struct verify_request request = {
        .method = method,
        .raw_path = path,
        .raw_query = "",
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = body,
        .body_len = strlen(body),
    };
    struct settings settings;
    struct reply r = {0};
    simulator_settings(s, &settings);
    simulator_request_id(s, r.request_id);
    if (endpoints_kind(method, path) == SOURCE_NONE)
        gateway_answer(s, &request, &settings, &r);
    else
        endpoints_answer(s, &request, &settings, &r);
    cJSON *o = json_parse(strbuf_str(&r.body), r.body.len);
    if (ret_status)
        *ret_status = r.status;
    reply_release(&r);
    return o;
}

static bool succeeds(const char *method, const char *path, const char *body)
{
    CLEANUP(cjson_deletep) cJSON *o = ask(method, path, body, NULL);
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "success"));
}

#define NS "/api/v2/namespaces/a"

/* Saves, deploys and polls until it is over. */
static bool release_once(int number)
{
    char path[160];
    char body[160];
    snprintf(path, sizeof(path), NS "/deployment-drafts/%s", draft_id);
    snprintf(body, sizeof(body), "{\"engineVersion\":\"%d\",\"labels\":{}}", number);
    if (!succeeds("PATCH", path, body))
        return false;
    snprintf(body, sizeof(body), "{\"deploymentDraftId\":\"%s\"}", draft_id);
    CLEANUP(cjson_deletep) cJSON *o = ask("POST", NS "/deployment-drafts/async-deploy", body, NULL);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(data, "ticketId");
    if (!cJSON_IsString(id))
        return false;
    snprintf(path, sizeof(path), NS "/deployment-drafts/tickets/%s/async-deploy", id->valuestring);
    for (int i = 0; i < 3; i++) {
        CLEANUP(cjson_deletep) cJSON *polled = ask("GET", path, "", NULL);
        data = cJSON_GetObjectItemCaseSensitive(polled, "data");
        const cJSON *done = cJSON_GetObjectItemCaseSensitive(data, "success");
        if (!cJSON_IsBool(done) || cJSON_IsTrue(done) != (i == 2))
            return false;
    }
    return true;
}

/* Of a deployment that churn may have removed: the answer is one or the other. */
static bool list_jobs(void)
{
    static const struct verify_header headers[] = {
        {"host", "h"}, {"accept", "application/json"}, {"workspace", "w"}};
    char query[160];
    struct verify_request request = {.method = "GET",
                                     .raw_path = NS "/jobs",
                                     .raw_query = query,
                                     .headers = headers,
                                     .n_headers = ARRAY_LEN(headers)};
    struct settings settings;
    struct reply r = {0};
    world_lock_read(s->world);
    snprintf(query, sizeof(query), "pageSize=100&deploymentId=%s",
             s->world->namespaces[0]->deployments[0]->id);
    world_unlock(s->world);
    simulator_settings(s, &settings);
    gateway_answer(s, &request, &settings, &r);
    CLEANUP(cjson_deletep) cJSON *o = json_parse(strbuf_str(&r.body), r.body.len);
    bool good = r.status == 200 && cJSON_IsObject(o);
    reply_release(&r);
    return good;
}

static bool control(const char *json)
{
    struct err err = {0};
    return change_apply(s, json, strlen(json), &err) == 0;
}

static void *run(void *arg)
{
    int number = *(const int *)arg;
    for (int i = 0; i < N_ROUNDS; i++) {
        bool good;
        switch (number % 3) {
        case 0:
            good = release_once(number);
            break;
        case 1:
            good = succeeds("GET", NS "/deployments", "") &&
                   succeeds("GET", NS "/deployment-drafts", "") &&
                   succeeds("GET", NS "/deployments/name/x", "") && list_jobs();
            break;
        default:
            good = control("{\"tickets\":[{\"time\":\"1ms\"}],\"add_drafts\":[{"
                           "\"deploymentDraftId\":\"t\"}],\"expire_issued\":true}");
            cJSON_Delete(ask("GET", "/credentials", "", NULL));
            world_lock_write(s->world);
            world_churn(s->world, &s->world->rng);
            world_unlock(s->world);
            break;
        }
        if (!good)
            return arg;
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    int numbers[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &numbers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(issuer_count(s->issuer), 2 * N_ROUNDS);
    assert_int_equal(s->world->namespaces[0]->n_tickets, 4 * N_ROUNDS);
}

static void test_routes(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *path;
        int status;
    } routes[] = {
        {"GET", NS "/deployments", 200},
        {"GET", NS "/deployments/", 404},
        {"GET", NS "/deployments/x", 200},
        {"GET", NS "/deployments/name", 200}, /* the deployment of that id */
        {"GET", NS "/deployments/name/", 404},
        {"GET", NS "/deployments/name/a/b", 404},
        {"GET", NS "/deployments/name/a%2Fb", 200},
        {"GET", NS "/deployments/name/..", 200},
        {"GET", NS "/deployments/name/x%00y", 404},
        {"GET", NS "/../a/deployments", 404},
        {"POST", NS "/deployments", 405},
        {"PUT", NS "/deployment-drafts/x", 405},
        {"GET", NS "/deployment-drafts/async-deploy", 200},
        {"PATCH", NS "/deployment-drafts/tickets/x/async-deploy", 405},
        {"GET", "/api/v2/namespaces/b/deployment-drafts", 403},
        {"GET", "/", 404},
    };
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        int status = 0;
        cJSON_Delete(ask(routes[i].method, routes[i].path, "", &status));
        if (status != routes[i].status)
            fail_msg("%s %s: %d", routes[i].method, routes[i].path, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_routes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
