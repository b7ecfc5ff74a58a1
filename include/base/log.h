/*
 * The log: one line per event to stderr, logfmt or JSON.
 *
 * Any thread may log. Until log_start() lines are written at once by the caller; from then on
 * they pass through a bounded queue to a writer thread, so that a full pipe or a slow disk behind
 * stderr never holds up a refresh or a scrape: when the queue is full the line is dropped and
 * counted, and the next line that gets through says how many are missing. log_stop() writes out
 * what is queued (for at most a second) and goes back to writing at once.
 *
 * Never pass a secret: nothing here can tell one.
 *
 *     log_warn(LOG_FIELDS({"target", t->name}, {"namespace", ns}), "refresh failed: %s", err.msg);
 *     log_info(LOG_NONE, "listening on %s", address);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_END };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Ends with a NULL key. A NULL value leaves the field out. */
struct log_field {
    const char *key;
    const char *value;
};

#define LOG_NONE        ((const struct log_field *)0)
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {0}})

/* The lowest level written and the format. Call before other threads exist, or again at any time.
 */
void log_setup(enum log_level lowest, enum log_format format);
/* Parses "debug", "info", "warn", "error" / "logfmt", "json"; false for anything else. */
bool log_level_parse(const char *s, enum log_level *ret);
bool log_format_parse(const char *s, enum log_format *ret);
const char *log_level_name(enum log_level level);

/* Starts the writer thread; 0 or -1 (then logging goes on directly). */
int log_start(void) MUST_CHECK;
void log_stop(void);

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const struct log_field *fields, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#define log_debug(fields, ...)                           \
    do {                                                 \
        if (log_enabled(LOG_DEBUG))                      \
            log_write(LOG_DEBUG, (fields), __VA_ARGS__); \
    } while (0)
#define log_info(fields, ...)  log_write(LOG_INFO, (fields), __VA_ARGS__)
#define log_warn(fields, ...)  log_write(LOG_WARN, (fields), __VA_ARGS__)
#define log_error(fields, ...) log_write(LOG_ERROR, (fields), __VA_ARGS__)

/* For the live metrics: lines accepted by level, and lines dropped because the queue was full. */
uint64_t log_lines_total(enum log_level level);
uint64_t log_dropped_total(void);

#endif
