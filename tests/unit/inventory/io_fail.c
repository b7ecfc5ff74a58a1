#include "io_fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

static bool on;
static size_t n_calls, fail_at;
static int fail_with;
static char calls[200];

void io_fail_at(size_t n, int error)
{
    n_calls = 0;
    fail_at = n;
    fail_with = error;
    calls[0] = '\0';
    on = true;
}

size_t io_fail_off(void)
{
    on = false;
    return n_calls;
}

const char *io_fail_calls(void)
{
    return calls;
}

static bool fails(const char *name)
{
    if (!on)
        return false;
    size_t len = strlen(calls);
    (void)snprintf(calls + len, sizeof(calls) - len, "%s ", name);
    if (++n_calls != fail_at)
        return false;
    if (fail_with == 0)
        _exit(9);
    errno = fail_with;
    return true;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = va_arg(ap, mode_t); /* whatever it is where none was given: open ignores it */
    va_end(ap);
    return fails("open") ? -1 : __real_open(path, flags, mode);
}

/* Half of what there is to write is written, if that is more than nothing: disks fill up so. */
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    if (on && n > 1)
        n /= 2;
    return fails("write") ? -1 : __real_write(fd, bytes, n);
}

int __wrap_fsync(int fd)
{
    return fails("fsync") ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails("rename") ? -1 : __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
    return fails("unlink") ? -1 : __real_unlink(path);
}
