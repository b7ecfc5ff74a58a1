/*
 * Which format and which coding a scrape gets, from its Accept and Accept-Encoding headers
 * (RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3). Pure functions, any thread.
 *
 * A server may always disregard these headers, and an exporter that answers 406 helps nobody: what
 * cannot be satisfied gets text 0.0.4 without coding. List elements that are malformed are ignored
 * on their own; those around them count.
 */
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include <stdbool.h>

#include "metrics/expo.h"

/*
 * The format with the higher q-value; for each the most specific matching range decides. Equal
 * values prefer text, so that a browser, curl or an empty header get what every reader knows:
 * OpenMetrics is for those who ask for it. NULL = no such header.
 */
enum expo_format negotiate_format(const char *accept);

/*
 * True if gzip (or x-gzip, or "*") is acceptable and identity is not explicitly liked better.
 * NULL = no such header: no coding.
 */
bool negotiate_gzip(const char *accept_encoding);

#endif
