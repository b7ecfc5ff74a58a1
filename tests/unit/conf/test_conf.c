/* Good configurations: defaults, what beats them, and the life of a struct conf. */
#include "conf/conf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workdir.h"

static void test_minimal(void **state)
{
    CLEANUP(conf_unrefp) struct conf *conf = workdir_load(CREDENTIALS TARGET(""));
    const struct target *t = &conf->targets[0];

    (void)state;
    assert_string_equal(conf->path, "c.cfg");
    assert_int_equal(conf->n_targets, 1);
    assert_int_equal(conf->n_credentials, 1);
    assert_int_equal(conf->deny.n_patterns, 0);
    assert_int_equal(conf->aggregation, CONF_AGGREGATION_DEPLOYMENT);
    assert_string_equal(conf->state_file, "");
    assert_int_equal(conf->hold_ms, 120000);
    assert_string_equal(t->name, "t");
    assert_string_equal(t->region_id, "cn-hangzhou");
    assert_string_equal(t->endpoint, "https://ververica.cn-hangzhou.aliyuncs.com");
    assert_string_equal(t->host, "ververica.cn-hangzhou.aliyuncs.com");
    assert_string_equal(t->workspace, "w");
    assert_int_equal(t->n_namespaces, 1);
    assert_string_equal(t->namespaces[0], "n");
    assert_ptr_equal(t->credentials, &conf->credentials[0]);
    assert_string_equal(t->credentials->name, "default");
    assert_int_equal(t->credentials->provider, CREDENTIALS_ENV);
    assert_null(t->credentials->access_key_id);
    assert_null(t->credentials->access_key_secret);
    assert_null(t->credentials->access_key_secret_file);
    assert_null(t->credentials->security_token);
    assert_null(t->credentials->security_token_file);
    assert_int_equal(t->collectors, 1u << COLLECTOR_DEPLOYMENTS);
    assert_int_equal(t->select.n_label_values, 0);
    assert_string_equal(t->select.name, "");
    assert_string_equal(t->tls.ca_file, "");
    assert_string_equal(t->tls.server_name, "");
    assert_string_equal(t->proxy_url, "");
    assert_int_equal(t->deployment_labels.n_patterns, 0);
    assert_int_equal(t->interval_ms, 60000);
    assert_int_equal(t->max_body_size, 64 << 20);
    assert_int_equal(t->page_size, 100);
    assert_true(t->requests_per_second == 20.0);
}

/* Who names no credentials gets the vendor's chain, unless there is a list. */
static void test_default_credentials(void **state)
{
    static const char *const texts[] = {
        TARGET(""),
        "credentials = ( );\n" TARGET(""),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(conf_unrefp) struct conf *conf = workdir_load(texts[i]);
        const struct credentials_spec *c = conf->targets[0].credentials;

        assert_string_equal(c->name, "default");
        assert_int_equal(c->provider, CREDENTIALS_AUTO);
        assert_ptr_equal(c, &conf->credentials[conf->n_credentials - 1]);
    }
}

