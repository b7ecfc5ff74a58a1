#include "faults.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "json_text.h"
#include "rng.h"

/* The contract of the texts; parsed below. */
const char fault_help[] =
    "A fault is written KIND[:key=value,...]. Keys of every kind choose the requests:\n"
    "\n"
    "  page=N          only requests for that page (default: all)\n"
    "  count=N         only the first N of them\n"
    "  after=N         not the first N of them\n"
    "  rate=0.1        each with that probability\n"
    "  namespace=NAME  only that namespace\n"
    "  operation=NAME  only that operation\n"
    "  status=FAILED   only lists of deployments of that status\n"
    "\n"
    "Kinds and their own keys (defaults in brackets). Those of the first group replace the reply, "
    "and\n"
    "the first one that matches wins; those of the second change the listing and may come "
    "together.\n"
    "\n"
    "  status       code=[503], retry_after=SECONDS, error=CODE: a gateway error; the error code "
    "follows\n"
    "               the status if it is not given\n"
    "  throttle     ms=[1000], code=[429]: Throttling.User with x-acs-retry-after; ms=0 leaves it "
    "out\n"
    "  business     code=[990301], message=TEXT, mode=[false]|no-success|null-data: HTTP 200 with\n"
    "               success false, without success, or with success and null as data\n"
    "  html         code=[502]: a proxy's page\n"
    "  xml          code=[503], error=CODE: a gateway error in XML\n"
    "  empty        code=[200]: no body\n"
    "  malformed    the body is no JSON\n"
    "  truncate     bytes=[half of it], mode=[length]|chunked|eof: the body is cut: Content-Length "
    "says\n"
    "               more, the last chunk is missing, or only the end of the connection ends it\n"
    "  reset        bytes=[half of it]: the connection is reset in the middle of the body\n"
    "  hang         seconds=[3600], mode=[close]|reply|body: nothing is sent for so long, then "
    "the\n"
    "               connection closes, or the reply comes after all (a slow first byte); body: "
    "the\n"
    "               headers and half of the body come before\n"
    "  drip         bytes=[1], every_ms=[500]: the reply in small pieces\n"
    "  huge         size=[1GiB]: a body that goes on and on, in chunks\n"
    "  gzip-bomb    size=[300MiB]: as much, compressed\n"
    "  deep         depth=[100000]: nested arrays\n"
    "  redirect     to=URL, code=[307]\n"
    "\n"
    "  total-size   value=N | delta=N | mode=missing|negative|string|null|varying (also bare:\n"
    "               total-size:missing)\n"
    "  endless      mode=[repeat]|fresh: pages never end; behind the end the same deployments "
    "come\n"
    "               again, or others that do not exist\n"
    "  shift        mode=[alternate]|remove|insert|move: before each page but the first the "
    "world's\n"
    "               list loses its first deployment, gets a new one in front, or has its first "
    "one\n"
    "               moved to the end\n"
    "  invalid-utf8 names hold bytes that are not UTF-8";

static const char *const kind_names[FAULT_KIND_END] = {
    [FAULT_STATUS] = "status",
    [FAULT_THROTTLE] = "throttle",
    [FAULT_BUSINESS] = "business",
    [FAULT_HTML] = "html",
    [FAULT_XML] = "xml",
    [FAULT_EMPTY] = "empty",
    [FAULT_MALFORMED] = "malformed",
    [FAULT_TRUNCATE] = "truncate",
    [FAULT_RESET] = "reset",
    [FAULT_HANG] = "hang",
    [FAULT_DRIP] = "drip",
    [FAULT_HUGE] = "huge",
    [FAULT_GZIP_BOMB] = "gzip-bomb",
    [FAULT_DEEP] = "deep",
    [FAULT_REDIRECT] = "redirect",
    [FAULT_TOTAL_SIZE] = "total-size",
    [FAULT_ENDLESS] = "endless",
    [FAULT_SHIFT] = "shift",
    [FAULT_INVALID_UTF8] = "invalid-utf8",
};

const char *fault_kind_name(enum fault_kind kind)
{
    return kind_names[kind];
}

bool fault_kind_replaces_reply(enum fault_kind kind)
{
    return kind < FAULT_TOTAL_SIZE;
}

bool fault_needs_reply(enum fault_kind kind)
{
    return kind == FAULT_EMPTY || kind == FAULT_MALFORMED || kind == FAULT_TRUNCATE ||
           kind == FAULT_RESET || kind == FAULT_HANG || kind == FAULT_DRIP;
}

/* --- the text --- */

enum key_type { KEY_COUNT, KEY_NUMBER, KEY_SIZE, KEY_RATE, KEY_TEXT, KEY_MODE };

