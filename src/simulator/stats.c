#include "stats.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json_text.h"

#define MAX_COUNTERS 64

static const char *const kind_names[] = {"api", "sts", "metadata", "credentials_uri"};

struct counter {
    char key[64];
    char sub[16];
    uint64_t n;
};

struct counters {
    struct counter list[MAX_COUNTERS];
    size_t n;
};

struct entry {
    uint64_t seq;
    int64_t at_ms;
    int64_t took_ms; /* -1: not over yet */
    char method[16];
    enum stats_kind kind;
    char path[1024];
    char query[512];
    char operation[48];
    char code[64];
    char fault[16];
    int status;
};

struct stats {
    pthread_mutex_t mu;
    int64_t start_mono_ms;
    int64_t start_unix_ms;
    uint64_t requests;
    uint64_t opened;
    int64_t open;
    int64_t in_flight;
    int64_t in_flight_max;
    struct counters calls;
    struct counters rejections;
    struct counters faulted;
    struct counters exchanges;
    uint64_t next_seq;
    struct entry log[STATS_LOG_LEN];
};

struct stats *stats_new(void)
{
    struct stats *s = calloc(1, sizeof(*s));
    if (!s || pthread_mutex_init(&s->mu, NULL) != 0) {
        free(s);
        return NULL;
    }
    s->start_mono_ms = clock_mono_ms();
    s->start_unix_ms = clock_unix_ms();
    s->next_seq = 1;
    return s;
}

void stats_free(struct stats *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->mu);
    free(s);
}

void stats_reset(struct stats *s)
{
    pthread_mutex_lock(&s->mu);
    s->requests = 0;
    s->opened = 0;
    s->in_flight_max = s->in_flight;
    s->calls.n = s->rejections.n = s->faulted.n = s->exchanges.n = 0;
    for (size_t i = 0; i < STATS_LOG_LEN; i++)
        s->log[i].seq = 0;
    pthread_mutex_unlock(&s->mu);
}

void stats_connection(struct stats *s, int opened)
{
    pthread_mutex_lock(&s->mu);
    s->opened += opened ? 1 : 0;
    s->open += opened ? 1 : -1;
    pthread_mutex_unlock(&s->mu);
}

/* What comes when the table is full is counted in its last row. */
static void count(struct counters *c, const char *key, const char *sub)
{
    size_t i = 0;
    while (i < c->n && (strcmp(c->list[i].key, key) != 0 || strcmp(c->list[i].sub, sub) != 0))
        i++;
    if (i == MAX_COUNTERS) {
        i = MAX_COUNTERS - 1;
    } else if (i == c->n) {
        bool last = i == MAX_COUNTERS - 1;
        snprintf(c->list[i].key, sizeof(c->list[i].key), "%.63s", last ? "other" : key);
        snprintf(c->list[i].sub, sizeof(c->list[i].sub), "%.15s", last ? "" : sub);
        c->list[i].n = 0;
        c->n++;
    }
    c->list[i].n++;
}

uint64_t stats_request_begin(struct stats *s, enum stats_kind kind, const char *method,
                             const char *path, const char *query)
{
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&s->mu);
    uint64_t seq = s->next_seq++;
    s->requests += kind == STATS_API;
    s->in_flight += kind == STATS_API;
    if (s->in_flight > s->in_flight_max)
        s->in_flight_max = s->in_flight;
    struct entry *e = &s->log[seq % STATS_LOG_LEN];
    *e = (struct entry){.seq = seq, .kind = kind, .at_ms = now - s->start_mono_ms, .took_ms = -1};
    snprintf(e->method, sizeof(e->method), "%.15s", method);
    snprintf(e->path, sizeof(e->path), "%.1023s", path);
    snprintf(e->query, sizeof(e->query), "%.511s", query);
    pthread_mutex_unlock(&s->mu);
    return seq;
}

void stats_request_decided(struct stats *s, uint64_t seq, const struct stats_end *end)
{
    pthread_mutex_lock(&s->mu);
    const char *operation = end->operation ? end->operation : "unknown";
    if (end->kind == STATS_API)
        count(&s->calls, operation, end->method);
    else
        count(&s->exchanges, operation, *end->code ? "failed" : "ok");
    if (*end->code && end->kind == STATS_API)
        count(&s->rejections, end->code, "");
    if (end->fault)
        count(&s->faulted, end->fault, "");
    struct entry *e = &s->log[seq % STATS_LOG_LEN];
    if (e->seq == seq) {
        e->status = end->status;
        snprintf(e->operation, sizeof(e->operation), "%s", end->operation ? end->operation : "");
        snprintf(e->code, sizeof(e->code), "%.63s", end->code);
        snprintf(e->fault, sizeof(e->fault), "%s", end->fault ? end->fault : "");
    }
    pthread_mutex_unlock(&s->mu);
}

