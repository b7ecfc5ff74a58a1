/* What is wrong with a configuration, in the very words. The main text stands in "c.cfg". */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workdir.h"

struct bad_case {
    const char *text;
    const char *problems;
};

static void expect_all(const struct bad_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        workdir_expect_problems(cases[i].text, cases[i].problems);
}

/* One more setting in a target that is good without it: line 2. */
static void expect_in_target(const struct bad_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

        strbuf_addf(&text, CREDENTIALS TARGET("%s"), cases[i].text);
        workdir_expect_problems(strbuf_str(&text), cases[i].problems);
    }
}

static void test_syntax(void **state)
{
    static const struct bad_case cases[] = {
        {"a = 1;\nb = = 2;\n", "c.cfg:2: a '=' that follows no key\n"},
        {"a = 1;\nb\n", "c.cfg:3: a '=' is missing behind a key\n"},
        {"a = 1;\nb = 2;\na = 3;\n", "c.cfg:3: a key that the same group already has\n"},
        {"a = [ 1,\n\"b\" ];\n", "c.cfg:2: [ ] holds values of one type only\n"},
        {"defaults = {\n  interval = 60s;\n};\n",
         "c.cfg:2: letters behind a number; durations and sizes are strings such as \"60s\"\n"},
        {"a = yes;\n", "c.cfg:1: a value is a string in double quotes, a number, true or false\n"},
        {"defaults = { interval = \"60s\" ", "c.cfg:1: a bracket that is never closed\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_top_level(void **state)
{
    static const struct bad_case cases[] = {
        {"", "c.cfg:1: there are no targets\n"},
        {"# nothing", "c.cfg:1: there are no targets\n"},
        {CREDENTIALS "targets = ( );\n", "c.cfg:2: targets must not be empty\n"},
        {CREDENTIALS "targets = { name = \"x\"; };\n",
         "c.cfg:2: targets must be a list of groups ( { ... }, ... ), not a group\n"},
        {CREDENTIALS "targets = ( \"x\" );\n",
         "c.cfg:2: element 1 of targets must be a group { ... }, not a string\n"},
        {TARGET("") "credentials = [ \"x\" ];\n",
         "c.cfg:2: credentials must be a list of groups ( { ... }, ... ), not an array\n"},
        {CREDENTIALS TARGET("") "defaults = 1;\n",
         "c.cfg:3: defaults must be a group { ... }, not an integer\n"},
        {CREDENTIALS TARGET("") "metrics = ( );\nrate_limit = true;\n",
         "c.cfg:3: metrics must be a group { ... }, not a list\n"
         "c.cfg:4: rate_limit must be a group { ... }, not a boolean\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_unknown_keys(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS TARGET("") "defaults = {\n  intervall = \"60s\";\n};\n",
         "c.cfg:4: unknown key 'intervall'; did you mean 'interval'?\n"},
        {CREDENTIALS TARGET("") "default = { };\n",
         "c.cfg:3: unknown key 'default'; did you mean 'defaults'?\n"},
        {CREDENTIALS TARGET("") "interval = \"60s\";\n",
         "c.cfg:3: unknown key 'interval' here; it belongs in defaults\n"},
        {CREDENTIALS TARGET("") "defaults = { burst = 1; };\n",
         "c.cfg:3: unknown key 'burst' here; it belongs in rate_limit\n"},
        {CREDENTIALS TARGET("") "anything = { };\n", "c.cfg:3: unknown key 'anything'\n"},
        {CREDENTIALS TARGET("name_space = 1;"), "c.cfg:2: unknown key 'name_space'; did you mean "
                                                "'namespaces'?\n"},
        {CREDENTIALS TARGET("Interval = 1;"),
         "c.cfg:2: unknown key 'Interval'; did you mean 'interval'?\n"},
        {CREDENTIALS TARGET("select = { state = \"x\"; };"),
         "c.cfg:2: unknown key 'state' here; it belongs in the top level\n"},
        {CREDENTIALS TARGET("tls_config = { ca = \"x\"; };"), "c.cfg:2: unknown key 'ca'\n"},
        {CREDENTIALS TARGET("") "metrics = { allow = [ ]; };\n", "c.cfg:3: unknown key 'allow'\n"},
        {CREDENTIALS TARGET("") "rate_limit = { rps = 1; };\n", "c.cfg:3: unknown key 'rps'\n"},
        {"credentials = ( { name = \"default\"; provider = \"env\"; secret = \"x\"; } );\n" TARGET(
             ""),
         "c.cfg:1: unknown key 'secret'\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_types(void **state)
{
    static const struct bad_case cases[] = {
        {"interval = 60;",
         "c.cfg:2: interval must be a duration such as \"60s\", not an integer\n"},
        {"interval = 1.5;", "c.cfg:2: interval must be a duration such as \"60s\", not a float\n"},
        {"interval = true;",
         "c.cfg:2: interval must be a duration such as \"60s\", not a boolean\n"},
        {"interval = [ ];", "c.cfg:2: interval must be a duration such as \"60s\", not an array\n"},
        {"interval = ( );", "c.cfg:2: interval must be a duration such as \"60s\", not a list\n"},
        {"interval = { };", "c.cfg:2: interval must be a duration such as \"60s\", not a group\n"},
        {"interval = \"60\";",
         "c.cfg:2: interval must be a duration such as \"60s\", not \"60\"\n"},
        {"interval = \"\";", "c.cfg:2: interval must be a duration such as \"60s\", not \"\"\n"},
        {"interval = \"-1s\";",
         "c.cfg:2: interval must be a duration such as \"60s\", not \"-1s\"\n"},
        {"interval = \"\\n\";", "c.cfg:2: interval must not contain control characters\n"},
        {"max_body_size = 1024;",
         "c.cfg:2: max_body_size must be a size such as \"64MiB\", not an integer\n"},
        {"max_body_size = \"big\";",
         "c.cfg:2: max_body_size must be a size such as \"64MiB\", not \"big\"\n"},
        {"page_size = \"100\";", "c.cfg:2: page_size must be an integer, not a string\n"},
        {"page_size = 50.0;", "c.cfg:2: page_size must be an integer, not a float\n"},
        {"network = \"private\";",
         "c.cfg:2: network must be \"public\" or \"vpc\", not \"private\"\n"},
        {"network = 1;", "c.cfg:2: network must be \"public\" or \"vpc\", not an integer\n"},
        {"network = \"\\x7f\";", "c.cfg:2: network must not contain control characters\n"},
        {"proxy_url = false;", "c.cfg:2: proxy_url must be a string, not a boolean\n"},
        {"collectors = \"deployments\";",
         "c.cfg:2: collectors must be an array of strings such as [ "
         "\"deployments\" ], not a string\n"},
        {"collectors = [ ];", "c.cfg:2: collectors must not be empty\n"},
        {"collectors = [ \"deployment\" ];",
         "c.cfg:2: element 1 of collectors must be \"deployments\", \"drafts\", \"tickets\" or "
         "\"jobs\", not "
         "\"deployment\"\n"},
        {"collectors = [ 1 ];", "c.cfg:2: element 1 of collectors must be \"deployments\", "
                                "\"drafts\", \"tickets\" or \"jobs\", not an "
                                "integer\n"},
        {"select = [ ];", "c.cfg:2: select must be a group { ... }, not an array\n"},
        {"select = { label_key = \"k\"; label_values = \"v\"; };",
         "c.cfg:2: select.label_values must be an array of strings such as [ \"a\", \"b\" ], not a "
         "string\n"},
        {"select = { label_key = \"k\"; label_values = ( \"v\", 1,\n\"a;b\" ); };",
         "c.cfg:2: element 2 of select.label_values must be a string, not an integer\n"
         "c.cfg:3: element 3 of select.label_values must not contain ';'\n"},
        {"select = { label_values = [ \"v\" ]; };",
         "c.cfg:2: select.label_values needs select.label_key\n"},
        {"tls_config = { insecure_skip_verify = 1; };",
         "c.cfg:2: tls_config.insecure_skip_verify must be true or false, not an integer\n"},
        {"tls_config = { server_name = \"a b\"; };",
         "c.cfg:2: tls_config.server_name must name a host by letters, digits, '-' and '.'\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
}

static void test_words(void **state)
{
    static const struct bad_case cases[] = {
        {"select = { status = 1; };",
         "c.cfg:2: select.status must be \"\", \"RUNNING\", \"FAILED\", \"CANCELLED\", "
         "\"FINISHED\" or \"TRANSITIONING\", not an integer\n"},
        {"select = { execution_mode = \"streaming\";\nstatus = \"DEPLOYED\"; };",
         "c.cfg:2: select.execution_mode must be \"\", \"STREAMING\" or \"BATCH\", not "
         "\"streaming\"\n"
         "c.cfg:3: select.status must be \"\", \"RUNNING\", \"FAILED\", \"CANCELLED\", "
         "\"FINISHED\" or \"TRANSITIONING\", not \"DEPLOYED\"\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
}

static void test_ranges(void **state)
{
    static const struct bad_case cases[] = {
        {"interval = \"999ms\"; ", "c.cfg:2: interval must be between 1s and 1d, not 999ms\n"},
        {"interval = \"25h\";", "c.cfg:2: interval must be between 1s and 1d, not 25h\n"},
        {"timeout = \"99ms\";", "c.cfg:2: timeout must be between 100ms and 10m, not 99ms\n"},
        {"timeout = \"11m\";", "c.cfg:2: timeout must be between 100ms and 10m, not 11m\n"},
        {"deadline = \"0s\";", "c.cfg:2: deadline must be between 100ms and 1d, not 0s\n"},
        {"max_staleness = \"8d\";", "c.cfg:2: max_staleness must be between 1s and 7d, not 8d\n"},
        {"concurrency = 0;", "c.cfg:2: concurrency must be between 1 and 64, not 0\n"},
        {"concurrency = 65;", "c.cfg:2: concurrency must be between 1 and 64, not 65\n"},
        {"page_size = 101;", "c.cfg:2: page_size must be between 1 and 100, not 101\n"},
        {"page_size = -1;", "c.cfg:2: page_size must be between 1 and 100, not -1\n"},
        {"max_body_size = \"1023\";",
         "c.cfg:2: max_body_size must be between 1KiB and 1GiB, not 1023\n"},
        {"max_body_size = \"2GiB\";",
         "c.cfg:2: max_body_size must be between 1KiB and 1GiB, not 2GiB\n"},
        {"max_deployments = 0;", "c.cfg:2: max_deployments must be between 1 and 1000000, not 0\n"},
        {"max_deployments = 1000001;",
         "c.cfg:2: max_deployments must be between 1 and 1000000, not 1000001\n"},
        {"max_retries = 11;", "c.cfg:2: max_retries must be between 0 and 10, not 11\n"},
        {"max_backoff = \"2d\";", "c.cfg:2: max_backoff must be between 1s and 1d, not 2d\n"},
        {"max_deployments = 5000000000;", "c.cfg:2: an integer of more than nine digits; sizes are "
                                          "strings such as \"64MiB\"\n"},
        {"max_deployments = 0x80000000;", "c.cfg:2: an integer of more than nine digits; sizes are "
                                          "strings such as \"64MiB\"\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
}

static void test_rate_limit(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS TARGET("") "rate_limit = { requests_per_second = 0; burst = 0; };\n",
         "c.cfg:3: rate_limit.requests_per_second must be between 0.001 and 1000, not 0\n"
         "c.cfg:3: rate_limit.burst must be between 1 and 1000, not 0\n"},
        {CREDENTIALS TARGET("") "rate_limit = { requests_per_second = 1000.5; burst = 1001; };\n",
         "c.cfg:3: rate_limit.requests_per_second must be between 0.001 and 1000, not 1000.5\n"
         "c.cfg:3: rate_limit.burst must be between 1 and 1000, not 1001\n"},
        {CREDENTIALS TARGET("") "rate_limit = { requests_per_second = 1e999; };\n",
         "c.cfg:3: rate_limit.requests_per_second must be between 0.001 and 1000, not +Inf\n"},
        {CREDENTIALS TARGET("") "rate_limit = { requests_per_second = \"20\"; burst = 1.0; };\n",
         "c.cfg:3: rate_limit.requests_per_second must be a number, not a string\n"
         "c.cfg:3: rate_limit.burst must be an integer, not a float\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_relations(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS TARGET("interval = \"5m\";"),
         "c.cfg:2: max_staleness (5m) must be more than interval (5m)\n"},
        {CREDENTIALS TARGET("max_staleness = \"60s\";"),
         "c.cfg:2: max_staleness (1m) must be more than interval (1m)\n"},
        {CREDENTIALS TARGET("timeout = \"90s\"; deadline = \"1500ms\";"),
         "c.cfg:2: timeout (90s) must not be more than deadline (1500ms)\n"},
        {CREDENTIALS TARGET("deadline = \"1s\";"),
         "c.cfg:2: timeout (30s) must not be more than deadline (1s)\n"},
        /* said of defaults, not of each target again */
        {CREDENTIALS TARGET("") "defaults = {\n interval = \"1h\";\n deadline = \"1s\"; };\n",
         "c.cfg:4: max_staleness (5m) must be more than interval (1h)\n"
         "c.cfg:5: timeout (30s) must not be more than deadline (1s)\n"},
        {CREDENTIALS "defaults = { interval = \"2m\"; };\n" TARGET("max_staleness = \"119s\";"),
         "c.cfg:3: max_staleness (119s) must be more than interval (2m)\n"},
        /* no second problem where a value is wrong in itself */
        {CREDENTIALS TARGET("interval = \"5m\"; max_staleness = 1;"),
         "c.cfg:2: max_staleness must be a duration such as \"5m\", not an integer\n"},
        {CREDENTIALS "defaults = { interval = 1; };\n" TARGET("max_staleness = \"1s\";"),
         "c.cfg:2: interval must be a duration such as \"60s\", not an integer\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_targets(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS "targets = (\n  { }\n);\n",
         "c.cfg:3: a target needs a name\n"
         "c.cfg:3: target \"\" needs a workspace\n"
         "c.cfg:3: target \"\" needs namespaces, such as [ \"default-namespace\" ]\n"
         "c.cfg:3: target \"\" needs a region_id, such as \"cn-hangzhou\", or an endpoint\n"},
        {CREDENTIALS "targets = ( { name = \"\"; workspace = \"\"; namespaces = [ ];\nregion_id = "
                     "\"\"; } );\n",
         "c.cfg:2: name must not be empty\n"
         "c.cfg:2: workspace must not be empty\n"
         "c.cfg:2: namespaces must not be empty\n"
         "c.cfg:2: target \"\" needs a region_id, such as \"cn-hangzhou\", or an endpoint\n"},
        {CREDENTIALS "targets = ( " TARGET_OF("a", "w", "\"m\"") "},\n" TARGET_OF(
             "a", "w", "\"n\"") "},\n" TARGET_OF("b", "w",
                                                 "\"o\"") "},\n" TARGET_OF("a", "w",
                                                                           "\"p\"") "} );\n",
         "c.cfg:3: there is already a target \"a\" at c.cfg:2\n"
         "c.cfg:5: there is already a target \"a\" at c.cfg:2\n"},
        {CREDENTIALS "targets = ( " TARGET_OF("a", "w", "\"m\",\n\"n\"") "},\n" TARGET_OF(
             "b", "w", "\"o\",\n\"n\", \"o\"") "},\n" TARGET_OF("c", "v", "\"n\"") "} );\n",
         "c.cfg:5: namespace \"n\" of workspace \"w\" is already watched at c.cfg:3\n"
         "c.cfg:5: namespace \"o\" of workspace \"w\" is already watched at c.cfg:4\n"},
        {CREDENTIALS "targets = ( " TARGET_OF("a", "w/x", "\"a/b\", \"\", \"..\"") "} );\n",
         "c.cfg:2: workspace must not contain '/'\n"
         "c.cfg:2: element 1 of namespaces must not contain '/'\n"
         "c.cfg:2: element 2 of namespaces must not be empty\n"
         "c.cfg:2: element 3 of namespaces must be a name, not \".\" or \"..\"\n"},
        {CREDENTIALS "targets = ( " TARGET_OF("a", "w*", "\"a\", \"prod-?\"") "} );\n",
         "c.cfg:2: workspace takes names, not patterns\n"
         "c.cfg:2: element 2 of namespaces takes names, not patterns\n"},
        {CREDENTIALS "targets = ( " TARGET_OF("a\\n", "w\\t", "\"a\\x01\"") "} );\n",
         "c.cfg:2: name must not contain control characters\n"
         "c.cfg:2: workspace must not contain control characters\n"
         "c.cfg:2: element 1 of namespaces must not contain control characters\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_where_requests_go(void **state)
{
    static const struct bad_case cases[] = {
        {"endpoint = \"http://ververica.cn-hangzhou.aliyuncs.com\";",
         "c.cfg:2: endpoint must start with https://; plain http is for loopback hosts only\n"},
        {"endpoint = \"ververica.cn-hangzhou.aliyuncs.com\";",
         "c.cfg:2: endpoint must start with https://\n"},
        {"endpoint = \"https://u:hunter2@h\";",
         "c.cfg:2: endpoint must not hold a user name or password\n"},
        {"endpoint = \"https://h/api\";",
         "c.cfg:2: endpoint must not have a path, query or fragment\n"},
        {"endpoint = \"https://h:0\";",
         "c.cfg:2: endpoint must have a port from 1 to 65535, or none\n"},
        {"proxy_url = \"http://u:hunter2@h/x\";",
         "c.cfg:2: proxy_url must not have a path, query or fragment\n"},
        {"proxy_url = \"u:hunter2@h:3128\";",
         "c.cfg:2: proxy_url must be \"\", \"none\" or a URL that starts with http://, https://, "
         "socks5:// or socks5h://\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
    workdir_expect_problems(
        CREDENTIALS "targets = ( { name = \"t\"; workspace = \"w\"; namespaces = [ \"n\" ];\n"
                    "region_id = \"CN\"; } );\n",
        "c.cfg:3: region_id must be of lower-case letters, digits and '-', such as "
        "\"cn-hangzhou\"\n");
}

static void test_credentials(void **state)
{
    static const struct bad_case cases[] = {
        {"credentials = ( );\n" TARGET("\ncredentials = \"x\";"),
         "c.cfg:3: there are no credentials \"x\"; name others, or add { name = \"x\"; provider = "
         "\"env\"; } to credentials\n"},
        {CREDENTIALS TARGET("\ncredentials = \"defualt\";"),
         "c.cfg:3: there are no credentials \"defualt\"; did you mean \"default\"?\n"},
        {CREDENTIALS TARGET("credentials = \"other\";"),
         "c.cfg:2: there are no credentials \"other\"; name others, or add { name = \"other\"; "
         "provider = \"env\"; } to credentials\n"},
        {CREDENTIALS TARGET("credentials = \"\";"), "c.cfg:2: credentials must not be empty\n"},
        {"credentials = ( { },\n{ name = \"default\"; } );\n" TARGET(""),
         "c.cfg:1: credentials need a name\n"
         "c.cfg:1: credentials \"\" need a provider, such as \"auto\", \"static\" or \"env\"\n"
         "c.cfg:2: credentials \"default\" need a provider, such as \"auto\", \"static\" or "
         "\"env\"\n"},
        {"credentials = ( { name = \"default\"; provider = \"evn\"; } );\n" TARGET(""),
         "c.cfg:1: provider must be \"static\", \"env\", \"auto\", \"profile\", "
         "\"ecs_ram_role\", \"oidc_role_arn\", \"ram_role_arn\" or \"credentials_uri\", not "
         "\"evn\"\n"},
        {"credentials = ( { name = \"default\"; provider = \"env\"; },\n{ name = \"default\"; "
         "provider = \"env\"; } );\n" TARGET(""),
         "c.cfg:2: there are already credentials named \"default\" at c.cfg:1\n"},
        {"credentials = ( { name = \"default\"; provider = \"static\"; } );\n" TARGET(""),
         "c.cfg:1: credentials \"default\" need an access_key_id\n"
         "c.cfg:1: credentials \"default\" need an access_key_secret_file or an "
         "access_key_secret\n"},
        {"credentials = ( { name = \"default\"; provider = \"static\"; access_key_id = \"\";\n"
         "access_key_secret = \"\"; } );\n" TARGET(""),
         "c.cfg:1: access_key_id must not be empty\n"
         "c.cfg:2: access_key_secret must not be empty\n"},
        {"credentials = ( { name = \"default\"; provider = \"static\"; access_key_id = \"i d\";\n"
         "access_key_secret = \"hunter2 hunter2\"; security_token = 1; } );\n" TARGET(""),
         "c.cfg:1: access_key_id must be of ASCII letters, digits and signs, without blanks\n"
         "c.cfg:2: access_key_secret must be of ASCII letters, digits and signs, without blanks\n"
         "c.cfg:2: security_token must be a string, not an integer\n"},
        {"credentials = ( { name = \"default\"; provider = \"env\"; access_key_id = \"i\";\n"
         "access_key_secret = \"s\";\nsecurity_token = \"t\"; } );\n" TARGET(""),
         "c.cfg:1: access_key_id does not belong to provider \"env\"\n"
         "c.cfg:2: access_key_secret does not belong to provider \"env\"\n"
         "c.cfg:3: security_token does not belong to provider \"env\"\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

#define ROLE "provider = \"ram_role_arn\"; role_arn = \"acs:ram::1:role/r\"; "

static void test_credentials_of_others(void **state)
{
    static const struct bad_case cases[] = {
        {"credentials = ( { name = \"default\"; provider = \"ram_role_arn\"; } );\n" TARGET(""),
         "c.cfg:1: credentials \"default\" need a source: the name of the credentials that take on "
         "the role\n"
         "c.cfg:1: credentials \"default\" need a role_arn\n"},
        {"credentials = ( { name = \"a\"; " ROLE "\nsource = \"b\"; },\n"
         "{ name = \"b\"; " ROLE "source = \"c\"; },\n"
         "{ name = \"c\"; " ROLE "source = \"a\"; },\n"
         "{ name = \"default\"; " ROLE "source = \"a\"; } );\n" TARGET(""),
         "c.cfg:2: source: credentials \"a\" take their keys from themselves: a -> b -> c -> a\n"},
        {"credentials = ( { name = \"default\"; " ROLE "\nsource = \"default\"; } );\n" TARGET(""),
         "c.cfg:2: source: credentials \"default\" take their keys from themselves: default -> "
         "default\n"},
        {"credentials = ( { name = \"key\"; provider = \"env\"; },\n"
         "{ name = \"a\"; " ROLE "source = \"kye\"; },\n"
         "{ name = \"b\"; " ROLE "source = \"nobody\"; } );\n" TARGET("credentials = \"key\";"),
         "c.cfg:2: source: there are no credentials \"kye\"; did you mean \"key\"?\n"
         "c.cfg:3: source: there are no credentials \"nobody\"\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_credentials_that_fetch(void **state)
{
    static const struct bad_case cases[] = {
        {"credentials = ( { name = \"default\"; provider = \"auto\";\n"
         "file = \"/etc/passwd\";\nprofile = \"p\";\nrole_name = \"r\";\nuri = \"http://h/\"; "
         "} );\n" TARGET(""),
         "c.cfg:2: file does not belong to provider \"auto\"\n"
         "c.cfg:2: file \"/etc/passwd\": everybody may read it (mode 0644); take the right from "
         "others\n"
         "c.cfg:3: profile does not belong to provider \"auto\"\n"
         "c.cfg:4: role_name does not belong to provider \"auto\"\n"
         "c.cfg:5: uri does not belong to provider \"auto\"\n"},
        {"credentials = ( { name = \"default\"; provider = \"oidc_role_arn\";\n"
         "role_arn = \"role/x\";\nrole_session_name = \"a b\";\n"
         "oidc_token_file = \"/nonexistent/token\";\nsts_endpoint = \"http://sts.aliyuncs.com\"; "
         "} );\n" TARGET(""),
         "c.cfg:2: role_arn must start with acs:ram::\n"
         "c.cfg:3: role_session_name must be of at least 2 letters, digits, '.', '@', '_' and "
         "'-'\n"
         "c.cfg:4: oidc_token_file \"/nonexistent/token\": No such file or directory\n"
         "c.cfg:5: sts_endpoint must start with https://; plain http is for loopback hosts only\n"},
        {"credentials = ( { name = \"default\"; provider = \"ecs_ram_role\";\n"
         "endpoint = \"http://10.0.0.1\";\nrole_name = \"a/b\"; } );\n" TARGET(""),
         "c.cfg:2: endpoint must start with https://; plain http is for loopback and metadata "
         "addresses only\n"
         "c.cfg:3: role_name must be of letters, digits, '.', '-' and '_'\n"},
        {"credentials = ( { name = \"default\"; provider = \"credentials_uri\";\n"
         "uri = \"ftp://x/\"; }, { name = \"b\"; provider = \"credentials_uri\";\n"
         "uri = \"http://u:hunter2@h/\"; }, { name = \"c\"; provider = \"credentials_uri\";\n"
         "uri = \"http://h/a b\"; } );\n" TARGET(""),
         "c.cfg:2: uri must start with http:// or https://\n"
         "c.cfg:3: uri must not hold a user name or password\n"
         "c.cfg:4: uri must be encoded as it is sent, without blanks and fragment\n"},
        {"credentials = ( { name = \"default\"; provider = \"ram_role_arn\"; source = 1;\n"
         "role_arn = \"acs:ram::1:role/r\"; access_key_id = \"x\"; role_session_name = \"x\"; "
         "} );\n" TARGET(""),
         "c.cfg:1: source must be a string, not an integer\n"
         "c.cfg:2: role_session_name must be of at least 2 letters, digits, '.', '@', '_' and "
         "'-'\n"
         "c.cfg:2: access_key_id does not belong to provider \"ram_role_arn\"\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_metrics(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS TARGET(
             "") "metrics = { deny = \"x\"; deployment_labels = [ 1 ]; aggregation = "
                 "\"none\"; };\n",
         "c.cfg:3: metrics.deny must be an array of strings such as [ \"a\", \"b\" ], not a "
         "string\n"
         "c.cfg:3: element 1 of metrics.deployment_labels must be a string, not an integer\n"
         "c.cfg:3: metrics.aggregation must be \"deployment\" or \"namespace\", not \"none\"\n"},
        {CREDENTIALS TARGET("") "metrics = { deny = [ \"aliyun_flink_up\",\n\"a-b\", \"\" ]; };\n",
         "c.cfg:4: element 2 of metrics.deny must be a metric name, or one with '*' or '?' in it\n"
         "c.cfg:4: element 3 of metrics.deny must not be empty\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

#define TICKETS "collectors = [ \"tickets\" ];\n"

static void test_deployment_names(void **state)
{
    static const struct bad_case cases[] = {
        {"deployment_names = 1;", "c.cfg:2: deployment_names must be an array of strings such as "
                                  "[ \"a\", \"b\" ], not an integer\n"},
        {"deployment_names = [ \"a\",\n\"\" ];",
         "c.cfg:3: element 2 of deployment_names must not be empty\n"},
        {"deployment_names = [ \"a\\tb\" ];",
         "c.cfg:2: element 1 of deployment_names must not contain control characters\n"},
        {"deployment_names = [ \"a\",\n\"b\", \"a\" ];",
         "c.cfg:3: deployment name \"a\" is already there at c.cfg:2\n"},
        {"deployment_names = [ \"a\" ]; select = { name = \"\"; status = \"FAILED\"; };",
         "c.cfg:2: deployment_names and select.status do not go together: the control plane "
         "selects from listings only\n"},
        {"deployment_names = [ \"a\" ];\nselect = { label_key = \"k\"; label_values = [ \"v\" ]; "
         "};",
         "c.cfg:2: deployment_names and select.label_key do not go together: the control plane "
         "selects from listings only\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
}

#define NO_ID                                                                                  \
    " must end with a ticket id: up to 128 letters, digits, '-' and '_', the first of them a " \
    "letter or digit\n"
#define NO_COLLECTOR                                                                  \
    " needs the collector \"tickets\": add it to collectors, such as collectors = [ " \
    "\"deployments\", \"tickets\" ]\n"

static void test_tickets(void **state)
{
    static const struct bad_case cases[] = {
        {TICKETS "tickets = [ \"n/a\",\n\"x\" ];",
         "c.cfg:4: element 2 of tickets must be of the form \"namespace/ticketId\"\n"},
        {TICKETS "tickets = [ \"/x\" ];",
         "c.cfg:3: element 1 of tickets must be of the form \"namespace/ticketId\"\n"},
        {TICKETS "tickets = [ \"n/\" ];", "c.cfg:3: element 1 of tickets" NO_ID},
        {TICKETS "tickets = [ \"n/-a\" ];", "c.cfg:3: element 1 of tickets" NO_ID},
        {TICKETS "tickets = [ \"n/a/b\" ];", "c.cfg:3: element 1 of tickets" NO_ID},
        {TICKETS "tickets = [ \"n/..\" ];", "c.cfg:3: element 1 of tickets" NO_ID},
        {TICKETS "tickets = [ \"n/a\",\n\"other/a\" ];",
         "c.cfg:4: ticket \"other/a\": \"other\" is not one of the target's namespaces\n"},
        {TICKETS "tickets = [ \"n/a\",\n\"n/b\",\n\"n/a\" ];",
         "c.cfg:5: ticket \"n/a\" is already there at c.cfg:3\n"},
        {"tickets = [ \"n/a\" ];", "c.cfg:2: tickets" NO_COLLECTOR},
        {"ticket_dir = \"spool\";", "c.cfg:2: ticket_dir" NO_COLLECTOR},
        {TICKETS "ticket_ttl = \"31d\";",
         "c.cfg:3: ticket_ttl must be between 1s and 30d, not 31d\n"},
        {TICKETS "max_tickets = 0;", "c.cfg:3: max_tickets must be between 1 and 10000, not 0\n"},
        {TICKETS "ticket_dir = 1;", "c.cfg:3: ticket_dir must be a string, not an integer\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
}

#define SPOOLER(name, namespace, dir)                                                        \
    "{ name = \"" name "\"; region_id = \"cn-hangzhou\"; workspace = \"w\"; namespaces = [ " \
    "\"" namespace "\" ];\n collectors = [ \"tickets\" ]; ticket_dir = \"" dir "\"; }"

static void test_ticket_dirs(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS "targets = (\n" SPOOLER("a", "x", "spool") ",\n" SPOOLER(
             "b", "y", "other") ",\n" SPOOLER("c", "z", "spool") ");\n",
         "c.cfg:8: ticket_dir \"spool\" is already another target's at c.cfg:4\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_state(void **state)
{
    static const struct bad_case cases[] = {
        {CREDENTIALS TARGET("") "state = {\n file = 1;\n hold = 2;\n hould = 1; };\n",
         "c.cfg:4: state.file must be a string, not an integer\n"
         "c.cfg:5: state.hold must be a duration such as \"2m\", not an integer\n"
         "c.cfg:6: unknown key 'hould'; did you mean 'hold'?\n"},
        {CREDENTIALS TARGET("") "state = { hold = \"500ms\"; };\n",
         "c.cfg:3: state.hold must be between 1s and 1h, not 500ms\n"},
        {CREDENTIALS TARGET("") "state = \"x\";\n",
         "c.cfg:3: state must be a group { ... }, not a string\n"},
    };

    (void)state;
    expect_all(cases, ARRAY_LEN(cases));
}

static void test_jobs_in_targets(void **state)
{
    static const struct bad_case cases[] = {
        {"collectors = [ \"drafts\", \"jobs\" ];",
         "c.cfg:2: the collector \"jobs\" needs the collector \"deployments\": collectors = [ "
         "\"deployments\", \"jobs\" ]\n"},
        {"max_job_requests = 9;",
         "c.cfg:2: max_job_requests must be between 10 and 100000, not 9\n"},
    };

    (void)state;
    expect_in_target(cases, ARRAY_LEN(cases));
}

/* All at once, included files too, each where it stands. */
static void test_many_problems(void **state)
{
    (void)state;
    workdir_mkdir("conf.d");
    workdir_write("conf.d/targets.cfg", "targets = (\n"
                                        "  { name = \"a\"; region_id = \"cn-hangzhou\";\n"
                                        "    workspace = \"w\"; namespaces = [ \"n\" ];\n"
                                        "    page_size = 1000;\n"
                                        "    max_deployments = 10000000000; },\n"
                                        "  { name = \"b\"; region_id = \"cn-hangzhou\";\n"
                                        "    workspace = \"w\"; namespaces = [ \"m\",\n"
                                        "      \"n\" ]; }\n"
                                        ");\n");
    workdir_expect_problems(
        "defaults = {\n"
        "  timeout = 30;\n"
        "  concurency = 4;\n"
        "};\n"
        "@include \"conf.d/targets.cfg\"\n"
        "metrics = { aggregation = \"all\"; };\n"
        "credentials = ( { name = \"defaults\"; provider = \"env\"; } );\n"
        "state = { hold = \"2h\"; };\n",
        "c.cfg:2: timeout must be a duration such as \"30s\", not an integer\n"
        "c.cfg:3: unknown key 'concurency'; did you mean 'concurrency'?\n"
        "conf.d/targets.cfg:2: there are no credentials \"default\"; did you mean \"defaults\"?\n"
        "conf.d/targets.cfg:4: page_size must be between 1 and 100, not 1000\n"
        "conf.d/targets.cfg:5: an integer of more than nine digits; sizes are "
        "strings such as \"64MiB\"\n"
        "conf.d/targets.cfg:6: there are no credentials \"default\"; did you mean \"defaults\"?\n"
        "conf.d/targets.cfg:8: namespace \"n\" of workspace \"w\" is already "
        "watched at conf.d/targets.cfg:3\n"
        "c.cfg:6: metrics.aggregation must be \"deployment\" or \"namespace\", "
        "not \"all\"\n"
        "c.cfg:8: state.hold must be between 1s and 1h, not 2h\n");
}

/* Long texts are repeated in part, whole characters only. */
static void test_long_texts(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;

    (void)state;
    strbuf_adds(&text, CREDENTIALS "targets = ( " TARGET_OF("t", "w", "\"n\"") "network = \"x");
    strbuf_adds(&expected, "c.cfg:2: network must be \"public\" or \"vpc\", not \"x");
    for (int i = 0; i < 100; i++)
        strbuf_adds(&text, "\xe8\x8c\x83");
    for (int i = 0; i < 21; i++)
        strbuf_adds(&expected, "\xe8\x8c\x83");
    strbuf_adds(&text, "\"; } );\n");
    strbuf_adds(&expected, "\"\n");
    workdir_expect_problems(strbuf_str(&text), strbuf_str(&expected));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, workdir_enter, workdir_leave)
    const struct CMUnitTest tests[] = {
        TEST(test_syntax),
        TEST(test_top_level),
        TEST(test_unknown_keys),
        TEST(test_types),
        TEST(test_words),
        TEST(test_ranges),
        TEST(test_rate_limit),
        TEST(test_relations),
        TEST(test_targets),
        TEST(test_where_requests_go),
        TEST(test_credentials),
        TEST(test_credentials_of_others),
        TEST(test_credentials_that_fetch),
        TEST(test_metrics),
        TEST(test_deployment_names),
        TEST(test_tickets),
        TEST(test_ticket_dirs),
        TEST(test_state),
        TEST(test_jobs_in_targets),
        TEST(test_many_problems),
        TEST(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
