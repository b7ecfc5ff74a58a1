/* The words of the label values: complete, and the ones that dashboards and alerts were told. */
#include "base/cleanup.h"
#include "model/deployment.h"
#include "model/label_names.h"
#include "model/listing.h"
#include "model/target.h"
#include "model/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_job_states(void **state)
{
    static const char *const names[JOB_STATE_END] = {"starting",  "running",  "cancelling",
                                                     "cancelled", "finished", "failed"};

    (void)state;
    for (int i = 0; i < JOB_STATE_END; i++)
        assert_string_equal(job_state_name((enum job_state)i), names[i]);
}

static void test_statuses(void **state)
{
    static const char *const names[STATUS_END] = {"unknown", "running",   "transitioning",
                                                  "failed",  "cancelled", "finished"};
    static const char *const filters[STATUS_END] = {"",       "RUNNING",   "TRANSITIONING",
                                                    "FAILED", "CANCELLED", "FINISHED"};

    (void)state;
    for (int i = 0; i < STATUS_END; i++) {
        assert_string_equal(deployment_status_name((enum deployment_status)i), names[i]);
        assert_string_equal(deployment_status_filter((enum deployment_status)i), filters[i]);
    }
    for (int e = 0; e < JOB_EVENT_END; e++)
        assert_string_equal(deployment_status_name(job_event_status((enum job_event)e)),
                            job_state_name(job_event_state((enum job_event)e)));
}

