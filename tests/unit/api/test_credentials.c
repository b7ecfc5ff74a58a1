/*
 * Providers static and env. Files are made in a directory of the test; what concerns the
 * environment runs in a child that is this program again, started with an environment of its own.
 *
 * free() is wrapped: whenever a secret is still readable in memory that goes back, the test fails.
 */
#include "api/credentials.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"

/* Every secret of this file begins with it. */
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

static char dir[64];
static char secret_path[96];
static char token_path[96];

static int dir_make(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_credentials.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(secret_path, sizeof(secret_path), "%s/secret", dir);
    snprintf(token_path, sizeof(token_path), "%s/token", dir);
    return 0;
}

static int dir_remove(void **state)
{
    (void)state;
    unlink(secret_path);
    unlink(token_path);
    rmdir(dir);
    return 0;
}

static void file_write_bytes(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void file_write(const char *path, const char *text)
{
    file_write_bytes(path, text, strlen(text));
}

/* As renewals do it: a new file under another name, renamed over the old one. */
static void file_replace(const char *path, const char *text)
{
    char other[128];

    snprintf(other, sizeof(other), "%s.new", path);
    file_write(other, text);
    assert_int_equal(rename(other, path), 0);
}

static void file_set_mtime(const char *path, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static struct credentials_spec file_spec(void)
{
    return (struct credentials_spec){
        .name = "key",
        .provider = CREDENTIALS_STATIC,
        .access_key_id = "LTAI-id",
        .access_key_secret_file = secret_path,
    };
}

static struct credentials *make(const struct credentials_spec *spec)
{
    struct credentials *c = NULL;

    assert_int_equal(credentials_new(spec, NULL, NULL, &c, NULL), 0);
    return c;
}

static void expect_keys(struct credentials *c, const char *secret, const char *token)
{
    struct credentials_keys keys = {0};
    struct err err = {0};

    if (credentials_get(c, &keys, &err) < 0)
        fail_msg("%s", err.msg);
    assert_string_equal(keys.access_key_id, "LTAI-id");
    assert_string_equal(keys.access_key_secret, secret);
    if (token)
        assert_string_equal(keys.security_token, token);
    else
        assert_null(keys.security_token);
    credentials_keys_release(&keys);
    assert_null(keys.access_key_secret);
    credentials_keys_release(&keys); /* harmless */
}

static void expect_error(struct credentials *c, const char *message)
{
    struct credentials_keys keys = {0};
    struct err err = {0};

    assert_int_equal(credentials_get(c, &keys, &err), -1);
    assert_int_equal(err.kind, ERR_AUTHENTICATION);
    if (!strstr(err.msg, message))
        fail_msg("'%s' does not say '%s'", err.msg, message);
    assert_null(strstr(err.msg, NEEDLE));
    assert_null(keys.access_key_id); /* untouched */
}

static void static_values(void **state)
{
    (void)state;
    static const struct {
        struct credentials_spec spec;
        const char *token;
        const char *error; /* NULL = good */
    } cases[] = {
        {{.access_key_id = "LTAI-id", .access_key_secret = "SENSITIVE-1"}, NULL, NULL},
        {{.access_key_id = "LTAI-id",
          .access_key_secret = "SENSITIVE-1",
          .security_token = "SENSITIVE-token"},
         "SENSITIVE-token",
         NULL},
        {{.access_key_id = "LTAI-id",
          .access_key_secret = "SENSITIVE-1",
          .access_key_secret_file = "",
          .security_token = "",
          .security_token_file = ""},
         NULL,
         NULL},
        {{.access_key_secret = "SENSITIVE-1"}, NULL, "'key': access_key_id is not set"},
        {{.access_key_id = "", .access_key_secret = "SENSITIVE-1"}, NULL, "access_key_id is not"},
        {{.access_key_id = "a\nb", .access_key_secret = "SENSITIVE-1"},
         NULL,
         "access_key_id holds a control character"},
        {{.access_key_id = "LTAI-id"}, NULL, "access_key_secret is not set"},
        {{.access_key_id = "LTAI-id", .access_key_secret = ""}, NULL, "access_key_secret is not"},
        {{.access_key_id = "LTAI-id", .access_key_secret = "SENSITIVE\x01"},
         NULL,
         "access_key_secret holds a control character"},
        {{.access_key_id = "LTAI-id",
          .access_key_secret = "SENSITIVE-1",
          .security_token = "SENSITIVE\r\nx: y"},
         NULL,
         "security_token holds a control character"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credentials_spec spec = cases[i].spec;
        spec.name = "key";
        struct credentials *c = make(&spec);
        if (cases[i].error) {
            expect_error(c, cases[i].error);
        } else {
            expect_keys(c, "SENSITIVE-1", cases[i].token);
            credentials_invalidate(c, 0);
            expect_keys(c, "SENSITIVE-1", cases[i].token);
        }
        credentials_unref(c);
    }
}

static void copies_the_spec(void **state)
{
    (void)state;
    char id[] = "LTAI-id";
    char secret[] = "SENSITIVE-1";
    struct credentials_spec spec = {
        .name = "key", .access_key_id = id, .access_key_secret = secret};
    struct credentials *c = make(&spec);

    memset(id, 'x', strlen(id));
    memset(secret, 'x', strlen(secret));
    expect_keys(c, "SENSITIVE-1", NULL);
    credentials_unref(c);
}

static void file_contents(void **state)
{
    (void)state;
    static char longest[4096 + 1];
    static char longest_crlf[4096 + 3];
    static char too_long[4097 + 1];
    static char far_too_long[20000];
    struct {
        const char *content;
        const char *expected; /* NULL = refused */
        const char *error;
    } cases[] = {
        {"SENSITIVE-1", "SENSITIVE-1", NULL},
        {"SENSITIVE-1\n", "SENSITIVE-1", NULL},
        {"SENSITIVE-1\r\n", "SENSITIVE-1", NULL},
        {" SENSITIVE 1 ", NULL, "it holds a blank"},
        {"SENSITIVE-1\n\n", NULL, "it holds a blank"},
        {"SENSITIVE-1\r", NULL, "it holds a blank"},
        {"\nSENSITIVE-1", NULL, "it holds a blank"},
        {"SENSITIVE\t1", NULL, "it holds a blank"},
        {"SENSITIVE\x7f", NULL, "it holds a blank"},
        {"SENSITIVE-1\nSENSITIVE-2\n", NULL, "it holds a blank"},
        {"", NULL, "is empty"},
        {"\n", NULL, "is empty"},
        {"\r\n", NULL, "is empty"},
        {longest, longest, NULL},
        {longest_crlf, longest, NULL},
        {too_long, NULL, "more than 4 KiB"},
        {far_too_long, NULL, "more than 4 KiB"},
    };
    struct credentials_spec spec = file_spec();

    memset(longest, 'a', sizeof(longest) - 1);
    memset(longest_crlf, 'a', 4096);
    memcpy(longest_crlf + 4096, "\r\n", 3);
    memset(too_long, 'a', sizeof(too_long) - 1);
    memset(far_too_long, 'a', sizeof(far_too_long) - 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credentials *c = make(&spec);
        file_write(secret_path, cases[i].content);
        if (cases[i].expected) {
            expect_keys(c, cases[i].expected, NULL);
        } else {
            expect_error(c, cases[i].error);
            expect_error(c, secret_path);
            expect_error(c, "credentials 'key': access_key_secret: file ");
        }
        credentials_unref(c);
    }
    struct credentials *c = make(&spec);
    file_write_bytes(secret_path, "SENSITIVE\0x", 11);
    expect_error(c, "it holds a blank");
    credentials_unref(c);
}

static void token_from_file(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();

    spec.security_token_file = token_path;
    file_write(secret_path, "SENSITIVE-1\n");
    struct credentials *c = make(&spec);
    expect_error(c, "security_token: file ");
    expect_error(c, token_path);
    file_write(token_path, "SENSITIVE-token\n");
    expect_keys(c, "SENSITIVE-1", "SENSITIVE-token");
    /* Renewed together: both are read again. */
    file_replace(secret_path, "SENSITIVE-2\n");
    file_replace(token_path, "SENSITIVE-token-2\n");
    expect_keys(c, "SENSITIVE-2", "SENSITIVE-token-2");
    credentials_unref(c);
}

static void file_read_again_when_changed(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();
    struct credentials *c = make(&spec);

    /* Nothing is read before it is needed. */
    expect_error(c, "No such file or directory");
    file_write(secret_path, "SENSITIVE-1");
    expect_keys(c, "SENSITIVE-1", NULL);
    expect_keys(c, "SENSITIVE-1", NULL);

    file_write(secret_path, "SENSITIVE-2"); /* in place, same size */
    file_set_mtime(secret_path, 1000000000);
    expect_keys(c, "SENSITIVE-2", NULL);

    file_replace(secret_path, "SENSITIVE-3"); /* another inode, same size and mtime */
    file_set_mtime(secret_path, 1000000000);
    expect_keys(c, "SENSITIVE-3", NULL);

    file_write(secret_path, ""); /* a writer has cut it and not yet written */
    expect_error(c, "is empty");
    file_write(secret_path, "SENSITIVE-4");
    expect_keys(c, "SENSITIVE-4", NULL);

    unlink(secret_path); /* taken away: whoever did it does not want it used any more */
    expect_error(c, "No such file or directory");
    file_write(secret_path, "SENSITIVE-5");
    expect_keys(c, "SENSITIVE-5", NULL);
    credentials_unref(c);
}

static void file_read_again_when_invalid(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();
    struct credentials *c = make(&spec);

    file_write(secret_path, "SENSITIVE-1");
    expect_keys(c, "SENSITIVE-1", NULL);
    file_write(secret_path, "SENSITIVE-2");
    credentials_invalidate(c, 0);
    expect_keys(c, "SENSITIVE-2", NULL);
    credentials_invalidate(c, 0);
    credentials_invalidate(c, 0);
    unlink(secret_path);
    expect_error(c, "No such file or directory");
    credentials_unref(c);
}

static void file_must_be_a_private_file(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();
    struct credentials *c = make(&spec);

    file_write(secret_path, "SENSITIVE-1");
    assert_int_equal(chmod(secret_path, 0644), 0);
    expect_error(c, "everybody may read it (mode 0644)");
    assert_int_equal(chmod(secret_path, 0440), 0); /* by the group: Kubernetes */
    expect_keys(c, "SENSITIVE-1", NULL);
    assert_int_equal(chmod(secret_path, 0644), 0); /* seen though it was read before */
    expect_error(c, "everybody may read it");

    /* systemd shuts off the directory instead. */
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
    expect_keys(c, "SENSITIVE-1", NULL);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/tmp/test_cred", 1), 0); /* only a prefix */
    credentials_invalidate(c, 0);
    expect_error(c, "everybody may read it");
    credentials_unref(c);

    /* By real paths: a way round that ends inside is inside, a link that leads out is outside. */
    char odd[160];
    snprintf(odd, sizeof(odd), "%s/../%s/secret", dir, strrchr(dir, '/') + 1);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
    spec.access_key_secret_file = odd;
    c = make(&spec);
    expect_keys(c, "SENSITIVE-1", NULL);
    credentials_unref(c);
    snprintf(odd, sizeof(odd), "%s/link", dir);
    assert_int_equal(symlink("/etc/passwd", odd), 0);
    c = make(&spec);
    expect_error(c, "everybody may read it");
    assert_int_equal(unlink(odd), 0);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    credentials_unref(c);

    spec.access_key_secret_file = dir;
    c = make(&spec);
    expect_error(c, "Is a directory");
    credentials_unref(c);

    unlink(secret_path);
    assert_int_equal(mkfifo(secret_path, 0600), 0);
    spec = file_spec();
    c = make(&spec);
    expect_error(c, "not a regular file"); /* and does not hang */
    credentials_unref(c);
}

static void same_spec(void **state)
{
    (void)state;
    const struct credentials_spec spec = {
        .name = "key",
        .provider = CREDENTIALS_STATIC,
        .access_key_id = "LTAI-id",
        .access_key_secret = "SENSITIVE-1",
        .security_token = "SENSITIVE-token",
    };
    struct credentials *c = make(&spec);
    struct credentials_spec other[] = {spec, spec, spec, spec, spec, spec, spec};

    assert_true(credentials_same(c, &spec, NULL));
    other[0].name = "key2";
    other[1].provider = CREDENTIALS_ENV;
    other[2].access_key_id = "LTAI-id2";
    other[3].access_key_secret = "SENSITIVE-2";
    other[4].access_key_secret_file = "/x";
    other[5].security_token = NULL;
    other[6].security_token_file = "/x";
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        assert_false(credentials_same(c, &other[i], NULL));
    credentials_unref(c);
}

static void references(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();
    struct credentials *c = make(&spec);

    file_write(secret_path, "SENSITIVE-1");
    assert_ptr_equal(credentials_ref(c), c);
    credentials_unref(c);
    expect_keys(c, "SENSITIVE-1", NULL);
    credentials_unref(c);
    credentials_unref(NULL);
}

static atomic_int bad_results;

static void *get_often(void *arg)
{
    struct credentials *c = arg;

    for (int i = 0; i < 200; i++) {
        struct credentials_keys keys = {0};
        struct err err = {0};
        if (credentials_get(c, &keys, &err) < 0 ||
            (strcmp(keys.access_key_secret, "SENSITIVE-1") != 0 &&
             strcmp(keys.access_key_secret, "SENSITIVE-22") != 0))
            atomic_fetch_add(&bad_results, 1);
        credentials_keys_release(&keys);
        if (i % 50 == 0)
            credentials_invalidate(c, 0);
    }
    credentials_unref(c);
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();
    pthread_t threads[4];

    file_write(secret_path, "SENSITIVE-1");
    struct credentials *c = make(&spec);
    atomic_store(&bad_results, 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_often, credentials_ref(c)), 0);
    credentials_unref(c);
    for (int i = 0; i < 50; i++)
        file_replace(secret_path, i % 2 ? "SENSITIVE-1" : "SENSITIVE-22");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&bad_results), 0);
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct credentials_spec spec = file_spec();

    spec.security_token = "SENSITIVE-token";
    file_write(secret_path, "SENSITIVE-1");
    for (size_t n = 1;; n++) {
        struct credentials_keys keys = {0};
        struct credentials *c = NULL;
        struct err err = {0};
        alloc_fail_at(n);
        int r = credentials_new(&spec, NULL, NULL, &c, &err);
        r = r < 0 ? r : credentials_get(c, &keys, &err);
        alloc_fail_off();
        if (c && r < 0) {
            assert_int_equal(err.kind, ERR_NOMEM);
            assert_null(strstr(err.msg, NEEDLE));
            expect_keys(c, "SENSITIVE-1", "SENSITIVE-token"); /* and the next one is good */
        }
        credentials_unref(c);
        credentials_keys_release(&keys);
        if (alloc_fail_count() < n) {
            assert_int_equal(r, 0);
            assert_true(n > 8);
            break;
        }
        assert_int_equal(r, -1);
    }
}

