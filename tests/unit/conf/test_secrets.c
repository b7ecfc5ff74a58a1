/* Secrets and certificates: where they may stand, who may read them, where relative paths start. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "workdir.h"

#define STATIC_OF(rest)                                                                           \
    "credentials = ( { name = \"default\"; provider = \"static\"; access_key_id = \"id\";\n" rest \
    " } );\n" TARGET("")

static void test_values(void **state)
{
    CLEANUP(conf_unrefp)
    struct conf *conf =
        workdir_load(STATIC_OF("access_key_secret = \"hunter2\"; security_token = \"tok/+=\";"));
    const struct credentials_spec *c = conf->targets[0].credentials;

    (void)state;
    assert_int_equal(c->provider, CREDENTIALS_STATIC);
    assert_string_equal(c->access_key_id, "id");
    assert_string_equal(c->access_key_secret, "hunter2");
    assert_string_equal(c->security_token, "tok/+=");
    assert_null(c->access_key_secret_file);
    assert_null(c->security_token_file);
}

static void test_files(void **state)
{
    (void)state;
    workdir_write("secret", "hunter2\n");
    workdir_write("token", "t");
    assert_int_equal(chmod("token", 0640), 0);
    assert_int_equal(symlink("token", "link"), 0);
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        STATIC_OF("access_key_secret_file = \"secret\"; security_token_file = \"./link\";"));
    const struct credentials_spec *c = conf->targets[0].credentials;
    assert_null(c->access_key_secret);
    assert_string_equal(c->access_key_secret_file, "secret");
    assert_string_equal(c->security_token_file, "./link");
}

static void test_refused_files(void **state)
{
    static const struct {
        const char *rest;
        const char *problems;
    } cases[] = {
        {"access_key_secret_file = \"missing\";",
         "c.cfg:2: access_key_secret_file \"missing\": No such file or directory\n"},
        {"access_key_secret_file = \"dir\";",
         "c.cfg:2: access_key_secret_file \"dir\": Is a directory\n"},
        {"access_key_secret_file = \"secret/x\";",
         "c.cfg:2: access_key_secret_file \"secret/x\": Not a directory\n"},
        {"access_key_secret_file = \"pipe\";",
         "c.cfg:2: access_key_secret_file \"pipe\": not a regular file\n"},
        {"access_key_secret_file = \"open\";",
         "c.cfg:2: access_key_secret_file \"open\": everybody may read it (mode 0644); take the "
         "right from others\n"},
        {"access_key_secret_file = \"link-to-open\";",
         "c.cfg:2: access_key_secret_file \"link-to-open\": everybody may read it (mode 0644); "
         "take "
         "the right from others\n"},
        {"access_key_secret_file = \"empty\";",
         "c.cfg:2: access_key_secret_file \"empty\": it is empty\n"},
        {"access_key_secret_file = \"large\";",
         "c.cfg:2: access_key_secret_file \"large\": more than 4 KiB\n"},
        {"access_key_secret_file = \"\";", "c.cfg:2: access_key_secret_file must not be empty\n"},
        {"access_key_secret = \"hunter2\";\naccess_key_secret_file = \"secret\";",
         "c.cfg:3: access_key_secret and access_key_secret_file exclude each other\n"},
        {"access_key_secret_file = \"secret\"; security_token_file = \"missing\";\n"
         "security_token = \"hunter2\";",
         "c.cfg:2: security_token_file \"missing\": No such file or directory\n"
         "c.cfg:3: security_token and security_token_file exclude each other\n"},
    };
    char large[4097];

    (void)state;
    memset(large, 'x', sizeof(large));
    workdir_mkdir("dir");
    workdir_write("secret", "hunter2");
    workdir_write("empty", "");
    workdir_write_bytes("open", "hunter2", 7, 0644);
    workdir_write_bytes("large", large, sizeof(large), 0600);
    assert_int_equal(symlink("open", "link-to-open"), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

        strbuf_addf(&text, STATIC_OF("%s"), cases[i].rest);
        workdir_expect_problems(strbuf_str(&text), cases[i].problems);
    }
    workdir_write_bytes("large", large, 4096, 0600);
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(STATIC_OF("access_key_secret_file = \"large\";"));
    assert_non_null(conf);
}

static void test_secret_content(void **state)
{
    static const char odd[] =
        "it holds a blank, a line break or another character that no secret has";
    static const struct {
        const char *bytes;
        size_t len;
        const char *complaint; /* NULL = good */
    } cases[] = {
#define BYTES(s) (s), sizeof(s) - 1
        {BYTES("hunter2"), NULL},
        {BYTES("hunter2\n"), NULL},
        {BYTES("hunter2\r\n"), NULL},
        {BYTES("!~+/="), NULL},
        {BYTES("\n"), "it is empty"},
        {BYTES("\r\n"), "it is empty"},
        {BYTES("hunter2\n\n"), odd},
        {BYTES("hunter2\r"), odd},
        {BYTES("hunter2\n\r\n"), odd},
        {BYTES("\nhunter2"), odd},
        {BYTES("hunter2\nmore\n"), odd},
        {BYTES(" hunter2"), odd},
        {BYTES("hunter2 \n"), odd},
        {BYTES("hunter 2"), odd},
        {BYTES("hunter2\t"), odd},
        {BYTES("hunter2\0"), odd},
        {BYTES("\x7fhunter2"), odd},
        {BYTES("hunter2\xc3\xa4"), odd},
        {BYTES("\xef\xbb\xbfhunter2\n"), odd},
#undef BYTES
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static const char *const keys[] = {"access_key_secret_file", "security_token_file"};

        workdir_write("good", "x");
        workdir_write_bytes("secret", cases[i].bytes, cases[i].len, 0600);
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
            CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
            CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;

            strbuf_addf(&text, STATIC_OF("%s = \"secret\"; %s = \"good\";"), keys[k], keys[!k]);
            strbuf_addf(&expected, "c.cfg:2: %s \"secret\": %s\n", keys[k],
                        cases[i].complaint ? cases[i].complaint : "");
            if (cases[i].complaint)
                workdir_expect_problems(strbuf_str(&text), strbuf_str(&expected));
            else
                conf_unref(workdir_load(strbuf_str(&text)));
        }
    }
}