static void test_summaries(void **state)
{
    /* starting, running, cancelling, cancelled, finished, failed */
    static const struct {
        int64_t jobs[JOB_STATE_END];
        enum deployment_status status;
    } cases[] = {
        {{0, 1, 0, 0, 0, 0}, STATUS_RUNNING},
        {{2, 1, 2, 2, 2, 2}, STATUS_RUNNING},
        {{-1, 1, -1, -1, -1, -1}, STATUS_RUNNING},
        {{1, 0, 0, 3, 0, 3}, STATUS_TRANSITIONING},
        {{0, 0, 1, 0, 0, 0}, STATUS_TRANSITIONING},
        {{-1, 0, 1, 0, 0, -1}, STATUS_TRANSITIONING},
        {{0, 0, 0, 0, 0, 7}, STATUS_FAILED},
        {{0, 0, 0, 7, 0, 0}, STATUS_CANCELLED},
        {{0, 0, 0, 0, INT64_MAX, 0}, STATUS_FINISHED},
        /* In more ways than one. */
        {{0, 0, 0, 1, 0, 1}, STATUS_UNKNOWN},
        {{0, 0, 0, 1, 1, 0}, STATUS_UNKNOWN},
        {{0, 0, 0, 0, 1, 1}, STATUS_UNKNOWN},
        {{0, 0, 0, 1, 1, 1}, STATUS_UNKNOWN},
        /* Nothing, or not enough. */
        {{0, 0, 0, 0, 0, 0}, STATUS_UNKNOWN},
        {{-1, -1, -1, -1, -1, -1}, STATUS_UNKNOWN},
        {{1, -1, 0, 0, 0, 0}, STATUS_UNKNOWN},
        {{-1, 0, 0, 0, 0, 1}, STATUS_UNKNOWN},
        {{0, 0, -1, 0, 0, 1}, STATUS_UNKNOWN},
        {{0, 0, 0, -1, 0, 1}, STATUS_UNKNOWN},
        {{0, 0, 0, 0, 1, -1}, STATUS_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (deployment_summary_status(cases[i].jobs) != cases[i].status)
            fail_msg("case %zu", i);
}

static void test_collectors(void **state)
{
    static const char *const names[COLLECTOR_END] = {"deployments", "drafts", "tickets", "jobs"};

    (void)state;
    for (int i = 0; i < COLLECTOR_END; i++)
        assert_string_equal(collector_name((enum collector)i), names[i]);
}

static void test_providers(void **state)
{
    (void)state;
    assert_string_equal(credentials_provider_name(CREDENTIALS_STATIC), "static");
    assert_string_equal(credentials_provider_name(CREDENTIALS_ENV), "env");
    assert_string_equal(credentials_provider_name(CREDENTIALS_AUTO), "auto");
    assert_string_equal(credentials_provider_name(CREDENTIALS_PROFILE), "profile");
    assert_string_equal(credentials_provider_name(CREDENTIALS_ECS_RAM_ROLE), "ecs_ram_role");
    assert_string_equal(credentials_provider_name(CREDENTIALS_OIDC_ROLE_ARN), "oidc_role_arn");
    assert_string_equal(credentials_provider_name(CREDENTIALS_RAM_ROLE_ARN), "ram_role_arn");
    assert_string_equal(credentials_provider_name(CREDENTIALS_URI), "credentials_uri");
}

static void test_operations(void **state)
{
    (void)state;
    assert_string_equal(operation_name(OPERATION_LIST_DEPLOYMENTS), "ListDeployments");
}

/* "label=a|b|c", of the names that a function gives. */
struct set {
    char text[512];
    size_t len;
};

static void set_begin(struct set *set, const char *label)
{
    set->len = (size_t)snprintf(set->text, sizeof(set->text), "%s=", label);
}

static void set_add(struct set *set, const char *name)
{
    const char *separator = set->text[set->len - 1] == '=' ? "" : "|";

    set->len += (size_t)snprintf(set->text + set->len, sizeof(set->text) - set->len, "%s%s",
                                 separator, name);
    assert_true(set->len < sizeof(set->text));
}

/* What the metrics reference says of the values is what the functions say. */
static void test_label_sets(void **state)
{
    struct set set;

    (void)state;
    set_begin(&set, "state");
    for (int i = 0; i < JOB_STATE_END; i++)
        set_add(&set, job_state_name((enum job_state)i));
    assert_string_equal(set.text, LABEL_STATE);

    set_begin(&set, "status");
    for (int i = 0; i < STATUS_END; i++)
        set_add(&set, deployment_status_name((enum deployment_status)i));
    assert_string_equal(set.text, LABEL_STATUS);

    set_begin(&set, "provider");
    for (int i = 0; i < CREDENTIALS_PROVIDER_END; i++)
        set_add(&set, credentials_provider_name((enum credentials_provider)i));
    assert_string_equal(set.text, LABEL_PROVIDER);

    set_begin(&set, "status");
    for (int i = 0; i < TICKET_STATUS_END; i++)
        set_add(&set, ticket_status_name((enum ticket_status)i));
    assert_string_equal(set.text, LABEL_TICKET_STATUS);

    set_begin(&set, "reason");
    for (int i = 0; i < TICKET_FAILURE_END; i++)
        set_add(&set, ticket_failure_name((enum ticket_failure)i));
    assert_string_equal(set.text, LABEL_TICKET_REASON);

    set_begin(&set, "reason");
    for (int i = ERR_DNS; i < ERR_REASON_END; i++)
        set_add(&set, err_kind_name((enum err_kind)i));
    assert_string_equal(set.text, LABEL_REASON);
}

/* Those of them that the daemon can show: drafts are not changed by it. */
static void test_label_sets_of_the_exporter(void **state)
{
    static const enum operation operations[] = {
        OPERATION_LIST_DEPLOYMENTS, OPERATION_GET_DEPLOYMENTS_BY_NAME,
        OPERATION_LIST_DEPLOYMENT_DRAFTS, OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT,
        OPERATION_LIST_JOBS};
    struct set set;

    (void)state;
    set_begin(&set, "operation");
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        set_add(&set, operation_name(operations[i]));
    assert_string_equal(set.text, LABEL_OPERATION);

    set_begin(&set, "collector");
    for (int i = 0; i < COLLECTOR_END; i++)
        set_add(&set, collector_name((enum collector)i));
    assert_string_equal(set.text, LABEL_COLLECTOR);

    set_begin(&set, "state");
    set_add(&set, job_state_name(job_event_state(JOB_EVENT_CANCELLATION)));
    set_add(&set, job_state_name(job_event_state(JOB_EVENT_COMPLETION)));
    set_add(&set, job_state_name(job_event_state(JOB_EVENT_FAILURE)));
    assert_string_equal(set.text, LABEL_END_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_states), cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_summaries),  cmocka_unit_test(test_collectors),
        cmocka_unit_test(test_providers),  cmocka_unit_test(test_operations),
        cmocka_unit_test(test_label_sets), cmocka_unit_test(test_label_sets_of_the_exporter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
