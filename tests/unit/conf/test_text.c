/* Which texts each rule takes. */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_rules(void **state)
{
    static const struct {
        enum text_rule rule;
        const char *text;
        const char *complaint;
    } cases[] = {
        {TEXT_ANY, "", NULL},
        {TEXT_ANY, "\xe8\x8c\x83/ x", NULL},
        {TEXT_ANY, "a\nb", "must not contain control characters"},
        {TEXT_ANY, "a\x7f", "must not contain control characters"},
        {TEXT_ANY, "\xff", "must be valid UTF-8"},
        {TEXT_NAME, "", "must not be empty"},
        {TEXT_NAME, "prod / a", NULL},
        {TEXT_WORKSPACE, "a14bd5d90a4f4e", NULL},
        {TEXT_WORKSPACE, "", "must not be empty"},
        {TEXT_WORKSPACE, "a/b", "must not contain '/'"},
        {TEXT_WORKSPACE, "a b", "must be of ASCII letters, digits and signs, without blanks"},
        {TEXT_WORKSPACE, "\xc3\xa4", "must be of ASCII letters, digits and signs, without blanks"},
        {TEXT_WORKSPACE, "a14*", "takes names, not patterns"},
        {TEXT_WORKSPACE, "a14?", "takes names, not patterns"},
        {TEXT_NAMESPACE, "default-namespace", NULL},
        {TEXT_NAMESPACE, "*", "takes names, not patterns"},
        {TEXT_NAMESPACE, "prod-?", "takes names, not patterns"},
        {TEXT_NAMESPACE, "\xe7\xa9\xba 1", NULL},
        {TEXT_NAMESPACE, "..x", NULL},
        {TEXT_NAMESPACE, "", "must not be empty"},
        {TEXT_NAMESPACE, "a/b", "must not contain '/'"},
        {TEXT_NAMESPACE, ".", "must be a name, not \".\" or \"..\""},
        {TEXT_NAMESPACE, "..", "must be a name, not \".\" or \"..\""},
        {TEXT_NAMESPACE, " a", "must not start or end with a blank"},
        {TEXT_NAMESPACE, "a ", "must not start or end with a blank"},
        {TEXT_REGION, "", NULL},
        {TEXT_REGION, "cn-shanghai-finance-1", NULL},
        {TEXT_REGION, "cn_hangzhou",
         "must be of lower-case letters, digits and '-', such as \"cn-hangzhou\""},
        {TEXT_REGION, "CN",
         "must be of lower-case letters, digits and '-', such as \"cn-hangzhou\""},
        {TEXT_REGION, "cn-",
         "must be of lower-case letters, digits and '-', such as \"cn-hangzhou\""},
        {TEXT_REGION, "a.evil.example/",
         "must be of lower-case letters, digits and '-', such as \"cn-hangzhou\""},
        {TEXT_HOST, "", NULL},
        {TEXT_HOST, "a.example", NULL},
        {TEXT_HOST, "a/b", "must name a host by letters, digits, '-' and '.'"},
        {TEXT_LABEL_VALUE, "a,b", NULL},
        {TEXT_LABEL_VALUE, "a;b", "must not contain ';'"},
        {TEXT_LABEL_VALUE, "", "must not be empty"},
        {TEXT_FILE, "", "must not be empty"},
        {TEXT_FILE_OR_NONE, "", NULL},
        {TEXT_KEY, "", "must not be empty"},
        {TEXT_KEY, "LTAI5t+/=", NULL},
        {TEXT_KEY, "LTAI ", "must be of ASCII letters, digits and signs, without blanks"},
        {TEXT_GLOB, "team-*", NULL},
        {TEXT_GLOB, "", "must not be empty"},
        {TEXT_METRIC_GLOB, "aliyun_flink_*_inf?", NULL},
        {TEXT_METRIC_GLOB, "a-b", "must be a metric name, or one with '*' or '?' in it"},
        {TEXT_METRIC_GLOB, "", "must not be empty"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *complaint = text_complaint(cases[i].rule, cases[i].text);

        assert_string_equal(complaint ? complaint : "",
                            cases[i].complaint ? cases[i].complaint : "");
    }
}

static void test_lengths(void **state)
{
    static const struct {
        enum text_rule rule;
        size_t max;
    } cases[] = {
        {TEXT_ANY, 1024},      {TEXT_NAME, 128},          {TEXT_WORKSPACE, 128},
        {TEXT_NAMESPACE, 128}, {TEXT_REGION, 63},         {TEXT_LABEL_VALUE, 1024},
        {TEXT_FILE, 4095},     {TEXT_FILE_OR_NONE, 4095}, {TEXT_KEY, 4096},
        {TEXT_GLOB, 256},      {TEXT_METRIC_GLOB, 256},
    };
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(text, 'a', sizeof(text));
        text[cases[i].max] = '\0';
        assert_null(text_complaint(cases[i].rule, text));
        memset(text, 'a', sizeof(text));
        text[cases[i].max + 1] = '\0';
        assert_non_null(strstr(text_complaint(cases[i].rule, text), "must not be longer than"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
