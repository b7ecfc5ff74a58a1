/*
 * What the options of one block of the file are read into, before it is checked as a whole and
 * becomes part of struct conf.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include <stddef.h>

#include "model/target.h"

struct string_list {
    const char *const *items;
    size_t n_items;
};

/* defaults, rate_limit, one of targets with its select and tls_config */
struct target_block {
    struct target target;
    int network; /* enum network */
    const char *credentials;
    struct string_list namespaces;
    struct string_list label_values;
    struct string_list deployment_names;
    struct string_list tickets; /* "namespace/ticketId" */
};
enum network { NETWORK_PUBLIC, NETWORK_VPC };

/* one of credentials */
struct credentials_block {
    struct credentials_spec spec;
    int provider; /* enum credentials_provider; -1 = not given, or not supported yet */
};

/* metrics */
struct metrics_block {
    struct string_list deployment_labels;
    struct string_list deny;
    int aggregation; /* enum conf_aggregation */
    bool draft_lock_holder;
};

/* state */
struct state_block {
    const char *file;
    int64_t hold_ms;
};

#endif
