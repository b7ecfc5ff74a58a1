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

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/strbuf.h"
#include "metrics/family.h"

enum expo_format { EXPO_TEXT, EXPO_OPENMETRICS, EXPO_FORMAT_END };

/* The Content-Type of each format, exactly. */
extern const char *const expo_content_type[EXPO_FORMAT_END];

/* The longest name of a family of objects that have many samples. */
#define EXPO_NAME_MAX   64
#define EXPO_NUMBER_MAX 32

struct expo {
    struct strbuf *out;
    uint64_t n_series;
    /* See expo_family. */
    char name[EXPO_NAME_MAX]; /* no NUL behind it */
    size_t name_len;
    /* The double written last, as text: cores and the like repeat. No text = none. */
    double number;
    char number_text[EXPO_NUMBER_MAX];
    size_t number_len;
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
 * The same behind a lead, which is the comma if one is needed and 'name="'. Inline, so that a lead
 * of known length costs next to nothing: for what is written for each object.
 */
void expo_finish_label(struct strbuf *out, const char *value);

/* So much may be read behind the bytes that are looked at. */
#define EXPO_PLAIN_SLACK 15

/* Whether none of the bytes needs escaping. */
static inline bool expo_is_plain(const char *bytes, size_t len)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i newline = _mm_set1_epi8('\n');

    for (; len > 0; bytes += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)bytes);
        __m128i special = _mm_or_si128(
            _mm_cmpeq_epi8(block, quote),
            _mm_or_si128(_mm_cmpeq_epi8(block, backslash), _mm_cmpeq_epi8(block, newline)));
        unsigned found = (unsigned)_mm_movemask_epi8(special);

        if (len <= 16)
            return (found & ((1u << len) - 1)) == 0;
        if (found)
            return false;
        len -= 16;
    }
    return true;
#else
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '"' || bytes[i] == '\\' || bytes[i] == '\n')
            return false;
    return true;
#endif
}

/* A short copy without a call: its first and its last bytes, which may overlap. */
static inline void expo_copy(char *to, const char *from, size_t len)
{
    if (len < 4 || len > 16) {
        memcpy(to, from, len);
    } else if (len < 8) {
        uint32_t first, last;

        memcpy(&first, from, sizeof(first));
        memcpy(&last, from + len - sizeof(last), sizeof(last));
        memcpy(to, &first, sizeof(first));
        memcpy(to + len - sizeof(last), &last, sizeof(last));
    } else {
        uint64_t first, last;

        memcpy(&first, from, sizeof(first));
        memcpy(&last, from + len - sizeof(last), sizeof(last));
        memcpy(to, &first, sizeof(first));
        memcpy(to + len - sizeof(last), &last, sizeof(last));
    }
}

/*
 * lead, value and a quote at p, which has room for that and EXPO_PLAIN_SLACK; returns the end. What
 * is written is right only if *plain is still true: the value had nothing to escape.
 */
__attribute__((always_inline)) static inline char *expo_put_plain_label(char *p, const char *lead,
                                                                        size_t lead_len,
                                                                        const char *value,
                                                                        size_t len, bool *plain)
{
    memcpy(p, lead, lead_len);
    p += lead_len;
    expo_copy(p, value, len);
    *plain = *plain && expo_is_plain(p, len);
    p += len;
    *p = '"';
    return p + 1;
}

static inline void expo_label_behind(struct strbuf *out, const char *lead, size_t lead_len,
                                     const char *value)
{
    size_t len = strlen(value);
    char *p = strbuf_room(out, lead_len + len + EXPO_PLAIN_SLACK + 1);
    bool plain = true;

    if (!p)
        return;
    char *end = expo_put_plain_label(p, lead, lead_len, value, len, &plain);
    strbuf_wrote(out, plain ? end : p + lead_len);
    if (!plain)
        expo_finish_label(out, value);
}

#define EXPO_PUT_PLAIN_LABEL(p, name, value, len, plain) \
    expo_put_plain_label((p), "," name "=\"", sizeof("," name "=\"") - 1, (value), (len), (plain))