/* The environment, in a child. */

struct env_case {
    const char *environment[8];
    const char *secret; /* expected; NULL = the error is */
    const char *token;
    const char *error;
};

static const struct env_case env_cases[] = {
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1",
      "ALIBABA_CLOUD_SECURITY_TOKEN=SENSITIVE-token"},
     "SENSITIVE-1",
     "SENSITIVE-token",
     NULL},
    {{"OTHER=stays", "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id",
      "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1"},
     "SENSITIVE-1",
     NULL,
     NULL},
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1",
      "ALIBABA_CLOUD_SECURITY_TOKEN="},
     "SENSITIVE-1",
     NULL,
     NULL},
    /* The newline of a secret that was made from a file. */
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id\r\n", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1\n"},
     "SENSITIVE-1",
     NULL,
     NULL},
    /* A name twice: exec accepts it, the first counts, both are overwritten. */
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1",
      "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-2"},
     "SENSITIVE-1",
     NULL,
     NULL},
    {{"ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1", "ALIBABA_CLOUD_ACCESS_KEY_IDX=LTAI-id"},
     NULL,
     NULL,
     "environment variable ALIBABA_CLOUD_ACCESS_KEY_ID is not set"},
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id"},
     NULL,
     NULL,
     "credentials 'env': environment variable ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set"},
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET="},
     NULL,
     NULL,
     "environment variable ALIBABA_CLOUD_ACCESS_KEY_SECRET is empty"},
    {{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=SENSITIVE-1",
      "ALIBABA_CLOUD_SECURITY_TOKEN=SENSITIVE\nx"},
     NULL,
     NULL,
     "environment variable ALIBABA_CLOUD_SECURITY_TOKEN holds a control character"},
    {{NULL}, NULL, NULL, "environment variable ALIBABA_CLOUD_ACCESS_KEY_ID is not set"},
};

