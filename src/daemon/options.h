/*
 * The command line of the daemon. Parsed once by main, before anything else; strings point into
 * argv or are static.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include "base/log.h"

struct options {
    const char *config_file;
    bool config_check;
    const char *listen_address;
    const char *telemetry_path;
    unsigned max_requests;
    bool debug;
    const char *persistence_file; /* NULL = as the configuration says */
    bool once;
    enum log_level log_level;
    enum log_format log_format;
};

enum options_verdict {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help or --version was printed: exit 0 */
    OPTIONS_USAGE, /* a hint was printed to stderr: exit 2 */
};

enum options_verdict options_parse(struct options *options, int argc, char **argv);

#endif
