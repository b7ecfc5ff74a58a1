/*
 * The exposition writer: families and samples as text, for Prometheus text 0.0.4 and OpenMetrics
 * 1.0. Knows the two grammars and nothing about what is measured.
 *
 * The formats differ in the header of counters and in the end of the text only, so a block of
 * samples is rendered once and serves both. Samples of a family stay together: write the header
 * once, then all its samples. Writes into the caller's strbuf, which fails late. One thread.
 */
#ifndef METRICS_EXPO_H
#define METRICS_EXPO_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "metrics/family.h"

enum expo_format { EXPO_TEXT, EXPO_OPENMETRICS, EXPO_FORMAT_END };

/* The Content-Type of each format, exactly. */
extern const char *const expo_content_type[EXPO_FORMAT_END];

struct expo {
    struct strbuf *out;
    uint64_t n_series;
};

/* "# HELP ...\n# TYPE ...\n" (text-format order; OpenMetrics admits it), counter names by format.
 */
void expo_header(struct strbuf *out, enum expo_format format, const struct family *family);

/* The end of the whole text: "# EOF\n" in OpenMetrics, nothing in text. */
void expo_end(struct strbuf *out, enum expo_format format);

/*
 * One label `name="value"`, escaped; the caller puts the commas between labels. The value must be
 * valid UTF-8.
 */
void expo_label(struct strbuf *out, const char *name, const char *value);

/*
 * A sample: NAME{LABELS,EXTRA} VALUE. labels and extra are finished label lists without braces;
 * either may be empty. Prefix lists are formatted once per object and reused for each family.
 */
struct expo_labels {
    const char *text;
    size_t len;
};
void expo_sample_i64(struct expo *e, const char *name, struct expo_labels labels,
                     struct expo_labels extra, int64_t value);
void expo_sample_double(struct expo *e, const char *name, struct expo_labels labels,
                        struct expo_labels extra, double value);

/* Seconds with millisecond digits, exactly: 1790001202.41 from 1790001202410. */
void expo_sample_ms(struct expo *e, const char *name, struct expo_labels labels,
                    struct expo_labels extra, int64_t value_ms);

#define EXPO_NO_LABELS ((struct expo_labels){"", 0})
/* From a string literal; _INIT in static tables, where a compound literal is no constant. */
#define EXPO_LABELS_INIT(literal)          \
    {                                      \
        "" literal "", sizeof(literal) - 1 \
    }
#define EXPO_LABELS(literal) ((struct expo_labels)EXPO_LABELS_INIT(literal))

#endif
