#include "metrics/family.h"

#include <assert.h>

const char *metric_type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_COUNTER:
        return "counter";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    assert(0);
    return "unknown";
}

const char *metric_stability_name(enum metric_stability stability)
{
    switch (stability) {
    case METRIC_STABLE:
        return "STABLE";
    case METRIC_EXPERIMENTAL:
        return "EXPERIMENTAL";
    }
    assert(0);
    return "unknown";
}
