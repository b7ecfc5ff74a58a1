/*
 * A line is formatted by its caller into memory on the caller's stack; no allocation, so that
 * running out of memory can still be told. Then it goes into a ring of bytes under a mutex, and
 * one writer thread moves the ring to stderr. The writer writes straight out of the ring without
 * the mutex: producers touch only the free part, and the written part becomes free afterwards.
 *
 * The mode says who writes:
 *
 *     DIRECT --log_start--> QUEUED --log_stop--> STOPPING --writer is done--> DIRECT
 *                                                    \--a second passed--> ABANDONED --> DIRECT
 *
 * ABANDONED means that the writer hangs in write(2), perhaps for ever. Whoever wrote directly now
 * would hang too, so lines are dropped until the writer comes back. The ring is static memory for
 * the same reason: the writer may outlive everything but the process.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

enum {
    LINE_MAX_BYTES = 8 * 1024,
    MSG_MAX_BYTES = 4 * 1024, /* escaped; leaves room for fields behind any message */
    VALUE_MAX_BYTES = 2 * 1024,
    NOTE_MAX_BYTES = 256, /* the line that says how many lines are missing */
    RING_BYTES = 256 * 1024,
    WRITE_MAX_BYTES = 16 * 1024, /* per write(2): the ring gets free in steps even on a slow pipe */
    STOP_WAIT_MS = 1000,
};

static const char *const level_names[LOG_LEVEL_END] = {"debug", "info", "warn", "error"};

enum mode { MODE_DIRECT, MODE_QUEUED, MODE_STOPPING, MODE_ABANDONED };

