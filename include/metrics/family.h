/*
 * A metric family: the line of the catalogue. Tables of these are the one place where a family's
 * name, type and help stand; exposition, documentation and checks read them.
 */
#ifndef METRICS_FAMILY_H
#define METRICS_FAMILY_H

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct family {
    const char *name; /* counters with their _total */
    const char *help; /* one line, no backslash, no quote */
    enum metric_type type;
};

#endif