static void test_every_provider(void **state)
{
    workdir_write("config.json", "{}");
    workdir_write("token", "t");
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        "credentials = ( { name = \"default\"; provider = \"auto\"; },\n"
        "{ name = \"p\"; provider = \"profile\"; file = \"config.json\"; profile = \"x\"; },\n"
        "{ name = \"e\"; provider = \"ecs_ram_role\"; role_name = \"Role-1\"; "
        "endpoint = \"HTTP://169.254.169.254:80/\"; },\n"
        "{ name = \"o\"; provider = \"oidc_role_arn\"; role_arn = \"acs:ram::1:role/x\"; "
        "oidc_provider_arn = \"acs:ram::1:oidc-provider/y\"; oidc_token_file = \"token\"; "
        "sts_endpoint = \"http://127.0.0.1:8000/\"; },\n"
        "{ name = \"r\"; provider = \"ram_role_arn\"; source = \"o\"; "
        "role_arn = \"acs:ram::1:role/z\"; role_session_name = \"a.b@c-d_e\"; },\n"
        "{ name = \"u\"; provider = \"credentials_uri\"; uri = \"http://sidecar:7002/c?x=1\"; },\n"
        "{ name = \"e2\"; provider = \"ecs_ram_role\"; role_name = \"\"; endpoint = \"\"; },\n"
        "{ name = \"p2\"; provider = \"profile\"; file = \"\"; profile = \"\"; },\n"
        "{ name = \"o2\"; provider = \"oidc_role_arn\"; oidc_token_file = \"\"; role_arn = \"\"; "
        "},\n"
        "{ name = \"e3\"; provider = \"ecs_ram_role\"; endpoint = \"http://100.100.100.200\"; } "
        ");\n" TARGET(""));
    const struct credentials_spec *c = conf->credentials;

    (void)state;
    assert_int_equal(conf->n_credentials, 10);
    assert_int_equal(c[0].provider, CREDENTIALS_AUTO);
    assert_int_equal(c[1].provider, CREDENTIALS_PROFILE);
    assert_string_equal(c[1].file, "config.json");
    assert_string_equal(c[1].profile, "x");
    assert_int_equal(c[2].provider, CREDENTIALS_ECS_RAM_ROLE);
    assert_string_equal(c[2].role_name, "Role-1");
    assert_string_equal(c[2].endpoint, "http://169.254.169.254");
    assert_int_equal(c[3].provider, CREDENTIALS_OIDC_ROLE_ARN);
    assert_string_equal(c[3].role_arn, "acs:ram::1:role/x");
    assert_string_equal(c[3].oidc_provider_arn, "acs:ram::1:oidc-provider/y");
    assert_string_equal(c[3].oidc_token_file, "token");
    assert_string_equal(c[3].sts_endpoint, "http://127.0.0.1:8000");
    assert_int_equal(c[4].provider, CREDENTIALS_RAM_ROLE_ARN);
    assert_string_equal(c[4].source, "o");
    assert_string_equal(c[4].role_session_name, "a.b@c-d_e");
    assert_int_equal(c[5].provider, CREDENTIALS_URI);
    assert_string_equal(c[5].uri, "http://sidecar:7002/c?x=1");
}

static void test_precedence(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        CREDENTIALS
        "defaults = { interval = \"2m\"; timeout = \"10s\"; concurrency = 8; "
        "max_staleness = \"10m\"; };\n"
        "targets = (\n" TARGET_OF("a", "w", "\"a\"") "},\n" TARGET_OF(
            "b", "w",
            "\"b\"") "interval = \"30s\"; deadline = \"1m\"; max_staleness = "
                     "\"31s\"; concurrency = 64;\n"
                     "page_size = 1; max_body_size = \"1KiB\"; "
                     "max_deployments = 1000000; max_retries = 0; max_job_requests = 10;\n"
                     "max_backoff = \"1d\"; timeout = \"100ms\"; } );\n");
    const struct target *a = &conf->targets[0];
    const struct target *b = &conf->targets[1];

    (void)state;
    assert_int_equal(a->interval_ms, 120000);
    assert_int_equal(a->timeout_ms, 10000);
    assert_int_equal(a->concurrency, 8);
    assert_int_equal(a->max_staleness_ms, 600000);
    assert_int_equal(a->deadline_ms, 300000);
    assert_int_equal(a->page_size, 100);
    assert_int_equal(a->max_retries, 2);
    assert_int_equal(b->interval_ms, 30000);
    assert_int_equal(b->timeout_ms, 100);
    assert_int_equal(b->deadline_ms, 60000);
    assert_int_equal(b->max_staleness_ms, 31000);
    assert_int_equal(b->concurrency, 64);
    assert_int_equal(b->page_size, 1);
    assert_int_equal(b->max_body_size, 1024);
    assert_int_equal(b->max_deployments, 1000000);
    assert_int_equal(b->max_job_requests, 10);
    assert_int_equal(b->max_retries, 0);
    assert_int_equal(b->max_backoff_ms, 86400000);
}