/* Who cannot read the file himself: everybody but root. */
static void test_unreadable_file(void **state)
{
    (void)state;
    if (geteuid() == 0)
        return;
    workdir_write_bytes("secret", "hunter2", 7, 0000);
    workdir_expect_problems(STATIC_OF("access_key_secret_file = \"secret\";"),
                            "c.cfg:2: access_key_secret_file \"secret\": Permission denied\n");
}

static void test_secret_in_open_file(void **state)
{
    static const char text[] =
        STATIC_OF("access_key_secret = \"hunter2\";\nsecurity_token = \"hunter2\";");
    static const char env[] = CREDENTIALS TARGET("");
    static const char including[] = "@include \"secret.cfg\"\n" TARGET("");
    static const char included[] = "credentials = ( { name = \"default\"; provider = \"static\";\n"
                                   "access_key_id = \"id\"; access_key_secret = \"s\"; } );\n";
    static const char problem[] = " stands in a file that everybody may read; take the right from "
                                  "others, or use ";
    CLEANUP(strbuf_release) struct strbuf expected = STRBUF_INIT;

    (void)state;
    workdir_write_bytes("open.cfg", text, strlen(text), 0644);
    strbuf_addf(&expected,
                "open.cfg:2: access_key_secret%saccess_key_secret_file\n"
                "open.cfg:3: security_token%ssecurity_token_file\n",
                problem, problem);
    workdir_expect_file_problems("open.cfg", strbuf_str(&expected));

    /* Nobody minds where there is no secret, and it is the file with the secret that counts. */
    workdir_write_bytes("open.cfg", env, strlen(env), 0644);
    CLEANUP(conf_unrefp) struct conf *conf = NULL;
    assert_int_equal(conf_load("open.cfg", &conf, NULL, NULL), 0);
    workdir_write_bytes("open.cfg", including, strlen(including), 0644);
    workdir_write("secret.cfg", included);
    CLEANUP(conf_unrefp) struct conf *with_include = NULL;
    assert_int_equal(conf_load("open.cfg", &with_include, NULL, NULL), 0);
    assert_int_equal(chmod("open.cfg", 0600) | chmod("secret.cfg", 0604), 0);
    strbuf_reset(&expected);
    strbuf_addf(&expected, "secret.cfg:2: access_key_secret%saccess_key_secret_file\n", problem);
    workdir_expect_file_problems("open.cfg", strbuf_str(&expected));
}

