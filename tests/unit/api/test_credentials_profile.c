/*
 * Profiles: both formats, all modes, what is wrong with them, and what they lead to. free() is
 * wrapped as in test_credentials.c.
 */
#include "credentials_profile.h"

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

#define PAIR "\"access_key_id\":\"id\",\"access_key_secret\":\"SENSITIVE-1\""

static const char json[] =
    "\xef\xbb\xbf \n{\"current\":\"ak\",\"meta_path\":\"\",\"profiles\":["
    "{\"name\":\"ak\",\"mode\":\"AK\"," PAIR ",\"sts_token\":\"SENSITIVE-stale\"},"
    "{\"name\":\"sts\",\"mode\":\"StsToken\"," PAIR ",\"sts_token\":\"SENSITIVE-t\"},"
    "{\"name\":\"role\",\"mode\":\"RamRoleArn\"," PAIR ",\"ram_role_arn\":\"acs:ram::1:role/r\","
    "\"ram_session_name\":\"sess\",\"expired_seconds\":900,\"sts_region\":\"cn-beijing\","
    "\"enable_vpc\":true,\"policy\":\"{}\",\"external_id\":\"e\"},"
    "{\"name\":\"stale\",\"mode\":\"RamRoleArn\"," PAIR ",\"sts_token\":\"SENSITIVE-stale\","
    "\"ram_role_arn\":\"acs:ram::1:role/r\"},"
    "{\"name\":\"own\",\"mode\":\"RamRoleArn\",\"access_key_id\":\"STS.id\","
    "\"access_key_secret\":\"SENSITIVE-1\",\"sts_token\":\"SENSITIVE-t\","
    "\"ram_role_arn\":\"acs:ram::1:role/r\"},"
    "{\"name\":\"ecs\",\"mode\":\"EcsRamRole\",\"ram_role_name\":\"R\"},"
    "{\"name\":\"oidc\",\"mode\":\"OIDC\",\"oidc_provider_arn\":\"p\",\"oidc_token_file\":\"f\","
    "\"ram_role_arn\":\"acs:ram::1:role/o\"},"
    "{\"name\":\"chain\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"role\","
    "\"ram_role_arn\":\"acs:ram::1:role/c\"},"
    "{\"name\":\"loop1\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"loop2\","
    "\"ram_role_arn\":\"acs:ram::1:role/c\"},"
    "{\"name\":\"loop2\",\"mode\":\"ChainableRamRoleArn\",\"source_profile\":\"loop1\","
    "\"ram_role_arn\":\"acs:ram::1:role/c\"},"
    "{\"name\":\"sso\",\"mode\":\"CloudSSO\"},"
    "{\"name\":\"oauth\",\"mode\":\"OAuth\"},"
    "{\"name\":\"external\",\"mode\":\"External\",\"process_command\":\"rm -rf\"},"
    "{\"name\":\"odd\",\"mode\":\"SENSITIVE secret\"},"
    "{\"name\":\"nomode\"," PAIR "},"
    "{\"name\":\"nosecret\",\"mode\":\"AK\",\"access_key_id\":\"id\"},"
    "{\"name\":\"type\",\"mode\":\"AK\",\"access_key_id\":1,\"access_key_secret\":\"SENSITIVE\"},"
    "{\"name\":\"seconds\",\"mode\":\"AK\"," PAIR ",\"expired_seconds\":\"x\"}"
    "]}\n";