/* True if the bytes stand in what others see of this process. */
static bool environ_shows(const char *bytes)
{
    static char buf[1 << 16];
    FILE *f = fopen("/proc/self/environ", "r");

    if (!f)
        return true;
    size_t len = fread(buf, 1, sizeof(buf), f);
    fclose(f);
    return memmem(buf, len, bytes, strlen(bytes)) != NULL;
}

static bool child_check(const struct env_case *expected)
{
    static const struct credentials_spec spec = {.name = "env", .provider = CREDENTIALS_ENV};
    struct credentials_keys keys = {0};
    struct err err = {0};
    struct credentials *c = NULL;
    bool good = credentials_new(&spec, NULL, NULL, &c, &err) == 0;

    /* Twice, and after an invalidation: they stay. */
    for (int i = 0; good && i < 2; i++) {
        int r = credentials_get(c, &keys, &err);
        if (expected->error)
            good = r < 0 && err.kind == ERR_AUTHENTICATION && strstr(err.msg, expected->error) &&
                   !strstr(err.msg, NEEDLE);
        else
            good = r == 0 && strcmp(keys.access_key_id, "LTAI-id") == 0 &&
                   strcmp(keys.access_key_secret, expected->secret) == 0 &&
                   (expected->token
                        ? keys.security_token && strcmp(keys.security_token, expected->token) == 0
                        : !keys.security_token);
        credentials_keys_release(&keys);
        credentials_invalidate(c, 0);
    }
    if (!good)
        fprintf(stderr, "unexpected: %s\n", err.msg);
    credentials_unref(c);
    return good;
}