static void test_relative_paths(void **state)
{
    static const char text[] = STATIC_OF("access_key_secret_file = \"secret\";");

    (void)state;
    workdir_mkdir("d");
    workdir_mkdir("d/e");
    workdir_write("d/secret", "x");
    workdir_write("d/c.cfg", text);
    CLEANUP(conf_unrefp) struct conf *conf = NULL;
    assert_int_equal(conf_load("d/c.cfg", &conf, NULL, NULL), 0);
    assert_string_equal(conf->credentials[0].access_key_secret_file, "d/secret");

    /* In an included file they start there. */
    workdir_write("d/c.cfg", "@include \"e/x.cfg\"\n");
    workdir_write("d/e/x.cfg", text);
    workdir_expect_file_problems(
        "d/c.cfg",
        "d/e/x.cfg:2: access_key_secret_file \"d/e/secret\": No such file or directory\n");

    char here[4096];
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf with_path = STRBUF_INIT;
    assert_non_null(getcwd(here, sizeof(here)));
    strbuf_addf(&path, "%s/d/secret", here);
    strbuf_addf(&with_path, STATIC_OF("access_key_secret_file = \"%s\";"), strbuf_str(&path));
    workdir_write("d/e/x.cfg", strbuf_str(&with_path));
    CLEANUP(conf_unrefp) struct conf *absolute = NULL;
    assert_int_equal(conf_load("d/c.cfg", &absolute, NULL, NULL), 0);
    assert_string_equal(absolute->credentials[0].access_key_secret_file, strbuf_str(&path));
}

static void test_credentials_directory(void **state)
{
    static const char text[] = STATIC_OF("access_key_secret_file = \"secret\"; "
                                         "security_token_file = \"token\";");

    (void)state;
    workdir_mkdir("credentials");
    workdir_write_bytes("credentials/secret", "x", 1, 0644);
    workdir_write("secret", "other");
    workdir_write("token", "x");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "credentials", 1), 0);
    CLEANUP(conf_unrefp) struct conf *conf = workdir_load(text);
    assert_string_equal(conf->credentials[0].access_key_secret_file, "credentials/secret");
    assert_string_equal(conf->credentials[0].security_token_file, "token");

    /* By its full name it is there as well, but not through a link or ".." out of it. */
    CLEANUP(conf_unrefp)
    struct conf *named = workdir_load(
        STATIC_OF("access_key_secret_file = \"./credentials/../credentials/secret\";"));
    assert_non_null(named);
    assert_int_equal(chmod("secret", 0644), 0);
    assert_int_equal(symlink("../secret", "credentials/out"), 0);
    workdir_expect_problems(STATIC_OF("access_key_secret_file = \"out\";"),
                            "c.cfg:2: access_key_secret_file \"credentials/out\": everybody may "
                            "read it (mode 0644); take the right from others\n");
    workdir_expect_problems(STATIC_OF("access_key_secret_file = \"../secret\";"),
                            "c.cfg:2: access_key_secret_file \"credentials/../secret\": everybody "
                            "may read it (mode 0644); take the right from others\n");

    /* The whole configuration may be a credential. */
    static const char with_value[] = STATIC_OF("access_key_secret = \"x\";");
    workdir_write_bytes("credentials/c.cfg", with_value, strlen(with_value), 0444);
    CLEANUP(conf_unrefp) struct conf *inside = NULL;
    assert_int_equal(conf_load("credentials/c.cfg", &inside, NULL, NULL), 0);
}