#define ALL  (~0U)
#define K(k) (1U << (k))

struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    size_t size; /* of a text's array */
    unsigned int kinds;
};

#define FIELD(member) offsetof(struct fault, member), sizeof(((struct fault *)0)->member)

static const struct key keys[] = {
    {"page", KEY_COUNT, FIELD(page), ALL},
    {"count", KEY_COUNT, FIELD(count), ALL},
    {"after", KEY_COUNT, FIELD(after), ALL},
    {"rate", KEY_RATE, FIELD(rate), ALL},
    {"namespace", KEY_TEXT, FIELD(ns), ALL},
    {"operation", KEY_TEXT, FIELD(operation), ALL},
    {"status", KEY_TEXT, FIELD(status), ALL},
    {"code", KEY_COUNT, FIELD(code),
     K(FAULT_STATUS) | K(FAULT_THROTTLE) | K(FAULT_HTML) | K(FAULT_XML) | K(FAULT_EMPTY) |
         K(FAULT_REDIRECT)},
    {"code", KEY_TEXT, FIELD(error), K(FAULT_BUSINESS)},
    {"error", KEY_TEXT, FIELD(error), K(FAULT_STATUS) | K(FAULT_XML)},
    {"message", KEY_TEXT, FIELD(message), K(FAULT_BUSINESS)},
    {"retry_after", KEY_COUNT, FIELD(retry_after_s), K(FAULT_STATUS)},
    {"ms", KEY_COUNT, FIELD(ms), K(FAULT_THROTTLE)},
    {"bytes", KEY_COUNT, FIELD(bytes), K(FAULT_TRUNCATE) | K(FAULT_RESET) | K(FAULT_DRIP)},
    {"every_ms", KEY_COUNT, FIELD(every_ms), K(FAULT_DRIP)},
    {"seconds", KEY_COUNT, FIELD(seconds), K(FAULT_HANG)},
    {"size", KEY_SIZE, FIELD(size), K(FAULT_HUGE) | K(FAULT_GZIP_BOMB)},
    {"depth", KEY_COUNT, FIELD(depth), K(FAULT_DEEP)},
    {"to", KEY_TEXT, FIELD(to), K(FAULT_REDIRECT)},
    {"value", KEY_NUMBER, FIELD(value), K(FAULT_TOTAL_SIZE)},
    {"delta", KEY_NUMBER, FIELD(delta), K(FAULT_TOTAL_SIZE)},
    {"mode", KEY_MODE, FIELD(mode),
     K(FAULT_BUSINESS) | K(FAULT_TRUNCATE) | K(FAULT_HANG) | K(FAULT_TOTAL_SIZE) |
         K(FAULT_ENDLESS) | K(FAULT_SHIFT)},
};

/* The modes of a kind, the default first; "" where doing without is the default. */
static const char *const modes[FAULT_KIND_END][7] = {
    [FAULT_BUSINESS] = {"false", "no-success", "null-data"},
    [FAULT_TRUNCATE] = {"length", "chunked", "eof"},
    [FAULT_HANG] = {"close", "reply", "body"},
    [FAULT_TOTAL_SIZE] = {"", "missing", "negative", "string", "null", "varying"},
    [FAULT_ENDLESS] = {"repeat", "fresh"},
    [FAULT_SHIFT] = {"alternate", "remove", "insert", "move"},
};

static const char *find_mode(enum fault_kind kind, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(modes[kind]) && modes[kind][i]; i++) {
        if (*text && strcmp(modes[kind][i], text) == 0)
            return modes[kind][i];
    }
    return NULL;
}

static const struct key *find_key(enum fault_kind kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i].name, name) == 0 && keys[i].kinds & K(kind))
            return &keys[i];
    }
    return NULL;
}

static int parse_number(const char *text, bool negative_allowed, int64_t *ret)
{
    bool negative = negative_allowed && *text == '-';
    uint64_t v;
    if (quantity_parse_u64(text + negative, &v) < 0 || v > INT64_MAX)
        return -1;
    *ret = negative ? -(int64_t)v : (int64_t)v;
    return 0;
}

static int parse_rate(const char *text, double *ret)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= 0 && v <= 1))
        return -1;
    *ret = v;
    return 0;
}

