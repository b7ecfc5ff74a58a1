#include "workdir.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPEN_DIRECTORIES_MAX = 8 };

static char directory[] = "/tmp/afe-conf-XXXXXX";
static int origin = -1;

int workdir_enter(void **state)
{
    (void)state;
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
    origin = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (origin < 0 || !mkdtemp(directory) || unsetenv("CREDENTIALS_DIRECTORY") < 0)
        return -1;
    return chdir(directory);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int workdir_leave(void **state)
{
    (void)state;
    if (fchdir(origin) < 0 || close(origin) < 0)
        return -1;
    return nftw(directory, remove_one, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS);
}

void workdir_write_bytes(const char *name, const void *bytes, size_t len, mode_t mode)
{
    /* A new file each time: some filesystems write a truncated one to the disk at once. */
    (void)unlink(name);
    FILE *f = fopen(name, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(name, mode), 0);
}

void workdir_write(const char *name, const char *text)
{
    workdir_write_bytes(name, text, strlen(text), 0600);
}

void workdir_mkdir(const char *name)
{
    assert_int_equal(mkdir(name, 0700), 0);
}

struct conf *workdir_load(const char *text)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    struct err err = {0};
    struct conf *conf = NULL;

    workdir_write("c.cfg", text);
    if (conf_load("c.cfg", &conf, &problems, &err) < 0)
        print_error("%s\n%s\n", err.msg, strbuf_str(&problems));
    assert_string_equal(strbuf_str(&problems), "");
    assert_non_null(conf);
    return conf;
}

void workdir_expect_file_problems(const char *path, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    struct err err = {0};
    struct conf *conf = NULL;
    size_t first_len = strcspn(expected, "\n");

    assert_int_equal(conf_load(path, &conf, &problems, &err), -1);
    assert_null(conf);
    assert_string_equal(strbuf_str(&problems), expected);
    assert_int_equal(err.kind, ERR_CONF);
    assert_memory_equal(err.msg, expected, first_len);
    assert_int_equal(strlen(err.msg), first_len);
}

void workdir_expect_problems(const char *text, const char *expected)
{
    workdir_write("c.cfg", text);
    workdir_expect_file_problems("c.cfg", expected);
}
