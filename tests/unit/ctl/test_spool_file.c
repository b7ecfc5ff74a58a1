#include "spool_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

/* A filesystem that does not have files without a name. */
static bool is_old;

int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);

int __wrap_openat(int at, const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (is_old && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_openat(at, path, flags, mode);
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/afe-spool-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

/* Number of entries, hidden ones too; removes them all if told to. */
static int count(bool remove)
{
    DIR *d = opendir(dir);
    int n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        if (remove)
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
    }
    closedir(d);
    return n;
}

static int remove_dir(void **state)
{
    (void)state;
    is_old = false;
    (void)chmod(dir, 0700);
    count(true);
    return rmdir(dir);
}

static void expect_file(const char *name, const char *text)
{
    char path[128], found[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, found, sizeof(found) - 1);
    assert_true(n >= 0);
    found[n] = '\0';
    assert_string_equal(found, text);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(st.st_nlink, 1);
    close(fd);
}

static void test_put(void **state)
{
    mode_t mask = umask(0077); /* of no effect: another user reads it */
    struct err err = {0};

    (void)state;
    assert_int_equal(spool_file_put(dir, "a", "ns\n", 3, &err), 0);
    umask(mask);
    expect_file("a", "ns\n");
    assert_int_equal(spool_file_put(dir, "b", "", 0, &err), 0);
    expect_file("b", "");
    assert_int_equal(count(false), 2);
}

static void test_there_already(void **state)
{
    struct err err = {0};
    char path[128];

    (void)state;
    assert_int_equal(spool_file_put(dir, "a", "first\n", 6, &err), 0);
    assert_int_equal(spool_file_put(dir, "a", "second\n", 7, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.msg, "it is there already");
    expect_file("a", "first\n");
    snprintf(path, sizeof(path), "%s/link", dir);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_int_equal(spool_file_put(dir, "link", "x\n", 2, &err), -1);
    assert_string_equal(err.msg, "it is there already");
    assert_int_equal(count(false), 2); /* nothing half-written */
}

static int make_dir_of_old(void **state)
{
    is_old = true;
    return make_dir(state);
}

static void test_no_directory(void **state)
{
    struct err err = {0};
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/none", dir);
    assert_int_equal(spool_file_put(path, "a", "x\n", 2, &err), -1);
    assert_string_equal(err.msg, "cannot open the directory: No such file or directory");
    assert_int_equal(spool_file_put(dir, "file", "x\n", 2, &err), 0);
    snprintf(path, sizeof(path), "%s/file", dir);
    assert_int_equal(spool_file_put(path, "a", "x\n", 2, &err), -1);
    assert_string_equal(err.msg, "cannot open the directory: Not a directory");
}

static void test_not_writable(void **state)
{
    struct err err = {0};

    (void)state;
    if (geteuid() == 0)
        skip(); /* root writes everywhere */
    assert_int_equal(chmod(dir, 0500), 0);
    assert_int_equal(spool_file_put(dir, "a", "x\n", 2, &err), -1);
    assert_non_null(strstr(err.msg, "Permission denied"));
}

/* procfs takes no files of any kind: both ways are tried, and the error is the kernel's. */
static void test_filesystem_without_files(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(spool_file_put("/proc", "a", "x\n", 2, &err), -1);
    assert_non_null(strstr(err.msg, "cannot create a file there: "));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_put),
        TEST(test_there_already),
        TEST(test_no_directory),
        TEST(test_not_writable),
        TEST(test_filesystem_without_files),
        cmocka_unit_test_setup_teardown(test_put, make_dir_of_old, remove_dir),
        cmocka_unit_test_setup_teardown(test_there_already, make_dir_of_old, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
