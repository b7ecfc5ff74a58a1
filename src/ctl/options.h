/*
 * The command line of the operator's tool. Parsed once by main, before anything else; strings point
 * into argv or are static.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define PROGRAM_NAME "aliyun_flinkctl"

enum { LABEL_VALUES_MAX = 32 };

struct command;

struct options {
    const char *config_file;
    const char *target;         /* NULL = the only one */
    const char *namespace_name; /* NULL = the only one */
    bool json;                  /* else tables */
    enum log_level log_level;
    const struct command *command;
    const char *argument; /* of the command; NULL where it takes none */

    /* Flags of single commands. */
    const char *status;         /* NULL = all */
    const char *execution_mode; /* NULL = all */
    char label_key[512];        /* "" = all */
    const char *label_values[LABEL_VALUES_MAX];
    size_t n_label_values;
    unsigned without; /* API_WITHOUT_... */
    const char *file;
    bool dry_run;
    bool force;
    bool yes;
    int64_t timeout_ms;
    const char *draft; /* NULL = not told */
};

enum options_verdict {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help or --version was printed: exit 0 */
    OPTIONS_USAGE, /* a hint was printed to stderr: exit 2 */
};

enum options_verdict options_parse(struct options *options, int argc, char **argv);

#endif
