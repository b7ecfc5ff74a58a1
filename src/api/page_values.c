/*
 * Most values are plain: text without escapes, integers of a few digits. They are read where they
 * stand; every other one is given to cJSON, so that there is one opinion about what it means.
 */
#include "page_values.h"

#include <string.h>

#include "api/json.h"
#include "base/hash.h"
#include "base/quantity.h"
#include "record_shape.h"

enum {
    PLAIN_DIGITS_MAX = 15,     /* as many always fit JSON_INTEGER_MAX */
    TIME_DIGITS_MAX = 23,      /* more than any number up to JSON_INTEGER_MAX has */
    SCALAR_BUDGET = 64 * 1024, /* bytes for cJSON's tree of one value */
};

/* Times are seconds, except where they are this large: then they are milliseconds (API pages). */
static const int64_t MILLISECONDS_FROM = INT64_C(100000000000);

enum json_type page_type(const struct page_reader *r, size_t value)
{
    return (enum json_type)json_scan_value(&r->scan, value)->type;
}

/* JSON null counts as absent everywhere. */
bool page_is_told(const struct page_reader *r, size_t value)
{
    return page_type(r, value) != JSON_ABSENT && page_type(r, value) != JSON_NULL;
}

/* --- values --- */

/* A number or string, as cJSON reads it; NULL if it does not, or without memory (then nomem). */
static json_value *parse_value(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    const char *quote = raw->type == JSON_STRING ? "\"" : "";
    struct err err = {.kind = ERR_NONE};
    json_value *root = NULL;

    strbuf_reset(&r->scratch);
    strbuf_adds(&r->scratch, quote);
    strbuf_add(&r->scratch, json_scan_text(&r->scan, value), raw->len);
    strbuf_adds(&r->scratch, quote);
    if (!strbuf_ok(&r->scratch) ||
        (json_parse(r->scratch.ptr, r->scratch.len, SCALAR_BUDGET, &root, &err) < 0 &&
         err.kind == ERR_NOMEM))
        r->text.nomem = true;
    return root;
}

/* A string, valid until the next one is read; of a long one the first bytes. */
struct page_span page_string(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    struct page_span s = {.ptr = NULL};

    if (raw->type != JSON_STRING)
        return s;
    s = (struct page_span){.ptr = json_scan_text(&r->scan, value), .len = raw->len};
    if (!memchr(s.ptr, '\\', s.len) && !memchr(s.ptr, '\0', s.len))
        return s;
    CLEANUP(json_freep) json_value *root = parse_value(r, value);
    const char *text = json_string(root);
    strbuf_reset(&r->scratch);
    strbuf_adds(&r->scratch, text ? text : "");
    if (!strbuf_ok(&r->scratch))
        r->text.nomem = true;
    return (struct page_span){.ptr = strbuf_str(&r->scratch), .len = r->scratch.len};
}

/* Digits only, as some integers come; -1 for anything else and beyond exact integers. */
static int64_t parse_digits(struct page_span s)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        v = v * 10 + (uint64_t)(s.ptr[i] - '0');
        if (v > (uint64_t)JSON_INTEGER_MAX)
            return -1;
    }
    return s.len > 0 ? (int64_t)v : -1;
}

static int64_t read_integer(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    int64_t v;

    if (raw->type != JSON_NUMBER || raw->cut)
        return -1;
    if (raw->len <= PLAIN_DIGITS_MAX) {
        v = parse_digits((struct page_span){json_scan_text(&r->scan, value), raw->len});
        if (v >= 0)
            return v;
    }
    CLEANUP(json_freep) json_value *root = parse_value(r, value);
    return json_integer(root, &v) == 0 && v >= 0 ? v : -1;
}