void stats_request_end(struct stats *s, enum stats_kind kind, uint64_t seq)
{
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&s->mu);
    s->in_flight -= kind == STATS_API;
    struct entry *e = &s->log[seq % STATS_LOG_LEN];
    if (e->seq == seq)
        e->took_ms = now - s->start_mono_ms - e->at_ms;
    pthread_mutex_unlock(&s->mu);
}

static void render_flat(const struct counters *c, struct strbuf *out)
{
    strbuf_addc(out, '{');
    for (size_t i = 0; i < c->n; i++) {
        strbuf_adds(out, i ? "," : "");
        json_add_cstring(out, c->list[i].key);
        strbuf_addc(out, ':');
        strbuf_add_u64(out, c->list[i].n);
    }
    strbuf_addc(out, '}');
}

/* {"ListDeployments": {"GET": 3}}: rows of one key may lie apart. */
static void render_calls(const struct counters *c, struct strbuf *out)
{
    strbuf_addc(out, '{');
    size_t start = out->len;
    for (size_t i = 0; i < c->n; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || strcmp(c->list[k].key, c->list[i].key) == 0;
        if (seen)
            continue;
        strbuf_adds(out, out->len > start ? "," : "");
        json_add_cstring(out, c->list[i].key);
        char before = '{';
        strbuf_addc(out, ':');
        for (size_t k = i; k < c->n; k++) {
            if (strcmp(c->list[k].key, c->list[i].key) != 0)
                continue;
            strbuf_addc(out, before);
            json_add_cstring(out, c->list[k].sub);
            strbuf_addc(out, ':');
            strbuf_add_u64(out, c->list[k].n);
            before = ',';
        }
        strbuf_addc(out, '}');
    }
    strbuf_addc(out, '}');
}

void stats_render(struct stats *s, struct strbuf *out)
{
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&s->mu);
    strbuf_adds(out, "\"start_unix_ms\":");
    strbuf_add_i64(out, s->start_unix_ms);
    strbuf_adds(out, ",\"uptime_ms\":");
    strbuf_add_i64(out, now - s->start_mono_ms);
    strbuf_adds(out, ",\"requests\":");
    strbuf_add_u64(out, s->requests);
    strbuf_adds(out, ",\"calls\":");
    render_calls(&s->calls, out);
    strbuf_adds(out, ",\"exchanges\":");
    render_calls(&s->exchanges, out);
    strbuf_adds(out, ",\"rejections\":");
    render_flat(&s->rejections, out);
    strbuf_adds(out, ",\"faulted\":");
    render_flat(&s->faulted, out);
    strbuf_adds(out, ",\"connections_opened\":");
    strbuf_add_u64(out, s->opened);
    strbuf_adds(out, ",\"connections_open\":");
    strbuf_add_i64(out, s->open);
    strbuf_adds(out, ",\"in_flight\":");
    strbuf_add_i64(out, s->in_flight);
    strbuf_adds(out, ",\"in_flight_max\":");
    strbuf_add_i64(out, s->in_flight_max);
    pthread_mutex_unlock(&s->mu);
}

static void add_string_member(struct strbuf *out, const char *key, const char *value)
{
    strbuf_addf(out, ",\"%s\":", key);
    json_add_cstring(out, value);
}

static void render_entry(const struct entry *e, struct strbuf *out)
{
    strbuf_addf(out, "{\"seq\":%llu,\"ms\":%lld,\"took_ms\":", (unsigned long long)e->seq,
                (long long)e->at_ms);
    if (e->took_ms < 0)
        strbuf_adds(out, "null");
    else
        strbuf_add_i64(out, e->took_ms);
    strbuf_addf(out, ",\"status\":%d", e->status);
    add_string_member(out, "kind", kind_names[e->kind]);
    add_string_member(out, "method", e->method);
    add_string_member(out, "path", e->path);
    add_string_member(out, "query", e->query);
    add_string_member(out, "operation", e->operation);
    add_string_member(out, "code", e->code);
    add_string_member(out, "fault", e->fault);
    strbuf_addc(out, '}');
}

void stats_render_log(struct stats *s, uint64_t since, struct strbuf *out)
{
    pthread_mutex_lock(&s->mu);
    strbuf_addc(out, '[');
    size_t start = out->len;
    uint64_t first = s->next_seq > STATS_LOG_LEN ? s->next_seq - STATS_LOG_LEN : 1;
    for (uint64_t seq = first > since ? first : since; seq < s->next_seq; seq++) {
        const struct entry *e = &s->log[seq % STATS_LOG_LEN];
        if (e->seq != seq)
            continue;
        strbuf_adds(out, out->len > start ? ",\n" : "");
        render_entry(e, out);
    }
    strbuf_addc(out, ']');
    pthread_mutex_unlock(&s->mu);
}