static int set_key(struct fault *f, const struct key *key, const char *value)
{
    char *field = (char *)f + key->offset;
    int64_t number = 0;
    double rate = 0;
    switch (key->type) {
    case KEY_COUNT:
    case KEY_NUMBER:
    case KEY_SIZE:
        if (key->type == KEY_SIZE ? quantity_parse_bytes(value, &number) < 0
                                  : parse_number(value, key->type == KEY_NUMBER, &number) < 0)
            return -1;
        memcpy(field, &number, sizeof(number));
        return 0;
    case KEY_RATE:
        if (parse_rate(value, &rate) < 0)
            return -1;
        memcpy(field, &rate, sizeof(rate));
        return 0;
    case KEY_TEXT:
        if (!*value || strlen(value) >= key->size)
            return -1;
        memcpy(field, value, strlen(value) + 1);
        return 0;
    case KEY_MODE:
        f->mode = find_mode(f->kind, value);
        return f->mode ? 0 : -1;
    }
    return -1;
}

static int parse_pair(struct fault *f, char *pair, struct err *err)
{
    char *value = strchr(pair, '=');
    if (!value && find_mode(f->kind, pair)) {
        f->mode = find_mode(f->kind, pair);
        return 0;
    }
    if (!value)
        return err_set(err, ERR_CONF, "fault '%s': '%s' is no key=value", f->spec, pair);
    *value++ = '\0';
    const struct key *key = find_key(f->kind, pair);
    if (!key)
        return err_set(err, ERR_CONF, "fault '%s': %s has no key '%s'", f->spec,
                       kind_names[f->kind], pair);
    if (set_key(f, key, value) < 0)
        return err_set(err, ERR_CONF, "fault '%s': %s cannot be '%s'", f->spec, pair, value);
    return 0;
}

static void set_defaults(struct fault *f)
{
    static const int64_t codes[FAULT_KIND_END] = {
        [FAULT_STATUS] = 503, [FAULT_THROTTLE] = 429, [FAULT_HTML] = 502,
        [FAULT_XML] = 503,    [FAULT_EMPTY] = 200,    [FAULT_REDIRECT] = 307,
    };
    f->count = FAULT_UNSET;
    f->rate = 1;
    f->code = codes[f->kind];
    f->retry_after_s = FAULT_UNSET;
    f->ms = 1000;
    f->bytes = f->kind == FAULT_DRIP ? 1 : FAULT_UNSET;
    f->seconds = 3600;
    f->every_ms = 500;
    f->size = f->kind == FAULT_HUGE ? (int64_t)1 << 30 : (int64_t)300 << 20;
    f->depth = 100000;
    f->value = FAULT_UNSET;
    f->delta = FAULT_UNSET;
    f->mode = modes[f->kind][0] ? modes[f->kind][0] : "";
    if (f->kind == FAULT_BUSINESS)
        snprintf(f->error, sizeof(f->error), "990301");
}

static int check_whole(const struct fault *f, struct err *err)
{
    if (f->kind == FAULT_REDIRECT && !*f->to)
        return err_set(err, ERR_CONF, "fault '%s': redirect needs to=URL", f->spec);
    if (f->code && (f->code < 100 || f->code > 599))
        return err_set(err, ERR_CONF, "fault '%s': code is no HTTP status", f->spec);
    if (f->kind == FAULT_DEEP && f->depth > 50000000)
        return err_set(err, ERR_CONF, "fault '%s': depth is more than 50000000", f->spec);
    if (f->kind == FAULT_GZIP_BOMB && f->size > (int64_t)1 << 40)
        return err_set(err, ERR_CONF, "fault '%s': size is more than 1TiB", f->spec);
    if (f->kind == FAULT_DRIP && (f->bytes < 1 || f->every_ms < 1))
        return err_set(err, ERR_CONF, "fault '%s': bytes and every_ms start at 1", f->spec);
    if (f->kind == FAULT_TOTAL_SIZE && !*f->mode && f->value == FAULT_UNSET &&
        f->delta == FAULT_UNSET)
        return err_set(err, ERR_CONF, "fault '%s': total-size needs value, delta or mode", f->spec);
    return 0;
}

int fault_parse(const char *spec, struct fault *ret, struct err *err)
{
    struct fault f = {0};
    if (strlen(spec) >= sizeof(f.spec))
        return err_set(err, ERR_CONF, "a fault's text is longer than %zu bytes", sizeof(f.spec));
    snprintf(f.spec, sizeof(f.spec), "%s", spec);
    size_t name_len = strcspn(spec, ":");
    size_t kind = 0;
    while (kind < FAULT_KIND_END &&
           (strlen(kind_names[kind]) != name_len || strncmp(kind_names[kind], spec, name_len) != 0))
        kind++;
    if (kind == FAULT_KIND_END)
        return err_set(err, ERR_CONF, "there is no fault '%.*s'", (int)name_len, spec);
    f.kind = (enum fault_kind)kind;
    set_defaults(&f);

    char pairs[sizeof(f.spec)];
    snprintf(pairs, sizeof(pairs), "%s", spec[name_len] ? spec + name_len + 1 : "");
    for (char *at = pairs; *at;) {
        size_t len = strcspn(at, ",");
        bool more = at[len] == ',';
        at[len] = '\0';
        if (parse_pair(&f, at, err) < 0)
            return -1;
        at += len + more;
    }
    if (check_whole(&f, err) < 0)
        return -1;
    *ret = f;
    return 0;
}