/* A whole number >= 0, as JSON number or digits in a string; -1 for anything else, null too. */
int64_t page_count(struct page_reader *r, size_t value)
{
    if (json_scan_value(&r->scan, value)->cut)
        return -1;
    if (page_type(r, value) == JSON_STRING)
        return parse_digits(page_string(r, value));
    return read_integer(r, value);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* As page_count, with white space around: the vendor's own sample is "1714058507\n". */
static int64_t read_padded_count(struct page_reader *r, size_t value)
{
    if (page_type(r, value) != JSON_STRING || json_scan_value(&r->scan, value)->cut)
        return page_count(r, value);

    struct page_span s = page_string(r, value);
    while (s.len > 0 && is_space(*s.ptr)) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s.len <= TIME_DIGITS_MAX ? parse_digits(s) : -1;
}

/* Unix seconds; 0 = unknown. What is still too large in milliseconds (microseconds) is unknown. */
int64_t page_time(struct page_reader *r, size_t value)
{
    int64_t t = read_padded_count(r, value);

    if (t < 0)
        return 0;
    if (t >= MILLISECONDS_FROM)
        t /= 1000;
    return t < MILLISECONDS_FROM ? t : 0;
}

double page_cores(struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    double cores;

    if (raw->type != JSON_NUMBER || raw->cut)
        return -1;
    if (raw->len <= PLAIN_DIGITS_MAX) {
        int64_t whole = parse_digits((struct page_span){json_scan_text(&r->scan, value), raw->len});
        if (whole >= 0)
            return (double)whole;
    }
    CLEANUP(json_freep) json_value *root = parse_value(r, value);
    return json_number(root, &cores) == 0 && cores >= 0 ? cores : -1;
}

/* Text with a unit ("4 GiB", "1Gi"); a bare JSON number has none, so it says nothing. */
int64_t page_memory(struct page_reader *r, size_t value)
{
    struct page_span s = page_string(r, value);
    char text[64]; /* more than any size has that is not padded with zeros */
    int64_t bytes;

    if (!s.ptr || s.len >= sizeof(text))
        return -1;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return quantity_parse_bytes(text, &bytes) == 0 ? bytes : -1;
}

int8_t page_truth(struct page_reader *r, size_t value)
{
    switch (page_type(r, value)) {
    case JSON_TRUE:
        return 1;
    case JSON_FALSE:
        return 0;
    default:
        return -1;
    }
}

const char *page_text(struct page_reader *r, size_t value)
{
    struct page_span s = page_string(r, value);

    return text_clean(&r->text, s.ptr, s.len);
}

const char *page_lower(struct page_reader *r, size_t value)
{
    struct page_span s = page_string(r, value);

    return text_clean_lower(&r->text, s.ptr, s.len);
}

/*
 * The key of all series of the record: text without control bytes that needs no cutting, for two
 * ids cut to the same length may become one. NULL if there is none.
 */
const char *page_id(struct page_reader *r)
{
    struct page_span s = page_string(r, r->options.kind->id);
    uint64_t too_long = r->text.too_long;
    uint64_t invalid_utf8 = r->text.invalid_utf8;

    /* Judged before it costs memory: nobody bounds how many unusable ones there are. */
    if (s.len == 0 || s.len > LABEL_VALUE_MAX)
        return NULL;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return NULL;
    const char *id = text_clean(&r->text, s.ptr, s.len);
    if (r->text.too_long == too_long)
        return id;
    r->text.too_long = too_long;
    r->text.invalid_utf8 = invalid_utf8;
    return NULL;
}

const char *page_execution_mode(struct page_reader *r, size_t value)
{
    const char *mode = page_lower(r, value);

    /* The description of jobs says STREAM where all else says STREAMING. */
    return strcmp(mode, "stream") == 0 ? "streaming" : mode;
}

/* 0 for what is no string, or an empty one: the control plane writes both for "there is none". */
static uint64_t string_hash(const struct page_reader *r, size_t value)
{
    const struct json_raw *raw = json_scan_value(&r->scan, value);
    uint64_t hash;

    if (!raw->hashed)
        return 0;
    memcpy(&hash, json_scan_text(&r->scan, value), sizeof(hash));
    return hash != HASH_FNV1A_START ? hash : 0;
}

uint64_t page_content_hash(const struct page_reader *r, size_t first)
{
    uint64_t all = HASH_FNV1A_START;
    bool any = false;

    for (size_t i = 0; i < CONTENT_VALUES; i++) {
        uint64_t hash = string_hash(r, first + i);

        any = any || hash != 0;
        for (unsigned shift = 0; shift < 64; shift += 8)
            all = hash_fnv1a_byte(all, (unsigned char)(hash >> shift));
    }
    return any ? all | 1 : 0; /* never 0 where there is something */
}
