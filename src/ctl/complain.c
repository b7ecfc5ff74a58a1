#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "visible.h"

static void PRINTF_LIKE(2, 0) put(const char *prefix, const char *format, va_list ap)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;

    strbuf_vaddf(&text, format, ap);
    strbuf_adds(&line, prefix);
    visible_append(&line, strbuf_str(&text), text.len);
    strbuf_addc(&line, '\n');
    if (strbuf_ok(&line))
        (void)fwrite(line.ptr, 1, line.len, stderr);
    else
        fputs(PROGRAM_NAME ": out of memory\n", stderr);
}

void complain(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(PROGRAM_NAME ": ", format, ap);
    va_end(ap);
}

void tell(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put("", format, ap);
    va_end(ap);
}

int answer_write(const struct strbuf *text, struct err *err)
{
    const char *at = text->ptr;
    size_t left = text->len;

    if (!strbuf_ok(text))
        return err_nomem(err, "the answer");
    while (left > 0) {
        ssize_t n = write(STDOUT_FILENO, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            return 0;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot write to stdout: %s", strerror(errno));
        at += n;
        left -= (size_t)n;
    }
    return 0;
}