/* --- the set --- */

struct fault_set {
    pthread_mutex_t mu;
    struct rng rng;
    struct fault *faults;
    size_t n;
    uint64_t shifts;
};

struct fault_set *fault_set_new(uint64_t seed)
{
    struct fault_set *s = calloc(1, sizeof(*s));
    if (s && pthread_mutex_init(&s->mu, NULL) != 0) {
        free(s);
        return NULL;
    }
    if (s)
        s->rng.state = seed;
    return s;
}

void fault_set_free(struct fault_set *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->mu);
    free(s->faults);
    free(s);
}

int fault_set_replace(struct fault_set *s, const struct fault *faults, size_t n, struct err *err)
{
    struct fault *copy = malloc((n ? n : 1) * sizeof(*copy));
    if (!copy)
        return err_nomem(err, "faults");
    if (n)
        memcpy(copy, faults, n * sizeof(*copy));
    pthread_mutex_lock(&s->mu);
    struct fault *old = s->faults;
    s->faults = copy;
    s->n = n;
    pthread_mutex_unlock(&s->mu);
    free(old);
    return 0;
}

int fault_set_add(struct fault_set *s, const struct fault *fault, struct err *err)
{
    pthread_mutex_lock(&s->mu);
    struct fault *grown = realloc(s->faults, (s->n + 1) * sizeof(*grown));
    if (grown) {
        s->faults = grown;
        s->faults[s->n++] = *fault;
    }
    pthread_mutex_unlock(&s->mu);
    return grown ? 0 : err_nomem(err, "faults");
}

/* Does this fault strike now? Its counters say how far it is. */
static bool strikes(struct fault_set *s, struct fault *f, const struct fault_request *r,
                    bool too_late)
{
    if ((f->page && f->page != r->page) || (*f->ns && strcmp(f->ns, r->ns) != 0) ||
        (*f->operation && strcmp(f->operation, r->operation) != 0) ||
        (*f->status && strcmp(f->status, r->status ? r->status : "") != 0))
        return false;
    f->n_matched++;
    if (too_late || (int64_t)f->n_matched <= f->after)
        return false;
    if (f->count != FAULT_UNSET && (int64_t)f->n_applied >= f->count)
        return false;
    if (f->kind == FAULT_SHIFT && r->page <= 1)
        return false;
    if (f->rate < 1 && !rng_chance(&s->rng, f->rate))
        return false;
    f->n_applied++;
    return true;
}

static void take_effect(struct fault_set *s, const struct fault *f, struct fault_effects *e)
{
    switch (f->kind) {
    case FAULT_TOTAL_SIZE:
        e->total_size = true;
        e->total = *f;
        break;
    case FAULT_ENDLESS:
        e->endless = true;
        e->endless_fresh = strcmp(f->mode, "fresh") == 0;
        break;
    case FAULT_SHIFT:
        e->shift = true;
        e->shift_mode = f->mode;
        e->shift_number = s->shifts++;
        break;
    case FAULT_INVALID_UTF8:
        e->invalid_utf8 = true;
        break;
    default:
        e->replaces_reply = true;
        e->reply = *f;
        break;
    }
}

void fault_set_match(struct fault_set *s, const struct fault_request *request,
                     struct fault_effects *ret)
{
    *ret = (struct fault_effects){0};
    pthread_mutex_lock(&s->mu);
    for (size_t i = 0; i < s->n; i++) {
        struct fault *f = &s->faults[i];
        bool too_late = fault_kind_replaces_reply(f->kind) && ret->replaces_reply;
        if (strikes(s, f, request, too_late))
            take_effect(s, f, ret);
    }
    pthread_mutex_unlock(&s->mu);
}

void fault_set_render(struct fault_set *s, struct strbuf *out)
{
    pthread_mutex_lock(&s->mu);
    strbuf_addc(out, '[');
    for (size_t i = 0; i < s->n; i++) {
        strbuf_adds(out, i ? ",{\"spec\":" : "{\"spec\":");
        json_add_cstring(out, s->faults[i].spec);
        strbuf_addf(out, ",\"matched\":%llu,\"applied\":%llu}",
                    (unsigned long long)s->faults[i].n_matched,
                    (unsigned long long)s->faults[i].n_applied);
    }
    strbuf_addc(out, ']');
    pthread_mutex_unlock(&s->mu);
}
