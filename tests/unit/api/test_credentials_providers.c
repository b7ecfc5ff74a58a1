/*
 * The providers that fetch: what they do with answers that are no good, with files and variables
 * that are none, without memory. free() is wrapped: a secret that is still readable in memory that
 * goes back fails the test.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "credentials_answer.h"
#include "credentials_environment.h"
#include "credentials_metadata.h"
#include "credentials_oidc.h"
#include "credentials_source.h"
#include "credentials_sts.h"
#include "fake_http.h"

#define NEEDLE "SENSITIVE"

static atomic_int leaks;

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
    if (p && memmem(p, malloc_usable_size(p), NEEDLE, strlen(NEEDLE)))
        atomic_fetch_add(&leaks, 1);
    __real_free(p);
}

#define KEYS                                                               \
    "\"AccessKeyId\":\"STS.id\",\"AccessKeySecret\":\"SENSITIVE-secret\"," \
    "\"SecurityToken\":\"SENSITIVE-token\",\"Expiration\":\"2026-11-21T20:54:27Z\""
#define STS_ANSWER "{\"RequestId\":\"R-1\",\"Credentials\":{" KEYS "}}"
#define DOCUMENT   "{\"Code\":\"Success\"," KEYS "}"

static struct fake_http fake;
static char dir[64];
static char path[128];

static int begin(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_providers.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/file", dir);
    fake_http_init(&fake);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    rmdir(dir);
    fake_http_release(&fake);
    return 0;
}

static void write_file(const char *to, const char *text)
{
    FILE *f = fopen(to, "w");

    assert_non_null(f);
    setbuf(f, NULL);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(to, 0600), 0);
}

static void set(const char *name, const char *value)
{
    setenv(name, value, 1);
    credentials_environment_take();
    unsetenv(name);
}

static void expect_good(struct credentials_source *source)
{
    CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    struct err err = {0};

    if (source->ops->get(source, &grant, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(grant.keys.access_key_secret, "SENSITIVE-secret");
    assert_int_equal(fake.n_asked, fake.n_answers);
}

static void expect_bad(struct credentials_source *source, enum err_kind kind, const char *message)
{
    struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    struct err err = {0};

    assert_int_equal(source->ops->get(source, &grant, &err), -1);
    if (!strstr(err.msg, message) || err.kind != kind)
        fail_msg("%s '%s' is not %s '%s'", err_kind_name(err.kind), err.msg, err_kind_name(kind),
                 message);
    assert_null(strstr(err.msg, NEEDLE));
    assert_null(grant.keys.access_key_id);
    assert_int_equal(fake.n_asked, fake.n_answers);
    fake_http_reset(&fake);
}

/* --- answers --- */

