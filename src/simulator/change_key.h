/*
 * The keys of a POST to the control path: tables in several files, run by change.c.
 *
 * Each key's function runs twice under the world's write lock: first with dry set, to find what is
 * wrong, then for real. Settings and faults gather in the struct on the first run.
 */
#ifndef SIMULATOR_CHANGE_KEY_H
#define SIMULATOR_CHANGE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "json_text.h"
#include "simulator.h"

#define CHANGE_MAX_FAULTS 64

struct change {
    struct simulator *s;
    bool dry;
    const cJSON *all;
    struct settings settings;
    bool new_faults;
    bool reset_counters;
    struct fault faults[CHANGE_MAX_FAULTS];
    size_t n_faults;
};

struct change_key {
    const char *name; /* NULL ends the table */
    /* raw is the text of value, for what is kept byte for byte. */
    int (*run)(struct change *c, const cJSON *value, struct json_span raw, struct err *err);
};

extern const struct change_key change_source_keys[];
extern const struct change_key change_draft_keys[];

/* -1 and "\"key\" must be what". */
int change_wrong(struct err *err, const char *key, const char *what);

#endif
