/*
 * The configuration: one libconfig file, validated as a whole, then frozen.
 *
 * A struct conf is immutable and reference-counted; any thread may read it while it holds a
 * reference. Loading never changes anything but what it returns, so a refused file leaves the
 * running configuration alone. Not more than one thread loads at a time (libconfig is not
 * thread-safe per object, and loading is only ever done by the main thread).
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/glob.h"
#include "base/strbuf.h"
#include "model/target.h"

enum conf_aggregation { CONF_AGGREGATION_DEPLOYMENT, CONF_AGGREGATION_NAMESPACE };

struct conf {
    const char *path; /* as given */
    const struct target *targets;
    size_t n_targets;
    const struct credentials_spec *credentials;
    size_t n_credentials;
    struct glob_list deny; /* metric families left out */
    enum conf_aggregation aggregation;
    bool draft_lock_holder; /* aliyun_flink_draft_lock_info is shown */
    const char *state_file; /* of event counters; "" = none */
    int64_t hold_ms;        /* that a new event counter shows its old value */
    uint64_t hash; /* first 48 bits of the SHA-256 of the file's bytes, included files too */
};

/*
 * Reads and validates the file. On success *ret holds one reference. Otherwise -1, and problems
 * (if not NULL) holds every problem found, one "file:line: message\n" each in file order; err has
 * the first. A file that cannot be read is told without a line, as is its being too large. A
 * configuration without targets is a problem. No message holds a secret.
 */
int conf_load(const char *path, struct conf **ret, struct strbuf *problems,
              struct err *err) MUST_CHECK;

struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf *conf);
void conf_unrefp(struct conf **conf);

#endif
