/*
 * A metric family: the line of the catalogue. Tables of these are the one place where a family's
 * name, type and help stand; exposition, documentation and checks read them.
 *
 * The exposition needs the first three. The rest is for the reference, docs/metrics.md, which is
 * made of it: name the fields there, so that a line says what it says.
 */
#ifndef METRICS_FAMILY_H
#define METRICS_FAMILY_H

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

/* What the reference promises for later versions; see "Stability" there. */
enum metric_stability { METRIC_STABLE, METRIC_EXPERIMENTAL };

struct family {
    const char *name; /* counters with their _total */
    const char *help; /* one line, no backslash, no quote */
    enum metric_type type;
    enum metric_stability stability;
    /*
     * The labels in their order, "endpoint,reason=dns|connect": with a closed set of values or
     * without; label_* are any that begin so. A histogram's le goes without saying. NULL = none.
     */
    const char *labels;
    /* When there is no sample, if help does not say: goes on after "Absent ". NULL = never. */
    const char *absent;
};

/* As documents and exposition call them: "gauge", "STABLE". */
const char *metric_type_name(enum metric_type type);
const char *metric_stability_name(enum metric_stability stability);

#endif