static void expirations(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_ms;
    } cases[] = {
        {"2026-11-21T20:54:27Z", INT64_C(1795294467000)},
        {"2026-11-21T20:54:27.5Z", INT64_C(1795294467500)},
        {"2026-11-21T20:54:27.123456789Z", INT64_C(1795294467123)},
        {"1970-01-01T00:00:00Z", 0},
        {"", -1},
        {"2026-11-21", -1},
        {"2026-11-21T20:54:27", -1},
        {"2026-11-21T20:54:27.Z", -1},
        {"2026-11-21T20:54:27+08:00", -1},
        {"2026-11-21T20:54:27Zx", -1},
        {"2026-11-21 20:54:27Z", -1},
        {"2026-02-30T20:54:27Z", -1},
        {"2026-13-01T20:54:27Z", -1},
        {"20a6-11-21T20:54:27Z", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"-026-11-21T20:54:27Z", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (credentials_expiration_unix_ms(cases[i].text) != cases[i].unix_ms)
            fail_msg("%s", cases[i].text);
}

static void bad_documents(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_kind kind;
        const char *message;
    } cases[] = {
        {500, DOCUMENT, ERR_HTTP, "credentials URI: HTTP 500"},
        {404, "", ERR_AUTHENTICATION, "HTTP 404"},
        {302, "", ERR_AUTHENTICATION, "HTTP 302"},
        {200, "", ERR_PARSE, "the answer: not JSON"},
        {200, "<html>SENSITIVE</html>", ERR_PARSE, "not JSON"},
        {200, "{\"Code\":\"Success\"," KEYS, ERR_PARSE, "not JSON"},
        {200, "[" DOCUMENT "]", ERR_PARSE, "not a JSON object"},
        {200, "{\"Code\":\"Failed\"," KEYS "}", ERR_AUTHENTICATION, "Code is Failed, not Success"},
        {200, "{\"Code\":\"SENSITIVE secret!\"," KEYS "}", ERR_AUTHENTICATION, "something else"},
        {200, "{\"Code\":\"Success\"}", ERR_PARSE, "no AccessKeyId"},
        {200, "{\"AccessKeyId\":\"a\",\"AccessKeySecret\":1}", ERR_PARSE, "no AccessKeySecret"},
        {200, "{\"AccessKeyId\":\"a\",\"AccessKeySecret\":\"SENSITIVE\\nx\"}", ERR_AUTHENTICATION,
         "the answer's: AccessKeySecret holds a control character"},
        {200, "{\"AccessKeyId\":\"a\",\"AccessKeySecret\":\"SENSITIVE\"}", ERR_PARSE,
         "no SecurityToken"},
        {200, "{\"AccessKeyId\":\"\",\"AccessKeySecret\":\"SENSITIVE\"}", ERR_AUTHENTICATION,
         "AccessKeyId is empty"},
        {200, "{\"AccessKeyId\":\"a\",\"AccessKeySecret\":\"SENSITIVE\",\"SecurityToken\":\"t\"}",
         ERR_PARSE, "no Expiration"},
        {200,
         "{\"AccessKeyId\":\"a\",\"AccessKeySecret\":\"SENSITIVE\",\"SecurityToken\":\"t\","
         "\"Expiration\":\"SENSITIVE\"}",
         ERR_PARSE, "Expiration is not like"},
    };
    const struct credentials_spec spec = {.uri = "http://127.0.0.1/"};
    struct credentials_source *source = credentials_uri_new(&spec, &fake.http);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake_http_answer(&fake, cases[i].status, cases[i].body);
        expect_bad(source, cases[i].kind, cases[i].message);
    }
    fake_http_answer(&fake, 200, "{" KEYS "}"); /* as Go's takes it: without Code */
    expect_good(source);
    source->ops->free(source);
}