static const char ini[] = "\xef\xbb\xbf; a comment\n"
                          "[default]\r\n"
                          "enable = true\r\n"
                          "type = access_key   # the kind\r\n"
                          "access_key_id=id\r\n"
                          "access_key_secret =\tSENSITIVE-1;with#signs=inside \r\n"
                          "[ecs]\n"
                          "type=ecs_ram_role\n"
                          "role_name = R\n"
                          "[ role ]\n"
                          "type = ram_role_arn\n"
                          "access_key_id = id\naccess_key_secret = SENSITIVE-1\n"
                          "role_arn = acs:ram::1:role/r\nrole_session_name = sess\npolicy = {}\n"
                          "[oidc]\n"
                          "type = oidc_role_arn\nrole_arn = a\noidc_provider_arn = p\n"
                          "oidc_token_file_path = f\n"
                          "[rsa]\ntype = rsa_key_pair\nprivate_key_file = x\n"
                          "[notype]\naccess_key_id = SENSITIVE\n"
                          "[nosecret]\ntype = access_key\naccess_key_id = id\n"
                          "[bad]\ntype = access_key\nSENSITIVE\n";

struct expected {
    const char *name;
    enum profile_mode mode;
    const char *secret;
    const char *token;
    const char *role_arn;
    int64_t duration_s;
};

static void same(const char *a, const char *b)
{
    if (b)
        assert_string_equal(a, b);
    else
        assert_null(a);
}

static void expect(const char *text, const struct expected *e)
{
    CLEANUP(profile_release) struct profile p = {.mode = PROFILE_KEYS};
    struct err err = {0};

    if (profile_decode(text, strlen(text), e->name, &p, &err) < 0)
        fail_msg("%s: %s", e->name, err.msg);
    assert_int_equal(p.mode, e->mode);
    same(p.access_key_secret, e->secret);
    same(p.security_token, e->token);
    same(p.role_arn, e->role_arn);
    assert_int_equal(p.duration_s, e->duration_s);
}

static void expect_bad(const char *text, const char *name, const char *message)
{
    struct profile p = {.mode = PROFILE_KEYS};
    struct err err = {0};

    assert_int_equal(profile_decode(text, strlen(text), name, &p, &err), -1);
    assert_true(err.kind == ERR_AUTHENTICATION || err.kind == ERR_PARSE);
    if (!strstr(err.msg, message))
        fail_msg("'%s' does not say '%s'", err.msg, message);
    assert_null(strstr(err.msg, NEEDLE));
    assert_null(p.access_key_id);
}