static struct {
    pthread_mutex_t mu; /* protects all below, and the ring */
    pthread_cond_t filled;
    pthread_cond_t ended; /* set up by the first log_start(): it needs the monotonic clock */
    bool ended_ready;
    enum mode mode;
    pthread_t writer;
    size_t head; /* first used byte of the ring */
    size_t used;
    uint64_t n_unreported; /* dropped and not yet told in the log */
    bool failing;          /* the last write failed: telling it now would only lose the count */
} queue = {.mu = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

/* Apart from the struct, so that it is zeroed pages and not bytes of the program file. */
static char ring[RING_BYTES];

static _Atomic(enum log_level) lowest_level = LOG_INFO;
static _Atomic(enum log_format) line_format = LOG_LOGFMT;
static atomic_uint_fast64_t n_lines[LOG_LEVEL_END];
static atomic_uint_fast64_t n_dropped;

/* --- setup --- */

void log_setup(enum log_level lowest, enum log_format format)
{
    atomic_store_explicit(&lowest_level, lowest, memory_order_relaxed);
    atomic_store_explicit(&line_format, format, memory_order_relaxed);
}

bool log_level_parse(const char *s, enum log_level *ret)
{
    for (int i = 0; i < LOG_LEVEL_END; i++) {
        if (strcmp(s, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *s, enum log_format *ret)
{
    if (strcmp(s, "logfmt") == 0)
        *ret = LOG_LOGFMT;
    else if (strcmp(s, "json") == 0)
        *ret = LOG_JSON;
    else
        return false;
    return true;
}

const char *log_level_name(enum log_level level)
{
    assert(level >= LOG_DEBUG && level < LOG_LEVEL_END);
    return level_names[level];
}

bool log_enabled(enum log_level level)
{
    return level >= atomic_load_explicit(&lowest_level, memory_order_relaxed);
}

uint64_t log_lines_total(enum log_level level)
{
    assert(level >= LOG_DEBUG && level < LOG_LEVEL_END);
    return atomic_load_explicit(&n_lines[level], memory_order_relaxed);
}

uint64_t log_dropped_total(void)
{
    return atomic_load_explicit(&n_dropped, memory_order_relaxed);
}

/* --- one line --- */

/* What may follow a text that was cut: the mark, the quote, the brace and the newline. */
static const char CUT_MARK[] = "...";
enum { LINE_TAIL_BYTES = sizeof("...\"}\n") - 1 };

struct line {
    char *buf;
    size_t size;
    size_t len;
    bool json;
};

/* For text known to fit: names, quotes, the tail. */
static void line_add(struct line *l, const char *s, size_t n)
{
    assert(n <= l->size - l->len);
    memcpy(l->buf + l->len, s, n);
    l->len += n;
}

static void line_adds(struct line *l, const char *s)
{
    line_add(l, s, strlen(s));
}

/* A character as it stands between quotes. */
struct escaped {
    char bytes[8];
    size_t len;
    size_t n_read; /* bytes of the source that it stands for */
};

static struct escaped escape_control(unsigned code, size_t n_read)
{
    static const char hex[] = "0123456789abcdef";

    return (struct escaped){
        .bytes = {'\\', 'u', '0', '0', hex[code >> 4], hex[code & 0xf]},
        .len = 6,
        .n_read = n_read,
    };
}

/* Control characters (C0, DEL and C1) never reach the log: they could drive a terminal. */
static struct escaped escape_next(const char *s, size_t len)
{
    unsigned char c = (unsigned char)s[0];
    size_t n = utf8_sequence_len(s, len);

    if (n == 0)
        return (struct escaped){.bytes = "\xef\xbf\xbd", .len = 3, .n_read = 1};
    if (c == '"' || c == '\\')
        return (struct escaped){.bytes = {'\\', (char)c}, .len = 2, .n_read = 1};
    if (c == '\n' || c == '\t')
        return (struct escaped){.bytes = {'\\', c == '\n' ? 'n' : 't'}, .len = 2, .n_read = 1};
    if (c < 0x20 || c == 0x7f)
        return escape_control(c, 1);
    if (c == 0xc2 && (unsigned char)s[1] < 0xa0)
        return escape_control((unsigned char)s[1], 2);

    struct escaped plain = {.len = n, .n_read = n};
    memcpy(plain.bytes, s, n);
    return plain;
}

/* The text in quotes, at most max bytes of it and no more than the line has room for. */
static void line_add_quoted(struct line *l, const char *s, size_t len, size_t max)
{
    line_add(l, "\"", 1);
    size_t end = l->size - LINE_TAIL_BYTES;
    if (end > l->len && max < end - l->len)
        end = l->len + max;
    while (len > 0) {
        struct escaped e = escape_next(s, len);

        if (l->len + e.len > end) {
            line_adds(l, CUT_MARK);
            break;
        }
        line_add(l, e.bytes, e.len);
        s += e.n_read;
        len -= e.n_read;
    }
    line_add(l, "\"", 1);
}

static bool needs_quotes(const char *s, size_t len)
{
    if (len == 0)
        return true;
    while (len > 0) {
        struct escaped e = escape_next(s, len);

        if (*s == ' ' || *s == '=' || e.len != e.n_read || e.bytes[0] != *s)
            return true;
        s += e.n_read;
        len -= e.n_read;
    }
    return false;
}

/* Keys are ours, so this changes none; but a line is valid whatever a caller does. */
static void line_add_key(struct line *l, const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = key[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '.' || c == '-';

        line_add(l, plain ? &c : "_", 1);
    }
}

/* The start of a field: `,"key":` or ` key=`. */
static void line_add_name(struct line *l, const char *key, size_t len)
{
    line_adds(l, l->json ? ",\"" : " ");
    line_add_key(l, key, len);
    line_adds(l, l->json ? "\":" : "=");
}

static void line_add_field(struct line *l, const char *key, const char *value)
{
    size_t key_len = strlen(key);
    size_t value_len = strnlen(value, VALUE_MAX_BYTES + 1);
    size_t overhead = key_len + sizeof(",\"\":\"\"");

    /* A field without room for a piece of its value is left out. */
    if (l->len + overhead + sizeof("\\u0000") + LINE_TAIL_BYTES > l->size)
        return;
    line_add_name(l, key, key_len);
    bool fits = value_len <= VALUE_MAX_BYTES && l->len + value_len + LINE_TAIL_BYTES <= l->size;
    if (!l->json && fits && !needs_quotes(value, value_len))
        line_add(l, value, value_len);
    else
        line_add_quoted(l, value, value_len, VALUE_MAX_BYTES);
}

static void line_format_all(struct line *l, enum log_level level, const struct log_field *fields,
                            const char *msg)
{
    char ts[CLOCK_ISO8601_LEN];
    const char *quote = l->json ? "\"" : "";

    (void)clock_format_iso8601(ts, clock_unix_ms(), 1);
    line_adds(l, l->json ? "{\"ts\":\"" : "ts=");
    line_adds(l, ts);
    line_adds(l, quote);
    line_add_name(l, "level", strlen("level"));
    line_adds(l, quote);
    line_adds(l, level_names[level]);
    line_adds(l, quote);
    line_add_name(l, "msg", strlen("msg"));
    line_add_quoted(l, msg, strlen(msg), MSG_MAX_BYTES);
    for (; fields && fields->key; fields++) {
        if (fields->value)
            line_add_field(l, fields->key, fields->value);
    }
    line_adds(l, l->json ? "}\n" : "\n");
}

/* The line that accounts for n dropped ones, in buf of NOTE_MAX_BYTES; returns its length. */
static size_t format_note(char *buf, bool json, uint64_t n)
{
    char count[sizeof("18446744073709551615")];
    struct line l = {.buf = buf, .size = NOTE_MAX_BYTES, .json = json};

    (void)snprintf(count, sizeof(count), "%" PRIu64, n);
    line_format_all(&l, LOG_WARN, LOG_FIELDS({"count", count}), "log lines dropped");
    return l.len;
}

/* --- to stderr --- */

/* At least one byte, or -1: the reader is gone, the disk is full, the descriptor is closed. */
static ssize_t write_some(const char *bytes, size_t n)
{
    for (;;) {
        ssize_t written = write(STDERR_FILENO, bytes, n);

        if (written > 0)
            return written;
        if (written == 0)
            return -1;
        if (errno == EAGAIN) {
            struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

static bool write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write_some(bytes, n);

        if (written < 0)
            return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

/* --- the queue; everything down to writer_main wants the mutex held --- */

static void count_dropped(uint64_t n)
{
    queue.n_unreported += n;
    atomic_fetch_add_explicit(&n_dropped, n, memory_order_relaxed);
}

static void ring_put(const char *bytes, size_t n)
{
    size_t tail = (queue.head + queue.used) % RING_BYTES;
    size_t first = n < RING_BYTES - tail ? n : RING_BYTES - tail;

    memcpy(ring + tail, bytes, first);
    memcpy(ring, bytes + first, n - first);
    queue.used += n;
}

static void ring_consume(size_t n)
{
    queue.head = (queue.head + n) % RING_BYTES;
    queue.used -= n;
}

/* How much to write at once: whole lines as far as they lie in one piece. */
static size_t ring_next_write(void)
{
    size_t n = queue.used < WRITE_MAX_BYTES ? queue.used : WRITE_MAX_BYTES;

    if (n > RING_BYTES - queue.head)
        n = RING_BYTES - queue.head;
    const char *newline = memrchr(ring + queue.head, '\n', n);
    return newline ? (size_t)(newline - (ring + queue.head)) + 1 : n;
}

/* stderr refuses: what waits for it would be refused too. */
static void ring_drop_all(void)
{
    uint64_t n = 0;

    for (size_t i = 0; i < queue.used; i++)
        n += ring[(queue.head + i) % RING_BYTES] == '\n';
    ring_consume(queue.used);
    count_dropped(n);
    queue.failing = true;
}

static bool enqueue(const struct line *l)
{
    size_t room = RING_BYTES - queue.used;
    bool tell = queue.n_unreported > 0 && !queue.failing;

    if (room < l->len + (tell ? NOTE_MAX_BYTES : 0))
        return false;
    if (tell) {
        char note[NOTE_MAX_BYTES];
        size_t note_len = format_note(note, l->json, queue.n_unreported);

        ring_put(note, note_len);
        queue.n_unreported = 0;
    }
    ring_put(l->buf, l->len);
    (void)pthread_cond_signal(&queue.filled);
    return true;
}

static void *writer_main(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&queue.mu);
    for (;;) {
        while (queue.used == 0 && queue.mode == MODE_QUEUED)
            (void)pthread_cond_wait(&queue.filled, &queue.mu);
        if (queue.used == 0)
            break;
        const char *bytes = ring + queue.head;
        size_t n = ring_next_write();
        (void)pthread_mutex_unlock(&queue.mu);
        ssize_t written = write_some(bytes, n);
        (void)pthread_mutex_lock(&queue.mu);
        if (written < 0) {
            ring_drop_all();
        } else {
            ring_consume((size_t)written);
            queue.failing = false;
        }
    }
    queue.mode = MODE_DIRECT;
    (void)pthread_cond_signal(&queue.ended);
    (void)pthread_mutex_unlock(&queue.mu);
    return NULL;
}

/* The thread gets no signals: they are for the one that waits for them. */
static int start_writer(void)
{
    sigset_t all;
    sigset_t old;

    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
        return -1;
    int rc = pthread_create(&queue.writer, NULL, writer_main, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        return -1;
    (void)pthread_setname_np(queue.writer, "log");
    return 0;
}

/* --- start, stop, write --- */

int log_start(void)
{
    int rc = -1;

    (void)pthread_mutex_lock(&queue.mu);
    if (!queue.ended_ready)
        queue.ended_ready = clock_cond_init(&queue.ended) == 0;
    if (queue.mode == MODE_QUEUED) {
        rc = 0;
    } else if (queue.mode == MODE_DIRECT && queue.ended_ready && start_writer() == 0) {
        queue.mode = MODE_QUEUED;
        rc = 0;
    }
    (void)pthread_mutex_unlock(&queue.mu);
    return rc;
}

void log_stop(void)
{
    int64_t deadline_ms = clock_mono_ms() + STOP_WAIT_MS;

    (void)pthread_mutex_lock(&queue.mu);
    if (queue.mode != MODE_QUEUED) {
        (void)pthread_mutex_unlock(&queue.mu);
        return;
    }
    pthread_t writer = queue.writer;
    queue.mode = MODE_STOPPING;
    (void)pthread_cond_signal(&queue.filled);
    while (queue.mode == MODE_STOPPING) {
        if (clock_cond_wait_until(&queue.ended, &queue.mu, deadline_ms) == ETIMEDOUT)
            break;
    }
    bool done = queue.mode == MODE_DIRECT;
    if (!done)
        queue.mode = MODE_ABANDONED;
    (void)pthread_mutex_unlock(&queue.mu);
    if (done)
        (void)pthread_join(writer, NULL);
    else
        (void)pthread_detach(writer);
}

/* Called with the mutex, which it gives up to write. True if the line was written. */
static bool write_direct(const struct line *l)
{
    uint64_t n_unreported = queue.n_unreported;
    char note[NOTE_MAX_BYTES];
    bool written = true;

    queue.n_unreported = 0;
    (void)pthread_mutex_unlock(&queue.mu);
    if (n_unreported > 0) {
        size_t note_len = format_note(note, l->json, n_unreported);

        written = write_all(note, note_len);
    }
    bool told = written;
    written = written && write_all(l->buf, l->len);
    (void)pthread_mutex_lock(&queue.mu);
    if (!told)
        queue.n_unreported += n_unreported;
    queue.failing = !written;
    return written;
}

static void submit(enum log_level level, const struct line *l)
{
    bool accepted = false;

    (void)pthread_mutex_lock(&queue.mu);
    switch (queue.mode) {
    case MODE_DIRECT:
        accepted = write_direct(l);
        break;
    case MODE_QUEUED:
    case MODE_STOPPING:
        accepted = enqueue(l);
        break;
    case MODE_ABANDONED:
        break;
    }
    if (accepted)
        atomic_fetch_add_explicit(&n_lines[level], 1, memory_order_relaxed);
    else
        count_dropped(1);
    (void)pthread_mutex_unlock(&queue.mu);
}

void log_write(enum log_level level, const struct log_field *fields, const char *fmt, ...)
{
    /* Longer than what is shown of it, so that cutting never meets half a character at its end. */
    char msg[MSG_MAX_BYTES + 8];
    char buf[LINE_MAX_BYTES];
    va_list ap;

    assert(level >= LOG_DEBUG && level < LOG_LEVEL_END);
    if (!log_enabled(level))
        return;
    int saved_errno = errno;
    va_start(ap, fmt);
    if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
        msg[0] = '\0';
    va_end(ap);

    bool json = atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON;
    struct line l = {.buf = buf, .size = sizeof(buf), .json = json};
    line_format_all(&l, level, fields, msg);
    submit(level, &l);
    errno = saved_errno;
}
