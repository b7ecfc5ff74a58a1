/*
 * The page at /debug/targets: what each collector of each namespace does, and why jobs failed,
 * which no label has room for. For whoever was woken: plain HTML, worst namespace first, newest
 * failure first. Reads one snapshot, takes no lock.
 */
#ifndef HTTP_DEBUG_PAGE_H
#define HTTP_DEBUG_PAGE_H

#include <stdint.h>

#include "base/strbuf.h"
#include "inventory/snapshot.h"

/* Failed jobs shown of a namespace, and of all namespaces together as far as each has some. */
enum { DEBUG_FAILURES_MAX = 200, DEBUG_FAILURES_ALL = 2000, DEBUG_FAILURES_MIN = 5 };

/*
 * Appends the page, which is bounded whatever things are called and however many they are; out is
 * bad afterwards if memory was short. s may be NULL.
 */
void debug_page_write(const struct snapshot *s, int64_t now_unix_ms, struct strbuf *out);

#endif