/* defaults may stand behind the targets they are for. */
static void test_order_does_not_matter(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf =
        workdir_load(TARGET("") "metrics = { deployment_labels = [ \"team\" ]; };\n"
                                "rate_limit = { requests_per_second = 5; burst = 7; };\n"
                                "defaults : { interval : \"2m\" }\n" CREDENTIALS);
    const struct target *t = &conf->targets[0];

    (void)state;
    assert_int_equal(t->interval_ms, 120000);
    assert_true(t->requests_per_second == 5.0);
    assert_int_equal(t->burst, 7);
    assert_int_equal(t->deployment_labels.n_patterns, 1);
    assert_string_equal(t->deployment_labels.patterns[0], "team");
}

static void test_target_settings(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        "credentials = ( { name = \"x\"; provider = \"env\"; }, { name = \"y\"; provider = "
        "\"env\"; } );\n" TARGET(
            "network = \"vpc\"; credentials = \"y\"; collectors = ( \"deployments\" );\n"
            "select = { name = \"a\"; execution_mode = \"STREAMING\"; status = \"RUNNING\"; "
            "creator = \"1\"; modifier = \"2\"; label_key = \"k\"; label_values = [ \"v\", \"w\" "
            "]; "
            "};\n"
            "tls_config = { server_name = \"[::1]\"; insecure_skip_verify = true; };\n"
            "proxy_url = \"http://u:p@h:3128\";"));
    const struct target *t = &conf->targets[0];

    (void)state;
    assert_string_equal(t->endpoint, "https://ververica-vpc.cn-hangzhou.aliyuncs.com");
    assert_string_equal(t->credentials->name, "y");
    assert_string_equal(t->select.name, "a");
    assert_string_equal(t->select.execution_mode, "STREAMING");
    assert_string_equal(t->select.status, "RUNNING");
    assert_string_equal(t->select.creator, "1");
    assert_string_equal(t->select.modifier, "2");
    assert_string_equal(t->select.label_key, "k");
    assert_int_equal(t->select.n_label_values, 2);
    assert_string_equal(t->select.label_values[1], "w");
    assert_string_equal(t->tls.server_name, "[::1]");
    assert_true(t->tls.insecure_skip_verify);
    assert_string_equal(t->proxy_url, "http://u:p@h:3128");
}

static void test_collectors(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        CREDENTIALS TARGET("collectors = [ \"drafts\", \"tickets\", \"deployments\" ];\n"
                           "select = { name = \"\"; label_values = [ ]; };\n" /* says nothing */
                           "deployment_names = [ \"orders * ?\", \"订单\" ];\n"
                           "tickets = [ \"n/b3dcdb25-bf36\", \"n/A_1\" ];\n"
                           "ticket_dir = \"spool\"; ticket_ttl = \"30d\"; max_tickets = 10000;"));
    const struct target *t = &conf->targets[0];

    (void)state;
    assert_int_equal(t->collectors, 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_DRAFTS |
                                        1u << COLLECTOR_TICKETS);
    assert_int_equal(t->n_deployment_names, 2);
    assert_string_equal(t->deployment_names[0], "orders * ?");
    assert_string_equal(t->deployment_names[1], "订单");
    assert_int_equal(t->n_tickets, 2);
    assert_string_equal(t->tickets[0].namespace_name, "n");
    assert_string_equal(t->tickets[0].id, "b3dcdb25-bf36");
    assert_string_equal(t->tickets[1].id, "A_1");
    assert_string_equal(t->ticket_dir, "spool"); /* beside c.cfg, which is here */
    assert_int_equal(t->ticket_ttl_ms, INT64_C(30) * 86400 * 1000);
    assert_int_equal(t->max_tickets, 10000);
}

