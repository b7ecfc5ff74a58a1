#include "client_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/log.h"
#include "fake_plane.h"

const struct credentials_spec spec = {.name = "key",
                                      .provider = CREDENTIALS_STATIC,
                                      .access_key_id = "LTAI-test",
                                      .access_key_secret = "secret-test"};

static const struct target default_target = {
    .name = "prod",
    .region_id = "",
    .endpoint = "https://flink.example",
    .host = "flink.example",
    .workspace = "w1",
    .credentials = &spec,
    .proxy_url = "",
    .timeout_ms = 30000,
    .deadline_ms = 300000,
    .max_body_size = 64 << 20,
    .max_deployments = 100000,
    .concurrency = 4,
    .page_size = 100,
    .max_retries = 2,
    .requests_per_second = 1000,
    .burst = 1000,
};

struct registry *registry;
struct api_session *session;
struct api_client *client;
struct target target;
struct api_stats stats;
struct err last_err;

int set_up(void **state)
{
    struct err err;

    (void)state;
    plane_reset();
    target = default_target;
    registry = registry_new();
    log_setup(LOG_ERROR, LOG_LOGFMT);
    if (!registry || api_session_new(registry, "test/1", &session, &err) < 0)
        return -1;
    return api_client_new(session, &client, &err);
}

int tear_down(void **state)
{
    (void)state;
    api_client_free(client);
    api_session_free(session);
    registry_free(registry);
    return 0;
}

int list_with(struct credentials *credentials, struct listing **ret)
{
    const struct api_request request = {.target = &target,
                                        .namespace_name = "ns-1",
                                        .credentials = credentials,
                                        .deadline_mono_ms = now_ms + target.deadline_ms};

    return api_client_list_deployments(client, &request, ret, &stats, &last_err);
}

/* NULL and last_err on failure. */
struct listing *list_as(const struct credentials_spec *who)
{
    struct credentials *credentials = NULL;
    struct listing *listing = NULL;

    last_err = (struct err){0};
    assert_int_equal(credentials_new(who, NULL, NULL, &credentials, &last_err), 0);
    int rc = list_with(credentials, &listing);
    credentials_unref(credentials);
    assert_int_equal(rc == 0, listing != NULL);
    assert_int_equal(rc == 0, last_err.kind == ERR_NONE);
    return listing;
}

void expect_items(size_t n)
{
    CLEANUP(listing_freep) struct listing *listing = list_as(&spec);

    if (!listing)
        fail_msg("%s: %s", err_kind_name(last_err.kind), last_err.msg);
    assert_int_equal(listing->n_items, n);
    for (size_t i = 1; i < n; i++)
        assert_true(strcmp(listing->items[i - 1].id, listing->items[i].id) < 0);
}

void expect_error(enum err_kind kind, const char *words)
{
    CLEANUP(listing_freep) struct listing *listing = list_as(&spec);

    assert_null(listing);
    if (last_err.kind != kind || !strstr(last_err.msg, words))
        fail_msg("%s: %s", err_kind_name(last_err.kind), last_err.msg);
}

uint64_t code_count(int code)
{
    for (size_t i = 0; i < stats.operations[0].n_codes; i++)
        if (stats.operations[0].codes[i].code == code)
            return stats.operations[0].codes[i].requests;
    return 0;
}

uint64_t failure_count(enum err_kind kind)
{
    return stats.operations[0].failures[kind];
}

void expect_metric(const char *line)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    registry_write(registry, 1u << REGISTRY_EXPORTER, NULL, EXPO_TEXT, &text);
    if (!strstr(strbuf_str(&text), line))
        fail_msg("\"%s\" is not in:\n%s", line, strbuf_str(&text));
}