static void uris(void **state)
{
    static const struct {
        const char *uri;
        const char *message;
    } cases[] = {
        {"", "uri is not set, nor is ALIBABA_CLOUD_CREDENTIALS_URI"},
        {"ftp://SENSITIVE/", "must start with http:// or https://"},
        {"http://SENSITIVE/ x", "blank"},
        {"http://SENSITIVE/\nx", "blank"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct credentials_spec spec = {.uri = cases[i].uri};
        struct credentials_source *source = credentials_uri_new(&spec, &fake.http);
        expect_bad(source, ERR_AUTHENTICATION, cases[i].message);
        source->ops->free(source);
    }
    const struct credentials_spec spec = {.uri = "https://host/x"};
    struct credentials_source *source = credentials_uri_new(&spec, &fake.http);
    fake_http_answer(&fake, 200, DOCUMENT);
    expect_good(source);
    assert_false(fake.asked[0].direct); /* as the environment says */
    source->ops->free(source);
}

/* --- the metadata service --- */

static void metadata(void **state)
{
    const struct credentials_spec spec = {.endpoint = "http://127.0.0.1:1"};
    struct credentials_source *source = credentials_ecs_new(&spec, &fake.http);

    (void)state;
    /* No route for a PUT, as through some bridges of containers: version 1. */
    fake_http_fail(&fake, ERR_TIMEOUT);
    fake_http_answer(&fake, 200, "\n Role-1 \n");
    fake_http_answer(&fake, 200, DOCUMENT);
    expect_good(source);
    assert_string_equal(fake.asked[2].url,
                        "http://127.0.0.1:1/latest/meta-data/ram/security-credentials/Role-1");
    assert_string_equal(fake.asked[2].headers, "");
    fake_http_reset(&fake);
    /* Nobody there: no use to ask twice. */
    fake_http_fail(&fake, ERR_CONNECT);
    expect_bad(source, ERR_CONNECT, "metadata service at http://127.0.0.1:1: token: ");
    fake_http_fail(&fake, ERR_STOPPED);
    expect_bad(source, ERR_STOPPED, "");
    /* A token that is none is not sent on. */
    fake_http_answer(&fake, 200, "a\r\nx: y");
    fake_http_answer(&fake, 404, "");
    expect_bad(source, ERR_AUTHENTICATION, "no RAM role is attached to this instance");
    fake_http_answer(&fake, 200, "t");
    fake_http_answer(&fake, 503, "");
    expect_bad(source, ERR_HTTP, "list of roles: HTTP 503");
    fake_http_answer(&fake, 200, "t");
    fake_http_answer(&fake, 200, " \n");
    expect_bad(source, ERR_PARSE, "no name of a role");
    fake_http_answer(&fake, 200, "t");
    fake_http_answer(&fake, 200, "<html>");
    expect_bad(source, ERR_PARSE, "no name of a role");
    fake_http_answer(&fake, 200, "t");
    fake_http_answer(&fake, 200, "role");
    fake_http_answer(&fake, 404, "");
    expect_bad(source, ERR_AUTHENTICATION, "role role is not attached");
    fake_http_answer(&fake, 200, "t");
    fake_http_answer(&fake, 200, "role");
    fake_http_answer(&fake, 200, "{\"Code\":\"Failed\"}");
    expect_bad(source, ERR_AUTHENTICATION, "role role: the answer's Code is Failed");
    source->ops->free(source);
}

/* --- OIDC --- */

static void token_files(void **state)
{
    static char longest[20000 + 3], too_long[20001 + 1];
    const struct {
        const char *text;
        const char *message; /* NULL = good */
    } cases[] = {
        {"abcd", NULL},
        {" \n abcd \r\n\t", NULL},
        {longest, NULL},
        {"abc\n", "it holds 3 characters, a token has from 4 to 20000"},
        {"", "it holds 0 characters"},
        {"abcd efgh", "characters that no token has"},
        {"abcd\x01", "characters that no token has"},
        {too_long, "it holds 20001 characters"},
    };
    const struct credentials_spec spec = {.role_arn = "acs:ram::1:role/x",
                                          .oidc_provider_arn = "acs:ram::1:oidc-provider/y",
                                          .oidc_token_file = path};
    struct credentials_source *source = credentials_oidc_new(&spec, &fake.http);

    (void)state;
    memset(longest, 'a', sizeof(longest) - 1);
    longest[20000] = '\r';
    longest[20001] = '\n';
    memset(too_long, 'a', sizeof(too_long) - 1);
    expect_bad(source, ERR_AUTHENTICATION, "No such file or directory");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        write_file(path, cases[i].text);
        if (cases[i].message) {
            expect_bad(source, ERR_AUTHENTICATION, cases[i].message);
            continue;
        }
        fake_http_answer(&fake, 200, STS_ANSWER);
        expect_good(source);
        assert_non_null(strstr(fake.asked[0].body, "&OIDCToken=a"));
        assert_non_null(strstr(fake.asked[0].body, "&RoleSessionName=aliyun_flink_exporter&"));
        assert_null(strchr(fake.asked[0].body, '%') == NULL ? NULL
                                                            : strstr(fake.asked[0].body, "%0A"));
        fake_http_reset(&fake);
    }
    source->ops->free(source);
    const struct credentials_spec directory = {.role_arn = spec.role_arn,
                                               .oidc_provider_arn = spec.oidc_provider_arn,
                                               .oidc_token_file = dir};
    source = credentials_oidc_new(&directory, &fake.http);
    expect_bad(source, ERR_AUTHENTICATION, "not a regular file");
    source->ops->free(source);
    const struct credentials_spec nothing = {.role_arn = ""};
    source = credentials_oidc_new(&nothing, &fake.http);
    expect_bad(source, ERR_AUTHENTICATION, "role_arn is not set, nor is ALIBABA_CLOUD_ROLE_ARN");
    source->ops->free(source);
}