/* It need not be there, and stands beside the file that names it. */
static void test_ticket_dir_of_an_included_file(void **state)
{
    (void)state;
    workdir_mkdir("conf.d");
    workdir_write("conf.d/targets.cfg",
                  TARGET("collectors = [ \"tickets\" ]; ticket_dir = \"spool\";"));
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(CREDENTIALS "@include \"conf.d/targets.cfg\"\n");
    CLEANUP(conf_unrefp)
    struct conf *absolute = workdir_load(
        CREDENTIALS TARGET("collectors = [ \"tickets\" ]; ticket_dir = \"/var/spool/x\";"));

    assert_string_equal(conf->targets[0].ticket_dir, "conf.d/spool");
    assert_string_equal(absolute->targets[0].ticket_dir, "/var/spool/x");
}

static void test_endpoint_beats_region(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf =
        workdir_load(CREDENTIALS TARGET("endpoint = \"HTTPS://Flink.Example:443/\";"));
    CLEANUP(conf_unrefp)
    struct conf *alone = workdir_load(
        CREDENTIALS "targets = ( { name = \"t\"; workspace = \"w\"; namespaces = [ \"n\" ];\n"
                    "endpoint = \"http://127.0.0.1:18080\"; } );\n");

    (void)state;
    assert_string_equal(conf->targets[0].endpoint, "https://flink.example");
    assert_string_equal(conf->targets[0].host, "flink.example");
    assert_string_equal(conf->targets[0].region_id, "cn-hangzhou");
    assert_string_equal(alone->targets[0].endpoint, "http://127.0.0.1:18080");
    assert_string_equal(alone->targets[0].host, "127.0.0.1:18080");
    assert_string_equal(alone->targets[0].region_id, "");
}

static void test_same_namespace_elsewhere(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(CREDENTIALS "targets = ( " TARGET_OF(
        "a", "v", "\"n\", \"m\"") "}, " TARGET_OF("b", "w", "\"n\", \"m\"") "} );\n");

    (void)state;
    assert_int_equal(conf->n_targets, 2);
    assert_int_equal(conf->targets[1].n_namespaces, 2);
}

static void test_metrics(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        CREDENTIALS TARGET("") "metrics = { deny = [ \"aliyun_flink_*_info\", \"up\" ]; "
                               "aggregation = \"namespace\"; "
                               "draft_lock_holder = true; };\n");

    (void)state;
    assert_int_equal(conf->aggregation, CONF_AGGREGATION_NAMESPACE);
    assert_true(conf->draft_lock_holder);
    assert_int_equal(conf->deny.n_patterns, 2);
    assert_true(glob_list_match(&conf->deny, "aliyun_flink_deployment_info"));
    assert_false(glob_list_match(&conf->deny, "aliyun_flink_up"));
}

static void test_state(void **state)
{
    CLEANUP(conf_unrefp) struct conf *none = workdir_load(CREDENTIALS TARGET("") "state = { };\n");
    CLEANUP(conf_unrefp)
    struct conf *beside = workdir_load(CREDENTIALS TARGET("") "state = { file = \"events\"; };\n");
    CLEANUP(conf_unrefp)
    struct conf *full = workdir_load(
        CREDENTIALS TARGET("") "state = { file = \"/var/lib/x/state\"; hold = \"10m\"; };\n");

    (void)state;
    assert_string_equal(none->state_file, "");
    assert_int_equal(none->hold_ms, 120000);
    assert_string_equal(beside->state_file, "events");
    assert_string_equal(full->state_file, "/var/lib/x/state");
    assert_int_equal(full->hold_ms, 600000);
}

