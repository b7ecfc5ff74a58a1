/*
 * Keeping what a process holds to itself: for programs that hold secrets.
 */
#ifndef BASE_HARDEN_H
#define BASE_HARDEN_H

#include "base/cleanup.h"
#include "base/err.h"

/*
 * From here on the process leaves no core dump, by whatever means, and processes of the same user
 * can neither trace it nor read its memory or environment. Call first thing in main; children
 * inherit only the limit. ERR_INTERNAL: the kernel refused, the process can go on without.
 */
int harden_process(struct err *err) MUST_CHECK;

#endif
