/*
 * The page at "/": what somebody sees who opens the exporter in a browser. Plain HTML, complete
 * without scripts and without anything from elsewhere. Reads one snapshot, takes no lock.
 */
#ifndef HTTP_STATUS_PAGE_H
#define HTTP_STATUS_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "inventory/snapshot.h"

struct status_page {
    const char *version;
    const char *revision;
    const char *telemetry_path;
    const struct target_status *targets;
    size_t n_targets;
    bool debug; /* there is a page at /debug/targets */
    int64_t now_unix_ms;
};

/* Appends the page; it is bounded whatever the targets are called and however many they are. */
void status_page_write(const struct status_page *page, struct strbuf *out);

#endif