/* A server that quotes what it was sent does not get the token into our log. */
static void sts_that_quotes(void **state)
{
    const struct credentials_spec spec = {.role_arn = "acs:ram::1:role/x",
                                          .oidc_provider_arn = "acs:ram::1:oidc-provider/y",
                                          .oidc_token_file = path,
                                          .sts_endpoint = "http://127.0.0.1:2"};
    struct credentials_source *source = credentials_oidc_new(&spec, &fake.http);

    (void)state;
    write_file(path, "abcd.SENSITIVE\n");
    fake_http_answer(&fake, 400,
                     "{\"RequestId\":\"R-2\",\"Code\":\"Bad\",\"Message\":\"abcd.SENSITIVE?\"}");
    expect_bad(source, ERR_AUTHENTICATION,
               "AssumeRoleWithOIDC at http://127.0.0.1:2: HTTP 400, Bad (RequestId R-2)");
    memset(fake.asked, 0, FAKE_EXCHANGES * sizeof(*fake.asked)); /* holds the token, of course */
    fake_http_fail(&fake, ERR_DNS);
    expect_bad(source, ERR_DNS, "AssumeRoleWithOIDC at http://127.0.0.1:2: fails as told");
    memset(fake.asked, 0, FAKE_EXCHANGES * sizeof(*fake.asked));
    source->ops->free(source);
}

/* --- AssumeRole --- */

static const struct credentials_keys caller = {
    .access_key_id = (char[]){"LTAI-id"},
    .access_key_secret = (char[]){"SENSITIVE-caller"},
    .security_token = (char[]){"SENSITIVE-callers-token"},
};
static const struct sts_role role = {.role_arn = "acs:ram::1:role/x"};

static void wrong_clock(void **state)
{
    CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    static const char refused[] = "{\"Code\":\"InvalidTimeStamp.Expired\",\"RequestId\":\"R\"}";
    struct sts sts = {.http = &fake.http};
    struct err err = {0};
    char date[64];

    (void)state;
    fake_http_answer(&fake, 400, refused);
    fake.answers[0].server_unix_ms = INT64_C(2000000000000); /* 2033-05-18T03:33:20Z */
    fake_http_answer(&fake, 200, STS_ANSWER);
    assert_int_equal(sts_assume_role(&sts, &role, &caller, &grant, &err), 0);
    assert_non_null(fake_http_header(&fake.asked[1], "x-acs-date", date, sizeof(date)));
    assert_memory_equal(date, "2033-05-18T03:33:2", 18);
    assert_memory_equal(
        fake_http_header(&fake.asked[1], "x-acs-security-token", date, sizeof(date)),
        "SENSITIVE-callers-token", 23);
    fake_http_reset(&fake);
    /* It is remembered. */
    fake_http_answer(&fake, 403, refused);
    fake_http_answer(&fake, 403, refused);
    fake.answers[0].server_unix_ms = INT64_C(2000000000000);
    fake.answers[1].server_unix_ms = INT64_C(2000000000000);
    assert_int_equal(sts_assume_role(&sts, &role, &caller, &grant, &err), -1);
    fake_http_header(&fake.asked[0], "x-acs-date", date, sizeof(date));
    assert_memory_equal(date, "2033-05-18T03:33:2", 18);
    assert_int_equal(fake.n_asked, 2); /* not a third time */
    memset(fake.asked, 0, FAKE_EXCHANGES * sizeof(*fake.asked));
}

static void refusals(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_kind kind;
        const char *message;
        bool token_refused;
    } cases[] = {
        {403, "{\"Code\":\"NoPermission\",\"Message\":\"You are not\",\"RequestId\":\"R\"}",
         ERR_AUTHENTICATION, "HTTP 403, NoPermission: the role does not trust the caller", false},
        {404, "{\"Code\":\"EntityNotExist.Role\",\"Message\":\"The role not exists\"}",
         ERR_AUTHENTICATION, "EntityNotExist.Role: The role not exists", false},
        {403, "{\"Code\":\"InvalidSecurityToken.Expired\"}", ERR_AUTHENTICATION,
         "InvalidSecurityToken.Expired", true},
        {503, "", ERR_HTTP, "HTTP 503", false},
        {429, "{\"Code\":\"Throttling.User\"}", ERR_THROTTLED, "Throttling", false},
        {200, "{\"Credentials\":[]}", ERR_PARSE, "the answer has no Credentials", false},
        {200, "{\"Credentials\":{}}", ERR_PARSE, "no AccessKeyId", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        struct sts sts = {.http = &fake.http};
        struct err err = {0};
        fake_http_answer(&fake, cases[i].status, cases[i].body);
        assert_int_equal(sts_assume_role(&sts, &role, &caller, &grant, &err), -1);
        assert_int_equal(err.kind, cases[i].kind);
        if (!strstr(err.msg, cases[i].message) ||
            !strstr(err.msg, "AssumeRole at https://sts.aliyuncs.com: "))
            fail_msg("%s", err.msg);
        assert_int_equal(sts.token_refused, cases[i].token_refused);
        memset(fake.asked, 0, FAKE_EXCHANGES * sizeof(*fake.asked));
        fake_http_reset(&fake);
    }
}