/* Comma and label; name is a literal. */
#define EXPO_NEXT_LABEL(out, name, value) \
    expo_label_behind((out), "," name "=\"", sizeof("," name "=\"") - 1, (value))

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

/*
 * Samples of objects that have many of them. An object's labels are formatted once, as
 * '{LABELS} ': with all that stands between name and value, so that a sample is two copies and the
 * digits. All of it is inline: this is where a refresh spends its time.
 */
struct expo_object {
    const char *text;
    size_t len;
};
#define EXPO_OBJECT_END    "} "
#define EXPO_END_LABEL_MAX 32

static inline char *expo_put(char *to, const char *from, size_t len)
{
    return (char *)memcpy(to, from, len) + len;
}

/* The name of a family in e, for the functions below. At most EXPO_NAME_MAX bytes. */
static inline void expo_family(struct expo *e, const char *name)
{
    size_t len = strlen(name);

    assert(len <= EXPO_NAME_MAX);
    e->name_len = len < EXPO_NAME_MAX ? len : EXPO_NAME_MAX;
    memcpy(e->name, name, e->name_len);
}

/* Copies of a fixed size are a few instructions, and a call is many: to has room for all of it. */
static inline char *expo_put_name(char *to, const struct expo *e)
{
    memcpy(to, e->name, EXPO_NAME_MAX);
    return to + e->name_len;
}

static inline char *expo_put_i64(char *to, int64_t value)
{
    if (value < 0 || value > 9)
        return strbuf_put_i64(to, value);
    *to = (char)('0' + value);
    return to + 1;
}

static inline void expo_object_i64(struct expo *e, const struct expo_object *object, int64_t value)
{
    char *p = strbuf_room(e->out, EXPO_NAME_MAX + object->len + STRBUF_I64_MAX + 1);

    if (!p)
        return;
    p = expo_put(expo_put_name(p, e), object->text, object->len);
    p = expo_put_i64(p, value);
    *p++ = '\n';
    strbuf_wrote(e->out, p);
    e->n_series++;
}

/* A finished end of an object's labels, ',state="failed"} ', that takes the place of its own. */
struct expo_end_label {
    char text[EXPO_END_LABEL_MAX]; /* no NUL behind it */
    uint8_t len;
};
#define EXPO_END_LABEL(literal)                                                             \
    {                                                                                       \
        .text = "," literal EXPO_OBJECT_END, .len = sizeof("," literal EXPO_OBJECT_END) - 1 \
    }

/* One sample for each value that is not negative, told apart by ends[]. */
static inline void expo_object_i64_each(struct expo *e, const struct expo_object *object,
                                        const struct expo_end_label *ends, const int64_t *values,
                                        size_t n)
{
    const size_t len = object->len - (sizeof(EXPO_OBJECT_END) - 1);
    char *p = strbuf_room(
        e->out, n * (e->name_len + len + EXPO_END_LABEL_MAX + STRBUF_I64_MAX + 1) + EXPO_NAME_MAX);
    const char *start = p; /* what all lines begin with is copied in one piece from the first */

    if (!p)
        return;
    for (size_t i = 0; i < n; i++) {
        if (values[i] < 0)
            continue;
        if (p == start)
            p = expo_put(expo_put_name(p, e), object->text, len);
        else
            p = expo_put(p, start, e->name_len + len);
        memcpy(p, ends[i].text, EXPO_END_LABEL_MAX);
        p = expo_put_i64(p + ends[i].len, values[i]);
        *p++ = '\n';
        e->n_series++;
    }
    strbuf_wrote(e->out, p);
}

void expo_object_double(struct expo *e, const struct expo_object *object, double value);

#define EXPO_NO_LABELS ((struct expo_labels){"", 0})
/* From a string literal; _INIT in static tables, where a compound literal is no constant. */
#define EXPO_LABELS_INIT(literal)          \
    {                                      \
        "" literal "", sizeof(literal) - 1 \
    }
#define EXPO_LABELS(literal) ((struct expo_labels)EXPO_LABELS_INIT(literal))

#endif
