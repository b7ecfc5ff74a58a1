#include "spool_dir.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int spool_dir_enter(void **state)
{
    char *dir = strdup("/tmp/afe-spool-XXXXXX");

    if (!dir || !mkdtemp(dir))
        return -1;
    *state = dir;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int spool_dir_leave(void **state)
{
    char *dir = *state;

    spool_dir_regain_root();
    int rc = chmod(dir, 0700) == 0 ? nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) : 0;

    free(dir);
    return rc;
}

#define NOBODY 65534

void spool_dir_drop_root(const char *dir)
{
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

void spool_dir_regain_root(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

const char *spool_dir_path(const char *dir, const char *name)
{
    static char path[512];

    assert_in_range(snprintf(path, sizeof(path), "%s/%s", dir, name), 1, sizeof(path) - 1);
    return path;
}

void spool_dir_write(const char *dir, const char *name, const char *text)
{
    FILE *f = fopen(spool_dir_path(dir, name), "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

bool spool_dir_has(const char *dir, const char *name)
{
    return access(spool_dir_path(dir, name), F_OK) == 0;
}