static void settings_of_sts(void **state)
{
    static const struct {
        struct sts_role role;
        const char *region;
        const char *message;
    } cases[] = {
        {{.role_arn = ""}, "", "role_arn is not set"},
        {{.role_arn = "a", .session_name = "x"}, "", "session name must be 2 to 64"},
        {{.role_arn = "a", .session_name = "a b"}, "", "session name must be"},
        {{.role_arn = "a"}, "evil.com/", "region of STS"},
        {{.role_arn = "a", .region = "A"}, "", "region of STS"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        struct sts sts = {.http = &fake.http};
        struct err err = {0};
        set("ALIBABA_CLOUD_STS_REGION", cases[i].region);
        assert_int_equal(sts_assume_role(&sts, &cases[i].role, &caller, &grant, &err), -1);
        if (!strstr(err.msg, cases[i].message))
            fail_msg("%s", err.msg);
        set("ALIBABA_CLOUD_STS_REGION", "");
    }
    assert_true(sts_session_name_valid("a.b@c_d-9"));
    assert_false(sts_session_name_valid(
        "12345678901234567890123456789012345678901234567890123456789012345"));
}

/* --- the chain --- */

static void clear_environment(void)
{
    static const char *const names[] = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID",   "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",  "ALIBABA_CLOUD_CREDENTIALS_URI",
        "ALIBABA_CLOUD_ROLE_ARN",        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED",
        "ALIBABA_CLOUD_PROFILE",         "ALIBABA_CLOUD_CREDENTIALS_FILE",
        "ALIBABA_CLOUD_ECS_METADATA",    "ALIBABA_CLOUD_ECS_METADATA_DISABLED",
        "ALIBABA_CLOUD_IMDSV1_DISABLED", "HOME",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        set(names[i], "");
}

static void chain(void **state)
{
    struct credentials_source *source = credentials_auto_new(&fake.http);

    (void)state;
    clear_environment();
    fake_http_fail(&fake, ERR_CONNECT);
    expect_bad(source, ERR_AUTHENTICATION,
               "no provider of the chain works: env: not set; oidc_role_arn: not set; CLI profile: "
               "no HOME; SDK profile: no HOME; ecs_ram_role: metadata service at "
               "http://100.100.100.200: token: fails as told; credentials_uri: not set");
    set("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TRUE");
    set("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/x");
    set("HOME", "/nonexistent");
    fake_http_answer(&fake, 200, DOCUMENT);
    expect_good(source);
    fake_http_reset(&fake);
    /* Kept, although an earlier one is there now, and when it fails. */
    write_file(path, "[default]\ntype = access_key\naccess_key_id = id\n"
                     "access_key_secret = SENSITIVE-secret\n");
    set("ALIBABA_CLOUD_CREDENTIALS_FILE", path);
    fake_http_fail(&fake, ERR_TIMEOUT);
    expect_bad(source, ERR_TIMEOUT, "credentials_uri: credentials URI: fails as told");
    /* Until its keys are gone. */
    source->ops->exhausted(source);
    expect_good(source);
    assert_int_equal(fake.n_asked, 0);
    source->ops->exhausted(source);
    set("ALIBABA_CLOUD_ACCESS_KEY_ID", "id");
    set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "SENSITIVE-secret");
    expect_good(source);
    source->ops->free(source);
    clear_environment();
}

