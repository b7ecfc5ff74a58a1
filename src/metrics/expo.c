/*
 * The two text grammars: https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * OpenMetrics 1.0. Samples read the same in both, so only headers and the end know the format.
 */
#include "metrics/expo.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

const char *const expo_content_type[EXPO_FORMAT_END] = {
    [EXPO_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
    [EXPO_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

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
    strbuf_adds(out, metric_type_name(family->type));
    strbuf_addc(out, '\n');
}

void expo_end(struct strbuf *out, enum expo_format format)
{
    if (format == EXPO_OPENMETRICS)
        strbuf_adds(out, "# EOF\n");
}

/* A value, and the quote behind. */
void expo_finish_label(struct strbuf *out, const char *value)
{
    while (*value) {
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

void expo_label(struct strbuf *out, const char *name, const char *value)
{
    strbuf_adds(out, name);
    expo_label_behind(out, "=\"", 2, value);
}

/*
 * Where a sample's text goes, written up to the blank in front of the value; value_max bytes are
 * free behind it. NULL when the buffer is bad.
 */
static char *begin_sample(struct expo *e, const char *name, struct expo_labels labels,
                          struct expo_labels extra, size_t value_max)
{
    size_t name_len = strlen(name);
    char *p = strbuf_room(e->out, name_len + labels.len + extra.len + value_max + 4);

    if (!p)
        return NULL;
    p = expo_put(p, name, name_len);
    if (labels.len + extra.len > 0) {
        *p++ = '{';
        p = expo_put(p, labels.text, labels.len);
        if (labels.len > 0 && extra.len > 0)
            *p++ = ',';
        p = expo_put(p, extra.text, extra.len);
        *p++ = '}';
    }
    *p++ = ' ';
    e->n_series++;
    return p;
}

void expo_sample_i64(struct expo *e, const char *name, struct expo_labels labels,
                     struct expo_labels extra, int64_t value)
{
    char *p = begin_sample(e, name, labels, extra, STRBUF_I64_MAX + 1);

    if (!p)
        return;
    p = strbuf_put_i64(p, value);
    *p++ = '\n';
    strbuf_wrote(e->out, p);
}

/* For values that are written by other functions. */
static bool begin_long_sample(struct expo *e, const char *name, struct expo_labels labels,
                              struct expo_labels extra)
{
    char *p = begin_sample(e, name, labels, extra, 0);

    if (p)
        strbuf_wrote(e->out, p);
    return p != NULL;
}

void expo_sample_double(struct expo *e, const char *name, struct expo_labels labels,
                        struct expo_labels extra, double value)
{
    if (begin_long_sample(e, name, labels, extra)) {
        strbuf_add_double(e->out, value);
        strbuf_addc(e->out, '\n');
    }
}

void expo_sample_ms(struct expo *e, const char *name, struct expo_labels labels,
                    struct expo_labels extra, int64_t value_ms)
{
    if (begin_long_sample(e, name, labels, extra)) {
        strbuf_add_thousandths(e->out, value_ms);
        strbuf_addc(e->out, '\n');
    }
}

/* Appends the value and keeps its text for the next object. */
static void add_number(struct expo *e, double value)
{
    size_t at = e->out->len;

    strbuf_add_double(e->out, value);
    size_t len = e->out->len - at;
    e->number_len = 0;
    if (!strbuf_ok(e->out) || len > EXPO_NUMBER_MAX)
        return;
    memcpy(e->number_text, e->out->ptr + at, len);
    e->number_len = len;
    e->number = value;
}

void expo_object_double(struct expo *e, const struct expo_object *object, double value)
{
    if (strbuf_is_integer(value)) {
        expo_object_i64(e, object, (int64_t)value);
        return;
    }
    char *p = strbuf_room(e->out, EXPO_NAME_MAX + object->len + EXPO_NUMBER_MAX + 1);
    if (!p)
        return;
    p = expo_put(expo_put_name(p, e), object->text, object->len);
    e->n_series++;
    if (e->number_len > 0 && e->number == value) {
        memcpy(p, e->number_text, EXPO_NUMBER_MAX);
        p += e->number_len;
        *p++ = '\n';
        strbuf_wrote(e->out, p);
        return;
    }
    strbuf_wrote(e->out, p);
    add_number(e, value);
    strbuf_addc(e->out, '\n');
}
