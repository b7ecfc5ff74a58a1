/*
 * A file of the operator's, or standard input.
 */
#ifndef READ_FILE_H
#define READ_FILE_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "interrupt.h"

/* More than any draft. */
enum { READ_FILE_MAX = 64 * 1024 * 1024 };

/*
 * The whole of it; "-" is standard input. ERR_IO with the reason, ERR_LIMIT, ERR_STOPPED by Ctrl-C
 * while waiting for input; messages name the file.
 */
int read_file(const char *path, struct interrupt *interrupt, struct strbuf *out,
              struct err *err) MUST_CHECK;

#endif
