#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret_file.h"

static char dir[64] = "/tmp/test_secret_file.XXXXXX";
static char path[96];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/secret", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void write_file(const char *bytes, size_t len, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* NULL = it is read, and says expected. */
static void expect(const char *complaint, const char *expected)
{
    char buf[SECRET_FILE_READ];
    struct err err = {0};
    struct stat st;
    size_t len = 0;

    if (complaint) {
        memset(buf, 'x', sizeof(buf));
        assert_int_equal(secret_file_read(path, buf, &len, &st, &err), -1);
        assert_int_equal(err.kind, ERR_IO);
        assert_non_null(strstr(err.msg, complaint));
        assert_null(strstr(err.msg, "SENSITIVE"));
        assert_null(memmem(buf, sizeof(buf), "SENSITIVE", 9));
        return;
    }
    assert_int_equal(secret_file_read(path, buf, &len, &st, &err), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(buf, expected, len);
    assert_true(S_ISREG(st.st_mode));
}

static void test_contents(void **state)
{
    static char longest[SECRET_MAX + 1], too_long[SECRET_MAX + 2];
    static const struct {
        const char *content;
        const char *complaint;
        const char *secret;
    } cases[] = {
        {"SENSITIVE-1", NULL, "SENSITIVE-1"},
        {"SENSITIVE-1\n", NULL, "SENSITIVE-1"},
        {"SENSITIVE-1\r\n", NULL, "SENSITIVE-1"},
        {"SENSITIVE-1\n\n", "it holds a blank", NULL},
        {"SENSITIVE-1 ", "it holds a blank", NULL},
        {"\xef\xbb\xbfSENSITIVE-1", "it holds a blank", NULL},
        {"", "it is empty", NULL},
        {"\n", "it is empty", NULL},
        {longest, NULL, longest},
        {too_long, "more than 4 KiB", NULL},
    };

    (void)state;
    memset(longest, 'a', SECRET_MAX);
    memset(too_long, 'a', SECRET_MAX + 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        write_file(cases[i].content, strlen(cases[i].content), 0600);
        expect(cases[i].complaint, cases[i].secret);
    }
}

static void test_who_may_read_it(void **state)
{
    (void)state;
    write_file("SENSITIVE-1", 11, 0604);
    expect("everybody may read it (mode 0604)", NULL);
    write_file("SENSITIVE-1", 11, 0640);
    expect(NULL, "SENSITIVE-1");
    write_file("SENSITIVE-1", 11, 0644);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
    expect(NULL, "SENSITIVE-1");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    expect("everybody may read it", NULL);
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    unlink(path);
    expect("No such file or directory", NULL);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect("not a regular file", NULL); /* and does not wait */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect("Is a directory", NULL);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_who_may_read_it),
        cmocka_unit_test(test_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
