/*
 * Makes one chosen system call on files fail, or the process end before it: for sweeps like those
 * of alloc_fail.h over everything that is done to a file. Link with -Wl,--wrap=open,--wrap=write,
 * --wrap=fsync,--wrap=rename,--wrap=unlink.
 */
#ifndef IO_FAIL_H
#define IO_FAIL_H

#include <stddef.h>

/* The n-th call from now on fails with this errno; with 0 the process ends there, status 9. */
void io_fail_at(size_t n, int error);
/* Calls do what they always do; returns how many there were since io_fail_at. */
size_t io_fail_off(void);
/* Their names since io_fail_at, as "open write fsync ", up to 200 bytes. */
const char *io_fail_calls(void);

#endif