static void json_modes(void **state)
{
    static const struct expected cases[] = {
        {NULL, PROFILE_KEYS, "SENSITIVE-1", NULL, NULL, 0},
        {"ak", PROFILE_KEYS, "SENSITIVE-1", NULL, NULL, 0},
        {"sts", PROFILE_KEYS, "SENSITIVE-1", "SENSITIVE-t", NULL, 0},
        {"role", PROFILE_RAM_ROLE_ARN, "SENSITIVE-1", NULL, "acs:ram::1:role/r", 900},
        {"stale", PROFILE_RAM_ROLE_ARN, "SENSITIVE-1", NULL, "acs:ram::1:role/r", 0},
        {"own", PROFILE_RAM_ROLE_ARN, "SENSITIVE-1", "SENSITIVE-t", "acs:ram::1:role/r", 0},
        {"ecs", PROFILE_ECS_RAM_ROLE, NULL, NULL, NULL, 0},
        {"oidc", PROFILE_OIDC, NULL, NULL, "acs:ram::1:role/o", 0},
        {"chain", PROFILE_CHAINED_ROLE_ARN, NULL, NULL, "acs:ram::1:role/c", 0},
        {"nomode", PROFILE_KEYS, "SENSITIVE-1", NULL, NULL, 0},
    };
    static const struct {
        const char *name;
        const char *message;
    } bad[] = {
        {"nobody", "there is no profile \"nobody\""},
        {"sso", "profile \"sso\": mode CloudSSO is not one that a daemon can use by itself (AK, "},
        {"oauth", "mode OAuth is not"},
        {"external", "mode External is not"},
        {"odd", "mode (unreadable) is not"},
        {"nosecret", "profile \"nosecret\": mode AK needs access_key_secret"},
        {"type", "access_key_id is not a string"},
        {"seconds", "expired_seconds is not a number"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(json, &cases[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_bad(json, bad[i].name, bad[i].message);
    expect_bad("{\"profiles\":{}}", NULL, "no list \"profiles\"");
    expect_bad("{\"profiles\":[]}", NULL, "there is no profile \"default\"");
    expect_bad("{\"profiles\":[", NULL, "not JSON");
    expect_bad(json, "\xff", "not UTF-8");
}

static void ini_modes(void **state)
{
    static const struct expected cases[] = {
        {NULL, PROFILE_KEYS, "SENSITIVE-1;with#signs=inside", NULL, NULL, 0},
        {"ecs", PROFILE_ECS_RAM_ROLE, NULL, NULL, NULL, 0},
        {"role", PROFILE_RAM_ROLE_ARN, "SENSITIVE-1", NULL, "acs:ram::1:role/r", 0},
        {"oidc", PROFILE_OIDC, NULL, NULL, "a", 0},
    };
    static const struct {
        const char *name;
        const char *message;
    } bad[] = {
        {"nobody", "there is no section [nobody]"},
        {"rsa", "section [rsa]: type rsa_key_pair is not one that"},
        {"notype", "section [notype] has no type"},
        {"nosecret", "type access_key needs access_key_secret"},
        {"bad", "line 32 is neither"},
    };
    CLEANUP(freep) char *with_nul = malloc(sizeof(ini) + 64);
    struct profile p = {.mode = PROFILE_KEYS};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(ini, &cases[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_bad(ini, bad[i].name, bad[i].message);
    expect_bad("", NULL, "there is no section [default]");
    memcpy(with_nul, "[default]\ntype = access_key\naccess_key_id = a\0b\n", 49);
    assert_int_equal(profile_decode_ini(with_nul, 48, NULL, &p, NULL), -1);
}

/* No line is too long: a token of 100 KB is as good as its file. */
static void long_lines(void **state)
{
    static char text[200000];
    CLEANUP(profile_release) struct profile p = {.mode = PROFILE_KEYS};
    struct err err = {0};
    size_t len = (size_t)snprintf(
        text, sizeof(text), "[default]\ntype=access_key\naccess_key_secret=s\naccess_key_id=");

    (void)state;
    memset(text + len, 'a', 100000);
    assert_int_equal(profile_decode(text, len + 100000, NULL, &p, &err), 0);
    assert_int_equal(strlen(p.access_key_id), 100000);
}

/* --- through the file to the keys --- */

static struct fake_http fake;
static char path[64];

static int begin(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/test_profile.XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, json, sizeof(json) - 1) < 0)
        return -1;
    close(fd);
    fake_http_init(&fake);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    memset(fake.asked, 0, FAKE_EXCHANGES * sizeof(*fake.asked));
    fake_http_release(&fake);
    return 0;
}

static const char answer[] =
    "{\"Credentials\":{\"AccessKeyId\":\"STS.id\",\"AccessKeySecret\":\"SENSITIVE-2\","
    "\"SecurityToken\":\"SENSITIVE-tok\",\"Expiration\":\"2026-11-21T20:54:27Z\"}}";
static const char document[] =
    "{\"Code\":\"Success\",\"AccessKeyId\":\"STS.id\",\"AccessKeySecret\":\"SENSITIVE-2\","
    "\"SecurityToken\":\"SENSITIVE-tok\",\"Expiration\":\"2026-11-21T20:54:27Z\"}";

static void fetches(void **state)
{
    struct sts sts = {.http = &fake.http};
    struct err err = {0};
    char value[256];

    (void)state;
    {
        CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        assert_int_equal(profile_fetch(path, NULL, &sts, &grant, &err), 0);
        assert_string_equal(grant.keys.access_key_secret, "SENSITIVE-1");
        assert_null(grant.keys.security_token);
        assert_true(grant.expiration_unix_ms == -1);
    }
    {
        CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        fake_http_answer(&fake, 200, answer);
        fake_http_answer(&fake, 200, answer);
        if (profile_fetch(path, "chain", &sts, &grant, &err) < 0)
            fail_msg("%s", err.msg);
        assert_string_equal(grant.keys.access_key_id, "STS.id");
        assert_true(grant.expiration_unix_ms > 0);
        assert_string_equal(fake.asked[0].url,
                            "https://sts-vpc.cn-beijing.aliyuncs.com/?DurationSeconds=900&"
                            "ExternalId=e&Policy=%7B%7D&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fr&"
                            "RoleSessionName=sess");
        assert_null(fake_http_header(&fake.asked[0], "x-acs-security-token", value, sizeof(value)));
        assert_string_equal(
            fake_http_header(&fake.asked[1], "x-acs-security-token", value, sizeof(value)),
            "SENSITIVE-tok");
        assert_non_null(strstr(fake.asked[1].url, "role%2Fc"));
        fake_http_reset(&fake);
    }
    {
        CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        fake_http_answer(&fake, 404, "");
        fake_http_answer(&fake, 200, document);
        assert_int_equal(profile_fetch(path, "ecs", &sts, &grant, &err), 0);
        assert_string_equal(fake.asked[1].url, "http://100.100.100.200/latest/meta-data/ram/"
                                               "security-credentials/R");
        fake_http_reset(&fake);
    }
    explicit_bzero(value, sizeof(value));
}

static void expect_no_fetch(const char *file, const char *name, const char *message)
{
    struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
    struct sts sts = {.http = &fake.http};
    struct err err = {0};

    assert_int_equal(profile_fetch(file, name, &sts, &grant, &err), -1);
    if (!strstr(err.msg, message) || !strstr(err.msg, file))
        fail_msg("'%s' does not say '%s'", err.msg, message);
    assert_null(strstr(err.msg, NEEDLE));
}

static void fetches_nothing(void **state)
{
    (void)state;
    expect_no_fetch(path, "loop1", "profile \"loop1\" takes its keys from itself");
    expect_no_fetch(path, "oidc", "token file f: No such file");
    expect_no_fetch("/nonexistent", NULL, "No such file");
    expect_no_fetch("/tmp", NULL, "Is a directory");
    assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
    expect_no_fetch(path, NULL, "it is larger than 1 MiB");
    assert_int_equal(chmod(path, 0644), 0);
    expect_no_fetch(path, NULL, "everybody may read it");
}

static void survives_no_memory(void **state)
{
    static const char *const texts[] = {json, ini};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        for (size_t n = 1;; n++) {
            CLEANUP(profile_release) struct profile p = {.mode = PROFILE_KEYS};
            struct err err = {0};
            alloc_fail_at(n);
            int r = profile_decode(texts[t], strlen(texts[t]), "role", &p, &err);
            alloc_fail_off();
            if (alloc_fail_count() < n) {
                assert_int_equal(r, 0);
                assert_true(n > 5);
                break;
            }
            assert_int_equal(r, -1);
            assert_int_equal(err.kind, ERR_NOMEM);
        }
    }
    for (size_t n = 1;; n++) {
        CLEANUP(credentials_grant_release) struct credentials_grant grant = CREDENTIALS_GRANT_INIT;
        struct sts sts = {.http = &fake.http};
        struct err err = {0};
        fake_http_reset(&fake);
        fake_http_answer(&fake, 200, answer);
        fake_http_answer(&fake, 200, answer);
        alloc_fail_at(n);
        int r = profile_fetch(path, "chain", &sts, &grant, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
    }
}

static void no_secret_went_back_readable(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&leaks), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_modes),
        cmocka_unit_test(ini_modes),
        cmocka_unit_test(long_lines),
        cmocka_unit_test_setup_teardown(fetches, begin, end),
        cmocka_unit_test_setup_teardown(fetches_nothing, begin, end),
        cmocka_unit_test_setup_teardown(survives_no_memory, begin, end),
        cmocka_unit_test(no_secret_went_back_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
