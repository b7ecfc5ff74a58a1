/* The words of the label values: complete, and the ones that dashboards and alerts were told. */
#include "model/deployment.h"
#include "model/listing.h"
#include "model/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_job_states(void **state)
{
    static const char *const names[JOB_STATE_END] = {"starting",  "running",  "cancelling",
                                                     "cancelled", "finished", "failed"};

    (void)state;
    for (int i = 0; i < JOB_STATE_END; i++)
        assert_string_equal(job_state_name((enum job_state)i), names[i]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_states),
        cmocka_unit_test(test_collectors),
        cmocka_unit_test(test_providers),
        cmocka_unit_test(test_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
