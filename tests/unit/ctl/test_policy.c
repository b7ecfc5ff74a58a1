#include "policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(unsigned operations, const char *actions)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf compact = STRBUF_INIT;
    CLEANUP(json_freep) json_value *v = NULL;
    struct json_out o = {.out = &out};
    struct err err = {0};
    char expected[512];

    policy_put(operations, NULL, &o);
    assert_int_equal(json_parse_exact(strbuf_str(&out), out.len, 100000, &v, &err), 0);
    assert_int_equal(json_print(v, false, &compact, &err), 0);
    snprintf(expected, sizeof(expected),
             "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[%s],"
             "\"Resource\":\"*\"}]}",
             actions);
    assert_string_equal(strbuf_str(&compact), expected);
}

static void test_exporter(void **state)
{
    static const char *const names[] = {"orders"};
    struct target t = {.collectors = 1u << COLLECTOR_DEPLOYMENTS};

    (void)state;
    expect(policy_of_exporter(&t), "\"stream:ListDeployments\"");
    t.deployment_names = names;
    t.n_deployment_names = 1;
    expect(policy_of_exporter(&t), "\"stream:GetDeploymentsByName\"");
    t.collectors = 1u << COLLECTOR_DRAFTS | 1u << COLLECTOR_TICKETS;
    expect(policy_of_exporter(&t),
           "\"stream:ListDeploymentDrafts\",\"stream:GetDeployDeploymentDraftResult\"");
}

static void test_tool(void **state)
{
    struct target t = {.collectors = 1u << COLLECTOR_DEPLOYMENTS};

#define ALWAYS                                                       \
    "\"stream:ListDeployments\",\"stream:GetDeploymentsByName\","    \
    "\"stream:ListDeploymentDrafts\",\"stream:GetDeploymentDraft\"," \
    "\"stream:UpdateDeploymentDraft\",\"stream:GetDeployDeploymentDraftResult\""
    (void)state;
    expect(policy_of_tool(&t), ALWAYS);
    t.collectors |= 1u << COLLECTOR_JOBS;
    expect(policy_of_tool(&t), ALWAYS ",\"stream:ListJobs\"");
    expect(policy_of_exporter(&t), "\"stream:ListDeployments\",\"stream:ListJobs\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exporter),
        cmocka_unit_test(test_tool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