/* The variable goes whether or not there is memory for it, and the error says what happened. */
static bool child_no_memory(void)
{
    static const struct credentials_spec spec = {.name = "env", .provider = CREDENTIALS_ENV};
    static const char name[] = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
    struct credentials_keys keys = {0};
    struct err err = {0};
    struct credentials *c = NULL;

    assert_int_equal(credentials_new(&spec, NULL, NULL, &c, &err), 0);
    setenv(name, "SENSITIVE-3", 1);
    alloc_fail_at(1);
    credentials_environment_take();
    alloc_fail_off();
    bool good = c && !getenv(name) && credentials_get(c, &keys, &err) < 0 &&
                err.kind == ERR_NOMEM && strstr(err.msg, name);
    credentials_unref(c);
    return good;
}

static int child_main(const struct env_case *expected)
{
    bool has_secret = false;

    for (size_t i = 0; expected->environment[i]; i++)
        has_secret = has_secret || strstr(expected->environment[i], NEEDLE);
    if (environ_shows(NEEDLE) != has_secret)
        return 2; /* the look itself is broken */
    credentials_environment_take();
    credentials_environment_take(); /* harmless */
    if (environ_shows(NEEDLE) || environ_shows("LTAI-id\r\n"))
        return 3;
    if (getenv("ALIBABA_CLOUD_ACCESS_KEY_ID") || getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET") ||
        getenv("ALIBABA_CLOUD_SECURITY_TOKEN"))
        return 4;
    if (strcmp(expected->environment[0] ? expected->environment[0] : "", "OTHER=stays") == 0 &&
        (!getenv("OTHER") || !environ_shows("OTHER=stays")))
        return 5;
    if (!child_check(expected))
        return 6;
    if (expected == &env_cases[0] && !child_no_memory())
        return 7;
    return atomic_load(&leaks) == 0 ? 0 : 8;
}

static void environment(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(env_cases); i++) {
        char name[] = "test";
        char number[16];
        char *argv[] = {name, number, NULL};
        char *envp[ARRAY_LEN(env_cases[i].environment)];
        int status = 0;
        snprintf(number, sizeof(number), "%zu", i);
        memcpy(envp, env_cases[i].environment, sizeof(envp)); /* execve wants no const */
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            execve("/proc/self/exe", argv, envp);
            _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("case %zu: status %x", i, (unsigned)status);
    }
}

/* The last test: looks back at all the others. */
static void no_secret_went_back_readable(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&leaks), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(static_values, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(copies_the_spec, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(file_contents, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(token_from_file, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(file_read_again_when_changed, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(file_read_again_when_invalid, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(file_must_be_a_private_file, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(same_spec, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(references, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(many_threads, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(survives_no_memory, dir_make, dir_remove),
        cmocka_unit_test(environment),
        cmocka_unit_test(no_secret_went_back_readable),
    };

    if (argc == 2) {
        size_t i = strtoul(argv[1], NULL, 10);
        return i < ARRAY_LEN(env_cases) ? child_main(&env_cases[i]) : 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
