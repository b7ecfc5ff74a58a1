/*
 * process_*: the standard process metrics, read from /proc/self at scrape time. What cannot be
 * read (a hidden /proc) is left out, never guessed.
 */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

#include "metrics/registry.h"

/* Adds the families; call once. The start time is taken from the kernel at the call. */
int process_metrics_register(struct registry *registry, struct err *err) MUST_CHECK;

#endif
