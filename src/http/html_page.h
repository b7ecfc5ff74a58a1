/*
 * What the HTML pages share: frame, style, words, cells. Pages are complete without scripts and
 * without anything from elsewhere. Every value that is not ours goes through html_text().
 */
#ifndef HTTP_HTML_PAGE_H
#define HTTP_HTML_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "inventory/snapshot.h"

/* Above, a page stops being one that anybody reads; /metrics has them all. */
enum { PAGE_ROWS_MAX = 500, PAGE_TEXT_MAX = 200, PAGE_MESSAGE_MAX = 500 };

/* Admits the pages' own style, by its hash, and nothing else at all. */
extern const char html_page_csp[];

/* Up to the opened body. The title is ours. */
void html_page_open(struct strbuf *out, const char *title);

/* In this order on a page: worst first. */
enum health { FAILING, WITHHELD, WAITING, HEALTHY, HEALTH_END };
enum health html_health(const struct target_status *t);

/* --- words --- */

/* In a <bdi>, so that a text that turns the writing direction turns only itself; NULL = "". */
void html_bdi(struct strbuf *out, const char *text, size_t max_bytes);
/* "45 s", "3 min 20 s", "2 h 5 min", "3 d 4 h": two units are as much as anybody reads. */
void html_span(struct strbuf *out, int64_t ms);
/* The same without the seconds that nobody needs: "12 min". */
void html_rough_span(struct strbuf *out, int64_t ms);
void html_duration(struct strbuf *out, int64_t ms);
/* "2026-01-01 03:04:05 UTC" */
void html_time(struct strbuf *out, int64_t unix_ms);
/* A negative count is one that nothing is known of: no listing yet, or withheld. */
void html_count(struct strbuf *out, int64_t n);
/* since: 0 = not known. */
void html_failing_tag(struct strbuf *out, int64_t since_unix_ms, int64_t now_unix_ms);

/* --- tables --- */

/* On a narrow screen each row becomes a card, with the column's title before each value. */
struct html_column {
    const char *title;
    const char *classes;
    const char *note; /* attributes that explain the title */
};

void html_open_table(struct strbuf *out, const struct html_column *columns, size_t n);
void html_close_table(struct strbuf *out);
void html_open_cell(struct strbuf *out, const struct html_column *column);
void html_close_cell(struct strbuf *out);

#endif