static void test_tls_files(void **state)
{
    (void)state;
    workdir_write_bytes("ca.pem", "x", 1, 0644);
    workdir_write_bytes("cert.pem", "x", 1, 0644);
    workdir_write_bytes("key.pem", "x", 1, 0640);
    workdir_write_bytes("open.pem", "x", 1, 0644);
    CLEANUP(conf_unrefp)
    struct conf *conf = workdir_load(
        CREDENTIALS TARGET("tls_config = { ca_file = \"ca.pem\"; cert_file = \"./cert.pem\"; "
                           "key_file = \"key.pem\"; };"));
    const struct target_tls *tls = &conf->targets[0].tls;
    assert_string_equal(tls->ca_file, "ca.pem");
    assert_string_equal(tls->cert_file, "./cert.pem");
    assert_string_equal(tls->key_file, "key.pem");

    workdir_expect_problems(
        CREDENTIALS TARGET("tls_config = {\nca_file = \"no.pem\";\ncert_file = \"cert.pem\"; };"),
        "c.cfg:3: tls_config.ca_file \"no.pem\": No such file or directory\n"
        "c.cfg:4: tls_config.cert_file needs tls_config.key_file\n");
    workdir_expect_problems(
        CREDENTIALS TARGET("tls_config = { cert_file = \"\";\nkey_file = \"open.pem\"; };"),
        "c.cfg:3: tls_config.key_file needs tls_config.cert_file\n"
        "c.cfg:3: tls_config.key_file \"open.pem\": everybody may read it (mode 0644); take the "
        "right from others\n");
}

/* The words of no refusal hold what was refused. */
static void test_no_secret_in_messages(void **state)
{
    static const char *const texts[] = {
        STATIC_OF("access_key_secret = \"hunter2 x\"; security_token = \"hunter2\\n\";"),
        STATIC_OF("access_key_secret = hunter2;"),
        STATIC_OF("access_key_secret = 'hunter2';"),
        STATIC_OF("access_key_secret = \"hunter2;"),
        STATIC_OF("access_key_secret = [ \"hunter2\" ];"),
        STATIC_OF("access_key_secret = \"a\" = \"hunter2\";"),
        STATIC_OF("access_key_secrets = \"hunter2\";"),
        CREDENTIALS TARGET("proxy_url = \"ftp://u:hunter2@h\";"),
        CREDENTIALS TARGET("proxy_url = \"http://u:hunter2@h:0\";"),
        CREDENTIALS TARGET("proxy_url = \"http://u:hunter2@h\\n\";"),
        CREDENTIALS TARGET("endpoint = \"https://u:hunter2@h\";"),
        CREDENTIALS TARGET("endpoint = \"u:hunter2@h\";"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
        struct err err = {0};
        struct conf *conf = NULL;

        workdir_write("c.cfg", texts[i]);
        assert_int_equal(conf_load("c.cfg", &conf, &problems, &err), -1);
        assert_null(strstr(strbuf_str(&problems), "hunter2"));
        assert_null(strstr(err.msg, "hunter2"));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, workdir_enter, workdir_leave)
    const struct CMUnitTest tests[] = {
        TEST(test_values),          TEST(test_files),
        TEST(test_refused_files),   TEST(test_secret_content),
        TEST(test_unreadable_file), TEST(test_secret_in_open_file),
        TEST(test_relative_paths),  TEST(test_credentials_directory),
        TEST(test_tls_files),       TEST(test_no_secret_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
