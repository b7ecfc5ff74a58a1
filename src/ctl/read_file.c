#include "read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static int read_all(int fd, struct interrupt *interrupt, struct strbuf *out, struct err *err)
{
    for (;;) {
        char piece[PIECE];
        ssize_t n;

        if (interrupt_wait(interrupt, fd, POLLIN, INT64_MAX) == WAIT_INTERRUPTED)
            return err_set(err, ERR_STOPPED, "interrupted");
        n = read(fd, piece, sizeof(piece));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "%s", strerror(errno));
        if (n == 0)
            return 0;
        strbuf_add(out, piece, (size_t)n);
        if (out->over_limit)
            return err_set(err, ERR_LIMIT, "more than %d bytes", READ_FILE_MAX);
        if (!strbuf_ok(out))
            return err_nomem(err, "its text");
    }
}

int read_file(const char *path, struct interrupt *interrupt, struct strbuf *out, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    CLEANUP(fdp) int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    out->limit = READ_FILE_MAX;
    if (!is_stdin && opened < 0)
        return err_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (read_all(is_stdin ? STDIN_FILENO : opened, interrupt, out, err) < 0)
        return err_wrap(err, "cannot read %s", is_stdin ? "standard input" : path);
    return 0;
}