/* Each is walked by: all of them have something to say, and all of it is cut to fit. */
static void chain_with_much_to_say(void **state)
{
    struct credentials_source *source = credentials_auto_new(&fake.http);
    static const char *const names[] = {"env: ",         "oidc_role_arn: ", "CLI profile: ",
                                        "SDK profile: ", "ecs_ram_role: ",  "credentials_uri: "};

    (void)state;
    clear_environment();
    set("ALIBABA_CLOUD_ACCESS_KEY_ID", "id");
    set("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/a-role-with-a-name-that-goes-on-and-on");
    set("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/p");
    set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/nonexistent/directory/with/a/long/name/token");
    set("HOME", dir);
    set("ALIBABA_CLOUD_CREDENTIALS_FILE", dir);
    set("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/x");
    fake_http_answer(&fake, 200, "t");
    fake_http_answer(&fake, 404, "");
    fake_http_answer(&fake, 200, "{\"Code\":\"SomethingThatIsSaidAtSomeLengthByTheService\"}");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        struct err err = {0};
        fake.n_asked = 0;
        source->ops->exhausted(source);
        assert_int_equal(source->ops->get(source, &grant, &err), -1);
        if (!strstr(err.msg, names[i]) || strlen(err.msg) > 460)
            fail_msg("%zu: %s", strlen(err.msg), err.msg);
    }
    /* Being stopped is no reason to try the next. */
    fake_http_reset(&fake);
    source->ops->stop(source);
    expect_bad(source, ERR_STOPPED, "");
    source->ops->free(source);
    fake.stopped = false;
    clear_environment();
}

/* --- no memory --- */

enum thing { OIDC, ECS, URI, ASSUME, CHAIN, THINGS };

static int do_thing(enum thing thing, struct credentials_grant *ret, struct err *err)
{
    struct sts sts = {.http = &fake.http};
    const struct credentials_spec spec = {.uri = "http://127.0.0.1/"};
    struct credentials_source *source;
    int r;

    switch (thing) {
    case OIDC:
        return oidc_fetch(&sts, &role, "acs:ram::1:oidc-provider/y", path, ret, err);
    case ECS:
        return metadata_fetch(&fake.http, NULL, NULL, ret, err);
    case ASSUME:
        return sts_assume_role(&sts, &role, &caller, ret, err);
    default:
        source = thing == URI ? credentials_uri_new(&spec, &fake.http)
                              : credentials_auto_new(&fake.http);
        if (!source)
            return err_nomem(err, "source");
        r = source->ops->get(source, ret, err);
        source->ops->free(source);
        return r;
    }
}

static void prepare_answers(enum thing thing)
{
    fake_http_reset(&fake);
    if (thing == ECS || thing == CHAIN) {
        fake_http_answer(&fake, 200, "t");
        fake_http_answer(&fake, 200, "role");
        fake_http_answer(&fake, 200, DOCUMENT);
        /* The token may have been lost to the failure; then its place in the row is, too. */
        fake_http_answer(&fake, 200, DOCUMENT);
    } else {
        fake_http_answer(&fake, 200, thing == URI ? DOCUMENT : STS_ANSWER);
    }
}

static void survives_no_memory(void **state)
{
    (void)state;
    clear_environment();
    write_file(path, "abcdefgh\n");
    for (int thing = 0; thing < THINGS; thing++) {
        for (size_t n = 1;; n++) {
            CLEANUP(credentials_grant_release)
            struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
            struct err err = {0};
            prepare_answers((enum thing)thing);
            alloc_fail_at(n);
            int r = do_thing((enum thing)thing, &grant, &err);
            alloc_fail_off();
            if (alloc_fail_count() < n) {
                if (r < 0)
                    fail_msg("%d: %s", thing, err.msg);
                assert_true(n > 5);
                break;
            }
            if (r == 0 || err.kind != ERR_NOMEM)
                fail_msg("%d, allocation %zu: %s", thing, n, err.msg);
        }
        memset(fake.asked, 0, FAKE_EXCHANGES * sizeof(*fake.asked));
    }
}

static void no_secret_went_back_readable(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&leaks), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expirations),
        TEST(bad_documents),
        TEST(uris),
        TEST(metadata),
        TEST(token_files),
        TEST(sts_that_quotes),
        TEST(wrong_clock),
        TEST(refusals),
        TEST(settings_of_sts),
        TEST(chain),
        TEST(chain_with_much_to_say),
        TEST(survives_no_memory),
        cmocka_unit_test(no_secret_went_back_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
