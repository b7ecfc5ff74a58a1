/*
 * Text to values: the wall around libconfig, which nobody else includes.
 *
 * libconfig checks none of its allocations, so parsing happens before anything else is touched.
 */
#ifndef PARSE_H
#define PARSE_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "problem.h"
#include "source.h"
#include "value.h"

/* *ret is the root group, NULL after a syntax error (which is in problems). -1: out of memory. */
int parse_source(const struct source *source, struct arena *arena, struct problems *problems,
                 struct value **ret) MUST_CHECK;

#endif