static void test_includes(void **state)
{
    (void)state;
    workdir_mkdir("conf.d");
    workdir_mkdir("conf.d/prod");
    workdir_write("conf.d/all.cfg", "@include \"prod/target.cfg\"\n");
    workdir_write("conf.d/prod/target.cfg", TARGET("concurrency = 3;"));
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(CREDENTIALS "@include \"conf.d/all.cfg\"\n");
    assert_int_equal(conf->targets[0].concurrency, 3);

    /* in the middle of a list, too */
    workdir_write("conf.d/one.cfg", TARGET_OF("one", "w", "\"n\"") "}");
    CLEANUP(conf_unrefp)
    struct conf *list = workdir_load(CREDENTIALS "targets = (\n@include \"conf.d/one.cfg\"\n);\n");
    assert_string_equal(list->targets[0].name, "one");
}

static void test_hash(void **state)
{
    CLEANUP(conf_unrefp) struct conf *first = workdir_load(CREDENTIALS TARGET(""));
    CLEANUP(conf_unrefp) struct conf *again = workdir_load(CREDENTIALS TARGET(""));
    CLEANUP(conf_unrefp) struct conf *other = workdir_load(CREDENTIALS TARGET("") "# x\n");

    (void)state;
    assert_int_equal(first->hash, again->hash);
    assert_int_not_equal(first->hash, other->hash);
    assert_int_not_equal(first->hash, 0);
    assert_int_equal(first->hash >> 48, 0);
}

static void *use_and_unref(void *arg)
{
    struct conf *conf = arg;

    for (int i = 0; i < 1000; i++) {
        struct conf *mine = conf_ref(conf);

        if (strcmp(mine->targets[0].name, "t") != 0)
            return NULL;
        conf_unref(mine);
    }
    conf_unref(conf);
    return arg;
}

static void test_references(void **state)
{
    enum { THREADS = 4 };
    struct conf *conf = workdir_load(CREDENTIALS TARGET(""));
    pthread_t threads[THREADS];

    (void)state;
    assert_ptr_equal(conf_ref(conf), conf);
    conf_unref(conf);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_and_unref, conf_ref(conf)), 0);
    conf_unref(conf);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    conf_unref(NULL);
}

/* A refusal leaves *ret alone, and needs neither problems nor err. */
static void test_refusal(void **state)
{
    struct conf *conf = (struct conf *)&conf;
    struct conf *before = conf;

    (void)state;
    workdir_write("c.cfg", "targets = 1;\n");
    assert_int_equal(conf_load("c.cfg", &conf, NULL, NULL), -1);
    assert_ptr_equal(conf, before);
    assert_int_equal(conf_load("missing.cfg", &conf, NULL, NULL), -1);
    assert_ptr_equal(conf, before);
}

/* Checks between all targets must not take the square of their number. */
static void test_many_targets(void **state)
{
    enum { TARGETS = 3000 };
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    strbuf_adds(&text, CREDENTIALS "targets = (\n");
    for (int i = 0; i < TARGETS; i++)
        strbuf_addf(&text,
                    "%s{ name = \"t%d\"; region_id = \"r\"; workspace = \"w\"; namespaces = [ "
                    "\"a%d\", \"b%d\", \"c%d\" ]; }\n",
                    i ? ", " : "", i, i, i, i);
    strbuf_adds(&text, ");\n");
    CLEANUP(conf_unrefp) struct conf *conf = workdir_load(strbuf_str(&text));
    assert_int_equal(conf->n_targets, TARGETS);
    assert_string_equal(conf->targets[TARGETS - 1].namespaces[2], "c2999");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, workdir_enter, workdir_leave)
    const struct CMUnitTest tests[] = {
        TEST(test_minimal),
        TEST(test_default_credentials),
        TEST(test_every_provider),
        TEST(test_precedence),
        TEST(test_order_does_not_matter),
        TEST(test_target_settings),
        TEST(test_collectors),
        TEST(test_ticket_dir_of_an_included_file),
        TEST(test_endpoint_beats_region),
        TEST(test_same_namespace_elsewhere),
        TEST(test_metrics),
        TEST(test_state),
        TEST(test_includes),
        TEST(test_hash),
        TEST(test_references),
        TEST(test_refusal),
        TEST(test_many_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
