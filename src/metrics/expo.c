/*
 * The two text grammars: https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * OpenMetrics 1.0. Samples read the same in both, so only headers and the end know the format.
 */
#include "metrics/expo.h"

#include <assert.h>
#include <string.h>

const char *const expo_content_type[EXPO_FORMAT_END] = {
    [EXPO_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
    [EXPO_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static const char *type_name(enum metric_type type)
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

void expo_header(struct strbuf *out, enum expo_format format, const struct family *family)
{
    static const char suffix[] = "_total";
    const size_t suffix_len = sizeof(suffix) - 1;
    size_t len = strlen(family->name);

    /* OpenMetrics names the family without the suffix that its samples carry. */
    if (format == EXPO_OPENMETRICS && family->type == METRIC_COUNTER) {
        assert(len > suffix_len && strcmp(family->name + len - suffix_len, suffix) == 0);
        len -= suffix_len;
    }
    strbuf_adds(out, "# HELP ");
    strbuf_add(out, family->name, len);
    strbuf_addc(out, ' ');
    strbuf_adds(out, family->help);
    strbuf_adds(out, "\n# TYPE ");
    strbuf_add(out, family->name, len);
    strbuf_addc(out, ' ');
    strbuf_adds(out, type_name(family->type));
    strbuf_addc(out, '\n');
}

void expo_end(struct strbuf *out, enum expo_format format)
{
    if (format == EXPO_OPENMETRICS)
        strbuf_adds(out, "# EOF\n");
}

void expo_label(struct strbuf *out, const char *name, const char *value)
{
    strbuf_adds(out, name);
    strbuf_add(out, "=\"", 2);
    for (;;) {
        size_t plain = strcspn(value, "\\\"\n");

        strbuf_add(out, value, plain);
        value += plain;
        if (*value == '\0')
            break;
        strbuf_addc(out, '\\');
        strbuf_addc(out, *value == '\n' ? 'n' : *value);
        value++;
    }
    strbuf_addc(out, '"');
}

static void begin_sample(struct expo *e, const char *name, struct expo_labels labels,
                         struct expo_labels extra)
{
    struct strbuf *out = e->out;

    strbuf_adds(out, name);
    if (labels.len + extra.len > 0) {
        strbuf_addc(out, '{');
        strbuf_add(out, labels.text, labels.len);
        if (labels.len > 0 && extra.len > 0)
            strbuf_addc(out, ',');
        strbuf_add(out, extra.text, extra.len);
        strbuf_addc(out, '}');
    }
    strbuf_addc(out, ' ');
    e->n_series++;
}

void expo_sample_i64(struct expo *e, const char *name, struct expo_labels labels,
                     struct expo_labels extra, int64_t value)
{
    begin_sample(e, name, labels, extra);
    strbuf_add_i64(e->out, value);
    strbuf_addc(e->out, '\n');
}

void expo_sample_double(struct expo *e, const char *name, struct expo_labels labels,
                        struct expo_labels extra, double value)
{
    begin_sample(e, name, labels, extra);
    strbuf_add_double(e->out, value);
    strbuf_addc(e->out, '\n');
}

void expo_sample_ms(struct expo *e, const char *name, struct expo_labels labels,
                    struct expo_labels extra, int64_t value_ms)
{
    uint64_t magnitude = value_ms < 0 ? 0 - (uint64_t)value_ms : (uint64_t)value_ms;
    unsigned ms = (unsigned)(magnitude % 1000);

    begin_sample(e, name, labels, extra);
    if (value_ms < 0)
        strbuf_addc(e->out, '-');
    strbuf_add_u64(e->out, magnitude / 1000);
    if (ms > 0) {
        char digits[4] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                          (char)('0' + ms % 10)};
        size_t len = ms % 10 ? 4 : ms % 100 ? 3 : 2;

        strbuf_add(e->out, digits, len);
    }
    strbuf_addc(e->out, '\n');
}
