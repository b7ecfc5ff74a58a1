/*
 * Both headers are comma-separated lists of a token with parameters, of which q is the weight.
 * One scanner reads them; what a token means is decided afterwards. Linear, no allocation.
 */
#include "negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* Weights in thousandths: all that the grammar can express. */
enum { Q_MAX = 1000, Q_UNSET = -1 };

struct element {
    const char *token; /* "text/plain" or "gzip" */
    size_t token_len;
    int q;
    char version[16]; /* the parameter of that name, "" if there is none; cut if absurdly long */
};

static bool is_tchar(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t tchar_len(const char *p)
{
    size_t n = 0;

    while (is_tchar(p[n]))
        n++;
    return n;
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t");
}

static bool equals(const char *s, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

/* "0", "1", "0.5", "1.000"; digits behind the third are read and dropped. -1 if it is none. */
static int parse_q(const char *s, size_t len)
{
    int q;

    if (len == 0 || (s[0] != '0' && s[0] != '1') || (len > 1 && s[1] != '.'))
        return -1;
    q = (s[0] - '0') * Q_MAX;
    for (size_t i = 2, unit = Q_MAX / 10; i < len; i++, unit /= 10) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        q += (s[i] - '0') * (int)unit;
    }
    return q <= Q_MAX ? q : -1;
}

/* A quoted string with its quotes; 0 if it does not end. */
static size_t quoted_len(const char *p)
{
    for (size_t n = 1; p[n]; n++) {
        if (p[n] == '"')
            return n + 1;
        if (p[n] == '\\' && p[n + 1])
            n++;
    }
    return 0;
}

static bool apply_parameter(struct element *e, const char *name, size_t name_len, const char *value,
                            size_t value_len)
{
    if (equals(name, name_len, "q")) {
        e->q = parse_q(value, value_len);
        return e->q >= 0;
    }
    if (equals(name, name_len, "version")) {
        size_t n = value_len < sizeof(e->version) - 1 ? value_len : sizeof(e->version) - 1;

        memcpy(e->version, value, n);
        e->version[n] = '\0';
    }
    return true;
}

/* One parameter behind its semicolon; nothing at all is tolerated. NULL: malformed. */
static const char *read_parameter(const char *p, struct element *e)
{
    size_t name_len = tchar_len(p);
    const char *name = p;

    p = skip_space(p + name_len);
    if (*p != '=')
        return name_len == 0 || *p == ';' || *p == ',' || *p == '\0' ? p : NULL;
    p = skip_space(p + 1);

    bool quoted = *p == '"';
    size_t len = quoted ? quoted_len(p) : tchar_len(p);
    if (name_len == 0 || len == 0)
        return NULL;
    if (!apply_parameter(e, name, name_len, quoted ? p + 1 : p, quoted ? len - 2 : len))
        return NULL;
    return p + len;
}

/*
 * The comma that ends a malformed element, or the end; commas in quotes do not count. A quote that
 * does not end takes all the rest with it: looking on behind it would cost quadratic time.
 */
static const char *skip_element(const char *p)
{
    while (*p && *p != ',') {
        size_t n = *p == '"' ? quoted_len(p) : 1;

        p += n ? n : strlen(p);
    }
    return p;
}

/* Reads an element up to its comma; NULL: malformed. */
static const char *read_element(const char *p, struct element *e)
{
    *e = (struct element){.token = p, .q = Q_MAX};
    p += tchar_len(p);
    if (*p == '/') {
        p++;
        p += tchar_len(p);
    }
    e->token_len = (size_t)(p - e->token);
    p = skip_space(p);
    while (*p == ';') {
        p = read_parameter(skip_space(p + 1), e);
        if (!p)
            return NULL;
        p = skip_space(p);
    }
    return e->token_len > 0 && (*p == ',' || *p == '\0') ? p : NULL;
}

/* The next well-formed element; *cursor moves behind it. */
static bool next_element(const char **cursor, struct element *e)
{
    const char *p = *cursor;

    for (;;) {
        p += strspn(p, " \t,");
        if (!*p)
            return false;

        const char *end = read_element(p, e);
        if (end) {
            *cursor = end;
            return true;
        }
        p = skip_element(p);
    }
}

/* --- Accept --- */

/* How closely a range names a format; a closer one beats any weight of a looser one. */
enum closeness { NO_MATCH, ANY, ANY_SUBTYPE, TYPE, TYPE_AND_VERSION };

static const struct {
    const char *any_subtype;
    const char *type;
    const char *version;
} offers[EXPO_FORMAT_END] = {
    [EXPO_TEXT] = {"text/*", "text/plain", "0.0.4"},
    [EXPO_OPENMETRICS] = {"application/*", "application/openmetrics-text", "1.0.0"},
};

static enum closeness match(const struct element *e, enum expo_format format)
{
    if (equals(e->token, e->token_len, offers[format].type)) {
        if (!*e->version)
            return TYPE;
        return strcmp(e->version, offers[format].version) == 0 ? TYPE_AND_VERSION : NO_MATCH;
    }
    if (equals(e->token, e->token_len, offers[format].any_subtype))
        return ANY_SUBTYPE;
    return equals(e->token, e->token_len, "*/*") ? ANY : NO_MATCH;
}

enum expo_format negotiate_format(const char *accept)
{
    struct {
        enum closeness closeness;
        int q;
    } best[EXPO_FORMAT_END] = {{NO_MATCH, 0}, {NO_MATCH, 0}};
    struct element e;

    while (accept && next_element(&accept, &e)) {
        for (int format = 0; format < EXPO_FORMAT_END; format++) {
            enum closeness closeness = match(&e, (enum expo_format)format);

            if (closeness == NO_MATCH || closeness < best[format].closeness)
                continue;
            if (closeness > best[format].closeness || e.q > best[format].q)
                best[format].q = e.q;
            best[format].closeness = closeness;
        }
    }
    return best[EXPO_OPENMETRICS].q > best[EXPO_TEXT].q ? EXPO_OPENMETRICS : EXPO_TEXT;
}

/* --- Accept-Encoding --- */

static void raise_q(int *q, int to)
{
    if (to > *q)
        *q = to;
}

bool negotiate_gzip(const char *accept_encoding)
{
    int gzip = Q_UNSET;
    int identity = Q_UNSET;
    int any = Q_UNSET;
    struct element e;

    while (accept_encoding && next_element(&accept_encoding, &e)) {
        if (equals(e.token, e.token_len, "gzip") || equals(e.token, e.token_len, "x-gzip"))
            raise_q(&gzip, e.q);
        else if (equals(e.token, e.token_len, "identity"))
            raise_q(&identity, e.q);
        else if (equals(e.token, e.token_len, "*"))
            raise_q(&any, e.q);
    }
    if (gzip == Q_UNSET)
        gzip = any;
    return gzip > 0 && gzip >= identity;
}
