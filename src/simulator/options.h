/* The command line. */
#ifndef SIMULATOR_OPTIONS_H
#define SIMULATOR_OPTIONS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "simulator.h"

#define OPTIONS_MAX_FAULTS     64
#define OPTIONS_MAX_NAMESPACES 256

struct options {
    bool help;
    bool version;
    const char *listen;
    char *namespaces_text; /* owned; what the list below points into */
    const char *namespaces[OPTIONS_MAX_NAMESPACES];
    struct fault faults[OPTIONS_MAX_FAULTS];
    bool deployments_given;
    struct simulator_conf conf; /* points into this struct and into argv */
};

/* -1: the message says what is wrong with the command line. */
int options_parse(int argc, char **argv, struct options *ret, struct err *err) MUST_CHECK;
void options_release(struct options *o);

void options_print_help(void);
void options_print_version(void);

#endif
